//! The card of a conversation in a desk channel, and what a link to one shows.
//!
//! Not here: when it is posted or edited.

use deskbridge_contract::{Action, Card, CardState, Mention, SendError};
use serde_json::{Value, json};

use super::history::{self, Page};
use super::modals::Modal;
use super::parts::{context, line, section, words};
use super::{Message, actions, calls};
use crate::markup::{BOLD, Flow, Piece, Run};
use crate::split;

/// The summary's share of a card; with everything else a card stays far below what Slack takes in all.
const SUMMARY: usize = 2500;
const MOST_FACTS: usize = 12;

/// What may be asked for by a modal in a state; the core refuses the others there.
fn opens(state: CardState) -> &'static [Modal] {
    match state {
        CardState::Assisting | CardState::Waiting | CardState::Offered => &[Modal::Transfer, Modal::Note],
        CardState::Assigned | CardState::Snoozed => {
            &[Modal::Transfer, Modal::Invite, Modal::Snooze, Modal::Note]
        }
        CardState::Resolved | CardState::Closed => &[Modal::Note],
    }
}

/// The card as a message. Whatever is too long is cut: the summary first has its own share, then each line.
pub(crate) fn card(card: &Card, actions: &[Action], mentions: &[Mention]) -> Result<Message, SendError> {
    let calls = calls(mentions);
    let mut blocks: Vec<Value> = head(card).rich_text(&calls).into_iter().collect();
    let summary = split::cut(Flow::read(&card.summary), SUMMARY);
    blocks.extend(summary.rich_text(&[]));
    let first = Page { reference: line(&card.reference, 40), number: 0 };
    let more = first.button(&actions::opening(history::NAME, ""), "Show more");
    blocks.extend(actions::of_card(actions, opens(card.state), more)?);
    if !card.hint.trim().is_empty() {
        blocks.push(context(&card.hint));
    }
    let called: String = calls.iter().map(|id| format!("<@{id}> ")).collect();
    let text = format!(
        "{called}{} {} · {} · {}",
        card.state.sign(),
        words(&title(card), 400),
        words(&card.status, 400),
        words(&card.requester, 200)
    );
    Ok(Message { text, blocks })
}

/// `#1042 · VPN says "691"`
fn title(card: &Card) -> String {
    let (reference, title) = (line(&card.reference, 40), line(&card.title, 200));
    if title.is_empty() { reference } else { format!("{reference} · {title}") }
}

fn head(card: &Card) -> Flow {
    let bold = |text: String| Run::looking(text, BOLD);
    let mut runs = vec![Run::plain(format!("{} ", card.state.sign())), bold(title(card))];
    runs.push(Run::plain(format!("\n{}\n", line(&card.status, 300))));
    let requester = line(&card.requester, 100);
    let mut first = requester.is_empty();
    runs.push(bold(requester));
    for fact in card.facts.iter().take(MOST_FACTS) {
        let border = if first { "" } else { " · " };
        runs.push(Run::plain(format!("{border}{}: {}", line(&fact.label, 40), line(&fact.value, 160))));
        first = false;
    }
    if card.facts.len() > MOST_FACTS {
        runs.push(Run::plain(" · …"));
    }
    runs.retain(|run| !run.text.is_empty());
    Flow(vec![Piece::Text { quote: false, runs }])
}

/// What a link to a conversation shows to technicians, for `chat.unfurl`, which takes no rich text (java-slack-sdk#948).
pub(crate) fn unfurl(card: &Card) -> Value {
    let facts: Vec<String> = card
        .facts
        .iter()
        .take(6)
        .map(|fact| format!("{}: {}", line(&fact.label, 40), line(&fact.value, 80)))
        .collect();
    let about = [&[line(&card.requester, 100)], facts.as_slice()].concat();
    let about: Vec<&str> = about.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let text = format!(
        "{} {}\n{}\n{}",
        card.state.sign(),
        words(&title(card), 600),
        words(&card.status, 600),
        words(&about.join(" · "), 1500)
    );
    json!({ "blocks": [section(text.trim_end())] })
}
