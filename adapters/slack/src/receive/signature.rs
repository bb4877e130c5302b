//! "Verifying requests from Slack": `v0`, over the raw bytes, within five minutes of our clock either way.
//!
//! Not here: slack-morphism's verifier, which asks the system for the time and takes the body for text.

use axum::http::{HeaderMap, HeaderName};
use deskbridge_contract::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

const SIGNATURE: HeaderName = HeaderName::from_static("x-slack-signature");
const TIME: HeaderName = HeaderName::from_static("x-slack-request-timestamp");

/// How far a request's time may be from ours, in seconds.
const WINDOW: i64 = 300;
/// `v0=` and a SHA-256 in hexadecimal digits.
const LENGTH: usize = 3 + 64;

/// What a request claims, before its body is read: a claim that cannot hold costs nothing.
pub(super) struct Claim {
    time: String,
    signature: [u8; 32],
}

impl Claim {
    /// Exactly one header of each, well-formed, and not of another time.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Claim> {
        let time = only(headers, &TIME)?;
        let given = only(headers, &SIGNATURE)?;
        let hexadecimal = given.strip_prefix("v0=").filter(|_| given.len() == LENGTH)?;
        // One spelling, so that a signature is not valid in two.
        if hexadecimal.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut signature = [0; 32];
        hex::decode_to_slice(hexadecimal, &mut signature).ok()?;
        let digits = (1..=10).contains(&time.len()) && time.bytes().all(|b| b.is_ascii_digit());
        let seconds: i64 = time.parse().ok().filter(|_| digits)?;
        let ours = now.0.div_euclid(1_000_000);
        (ours.abs_diff(seconds) <= WINDOW.unsigned_abs()).then(|| Claim { time: time.to_owned(), signature })
    }

    /// Compared in constant time.
    pub(super) fn holds(&self, secret: &SecretString, body: &[u8]) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
            return false;
        };
        mac.update(b"v0:");
        mac.update(self.time.as_bytes());
        mac.update(b":");
        mac.update(body);
        mac.verify_slice(&self.signature).is_ok()
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut given = headers.get_all(name).iter();
    match (given.next(), given.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) fn sign(secret: &str, time: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{time}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Verifying requests from Slack": the vendor's own example.
    #[test]
    fn the_vendors_example() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
            &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
            &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
            &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let mut headers = HeaderMap::new();
        headers.insert(TIME, "1531420618".parse().unwrap());
        let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        headers.insert(SIGNATURE, signature.parse().unwrap());
        let claim = Claim::read(&headers, Timestamp::from_seconds(1_531_420_618)).unwrap();
        assert!(claim.holds(&"8f742231b10e8888abcd99yyyzzz85a5".into(), body.as_bytes()));
        assert!(!claim.holds(&"8f742231b10e8888abcd99yyyzzz85a6".into(), body.as_bytes()));
        assert!(!claim.holds(&"8f742231b10e8888abcd99yyyzzz85a5".into(), &body.as_bytes()[1..]));
    }

    #[test]
    fn five_minutes_either_way() {
        let claim = |now: i64| {
            let mut headers = HeaderMap::new();
            headers.insert(TIME, "1531420618".parse().unwrap());
            headers.insert(SIGNATURE, format!("v0={}", "a".repeat(64)).parse().unwrap());
            Claim::read(&headers, Timestamp::from_seconds(now)).is_some()
        };
        for (away, taken) in [(0, true), (300, true), (301, false), (-300, true), (-301, false)] {
            assert_eq!(claim(1_531_420_618 + away), taken, "{away}");
        }
    }
}
