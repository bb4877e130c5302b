//! Doing what a button, a command or a form asks for: pushing it, opening a form, finding the place where it belongs.
//!
//! Not here: reading it (`translate/interactions.rs`), how forms and pages look (`blocks`), App Home (`home.rs`).

use std::sync::Arc;

use deskbridge_contract::{
    Address, Content, Inbound, InboundEvent, Inbox, Interaction, PushError, RemoteEventId, RemoteMessageId,
    RemoteUserId, SendError, Toast,
};
use serde_json::{Value, json};

use super::{Answer, push};
use crate::ids::{self, Handle};
use crate::translate::interactions::{Act, Direct, How, Note, Show};
use crate::translate::text;
use crate::{Slack, blocks, markup};

/// Said where a command was used; the answer itself comes elsewhere.
const ELSEWHERE: &str = "Thank you. The answer comes in our direct messages.";
const NO_DIRECT: &str = "Slack did not let me write to you. Please send me a direct message instead.";
const NO_FORM: &str = "The form could not be opened. Please press again, or write the verb into the thread.";
const NO_HISTORY: &str = "Only technicians of this desk can read it, while the conversation is there.";
const NO_NOTE: &str = "Slack did not take the note. Please send it again.";

pub(super) async fn perform(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    payload: &Value,
    act: Act,
) -> Result<Answer, PushError> {
    match act {
        Act::Push(inbound) => pushed(slack, inbox, *inbound).await,
        Act::Direct(direct) => personal(slack, inbox, payload, *direct).await,
        Act::Open { trigger_id, view } => {
            open(slack, payload, trigger_id, view);
            Ok(Answer::Empty)
        }
        Act::Show(show) => {
            self::show(slack, inbox, payload, *show);
            Ok(Answer::Empty)
        }
        Act::Note { note, then } => {
            let answer = noted(slack, inbox, payload, *note).await?;
            match then.filter(|_| answer == Answer::Empty) {
                Some(then) => pushed(slack, inbox, *then).await,
                None => Ok(answer),
            }
        }
        Act::Unfilled(errors) => Ok(Answer::Json(errors)),
        Act::Tell(words) => Ok(told(slack, payload, words)),
        Act::Nothing => Ok(Answer::Empty),
    }
}

async fn pushed(slack: &Arc<Slack>, inbox: &Inbox, inbound: Inbound) -> Result<Answer, PushError> {
    let interaction = inbound.interaction.clone();
    let receipt = push(slack, inbox, inbound).await?;
    if let (Some(interaction), Some(toast)) = (interaction, receipt.toast) {
        say(slack, interaction, toast.text);
    }
    Ok(Answer::Empty)
}

/// Somebody's own matter goes into the direct messages with them, wherever it was asked.
async fn personal(
    slack: &Arc<Slack>,
    inbox: &Inbox,
    payload: &Value,
    direct: Direct,
) -> Result<Answer, PushError> {
    let user = direct.from.id.clone();
    let address = match slack.sending.open_direct(&user).await {
        Ok(address) => address,
        Err(SendError::Retry { .. } | SendError::Ambiguous { .. }) => return Err(PushError::Unavailable),
        Err(error) => {
            tracing::warn!(channel = %slack.channel, %error, "no direct message could be opened for a command");
            return Ok(told(slack, payload, NO_DIRECT));
        }
    };
    crate::home::owns(slack, &user, &address).await;
    let (shown, human) = (direct.shown.clone(), direct.human);
    let command = payload.get("command").is_some();
    let first = direct.at(address.clone());
    let also = human.then(|| Inbound {
        id: RemoteEventId(format!("{}.h", first.id)),
        event: InboundEvent::Invoked { action: "human".into(), value: None, message: None },
        ..first.clone()
    });
    let receipt = push(slack, inbox, first).await?;
    if let Some(also) = also {
        push(slack, inbox, also).await?;
    }
    if payload.pointer("/container/type").and_then(Value::as_str) == Some("view") {
        draw_home(slack, user);
    }
    let here = payload.pointer("/channel/id").and_then(Value::as_str).or_else(|| text(payload, "channel_id"));
    let elsewhere = here != Some(address.room.as_str());
    if let Some(words) = shown.filter(|_| !receipt.duplicate) {
        echo(slack, address, words);
    }
    match receipt.toast {
        Some(toast) => Ok(told(slack, payload, &toast.text)),
        None if command && elsewhere && text(payload, "text").is_some_and(|text| !is_presence(text)) => {
            Ok(told(slack, payload, ELSEWHERE))
        }
        None => Ok(Answer::Empty),
    }
}

