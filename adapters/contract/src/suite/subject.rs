//! What an adapter's test has to provide so that the suite can drive it: the adapter and its fake platform.
//!
//! Not here: what is checked.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Clause;
use crate::adapter::{Adapter, Inbox};
use crate::address::{Address, RemoteMessageId};
use crate::error::TranslateError;
use crate::outbound::Sent;
use crate::time::Timestamp;

/// One adapter, connected to a fake platform that the test controls.
///
/// How to implement it: start the fake platform in the constructor, make the adapter with *short* time-outs (a second or
/// less), and translate each method into calls on the fake. Where a method answers `None` or `false`, that case does not
/// exist on the platform; it is then noted in the report. A clause of which nothing could be checked fails, unless
/// [`Subject::exempt`] names it with a reason.
///
/// The clock of the fake platform should stand far from the real one (C10), and its pace limits should be off.
#[async_trait]
pub trait Subject: Send {
    /// For the report: `telegram, webhook`.
    fn name(&self) -> String;

    /// The adapter under test. The same one every time.
    fn adapter(&self) -> Arc<dyn Adapter>;

    /// Clauses that mean nothing on this platform, each with the reason, as a sentence for people.
    fn exempt(&self) -> Vec<(Clause, &'static str)> {
        Vec::new()
    }

    /// A private chat with a person who has started the bridge. It exists, and may be written to.
    fn home(&self) -> Address;

    /// A desk room, where the platform has threads.
    fn desk(&self) -> Option<Address>;

    // --- receiving ---

    /// Starts receiving: calls [`Adapter::intake`] with `inbox`, runs its future, serves its routes. Called once, first.
    async fn start(&mut self, inbox: Inbox);

    /// Stops receiving. Called once, last.
    async fn stop(&mut self) {}

    /// Makes a person do something on the fake platform, which delivers the event in its own way.
    /// Returns as soon as the platform has it: the suite itself waits for the push. `None`: there is no such event.
    async fn cause(&mut self, act: &Act) -> Option<Caused>;

    /// The platform delivers the event once more, exactly as it would after a lost acknowledgement. Starts the intake
    /// anew if it has ended, as the supervisor would.
    async fn redeliver(&mut self, caused: &Caused);

    /// Whether the platform takes the event as delivered: answered 2xx, or the cursor advanced beyond it.
    async fn acknowledged(&mut self, caused: &Caused) -> bool;

    /// Gives what should not happen the time to happen: returns when the adapter had every chance to answer, ask again,
    /// or push once more. On a polling platform: after two more polls, or after a quiet moment that the fake measures.
    async fn settle(&mut self);

    /// The platform tells the bridge of the bridge's own message, where it does such things. False: it never does.
    async fn echo(&mut self, sent: &Sent) -> bool;

    /// Delivers a raw payload the way events come, with a good signature. `None`: payloads cannot be handed in raw.
    async fn deliver_raw(&mut self, payload: &[u8]) -> Option<Caused>;

    /// Delivers a good event with a bad signature. `None`: there is no such forgery here.
    async fn forge(&mut self, forgery: Forgery) -> Option<Verdict>;

    // --- translating ---

    /// Recorded payloads, one per kind of event that the platform has.
    fn fixtures(&self) -> Vec<Fixture>;

    /// The adapter's pure translation of one payload. Must not panic, whatever it is given.
    fn translate(&self, payload: &[u8]) -> Translated;

    // --- sending ---

    /// What a person sees at the address now, oldest first, deleted messages left out.
    async fn shown(&mut self, at: &Address) -> Vec<Shown>;

    /// From now on every send goes wrong like this, until [`Subject::mend`]. False: it cannot on this platform.
    async fn break_sends(&mut self, how: &Breakage) -> bool;

    async fn mend(&mut self);

    /// How many requests to send (or edit, or delete …) the platform has received so far, refused ones included.
    /// `None`: the fake does not count.
    async fn requests(&mut self) -> Option<usize> {
        None
    }

