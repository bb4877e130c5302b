//! Whether an event is from the Bot Connector: the seven checks of its authentication, and the key's endorsements. Pure.
//!
//! Not here: where the keys come from (`keys.rs`). Source: "Authentication with the Bot Connector API", steps 1 to 7.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deskbridge_contract::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::Value;

/// "iss" of every token of the Connector.
pub(crate) const ISSUER: &str = "https://api.botframework.com";
/// Clocks may differ by this many seconds.
const SKEW: i64 = 300;
/// Longest token that is looked at; theirs have about 1200 letters.
const MAX_TOKEN: usize = 16 << 10;

/// Why a token was refused; told to the log, never to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no bearer token")]
    NoBearer,
    #[error("not a JWT")]
    Malformed,
    #[error("not signed by RS256")]
    Algorithm,
    #[error("signed by an unknown key")]
    UnknownKey,
    #[error("wrong signature")]
    Signature,
    #[error("another issuer")]
    Issuer,
    #[error("for another bot")]
    Audience,
    #[error("not valid now")]
    Time,
    #[error("for another service address")]
    ServiceUrl,
    #[error("the key is not endorsed for this channel")]
    Endorsement,
}

/// One key of the Connector's set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub id: String,
    pub modulus: Vec<u8>,
    pub exponent: Vec<u8>,
    pub endorsements: Vec<String>,
}

impl Key {
    /// RSA keys only; others, and those with fields missing, are left out.
    pub(crate) fn from_jwk(jwk: &Value) -> Option<Key> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("RSA") || text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let number = |name| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        let endorsements = jwk.get("endorsements").and_then(Value::as_array);
        let endorsements = endorsements.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        Some(Key {
            id: text("kid")?.to_owned(),
            modulus: number("n")?,
            exponent: number("e")?,
            endorsements: endorsements.collect(),
        })
    }
}

/// A token taken apart; nothing of it is true yet.
#[derive(Debug)]
pub(crate) struct Unverified<'a> {
    pub kid: String,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Value,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// What a token vouches for, once it is believed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub service_url: String,
    pub endorsements: Vec<String>,
}

/// Checks 1 and 2: a bearer token, and a JWT.
pub(crate) fn read(header: Option<&str>) -> Result<Unverified<'_>, Refusal> {
    let (scheme, token) = header.and_then(|header| header.split_once(' ')).ok_or(Refusal::NoBearer)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Refusal::NoBearer);
    }
    if token.len() > MAX_TOKEN {
        return Err(Refusal::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Malformed)?;
    let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| Refusal::Malformed)?;
    let signature = decode(signature)?;
    // The one algorithm that the metadata lists; what the token asks for does not matter otherwise.
    if header.alg != "RS256" {
        return Err(Refusal::Algorithm);
    }
    let kid = header.kid.ok_or(Refusal::UnknownKey)?;
    Ok(Unverified { kid, signed, signature, claims })
}

impl Unverified<'_> {
    /// Checks 3 to 6: signature, issuer, audience, time.
    pub(crate) fn verify(&self, key: &Key, app_id: &str, now: Timestamp) -> Result<Vouched, Refusal> {
        let public = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, self.signed.as_bytes(), &self.signature)
            .map_err(|_| Refusal::Signature)?;
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(ISSUER) {
            return Err(Refusal::Issuer);
        }
        if text("aud") != Some(app_id) {
            return Err(Refusal::Audience);
        }
        let now = now.0.div_euclid(1_000_000);
        // Their numbers may have a fraction; a token without an end is none of theirs.
        #[allow(clippy::cast_possible_truncation)]
        let second = |name: &str| self.claims.get(name).and_then(Value::as_f64).map(|at| at as i64);
        let ends = second("exp").ok_or(Refusal::Time)?;
        let begins = match self.claims.get("nbf") {
            None => i64::MIN,
            Some(_) => second("nbf").ok_or(Refusal::Time)?,
        };
        if now > ends.saturating_add(SKEW) || now < begins.saturating_sub(SKEW) {
            return Err(Refusal::Time);
        }
        let service_url = text("serviceurl").or_else(|| text("serviceUrl")).ok_or(Refusal::ServiceUrl)?;
        Ok(Vouched { service_url: service_url.to_owned(), endorsements: key.endorsements.clone() })
    }
}

impl Vouched {
    /// Check 7 and the endorsements: the token is for this very activity.
    pub(crate) fn covers(&self, service_url: &str, channel_id: &str) -> Result<(), Refusal> {
        if self.service_url != service_url {
            return Err(Refusal::ServiceUrl);
        }
        if !self.endorsements.iter().any(|known| known == channel_id) {
            return Err(Refusal::Endorsement);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_token() {
        for (header, expected) in [
            (None, Refusal::NoBearer),
            (Some(""), Refusal::NoBearer),
            (Some("Bearer"), Refusal::NoBearer),
            (Some("Bearer "), Refusal::NoBearer),
            (Some("HMAC a.b.c"), Refusal::NoBearer),
            (Some("Bearer abc"), Refusal::Malformed),
            (Some("Bearer a.b"), Refusal::Malformed),
            (Some("Bearer a.b.c"), Refusal::Malformed),
            (Some("Bearer e30.e30.e30"), Refusal::Malformed),
            // {"alg":"none","kid":"k"}, {"alg":"HS256","kid":"k"}, {"alg":"RS256"}
            (Some("Bearer eyJhbGciOiJub25lIiwia2lkIjoiayJ9.e30."), Refusal::Algorithm),
            (Some("Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.e30.AAAA"), Refusal::Algorithm),
            (Some("Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), Refusal::UnknownKey),
        ] {
            assert_eq!(read(header).err(), Some(expected), "{header:?}");
        }
    }

    #[test]
    fn a_signature_of_nothing_is_refused() {
        let token = read(Some("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AAAA")).unwrap();
        let key =
            Key { id: "k".into(), modulus: vec![1; 256], exponent: vec![1, 0, 1], endorsements: vec![] };
        assert_eq!(token.verify(&key, "app", Timestamp::EPOCH), Err(Refusal::Signature));
    }

    #[test]
    fn a_token_is_for_its_own_activity() {
        let vouched = Vouched { service_url: "https://a/".into(), endorsements: vec!["msteams".into()] };
        assert_eq!(vouched.covers("https://a/", "msteams"), Ok(()));
        assert_eq!(vouched.covers("https://b/", "msteams"), Err(Refusal::ServiceUrl));
        assert_eq!(vouched.covers("https://a/", "webchat"), Err(Refusal::Endorsement));
    }

    proptest! {
        #[test]
        fn reading_is_total(header in ".{0,200}") {
            let _ = read(Some(&header));
            let _ = read(Some(&format!("Bearer {header}.{header}.{header}")));
        }
    }
}
