//! What people do: each act changes what everybody sees and pushes the event, where the platform tells the bridge.
//!
//! Not here: what the bridge makes of it.

use bytes::Bytes;
use deskbridge_contract::{
    Address, Attachment, AttachmentKind, AttachmentSource, Content, Inbound, InboundEvent, Interaction,
    PushError, Receipt, RemoteEventId, RemoteFileId, RemoteMessageId, RemoteUserId, ThreadChange, ThreadId,
    ThreadStyle,
};

use crate::ids;
use crate::view::{Arrival, Author, Change, File, Message, Reaction, Room, Thread, Title};
use crate::world::{State, World};

/// What an act came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// The `n` of the event `s{n}`; `None` where this platform does not tell the bridge.
    pub event: Option<u64>,
    /// The message that was written or touched.
    pub message: Option<RemoteMessageId>,
    pub receipt: Receipt,
}

/// Why an act failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// The bridge did not take the event. What people see has changed all the same; redeliver later.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The thing acted on does not exist: a mistake in the test or in the page.
    #[error("there is no {0}")]
    Nothing(String),
}

impl SimError {
    pub(crate) fn nothing(what: impl Into<String>) -> Self {
        SimError::Nothing(what.into())
    }
}

/// What an act does under the lock: changes the view and says what event to raise, if any.
type Act = (Option<InboundEvent>, Option<RemoteMessageId>);

impl World {
    /// Runs one act in the room's order and pushes its event.
    async fn act(
        &self,
        user: &str,
        at: &Address,
        change: impl FnOnce(&mut State) -> Result<Act, SimError>,
    ) -> Result<Pushed, SimError> {
        let order = self.order_of(&at.room);
        let _order = order.lock().await;
        let (number, message) = {
            let mut state = self.state();
            let from = state.person(user);
            let (event, message) = change(&mut state)?;
            let number = event.map(|event| {
                let now = message.as_ref().filter(|_| matches!(event, InboundEvent::Posted { .. }));
                let posted = now.and_then(|id| state.rooms.get(&at.room)?.message(id)).map(|m| m.at);
                let time = posted.unwrap_or_else(|| state.now());
                let mut pressed = None;
                let number = state.raise(|number| {
                    if matches!(event, InboundEvent::Invoked { .. }) {
                        pressed = Some(Interaction { id: ids::interaction(number) });
                    }
                    let (id, address) = (RemoteEventId::new(""), at.clone());
                    Inbound { id, at: time, from, address, event, interaction: pressed.clone() }
                });
                if let Some(interaction) = pressed {
                    state.interactions.insert(interaction.id, (RemoteUserId(user.to_owned()), false));
                }
                number
            });
            (number, message)
        };
        let receipt = match number {
            Some(number) => self.push_event(number).await?,
            None => Receipt::default(),
        };
        Ok(Pushed { event: number, message, receipt })
    }

    /// The message's own address: whoever acts on the root of a thread acts in that thread.
    fn where_is(&self, at: &Address, message: &RemoteMessageId) -> Address {
        match self.message(at, message) {
            Some(found) => Address { thread: found.thread, ..at.clone() },
            None => at.clone(),
        }
    }

    /// Writes plain text.
    pub async fn say(&self, user: &str, at: &Address, text: &str) -> Result<Pushed, SimError> {
        self.post(user, at, Content::text(text), None).await
    }

    /// Writes a message: text, files from [`World::upload`], perhaps as an answer to another message.
    pub async fn post(
        &self,
        user: &str,
        at: &Address,
        content: Content,
        reply_to: Option<RemoteMessageId>,
    ) -> Result<Pushed, SimError> {
        let style = self.inner.style.capabilities.threads;
        self.act(user, at, |state| {
            if let Some(thread) = &at.thread {
                open_thread_exists(state.room_mut(&at.room), thread, style)?;
            }
            let person = state.person(user);
            let name = person.display_name.unwrap_or_else(|| user.to_owned());
            let files = files_of(state, &content)?;
            let message = Message {
                id: RemoteMessageId::new(""),
                thread: at.thread.clone(),
                at: state.now(),
                author: Author::Person { id: person.id, name },
                content: content.clone(),
                files,
                reply_to: reply_to.clone(),
                edits: Vec::new(),
                deleted: false,
                reactions: Vec::new(),
                mark: None,
                read_by: Vec::new(),
                delivery: None,
                arrival: Some(Arrival::Sending),
            };
            let id = state.show(&at.room, message);
            let event = InboundEvent::Posted { message: id.clone(), content, reply_to };
            Ok((Some(event), Some(id)))
        })
        .await
    }

