//! Words for one person only (D24), and answers to what people pressed or commanded ("Receiving and Responding").
//!
//! Not here: what a press means.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{
    Address, Content, DeliveryId, Interaction, RemoteMessageId, RemoteUserId, SendError, Sent,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Sending, plan};
use crate::api::{Call, Fault, code};
use crate::ids::{self, Handle};

/// "Message Flags": seen by one person only.
pub(crate) const EPHEMERAL: u64 = 1 << 6;

/// The first answer to an interaction is on its way for so long; what follows it has to wait.
const YOUNG: Duration = Duration::from_secs(3);
const SHORTLY: Duration = Duration::from_millis(300);
/// Interactions that are remembered; their tokens end after fifteen minutes.
const MOST: usize = 10_000;

#[derive(Default)]
struct Inner {
    /// "is thinking…" stands there, and waits for the first answer.
    thinking: HashSet<String>,
    born: HashMap<String, Instant>,
}

/// Interactions that are being answered.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Inner>);

impl Waiting {
    /// It is about to be stored: what is said of it may be faster than its first answer.
    pub(crate) fn born(&self, handle: &Handle) {
        let mut inner = self.lock();
        if inner.born.len() > MOST {
            inner.born.clear();
            inner.thinking.clear();
        }
        inner.born.insert(handle.token.clone(), Instant::now());
    }

    pub(crate) fn begin(&self, handle: &Handle) {
        self.lock().thinking.insert(handle.token.clone());
    }

    /// Whether this answer is the one that is waited for.
    fn end(&self, handle: &Handle) -> bool {
        self.lock().thinking.remove(&handle.token)
    }

