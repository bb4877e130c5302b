//! The built program against fake platforms over real sockets.
//!
//! Not here: rules of conversations (scenarios), parts of the HTTP surface (`api`), the platform (tests/platforms).

mod albums;
mod beside;
pub mod bridge;
mod described;
mod erasure;
mod faults;
mod judge;
mod kill9;
mod life;
mod model;
mod refusals;
mod slack;
pub mod talk;
mod webhook;
mod widget;
