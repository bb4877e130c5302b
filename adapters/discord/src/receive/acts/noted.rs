//! Words of a command or a form that belong into a post: they are put there under their writer's name, and then come in as
//! theirs.
//!
//! Not here: remembering which are there (`receive/notes.rs`), posting and looking (`send/posts.rs`, `send/find.rs`).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{
    Content, DeliveryId, Inbound, InboundEvent, Inbox, Persona, PushError, RemoteMessageId, SendError,
};
use serde_json::Value;

use super::{TAKEN, settle, thinking, told};
use crate::Discord;
use crate::ids::Handle;
use crate::receive::notes::Put;
use crate::receive::{Slot, push, unavailable};
use crate::translate::interactions::{Note, handle};
use crate::translate::text;

const NO_NOTE: &str = "Discord did not take it. Please write it into the post.";
const UNSURE: &str = "Discord does not say whether your words stand in the post. Please look, and write them there if they do not.";
const KEPT: &str = "🔒 Kept in this post.";

/// Pauses before it is looked again whether words are there.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Why there is no message.
enum Lost {
    Refused,
    /// Nobody knows whether there is one.
    Unsure,
}

/// What is said to the writer in the end.
pub(super) enum Said {
    Words(String),
    /// Only when nothing else answers it.
    Unless(String),
}

/// One that was begun, as the disk knows.
pub(super) struct Asked {
    discord: Arc<Discord>,
    inbox: Inbox,
    payload: Value,
    note: Note,
    then: Option<Inbound>,
    /// How far it came before.
    known: Option<Put>,
}

impl Asked {
    /// An interaction may come again, after a resume or a new start: its note stands in its post once.
    pub(super) async fn begin(
        discord: &Arc<Discord>,
        inbox: &Inbox,
        payload: &Value,
        note: Note,
        then: Option<Inbound>,
    ) -> Result<Asked, PushError> {
        let id = text(payload, "id").unwrap_or_default();
        let known = discord.receiving.notes.begin(&inbox.shelf(), id).await.map_err(unavailable)?;
        let (discord, inbox, payload) = (discord.clone(), inbox.clone(), payload.clone());
        Ok(Asked { discord, inbox, payload, note, then, known })
    }

    /// Puts it there and takes it in, in the order of the room.
    pub(super) async fn put(&self, slot: &mut Slot) -> Result<Said, PushError> {
        slot.come().await?;
        let Note { id, at, from, address, text, internal } = self.note.clone();
        let shown = if internal { format!("🔒 {text}") } else { text.clone() };
        let message = match self.place(&shown).await? {
            Ok(message) => message,
            Err(Lost::Refused) => return Ok(Said::Words(NO_NOTE.to_owned())),
            Err(Lost::Unsure) => return Ok(Said::Words(UNSURE.to_owned())),
        };
        let handle = handle(&self.payload);
        if let Some(handle) = &handle {
            self.discord.sending.waiting.born(handle);
        }
        let said = if internal { shown } else { format!("!reply {text}") };
        let event = InboundEvent::Posted { message, content: Content::text(said), reply_to: None };
        let interaction = handle.map(|handle| handle.interaction());
        let inbound = Inbound { id, at, from, address, event, interaction };
        let mut receipt = push(&self.discord, &self.inbox, &self.payload, inbound).await?;
        let mut words = if internal { Said::Words(KEPT.to_owned()) } else { Said::Unless(TAKEN.to_owned()) };
        if let Some(then) = self.then.clone() {
            receipt = push(&self.discord, &self.inbox, &self.payload, then).await?;
            words = Said::Unless(format!("{TAKEN} `/ticket`"));
        }
        Ok(receipt.toast.map_or(words, |toast| Said::Words(toast.text)))
    }

    /// The answer, when it is there in time.
    pub(super) fn first(&self, said: Said) -> Value {
        match said {
            Said::Words(words) => told(&words),
            Said::Unless(words) => thinking(&self.discord, handle(&self.payload), &words),
        }
    }

    /// The answer, when there is none in time.
    pub(super) fn later(&self) -> Value {
        if let Some(handle) = handle(&self.payload) {
            self.discord.sending.waiting.begin(&handle);
        }
        super::deferred()
    }

