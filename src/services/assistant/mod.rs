//! The assistant: one trait, two engines (A1). It proposes; it never acts.
//!
//! Not here: when a turn starts or dies (the core), how a text is delivered (the outbox).

mod budget;
mod data;
mod fallback;
mod guard;
mod knowledge;
#[cfg(test)]
mod knowledge_tests;
mod openai;
mod rewrite;
mod sources;
mod stretch;
mod suggest;
mod summary;
mod tools;
mod words;

use async_trait::async_trait;
use deskbridge_contract::{Action, Content};
use deskbridge_conversation::{Answer, ConversationId, RequesterId, TechnicianId};

pub use budget::Budget;
pub use fallback::FallbackEngine;
pub use knowledge::KnowledgeEngine;
pub use openai::{Clock, OpenAiEngine, OpenAiSettings, Patience, SettingsError};
pub use rewrite::{Draft, Rewriting};
pub use tools::{Bind, NoTools, OwnTicket, Tools};

/// Who said a line of the stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Requester,
    Assistant,
    Technician,
    /// Somebody else at the requester's place. Context: what is wished for, and whether something helped, they do not say.
    Bystander,
    /// An internal note: only for summaries and drafts, never for an answer to the requester.
    Note,
}

/// One message of the current stretch (A5), oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub by: Speaker,
    pub name: String,
    pub text: String,
    /// Names of attached files.
    pub files: Vec<String>,
}

/// What an engine may see: this stretch of this conversation and nothing else.
#[derive(Clone, Debug)]
pub struct Request {
    pub conversation: ConversationId,
    pub turn: u32,
    /// Two letters; answers are in this language.
    pub language: String,
    pub requester: String,
    /// Whose budget pays (S101): an id, because names are shared and can be changed. Never shown to a model.
    pub account: RequesterId,
    pub lines: Vec<Line>,
    /// Articles already used in this stretch.
    pub cited: Vec<String>,
}

/// One visible text, or the wish for people with the text that offers them.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub answer: Answer,
    /// Shown to the requester. For [`Answer::HandOver`] it is the question "shall I connect you?" itself, with the
    /// buttons [`yes`] and [`no`]; it never claims that anything happened already (T20).
    pub content: Option<Content>,
}

/// Where a streaming engine puts what it has so far. Hints only: the reply is what counts (D36).
pub trait Progress: Send + Sync {
    fn so_far(&self, text: &str);
}

/// Nobody watches.
pub struct Unwatched;
impl Progress for Unwatched {
    fn so_far(&self, _text: &str) {}
}

#[async_trait]
pub trait Assistant: Send + Sync {
    /// Takes the turn. Total: an outage is an [`Answer::Failed`], within 60 s whatever happens. Dropped when superseded.
    async fn answer(&self, request: &Request, progress: &dyn Progress) -> Reply;

    /// The four parts (A6) as CommonMark: intent, summary, service information, previous troubleshooting, and a next
    /// step with open questions. Never empty.
    async fn summarise(&self, request: &Request) -> String;

    /// A draft for a technician, with its sources; `None` when there is nothing worth suggesting.
    async fn suggest(&self, request: &Request, to: &TechnicianId) -> Option<Content>;

    /// Whose machines read what it is asked for, when they are not ours; for people.
    fn sends_words_to(&self) -> Option<String> {
        None
    }

    /// Whether [`Assistant::rewrite`] can be asked for at all: only a model has words of its own.
    fn rewrites(&self) -> bool {
        false
    }

    /// A technician's draft in other words (A7). `Err` says why not, for the technician. Within 30 s.
    async fn rewrite(&self, _draft: &Draft) -> Result<String, String> {
        Err("no model is configured".to_owned())
    }
}

/// The button that accepts "shall I connect you?".
pub fn yes(label: &str) -> Action {
    Action::new("yes", label)
}
/// The button that declines it.
pub fn no(label: &str) -> Action {
    Action::new("no", label)
}
/// The button that is under every answer.
pub fn human(label: &str) -> Action {
    Action::new("human", label)
}
