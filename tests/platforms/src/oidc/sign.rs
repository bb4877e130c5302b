//! Signing ID tokens, rightly and in every wrong way.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Wrong;

/// Made for these tests; they sign nothing else.
const GOOD: &[u8] = include_bytes!("../teams/signing.p8");
const OTHER: &[u8] = include_bytes!("../teams/other.p8");

pub(super) struct Signer {
    good: RsaKeyPair,
    other: RsaKeyPair,
    /// `Some`: this one signs.
    elliptic: Option<EcdsaKeyPair>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

fn pair(bytes: &[u8]) -> RsaKeyPair {
    match RsaKeyPair::from_pkcs8(bytes) {
        Ok(pair) => pair,
        Err(error) => unreachable!("the keys of these tests are sound: {error}"),
    }
}

fn curve() -> Option<EcdsaKeyPair> {
    let (way, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let bytes = EcdsaKeyPair::generate_pkcs8(way, &random).ok()?;
    EcdsaKeyPair::from_pkcs8(way, bytes.as_ref(), &random).ok()
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa_jwk(pair: &RsaKeyPair, kid: &str) -> Value {
    let public: PublicKeyComponents<Vec<u8>> = pair.public().into();
    json!({"kty": "RSA", "use": "sig", "kid": kid, "n": encoded(public.n), "e": encoded(public.e)})
}

impl Signer {
    pub(super) fn new(elliptic: bool) -> Signer {
        let elliptic = if elliptic { curve() } else { None };
        Signer { good: pair(GOOD), other: pair(OTHER), elliptic }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        if self.elliptic.is_some() { "ES256" } else { "RS256" }
    }

    /// What is published, with keys beside it that sign no ID tokens.
    pub(super) fn keys(&self, kid: &str) -> Value {
        let own = match &self.elliptic {
            Some(pair) => {
                let point = pair.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": kid,
                    "x": encoded(&point[1..33]), "y": encoded(&point[33..65]),
                })
            }
            None => rsa_jwk(&self.good, kid),
        };
        let mut for_encryption = rsa_jwk(&self.other, "key-for-encryption");
        for_encryption["use"] = json!("enc");
        json!({"keys": [for_encryption, {"kty": "odd", "kid": "odd"}, own]})
    }

    fn sign(&self, header: &Value, claims: &Value, by_other: bool) -> String {
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match (&self.elliptic, by_other) {
            (Some(pair), false) => match pair.sign(&random, signed.as_bytes()) {
                Ok(signature) => signature.as_ref().to_vec(),
                Err(error) => unreachable!("signing does not fail: {error}"),
            },
            (_, by_other) => {
                let pair = if by_other { &self.other } else { &self.good };
                let mut signature = vec![0; pair.public().modulus_len()];
                match pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature) {
                    Ok(()) => signature,
                    Err(error) => unreachable!("signing does not fail: {error}"),
                }
            }
        };
        format!("{signed}.{}", encoded(signature))
    }

    fn hmac(header: &Value, claims: &Value, key: &[u8]) -> String {
        let signed = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        format!("{signed}.{}", encoded(ring::hmac::sign(&key, signed.as_bytes())))
    }

    /// The token for these claims. `secret`: the client's own.
    pub(super) fn token(&self, kid: &str, mut claims: Value, wrong: Wrong, secret: &str) -> String {
        let mut header = json!({"alg": self.algorithm(), "kid": kid, "typ": "JWT"});
        spoil(&mut claims, wrong);
        match wrong {
            Wrong::Unsigned => header["alg"] = json!("none"),
            Wrong::HmacWithSecret | Wrong::HmacWithPublicKey => header["alg"] = json!("HS256"),
            Wrong::UnknownKey => header["kid"] = json!("key-nobody-knows"),
            Wrong::KeyInHeader => header["jwk"] = rsa_jwk(&self.other, kid),
            Wrong::Critical => {
                header["crit"] = json!(["urn:example:odd"]);
                header["urn:example:odd"] = json!(true);
            }
            Wrong::AccessTokenType => header["typ"] = json!("at+jwt"),
            _ => {}
        }
        let by_other = matches!(wrong, Wrong::OtherKey | Wrong::KeyInHeader);
        let good = self.sign(&header, &claims, by_other);
        let (signed, signature) = good.rsplit_once('.').unwrap_or_default();
        match wrong {
            Wrong::NotAToken => "planted.token".into(),
            Wrong::Unsigned => format!("{signed}."),
            Wrong::HmacWithSecret => Signer::hmac(&header, &claims, secret.as_bytes()),
            // The published key as the secret: what a client that trusts the token's algorithm would believe.
            Wrong::HmacWithPublicKey => {
                let public: PublicKeyComponents<Vec<u8>> = self.good.public().into();
                Signer::hmac(&header, &claims, &public.n)
            }
            Wrong::WrongSignature => format!("{signed}.{}", encoded([7; 256])),
            Wrong::Tampered => {
                claims["email"] = json!("root@example.com");
                let head = signed.split('.').next().unwrap_or_default();
                format!("{head}.{}.{signature}", encoded(claims.to_string()))
            }
            _ => good,
        }
    }
}

fn spoil(claims: &mut Value, wrong: Wrong) {
    let issuer = claims["iss"].as_str().unwrap_or_default().to_owned();
    let now = claims["iat"].as_i64().unwrap_or_default();
    let ours = claims["aud"].clone();
    let (name, value) = match wrong {
        Wrong::OtherIssuer => ("iss", json!("https://login.evil.test/staff")),
        // As of a provider where every company has a path of its own.
        Wrong::OtherTenant => ("iss", json!(issuer.replace("/staff", "/another-company"))),
        Wrong::IssuerWithSlash => ("iss", json!(format!("{issuer}/"))),
        Wrong::OtherAudience => ("aud", json!("another-client")),
        Wrong::MoreAudiences => ("aud", json!([ours, "another-client"])),
        Wrong::NoAudience => ("aud", Value::Null),
        Wrong::OtherParty => ("azp", json!("another-client")),
        Wrong::Expired => ("exp", json!(now - 600)),
        Wrong::NotYet => ("iat", json!(now + 600)),
        Wrong::NoEnd => ("exp", Value::Null),
        Wrong::EndAsText => ("exp", json!((now + 600).to_string())),
        Wrong::NoNonce => ("nonce", Value::Null),
        Wrong::OtherNonce => ("nonce", json!("nonce-of-another-sign-in")),
        Wrong::NoSubject => ("sub", json!("")),
        Wrong::OtherAccessHash => ("at_hash", json!("b3RoZXItYWNjZXNzLXRva2Vu")),
        _ => return,
    };
    let Some(claims) = claims.as_object_mut() else { return };
    if value.is_null() {
        claims.remove(name);
    } else {
        claims.insert(name.into(), value);
    }
}

/// Core §3.1.3.6, for the algorithms that are used here.
pub(super) fn access_hash(access: &str) -> String {
    encoded(&Sha256::digest(access)[..16])
}

/// RFC 7636 §4.6.
pub(super) fn challenge(verifier: &str) -> String {
    encoded(Sha256::digest(verifier))
}
