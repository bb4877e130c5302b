//! Secrets that have to be readable again, kept in the database under a key that the database does not have.
//!
//! Not here: what is sealed (`http/factor.rs`), where the configuration keeps secrets of its own.
//!
//! The key is the configuration's `store.key`, or a file beside the database that is made at the first start. Whether it is
//! the right one shows at every start, by a text that was sealed with it: with another nobody could sign in any more who has
//! a second factor, and nobody would know why.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use deskbridge_contract::Timestamp;
use deskbridge_store::rows::KeptRow;
use deskbridge_store::{Admin, AdminDone, Read, StoreError, Writer};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Config, Database};

/// How sealed texts of this kind begin.
const VERSION: &str = "v1.";
const CHECK: &str = "check";
/// Of the file that is made where none is configured.
const FILE: &str = "deskbridge.key";

/// Where the key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// By the configuration.
    Given(SecretString),
    /// A file of the program's own, made when there is nothing sealed yet.
    File(PathBuf),
}

impl KeySource {
    /// Beside the database; with a database server, beside the blobs.
    pub fn of(config: &Config) -> KeySource {
        if let Some(key) = &config.store.key {
            return KeySource::Given(key.clone());
        }
        KeySource::File(match &config.store.url {
            Database::Sqlite(path) => path.with_extension("key"),
            Database::Postgres(_) => config.store.blobs.parent().unwrap_or(Path::new("")).join(FILE),
        })
    }

    fn shown(&self) -> String {
        match self {
            KeySource::Given(_) => "store.key".to_owned(),
            KeySource::File(path) => path.display().to_string(),
        }
    }

    /// `None`: there is no such file.
    fn read(&self) -> Result<Option<SecretString>, KeyError> {
        match self {
            KeySource::Given(key) => Ok(Some(key.clone())),
            KeySource::File(path) => match fs::read_to_string(path) {
                Ok(text) if text.trim().is_empty() => Err(unusable(path, "it is empty")),
                Ok(text) => Ok(Some(SecretString::from(text.trim().to_owned()))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(unusable(path, error)),
            },
        }
    }

    fn make(&self) -> Result<SecretString, KeyError> {
        let KeySource::File(path) = self else { return Err(KeyError::Random) };
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
        let key = hex::encode(bytes);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Whole or not at all, and for nobody else from its first byte on.
        let write = || {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(format!("{key}\n").as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(path).map_err(|error| error.error)
        };
        match write() {
            Ok(_) => Ok(SecretString::from(key)),
            // Another start on the same folder was faster: its key is the key.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.read()?.ok_or_else(|| unusable(path, error))
            }
            Err(error) => Err(unusable(path, error)),
        }
    }
}

fn unusable(path: &Path, why: impl std::fmt::Display) -> KeyError {
    KeyError::Unusable(format!("{}: {why}", path.display()))
}

/// Why the program does not start, each with what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "the key in {0} is not the one that this database's secrets are sealed with; put the right one back, or, if it is \
         lost for good, give up all second factors: deskbridge user forget-factors"
    )]
    Wrong(String),
    #[error(
        "the key that this database's secrets are sealed with is missing ({0}); copy it from where it was, or set \
         store.key_file; if it is lost for good, give up all second factors: deskbridge user forget-factors"
    )]
    Missing(String),
    #[error("the key for secrets in the database cannot be used: {0}")]
    Unusable(String),
    #[error("no random number can be had")]
    Random,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A text that was not sealed here, or not for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret in the database cannot be read with this key")]
pub struct Unsealable;

/// Seals and opens. Shows nothing of the key.
pub struct Seal {
    key: LessSafeKey,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

impl Seal {
    /// The configured key, once it is known to be the right one.
    pub async fn open(source: &KeySource, read: &dyn Read, writer: &Writer) -> Result<Seal, KeyError> {
        let stored = read.kept_one(KeptRow::SEAL, "", CHECK).await?.and_then(|row| row.value);
        match (source.read()?, stored) {
            (Some(key), Some(stored)) => Seal::of(&key)?.checked(source, &stored),
            (Some(key), None) => Seal::of(&key)?.first(source, read, writer).await,
            (None, Some(_)) => Err(KeyError::Missing(source.shown())),
            (None, None) => {
                let seal = Seal::of(&source.make()?)?;
                tracing::info!(
                    file = source.shown(),
                    "a key for secrets in the database was made; keep it apart from backups"
                );
                let first = seal.first(source, read, writer).await;
                if let (Err(KeyError::Wrong(_)), KeySource::File(path)) = (&first, source) {
                    // Another node was faster, with a key that this one does not have.
                    let _ = fs::remove_file(path);
                    return Err(KeyError::Missing(source.shown()));
                }
                first
            }
        }
    }

