//! What one sign-in carries to the provider and back, all of it derived from a secret that only the browser has.
//!
//! Not here: the secret's cookie, how long it is good, and that it is good once (the API and the store).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Each value is a hash of its own, so that none tells another, nor the secret.
pub(super) struct Attempt {
    pub state: String,
    pub nonce: String,
    /// RFC 7636 §4.1: 43 characters.
    pub verifier: String,
}

impl Attempt {
    pub(super) fn of(secret: &str) -> Attempt {
        let derived = |what: &str| encoded(&format!("oidc:{what}:{secret}"));
        Attempt { state: derived("state"), nonce: derived("nonce"), verifier: derived("verifier") }
    }

    /// RFC 7636 §4.2, S256.
    pub(super) fn challenge(&self) -> String {
        encoded(&self.verifier)
    }

    pub(super) fn is_state(&self, given: &str) -> bool {
        self.state.as_bytes().ct_eq(given.as_bytes()).into()
    }

    pub(super) fn is_nonce(&self, given: &str) -> bool {
        self.nonce.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}