    /// Puts a file on the platform; the attachment goes into a message's content.
    pub fn upload(&self, name: &str, mime: &str, bytes: impl Into<Bytes>) -> Attachment {
        let bytes = bytes.into();
        let kind = match mime.split('/').next() {
            Some("image") => AttachmentKind::Image,
            Some("video") => AttachmentKind::Video,
            Some("audio") => AttachmentKind::Audio,
            _ => AttachmentKind::File,
        };
        let size = bytes.len() as u64;
        let id = RemoteFileId::new("");
        let file = File { id, name: name.to_owned(), mime: mime.to_owned(), size, kind };
        let file = self.state().store_file(file, bytes);
        let source = AttachmentSource::Remote(file.id);
        Attachment { name: file.name, mime: file.mime, size, kind, source }
    }

    /// Changes an own message's text.
    pub async fn edit(
        &self,
        user: &str,
        at: &Address,
        message: &RemoteMessageId,
        text: &str,
    ) -> Result<Pushed, SimError> {
        let heard = self.inner.style.capabilities.hears_edits;
        let at = &self.where_is(at, message);
        self.act(user, at, |state| {
            let shown = own(state, user, at, message)?;
            let before = shown.content.clone();
            shown.content.text = text.to_owned();
            let content = shown.content.clone();
            shown.edits.push(before);
            state.emit_message(&at.room, message);
            let event = InboundEvent::Edited { message: message.clone(), content };
            Ok((heard.then_some(event), Some(message.clone())))
        })
        .await
    }

    /// Deletes an own message.
    pub async fn delete(
        &self,
        user: &str,
        at: &Address,
        message: &RemoteMessageId,
    ) -> Result<Pushed, SimError> {
        let heard = self.inner.style.capabilities.hears_deletes;
        let at = &self.where_is(at, message);
        self.act(user, at, |state| {
            own(state, user, at, message)?.deleted = true;
            state.emit_message(&at.room, message);
            let event = InboundEvent::Deleted { message: message.clone() };
            Ok((heard.then_some(event), Some(message.clone())))
        })
        .await
    }

    /// Reacts, or takes the reaction back (`on` false).
    pub async fn react(
        &self,
        user: &str,
        at: &Address,
        message: &RemoteMessageId,
        emoji: &str,
        on: bool,
    ) -> Result<Pushed, SimError> {
        let heard = self.inner.style.capabilities.hears_reactions;
        let at = &self.where_is(at, message);
        self.act(user, at, |state| {
            let shown = existing(state, at, message)?;
            shown.set_reaction(emoji, &RemoteUserId(user.to_owned()), on);
            state.emit_message(&at.room, message);
            let event =
                InboundEvent::Reacted { message: message.clone(), emoji: emoji.to_owned(), added: on };
            Ok((heard.then_some(event), Some(message.clone())))
        })
        .await
    }

    /// Presses a button that a message carries.
    pub async fn press(
        &self,
        user: &str,
        at: &Address,
        message: &RemoteMessageId,
        action: &str,
    ) -> Result<Pushed, SimError> {
        let at = &self.where_is(at, message);
        self.act(user, at, |state| {
            let shown = existing(state, at, message)?;
            let found = shown.content.actions.iter().find(|a| a.id == action);
            let action =
                found.ok_or_else(|| SimError::nothing(format!("button {action} under {message}")))?;
            let (action, value) = (action.id.clone(), action.value.clone());
            let event = InboundEvent::Invoked { action, value, message: Some(message.clone()) };
            Ok((Some(event), Some(message.clone())))
        })
        .await
    }

