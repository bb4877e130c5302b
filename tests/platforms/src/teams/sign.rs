//! Signing as the Bot Connector does, and every way of doing it wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// Made for these tests; they sign nothing else.
const GOOD: &[u8] = include_bytes!("signing.p8");
const OTHER: &[u8] = include_bytes!("other.p8");

/// Tenants that tokens of Entra ID name: somebody else's, and the one that the Emulator's tokens come from.
const OTHER_TENANT: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const EMULATOR: &str = "d6d49420-f39b-4df7-a1dc-d59a935871db";

/// What is wrong with a token. Everything else of it is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    Nothing,
    Missing,
    Empty,
    NotBearer,
    NotAJwt,
    Unsigned,
    HmacWithPublicKey,
    WrongSignature,
    OtherKey,
    UnknownKey,
    NoKeyName,
    CutShort,
    TamperedClaims,
    OtherIssuer,
    OtherAudience,
    NoAudience,
    Expired,
    NotYet,
    NoEnd,
    OtherServiceUrl,
    NoServiceUrl,
    /// Signed by a key of the caller's own, which the token's header brings along.
    KeyInHeader,
    /// … or for which the header names an address.
    KeyByAddress,
    CertificateByAddress,
    EndAsText,
    AbsentEnd,
    /// The bot's id among others.
    AudienceList,
    /// Of Entra ID, for another tenant.
    OtherTenant,
    OtherTenantV2,
    /// Of the Bot Framework Emulator.
    Emulator,
    EmulatorV2,
}

impl Forged {
    pub const ALL: [Forged; 30] = [
        Forged::Missing,
        Forged::Empty,
        Forged::NotBearer,
        Forged::NotAJwt,
        Forged::Unsigned,
        Forged::HmacWithPublicKey,
        Forged::WrongSignature,
        Forged::OtherKey,
        Forged::UnknownKey,
        Forged::NoKeyName,
        Forged::CutShort,
        Forged::TamperedClaims,
        Forged::OtherIssuer,
        Forged::OtherAudience,
        Forged::NoAudience,
        Forged::Expired,
        Forged::NotYet,
        Forged::NoEnd,
        Forged::OtherServiceUrl,
        Forged::NoServiceUrl,
        Forged::KeyInHeader,
        Forged::KeyByAddress,
        Forged::CertificateByAddress,
        Forged::EndAsText,
        Forged::AbsentEnd,
        Forged::AudienceList,
        Forged::OtherTenant,
        Forged::OtherTenantV2,
        Forged::Emulator,
        Forged::EmulatorV2,
    ];
}

/// A token that is being made.
struct Parts<'t, 'a> {
    header: &'t mut Value,
    claims: &'t mut Value,
    pair: &'t mut &'a RsaKeyPair,
}

/// For whom, from where and when.
struct At<'t> {
    app_id: &'t str,
    service_url: &'t str,
    now: i64,
}

pub struct Signer {
    good: RsaKeyPair,
    other: RsaKeyPair,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Default for Signer {
    fn default() -> Self {
        Signer::new()
    }
}

fn pair(bytes: &[u8]) -> RsaKeyPair {
    match RsaKeyPair::from_pkcs8(bytes) {
        Ok(pair) => pair,
        Err(error) => unreachable!("the keys of these tests are sound: {error}"),
    }
}

impl Signer {
    pub fn new() -> Signer {
        Signer { good: pair(GOOD), other: pair(OTHER) }
    }

    /// The public half of the good key, as it is published.
    pub fn jwk(&self, kid: &str, endorsements: &[String]) -> Value {
        let public: PublicKeyComponents<Vec<u8>> = self.good.public().into();
        json!({
            "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid, "endorsements": endorsements,
            "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
        })
    }

    /// A key of the caller's own, as a set of keys that nobody published.
    fn own_jwk(&self) -> Value {
        let public: PublicKeyComponents<Vec<u8>> = self.other.public().into();
        json!({
            "kty": "RSA", "use": "sig", "kid": "key-1", "endorsements": ["msteams"],
            "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
        })
    }

