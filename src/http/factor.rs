//! Second factors: codes by time (TOTP, RFC 6238) and one-time recovery codes (S80).
//!
//! Not here: when one is asked for, and how often one may try (`api/factor.rs`).

use deskbridge_contract::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::problem::Problem;
use crate::seal::Seal;

/// Seconds that a code is shown for; what every authenticator takes.
const STEP: i64 = 30;
/// Steps that clocks may differ by, before and after.
const SKEW: i64 = 1;
const DIGITS: usize = 6;
/// Bytes of the secret: as long as the hash (RFC 4226 §4).
const SECRET: usize = 20;
const RECOVERY: usize = 10;
/// Bytes of a recovery code: nobody guesses 64 bits by asking.
const RECOVERY_BYTES: usize = 8;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The second factor of one account.
#[derive(Clone)]
pub struct Factor {
    /// Hexadecimal.
    secret: String,
    /// It was shown that the authenticator has it; before, it is not asked for.
    pub confirmed: bool,
    /// The latest step whose code was taken: neither it nor an earlier one is taken again.
    step: i64,
    /// SHA-256 of the recovery codes that are left.
    recovery: Vec<String>,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// As it was stored by versions that did not seal it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    confirmed: bool,
    step: i64,
    recovery: Vec<String>,
}

/// What is stored cannot be read: damaged, or sealed with another key. That is not the same as no factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a second factor cannot be read")]
pub struct Unreadable;

/// What a sealed secret is, so that nobody's is good for somebody else.
fn named(whose: &str) -> String {
    format!("factor of {whose}")
}

impl std::fmt::Debug for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Factor").field("confirmed", &self.confirmed).finish_non_exhaustive()
    }
}

/// Which of the two a code was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    ByTime,
    Recovery,
}

impl Factor {
    pub fn new() -> Result<Factor, Problem> {
        let secret = hex::encode(random::<SECRET>()?);
        Ok(Factor { secret, confirmed: false, step: i64::MIN, recovery: Vec::new() })
    }

    /// For the store: the secret sealed, the rest of no use to anybody.
    pub fn stored(&self, seal: &Seal, whose: &str) -> Result<String, Problem> {
        let sealed = seal.seal(&named(whose), self.secret.as_bytes()).map_err(|_| Problem::internal())?;
        let stored = Stored {
            secret: None,
            sealed: Some(sealed),
            confirmed: self.confirmed,
            step: self.step,
            recovery: self.recovery.clone(),
        };
        serde_json::to_string(&stored).map_err(|_| Problem::internal())
    }

    pub fn read(stored: &str, seal: &Seal, whose: &str) -> Result<Factor, Unreadable> {
        let Stored { secret, sealed, confirmed, step, recovery } =
            serde_json::from_str(stored).map_err(|_| Unreadable)?;
        let secret = match (sealed, secret) {
            (Some(sealed), _) => {
                let secret = seal.unseal(&named(whose), &sealed).map_err(|_| Unreadable)?;
                String::from_utf8(secret).map_err(|_| Unreadable)?
            }
            (None, Some(secret)) => secret,
            (None, None) => return Err(Unreadable),
        };
        Ok(Factor { secret, confirmed, step, recovery })
    }

    /// It was stored by a version that did not seal it.
    pub fn is_open(stored: &str) -> bool {
        serde_json::from_str::<Stored>(stored).is_ok_and(|stored| stored.secret.is_some())
    }

    /// For typing into an authenticator.
    pub fn secret(&self) -> String {
        base32(&hex::decode(&self.secret).unwrap_or_default())
    }

    /// For an authenticator's camera; issuer and account are what its list shows.
    pub fn uri(&self, account: &str) -> String {
        format!(
            "otpauth://totp/deskbridge:{}?secret={}&issuer=deskbridge&algorithm=SHA1&digits={DIGITS}&period={STEP}",
            encoded(account),
            self.secret()
        )
    }

    /// Takes a code if it is good now, and never again.
    pub fn take(&mut self, code: &str, now: Timestamp) -> Option<Taken> {
        let plain: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        if plain.len() == DIGITS && plain.bytes().all(|b| b.is_ascii_digit()) {
            let step = self.step_of(&plain, now)?;
            self.step = step;
            return Some(Taken::ByTime);
        }
        let hash = hashed(&plain.to_ascii_lowercase());
        let before = self.recovery.len();
        self.recovery.retain(|kept| !bool::from(kept.as_bytes().ct_eq(hash.as_bytes())));
        (self.recovery.len() < before).then_some(Taken::Recovery)
    }

    fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let secret = hex::decode(&self.secret).ok()?;
        let current = now.0.div_euclid(1_000_000).div_euclid(STEP);
        // All of them, whichever fits: how long it takes tells nothing.
        let mut found = None;
        for step in current - SKEW..=current + SKEW {
            let fits = bool::from(code_at(&secret, step).as_bytes().ct_eq(code.as_bytes()));
            if fits && step > self.step {
                found = Some(step);
            }
        }
        found
    }

    /// New recovery codes; those before are worth nothing. Shown once.
    pub fn renew(&mut self) -> Result<Vec<String>, Problem> {
        let mut codes = Vec::with_capacity(RECOVERY);
        for _ in 0..RECOVERY {
            let code = hex::encode(random::<RECOVERY_BYTES>()?);
            self.recovery.push(hashed(&code));
            codes.push(code);
        }
        self.recovery.drain(..self.recovery.len() - RECOVERY);
        let grouped = |code: String| {
            let parts: Vec<&str> = (0..4).filter_map(|n| code.get(n * 4..n * 4 + 4)).collect();
            parts.join("-")
        };
        Ok(codes.into_iter().map(grouped).collect())
    }

    pub fn left(&self) -> usize {
        self.recovery.len()
    }
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], Problem> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
    Ok(bytes)
}

