//! Fake platforms on 127.0.0.1, each with a ledger of what it was asked and a plan of faults; written from the
//! vendors' contracts only. No adapter code is used or imitated here: a test that passes against a fake which
//! copies the adapter proves nothing.

pub mod discord;
mod encoding;
mod faults;
pub mod http;
pub mod oidc;
pub mod openai;
mod shared;
pub mod slack;
pub mod teams;
pub mod telegram;

pub use http::Outage;