    fn sign(pair: &RsaKeyPair, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; pair.public().modulus_len()];
        match pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature) {
            Ok(()) => format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature)),
            Err(error) => unreachable!("signing does not fail: {error}"),
        }
    }

    fn hmac(&self, header: &Value, claims: &Value) -> String {
        let public: PublicKeyComponents<Vec<u8>> = self.good.public().into();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public.n);
        let signature = ring::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// Puts the fault into a token's parts.
    fn spoil<'a>(&'a self, parts: Parts<'_, 'a>, forged: Forged, at: &At<'_>) {
        let Parts { header, claims, pair } = parts;
        let At { app_id, service_url, now } = *at;
        match forged {
            Forged::OtherKey => *pair = &self.other,
            Forged::UnknownKey => header["kid"] = json!("key-nobody-knows"),
            Forged::NoKeyName => {
                header.as_object_mut().into_iter().for_each(|header| drop(header.remove("kid")));
            }
            Forged::Unsigned => header["alg"] = json!("none"),
            Forged::HmacWithPublicKey => header["alg"] = json!("HS256"),
            Forged::OtherIssuer => claims["iss"] = json!("https://sts.windows.net/planted/"),
            Forged::OtherAudience => claims["aud"] = json!("another-bot"),
            Forged::NoAudience => claims["aud"] = Value::Null,
            Forged::Expired => claims["exp"] = json!(now - 360),
            Forged::NotYet => claims["nbf"] = json!(now + 360),
            Forged::NoEnd => claims["exp"] = Value::Null,
            Forged::OtherServiceUrl => claims["serviceurl"] = json!("https://smba.trafficmanager.net/evil/"),
            Forged::NoServiceUrl => claims["serviceurl"] = Value::Null,
            Forged::KeyInHeader | Forged::KeyByAddress | Forged::CertificateByAddress => {
                *pair = &self.other;
                let (name, value) = match forged {
                    Forged::KeyInHeader => ("jwk", self.own_jwk()),
                    Forged::KeyByAddress => ("jku", json!(format!("{service_url}own-keys"))),
                    _ => ("x5u", json!(format!("{service_url}own-certificate"))),
                };
                header[name] = value;
            }
            Forged::EndAsText => claims["exp"] = json!((now + 3600).to_string()),
            Forged::AbsentEnd => {
                claims.as_object_mut().into_iter().for_each(|claims| drop(claims.remove("exp")));
            }
            Forged::AudienceList => claims["aud"] = json!(["another-bot", app_id]),
            Forged::OtherTenant => claims["iss"] = json!(format!("https://sts.windows.net/{OTHER_TENANT}/")),
            Forged::OtherTenantV2 => {
                claims["iss"] = json!(format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"));
            }
            Forged::Emulator => claims["iss"] = json!(format!("https://sts.windows.net/{EMULATOR}/")),
            Forged::EmulatorV2 => {
                claims["iss"] = json!(format!("https://login.microsoftonline.com/{EMULATOR}/v2.0"));
            }
            Forged::Missing
            | Forged::Empty
            | Forged::NotAJwt
            | Forged::Nothing
            | Forged::NotBearer
            | Forged::WrongSignature
            | Forged::CutShort
            | Forged::TamperedClaims => {}
        }
    }

    /// The value of `Authorization` for an activity of this service address. `now` in seconds.
    pub fn header(&self, app_id: &str, service_url: &str, now: i64, forged: Forged) -> Option<String> {
        match forged {
            Forged::Missing => return None,
            Forged::Empty => return Some("Bearer ".into()),
            Forged::NotAJwt => return Some("Bearer planted.token".into()),
            _ => {}
        }
        let mut header = json!({ "alg": "RS256", "kid": "key-1", "x5t": "key-1", "typ": "JWT" });
        let mut claims = json!({
            "iss": "https://api.botframework.com", "aud": app_id, "serviceurl": service_url,
            "nbf": now - 60, "exp": now + 3600,
        });
        let mut pair = &self.good;
        let parts = Parts { header: &mut header, claims: &mut claims, pair: &mut pair };
        self.spoil(parts, forged, &At { app_id, service_url, now });
        let good = match forged {
            // The published key as the secret: what a verifier that trusts the token's algorithm would believe.
            Forged::HmacWithPublicKey => self.hmac(&header, &claims),
            _ => Signer::sign(pair, &header, &claims),
        };
        let (signed, signature) = good.rsplit_once('.').unwrap_or_default();
        let token = match forged {
            Forged::Unsigned => format!("{signed}."),
            Forged::WrongSignature => format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 256])),
            Forged::CutShort => good[..good.len() - 8].to_owned(),
            Forged::TamperedClaims => {
                claims["exp"] = json!(now + 7200);
                let head = signed.split('.').next().unwrap_or_default();
                format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
            }
            _ => good,
        };
        let scheme = if forged == Forged::NotBearer { "HMAC" } else { "Bearer" };
        Some(format!("{scheme} {token}"))
    }
}
