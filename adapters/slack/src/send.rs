//! Outbound operations as calls of the Web API.
//!
//! Not here: calls and error classes (`api.rs`), bytes of files (`files.rs`), looks (`markup`, `blocks`); when to send, in
//! which order and how often, which the outbox decides.

mod begun;
mod find;
pub(crate) mod marks;
pub(crate) mod plan;
mod posts;
mod streams;
mod surfaces;
mod unfolding;
mod whisper;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use deskbridge_contract::{
    Action, Address, Card, Content, DeliveryId, Outbound, OutboundOp, Persona, RemoteMessageId, RemoteUserId,
    SendError, Sent, Shelf, ThreadTitle,
};
use serde_json::{Value, json};

use crate::api::{Api, Fault};
use crate::blocks::{self, Message};
use crate::ids::{self, Place};

/// Deliveries of which only a part got out, remembered so that a second attempt goes on behind it.
const PARTLY: usize = 256;
/// Cards that are remembered, so that a thread's title can be drawn on its card.
const CARDS: usize = 1024;
/// People whose direct message is known.
const DIRECTS: usize = 1024;

/// Who we are in the workspace ("auth.test").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `https://acme.slack.com/`; for links to messages.
    pub url: String,
    pub team: String,
    pub team_id: String,
    /// Empty outside of an Enterprise Grid.
    pub enterprise_id: String,
    /// The bot's name and its id as a user.
    pub user: String,
    pub user_id: String,
    pub bot_id: String,
}

pub(crate) struct Sending {
    pub api: Api,
    identity: RwLock<Option<Identity>>,
    partly: Mutex<VecDeque<(Portion, Vec<RemoteMessageId>)>>,
    cards: Mutex<VecDeque<(Address, Card, Vec<Action>)>>,
    directs: Mutex<VecDeque<(RemoteUserId, String)>>,
    marks: marks::Known,
    streams: streams::Streams,
    typing_off: surfaces::Off,
    shelf: RwLock<Option<Shelf>>,
}

/// One post at one place, cut into so many parts.
#[derive(Clone, PartialEq, Eq)]
struct Portion {
    id: DeliveryId,
    to: Address,
    parts: usize,
}

impl Sending {
    pub(crate) fn new(api: Api) -> Arc<Self> {
        Arc::new(Sending {
            api,
            identity: RwLock::default(),
            partly: Mutex::default(),
            cards: Mutex::default(),
            directs: Mutex::default(),
            marks: marks::Known::default(),
            streams: streams::Streams::default(),
            typing_off: surfaces::Off::default(),
            shelf: RwLock::default(),
        })
    }

    /// From now on there is durable memory, for renewed tokens and for files under way. Called at every intake.
    pub(crate) fn keep_on(&self, shelf: Shelf) {
        self.api.tokens().keep_on(shelf.clone());
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = Some(shelf);
    }

    fn shelf(&self) -> Option<Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks who we are: checks the token.
    pub(crate) async fn meet(&self) -> Result<Identity, SendError> {
        let answer = self.api.get("auth.test", &[]).await.map_err(|fault| match fault.error {
            // It changes nothing, so it may be asked again.
            SendError::Ambiguous { why } => SendError::Retry { after: None, why },
            other => other,
        })?;
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        let found = Identity {
            url: text("url"),
            team: text("team"),
            team_id: text("team_id"),
            enterprise_id: text("enterprise_id"),
            user: text("user"),
            user_id: text("user_id"),
            bot_id: text("bot_id"),
        };
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        Ok(found)
    }

    /// As [`Sending::meet`], asked once.
    pub(crate) async fn identity(&self) -> Result<Identity, SendError> {
        match self.known_identity() {
            Some(known) => Ok(known),
            None => self.meet().await,
        }
    }

