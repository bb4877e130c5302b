//! Tombstones: that somebody was erased is remembered by a salted hash, and who it was is not (S111).
//!
//! Not here: what a tombstone keeps out (`batch`), the salt (a row that the migration made).

use deskbridge_conversation::RequesterId;
use sha2::{Digest, Sha256};

/// How the keys of tombstones begin among the causes: those are looked up with every event in any case.
pub const PREFIX: &str = "er:";

/// The cause that stands for "everything that this requester did".
pub(crate) fn key(salt: &str, requester: &RequesterId) -> String {
    let mut hash = Sha256::new();
    for part in [salt, requester.as_str()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    format!("{PREFIX}{}", hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_needs_its_salt() {
        let maria = RequesterId("slack:U1".into());
        assert_eq!(key("a", &maria), key("a", &maria));
        assert_ne!(key("a", &maria), key("b", &maria));
        assert_ne!(key("a", &maria), key("a", &RequesterId("slack:U2".into())));
        assert!(!key("a", &maria).contains("U1"));
    }
}