    /// Presses a button under something that was whispered to this person.
    pub async fn press_whisper(&self, user: &str, number: usize, action: &str) -> Result<Pushed, SimError> {
        let found = self.whispers(user).into_iter().find(|w| w.number == number);
        let whisper = found.ok_or_else(|| SimError::nothing(format!("whisper {number} to {user}")))?;
        let found = whisper.content.actions.iter().find(|a| a.id == action);
        let action =
            found.ok_or_else(|| SimError::nothing(format!("button {action} under whisper {number}")))?;
        let at = Address { thread: whisper.thread.clone(), ..self.room(whisper.room.as_str()) };
        self.invoke(user, &at, &action.id, action.value.as_deref(), None).await
    }

    /// Uses a platform command, or presses a button that is not there any more.
    pub async fn invoke(
        &self,
        user: &str,
        at: &Address,
        action: &str,
        value: Option<&str>,
        message: Option<RemoteMessageId>,
    ) -> Result<Pushed, SimError> {
        let (action, value) = (action.to_owned(), value.map(str::to_owned));
        let event = InboundEvent::Invoked { action, value, message: message.clone() };
        self.act(user, at, |_| Ok((Some(event), message))).await
    }

    /// Opens the bot for the first time, in the person's private room.
    pub async fn start(&self, user: &str, payload: Option<&str>) -> Result<Pushed, SimError> {
        let event = InboundEvent::Started { payload: payload.map(str::to_owned) };
        self.act(user, &self.direct(user), |_| Ok((Some(event), None))).await
    }

    /// Blocks the bridge, or removes it from the room. Sending there is `Gone` from now on.
    pub async fn leave(&self, user: &str, at: &Address) -> Result<Pushed, SimError> {
        self.set_gone(user, at, true).await
    }

    /// Unblocks the bridge, or takes it back into the room.
    pub async fn come_back(&self, user: &str, at: &Address) -> Result<Pushed, SimError> {
        self.set_gone(user, at, false).await
    }

    async fn set_gone(&self, user: &str, at: &Address, gone: bool) -> Result<Pushed, SimError> {
        let at = Address { thread: None, ..at.clone() };
        self.act(user, &at, |state| {
            state.room_mut(&at.room).gone = gone;
            state.emit(Change::Room { room: at.room.clone(), gone });
            Ok((Some(if gone { InboundEvent::Left } else { InboundEvent::Returned }), None))
        })
        .await
    }

    /// Reads everything at the address up to and including a message.
    pub async fn read(&self, user: &str, at: &Address, up_to: &RemoteMessageId) -> Result<Pushed, SimError> {
        let heard = self.inner.style.capabilities.hears_reads;
        self.act(user, at, |state| {
            existing(state, at, up_to)?;
            let reader = RemoteUserId(user.to_owned());
            let last = ids::message_index(up_to).unwrap_or_default();
            let read: Vec<RemoteMessageId> = (state.room_mut(&at.room).messages.iter_mut().take(last + 1))
                .filter(|m| m.thread == at.thread && !m.read_by.contains(&reader))
                .map(|m| {
                    m.read_by.push(reader.clone());
                    m.id.clone()
                })
                .collect();
            for message in &read {
                state.emit_message(&at.room, message);
            }
            let event = InboundEvent::Read { up_to: up_to.clone() };
            Ok((heard.then_some(event), Some(up_to.clone())))
        })
        .await
    }

    /// Is typing. Nobody but the bridge sees it.
    pub async fn type_something(&self, user: &str, at: &Address) -> Result<Pushed, SimError> {
        self.act(user, at, |_| Ok((Some(InboundEvent::Typing), None))).await
    }

    /// Opens a thread by hand, where threads stand beside the card. The bridge hears of it by the first message.
    pub fn open_thread(&self, at: &Address, title: &str) -> Address {
        let mut state = self.state();
        let room = state.room_mut(&at.room);
        let id = ids::thread(room.threads.len());
        room.threads.push(Thread {
            id: id.clone(),
            title: Title::by_hand(title),
            closed: false,
            deleted: false,
            root: None,
        });
        state.emit_thread(&at.room, &id);
        Address { thread: Some(id), ..at.clone() }
    }

