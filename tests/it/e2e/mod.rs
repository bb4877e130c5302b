//! The built program against fake platforms over real sockets.
//!
//! Not here: rules of conversations (scenarios), parts of the HTTP surface (`api`), the platform (tests/platforms).

mod albums;
mod beside;
pub mod bridge;
mod crowd;
mod described;
mod discord;
mod erasure;
mod faults;
mod joint;
mod judge;
mod kill9;
mod life;
mod matrix;
mod model;
mod parts;
mod refusals;
mod rows;
mod slack;
pub mod talk;
mod teams;
mod visitors;
mod webhook;
mod widget;