fn is_presence(said: &str) -> bool {
    ["on", "busy", "off"].iter().any(|word| said.trim().eq_ignore_ascii_case(word))
}

/// Shows in the direct message what was asked elsewhere, so that the answer under it makes sense. Only decoration.
fn echo(slack: &Arc<Slack>, address: Address, words: String) {
    let slack = slack.clone();
    tokio::spawn(async move {
        let quoted: Vec<String> = markup::to_mrkdwn(&words).lines().map(|line| format!("> {line}")).collect();
        let text = format!("You asked:\n{}", quoted.join("\n"));
        let cut: String = text.chars().take(3000).collect();
        let body = json!({ "channel": address.room.as_str(), "text": cut });
        if let Err(fault) = slack.sending.api.post("chat.postMessage", &body).await {
            tracing::debug!(channel = %slack.channel, error = %fault.error, "a question was not shown again");
        }
    });
}

/// Opens a form beside the acknowledgement: the trigger does not wait for either.
fn open(slack: &Arc<Slack>, payload: &Value, trigger: String, view: Value) {
    let (slack, handle) = (slack.clone(), handle(payload));
    tokio::spawn(async move {
        if let Err(error) = slack.sending.open_modal(&trigger, &view).await {
            tracing::debug!(channel = %slack.channel, %error, "a form was not opened");
            say(&slack, handle.interaction(), NO_FORM.to_owned());
        }
    });
}

/// A page of a conversation's history, beside the acknowledgement: the trigger does not wait.
fn show(slack: &Arc<Slack>, inbox: &Inbox, payload: &Value, show: Show) {
    let (slack, inbox, handle) = (slack.clone(), inbox.clone(), handle(payload));
    tokio::spawn(async move {
        if let Err(error) = shown(&slack, &inbox, &show).await {
            tracing::debug!(channel = %slack.channel, %error, "a conversation's history was not shown");
            let why = match error {
                SendError::Rejected { why, .. } => why,
                _ => NO_FORM.to_owned(),
            };
            say(&slack, handle.interaction(), why);
        }
    });
}

async fn shown(slack: &Slack, inbox: &Inbox, show: &Show) -> Result<(), SendError> {
    let Show { anchor, user, page, how } = show;
    let at = &anchor.address;
    let (card, said) =
        tokio::join!(inbox.card(at, &page.reference), inbox.history(at, &page.reference, user));
    let (Some(card), Some(said)) = (card, said) else { return Err(SendError::rejected(NO_HISTORY)) };
    let view = blocks::history(anchor, &card, &said, page);
    match how {
        How::Opened { trigger_id } => slack.sending.open_modal(trigger_id, &view).await,
        How::Turned { view: id, hash } => slack.sending.turn_modal(id, hash.as_deref(), &view).await,
    }
}

/// A note is put into the thread under its writer's name, and then comes in as theirs: it is internal like any other.
async fn noted(slack: &Arc<Slack>, inbox: &Inbox, payload: &Value, note: Note) -> Result<Answer, PushError> {
    let ts = match post_note(slack, &note).await {
        Ok(ts) => ts,
        Err(error) => {
            tracing::debug!(channel = %slack.channel, %error, "a note was not posted");
            return Ok(refused(payload, NO_NOTE));
        }
    };
    let content = Content::text(format!("🔒 {}", note.text));
    let room = note.address.room.to_string();
    let taken = push(slack, inbox, note.posted(RemoteMessageId(ts.clone()), content)).await;
    if taken.as_ref().map_or(true, |receipt| receipt.duplicate) {
        // Not stored, or stored before: this copy is one too many.
        let body = json!({ "channel": room, "ts": ts });
        if let Err(fault) = slack.sending.api.post("chat.delete", &body).await {
            let error = fault.error;
            tracing::debug!(channel = %slack.channel, %error, "a note that was not stored stands in its thread");
        }
    }
    taken.map(|_| Answer::Empty)
}

