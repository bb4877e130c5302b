//! What is known to go wrong with a widget site, looked at without a browser.
//!
//! Not here: the page that shows the widget; only its owner can look at that.

use deskbridge_contract::RoomId;
use deskbridge_contract::check::Check;

use crate::config::Config;

/// `desks`: rooms that are configured as desks here, though the widget has none.
pub fn examine(config: &Config, desks: &[RoomId]) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(match config.origins.len() {
        0 => Check::fail(
            "widget.origins",
            "no page may show it",
            "every page but one on this machine is refused",
            "add the pages' origins to `origins`",
        ),
        n => Check::pass("widget.origins", format!("{n} origins may show it")),
    });
    let plain = config
        .origins
        .iter()
        .filter(|o| o.starts_with("http://") && !o.contains("//localhost") && !o.contains("//127."));
    let plain = plain.count();
    if plain > 0 {
        checks.push(Check::warn(
            "widget.https",
            format!("{plain} origins are not https"),
            "what is written there can be read and changed on the way",
            "serve those pages by https",
        ));
    }
    checks.push(if config.identity_keys.is_empty() {
        Check::warn(
            "widget.identity",
            "everybody is unknown",
            "technicians cannot know who writes, and another device shows no earlier requests",
            "set identity_key and sign a token on the page (docs/widget-protocol.md)",
        )
    } else {
        Check::pass("widget.identity", "the site can vouch for its people")
    });
    if !desks.is_empty() {
        checks.push(Check::fail(
            "widget.desks",
            "a widget has no desk rooms",
            "conversations would be offered nowhere",
            "configure the desk at another channel",
        ));
    }
    checks
}