    /// Closes, reopens or deletes a thread.
    pub async fn change_thread(
        &self,
        user: &str,
        at: &Address,
        change: ThreadChange,
    ) -> Result<Pushed, SimError> {
        self.act(user, at, |state| {
            let id = at.thread.clone().ok_or_else(|| SimError::nothing("thread in the address"))?;
            let thread =
                state.thread_mut(&at.room, &id).ok_or_else(|| SimError::nothing(format!("thread {id}")))?;
            match change {
                ThreadChange::Closed => thread.closed = true,
                ThreadChange::Reopened => thread.closed = false,
                ThreadChange::Deleted => thread.deleted = true,
            }
            state.emit_thread(&at.room, &id);
            Ok((Some(InboundEvent::ThreadChanged { change }), None))
        })
        .await
    }

    /// The platform moves a room with all its content; the old one answers `Moved` from now on.
    pub async fn move_room(&self, user: &str, from: &Address, to: &str) -> Result<Pushed, SimError> {
        let from = Address { thread: None, ..from.clone() };
        let new = self.room(to);
        self.act(user, &from, |state| {
            let old = state.room_mut(&from.room);
            old.moved_to = Some(new.room.clone());
            let moved = Room { id: new.room.clone(), moved_to: None, ..old.clone() };
            state.rooms.insert(new.room.clone(), moved);
            state.emit(Change::Room { room: from.room.clone(), gone: true });
            Ok((Some(InboundEvent::RoomMoved { to: new.clone() }), None))
        })
        .await
    }
}

impl Title {
    fn by_hand(text: &str) -> Self {
        Title {
            state: deskbridge_contract::CardState::Assisting,
            reference: String::new(),
            requester: String::new(),
            subject: text.to_owned(),
            text: text.to_owned(),
        }
    }
}

impl Message {
    pub(crate) fn set_reaction(&mut self, emoji: &str, by: &RemoteUserId, on: bool) {
        self.reactions.retain(|r| !(r.emoji == emoji && r.by == *by));
        if on {
            self.reactions.push(Reaction { emoji: emoji.to_owned(), by: by.clone() });
        }
    }
}

/// People may write in a thread that is there, or under any message where threads hang under messages.
fn open_thread_exists(room: &Room, thread: &ThreadId, style: ThreadStyle) -> Result<(), SimError> {
    let under = RemoteMessageId(thread.0.clone());
    let known = room.thread(thread).is_some_and(|t| !t.deleted)
        || (style == ThreadStyle::RootIsCard && room.message(&under).is_some_and(|m| m.thread.is_none()));
    if known { Ok(()) } else { Err(SimError::nothing(format!("thread {thread} in {}", room.id))) }
}

fn existing<'a>(
    state: &'a mut State,
    at: &Address,
    id: &RemoteMessageId,
) -> Result<&'a mut Message, SimError> {
    let message = state.message_mut(&at.room, id).filter(|m| !m.deleted);
    message.ok_or_else(|| SimError::nothing(format!("message {id} in {}", at.room)))
}

fn own<'a>(
    state: &'a mut State,
    user: &str,
    at: &Address,
    id: &RemoteMessageId,
) -> Result<&'a mut Message, SimError> {
    let message = existing(state, at, id)?;
    let is_own = matches!(&message.author, Author::Person { id, .. } if id.as_str() == user);
    if is_own { Ok(message) } else { Err(SimError::nothing(format!("message {id} by {user}"))) }
}

fn files_of(state: &State, content: &Content) -> Result<Vec<File>, SimError> {
    let remote = content.attachments.iter().filter_map(|a| match &a.source {
        AttachmentSource::Remote(id) => Some(id),
        AttachmentSource::Blob { .. } | AttachmentSource::Missing { .. } => None,
    });
    remote
        .map(|id| {
            state
                .files
                .get(id)
                .map(|(file, _)| file.clone())
                .ok_or_else(|| SimError::nothing(format!("file {id}")))
        })
        .collect()
}
