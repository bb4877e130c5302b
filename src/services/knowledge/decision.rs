//! What the knowledge engine wants to say, and what has to be stored with it.
//! Not here: how it comes to that (`answer.rs`).

use serde::Serialize;

use super::article::ArticleId;
use super::stretch::{Citation, asked_key};

/// Why the knowledge engine proposes a human. Only the core can hand over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandoverHint {
    /// The article says that a technician has to do it.
    PolicyTopic,
    NothingFound,
    /// Everything that fits was already answered in this stretch.
    ExhaustedKnowledge,
}

/// What the engine wants to say. Texts are CommonMark.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Steps of an article; ends with "Did this help?".
    Answer {
        text: String,
        cites: Vec<Citation>,
        confidence: f32,
    },
    /// A question between close articles; `text` lists them by number, `options` are the same for buttons.
    AskBack {
        text: String,
        options: Vec<(ArticleId, String)>,
    },
    /// A human should take over. `text` says so without claiming that it happened; for a policy topic it
    /// begins with the first safe advice, from `cites`.
    Handover {
        reason: HandoverHint,
        text: String,
        cites: Vec<Citation>,
    },
    SmallTalk {
        text: String,
    },
}

impl Decision {
    pub fn text(&self) -> &str {
        match self {
            Self::Answer { text, .. }
            | Self::AskBack { text, .. }
            | Self::Handover { text, .. }
            | Self::SmallTalk { text } => text,
        }
    }

    /// What to store with the message and give back in `Turn::cites`, so that nothing is said twice and a
    /// choice is understood.
    pub fn cites(&self) -> Vec<String> {
        match self {
            Self::Answer { cites, .. } | Self::Handover { cites, .. } => {
                cites.iter().map(Citation::key).collect()
            }
            Self::AskBack { options, .. } => options.iter().map(|(slug, _)| asked_key(slug)).collect(),
            Self::SmallTalk { .. } => Vec::new(),
        }
    }
}
