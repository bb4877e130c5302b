//! The reference adapter: a platform in memory that can play any other platform's capabilities.
//!
//! Not here: any product rule, any network (the demo page's router in [`demo`] apart), any clock of its own.
//!
//! A [`World`] is the platform: what people see and what people do. A [`SimAdapter`] is the bridge's connection to it.
//! The world outlives the adapter, so a test can crash and restart everything on the bridge's side.

mod adapter;
mod checks;
pub mod demo;
mod faults;
mod ids;
mod ledger;
mod people;
mod receive;
mod send;
mod style;
mod view;
mod world;

pub use adapter::SimAdapter;
pub use faults::{Fault, On};
pub use ids::BRIDGE;
pub use ledger::{Attempt, Event};
pub use people::{Pushed, SimError};
pub use receive::{RawFate, translate};
pub use style::Style;
pub use view::{
    Arrival, Author, Change, File, Live, Message, Reaction, Room, Snapshot, Thread, Title, ToastShown,
    Whisper,
};
pub use world::{Clock, World};
