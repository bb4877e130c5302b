//! Outbound operations as calls of Discord's API.
//!
//! Not here: calls and error classes (`api.rs`), bytes of files (`files.rs`), looks (`markup`, `cards.rs`); when to send, in
//! which order and how often, which the outbox decides.

mod authors;
mod find;
pub(crate) mod forums;
mod growing;
mod hooks;
mod marks;
mod names;
mod plan;
mod posts;
mod tags;
mod threads;
pub(crate) mod whisper;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use deskbridge_contract::lanes::Lanes;
use deskbridge_contract::{
    Address, Content, DeliveryId, Outbound, OutboundOp, Persona, RemoteMessageId, RemoteUserId, SendError,
    Sent, Shelf,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, Call, Fault, code};
use crate::ids::{self, Place};
pub(crate) use authors::{Author, Authors, Nonces};
use hooks::Writer;

/// Deliveries of which only a part got out, remembered so that a second attempt goes on behind it.
const PARTLY: usize = 256;
/// People whose direct message is known.
const DIRECTS: usize = 2048;

/// Who we are: what own posts are known by, and whose interactions are ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Me {
    pub application: String,
    pub user: String,
    pub name: String,
    /// "Application › Flags".
    pub flags: u64,
}

pub(crate) struct Sending {
    pub api: Api,
    /// The forums that are desks.
    pub desks: Vec<String>,
    me: RwLock<Option<Me>>,
    partly: Mutex<VecDeque<(DeliveryId, Address, Vec<String>)>>,
    directs: Mutex<VecDeque<(String, String)>>,
    pub authors: Authors,
    pub nonces: Nonces,
    pub forums: forums::Forums,
    pub threads: threads::Threads,
    /// Who opens a post and shuts it, one after the other: whoever puts back what was found puts back nothing newer.
    shutting: Lanes,
    names: names::Names,
    hooks: hooks::Hooks,
    marks: marks::Known,
    pub waiting: whisper::Waiting,
    pub growing: growing::Answers,
    shelf: RwLock<Option<Shelf>>,
}

impl Sending {
    pub(crate) fn new(api: Api, desks: Vec<String>, renames: Duration) -> Arc<Self> {
        Arc::new(Sending {
            api,
            desks,
            me: RwLock::default(),
            partly: Mutex::default(),
            directs: Mutex::default(),
            authors: Authors::default(),
            nonces: Nonces::default(),
            forums: forums::Forums::default(),
            threads: threads::Threads::default(),
            shutting: Lanes::default(),
            names: names::Names::new(renames),
            hooks: hooks::Hooks::default(),
            marks: marks::Known::default(),
            waiting: whisper::Waiting::default(),
            growing: growing::Answers::default(),
            shelf: RwLock::default(),
        })
    }

    /// From now on there is durable memory. Called at every intake.
    pub(crate) fn keep_on(self: &Arc<Self>, shelf: Shelf) {
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = Some(shelf);
        self.go_on_naming();
    }

    fn shelf(&self) -> Option<Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks who we are: checks the token.
    pub(crate) async fn meet(&self) -> Result<Me, SendError> {
        let application = self.api.get("applications/@me".into(), &[]).await.map_err(Fault::harmless)?;
        let user = self.api.get("users/@me".into(), &[]).await.map_err(Fault::harmless)?;
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let me = Me {
            application: text(&application, "id"),
            user: text(&user, "id"),
            name: text(&user, "username"),
            flags: application["flags"].as_u64().unwrap_or_default(),
        };
        if !ids::is_snowflake(&me.application) || !ids::is_snowflake(&me.user) {
            return Err(SendError::Retry { after: None, why: "Discord did not say who we are".into() });
        }
        *self.me.write().unwrap_or_else(PoisonError::into_inner) = Some(me.clone());
        Ok(me)
    }

    /// As [`Sending::meet`], asked once.
    pub(crate) async fn me(&self) -> Result<Me, SendError> {
        match self.known_me() {
            Some(known) => Ok(known),
            None => self.meet().await,
        }
    }

