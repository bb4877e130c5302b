//! Outbound operations as Bot API calls.
//!
//! Not here: HTTP and error classes (`send/api.rs`), files (`send/files.rs`), looks (`cards.rs`, `markup.rs`); when to
//! send, in which order and how often, which the outbox decides.

pub(crate) mod api;
mod draft;
mod files;
mod plan;
mod presses;

pub(crate) use plan::MAX_UPLOAD;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use deskbridge_contract::{
    Address, ByteStream, CardState, Content, DeliveryId, Outbound, OutboundFile, OutboundOp, Persona,
    RemoteFileId, RemoteMessageId, SendError, Sent, ThreadTitle,
};
use serde::Deserialize;
use teloxide_core::payloads as tg;
use teloxide_core::types::{
    ChatAction, CustomEmojiId, FileId, LinkPreviewOptions, MessageId, ReactionType, ReplyMarkup,
    ReplyParameters,
};
use tokio::sync::OnceCell;

use crate::cards;
use crate::ids::{self, Place};
use crate::markup::{MAX_CAPTION, MAX_TEXT};
use api::{Api, Fault, MAX_DOWNLOAD};
use plan::Part;

/// Deliveries of which only a part got out, remembered so that a second attempt goes on behind it.
const PARTLY: usize = 256;

/// Topics that are remembered to be open; of one that was forgotten it is said once more that it is to be open.
const OPEN: usize = 1024;

pub(crate) struct Sending {
    pub api: Api,
    icons: OnceCell<Vec<Icon>>,
    partly: Mutex<VecDeque<(Portion, Vec<Vec<RemoteMessageId>>)>>,
    answered: Mutex<VecDeque<String>>,
    /// Topics that are surely open: opened here, and closed by nobody since.
    open: Mutex<VecDeque<Address>>,
    drafts: draft::Drafts,
}

/// One post at one place, cut into so many parts.
#[derive(Clone, PartialEq, Eq)]
struct Portion {
    id: DeliveryId,
    to: Address,
    parts: usize,
}

/// All that is read of a sent message. teloxide-core's `Message` would refuse fields of a newer API, and what was sent
/// would be taken for lost.
#[derive(Deserialize)]
struct SentMessage {
    message_id: i32,
}

impl SentMessage {
    fn id(&self) -> RemoteMessageId {
        RemoteMessageId(self.message_id.to_string())
    }
}

#[derive(Deserialize)]
struct Topic {
    message_thread_id: i32,
}

#[derive(Deserialize)]
struct Icon {
    emoji: Option<String>,
    custom_emoji_id: Option<String>,
}

#[derive(Deserialize)]
struct StoredFile {
    file_path: Option<String>,
    file_size: Option<u64>,
}

impl Sending {
    pub(crate) fn new(api: Api) -> Self {
        Sending {
            api,
            icons: OnceCell::new(),
            partly: Mutex::default(),
            answered: Mutex::default(),
            open: Mutex::default(),
            drafts: draft::Drafts::default(),
        }
    }

    pub(crate) async fn perform(&self, out: &Outbound) -> Result<Sent, SendError> {
        let at = &out.to;
        match &out.op {
            OutboundOp::Post { content, files, persona, reply_to } => {
                self.post(out, content, files, persona.as_ref(), reply_to.as_ref()).await
            }
            OutboundOp::Edit { message, content, persona } => {
                self.edit(at, message, content, persona.as_ref()).await
            }
            OutboundOp::Delete { message } => self.delete(at, message).await,
            OutboundOp::React { message, emoji, on } => match cards::reaction(emoji) {
                Some(emoji) => self.react(at, message, on.then_some(emoji)).await,
                None => Ok(noted(at, message, "Telegram has no such reaction")),
            },
            OutboundOp::Mark { message, mark } => self.react(at, message, Some(cards::mark(*mark))).await,
            OutboundOp::OpenThread { title, .. } => self.open_topic(at, title).await,
            OutboundOp::SetThread { title, closed } => self.set_topic(at, title, *closed).await,
            OutboundOp::Whisper { to, content, interaction } => {
                self.whisper(at, to, content, interaction.as_ref()).await
            }
        }
    }

