//! Ed25519 over timestamp and body ("Interactions › Validating Security Request Headers"), and ways to get it wrong.
//! What is signed is decided in `postman`.

use ed25519_dalek::{Signer as _, SigningKey};

/// How a signature is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tamper {
    /// Not at all.
    None,
    /// One bit of the signature is another.
    FlippedBit,
    /// It covers the body alone.
    BodyOnly,
    /// The timestamp was changed after signing.
    TimestampChanged,
    /// The body was changed after signing: one blank more.
    BodyChanged,
    /// Somebody else's key.
    OtherKey,
    /// One digit short.
    OddHex,
    /// 32 bytes.
    HalfLength,
    /// No digits.
    NotHex,
    /// All zeros: R is of small order.
    SmallOrder,
    /// The same signature in its other form, `S + L`.
    Malleable,
    NoSignature,
    NoTimestamp,
    EmptySignature,
}

impl Tamper {
    /// Every way to get it wrong.
    pub const ALL: [Tamper; 13] = [
        Tamper::FlippedBit,
        Tamper::BodyOnly,
        Tamper::TimestampChanged,
        Tamper::BodyChanged,
        Tamper::OtherKey,
        Tamper::OddHex,
        Tamper::HalfLength,
        Tamper::NotHex,
        Tamper::SmallOrder,
        Tamper::Malleable,
        Tamper::NoSignature,
        Tamper::NoTimestamp,
        Tamper::EmptySignature,
    ];
}

/// A request as it is sent: headers that are there, and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub signature: Option<String>,
    pub timestamp: Option<String>,
    pub body: String,
}

/// The order of the group, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Signs a body at this Unix second, and spoils it as wanted.
pub fn sign(key: &SigningKey, second: u64, body: &str, tamper: Tamper) -> Signed {
    let timestamp = second.to_string();
    let text = if tamper == Tamper::BodyOnly { body.to_owned() } else { format!("{timestamp}{body}") };
    let other = SigningKey::from_bytes(&[7; 32]);
    let key = if tamper == Tamper::OtherKey { &other } else { key };
    let bytes = key.sign(text.as_bytes()).to_bytes();
    let mut signed =
        Signed { signature: Some(hex::encode(bytes)), timestamp: Some(timestamp), body: body.to_owned() };
    match tamper {
        Tamper::None | Tamper::BodyOnly | Tamper::OtherKey => {}
        Tamper::FlippedBit => signed.signature = Some(hex::encode(flipped(bytes))),
        Tamper::TimestampChanged => signed.timestamp = Some((second + 1).to_string()),
        Tamper::BodyChanged => signed.body.push(' '),
        Tamper::OddHex => signed.signature = signed.signature.map(|text| text[1..].to_owned()),
        Tamper::HalfLength => signed.signature = signed.signature.map(|text| text[..64].to_owned()),
        Tamper::NotHex => signed.signature = Some("z".repeat(128)),
        Tamper::SmallOrder => signed.signature = Some("0".repeat(128)),
        Tamper::Malleable => signed.signature = Some(hex::encode(malleable(bytes))),
        Tamper::NoSignature => signed.signature = None,
        Tamper::NoTimestamp => signed.timestamp = None,
        Tamper::EmptySignature => signed.signature = Some(String::new()),
    }
    signed
}

fn flipped(mut bytes: [u8; 64]) -> [u8; 64] {
    bytes[40] ^= 1;
    bytes
}

fn malleable(mut bytes: [u8; 64]) -> [u8; 64] {
    let mut carry = 0;
    for (digit, add) in bytes[32..].iter_mut().zip(L) {
        let sum = u16::from(*digit) + u16::from(add) + carry;
        let [low, high] = sum.to_le_bytes();
        (*digit, carry) = (low, u16::from(high));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

    use super::{Signed, Tamper, sign};

    fn holds(key: &VerifyingKey, signed: &Signed) -> bool {
        let (Some(signature), Some(timestamp)) = (&signed.signature, &signed.timestamp) else { return false };
        let Ok(bytes) = hex::decode(signature) else { return false };
        let Ok(signature) = Signature::from_slice(&bytes) else { return false };
        key.verify_strict(format!("{timestamp}{}", signed.body).as_bytes(), &signature).is_ok()
    }

    /// RFC 8032, 7.1, test 3: its message is the timestamp's and the body's bytes here.
    #[test]
    fn it_is_the_standards() {
        let seed =
            hex::decode("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7").expect("hex");
        let key = SigningKey::from_bytes(&seed.try_into().expect("32 bytes"));
        let public = hex::encode(key.verifying_key().as_bytes());
        assert_eq!(public, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    }

    #[test]
    fn only_the_untouched_one_holds() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let public = key.verifying_key();
        assert!(holds(&public, &sign(&key, 1_700_000_000, "{\"type\":1}", Tamper::None)));
        for tamper in Tamper::ALL {
            assert!(!holds(&public, &sign(&key, 1_700_000_000, "{\"type\":1}", tamper)), "{tamper:?}");
        }
    }
}
