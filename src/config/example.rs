//! `config.example.toml`: our own part, with every adapter's section put in.
//!
//! Not here: the adapters' sections (each crate has its `example.toml`); what is asked before a configuration is written
//! (`cli/init.rs`).

use std::collections::BTreeMap;

use crate::kits::{KITS, Kit};

const OWN: &str = include_str!("example.toml");

/// Where the adapters' sections go.
const MARK: &str = "#: adapters\n\n";

/// What a line begins with that shows a default or an example.
pub const OFFER: &str = "#= ";

/// The whole example, as committed.
pub fn assemble() -> String {
    assemble_with(|kit| kit.example.trim().to_owned() + "\n")
}

/// The example with another section in place of each adapter's.
pub fn assemble_with(section: impl Fn(&Kit) -> String) -> String {
    // The first one's goes last: it ends with a desk room, of which our own part says more.
    let sections: Vec<String> = KITS.iter().rev().map(section).collect();
    OWN.replacen(MARK, &sections.join("\n"), 1)
}

/// What the example says of itself, and what a file says that `init` wrote.
const ABOUT: [(&str, &str); 2] = [
    (
        "# deskbridge: every key, with its default.",
        "# deskbridge's configuration, written by `deskbridge init`.",
    ),
    (
        "#     deskbridge config example > deskbridge.toml      then change what you need, and",
        "#     Change what you need, and",
    ),
];

/// What stands in a configuration to start from.
#[derive(Clone, Debug, Default)]
pub struct Start {
    pub public_url: Option<String>,
    /// The file of `store.key`.
    pub key_file: Option<String>,
    /// The chosen channels by their adapters' names, each with its keys, and their values as TOML.
    pub channels: BTreeMap<&'static str, Vec<(String, String)>>,
}

/// The example with the chosen channels in force and everything else on offer.
pub fn start(start: &Start) -> String {
    let text = assemble_with(|kit| match start.channels.get(kit.name) {
        Some(keys) => {
            let section = kit.example.trim().to_owned() + "\n";
            keys.iter().fold(section, |section, (key, value)| set(&section, kit.name, key, value))
        }
        None => offered(kit.example),
    });
    let text = match &start.public_url {
        Some(url) => set(&text, "", "public_url", &quoted(url)),
        None => text,
    };
    let text = match &start.key_file {
        Some(file) => set_in(&text, Some("[store]"), "key_file", &quoted(file)),
        None => text,
    };
    ABOUT.iter().fold(text, |text, (example, own)| text.replacen(example, own, 1))
}

/// As a TOML string.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// Every line that is in force becomes an offer.
fn offered(section: &str) -> String {
    let offer = |line: &str| match line {
        line if line.is_empty() || line.starts_with('#') => format!("{line}\n"),
        line => format!("{OFFER}{line}\n"),
    };
    section.trim().lines().map(offer).collect()
}

/// Puts a value where the key stands, in force or on offer; `desk.room` is `room` below the heading that ends in `.desk`. A
/// secret's `token_file` takes the place of `token`.
fn set(section: &str, channel: &str, key: &str, value: &str) -> String {
    let (table, last) = key.rsplit_once('.').map_or((None, key), |(table, last)| (Some(table), last));
    let heading = table.map(|table| format!("[channels.{channel}.{table}]"));
    set_in(section, heading.as_deref(), last, value)
}

/// Below the heading, where one is given.
fn set_in(section: &str, heading: Option<&str>, last: &str, value: &str) -> String {
    let stem = last.strip_suffix("_file").unwrap_or(last);
    let starts = format!("{stem} =");
    let mut inside = heading.is_none();
    let mut placed = false;
    let mut text = String::new();
    for line in section.lines() {
        let bare = line.strip_prefix(OFFER).unwrap_or(line);
        if heading == Some(bare) {
            inside = true;
            text.push_str(bare);
        } else if inside && !placed && bare.starts_with(&starts) {
            placed = true;
            text.push_str(&format!("{last} = {value}"));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// The example with every line in force that it offers.
pub fn in_full() -> String {
    assemble().lines().map(|line| format!("{}\n", line.strip_prefix(OFFER).unwrap_or(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_asks_for_has_its_place_and_its_words() {
        for kit in KITS {
            for ask in kit.asks {
                let changed = set(kit.example, kit.name, ask.key, "\"planted\"");
                assert!(changed.contains("= \"planted\""), "{} {}", kit.name, ask.key);
            }
        }
        let text = start(&Start { public_url: Some("https://a.example".into()), ..Start::default() });
        assert!(text.contains("\npublic_url = \"https://a.example\"\n"));
        let text = start(&Start { key_file: Some("secrets/store-key".into()), ..Start::default() });
        assert!(text.contains("\nkey_file = \"secrets/store-key\"\n"), "{text}");
        for (example, own) in ABOUT {
            assert!(!text.contains(example) && text.contains(own), "{own}");
        }
        // No channel was chosen, so none is in force.
        assert!(!text.lines().any(|line| line.starts_with("[channels")), "{text}");
    }
}
