//! `config.example.toml`: our own part, with every adapter's section put in.
//!
//! Not here: the adapters' sections (each crate has its `example.toml`).

use crate::kits::{KITS, Kit};

const OWN: &str = include_str!("example.toml");

/// Where the adapters' sections go.
const MARK: &str = "#: adapters\n\n";

/// What a line begins with that shows a default or an example.
pub const OFFER: &str = "#= ";

/// The whole example, as committed.
pub fn assemble() -> String {
    // The first one's goes last: it ends with a desk room, of which our own part says more.
    let sections: Vec<String> =
        KITS.iter().rev().map(|kit: &Kit| kit.example.trim().to_owned() + "\n").collect();
    OWN.replacen(MARK, &sections.join("\n"), 1)
}

/// The example with every line in force that it offers.
pub fn in_full() -> String {
    assemble().lines().map(|line| format!("{}\n", line.strip_prefix(OFFER).unwrap_or(line))).collect()
}
