//! A shelf in memory, for the tests of this crate.
//!
//! Not here: anything that runs in the program.

use std::sync::Arc;

use deskbridge_contract::suite::Recorder;
use deskbridge_contract::{Inbox, Shelf};

pub(crate) fn shelf() -> Shelf {
    let recorder = Arc::new(Recorder::default());
    Inbox::new("widget".into(), recorder.clone(), recorder).shelf()
}
