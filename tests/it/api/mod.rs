//! The HTTP surface of a whole bridge: what comes in, who may see what, what is answered.
//!
//! Not here: single parts (their own tests), adapters' signatures (the adapters).

pub mod answers;
mod claims;
mod console;
mod erasure;
mod events;
mod health;
mod http2;
mod input;
mod office;
mod once;
mod schema;
mod secrecy;
mod sight;
mod sockets;
mod tokens;
mod words;
mod workplace;
