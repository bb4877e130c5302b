//! The long poll: fetch a batch, store all of it, and only then ask for what comes after.
//!
//! Not here: parsing and storing one update (`receive::take`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{Inbox, PushError, SendError};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use teloxide_core::payloads::DeleteWebhook;
use teloxide_core::requests::Payload;
use teloxide_core::types::AllowedUpdate;

use super::{AGAIN, ALLOWED_UPDATES, Parsed, beside_menus, parse, take};
use crate::Telegram;
use crate::translate::chat_of;

/// The most that one poll brings ("getUpdates": 1–100).
const BATCH: u8 = 100;

/// Where the shelf keeps the number after the last stored update: for people who look into a fault. It is not sent at a
/// start: numbers may jump back after a quiet week, and Telegram itself knows what was confirmed.
pub(super) const OFFSET: &str = "offset";

/// `getUpdates` with raw results: an update is stored even when its shape is news to us (D39).
#[derive(Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    limit: u8,
    timeout: u64,
    allowed_updates: [AllowedUpdate; 5],
}

impl Payload for GetUpdates {
    type Output = Vec<Box<RawValue>>;
    const NAME: &'static str = "GetUpdates";

    fn timeout_hint(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.timeout))
    }
}

#[derive(Deserialize)]
struct Head {
    update_id: i64,
}

pub(super) async fn run(telegram: Arc<Telegram>, inbox: Inbox) -> Result<(), SendError> {
    telegram.meet().await?;
    // A webhook would make every poll a 409; updates that wait for it stay.
    telegram.sending.api.call::<_, bool>(&DeleteWebhook::new()).await?;
    beside_menus(&telegram, poll(&telegram, &inbox)).await
}

async fn poll(telegram: &Arc<Telegram>, inbox: &Inbox) -> Result<(), SendError> {
    let mut offset = None;
    loop {
        let request = GetUpdates {
            offset,
            limit: BATCH,
            timeout: telegram.config.poll_timeout.as_secs(),
            allowed_updates: ALLOWED_UPDATES,
        };
        let batch = telegram.sending.api.poll(&request).await.map_err(|fault| explain(fault.error))?;
        match store(telegram, inbox, &batch).await {
            // That call confirmed the batch before it; without an offset the next one begins at the earliest update
            // that is not confirmed, whatever its number.
            Ok(None) => offset = None,
            Ok(next) => offset = next,
            Err(PushError::Closed) => return Ok(()),
            Err(PushError::Unavailable) => {
                return Err(SendError::Retry { after: Some(AGAIN), why: PushError::Unavailable.to_string() });
            }
        }
    }
}

/// Stores a batch, chats beside each other and each chat in its order. Returns the offset that confirms it.
async fn store(
    telegram: &Arc<Telegram>,
    inbox: &Inbox,
    batch: &[Box<RawValue>],
) -> Result<Option<i64>, PushError> {
    let mut chats: Vec<Vec<(&str, Parsed)>> = Vec::new();
    let mut lanes: HashMap<Option<i64>, usize> = HashMap::new();
    for raw in batch {
        let update = parse(raw.get());
        let chat = update.as_ref().ok().and_then(chat_of);
        let lane = *lanes.entry(chat).or_insert_with(|| {
            chats.push(Vec::new());
            chats.len() - 1
        });
        chats[lane].push((raw.get(), update));
    }
    let one_by_one = |chat: Vec<(&'_ str, Parsed)>| {
        let updates: Vec<(String, Parsed)> =
            chat.into_iter().map(|(raw, parsed)| (raw.to_owned(), parsed)).collect();
        async move {
            for (raw, parsed) in updates {
                take(telegram, inbox, raw.as_bytes(), parsed).await?;
            }
            Ok(())
        }
    };
    let done: Vec<Result<(), PushError>> = join_all(chats.into_iter().map(one_by_one)).await;
    done.into_iter().collect::<Result<(), PushError>>()?;
    let last = batch.iter().rev().find_map(|raw| serde_json::from_str::<Head>(raw.get()).ok());
    let Some(last) = last else { return Ok(None) };
    let next = last.update_id.saturating_add(1);
    // Only a note for people; losing it costs nothing.
    if let Err(error) = inbox.shelf().put(OFFSET, &next.to_string()).await {
        tracing::debug!(channel = %telegram.channel, %error, "the offset was not noted");
    }
    Ok(Some(next))
}

/// 409 has two meanings, both somebody else's doing, and Telegram's words for them help nobody.
fn explain(error: SendError) -> SendError {
    match error {
        SendError::Retry { after, why } if why.starts_with("409") => SendError::Retry {
            after,
            why: format!(
                "{why}; another program polls with this token or set a webhook: stop it, or use another bot"
            ),
        },
        other => other,
    }
}
