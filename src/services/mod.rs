//! Capabilities of the product behind traits: the assistant, knowledge, tickets, blobs, signing in elsewhere.
//!
//! Not here: when they are used (the core says so by effects), how results come back (the runtime applies events).

pub mod assistant;
pub mod blobs;
pub mod knowledge;
pub mod oidc;
pub mod tickets;
