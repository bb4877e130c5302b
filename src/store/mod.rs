//! What deskbridge remembers, and the one way to change it: jobs for the single writer.
//!
//! Not here: product rules (the core steps), sending (the runtime). Only this crate holds SQL (D38).
//!
//! Shape: [`writer::Writer`] drains its queue into one transaction of a [`backend::Backend`] (SQLite, PostgreSQL,
//! memory), steps the conversations, writes set-based, commits, then answers every waiter.

pub mod backend;
pub mod job;
pub mod read;
pub mod rows;

pub use backend::{Backend, Changes, Keys, Loaded};
pub use job::{
    Admin, Applied, Apply, Begin, Begun, Cause, Committed, Change, FactSource, Guard, Job, Mark, Refs, RemoteRef,
    StoreError, Target,
};
pub use read::Read;
