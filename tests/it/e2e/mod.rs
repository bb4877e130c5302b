//! The built program against a fake Telegram over real sockets.
//!
//! Not here: rules of conversations (scenarios), parts of the HTTP surface (`api`), the platform (tests/platforms).

mod albums;
mod beside;
pub mod bridge;
mod described;
mod faults;
mod judge;
mod kill9;
mod life;
mod model;
mod refusals;
pub mod talk;
mod webhook;
mod widget;
