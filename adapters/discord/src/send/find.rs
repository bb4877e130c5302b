//! Looking whether an attempt arrived whose outcome nobody knows (platform-contracts §8).
//!
//! Not here: sending it again, which the outbox decides. The gateway told the nonce of a bot's message; where
//! it did not, and for a webhook's, a message is known by its author, its words and its age, and by not being another's.

use std::time::Duration;

use deskbridge_contract::{
    Address, Outbound, OutboundOp, Persona, RemoteMessageId, SendError, Sent, Timestamp,
};
use serde_json::Value;

use super::plan::Part;
use super::posts::Voice;
use super::{Author, Me, Sending, plan, posts};
use crate::api::Fault;
use crate::cards;
use crate::ids::{self, Place};

/// Messages that are looked at: the latest.
const PAGE: usize = 100;
/// A webhook's message that is older is another one with the same words.
const RECENT: Duration = Duration::from_secs(1800);

impl Sending {
    pub(crate) async fn find(&self, out: &Outbound, now: Timestamp) -> Result<Option<Sent>, SendError> {
        match &out.op {
            OutboundOp::OpenThread { title, .. } => self.find_thread(out, &cards::title(title)).await,
            OutboundOp::Post { content, files, persona, reply_to } => {
                let place = ids::place(&out.to)?;
                let (voice, _) = self.voice(place, persona.as_ref()).await.map_err(Fault::harmless)?;
                let in_text = if matches!(voice, Voice::Bot) { persona.as_ref() } else { None };
                let reply = reply_to.as_ref().and_then(|message| ids::message(message).ok());
                let quoted = self.quoted(place, &voice, reply).await?;
                let parts = plan::parts(content, files, in_text, quoted.as_deref())?;
                let me = self.me().await?;
                let latest = self.latest(place).await?;
                let mut sent = self.sent_before(&out.id, &out.to);
                for (nth, part) in parts.iter().enumerate().skip(sent.len()) {
                    let by_nonce = match &voice {
                        Voice::Bot => self.nonces.message(&ids::nonce(out.id.as_str(), nth)),
                        Voice::Hook(..) => None,
                    };
                    let by_words = || {
                        let found = latest.iter().find(|message| {
                            let id = message["id"].as_str().unwrap_or_default();
                            self.may_be(&voice, &me, message, id)
                                && is_like(message, part)
                                && !sent.iter().any(|known| known == id)
                                && ids::time(id).is_some_and(|at| now.since(at) < RECENT)
                        });
                        found.and_then(|message| message["id"].as_str()).map(str::to_owned)
                    };
                    let Some(id) = by_nonce.or_else(by_words) else { break };
                    if nth == 0 {
                        // What grew there has become this, or is left.
                        self.growing.forget(&out.to);
                    }
                    if matches!(voice, Voice::Bot) {
                        self.nonces.note(&ids::nonce(out.id.as_str(), nth), &id);
                    }
                    sent.push(id);
                }
                if sent.len() == parts.len() {
                    let author = match &voice {
                        Voice::Bot => Author::Us,
                        Voice::Hook(hook, _) => Author::Hook(hook.id.clone()),
                    };
                    sent.iter().for_each(|id| self.authors.note(id, author.clone()));
                    return Ok(Some(posts::all(&out.to, sent, None)));
                }
                if !sent.is_empty() {
                    // The next attempt goes on behind them.
                    self.remember(&out.id, &out.to, &sent);
                }
                Ok(None)
            }
            OutboundOp::Edit { .. }
            | OutboundOp::Delete { .. }
            | OutboundOp::React { .. }
            | OutboundOp::Mark { .. }
            | OutboundOp::SetThread { .. }
            | OutboundOp::Whisper { .. } => Err(SendError::rejected("only posts can be read back")),
        }
    }

    /// Whether words that [`Sending::say_for`] put into a post are there: written after `since`, and none of `others`.
    pub(crate) async fn find_said(
        &self,
        at: &Address,
        persona: &Persona,
        text: &str,
        since: &str,
        others: &[RemoteMessageId],
    ) -> Result<Option<RemoteMessageId>, SendError> {
        let (place, voice, part) = self.spoken(at, persona, text).await?;
        let me = self.me().await?;
        let latest = self.latest(place).await?;
        let mut found = latest.iter().rev().filter_map(|message| {
            let id = message["id"].as_str()?;
            let later = ids::number(id) > ids::number(since);
            let theirs = others.iter().any(|other| other.as_str() == id);
            let is_it = later && !theirs && self.may_be(&voice, &me, message, id) && is_like(message, &part);
            is_it.then(|| RemoteMessageId::from(id))
        });
        Ok(found.next())
    }

    /// Written by this voice, and not known to be another delivery's.
    fn may_be(&self, voice: &Voice<'_>, me: &Me, message: &Value, id: &str) -> bool {
        match voice {
            Voice::Bot => message["author"]["id"] == me.user.as_str() && !self.nonces.is_known(id),
            Voice::Hook(hook, persona) => {
                message["webhook_id"] == hook.id.as_str()
                    && message["author"]["username"] == cards::username(persona).as_str()
                    && !matches!(self.authors.of(id), Some(Author::Hook(_)))
            }
        }
    }

    async fn latest(&self, place: Place<'_>) -> Result<Vec<Value>, SendError> {
        let route = format!("channels/{}/messages", place.channel);
        let found = self.api.get(route, &[("limit", PAGE.to_string())]).await.map_err(Fault::harmless)?;
        Ok(found.as_array().cloned().unwrap_or_default())
    }

    /// A post has no key of its own; its name has the conversation's, and it is ours and open.
    async fn find_thread(&self, out: &Outbound, name: &str) -> Result<Option<Sent>, SendError> {
        let at = |id: &str| Address { thread: None, ..out.to.clone() }.thread(id);
        if let Some(id) = self.sent_before(&out.id, &out.to).first() {
            return Ok(Some(Sent::at(&at(id), Some(RemoteMessageId::from(id.as_str())))));
        }
        let place = ids::place(&out.to)?;
        let room = place.forum.unwrap_or(place.channel);
        let me = self.me().await?;
        let guild = self.forum(room).await.map_err(Fault::harmless)?.guild;
        let found =
            self.api.get(format!("guilds/{guild}/threads/active"), &[]).await.map_err(Fault::harmless)?;
        let threads = found["threads"].as_array().into_iter().flatten();
        let mut ours = threads.filter(|thread| {
            let ours = thread["owner_id"] == me.user.as_str() && thread["name"] == name;
            // What this process opened is another delivery's.
            let other = thread["id"].as_str().is_none_or(|id| self.threads.is_known(id));
            thread["parent_id"] == room && ours && !other
        });
        let Some(id) = ours.find_map(|thread| thread["id"].as_str()).filter(|id| ids::is_snowflake(id))
        else {
            return Ok(None);
        };
        self.threads.expect(id, false);
        self.authors.note(id, Author::Us);
        Ok(Some(Sent::at(&at(id), Some(RemoteMessageId::from(id)))))
    }
}

/// The same words, and as many files, embeds and rows of buttons.
fn is_like(message: &Value, part: &Part) -> bool {
    let count = |of: &Value, key: &str| of[key].as_array().map_or(0, Vec::len);
    said(message) == said(&part.body)
        && count(message, "attachments") == part.files.len()
        && count(message, "components") == count(&part.body, "components")
        && (count(&part.body, "embeds") == 0 || count(message, "embeds") == count(&part.body, "embeds"))
}

fn said(message: &Value) -> &str {
    message["content"].as_str().unwrap_or_default().trim()
}
