//! How updates come in: fetched by long poll, or brought by webhook; stored, then acknowledged (clause C4).
//!
//! Not here: what an update means (`translate.rs`), and starting over after a failure, which the supervisor does.

mod polling;
mod webhook;

pub(crate) use webhook::WebhookInfo;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::json;
use deskbridge_contract::{
    Inbound, InboundEvent, Inbox, Intake, Interaction, PushError, SendError, ThreadChange, Toast,
    TranslateError,
};
use futures_util::FutureExt as _;
use serde_json::Value;
use teloxide_core::types::AllowedUpdate;

use crate::Telegram;
use crate::config::Receive;
use crate::doctor::menus;
use crate::translate::{Viewpoint, translate};

/// All kinds that are used, and no others: the setting stays with the bot until it is changed ("getUpdates").
pub(crate) const ALLOWED_UPDATES: [AllowedUpdate; 5] = [
    AllowedUpdate::Message,
    AllowedUpdate::EditedMessage,
    AllowedUpdate::CallbackQuery,
    AllowedUpdate::MyChatMember,
    AllowedUpdate::MessageReaction,
];

/// How long a press stays open for a whisper.
const SPINNER: Duration = Duration::from_secs(2);

/// When Telegram should bring an update again that could not be stored.
const AGAIN: Duration = Duration::from_secs(2);

pub(crate) fn intake(telegram: Arc<Telegram>, inbox: Inbox) -> Intake {
    match &telegram.config.receive {
        Receive::Polling => {
            Intake { connect: Some(polling::run(telegram, inbox).boxed()), ..Intake::default() }
        }
        Receive::Webhook { secret } => {
            let route = webhook::route(telegram.clone(), inbox, secret);
            Intake {
                connect: Some(webhook::keep(telegram).boxed()),
                webhook: Some(route),
                ..Intake::default()
            }
        }
    }
}

/// Runs the intake with the commands menu set beside it. Menus are decoration: they neither delay nor stop anything.
async fn beside_menus(
    telegram: &Telegram,
    work: impl Future<Output = Result<(), SendError>>,
) -> Result<(), SendError> {
    let menus = menus::publish_once(telegram);
    tokio::pin!(menus, work);
    tokio::select! {
        result = &mut work => return result,
        () = &mut menus => {}
    }
    work.await
}

/// Events of a raw update.
pub(crate) fn translated(telegram: &Telegram, raw: &[u8]) -> Result<Vec<Inbound>, TranslateError> {
    events(telegram, &text(raw)?)
}

fn text(raw: &[u8]) -> Parsed {
    match std::str::from_utf8(raw) {
        Ok(text) => parse(text),
        // What of it can be read is worth having (S28).
        Err(_) => parse(&String::from_utf8_lossy(raw)),
    }
}

fn events(telegram: &Telegram, update: &Value) -> Result<Vec<Inbound>, TranslateError> {
    let username = telegram.username();
    let view = Viewpoint {
        channel: &telegram.channel,
        bot: telegram.config.bot,
        username: username.as_deref(),
        received: (telegram.clock)(),
    };
    translate(&view, update)
}

/// Stores one update: its events, or the raw text for a person to look at.
async fn take(telegram: &Arc<Telegram>, inbox: &Inbox, raw: &[u8], parsed: Parsed) -> Result<(), PushError> {
    let events = match parsed.and_then(|update| events(telegram, &update)) {
        Ok(events) => events,
        Err(why) => return inbox.quarantine(raw, &why).await,
    };
    for event in events {
        let interaction = event.interaction.clone();
        if let InboundEvent::ThreadChanged { change } = &event.event {
            telegram.sending.note_open(&event.address, *change == ThreadChange::Reopened);
        }
        let receipt = inbox.push(event).await?;
        if let Some(interaction) = interaction {
            // Beside the lane: the next update of this chat does not wait for a toast.
            tokio::spawn(stop_spinner(telegram.clone(), interaction, receipt.toast, SPINNER));
        }
    }
    Ok(())
}

/// Answers a press with the toast that the commit gave, or, after a while in which a whisper may use the answer, with
/// nothing: until it is answered, the button spins. Best effort.
async fn stop_spinner(
    telegram: Arc<Telegram>,
    interaction: Interaction,
    toast: Option<Toast>,
    patience: Duration,
) {
    if toast.is_none() {
        tokio::time::sleep(patience).await;
    }
    if let Err(error) = telegram.sending.answer(&interaction, toast.as_ref()).await {
        tracing::debug!(channel = %telegram.channel, %error, "a pressed button was not answered");
    }
}

pub(crate) type Parsed = Result<Value, TranslateError>;

/// JSON with lone surrogates repaired: people's phones send half an emoji now and then, and the rest of the message is
/// worth having (S28).
pub(crate) fn parse(raw: &str) -> Parsed {
    json::read(raw).ok_or_else(|| TranslateError::Malformed("not JSON".into()))
}
