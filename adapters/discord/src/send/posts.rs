//! Posting: by the bot with a nonce, or under somebody's name by a webhook of the forum.
//!
//! Not here: what is posted (`plan.rs`), looking whether an attempt arrived (`find.rs`).

use deskbridge_contract::{
    Address, Content, Outbound, OutboundFile, Persona, RemoteMessageId, SendError, Sent,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::hooks::Hook;
use super::plan::{self, Part};
use super::{Author, Sending};
use crate::api::{Call, Fault};
use crate::cards;
use crate::ids::{self, Place};

/// By whom a post is written.
pub(super) enum Voice<'a> {
    Bot,
    Hook(Hook, &'a Persona),
}

impl Sending {
    pub(super) async fn post(
        &self,
        out: &Outbound,
        content: &Content,
        files: &[OutboundFile],
        persona: Option<&Persona>,
        reply_to: Option<&RemoteMessageId>,
    ) -> Result<Sent, Fault> {
        let place = ids::place(&out.to)?;
        let (voice, note) = self.voice(place, persona).await?;
        let said_in_text = if matches!(voice, Voice::Bot) { persona } else { None };
        let reply = reply_to.and_then(|message| ids::message(message).ok());
        let quoted = self.quoted(place, &voice, reply).await?;
        let parts = plan::parts(content, files, said_in_text, quoted.as_deref())?;
        if content.card.is_some() {
            self.note_card(place, content);
        }
        let mut sent = self.sent_before(&out.id, &out.to);
        if sent.is_empty()
            && let Some(first) = parts.first()
            && let Some(id) = self.ripen(&out.to, place, persona, first, reply).await?
        {
            self.nonces.note(&ids::nonce(out.id.as_str(), 0), &id);
            sent.push(id);
            self.remember(&out.id, &out.to, &sent);
        }
        for (nth, part) in parts.iter().enumerate().skip(sent.len()) {
            let reply = reply.filter(|_| nth == 0);
            let done = match &voice {
                Voice::Bot => self.by_bot(out.id.as_str(), place, (nth, part), files, reply).await,
                Voice::Hook(hook, persona) => self.by_hook(place, hook, persona, part, files).await,
            };
            match done {
                Ok(id) => sent.push(id),
                Err(fault) => return Err(self.broken_off(out, &sent, fault)),
            }
            if parts.len() > 1 {
                self.remember(&out.id, &out.to, &sent);
            }
        }
        Ok(all(&out.to, sent, note))
    }

    /// A webhook, where somebody else than the bot speaks in a forum; without the right to have one, the bot with a name in
    /// front.
    pub(super) async fn voice<'a>(
        &self,
        place: Place<'_>,
        persona: Option<&'a Persona>,
    ) -> Result<(Voice<'a>, Option<String>), Fault> {
        let (Some(persona), Some(forum)) = (persona, place.forum) else { return Ok((Voice::Bot, None)) };
        match self.hook(forum).await {
            Ok(hook) => Ok((Voice::Hook(hook, persona), None)),
            Err(fault) if matches!(fault.error, SendError::Gone { .. } | SendError::Rejected { .. }) => {
                Ok((Voice::Bot, Some(format!("without a webhook: {}", fault.error))))
            }
            Err(fault) => Err(Fault { error: fault.harmless(), code: 0 }),
        }
    }

    async fn by_bot(
        &self,
        key: &str,
        place: Place<'_>,
        (nth, part): (usize, &Part),
        files: &[OutboundFile],
        reply: Option<&str>,
    ) -> Result<String, Fault> {
        let files = &files[part.files.clone()];
        let mut body = with_files(&part.body, files);
        let nonce = ids::nonce(key, nth);
        body["nonce"] = nonce.as_str().into();
        body["enforce_nonce"] = true.into();
        if let Some(message) = reply {
            body["message_reference"] = json!({ "message_id": message, "fail_if_not_exists": false });
        }
        let route = format!("channels/{}/messages", place.channel);
        let call = Call { files, ..Call::new(Method::POST, route).with(body) };
        let answer = self.in_place(place, &call).await?;
        let id = self.posted(place, &answer, Author::Us)?;
        self.nonces.note(&nonce, &id);
        Ok(id)
    }

    async fn by_hook(
        &self,
        place: Place<'_>,
        hook: &Hook,
        persona: &Persona,
        part: &Part,
        files: &[OutboundFile],
    ) -> Result<String, Fault> {
        let files = &files[part.files.clone()];
        let mut body = with_files(&part.body, files);
        body["username"] = cards::username(persona).into();
        if let Some(picture) = &persona.picture {
            body["avatar_url"] = picture.as_str().into();
        }
        if let Some(mentions) = body.get_mut("allowed_mentions").and_then(Value::as_object_mut) {
            // A webhook answers nobody.
            mentions.remove("replied_user");
        }
        let route = format!("webhooks/{}/{}", hook.id, hook.token());
        let query = vec![("wait", "true".to_owned()), ("thread_id", place.channel.to_owned())];
        let call = Call { files, query, ..Call::new(Method::POST, route).with(body).by_token() };
        match self.in_place(place, &call).await {
            Ok(answer) => self.posted(place, &answer, Author::Hook(hook.id.clone())),
            // "A webhook that answers 404 must not be called again": the next attempt makes another.
            Err(fault) => Err(self.by_lost_hook(place, fault).await),
        }
    }

    /// A person's own words, where their answer will come; once, by its key (D40).
    pub(crate) async fn show(&self, at: &Address, key: &str, text: &str) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let body = json!({
            "content": text, "allowed_mentions": cards::nobody(), "nonce": ids::nonce(key, 0), "enforce_nonce": true,
        });
        let answer = self.api.post(format!("channels/{}/messages", place.channel), body).await?;
        self.posted(place, &answer, Author::Us).map(drop)?;
        Ok(())
    }

    /// Words that a person wrote elsewhere than in the post, put there under their name.
    pub(crate) async fn say_for(
        &self,
        at: &Address,
        key: &str,
        persona: &Persona,
        text: &str,
    ) -> Result<RemoteMessageId, SendError> {
        let (place, voice, part) = self.spoken(at, persona, text).await?;
        let id = match &voice {
            Voice::Hook(hook, persona) => self.by_hook(place, hook, persona, &part, &[]).await?,
            Voice::Bot => self.by_bot(key, place, (0, &part), &[], None).await?,
        };
        Ok(RemoteMessageId(id))
    }

    /// By whom such words are written, and how.
    pub(super) async fn spoken<'a>(
        &self,
        at: &'a Address,
        persona: &'a Persona,
        text: &str,
    ) -> Result<(Place<'a>, Voice<'a>, Part), SendError> {
        let place = ids::place(at)?;
        let (voice, _) = self.voice(place, Some(persona)).await?;
        let in_text = if matches!(voice, Voice::Bot) { Some(persona) } else { None };
        let body = plan::single(&Content::text(text), in_text)?;
        Ok((place, voice, Part { body, files: 0..0 }))
    }

    fn posted(&self, place: Place<'_>, answer: &Value, author: Author) -> Result<String, Fault> {
        let id = answer["id"].as_str().filter(|id| ids::is_snowflake(id));
        let id = id.ok_or_else(|| SendError::Ambiguous { why: "Discord did not name the message".into() })?;
        self.authors.note(id, author);
        self.threads.wrote(place.channel);
        Ok(id.to_owned())
    }

    /// What is there already is not sent again; a part that is refused after others is said to be that.
    fn broken_off(&self, out: &Outbound, sent: &[String], fault: Fault) -> Fault {
        if sent.is_empty() {
            return fault;
        }
        self.remember(&out.id, &out.to, sent);
        match fault.error {
            SendError::Rejected { why, .. } => Fault {
                error: SendError::rejected(format!("only the first part was sent: {why}")),
                code: fault.code,
            },
            _ => fault,
        }
    }

    /// Where the message is that is answered, for webhooks, which cannot answer one. It is part of the words by which an
    /// attempt is found again: without it nothing is sent.
    pub(super) async fn quoted(
        &self,
        place: Place<'_>,
        voice: &Voice<'_>,
        reply: Option<&str>,
    ) -> Result<Option<String>, SendError> {
        let (Voice::Hook(..), Some(message), Some(forum)) = (voice, reply, place.forum) else {
            return Ok(None);
        };
        let guild = match self.forum(forum).await {
            Ok(forum) => forum.guild,
            Err(fault) => return Err(SendError::Retry { after: None, why: fault.error.to_string() }),
        };
        Ok(Some(format!("https://discord.com/channels/{guild}/{}/{message}", place.channel)))
    }
}

pub(super) fn with_files(body: &Value, files: &[OutboundFile]) -> Value {
    let mut body = body.clone();
    if !files.is_empty() {
        let named = files.iter().enumerate();
        let named: Vec<Value> = named
            .map(|(nth, file)| json!({ "id": nth, "filename": crate::files::name(&file.name) }))
            .collect();
        body["attachments"] = Value::Array(named);
    }
    body
}

pub(super) fn all(at: &Address, sent: Vec<String>, note: Option<String>) -> Sent {
    let mut sent = sent.into_iter().map(RemoteMessageId);
    let message = sent.next();
    Sent { message, more: sent.collect(), note, ..Sent::at(at, None) }
}