    pub(crate) fn known_me(&self) -> Option<Me> {
        self.me.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn perform(self: &Arc<Self>, out: &Outbound) -> Result<Sent, SendError> {
        let at = &out.to;
        let done = match &out.op {
            OutboundOp::Post { content, files, persona, reply_to } => {
                self.post(out, content, files, persona.as_ref(), reply_to.as_ref()).await
            }
            OutboundOp::Edit { message, content, persona } => {
                self.edit(at, message, content, persona.as_ref()).await
            }
            OutboundOp::Delete { message } => self.delete(at, message).await,
            OutboundOp::React { message, emoji, on } => self.react(at, message, emoji, *on).await,
            OutboundOp::Mark { message, mark } => self.mark(at, message, *mark).await,
            OutboundOp::OpenThread { title, card, actions } => {
                self.open_thread(&out.id, at, title, card, actions).await
            }
            OutboundOp::SetThread { title, closed } => self.set_thread(at, title, *closed).await,
            OutboundOp::Whisper { to, content, interaction } => {
                self.whisper(&out.id, at, to, content, interaction.as_ref()).await
            }
        };
        done.map_err(|fault| placed(fault, at))
    }

    /// A call about something in a place. A post that is archived or locked is opened for it, and is afterwards as it was:
    /// what is said of a matter that is closed does not open it.
    pub(crate) async fn in_place(&self, place: Place<'_>, call: &Call<'_>) -> Result<Value, Fault> {
        match self.api.call(call).await {
            Err(fault) if place.forum.is_some() && fault.is(&[code::ARCHIVED, code::LOCKED]) => {}
            other => return other,
        }
        let route = format!("channels/{}", place.channel);
        // A name that waited comes beside the deliveries to its post.
        let mut turn = self.shutting.queue(place.channel);
        turn.come().await;
        // Who shut it, and how, only Discord knows: it may have been before our time.
        let thread = self.api.get(route.clone(), &[]).await;
        let thread = thread.map_err(|fault| Fault { code: fault.code, error: fault.harmless() })?;
        let was = |key: &str| thread["thread_metadata"][key] == Value::Bool(true);
        let (archived, locked) = (was("archived"), was("locked"));
        self.threads.expect(place.channel, false);
        self.api.patch(route.clone(), json!({ "archived": false, "locked": false })).await?;
        let done = self.api.call(call).await;
        self.threads.expect(place.channel, archived);
        if let Err(fault) = self.api.patch(route, json!({ "archived": archived, "locked": locked })).await {
            tracing::warn!(channel = %self.api.channel(), error = %fault.error, "a post stays open");
        }
        done
    }

    async fn edit(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        content: &Content,
        persona: Option<&Persona>,
    ) -> Result<Sent, Fault> {
        let (place, id) = (ids::place(at)?, ids::message(message)?);
        let hook = match persona {
            Some(persona) if place.forum.is_some() => match self.writer(place, id).await? {
                Writer::Hook(hook) => Some((hook, persona)),
                Writer::Bot => None,
                Writer::Gone => {
                    let why = "the webhook that wrote the message was deleted; nobody can edit it any more";
                    return Err(SendError::rejected(why).into());
                }
            },
            _ => None,
        };
        let voice = if hook.is_some() { None } else { persona };
        let mut body = plan::single(content, voice)?;
        if content.card.is_some() {
            self.recall(place, id).await;
        }
        self.note_card(place, content);
        let call = match &hook {
            Some((hook, _)) => {
                let route = format!("webhooks/{}/{}/messages/{id}", hook.id, hook.token());
                let query = vec![("thread_id", place.channel.to_owned())];
                Call { query, ..Call::new(Method::PATCH, route).with(body).by_token() }
            }
            None => {
                // Left out, the old ones would stay.
                for key in ["embeds", "components"] {
                    if body.get(key).is_none() {
                        body[key] = json!([]);
                    }
                }
                Call::new(Method::PATCH, format!("channels/{}/messages/{id}", place.channel)).with(body)
            }
        };
        match self.in_place(place, &call).await {
            Ok(_) => {}
            Err(fault) if fault.is(&[code::UNKNOWN_MESSAGE]) && content.card.is_none() => {
                return Ok(noted(at, message, "the message is gone"));
            }
            Err(fault) if fault.is(&[code::MOST_OLD_EDITS]) => {
                return Ok(noted(at, message, "old messages were edited too often in the last hour"));
            }
            Err(fault) if hook.is_some() => return Err(self.by_lost_hook(place, fault).await),
            Err(fault) => return Err(fault),
        }
        if content.card.is_some() && place.forum.is_some() {
            self.retag(place, content).await;
        }
        Ok(Sent::at(at, Some(message.clone())))
    }

    async fn delete(&self, at: &Address, message: &RemoteMessageId) -> Result<Sent, Fault> {
        let (place, id) = (ids::place(at)?, ids::message(message)?);
        self.authors.note(id, Author::Us);
        let own = Call::new(Method::DELETE, format!("channels/{}/messages/{id}", place.channel));
        let writer = match place.forum {
            Some(_) => self.writer(place, id).await?,
            None => Writer::Bot,
        };
        let done = match writer {
            Writer::Hook(hook) => {
                let route = format!("webhooks/{}/{}/messages/{id}", hook.id, hook.token());
                let query = vec![("thread_id", place.channel.to_owned())];
                let call = Call { query, ..Call::new(Method::DELETE, route).by_token() };
                match self.in_place(place, &call).await {
                    Err(fault) => Err(self.by_lost_hook(place, fault).await),
                    done => done,
                }
            }
            // What a webhook wrote that is gone, the bot may delete where it may manage messages.
            Writer::Bot | Writer::Gone => self.in_place(place, &own).await,
        };
        match done {
            Err(fault) if fault.is(&[code::UNKNOWN_MESSAGE]) => {}
            other => {
                other?;
            }
        }
        Ok(Sent::at(at, Some(message.clone())))
    }

    pub(crate) async fn typing(&self, at: &Address) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let call = Call::new(Method::POST, format!("channels/{}/typing", place.channel));
        Ok(self.api.call(&call).await.map(|_| ())?)
    }

