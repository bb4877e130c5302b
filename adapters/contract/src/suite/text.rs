//! Clause C13: relayed text is data.
//!
//! Not here: what text looks like on a platform; the subject reads it there as a person would.

use super::run::{Findings, Run};
use crate::address::Address;
use crate::content::Content;
use crate::inbound::InboundEvent;

/// What people may type, one line each: it must arrive letter by letter, and do nothing.
const TYPED: [&str; 14] = [
    "@everyone @here @channel please",
    "@ana ping <@U1> <@!1> <!channel> <!here> <!subteam^S1>",
    "*not bold* _not italic_ ~not struck~ `not code`",
    "**not** __not__ ~~not~~ ||not||",
    "# not a heading",
    "> not a quote",
    "- not a list",
    "1. not a list",
    "[not a link](https://example.org/x) ![nor an image](https://example.org/y.png)",
    "<b>not html</b> &amp; <script>alert(1)</script> <at>Ana</at>",
    "```not a fence",
    "a\\*b \\\\ c:\\users\\maria_costa snake_case_word 2*3*4",
    "!resolve /resolve /close now",
    "🙂 e\u{301} שלום \u{1F468}\u{200d}\u{1F469}\u{200d}\u{1F467}",
];

/// What comes as CommonMark from another channel: whatever of it shows, it pings nobody and leads nowhere odd.
const RELAYED: [&str; 5] = [
    "@everyone and **@here** and <@U1> and `@channel`",
    "[click](javascript:alert(1)) [data](data:text/html,x) [ok](https://example.org/ok)",
    "[@ana](tg://user?id=1) <mailto:a@example.org>",
    "```\n<!channel> @everyone\n``` <!here>",
    "| a | b |\n|---|---|\n| @everyone | <!channel> |",
];

/// C13.
pub(super) async fn relayed_text_is_harmless(run: &mut Run<'_>, found: &mut Findings) {
    let home = run.subject.home();
    let own = run.subject.hostile();
    for text in TYPED.iter().map(|t| (*t).to_owned()).chain(own.iter().cloned()) {
        there_and_back(run, &home, &text, found).await;
    }
    for text in RELAYED.iter().map(|t| (*t).to_owned()).chain(own) {
        let Some((sent, message)) = run.must_post(&home, Content::text(text.clone()), found).await else {
            continue;
        };
        let Some(shown) = run.shown(&sent.address, &message).await else {
            found.fault(format!("not shown: {text}"));
            continue;
        };
        found.check(shown.pings.is_empty(), || format!("pings {:?}: {text}", shown.pings));
        let odd: Vec<&String> = shown.links.iter().filter(|l| !is_plain_link(l)).collect();
        found.check(odd.is_empty(), || format!("leads to {odd:?}: {text}"));
    }
}

/// A person types it, it comes in as CommonMark, it goes out again: the letters are the same.
async fn there_and_back(run: &mut Run<'_>, home: &Address, typed: &str, found: &mut Findings) {
    let Some((_, inbound, _)) = run.say(home, typed, found).await else { return };
    let InboundEvent::Posted { content, .. } = inbound.event else { return };
    let Some((sent, message)) = run.must_post(home, Content::text(content.text), found).await else { return };
    let Some(shown) = run.shown(&sent.address, &message).await else {
        found.fault(format!("not shown: {typed}"));
        return;
    };
    found.check(shown.text.trim() == typed, || format!("typed {typed:?}, relayed {:?}", shown.text));
    found.check(shown.pings.is_empty(), || format!("pings {:?}: {typed}", shown.pings));
}

fn is_plain_link(link: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme))
}
