//! The built-in engine: answers from the knowledge base, needs no key and no network (A1).
//!
//! Not here: how articles are found and what is said with them (`knowledge/`).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::Content;
use deskbridge_conversation::{Answer, HandoverReason, TechnicianId};

use super::stretch::{Stretch, has_only_files};
use super::words::{connect, human, words};
use super::{Assistant, Progress, Reply, Request, Speaker, suggest, summary};
use crate::knowledge::{Decision, HandoverHint, KnowledgeBase, decide};

/// Answers with the articles of `base`. Cheap to clone.
#[derive(Clone)]
pub struct KnowledgeEngine {
    base: Arc<KnowledgeBase>,
}

impl fmt::Debug for KnowledgeEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnowledgeEngine").field("folder", &self.base.folder()).finish_non_exhaustive()
    }
}

impl KnowledgeEngine {
    pub fn new(base: Arc<KnowledgeBase>) -> Self {
        KnowledgeEngine { base }
    }

    /// The reply, at once: nothing here waits.
    pub fn reply(&self, request: &Request) -> Reply {
        if has_only_files(request) {
            return only_files(request);
        }
        let knowledge = self.base.current();
        let stretch = Stretch::read(&knowledge, request);
        let decision = decide(&knowledge, &stretch.turns, &stretch.left, &request.language);
        let cites = decision.cites();
        let (answer, text) = match decision {
            Decision::Answer { text, .. } => (Answer::Said { cites }, text),
            Decision::AskBack { text, .. } => (Answer::AskedBack { cites }, text),
            Decision::SmallTalk { text } => (Answer::Said { cites: Vec::new() }, text),
            Decision::Handover { reason, text, .. } => {
                let reason = match reason {
                    HandoverHint::PolicyTopic => HandoverReason::PolicyTopic,
                    HandoverHint::NothingFound | HandoverHint::ExhaustedKnowledge => {
                        HandoverReason::LowConfidence
                    }
                };
                let content = Some(connect(&text, &request.language));
                return Reply { answer: Answer::HandOver { reason }, content };
            }
        };
        let content = Content::text(text).with_actions(human(&request.language));
        Reply { answer, content: Some(content) }
    }
}

/// Asks what is wrong; who answers that with another picture is offered somebody who can see it.
pub(super) fn only_files(request: &Request) -> Reply {
    let [first, again] = words(&request.language).only_files;
    let was_said =
        request.lines.iter().any(|line| line.by == Speaker::Assistant && line.text.contains(first));
    if was_said {
        let content = Some(connect(again, &request.language));
        return Reply { answer: Answer::HandOver { reason: HandoverReason::LowConfidence }, content };
    }
    let content = Content::text(first).with_actions(human(&request.language));
    Reply { answer: Answer::Said { cites: Vec::new() }, content: Some(content) }
}

#[async_trait]
impl Assistant for KnowledgeEngine {
    async fn answer(&self, request: &Request, _progress: &dyn Progress) -> Reply {
        self.reply(request)
    }

    async fn summarise(&self, request: &Request) -> String {
        summary::of(request, &self.base.current())
    }

    async fn suggest(&self, request: &Request, _to: &TechnicianId) -> Option<Content> {
        suggest::draft(request, &self.base.current())
    }
}
