//! The whole conversation behind a card, and everything that the card cut, page by page in a modal.
//!
//! Not here: reading it (the host), opening and turning pages (`receive/acts.rs`).

use deskbridge_contract::Card;
use serde_json::{Value, json};

use super::limits::{BUTTON_VALUE, VIEW_TITLE};
use super::modals::Anchor;
use super::parts::{context, line, plain, section};
use crate::markup::{BOLD, Flow, Piece, Run};
use crate::split;

/// What a button that shows a page is called, behind what opens modals.
pub(super) const NAME: &str = "history";
/// Units of one block: Slack names no limit for rich text, and this is what a section takes.
const BLOCK: usize = 2_900;
/// Blocks of text on one page; with the buttons far from the 100 of a view.
const BLOCKS: usize = 4;

/// A page of a conversation's history, as a button asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// `#1042`
    pub reference: String,
    /// From 0.
    pub number: usize,
}

impl Page {
    pub(super) fn read(value: &str) -> Option<Page> {
        let (number, reference) = value.split_once(' ')?;
        Some(Page { number: number.parse().ok()?, reference: reference.to_owned() })
    }

    /// A button that shows it; `id` tells it from others of the same message or view. `None` where it would not fit.
    pub(super) fn button(&self, id: &str, label: &str) -> Option<Value> {
        let value = format!("{} {}", self.number, self.reference);
        (value.len() <= BUTTON_VALUE && !self.reference.is_empty())
            .then(|| json!({ "type": "button", "action_id": id, "text": plain(label, 75), "value": value }))
    }
}

/// The view of one page; behind the last one there is only the last one. `said`: one text a message, CommonMark.
pub(crate) fn history(anchor: &Anchor, card: &Card, said: &[String], page: &Page) -> Value {
    let parts = split::pack(whole(card, said), BLOCK);
    let pages: Vec<&[Flow]> = parts.chunks(BLOCKS).collect();
    let number = page.number.min(pages.len().saturating_sub(1));
    let shown = pages.get(number).copied().unwrap_or_default();
    let mut blocks: Vec<Value> = shown.iter().filter_map(|part| part.rich_text(&[])).collect();
    if blocks.is_empty() {
        blocks.push(section("Nothing to show."));
    }
    if pages.len() > 1 {
        blocks.push(context(&format!("Page {} of {}", number + 1, pages.len())));
        let to = |number: usize, id: &str, label: &str| {
            Page { number, reference: page.reference.clone() }
                .button(&super::actions::opening(NAME, id), label)
        };
        let before = number.checked_sub(1).and_then(|before| to(before, "before", "← Earlier"));
        let after = (number + 1 < pages.len()).then(|| to(number + 1, "after", "Later →")).flatten();
        let turns: Vec<Value> = before.into_iter().chain(after).collect();
        if !turns.is_empty() {
            blocks.push(json!({ "type": "actions", "elements": turns }));
        }
    }
    json!({
        "type": "modal", "callback_id": NAME, "private_metadata": anchor.packed(),
        "title": plain(&line(&format!("Conversation {}", page.reference), VIEW_TITLE), VIEW_TITLE),
        "close": plain("Close", VIEW_TITLE), "blocks": blocks,
    })
}

/// The card's words without anything left out, then what was said. Each message is read by itself: what one of them
/// leaves open, code or a quote, ends with it.
fn whole(card: &Card, said: &[String]) -> Flow {
    let bold = |text: &str| Run::looking(text, BOLD);
    let mut runs = vec![bold(&card.title), Run::plain(format!("\n{}\n", card.status)), bold(&card.requester)];
    for fact in &card.facts {
        runs.push(Run::plain(format!("\n{}: {}", fact.label, fact.value)));
    }
    runs.retain(|run| !run.text.is_empty());
    let mut flow = Flow(vec![Piece::Text { quote: false, runs }]);
    flow.0.extend(Flow::read(&card.summary).0);
    if !said.is_empty() {
        flow.0.push(Piece::Text { quote: false, runs: vec![bold("What was said")] });
    }
    for text in said {
        flow.0.extend(Flow::read(text).0);
    }
    flow
}
