//! Placeholder.

pub mod knowledge;
