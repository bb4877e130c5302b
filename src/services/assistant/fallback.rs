//! Two engines in a row: when the first one fails, the second one answers (A1).
//!
//! Not here: what counts as a failure (each engine says so itself by [`Answer::Failed`]).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::Content;
use deskbridge_conversation::{Answer, TechnicianId};

use super::{Assistant, Draft, Progress, Reply, Request};

/// `then` answers what `first` could not. It must be quick: what is left of the turn's time is little.
#[derive(Clone)]
pub struct FallbackEngine {
    first: Arc<dyn Assistant>,
    then: Arc<dyn Assistant>,
}

impl fmt::Debug for FallbackEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackEngine").finish_non_exhaustive()
    }
}

impl FallbackEngine {
    pub fn new(first: Arc<dyn Assistant>, then: Arc<dyn Assistant>) -> Self {
        FallbackEngine { first, then }
    }
}

#[async_trait]
impl Assistant for FallbackEngine {
    async fn answer(&self, request: &Request, progress: &dyn Progress) -> Reply {
        let reply = self.first.answer(request, progress).await;
        match &reply.answer {
            Answer::Failed { why } => {
                tracing::warn!(conversation = %request.conversation, turn = request.turn, %why, "the second engine answers");
                self.then.answer(request, progress).await
            }
            Answer::Said { .. } | Answer::AskedBack { .. } | Answer::HandOver { .. } => reply,
        }
    }

    async fn summarise(&self, request: &Request) -> String {
        let summary = self.first.summarise(request).await;
        if summary.trim().is_empty() { self.then.summarise(request).await } else { summary }
    }

    async fn suggest(&self, request: &Request, to: &TechnicianId) -> Option<Content> {
        match self.first.suggest(request, to).await {
            Some(draft) => Some(draft),
            None => self.then.suggest(request, to).await,
        }
    }

    fn sends_words_to(&self) -> Option<String> {
        self.first.sends_words_to().or_else(|| self.then.sends_words_to())
    }

    fn rewrites(&self) -> bool {
        self.first.rewrites() || self.then.rewrites()
    }

    async fn rewrite(&self, draft: &Draft) -> Result<String, String> {
        if self.first.rewrites() { self.first.rewrite(draft).await } else { self.then.rewrite(draft).await }
    }
}
