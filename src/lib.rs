//! deskbridge: a chatbot integration bridge for IT service desks.
//!
//! Reading order: `ARCHITECTURE.md`, then `adapters/contract`, then `src/conversation`, then [`runtime`].

pub mod app;
pub mod bench;
pub mod cli;
pub mod config;
pub mod demo;
pub mod http;
pub mod kits;
pub mod runtime;
pub mod seal;
pub mod telemetry;