    fn is_young(&self, handle: &Handle) -> bool {
        self.lock().born.get(&handle.token).is_some_and(|born| born.elapsed() < YOUNG)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// As the answer to what was pressed, while that can be answered; else as a direct message. That may not be possible
    /// either: then this is `Gone`, and the host says it in the post.
    pub(crate) async fn whisper(
        &self,
        delivery: &DeliveryId,
        at: &Address,
        to: &RemoteUserId,
        content: &Content,
        interaction: Option<&Interaction>,
    ) -> Result<Sent, Fault> {
        ids::user(to)?;
        let mut rest: Vec<Value> =
            plan::parts(content, &[], None, None)?.into_iter().map(|part| part.body).collect();
        // What an attempt before this one said already; empty: as an answer, whose name nobody needs.
        let mut said = self.sent_before(delivery, at);
        rest.drain(..said.len().min(rest.len()));
        if let Some(handle) = interaction.and_then(Handle::of) {
            while let Some(body) = rest.first() {
                match self.follow_up(&handle, body.clone()).await {
                    Ok(()) => {
                        rest.remove(0);
                        said.push(String::new());
                        if !rest.is_empty() {
                            self.remember(delivery, at, &said);
                        }
                    }
                    Err(fault) if ended(&fault) && self.waiting.is_young(&handle) => {
                        let why = "the interaction is being answered".into();
                        return Err(SendError::Retry { after: Some(SHORTLY), why }.into());
                    }
                    Err(fault) if ended(&fault) => break,
                    Err(fault) => return Err(fault),
                }
            }
        }
        if rest.is_empty() && said.iter().all(String::is_empty) {
            return Ok(Sent::at(at, None));
        }
        self.say_directly(delivery, at, to, rest, said).await
    }

    /// An answer to an interaction, for fifteen minutes.
    pub(crate) async fn follow_up(&self, handle: &Handle, mut body: Value) -> Result<(), Fault> {
        body["flags"] = EPHEMERAL.into();
        if let Some(mentions) = body.get_mut("allowed_mentions").and_then(Value::as_object_mut) {
            mentions.remove("replied_user");
        }
        let hook = format!("webhooks/{}/{}", handle.application, handle.token);
        let first = self.waiting.end(handle);
        let call = if first {
            if let Some(body) = body.as_object_mut() {
                body.remove("flags");
            }
            Call::new(Method::PATCH, format!("{hook}/messages/@original"))
        } else {
            Call::new(Method::POST, hook)
        };
        let done = self.api.call(&call.with(body).by_token()).await.map(|_| ());
        if first && done.is_err() {
            // Still to be replaced.
            self.waiting.begin(handle);
        }
        done
    }

    /// `said`: what was said before, of which this is the rest.
    async fn say_directly(
        &self,
        delivery: &DeliveryId,
        at: &Address,
        to: &RemoteUserId,
        bodies: Vec<Value>,
        mut said: Vec<String>,
    ) -> Result<Sent, Fault> {
        let address = self.open_direct(to).await?;
        let place = ids::place(&address)?;
        let about = ids::place(at).ok().and_then(|place| place.forum.map(|_| place.channel.to_owned()));
        let of = bodies.len();
        let begun = said.iter().any(|id| !id.is_empty());
        for (nth, mut body) in bodies.into_iter().enumerate() {
            // Which post it is about, in its words and in its buttons.
            if let (0, false, Some(thread), Some(text)) = (nth, begun, &about, body["content"].as_str()) {
                let line = format!("-# <#{thread}>\n{text}");
                if line.chars().count() <= plan::MAX_TEXT {
                    body["content"] = line.into();
                }
            }
            if let Some(thread) = &about {
                carry(&mut body, thread);
            }
            let route = format!("channels/{}/messages", place.channel);
            let answer = self.api.post(route, body).await?;
            let id = answer["id"].as_str().unwrap_or_default();
            if !id.is_empty() {
                self.authors.note(id, super::Author::Us);
            }
            said.push(id.to_owned());
            if nth + 1 < of {
                self.remember(delivery, at, &said);
            }
        }
        let mut sent = said.into_iter().filter(|id| !id.is_empty()).map(RemoteMessageId);
        let note = Some("by direct message".to_owned());
        Ok(Sent { message: sent.next(), more: sent.collect(), note, ..Sent::at(&address, None) })
    }

    /// The first answer to an interaction that came by the gateway ("Create Interaction Response").
    pub(crate) async fn respond(&self, id: &str, token: &str, answer: Value) -> Result<(), SendError> {
        let call =
            Call::new(Method::POST, format!("interactions/{id}/{token}/callback")).with(answer).by_token();
        match self.api.call(&call).await {
            Ok(_) => Ok(()),
            // Somebody was faster: it is answered.
            Err(fault) if fault.is(&[code::ACKNOWLEDGED]) => Ok(()),
            Err(fault) => Err(fault.error),
        }
    }

    /// Nothing followed within the time that a person looks at "is thinking…".
    pub(crate) async fn settle(&self, handle: &Handle, words: &str) {
        if !self.waiting.end(handle) {
            return;
        }
        self.waiting.begin(handle);
        let body = json!({ "content": words, "allowed_mentions": crate::cards::nobody() });
        if let Err(fault) = self.follow_up(handle, body).await {
            tracing::debug!(channel = %self.api.channel(), error = %fault.error, "a command was not answered");
        }
    }
}

/// Buttons that are to mean a post from elsewhere; those in which there is no room to say so stay behind.
fn carry(body: &mut Value, post: &str) {
    let Some(rows) = body.get_mut("components").and_then(Value::as_array_mut) else { return };
    for row in rows.iter_mut() {
        if let Some(buttons) = row["components"].as_array_mut() {
            buttons.retain_mut(|button| {
                let Some(id) = button["custom_id"].as_str() else { return true };
                let Some(about) = ids::custom_id_about(id, post) else { return false };
                button["custom_id"] = about.into();
                true
            });
        }
    }
    rows.retain(|row| row["components"].as_array().is_some_and(|buttons| !buttons.is_empty()));
    if rows.is_empty()
        && let Some(body) = body.as_object_mut()
    {
        body.remove("components");
    }
}

/// The token is not good any more, or never was.
fn ended(fault: &Fault) -> bool {
    fault.is(&[code::UNKNOWN_WEBHOOK, code::WEBHOOK_TOKEN, code::UNKNOWN_INTERACTION, code::UNKNOWN_MESSAGE])
        || matches!(fault.error, SendError::Gone { .. })
}
