//! A technician's draft in other words, by the model.
//!
//! Not here: what a requester reads; a person looks at this first, and sends it or does not.

use tokio::time::Instant;

use super::chunk::Finish;
use super::failure::Failure;
use super::{OpenAiEngine, prompt};
use crate::assistant::{Draft, Request, guard};

impl OpenAiEngine {
    pub(super) async fn reworded(&self, draft: &Draft) -> Result<String, Failure> {
        // Their own account: what a technician asks for costs the requester nothing.
        let request = Request {
            conversation: draft.conversation,
            turn: 0,
            language: draft.language.clone(),
            requester: String::new(),
            account: deskbridge_conversation::RequesterId(format!("technician:{}", draft.by)),
            lines: Vec::new(),
            cited: Vec::new(),
        };
        let asked =
            prompt::request(&self.settings.model, prompt::reword_rules(draft), vec![prompt::draft(draft)]);
        let deadline = Instant::now() + self.settings.patience.reword;
        let mut unseen = |_: &str| ();
        let work = self.ask(&request, &asked, deadline, &mut unseen);
        let partial = self.guarded(deadline, work).await?;
        // Links that the technician wrote stay; others have no business here.
        let hosts: guard::Hosts = guard::hosts_in(&draft.text).collect();
        let text = guard::clean(partial.text.trim(), &hosts, LONGEST);
        match partial.finish {
            Some(Finish::Stop) if !text.is_empty() => Ok(text),
            Some(Finish::Length) => Err(Failure::ours("the draft is too long for the model")),
            _ => Err(Failure::last("the model had no other words")),
        }
    }
}

/// Characters of the new words.
const LONGEST: usize = 8_000;