    /// What follows [`Asked::later`]; as a direct message, where "is thinking…" was never shown.
    pub(super) async fn settle(&self, said: Said) {
        let handle = handle(&self.payload);
        match (said, handle) {
            (Said::Unless(words), Some(handle)) => settle(&self.discord, handle, words),
            (Said::Unless(_), None) => {}
            (Said::Words(words), handle) => self.tell(handle, &words).await,
        }
    }

    async fn tell(&self, handle: Option<Handle>, words: &str) {
        let (at, to) = (&self.note.address, &self.note.from.id);
        let id = DeliveryId(format!("told:{}", self.note.id));
        let (content, interaction) = (Content::text(words), handle.map(|handle| handle.interaction()));
        if let Err(fault) = self.discord.sending.whisper(&id, at, to, &content, interaction.as_ref()).await {
            tracing::debug!(channel = %self.discord.channel, error = %fault.error, "a note was not answered");
        }
    }

    /// The message in its post.
    async fn place(&self, shown: &str) -> Result<Result<RemoteMessageId, Lost>, PushError> {
        let found = match &self.known {
            Some(Put::There(message)) => return Ok(Ok(RemoteMessageId::from(message.as_str()))),
            Some(Put::Refused) => return Ok(Err(Lost::Refused)),
            Some(Put::Begun) => match self.seen(shown).await? {
                Ok(found) => found,
                Err(error) => return Ok(Err(self.unsure(&error))),
            },
            None => None,
        };
        let done = match found {
            Some(message) => Ok(message),
            None => self.say(shown).await?,
        };
        let done = match done {
            Err(error @ SendError::Ambiguous { .. }) => return Ok(Err(self.unsure(&error))),
            Err(error) => {
                tracing::debug!(channel = %self.discord.channel, %error, "a note was not posted");
                Err(Lost::Refused)
            }
            Ok(message) => Ok(message),
        };
        let put = match &done {
            Ok(message) => Put::There(message.to_string()),
            Err(_) => Put::Refused,
        };
        let id = text(&self.payload, "id").unwrap_or_default();
        if let Err(error) = self.discord.receiving.notes.end(&self.inbox.shelf(), id, put).await {
            tracing::debug!(channel = %self.discord.channel, %error, "where a note stands was not noted");
        }
        Ok(done)
    }

    /// Says it; and looks for it, when nobody knows whether that was done.
    async fn say(&self, shown: &str) -> Result<Result<RemoteMessageId, SendError>, PushError> {
        let (sending, note) = (&self.discord.sending, &self.note);
        let done = sending.say_for(&note.address, note.id.as_str(), &self.writer(), shown).await;
        let Err(SendError::Ambiguous { why }) = done else { return Ok(done) };
        Ok(match self.seen(shown).await? {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(SendError::rejected(why)),
            Err(error) => Err(SendError::Ambiguous { why: error.to_string() }),
        })
    }

    /// It is left as begun, and whoever wrote it is told: what comes again would hold up everybody else's events.
    fn unsure(&self, error: &SendError) -> Lost {
        tracing::warn!(channel = %self.discord.channel, %error, "it is not known whether a note stands in its post");
        Lost::Unsure
    }

    /// Whether it stands in its post. The inner error: Discord does not say so.
    async fn seen(&self, shown: &str) -> Result<Result<Option<RemoteMessageId>, SendError>, PushError> {
        let shelf = self.inbox.shelf();
        let others = self.discord.receiving.notes.messages(&shelf).await.map_err(unavailable)?;
        let (note, writer) = (&self.note, self.writer());
        let interaction = text(&self.payload, "id").unwrap_or_default();
        let look = || self.discord.sending.find_said(&note.address, &writer, shown, interaction, &others);
        let mut looked = look().await;
        for pause in AGAIN {
            if matches!(looked, Ok(_) | Err(SendError::Gone { .. } | SendError::Rejected { .. })) {
                break;
            }
            tokio::time::sleep(pause).await;
            looked = look().await;
        }
        Ok(looked)
    }

    fn writer(&self) -> Persona {
        let from = &self.note.from;
        Persona::person(from.display_name.clone().unwrap_or_else(|| from.id.to_string()))
    }
}