    /// The direct message with a person ("Create DM"); opening it again gives the same.
    pub(crate) async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        let id = ids::user(user)?;
        let known = {
            let directs = self.directs.lock().unwrap_or_else(PoisonError::into_inner);
            directs.iter().find(|(known, _)| known == id).map(|(_, room)| room.clone())
        };
        let room = match known {
            Some(room) => room,
            None => {
                let answer = self.api.post("users/@me/channels".into(), json!({ "recipient_id": id })).await;
                let answer = answer.map_err(Fault::harmless)?;
                let room = answer["id"].as_str().filter(|id| ids::is_snowflake(id));
                let room = room.ok_or_else(|| SendError::rejected("Discord opened no direct message"))?;
                self.note_direct(id, room);
                room.to_owned()
            }
        };
        Ok(Address::room(self.api.channel(), ids::direct_room(&room)))
    }

    /// Whose direct message a channel is.
    pub(crate) fn note_direct(&self, user: &str, room: &str) {
        let mut directs = self.directs.lock().unwrap_or_else(PoisonError::into_inner);
        if directs.iter().any(|(known, at)| known == user && at == room) {
            return;
        }
        directs.retain(|(known, at)| known != user && at != room);
        if directs.len() >= DIRECTS {
            directs.pop_front();
        }
        directs.push_back((user.to_owned(), room.to_owned()));
    }

    /// Nothing of a person stays in memory.
    pub(crate) fn forget(&self, user: &str) {
        self.authors.forget(user);
        self.directs.lock().unwrap_or_else(PoisonError::into_inner).retain(|(known, _)| known != user);
    }

    pub(crate) fn direct_with(&self, room: &str) -> Option<String> {
        let directs = self.directs.lock().unwrap_or_else(PoisonError::into_inner);
        directs.iter().find(|(_, at)| at == room).map(|(user, _)| user.clone())
    }

    fn sent_before(&self, id: &DeliveryId, at: &Address) -> Vec<String> {
        let partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        partly
            .iter()
            .find(|(known, to, _)| known == id && to == at)
            .map_or_else(Vec::new, |(.., sent)| sent.clone())
    }

    fn remember(&self, id: &DeliveryId, at: &Address, sent: &[String]) {
        let mut partly = self.partly.lock().unwrap_or_else(PoisonError::into_inner);
        partly.retain(|(known, to, _)| !(known == id && to == at));
        if partly.len() >= PARTLY {
            partly.pop_front();
        }
        partly.push_back((id.clone(), at.clone(), sent.to_vec()));
    }
}

/// A thread that is gone is another matter than a room that is gone: it is opened again (D22).
fn placed(fault: Fault, at: &Address) -> SendError {
    match fault.error {
        SendError::Gone { why } if at.thread.is_some() && fault.code == code::UNKNOWN_CHANNEL => {
            SendError::ThreadGone { why }
        }
        other => other,
    }
}

fn noted(at: &Address, message: &RemoteMessageId, note: &str) -> Sent {
    Sent { note: Some(note.to_owned()), ..Sent::at(at, Some(message.clone())) }
}
