//! What deskbridge remembers, and the one way to change it: jobs for the single writer.
//!
//! Not here: product rules (the core steps), sending (the runtime). Only this crate holds SQL (D38).
//!
//! Shape: [`writer::Writer`] drains its queue into one transaction of a [`backend::Backend`] (SQLite, PostgreSQL,
//! memory), steps the conversations, writes set-based, commits, then answers every waiter.

pub mod audit;
pub mod backend;
mod batch;
pub mod export;
pub mod job;
pub mod memory;
pub mod migrate;
pub mod open;
pub mod policy;
mod postgres;
mod quarantine;
pub mod read;
pub mod rows;
pub mod search;
mod sql;
mod sqlite;
#[cfg(test)]
mod suite;
pub mod tickets;
mod tombstone;
pub mod writer;
pub mod yardstick;

pub use backend::{Backend, Changes, Keys, Loaded};
pub use batch::{album, set_session};
pub use export::Export;
pub use job::{
    Admin, AdminDone, Advance, Applied, Apply, Begin, Begun, Cause, Change, Committed, FactSource, Forgotten,
    Guard, Job, Mark, Refs, RemoteRef, StoreError, Target,
};
pub use memory::{Memory, MemoryBackend};
pub use open::{Kind, OpenOptions, Opened, open};
pub use policy::{PolicyHandle, Stamped};
pub use read::Read;
pub use writer::Writer;
