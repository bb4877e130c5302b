//! "Receiving and Responding › Security": Ed25519 over the timestamp and the raw body.
//!
//! Not here: the route (`door.rs`). Discord sends requests with bad signatures on purpose, and takes the address away from
//! whoever lets one pass.

use axum::http::{HeaderMap, HeaderName};
use deskbridge_contract::Timestamp;
use ed25519_dalek::{Signature, VerifyingKey};

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature-ed25519");
const TIME: HeaderName = HeaderName::from_static("x-signature-timestamp");

/// How far a request's time may be from ours, in seconds: an interaction has to be answered within three.
const WINDOW: i64 = 300;

/// An application's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// 64 hexadecimal digits of a point that is no weak one: by such, a signature of nobody's would hold.
    pub(crate) fn read(text: &str) -> Option<PublicKey> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        (!key.is_weak()).then_some(PublicKey(key))
    }
}

/// What a request claims, before its body is read: a claim that cannot hold costs nothing.
pub(super) struct Claim {
    time: String,
    signature: Signature,
}

impl Claim {
    /// Exactly one header of each, well-formed, and not of another time.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Claim> {
        let time = only(headers, &TIME)?;
        let given = only(headers, &SIGNATURE)?;
        let mut bytes = [0; 64];
        // Refuses odd lengths, other lengths and other digits.
        hex::decode_to_slice(given, &mut bytes).ok()?;
        let digits = (1..=12).contains(&time.len()) && time.bytes().all(|b| b.is_ascii_digit());
        let seconds: i64 = time.parse().ok().filter(|_| digits)?;
        let ours = now.0.div_euclid(1_000_000);
        let near = ours.abs_diff(seconds) <= WINDOW.unsigned_abs();
        near.then(|| Claim { time: time.to_owned(), signature: Signature::from_bytes(&bytes) })
    }

    /// Strictly: no small-order points, no second spelling of a signature.
    pub(super) fn holds(&self, key: &PublicKey, body: &[u8]) -> bool {
        let mut signed = Vec::with_capacity(self.time.len() + body.len());
        signed.extend_from_slice(self.time.as_bytes());
        signed.extend_from_slice(body);
        key.0.verify_strict(&signed, &self.signature).is_ok()
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
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    fn headers(time: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TIME, time.parse().unwrap());
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers
    }

    fn holds(key: &SigningKey, time: &str, signature: &str, body: &[u8]) -> bool {
        let public = PublicKey(key.verifying_key());
        let now = Timestamp::from_seconds(1_790_000_000);
        Claim::read(&headers(time, signature), now).is_some_and(|claim| claim.holds(&public, body))
    }

    /// S19, S20: each of these is refused but the right one.
    #[test]
    fn bad_signatures_of_every_kind() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let (time, body) = ("1790000000", br#"{"type":1}"#);
        let sign = |key: &SigningKey, what: &[u8]| hex::encode(key.sign(what).to_bytes());
        let good = sign(&key, &[time.as_bytes(), body].concat());
        assert!(holds(&key, time, &good, body));
        assert!(!holds(&key, time, &sign(&key, body), body), "over the body alone");
        assert!(!holds(&key, "1790000001", &good, body), "another time");
        assert!(!holds(&key, time, &good, br#"{"type":2}"#), "another body");
        assert!(!holds(&key, time, &good[1..], body), "odd length");
        assert!(!holds(&key, time, &good[2..], body), "too short");
        assert!(!holds(&key, time, &format!("{good}00"), body), "too long");
        assert!(!holds(&key, time, &good.replace(|c: char| c.is_ascii_digit(), "g"), body), "no digits");
        assert!(!holds(&key, time, "", body), "nothing");
        let other = SigningKey::from_bytes(&[8; 32]);
        assert!(!holds(&key, time, &sign(&other, &[time.as_bytes(), body].concat()), body), "another key");
        let old = "1789990000";
        assert!(!holds(&key, old, &sign(&key, &[old.as_bytes(), body].concat()), body), "old");
        let mut twice = headers(time, &good);
        twice.append(SIGNATURE, good.parse().unwrap());
        assert!(Claim::read(&twice, Timestamp::from_seconds(1_790_000_000)).is_none());
    }

    /// The order of the group added to a signature's second half holds by a lax check, and is another signature.
    #[test]
    fn a_second_spelling_of_a_signature() {
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = SigningKey::from_bytes(&[7; 32]);
        let (time, body) = ("1790000000", b"{}");
        let mut bytes = key.sign(&[time.as_bytes(), body].concat()).to_bytes();
        let mut carry = 0_u16;
        for (byte, more) in bytes[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            *byte = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        assert!(!holds(&key, time, &hex::encode(bytes), body));
    }

    #[test]
    fn weak_keys_are_none() {
        assert!(PublicKey::read(&"00".repeat(32)).is_none(), "a point of small order");
        assert!(PublicKey::read(&format!("01{}", "00".repeat(31))).is_none());
        assert!(PublicKey::read("ab").is_none() && PublicKey::read(&"zz".repeat(32)).is_none());
        let key = SigningKey::from_bytes(&[7; 32]);
        assert!(PublicKey::read(&hex::encode(key.verifying_key().to_bytes())).is_some());
    }
}