    // --- hygiene ---

    /// Tokens and secrets with which the adapter was made; no error and no log line may hold one.
    fn secrets(&self) -> Vec<String>;

    /// Everything that was logged so far, where the test captures logs.
    fn logs(&self) -> Option<String> {
        None
    }

    /// The adapter's `example.toml`. `None`: it has no configuration.
    fn example(&self) -> Option<String>;

    /// Reads a configuration as the program would; the error as people see it.
    fn parse_config(&self, toml: &str) -> Result<(), String>;

    /// Texts by which one could ping, command or break the format on this very platform: `<!channel>`, `<@U1>`.
    /// One line each.
    fn hostile(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a person does. Messages named in it are on the platform, at that address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Writes plain text: what a person types, without any markup in their client.
    Say {
        at: Address,
        text: String,
        reply_to: Option<RemoteMessageId>,
    },
    /// Changes an own message.
    Edit {
        at: Address,
        message: RemoteMessageId,
        text: String,
    },
    /// Deletes an own message.
    Delete {
        at: Address,
        message: RemoteMessageId,
    },
    React {
        at: Address,
        message: RemoteMessageId,
        emoji: &'static str,
        on: bool,
    },
    /// Presses a button that the bridge sent.
    Press {
        at: Address,
        message: RemoteMessageId,
        action: String,
    },
    Start {
        payload: Option<String>,
    },
    Type {
        at: Address,
    },
    /// Reads up to a message of the bridge.
    Read {
        at: Address,
        message: RemoteMessageId,
    },
    /// Blocks the bridge in the private chat.
    Leave,
    /// Takes it back.
    Return,
    CloseThread {
        at: Address,
    },
    ReopenThread {
        at: Address,
    },
}

/// One event on the fake platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caused {
    /// The subject's own handle, opaque to the suite.
    pub handle: String,
    /// The time that the platform gave the event, where it gives one.
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct Fixture {
    pub name: String,
    pub payload: Vec<u8>,
}

/// What became of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Translated {
    /// That many events.
    Events(usize),
    /// Known, and of no interest, or the bridge's own.
    Ignored,
    Fault(TranslateError),
}

/// One message as a person reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub message: Option<RemoteMessageId>,
    /// Plain text, markup applied and gone.
    pub text: String,
    pub buttons: Vec<String>,
    /// Emoji on it, by whomever.
    pub reactions: Vec<String>,
    /// Whom it notifies by name or as a group: mentions that work.
    pub pings: Vec<String>,
    /// Where its links lead.
    pub links: Vec<String>,
}

/// How sending goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// 429 with this time to wait.
    RateLimited { after: Duration },
    /// 500, 502 or 503.
    ServerError,
    /// The request is read and never answered.
    NoAnswer,
    /// Nobody listens.
    NoConnection,
    /// 401.
    BadCredentials,
    /// 403: blocked, kicked.
    Blocked,
    /// The thread of the address was deleted, the room is there.
    ThreadDeleted,
    /// The content is refused for its form; a plainer one would pass.
    BadFormatting,
    /// The room has a new address.
    RoomMoved { to: Address },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    NoSignature,
    EmptySignature,
    /// Well-formed and wrong.
    WrongSignature,
    /// Right, by another secret.
    OtherSecret,
    /// The right one, cut short.
    TruncatedSignature,
    /// The right one, of another body.
    TamperedBody,
    OldTimestamp,
    FutureTimestamp,
}

impl Forgery {
    pub const ALL: [Forgery; 8] = [
        Forgery::NoSignature,
        Forgery::EmptySignature,
        Forgery::WrongSignature,
        Forgery::OtherSecret,
        Forgery::TruncatedSignature,
        Forgery::TamperedBody,
        Forgery::OldTimestamp,
        Forgery::FutureTimestamp,
    ];
}

/// What the adapter answered to a forged event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 401 or 403.
    Refused,
    /// Anything else.
    Taken,
}