    pub(crate) fn known_identity(&self) -> Option<Identity> {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn perform(self: &Arc<Self>, out: &Outbound) -> Result<Sent, SendError> {
        let at = &out.to;
        match &out.op {
            OutboundOp::Post { content, files, persona, reply_to } => {
                self.post(out, content, files, persona.as_ref(), reply_to.as_ref()).await
            }
            OutboundOp::Edit { message, content, persona } => {
                let place = ids::place(at)?;
                let ts = ids::message(message)?;
                if let Some(card) = &content.card {
                    self.remember_card(&root_of(at, ts), card, &content.actions);
                }
                let edited = self.edit(place, ts, content, persona.as_ref()).await;
                let is_root = content.card.is_some() && place.thread.is_none_or(|root| root == ts);
                edited.map_err(|fault| if is_root { without_card(fault) } else { fault.error })?;
                Ok(Sent::at(at, Some(message.clone())))
            }
            OutboundOp::Delete { message } => self.delete(at, message).await,
            OutboundOp::React { message, emoji, on } => self.react(at, message, emoji, *on).await,
            OutboundOp::Mark { message, mark } => self.mark(at, message, *mark).await,
            OutboundOp::OpenThread { card, actions, .. } => self.open_thread(out, card, actions).await,
            OutboundOp::SetThread { title, .. } => self.set_thread(at, title).await,
            OutboundOp::Whisper { to, content, interaction } => {
                self.whisper(at, to, content, interaction.as_ref()).await
            }
        }
    }

    async fn edit(
        &self,
        place: Place<'_>,
        ts: &str,
        content: &Content,
        persona: Option<&Persona>,
    ) -> Result<(), Fault> {
        let Some(message) = blocks::single(&plan::callable(content, persona), plan::voice(persona))? else {
            return Err(SendError::rejected("nothing to show").into());
        };
        match self.update(place, ts, &message, None).await {
            Err(fault) if fault.is_fixable() && content.card.is_some() => {
                // A card must not be lost for its looks: it is text, too.
                let plain = Message { blocks: Vec::new(), ..message };
                self.update(place, ts, &plain, None).await
            }
            other => other,
        }
    }

    /// "chat.update". Blocks are always named: left out, the old ones would stay.
    async fn update(
        &self,
        place: Place<'_>,
        ts: &str,
        message: &Message,
        metadata: Option<&Value>,
    ) -> Result<(), Fault> {
        let mut body = json!({
            "channel": place.channel, "ts": ts, "text": message.text, "blocks": message.blocks,
        });
        if let Some(metadata) = metadata {
            body["metadata"] = metadata.clone();
        }
        self.api.post("chat.update", &body).await.map(|_| ())
    }

    async fn delete(&self, at: &Address, message: &RemoteMessageId) -> Result<Sent, SendError> {
        let (place, ts) = (ids::place(at)?, ids::message(message)?);
        let body = json!({ "channel": place.channel, "ts": ts });
        match self.api.post("chat.delete", &body).await {
            Err(fault) if fault.is(&["message_not_found"]) => {}
            other => {
                other?;
            }
        }
        Ok(Sent::at(at, Some(message.clone())))
    }

    /// The card is the root, and its `ts` names the thread.
    async fn open_thread(&self, out: &Outbound, card: &Card, actions: &[Action]) -> Result<Sent, SendError> {
        let place = Place { thread: None, ..ids::place(&out.to)? };
        let message = blocks::card(card, actions, &[])?;
        let ts = self.put_card(out, place, message).await?;
        let at = Address { thread: None, ..out.to.clone() }.thread(ts.clone());
        self.remember_card(&at, card, actions);
        Ok(Sent::at(&at, Some(RemoteMessageId(ts))))
    }

    async fn put_card(&self, out: &Outbound, place: Place<'_>, message: Message) -> Result<String, Fault> {
        let metadata = plan::metadata(&out.id, 1, 1);
        match self.put(place, &message, None, Some(metadata.clone())).await {
            Err(fault) if fault.is_fixable() && !message.blocks.is_empty() => {
                let plain = Message { blocks: Vec::new(), ..message };
                self.put(place, &plain, None, Some(metadata)).await
            }
            other => other,
        }
    }

    /// State and title are on the card. Its contents come as an edit; here it is drawn again from what was last shown,
    /// and where that is what it says already, or not known after a restart, the edit is all there is to do.
    async fn set_thread(&self, at: &Address, title: &ThreadTitle) -> Result<Sent, SendError> {
        let place = ids::place(at)?;
        let Some(root) = place.thread else { return Err(SendError::rejected("this address has no thread")) };
        if let Some((mut card, actions)) = self.card_at(at) {
            let subject = if title.subject.is_empty() { card.title.clone() } else { title.subject.clone() };
            let same = card.state == title.state
                && card.requester == title.requester
                && card.title == subject
                && card.reference == title.reference;
            if !same {
                card.state = title.state;
                card.requester.clone_from(&title.requester);
                card.reference.clone_from(&title.reference);
                card.title = subject;
                let message = blocks::card(&card, &actions, &[])?;
                let drawn = self.update(Place { thread: None, ..place }, root, &message, None).await;
                drawn.map_err(without_card)?;
                self.remember_card(at, &card, &actions);
            }
        }
        Ok(Sent::at(at, Some(RemoteMessageId(root.to_owned()))))
    }

    fn card_at(&self, at: &Address) -> Option<(Card, Vec<Action>)> {
        let cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        cards.iter().find(|(known, ..)| known == at).map(|(_, card, actions)| (card.clone(), actions.clone()))
    }

    fn remember_card(&self, at: &Address, card: &Card, actions: &[Action]) {
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        cards.retain(|(known, ..)| known != at);
        if cards.len() >= CARDS {
            cards.pop_front();
        }
        cards.push_back((at.clone(), card.clone(), actions.to_vec()));
    }

    /// The direct message with a person ("conversations.open"); opening it again gives the same.
    pub(crate) async fn open_direct(&self, user: &RemoteUserId) -> Result<Address, SendError> {
        let id = ids::user(user)?;
        let known = {
            let directs = self.directs.lock().unwrap_or_else(PoisonError::into_inner);
            directs.iter().find(|(known, _)| known == user).map(|(_, room)| room.clone())
        };
        let room = match known {
            Some(room) => room,
            None => {
                let answer = self.api.post("conversations.open", &json!({ "users": id })).await;
                let answer = answer.map_err(|fault| match fault.error {
                    SendError::Ambiguous { why } => SendError::Retry { after: None, why },
                    other => other,
                })?;
                let room = answer["channel"]["id"].as_str().filter(|id| ids::is_channel(id));
                let room = room.ok_or_else(|| SendError::rejected("Slack opened no direct message"))?;
                let mut directs = self.directs.lock().unwrap_or_else(PoisonError::into_inner);
                if directs.len() >= DIRECTS {
                    directs.pop_front();
                }
                directs.push_back((user.clone(), room.to_owned()));
                room.to_owned()
            }
        };
        Ok(Address::room(self.api.channel(), room))
    }
}

/// The address of the thread under a message that is its root, or in it.
fn root_of(at: &Address, ts: &str) -> Address {
    if at.thread.is_some() { at.clone() } else { at.thread(ts.to_owned()) }
}

/// Somebody deleted the card. What was said below it stays, but nobody can press anything any more, nor see how things
/// stand: a thread without its root is a thread that is gone (D22).
fn without_card(fault: Fault) -> SendError {
    if fault.is(&["message_not_found"]) {
        return SendError::ThreadGone { why: "somebody deleted the card".into() };
    }
    fault.error
}

fn noted(at: &Address, message: &RemoteMessageId, note: &str) -> Sent {
    Sent { note: Some(note.to_owned()), ..Sent::at(at, Some(message.clone())) }
}