fn hashed(code: &str) -> String {
    hex::encode(Sha256::digest(format!("recovery:{code}")))
}

/// RFC 4226 §5.3 over the number of the step.
fn code_at(secret: &[u8], step: i64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash.last().copied().unwrap_or_default() & 0x0f);
    let mut word = [0; 4];
    for (to, from) in word.iter_mut().zip(hash.iter().skip(at)) {
        *to = *from;
    }
    let number = u32::from_be_bytes(word) & 0x7fff_ffff;
    format!("{:0width$}", number % 1_000_000, width = DIGITS)
}

/// RFC 4648 §6, without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut block = [0_u8; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        for n in 0..(chunk.len() * 8).div_ceil(5) {
            let index = usize::try_from(bits >> (35 - 5 * n) & 31).unwrap_or_default();
            text.push(char::from(BASE32[index]));
        }
    }
    text
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    let part = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(part).collect()
}

/// A QR code as the `d` of one SVG path, one unit per module, and how many modules a side has.
pub fn qr(text: &str) -> Result<(String, i32), Problem> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| Problem::internal())?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let run = (x..size).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or_default();
            if run > 0 {
                path.push_str(&format!("M{x} {y}h{run}v1h-{run}z"));
            }
            x += run.max(1);
        }
    }
    Ok((path, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    fn factor() -> Factor {
        let secret = hex::encode("12345678901234567890");
        Factor { secret, confirmed: true, step: i64::MIN, recovery: Vec::new() }
    }

    fn seal() -> Seal {
        Seal::of(&"0123456789abcdef0123456789abcdef".to_owned().into()).unwrap()
    }

    #[test]
    fn s80_a_stored_secret_is_sealed_for_its_owner() {
        let mut one = factor();
        let code = code_at(b"12345678901234567890", 1_000);
        let now = at(1_000 * STEP);
        let stored = one.stored(&seal(), "ana").unwrap();
        assert!(
            !stored.contains(&hex::encode("12345678901234567890")) && !Factor::is_open(&stored),
            "{stored}"
        );
        assert!(Factor::read(&stored, &seal(), "ana").unwrap().take(&code, now).is_some());
        assert_eq!(Factor::read(&stored, &seal(), "bob").unwrap_err(), Unreadable);
        let other = Seal::of(&"another".to_owned().into()).unwrap();
        assert_eq!(Factor::read(&stored, &other, "ana").unwrap_err(), Unreadable);
        assert!(one.take(&code, now).is_some());
        let later = one.stored(&seal(), "ana").unwrap();
        assert!(Factor::read(&later, &seal(), "ana").unwrap().take(&code, now).is_none(), "used up");
        // As it was stored before.
        let open = r#"{"secret":"3132333435363738393031323334353637383930","confirmed":true,"step":5,"recovery":[]}"#;
        assert!(
            Factor::is_open(open) && Factor::read(open, &seal(), "ana").unwrap().take(&code, now).is_some()
        );
        for odd in ["", "{}", r#"{"confirmed":true,"step":5,"recovery":[]}"#] {
            assert_eq!(Factor::read(odd, &seal(), "ana").unwrap_err(), Unreadable, "{odd}");
        }
    }

    /// RFC 6238, appendix B (the last six of its eight digits).
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(factor().take(code, at(seconds)), Some(Taken::ByTime), "{code}");
        }
        assert_eq!(factor().secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(
            factor()
                .uri("ana lópez@x.test")
                .starts_with("otpauth://totp/deskbridge:ana%20l%C3%B3pez@x.test?secret=GEZ")
        );
    }

    #[test]
    fn s80_a_code_is_good_once_and_one_step_around() {
        let code = |step: i64| code_at(b"12345678901234567890", step);
        let now = at(1_000 * STEP + 7);
        for (step, good) in
            [(997, false), (998, false), (999, true), (1_000, true), (1_001, true), (1_002, false)]
        {
            assert_eq!(factor().take(&code(step), now).is_some(), good, "{step}");
        }
        let mut one = factor();
        assert!(one.take(&code(1_000), now).is_some());
        assert!(one.take(&code(1_000), now).is_none(), "the same again");
        assert!(one.take(&code(999), now).is_none(), "an earlier one");
        assert!(one.take(&code(1_001), now).is_some(), "a later one");
        for odd in ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-28708-", &"9".repeat(5_000)] {
            assert!(factor().take(odd, at(0)).is_none(), "{odd}");
        }
    }

    #[test]
    fn s80_recovery_codes_are_hashed_and_good_once() {
        let mut one = factor();
        let codes = one.renew().unwrap();
        let kept = one.stored(&seal(), "ana").unwrap();
        assert!(codes.len() == RECOVERY && codes.iter().all(|code| !kept.contains(&code.replace('-', ""))));
        assert_eq!(one.take(&codes[3].to_uppercase(), at(0)), Some(Taken::Recovery));
        assert_eq!((one.take(&codes[3], at(0)), one.left()), (None, RECOVERY - 1));
        let fresh = one.renew().unwrap();
        assert_eq!((one.take(&codes[4], at(0)), one.left()), (None, RECOVERY));
        assert!(one.take(&fresh[0], at(0)).is_some());
        assert!(!format!("{one:?}").contains("3132"), "{one:?}");
    }

    #[test]
    fn a_qr_code_is_a_path() {
        let (path, size) = qr(&factor().uri("ana@example.com")).unwrap();
        assert!(size > 30 && path.starts_with("M0 0h7v1h-7z"), "{path}");
        assert!(qr(&"x".repeat(10_000)).is_err());
    }
}
