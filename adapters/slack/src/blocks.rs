//! Messages as Slack shows them: text with its blocks, buttons, the mark of the assistant. Pure.
//!
//! Not here: when any of it is posted, and calls to Slack. Everything is cut to Slack's limits ([`limits`]) here.

mod actions;
mod card;
mod history;
mod home;
mod limits;
#[cfg(test)]
pub(crate) use limits::units;
mod modals;
mod parts;

#[cfg(test)]
mod judged;
#[cfg(test)]
mod tests;

use deskbridge_contract::{Content, Mention, Persona, SendError, Standing, StandingState};
use serde_json::Value;

pub(crate) use actions::{Pressed, pressed};
pub(crate) use card::{card, unfurl};
pub(crate) use history::{Page, history};
pub(crate) use home::{Duty, of_requester, of_technician};
pub(crate) use modals::{Anchor, Filled, Given, Modal, Unfilled, filled, modal};

use crate::markup::Flow;
use crate::split::{self, MAX_TEXT};
use parts::{context, line, words};

/// What `chat.postMessage`, `chat.update` and `chat.postEphemeral` take. `text` is what notifications and screen readers
/// have; people see the blocks. Neither needs `parse` or `link_names`, which must stay unset (S37).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// `mrkdwn`.
    pub text: String,
    pub blocks: Vec<Value>,
}

/// Whose words a message has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice<'a> {
    /// The bridge's own.
    Own,
    /// Somebody's, whom Slack names above it (`chat:write.customize`, see [`username`]).
    Named(&'a Persona),
}

impl Voice<'_> {
    fn is_assistant(self) -> bool {
        matches!(self, Voice::Named(Persona { assistant: true, .. }))
    }
}

/// The `username` of a message under a persona, at most 80 characters.
pub(crate) fn username(persona: &Persona) -> String {
    let name = line(&persona.name, 70);
    match (persona.assistant, name.is_empty()) {
        (true, _) => format!("{AI_SIGN} {}", if name.is_empty() { "Assistant" } else { &name }),
        (false, true) => "Someone".to_owned(),
        (false, false) => name,
    }
}

const AI_SIGN: &str = "✨";
const AI: &str = "✨ AI";

/// The messages that together say `content`, in order: its card alone, or its text in numbered parts, mentions before the
/// first and buttons under the last. Files are not in them. Empty when there is nothing to say.
///
/// # Errors
/// [`SendError::Rejected`] when a button cannot be shown; nothing else is refused, what is too long is split or cut.
pub(crate) fn messages(content: &Content, voice: Voice<'_>) -> Result<Vec<Message>, SendError> {
    if let Some(card) = &content.card {
        return Ok(vec![self::card(card, &content.actions, &content.mentions)?]);
    }
    let parts = split::split(Flow::read(&content.text), MAX_TEXT);
    let of = parts.len();
    let mut out = Vec::with_capacity(of.max(1));
    for (nth, part) in parts.iter().enumerate() {
        let mentions = if nth == 0 { content.mentions.as_slice() } else { &[] };
        let actions = if nth + 1 == of { content.actions.as_slice() } else { &[] };
        out.push(message(part, mentions, actions, voice)?);
    }
    if of == 0 && (!content.actions.is_empty() || !calls(&content.mentions).is_empty()) {
        out.push(message(&Flow::default(), &content.mentions, &content.actions, voice)?);
    }
    Ok(out)
}

/// The same in one message, cut where it is too long: for edits, and for what only one person sees. `None` when there is
/// nothing to say.
///
/// # Errors
/// As [`messages`].
pub(crate) fn single(content: &Content, voice: Voice<'_>) -> Result<Option<Message>, SendError> {
    if let Some(card) = &content.card {
        return self::card(card, &content.actions, &content.mentions).map(Some);
    }
    let flow = split::cut(Flow::read(&content.text), MAX_TEXT);
    if flow.is_empty() && content.actions.is_empty() && calls(&content.mentions).is_empty() {
        return Ok(None);
    }
    message(&flow, &content.mentions, &content.actions, voice).map(Some)
}

fn message(
    flow: &Flow,
    mentions: &[Mention],
    actions: &[deskbridge_contract::Action],
    voice: Voice<'_>,
) -> Result<Message, SendError> {
    let calls = calls(mentions);
    let called: String = calls.iter().map(|id| format!("<@{id}> ")).collect();
    let mut text = format!("{called}{}", flow.mrkdwn());
    if text.trim().is_empty() {
        let labels: Vec<&str> = actions.iter().map(|action| action.label.as_str()).collect();
        text = words(&labels.join(" · "), 500);
    }
    let mut blocks: Vec<Value> = flow.rich_text(&calls).into_iter().collect();
    if voice.is_assistant() {
        blocks.push(context(AI));
    }
    blocks.extend(actions::rows(actions)?);
    Ok(Message { text, blocks })
}

/// People of ours to be mentioned. Only what can be an id of Slack's: nothing else ever gets between the brackets.
fn calls(mentions: &[Mention]) -> Vec<&str> {
    let sound = |id: &&str| {
        id.len() <= 32
            && id.starts_with(['U', 'W'])
            && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    mentions
        .iter()
        .filter_map(|mention| mention.user.as_ref())
        .map(|user| user.as_str())
        .filter(sound)
        .take(20)
        .collect()
}

/// Two or three lines about a request, for its requester, in `mrkdwn`.
fn standing(matter: &Standing) -> String {
    let (sign, state) = match matter.state {
        StandingState::Assistant => (AI_SIGN, "With the assistant".to_owned()),
        StandingState::Waiting => match matter.position {
            Some(position) => ("🟡", format!("Waiting for a technician, place {position}")),
            None => ("🟡", "Waiting for a technician".to_owned()),
        },
        StandingState::Human => match &matter.technician {
            Some(name) => ("🔵", format!("{} is helping", line(name, 80))),
            None => ("🔵", "A technician is helping".to_owned()),
        },
        StandingState::Closed => ("⚪", "Closed".to_owned()),
    };
    // Only the reference is bold: signs around somebody's own words could pair with signs among them.
    let subject = line(&matter.subject, 160);
    let about = if subject.is_empty() { String::new() } else { format!(" · {}", words(&subject, 500)) };
    let mut second = vec![state];
    if let Some(ticket) = &matter.ticket {
        second.push(format!("🎫 {} ({})", line(&ticket.number, 60), line(&ticket.status, 30)));
    }
    if let Some(rating) = matter.rating {
        second.push(format!("rated {rating}/5"));
    }
    let reference = words(&line(&matter.reference, 40), 100);
    format!("{sign} *{reference}*{about}\n{}", words(&second.join(" · "), 900))
}
