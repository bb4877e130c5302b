//! The message extension "Create ticket": a form over any message, and what is made of it. "Create and send dialogs".
//!
//! Not here: what a ticket is. In a desk's thread it is the verb; elsewhere it is a request of the person who sent it.

use std::time::Duration;

use deskbridge_contract::{
    Content, Inbound, InboundEvent, PushError, RemoteEventId, RemoteMessageId, SendError, Sender, Timestamp,
    TranslateError,
};
use serde_json::{Value, json};

use crate::receive::Door;
use crate::translate::{Heard, malformed, text};
use crate::{cards, markup};

/// The command's id in the manifest.
pub(crate) const COMMAND: &str = "ticket";
/// The text box's name in what comes back.
const TEXT: &str = "teams_ticket";
/// How long the Connector is waited for while somebody's client waits for us, about ten seconds at most.
const PATIENCE: Duration = Duration::from_secs(4);
/// Nothing is stored.
const NOT_TAKEN: &str =
    "This was not taken: Teams does not answer us just now. Please send it again in a minute.";
/// Longest text of the form, in letters.
const MAX_TEXT: usize = 4000;

/// A form that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub id: RemoteEventId,
    pub at: Timestamp,
    pub from: Sender,
    /// CommonMark.
    pub text: String,
}

/// The form, filled in with the message over which it was called.
pub(crate) fn form(activity: &Value) -> Result<Value, TranslateError> {
    ours(activity)?;
    let html = text(activity, "/value/messagePayload/body/content").unwrap_or_default();
    let words = markup::plain(&markup::from_html(html, None));
    let words: String = words.chars().take(MAX_TEXT).collect();
    let body = vec![json!({
        "type": "Input.Text", "id": TEXT, "isMultiline": true, "maxLength": MAX_TEXT, "value": words,
        "label": "What is it about?", "isRequired": true, "errorMessage": "A few words are needed",
    })];
    let mut card = cards::attachment(body, &[]);
    card["content"]["actions"] = json!([{ "type": "Action.Submit", "title": "Create ticket", "data": {} }]);
    let shown = json!({ "title": "Create ticket", "height": "medium", "width": "medium", "card": card });
    Ok(json!({ "task": { "type": "continue", "value": shown } }))
}

fn ours(activity: &Value) -> Result<(), TranslateError> {
    match text(activity, "/value/commandId") {
        Some(COMMAND) => Ok(()),
        _ => Err(TranslateError::Unknown("a command of another extension".into())),
    }
}

/// What was typed into the form.
pub(crate) fn typed(activity: &Value) -> Result<String, TranslateError> {
    ours(activity)?;
    let typed = text(activity, &format!("/value/data/{TEXT}")).unwrap_or_default().trim();
    if typed.is_empty() {
        return Err(malformed("value.data"));
    }
    Ok(markup::from_plain(&typed.chars().take(MAX_TEXT).collect::<String>()))
}

/// The dialog's last words.
pub(crate) fn told(words: &str) -> Value {
    json!({ "task": { "type": "message", "value": words } })
}

impl Door {
    /// In a desk's thread: a note with the text, then the verb. Elsewhere: a request in the person's own chat with the bot.
    pub(crate) async fn wished(&self, heard: &Heard, wish: &Wish) -> Result<Value, PushError> {
        let event = |id: String, address, event| Inbound {
            id: RemoteEventId(id),
            at: wish.at,
            from: wish.from.clone(),
            address,
            event,
            interaction: None,
        };
        let posted = |text: String| InboundEvent::Posted {
            message: RemoteMessageId(wish.id.to_string()),
            content: Content::text(text),
            reply_to: None,
        };
        let at = heard.address.clone();
        let ours = self.teams.references.is_ours(&at.key()).await.map_err(|_| PushError::Unavailable)?;
        if ours {
            let note = event(format!("{}.n", wish.id), at.clone(), posted(format!("🔒 {}", wish.text)));
            self.inbox.push(note).await?;
            let verb = InboundEvent::Invoked { action: "ticket".into(), value: None, message: None };
            let receipt = self.inbox.push(event(wish.id.to_string(), at, verb)).await?;
            return Ok(told(
                receipt.toast.as_ref().map_or("Noted; the ticket is on the card.", |toast| &toast.text),
            ));
        }
        let direct = match tokio::time::timeout(PATIENCE, self.teams.open_direct(&wish.from.id)).await {
            Ok(Ok(direct)) => direct,
            Ok(Err(SendError::Gone { .. } | SendError::Rejected { .. })) => {
                return Ok(told("Please start a chat with this app first: the answer comes there."));
            }
            Ok(Err(error)) => {
                tracing::warn!(channel = %self.teams.channel, %error, "a request by a form could not be taken");
                return Ok(told(NOT_TAKEN));
            }
            Err(_) => return Ok(told(NOT_TAKEN)),
        };
        let receipt =
            self.inbox.push(event(wish.id.to_string(), direct.clone(), posted(wish.text.clone()))).await?;
        if receipt.duplicate {
            return Ok(told("Received already. The answer comes in your chat with this app."));
        }
        // What they asked is shown where it is answered; without it the answer would stand alone. Nobody waits for it.
        let (teams, words) = (self.teams.clone(), Content::text(format!("You asked:\n\n{}", wish.text)));
        tokio::spawn(async move {
            if let Err(error) = teams.say(&direct, &words).await {
                tracing::debug!(channel = %teams.channel, %error, "a request could not be shown to who made it");
            }
        });
        let number = receipt.reference.map(|reference| format!(" as {reference}")).unwrap_or_default();
        Ok(told(&format!("Received{number}. The answer comes in your chat with this app.")))
    }
}
