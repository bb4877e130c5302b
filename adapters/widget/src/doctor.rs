//! What is known to go wrong with a widget site, looked at without a browser.
//!
//! Not here: the page that shows the widget; only its owner can look at that.

use deskbridge_contract::RoomId;

use crate::config::Config;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub id: &'static str,
    pub outcome: Outcome,
    pub detail: String,
    pub why: String,
    pub fix: String,
}

fn check(id: &'static str, outcome: Outcome, detail: String, why: &str, fix: &str) -> Check {
    Check { id, outcome, detail, why: why.into(), fix: fix.into() }
}

/// `desks`: rooms that are configured as desks here, though the widget has none.
pub fn examine(config: &Config, desks: &[RoomId]) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(match config.origins.len() {
        0 => check(
            "widget.origins",
            Outcome::Fail,
            "no page may show it".into(),
            "every page but one on this machine is refused",
            "add the pages' origins to `origins`",
        ),
        n => check("widget.origins", Outcome::Pass, format!("{n} origins may show it"), "", ""),
    });
    let plain = config
        .origins
        .iter()
        .filter(|o| o.starts_with("http://") && !o.contains("//localhost") && !o.contains("//127."));
    let plain = plain.count();
    if plain > 0 {
        checks.push(check(
            "widget.https",
            Outcome::Warn,
            format!("{plain} origins are not https"),
            "what is written there can be read and changed on the way",
            "serve those pages by https",
        ));
    }
    checks.push(if config.identity_keys.is_empty() {
        check(
            "widget.identity",
            Outcome::Warn,
            "everybody is unknown".into(),
            "technicians cannot know who writes, and another device shows no earlier requests",
            "set identity_key and sign a token on the page (docs/widget-protocol.md)",
        )
    } else {
        check("widget.identity", Outcome::Pass, "the site can vouch for its people".into(), "", "")
    });
    if !desks.is_empty() {
        checks.push(check(
            "widget.desks",
            Outcome::Fail,
            "a widget has no desk rooms".into(),
            "conversations would be offered nowhere",
            "configure the desk at another channel",
        ));
    }
    checks
}
