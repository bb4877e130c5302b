//! Suits content to what a channel can carry: splits, degrades, cleans.
//!
//! Not here: any platform's dialect (the adapters), what is said.

mod clean;

pub(crate) use clean::is_invisible;