    async fn post(
        &self,
        out: &Outbound,
        content: &Content,
        files: &[OutboundFile],
        persona: Option<&Persona>,
        reply_to: Option<&RemoteMessageId>,
    ) -> Result<Sent, SendError> {
        let mut place = ids::place(&out.to)?;
        let reply_to = reply_to.map(ids::message).transpose()?;
        let parts = plan::parts(content, files, persona, !place.is_private())?;
        let portion = Portion { id: out.id.clone(), to: out.to.clone(), parts: parts.len() };
        let mut sent = self.resume(&portion);
        let mut note = None;
        for (nth, part) in parts.iter().enumerate().skip(sent.len()) {
            let reply_to = if nth == 0 { reply_to } else { None };
            let mut put = self.put(part, files, place, reply_to).await;
            let lost = matches!(&put, Err(Fault { error: SendError::ThreadGone { .. }, .. }));
            if lost && place.is_private() && place.topic.take().is_some() {
                // In a requester's own chat the words matter more than the thread (D22).
                note = Some("thread lost".to_owned());
                put = self.put(part, files, place, reply_to).await;
            }
            match put {
                Ok(ids) => sent.push(ids),
                Err(fault) if sent.is_empty() => return Err(fault.error),
                Err(fault) => {
                    self.remember(portion, sent);
                    return Err(half_sent(fault.error));
                }
            }
        }
        let mut ids = sent.into_iter().flatten();
        let address =
            if place.topic.is_some() { out.to.clone() } else { Address { thread: None, ..out.to.clone() } };
        Ok(Sent { message: ids.next(), more: ids.collect(), address, note, accepted: false })
    }

    async fn put(
        &self,
        part: &Part,
        files: &[OutboundFile],
        place: Place,
        reply_to: Option<MessageId>,
    ) -> Result<Vec<RemoteMessageId>, Fault> {
        match part {
            Part::Text { text, keyboard } => {
                let mut message = tg::SendMessage::new(place.chat, text.text.clone());
                message.message_thread_id = place.topic;
                message.entities = (!text.entities.is_empty()).then(|| text.entities.clone());
                message.link_preview_options = Some(no_preview());
                message.reply_parameters = reply_to.map(reply);
                message.reply_markup = keyboard.clone().map(ReplyMarkup::InlineKeyboard);
                let sent: SentMessage = self.api.call(&message).await?;
                Ok(vec![sent.id()])
            }
            Part::File { file, form, caption, keyboard } => {
                self.put_file(&files[*file], *form, caption, keyboard.as_ref(), place, reply_to).await
            }
            Part::Album { items, caption } => self.put_album(items, files, caption, place, reply_to).await,
        }
    }

    async fn edit(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        content: &Content,
        persona: Option<&Persona>,
    ) -> Result<Sent, SendError> {
        let (place, id) = (ids::place(at)?, ids::message(message)?);
        let keyboard = cards::keyboard(&content.actions)?;
        let text = plan::text(content, persona, !place.is_private());
        if !text.is_empty() {
            let text = text.clone().cut(MAX_TEXT);
            let mut edit = tg::EditMessageText::new(place.chat, id, text.text);
            edit.entities = Some(text.entities);
            edit.link_preview_options = Some(no_preview());
            edit.reply_markup = keyboard.clone();
            match self.done(&edit).await {
                // The message is a file: its text is a caption.
                Err(fault) if fault.said(&["no text in the message to edit"]) => {}
                other => return other.map(|()| Sent::at(at, Some(message.clone()))).map_err(SendError::from),
            }
        }
        let text = text.cut(MAX_CAPTION);
        let mut edit = tg::EditMessageCaption::new(place.chat, id);
        edit.caption = Some(text.text);
        edit.caption_entities = Some(text.entities);
        edit.reply_markup = keyboard;
        self.done(&edit).await?;
        Ok(Sent::at(at, Some(message.clone())))
    }

    async fn delete(&self, at: &Address, message: &RemoteMessageId) -> Result<Sent, SendError> {
        let delete = tg::DeleteMessage::new(ids::place(at)?.chat, ids::message(message)?);
        match self.done(&delete).await {
            Err(fault) if fault.said(&["message to delete not found"]) => {}
            other => other?,
        }
        Ok(Sent::at(at, Some(message.clone())))
    }

    /// A bot has one reaction per message: a new one replaces the old, none takes it away ("setMessageReaction").
    async fn react(
        &self,
        at: &Address,
        message: &RemoteMessageId,
        emoji: Option<&str>,
    ) -> Result<Sent, SendError> {
        let mut set = tg::SetMessageReaction::new(ids::place(at)?.chat, ids::message(message)?);
        set.reaction =
            Some(emoji.map(|emoji| ReactionType::Emoji { emoji: emoji.to_owned() }).into_iter().collect());
        match self.done(&set).await {
            // A group may allow only some reactions, or none.
            Err(fault) if fault.said(&["reaction_invalid", "reactions_uniq_max", "reaction_empty"]) => {
                Ok(noted(at, message, "this reaction is not allowed here"))
            }
            other => other.map(|()| Sent::at(at, Some(message.clone()))).map_err(SendError::from),
        }
    }

