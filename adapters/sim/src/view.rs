//! What people see on the simulated platform, as plain data that the demo page and the tests read.
//!
//! Not here: how it changes.

use deskbridge_contract::{
    AttachmentKind, CardState, ChannelName, Content, DeliveryId, Interaction, Mark, Persona, RemoteFileId,
    RemoteMessageId, RemoteUserId, RoomId, Sender, ThreadId, ThreadTitle, Timestamp,
};
use serde::Serialize;

/// Everything at one moment. `seq` is the number of the last change that is in it.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    pub seq: u64,
    pub channel: ChannelName,
    pub style: &'static str,
    pub people: Vec<Sender>,
    pub rooms: Vec<Room>,
    pub whispers: Vec<Whisper>,
    pub toasts: Vec<ToastShown>,
}

/// One change, numbered without gaps, for a page that holds a [`Snapshot`].
#[derive(Clone, Debug, Serialize)]
pub struct Live {
    pub seq: u64,
    pub channel: ChannelName,
    #[serde(flatten)]
    pub change: Change,
}

/// Always the whole thing as it is now, never a difference: a reader replaces what it has under the same id.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    Message {
        room: RoomId,
        message: Box<Message>,
    },
    Thread {
        room: RoomId,
        thread: Thread,
    },
    Whisper {
        whisper: Box<Whisper>,
    },
    Toast {
        toast: ToastShown,
    },
    Typing {
        room: RoomId,
        thread: Option<ThreadId>,
        who: RemoteUserId,
        name: String,
    },
    /// The bridge was removed from the room, came back, or the room moved.
    Room {
        room: RoomId,
        gone: bool,
    },
}

#[derive(Clone, Debug, Serialize)]
pub struct Room {
    pub id: RoomId,
    pub threads: Vec<Thread>,
    /// In the order of their appearance, all threads together, deleted ones included.
    pub messages: Vec<Message>,
    /// The bridge was blocked or removed: sending fails with `Gone`.
    pub gone: bool,
    /// The room lives elsewhere now: sending fails with `Moved`.
    pub moved_to: Option<RoomId>,
}

impl Room {
    pub(crate) fn new(id: RoomId) -> Self {
        Room { id, threads: Vec::new(), messages: Vec::new(), gone: false, moved_to: None }
    }

    pub fn thread(&self, id: &ThreadId) -> Option<&Thread> {
        self.threads.iter().find(|t| t.id == *id)
    }

    pub fn message(&self, id: &RemoteMessageId) -> Option<&Message> {
        self.messages.get(crate::ids::message_index(id)?)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thread {
    pub id: ThreadId,
    pub title: Title,
    pub closed: bool,
    pub deleted: bool,
    /// The message under which the thread hangs, where the platform's threads have one.
    pub root: Option<RemoteMessageId>,
}

/// A thread's title as data and as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Title {
    pub state: CardState,
    pub reference: String,
    pub requester: String,
    pub subject: String,
    pub text: String,
}

impl From<&ThreadTitle> for Title {
    fn from(title: &ThreadTitle) -> Self {
        let mut text = format!("{} {} {}", title.state.sign(), title.reference, title.requester);
        if !title.subject.is_empty() {
            text.push_str(" · ");
            text.push_str(&title.subject);
        }
        Title {
            state: title.state,
            reference: title.reference.clone(),
            requester: title.requester.clone(),
            subject: title.subject.clone(),
            text,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub id: RemoteMessageId,
    pub thread: Option<ThreadId>,
    pub at: Timestamp,
    pub author: Author,
    pub content: Content,
    pub files: Vec<File>,
    pub reply_to: Option<RemoteMessageId>,
    /// What it said before each edit, oldest first.
    pub edits: Vec<Content>,
    pub deleted: bool,
    pub reactions: Vec<Reaction>,
    pub mark: Option<Mark>,
    pub read_by: Vec<RemoteUserId>,
    /// The delivery that made it, for the bridge's own messages.
    pub delivery: Option<DeliveryId>,
    /// How far a person's message got.
    pub arrival: Option<Arrival>,
}

impl Message {
    pub fn is_by_bridge(&self) -> bool {
        matches!(self.author, Author::Bridge { .. })
    }

    /// The name over the message: the persona's, the person's, or the bridge's own (`None`).
    pub fn name(&self) -> Option<&str> {
        match &self.author {
            Author::Person { name, .. } | Author::Bridge { name: Some(name), .. } => Some(name),
            Author::Bridge { name: None, .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Author {
    Person {
        id: RemoteUserId,
        name: String,
    },
    /// `name` is the persona's; none: the bridge speaks for itself.
    Bridge {
        name: Option<String>,
        assistant: bool,
    },
}

impl Author {
    pub(crate) fn bridge(persona: Option<&Persona>) -> Self {
        Author::Bridge {
            name: persona.map(|p| p.name.clone()),
            assistant: persona.is_some_and(|p| p.assistant),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    Sending,
    /// The bridge has it on disk.
    Received,
    /// The bridge refused it; the platform would try again (see [`crate::World::redeliver`]).
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    pub id: RemoteFileId,
    pub name: String,
    pub mime: String,
    pub size: u64,
    pub kind: AttachmentKind,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reaction {
    pub emoji: String,
    pub by: RemoteUserId,
}

/// Seen by one person only.
#[derive(Clone, Debug, Serialize)]
pub struct Whisper {
    pub number: usize,
    pub at: Timestamp,
    pub room: RoomId,
    pub thread: Option<ThreadId>,
    pub to: RemoteUserId,
    pub content: Content,
    pub delivery: DeliveryId,
    pub interaction: Option<Interaction>,
}

/// A short text over the pressed button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToastShown {
    pub to: RemoteUserId,
    pub interaction: String,
    pub text: String,
    pub alert: bool,
}
