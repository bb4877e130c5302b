//! deskbridge: a chatbot integration bridge for IT service desks.
//!
//! Reading order: `ARCHITECTURE.md`, then `adapters/contract`, then `src/conversation`, then [`runtime`].

pub mod cli;
pub mod config;
pub mod app;
pub mod http;
pub mod kits;
pub mod runtime;
pub mod telemetry;