async fn post_note(slack: &Slack, note: &Note) -> Result<String, SendError> {
    let place = ids::place(&note.address)?;
    let name = note.from.display_name.clone().unwrap_or_else(|| note.from.id.to_string());
    let text = format!("🔒 {}", markup::to_mrkdwn(&note.text));
    let mut body = json!({ "channel": place.channel, "text": text, "username": name });
    if let Some(thread) = place.thread {
        body["thread_ts"] = thread.into();
    }
    let answer = slack.sending.api.post("chat.postMessage", &body).await?;
    let ts = text_of(&answer, "ts").filter(|ts| ids::is_ts(ts));
    ts.ok_or_else(|| SendError::rejected("Slack did not name the message"))
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    text(value, key).map(str::to_owned)
}

/// The form stays open and says why ("Modals": errors by block).
fn refused(payload: &Value, words: &str) -> Answer {
    let blocks = payload.pointer("/view/blocks").and_then(Value::as_array).into_iter().flatten();
    let input =
        blocks.filter(|block| text(block, "type") == Some("input")).find_map(|block| text(block, "block_id"));
    match input {
        Some(input) => Answer::Json(json!({ "response_action": "errors", "errors": { input: words } })),
        None => Answer::Empty,
    }
}

/// A word to one person: as the answer of a command, else by the interaction's own way.
fn told(slack: &Arc<Slack>, payload: &Value, words: &str) -> Answer {
    if payload.get("command").is_some() {
        return Answer::Json(json!({ "response_type": "ephemeral", "text": words }));
    }
    say(slack, handle(payload).interaction(), words.to_owned());
    Answer::Empty
}

fn handle(payload: &Value) -> Handle {
    Handle { response_url: text_of(payload, "response_url"), trigger_id: None }
}

/// Beside the room's order: the next event does not wait for a word.
fn say(slack: &Arc<Slack>, interaction: Interaction, text: String) {
    let slack = slack.clone();
    tokio::spawn(async move {
        let toast = Toast { text, alert: false };
        if let Err(error) = slack.sending.answer(&interaction, Some(&toast)).await {
            tracing::debug!(channel = %slack.channel, %error, "a press was not answered");
        }
    });
}

/// The home tab was opened. Shown beside the acknowledgement.
pub(super) fn show_home(slack: &Arc<Slack>, event: &Value) {
    if let Some(user) = text(event, "user").map(RemoteUserId::from) {
        draw_home(slack, user);
    }
}

fn draw_home(slack: &Arc<Slack>, user: RemoteUserId) {
    let slack = slack.clone();
    tokio::spawn(async move {
        if let Err(error) = crate::home::show(&slack, &user).await {
            tracing::debug!(channel = %slack.channel, %error, "a home tab was not shown");
        }
    });
}

/// What an empty chat with the assistant offers to ask: in a thread of its own, or in the messages tab of apps that have
/// the newer agent view. Others are told by Slack that they have neither, and lose nothing.
pub(super) fn suggest(slack: &Arc<Slack>, event: &Value) {
    let thread = event.get("assistant_thread");
    let place = match thread {
        Some(thread) => text(thread, "channel_id").zip(text(thread, "thread_ts").map(Some)),
        None => text(event, "channel").map(|channel| (channel, None)),
    };
    let Some((channel, root)) = place else { return };
    let room = Address::room(&slack.channel, channel);
    let at = root.map_or_else(|| room.clone(), |root| room.thread(root));
    let slack = slack.clone();
    tokio::spawn(async move {
        let prompts = crate::home::PROMPTS.map(|(title, message)| (title.to_owned(), message.to_owned()));
        if let Err(error) = slack.sending.suggest_prompts(&at, "How can IT help?", &prompts).await {
            tracing::debug!(channel = %slack.channel, %error, "no prompts were suggested");
        }
    });
}
