//! Suits content to what a channel can carry: splits, degrades, cleans.
//!
//! Not here: any platform's dialect (the adapters), what is said.

mod clean;

pub(crate) use clean::is_invisible;

use deskbridge_contract::{Capabilities, Content};

pub fn fit(content: &Content, _caps: &Capabilities) -> Vec<Content> { vec![content.clone()] }
pub fn clean_name(name: &str) -> String { if name.is_empty() { "Someone".into() } else { name.to_owned() } }
pub fn cannot_impersonate(name: &str, _t: &[&str]) -> String { name.to_owned() }
