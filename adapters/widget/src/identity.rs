//! Who a visitor is, by the word of the site: a short-lived JWT, or the older HMAC of an id.
//!
//! Not here: sessions that follow from it (`people`).

use std::collections::BTreeMap;
use std::sync::Once;
use std::time::Duration;

use deskbridge_contract::{Shelf, ShelfError, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, Validation, decode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;

use crate::people::{read, write};

/// A token lives no longer than this (S21): it is exchanged for a session at once.
const LONGEST: Duration = Duration::from_secs(300);
/// Clocks differ.
const LEEWAY: Duration = Duration::from_secs(30);
const MAX_TOKEN: usize = 4 << 10;
/// Places on the shelf among which used tokens are spread: each is written whole, and there are never more of them.
const PLACES: usize = 256;

/// A person that the site vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<String>,
}

/// A token that is good, and may have been used before.
#[derive(Debug)]
pub struct Proof {
    person: Person,
    jti: String,
    /// When it would be refused for its age.
    until: Timestamp,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: String,
    name: Option<String>,
    email: Option<String>,
}

/// Only what HS256 needs. The algorithm comes from here, never from the token's header.
struct Hs256(Hmac<Sha256>);

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.verify_slice(signature).map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

fn secret_of(key: &DecodingKey) -> Result<&[u8], ErrorKind> {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(secret) if key.family() == AlgorithmFamily::Hmac => Ok(secret),
        DecodingKeyKind::SecretOrDer(_) | DecodingKeyKind::RsaModulusExponent { .. } => {
            Err(ErrorKind::InvalidKeyFormat)
        }
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => {
            let mac = Hmac::new_from_slice(secret_of(key)?);
            Ok(Box::new(Hs256(mac.map_err(|_| ErrorKind::InvalidKeyFormat)?)))
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn set_up() {
    static ONCE: Once = Once::new();
    // Whoever came first provides at least as much.
    ONCE.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

/// Checks what sites sign. Remembers each token's `jti` until it would be refused for its age, so that none works twice,
/// not even after a restart.
pub struct Vouching {
    site: String,
    keys: Vec<SecretString>,
    /// One use at a time for each place on the shelf.
    turns: Vec<Mutex<()>>,
}

impl Vouching {
    pub fn new(site: &str, keys: &[SecretString]) -> Vouching {
        set_up();
        let turns = (0..PLACES).map(|_| Mutex::default()).collect();
        Vouching { site: site.to_owned(), keys: keys.to_vec(), turns }
    }

    /// The person of a token that was never used before; from now on it was, on disk.
    pub async fn once(
        &self,
        shelf: &Shelf,
        proof: Proof,
        now: Timestamp,
    ) -> Result<Option<Person>, ShelfError> {
        let digest = Sha256::digest(proof.jti.as_bytes());
        let place = usize::from(digest[0]);
        let (name, key) = (hex::encode(&digest[1..17]), format!("t:{place:02x}"));
        let _turn = self.turns[place % PLACES].lock().await;
        let mut used: BTreeMap<String, Timestamp> = read(shelf, &key).await?.unwrap_or_default();
        used.retain(|_, until| *until > now);
        if used.insert(name, proof.until).is_some() {
            tracing::info!(site = self.site, why = "used before", "a visitor's token was refused");
            return Ok(None);
        }
        write(shelf, &key, &used).await?;
        Ok(Some(proof.person))
    }

    /// `None`: refused, whatever the reason; the reason goes to the log, without the token.
    pub fn token(&self, token: &str, now: Timestamp) -> Option<Proof> {
        let refused = |why: &str| {
            tracing::info!(site = self.site, why, "a visitor's token was refused");
            None::<Proof>
        };
        if token.len() > MAX_TOKEN {
            return refused("too long");
        }
        let Some(claims) = self.keys.iter().find_map(|key| self.read(token, key)) else {
            return refused("signature, algorithm, audience or issuer");
        };
        let seconds = |at: i64| Timestamp::from_seconds(at);
        let expires = seconds(claims.exp);
        if expires + LEEWAY <= now {
            return refused("expired");
        }
        if expires > now + LONGEST + LEEWAY {
            return refused("it would live longer than five minutes");
        }
        let early = |at: Option<i64>| at.is_some_and(|at| seconds(at) > now + LEEWAY);
        if early(claims.iat) || early(claims.nbf) {
            return refused("not valid yet");
        }
        if claims.sub.is_empty() || claims.sub.len() > 200 || claims.jti.len() < 8 || claims.jti.len() > 200 {
            return refused("sub or jti");
        }
        let person = Person { subject: claims.sub, name: claims.name, email: claims.email };
        Some(Proof { person, jti: claims.jti, until: expires + LEEWAY })
    }

    fn read(&self, token: &str, key: &SecretString) -> Option<Claims> {
        let mut wanted = Validation::new(Algorithm::HS256);
        wanted.set_audience(&[&self.site]);
        wanted.set_issuer(&[&self.site]);
        wanted.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // Time is an input here, and looked at above.
        wanted.validate_exp = false;
        let key = DecodingKey::from_secret(key.expose_secret().as_bytes());
        decode::<Claims>(token, &key, &wanted).ok().map(|data| data.claims)
    }

    /// Hexadecimal HMAC-SHA256 of the person's id. It never expires, so it is worth less than a token and as secret as a
    /// password.
    pub fn hash(&self, id: &str, hash: &str) -> bool {
        let Ok(given) = hex::decode(hash) else { return false };
        !id.is_empty()
            && id.len() <= 200
            && self.keys.iter().any(|key| {
                let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()) else {
                    return false;
                };
                mac.update(id.as_bytes());
                mac.finalize().into_bytes().ct_eq(&given).into()
            })
    }
}

/// Signs addresses of files, so that a link works for a while and for that file only (S69).
pub struct Links(Hmac<Sha256>);

impl Links {
    pub fn new(key: &[u8]) -> Option<Links> {
        Hmac::new_from_slice(key).ok().map(Links)
    }

    pub fn sign(&self, file: &str, until: i64) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{file}\n{until}").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    pub fn holds(&self, file: &str, until: i64, signature: &str, now: Timestamp) -> bool {
        let Ok(given) = hex::decode(signature) else { return false };
        let mut mac = self.0.clone();
        mac.update(format!("{file}\n{until}").as_bytes());
        Timestamp::from_seconds(until) > now && mac.verify_slice(&given).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::Broken;
    use serde_json::{Value, json};

    pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
    const NOW: i64 = 1_800_000_000;

    /// A signed token; by hand, because the program itself signs none.
    pub(crate) fn signed(header: &Value, claims: &Value, key: &str) -> String {
        let part = |value: &Value| base64(value.to_string().as_bytes());
        let message = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(message.as_bytes());
        format!("{message}.{}", base64(&mac.finalize().into_bytes()))
    }

    fn base64(bytes: &[u8]) -> String {
        const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut out = String::new();
        for chunk in bytes.chunks(3) {
            let n = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
            for at in 0..=chunk.len() {
                out.push(char::from(SIGNS[(n >> (18 - 6 * at)) as usize & 63]));
            }
        }
        out
    }

    fn claims() -> Value {
        json!({ "sub": "maria", "aud": "portal", "iss": "portal", "exp": NOW + 200, "iat": NOW, "jti": "one-of-many" })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[key] = value;
        claims
    }

    #[test]
    fn s21_tokens_that_are_not_good_are_refused() {
        let keys = [SecretString::from(KEY)];
        let now = Timestamp::from_seconds(NOW);
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        let vouching = Vouching::new("portal", &keys);
        let taken = |token: &str| vouching.token(token, now).map(|proof| proof.person);
        let good = signed(&header, &claims(), KEY);
        assert_eq!(taken(&good).map(|person| person.subject), Some("maria".into()));
        let bad = [
            ("another key", signed(&header, &claims(), "ffffffffffffffffffffffffffffffff")),
            ("no algorithm", signed(&json!({ "alg": "none" }), &claims(), KEY)),
            ("another algorithm", signed(&json!({ "alg": "HS512" }), &claims(), KEY)),
            ("a public key's", signed(&json!({ "alg": "RS256" }), &claims(), KEY)),
            ("another audience", signed(&header, &with("aud", json!("shop")), KEY)),
            ("no audience", signed(&header, &with("aud", Value::Null), KEY)),
            ("another issuer", signed(&header, &with("iss", json!("shop")), KEY)),
            ("expired", signed(&header, &with("exp", json!(NOW - 60)), KEY)),
            ("too long a life", signed(&header, &with("exp", json!(NOW + 3600)), KEY)),
            ("from the future", signed(&header, &with("iat", json!(NOW + 600)), KEY)),
            ("nobody", signed(&header, &with("sub", json!("")), KEY)),
            ("no jti", signed(&header, &with("jti", Value::Null), KEY)),
            ("cut", good[..good.len() - 1].to_owned()),
            ("unsigned", format!("{}.", good.rsplit_once('.').unwrap().0)),
            ("nonsense", "a.b.c".into()),
            ("nothing", String::new()),
        ];
        for (what, token) in bad {
            assert_eq!(taken(&token), None, "{what}");
        }
    }

    #[tokio::test]
    async fn a_token_works_once_also_after_a_restart_and_the_key_before_still_works() {
        let keys = [SecretString::from("ffffffffffffffffffffffffffffffff"), SecretString::from(KEY)];
        let (store, shelf) = Broken::shelf();
        let now = Timestamp::from_seconds(NOW);
        let token = |jti: &str| signed(&json!({ "alg": "HS256" }), &with("jti", json!(jti)), KEY);
        let use_it = async |vouching: &Vouching, jti: &str, now: Timestamp| {
            let proof = vouching.token(&token(jti), now).expect("good");
            vouching.once(&shelf, proof, now).await.map(|person| person.is_some())
        };
        let vouching = Vouching::new("portal", &keys);
        assert_eq!(use_it(&vouching, "one-of-many", now).await, Ok(true));
        assert_eq!(use_it(&vouching, "one-of-many", now).await, Ok(false));
        let again = Vouching::new("portal", &keys);
        assert_eq!(use_it(&again, "one-of-many", now).await, Ok(false), "the program was started anew");
        assert_eq!(use_it(&again, "another-of-many", now).await, Ok(true));
        // Not noted is not used: the page may try again when the store is there.
        store.fail(true);
        assert!(use_it(&again, "a-third-of-many", now).await.is_err());
        store.fail(false);
        assert_eq!(use_it(&again, "a-third-of-many", now).await, Ok(true));
        let (one, two) =
            tokio::join!(use_it(&again, "both-at-once", now), use_it(&again, "both-at-once", now));
        assert!(one.unwrap() != two.unwrap(), "one of two");
        for n in 0..2_000 {
            assert_eq!(use_it(&again, &format!("one-of-very-many-{n}"), now).await, Ok(true));
        }
        assert!(store.len() <= PLACES, "{} entries", store.len());
    }

    #[test]
    fn a_hash_vouches_for_one_id_by_a_key_of_the_site() {
        let keys = [SecretString::from("ffffffffffffffffffffffffffffffff"), SecretString::from(KEY)];
        let vouching = Vouching::new("portal", &keys);
        let of = |id: &str, key: &str| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
            mac.update(id.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        };
        let right = of("maria", KEY);
        assert!(vouching.hash("maria", &right) && vouching.hash("maria", &right.to_uppercase()));
        assert!(vouching.hash("maria", &of("maria", "ffffffffffffffffffffffffffffffff")), "either key");
        for (id, hash) in [
            ("bob", right.as_str()),
            ("maria", &of("maria", "00000000000000000000000000000000")),
            ("maria", &right[..62]),
            ("maria", ""),
            ("maria", "no number"),
            ("", &of("", KEY)),
            (&"m".repeat(201), &of(&"m".repeat(201), KEY)),
        ] {
            assert!(!vouching.hash(id, hash), "{id}: {hash}");
        }
        assert!(!Vouching::new("portal", &[]).hash("maria", &right), "without a key nobody vouches");
    }

    #[test]
    fn s69_links_are_for_one_file_and_a_while() {
        let links = Links::new(b"a key of this test").unwrap();
        let now = Timestamp::from_seconds(NOW);
        let signature = links.sign("aa", NOW + 60);
        assert!(links.holds("aa", NOW + 60, &signature, now));
        assert!(!links.holds("ab", NOW + 60, &signature, now), "of another file");
        assert!(!links.holds("aa", NOW + 6000, &signature, now), "made longer");
        assert!(!links.holds("aa", NOW + 60, &signature, Timestamp::from_seconds(NOW + 61)), "expired");
        assert!(!links.holds("aa", NOW + 60, "", now) && !links.holds("aa", NOW + 60, "zz", now));
    }
}
