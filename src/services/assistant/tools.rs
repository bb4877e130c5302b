//! What a model may do: three tools, bound by us to one conversation; no argument names a person or a conversation (A3).
//!
//! Not here: the wire format of tool calls (`openai/`), what a handover does (the core).

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_conversation::{ConversationId, TicketStatus};
use deskbridge_store::Read;
use serde::Deserialize;

use super::Request;
use super::sources::Sources;
use super::words::Words;
use crate::knowledge::Knowledge;
use crate::tickets::shown;

/// Bytes of a call's arguments; a model that writes more is not asking for anything.
const ARGUMENTS: usize = 8 << 10;
const QUERY: usize = 500;
const HITS: usize = 3;

/// What the host lends to one request. Each is already bound to that request's conversation.
#[async_trait]
pub trait Tools: Send + Sync {
    /// The requester's ticket of this conversation, in words; `None` when there is none.
    async fn my_ticket(&self) -> Option<String>;
}

/// Makes the tools of one request. The conversation comes from the host's own request, never from a text.
pub type Bind = Arc<dyn Fn(&Request) -> Arc<dyn Tools> + Send + Sync>;

/// No tickets to look at.
#[derive(Clone, Copy, Debug)]
pub struct NoTools;

#[async_trait]
impl Tools for NoTools {
    async fn my_ticket(&self) -> Option<String> {
        None
    }
}

/// The ticket as the embedded desk has it.
#[derive(Clone)]
pub struct OwnTicket {
    read: Arc<dyn Read>,
    conversation: ConversationId,
}

impl OwnTicket {
    pub fn new(read: Arc<dyn Read>, conversation: ConversationId) -> Self {
        OwnTicket { read, conversation }
    }

    /// For [`super::OpenAiEngine::with_tools`].
    pub fn bind(read: Arc<dyn Read>) -> Bind {
        Arc::new(move |request| Arc::new(OwnTicket::new(read.clone(), request.conversation)))
    }
}

#[async_trait]
impl Tools for OwnTicket {
    /// Number, status and first line; no comments: internal ones are among them.
    async fn my_ticket(&self) -> Option<String> {
        let ticket = self.read.ticket_of(self.conversation).await.ok()??;
        let status = match ticket.status {
            TicketStatus::Open => "open",
            TicketStatus::Resolved => "resolved",
            TicketStatus::Closed => "closed",
        };
        Some(format!("{}: {status}. {}", shown(ticket.number), ticket.summary))
    }
}

/// A tool as it is offered to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    /// JSON schema of the arguments.
    pub(super) arguments: &'static str,
}

pub(super) const OFFERED: [Offered; 3] = [
    Offered {
        name: "search_knowledge",
        description: "Search the knowledge base of the service desk. Use it when the articles that you have do not answer the question.",
        arguments: r#"{"type":"object","properties":{"query":{"type":"string","description":"A few words: the program or device and what is wrong."}},"required":["query"],"additionalProperties":false}"#,
    },
    Offered {
        name: "hand_over",
        description: "Offer the requester a technician: when the articles do not help, when a technician has to do it, or when the requester is stuck.",
        arguments: r#"{"type":"object","properties":{"reason":{"type":"string","description":"Why, in a few words, for the technician."}},"required":["reason"],"additionalProperties":false}"#,
    },
    Offered {
        name: "my_ticket",
        description: "The requester's ticket for this conversation: its number and status.",
        arguments: r#"{"type":"object","properties":{},"additionalProperties":false}"#,
    },
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HandOver {
    #[serde(default, rename = "reason")]
    _reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Given back to the model, as data.
    Data(String),
    /// The turn ends: people are offered.
    HandOver,
}

/// One line of the log that says what a model did, and not what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Called {
    /// One of [`OFFERED`], or "unknown": a name that a model made up is not logged.
    pub(super) tool: &'static str,
    pub(super) allowed: bool,
}

/// The tools of one turn.
pub(super) struct Bench<'a> {
    pub(super) knowledge: &'a Knowledge,
    pub(super) words: &'static Words,
    pub(super) own: Arc<dyn Tools>,
    pub(super) sources: Sources,
    pub(super) log: Vec<Called>,
}

impl Bench<'_> {
    /// Carries out one proposed call, or refuses it. Complete mediation: there is no other way from a model to anything.
    pub(super) async fn call(&mut self, name: &str, arguments: &str) -> Outcome {
        let tool = OFFERED.iter().map(|tool| tool.name).find(|tool| *tool == name).unwrap_or("unknown");
        let outcome = if arguments.len() > ARGUMENTS { None } else { self.work(tool, arguments).await };
        let allowed = outcome.is_some();
        self.log.push(Called { tool, allowed });
        if !allowed {
            tracing::warn!(tool, "a tool call was refused");
        }
        outcome.unwrap_or_else(|| Outcome::Data("refused: no such tool, or wrong arguments".to_owned()))
    }

    async fn work(&mut self, tool: &str, arguments: &str) -> Option<Outcome> {
        // Some models send nothing at all where nothing is needed.
        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
        match tool {
            "search_knowledge" => {
                let Search { query } = serde_json::from_str(arguments).ok()?;
                let query: String = query.chars().take(QUERY).collect();
                let found = self.sources.add(&self.knowledge.search(&query, HITS));
                Some(Outcome::Data(if found.is_empty() { "no article fits".to_owned() } else { found }))
            }
            "hand_over" => {
                let HandOver { .. } = serde_json::from_str(arguments).ok()?;
                Some(Outcome::HandOver)
            }
            "my_ticket" => {
                let Nothing {} = serde_json::from_str(arguments).ok()?;
                let ticket = self.own.my_ticket().await;
                Some(Outcome::Data(ticket.unwrap_or_else(|| "there is no ticket".to_owned())))
            }
            _ => None,
        }
    }
}