    /// From any text; it should be 256 random bits in hexadecimal, as `init` makes them.
    pub fn of(key: &SecretString) -> Result<Seal, KeyError> {
        let salt = Salt::new(HKDF_SHA256, b"deskbridge");
        let prk = salt.extract(key.expose_secret().as_bytes());
        let okm = prk.expand(&[b"secrets at rest"], &CHACHA20_POLY1305).map_err(|_| KeyError::Random)?;
        Ok(Seal { key: LessSafeKey::new(UnboundKey::from(okm)) })
    }

    /// Nothing was sealed with any key so far.
    async fn first(self, source: &KeySource, read: &dyn Read, writer: &Writer) -> Result<Seal, KeyError> {
        let sealed = self.seal(CHECK, CHECK.as_bytes()).map_err(|_| KeyError::Random)?;
        let row = KeptRow {
            kind: KeptRow::SEAL.into(),
            owner: String::new(),
            key: CHECK.into(),
            value: Some(serde_json::Value::String(sealed).to_string()),
            updated: Timestamp(0),
        };
        if writer.admin(Admin::Swap { before: None, row }).await? == AdminDone::Done {
            return Ok(self);
        }
        let stored = read.kept_one(KeptRow::SEAL, "", CHECK).await?.and_then(|row| row.value);
        self.checked(source, &stored.unwrap_or_default())
    }

    fn checked(self, source: &KeySource, stored: &str) -> Result<Seal, KeyError> {
        let sealed: String = serde_json::from_str(stored).unwrap_or_default();
        match self.unseal(CHECK, &sealed) {
            Ok(_) => Ok(self),
            Err(Unsealable) => Err(KeyError::Wrong(source.shown())),
        }
    }

    /// The next start begins with whatever key there is.
    pub async fn forget(writer: &Writer) -> Result<(), StoreError> {
        let (kind, key) = (KeptRow::SEAL.to_owned(), CHECK.to_owned());
        let row = KeptRow { kind, owner: String::new(), key, value: None, updated: Timestamp(0) };
        writer.admin(Admin::Keep(row)).await.map(drop)
    }

    /// `what` it is, and whose: it opens as nothing else.
    pub fn seal(&self, what: &str, plain: &[u8]) -> Result<String, Unsealable> {
        // Random ones do not meet within any number of secrets that a database like this holds.
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| Unsealable)?;
        let mut text = plain.to_vec();
        let whole = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(whole, Aad::from(what.as_bytes()), &mut text)
            .map_err(|_| Unsealable)?;
        Ok(format!("{VERSION}{}", STANDARD_NO_PAD.encode([&nonce[..], &text].concat())))
    }

    pub fn unseal(&self, what: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let text = sealed.strip_prefix(VERSION).ok_or(Unsealable)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| Unsealable)?;
        let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(Unsealable)?;
        let (nonce, mut text) = (Nonce::assume_unique_for_key(*nonce), text.to_vec());
        let plain =
            self.key.open_in_place(nonce, Aad::from(what.as_bytes()), &mut text).map_err(|_| Unsealable)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: &str) -> Seal {
        Seal::of(&SecretString::from(key.to_owned())).expect("a key")
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_as_what_it_is_and_nothing_else() {
        let (ours, other) = (seal("a"), seal("b"));
        let sealed = ours.seal("factor of ana", b"secret").unwrap();
        assert!(!sealed.contains("secret") && sealed != ours.seal("factor of ana", b"secret").unwrap());
        assert_eq!(ours.unseal("factor of ana", &sealed).unwrap(), b"secret");
        assert_eq!(ours.unseal("factor of bob", &sealed), Err(Unsealable));
        assert_eq!(other.unseal("factor of ana", &sealed), Err(Unsealable));
        assert_eq!(format!("{ours:?}"), "Seal { .. }");
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let ours = seal("a");
        let sealed = ours.seal("x", b"secret").unwrap();
        for odd in ["", "v1.", "v1.AAAA", "v2.AAAA", "v1.%", "secret", &sealed[..sealed.len() - 2]] {
            assert_eq!(ours.unseal("x", odd), Err(Unsealable), "{odd}");
        }
        let bytes = STANDARD_NO_PAD.decode(&sealed[VERSION.len()..]).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            let text = format!("{VERSION}{}", STANDARD_NO_PAD.encode(other));
            assert_eq!(ours.unseal("x", &text), Err(Unsealable), "byte {at}");
        }
    }

    #[test]
    fn a_key_file_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let source = KeySource::File(folder.path().join("data").join("a.key"));
        assert!(source.read().unwrap().is_none());
        let made = source.make().unwrap();
        assert_eq!(made.expose_secret().len(), 64);
        // Two starts at once: the slower one takes what is there.
        assert_eq!(source.make().unwrap().expose_secret(), made.expose_secret(), "it is not written over");
        assert_eq!(source.read().unwrap().unwrap().expose_secret(), made.expose_secret());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.path().join("data").join("a.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }
}
