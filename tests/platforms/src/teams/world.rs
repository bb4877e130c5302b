//! What there is in the fake: conversations, messages, people, the ledger of calls, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What happens to calls of the Connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, with this `Retry-After` and error code; nothing is done.
    Refuse { status: u16, retry_after: Option<u64>, code: &'static str },
    /// This status, after the message was shown: what a 502 may mean.
    DoneThen { status: u16 },
    /// The request is read and not answered for so long.
    Stall(Duration),
    /// The request is read and the connection closed.
    Hangup,
}

/// One request that the fake received.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub body: Value,
    pub status: u16,
}

impl Call {
    /// Whether it is one of the Connector's, and not for tokens or keys.
    pub fn is_connector(&self) -> bool {
        self.path.contains("/v3/")
    }
}

/// One message in a conversation.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    /// The bot's; else a person's.
    pub own: bool,
    pub activity: Value,
    pub deleted: bool,
}

#[derive(Debug, Default)]
pub struct World {
    pub base: String,
    /// Microseconds.
    pub now: i64,
    next: u64,
    /// By the conversation's id, a thread's with its `;messageid=`.
    pub conversations: BTreeMap<String, Vec<Message>>,
    /// Conversations in which the app is installed; a thread counts as its channel.
    pub installed: BTreeSet<String>,
    /// Conversations and threads that somebody deleted.
    pub lost: BTreeSet<String>,
    pub calls: Vec<Call>,
    pub fault: Option<Fault>,
    /// Good bearer tokens.
    pub tokens: BTreeSet<String>,
    /// What the caller did that the platform would refuse in silence, or a person would see as broken.
    pub violations: Vec<String>,
    /// Events by their handle: the signed activity, and whether it was answered 2xx.
    pub sent: BTreeMap<String, (Value, bool)>,
    /// Bodies of answers to invokes.
    pub answers: Vec<Value>,
    /// How often the set of keys was fetched.
    pub key_fetches: usize,
    /// How often a token was asked for, whatever came of it.
    pub token_asks: usize,
    /// Paths whose requests are read and not answered while they stand here.
    pub held: BTreeSet<&'static str>,
    /// The keys are published under these names; empty: the set is away.
    pub published: Vec<String>,
    pub endorsements: Vec<String>,
    /// Who is in every channel, by their numbers.
    pub members: Vec<u32>,
    /// What the flow took, and when.
    pub notices: Vec<(Instant, Value)>,
    /// When the flow was called, refused calls included.
    pub flow_calls: Vec<Instant>,
    /// Rights that Graph lists for the app in every team; `None`: the app may not ask.
    pub grants: Option<Vec<String>>,
    /// Good bearer tokens for Graph.
    pub graph_tokens: BTreeSet<String>,
    /// The status with which the flow refuses everything.
    pub flow_fault: Option<u16>,
}

impl World {
    pub(super) fn new(now: i64) -> World {
        World {
            now: now * 1_000_000,
            published: vec!["key-1".into()],
            endorsements: vec!["msteams".into()],
            members: vec![501, 601],
            ..World::default()
        }
    }

    /// A new id, as Teams makes them: milliseconds that never repeat. The clock goes on.
    pub fn tick(&mut self) -> String {
        self.next += 1;
        self.now += 1_000_000;
        format!("{}", self.now / 1000)
    }

    pub fn channel_of(conversation: &str) -> &str {
        conversation.split(";messageid=").next().unwrap_or(conversation)
    }

    pub(super) fn is_installed(&self, conversation: &str) -> bool {
        self.installed.contains(World::channel_of(conversation))
    }

    pub fn messages(&self, conversation: &str) -> &[Message] {
        self.conversations.get(conversation).map_or(&[], Vec::as_slice)
    }

    pub(super) fn find(&mut self, conversation: &str, id: &str) -> Option<&mut Message> {
        let messages = self.conversations.get_mut(conversation)?;
        messages.iter_mut().find(|message| message.id == id && !message.deleted)
    }

    /// Calls of the Connector so far, refused ones included.
    pub fn requests(&self) -> usize {
        self.calls.iter().filter(|call| call.is_connector()).count()
    }
}