    async fn open_topic(&self, at: &Address, title: &ThreadTitle) -> Result<Sent, SendError> {
        let mut create = tg::CreateForumTopic::new(ids::place(at)?.chat, cards::title(title));
        create.icon_custom_emoji_id = self.icon(title.state).await;
        let topic: Topic = self.api.call(&create).await?;
        self.note_open(&at.thread(topic.message_thread_id.to_string()), true);
        Ok(Sent::at(&at.thread(topic.message_thread_id.to_string()), None))
    }

    async fn set_topic(&self, at: &Address, title: &ThreadTitle, closed: bool) -> Result<Sent, SendError> {
        let (chat, topic) = ids::topic_of(at)?;
        let mut edit = tg::EditForumTopic::new(chat, topic);
        edit.name = Some(cards::title(title));
        edit.icon_custom_emoji_id = self.icon(title.state).await;
        self.done(&edit).await?;
        if closed {
            self.note_open(at, false);
            self.done(&tg::CloseForumTopic::new(chat, topic)).await?;
        } else if !self.is_open(at) {
            self.done(&tg::ReopenForumTopic::new(chat, topic)).await?;
            self.note_open(at, true);
        }
        Ok(Sent::at(at, None))
    }

    /// Whether a topic is surely open; of one that was opened before this process nobody knows.
    fn is_open(&self, at: &Address) -> bool {
        let open = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        open.contains(at)
    }

    /// Remembers what became of a topic, by us or by people.
    pub(crate) fn note_open(&self, at: &Address, is_open: bool) {
        let mut open = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        open.retain(|known| known != at);
        if is_open {
            if open.len() >= OPEN {
                open.pop_front();
            }
            open.push_back(at.clone());
        }
    }

    pub(crate) async fn typing(&self, at: &Address) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let mut action = tg::SendChatAction::new(place.chat, ChatAction::Typing);
        action.message_thread_id = place.topic;
        Ok(self.done(&action).await?)
    }

    pub(crate) async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        let stored: StoredFile = self.api.call(&tg::GetFile::new(FileId(file.0.clone()))).await?;
        if stored.file_size.is_some_and(|size| size > MAX_DOWNLOAD) {
            return Err(SendError::rejected("bots can fetch files up to 20 MB from Telegram"));
        }
        let path =
            stored.file_path.ok_or_else(|| SendError::rejected("Telegram does not give out this file"))?;
        self.api.download(&path).await.map_err(|fault| match fault.error {
            // The link has expired; the token was good a moment ago.
            SendError::Unauthorized { why } => SendError::Retry { after: None, why },
            error => error,
        })
    }

    /// The icon for a state, when Telegram's free ones have it. Only decoration: a failure leaves the title's sign.
    async fn icon(&self, state: CardState) -> Option<CustomEmojiId> {
        let load = || async { self.api.call::<_, Vec<Icon>>(&tg::GetForumTopicIconStickers::new()).await };
        let icons = tokio::time::timeout(Duration::from_secs(5), self.icons.get_or_try_init(load))
            .await
            .ok()?
            .ok()?;
        let plain = |icon: &Icon| icon.emoji.as_deref().unwrap_or_default().replace('\u{fe0f}', "");
        let wanted = cards::icons(state).iter();
        let found = wanted.flat_map(|emoji| icons.iter().find(|icon| plain(icon) == *emoji)).next()?;
        found.custom_emoji_id.clone().map(CustomEmojiId)
    }

    /// A call whose answer says nothing. That nothing had to be changed is success: the wish is fulfilled.
    async fn done<P: teloxide_core::requests::Payload + serde::Serialize>(
        &self,
        payload: &P,
    ) -> Result<(), Fault> {
        match self.api.call::<P, serde::de::IgnoredAny>(payload).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.said(&["message is not modified", "topic_not_modified"]) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn resume(&self, portion: &Portion) -> Vec<Vec<RemoteMessageId>> {
        let mut partly = self.partly.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match partly.iter().position(|(known, _)| known == portion) {
            Some(at) => partly.remove(at).map(|(_, sent)| sent).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    fn remember(&self, portion: Portion, sent: Vec<Vec<RemoteMessageId>>) {
        let mut partly = self.partly.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if partly.len() >= PARTLY {
            partly.pop_front();
        }
        partly.push_back((portion, sent));
    }
}

/// A plainer form of the whole would show the first part twice.
fn half_sent(error: SendError) -> SendError {
    match error {
        SendError::Rejected { why, .. } => {
            SendError::rejected(format!("only the first part was sent: {why}"))
        }
        other => other,
    }
}

fn noted(at: &Address, message: &RemoteMessageId, note: &str) -> Sent {
    Sent { note: Some(note.to_owned()), ..Sent::at(at, Some(message.clone())) }
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}

fn reply(to: MessageId) -> ReplyParameters {
    ReplyParameters::new(to).allow_sending_without_reply()
}
