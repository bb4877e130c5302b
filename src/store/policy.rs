//! The policy in force, swapped as a whole when the configuration is loaded again, and its hash for the log.
//!
//! Not here: where the numbers come from (the configuration), what they mean (the core).

use std::sync::{Arc, PoisonError, RwLock};

use deskbridge_conversation::Policy;
use sha2::{Digest, Sha256};

/// A policy and the name under which the log knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    pub policy: Policy,
    /// The first 16 hexadecimal digits of the SHA-256 of the policy's JSON.
    pub hash: String,
}

impl Stamped {
    pub fn new(policy: Policy) -> Self {
        // Its maps are ordered, so equal policies have equal JSON; a policy that had none would still be told apart.
        let json = serde_json::to_vec(&policy).unwrap_or_default();
        let hash = hex::encode(&Sha256::digest(json)[..8]);
        Stamped { policy, hash }
    }
}

/// Shared by everybody who steps or asks about timers; a batch sees one policy from its beginning to its end.
#[derive(Clone, Debug)]
pub struct PolicyHandle(Arc<RwLock<Arc<Stamped>>>);

impl PolicyHandle {
    pub fn new(policy: Policy) -> Self {
        PolicyHandle(Arc::new(RwLock::new(Arc::new(Stamped::new(policy)))))
    }

    pub fn current(&self) -> Arc<Stamped> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes effect with the next batch.
    pub fn replace(&self, policy: Policy) {
        let stamped = Arc::new(Stamped::new(policy));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = stamped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_policies_have_one_name() {
        let handle = PolicyHandle::new(Policy::default());
        let before = handle.current();
        handle.replace(Policy::default());
        assert_eq!(handle.current(), before);
        let mut other = Policy::default();
        other.assistant.max_turns += 1;
        handle.clone().replace(other);
        assert_ne!(handle.current().hash, before.hash);
        assert_eq!(before.hash.len(), 16);
    }
}
