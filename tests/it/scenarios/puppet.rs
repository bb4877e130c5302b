//! An assistant on strings, for talks that name no knowledge: its answer shows what it was given.
//!
//! Not here: any engine of the product. A word in the requester's last message pulls a string:
//! `unsure` and `policy` want people, `tool` calls for them, `crash` fails, `mute` has nothing to say, `slow` waits for
//! `assistant goes on`, `hang` never ends, `promise` says that people were called although nobody was.

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::Content;
use deskbridge_conversation::{Answer, HandoverReason, TechnicianId};
use deskbridge_services::assistant::{Assistant, Line, Progress, Reply, Request, Speaker, human, no, yes};
use tokio::sync::watch;

#[derive(Clone, Default)]
pub struct Puppet {
    gate: Arc<watch::Sender<u64>>,
}

impl Puppet {
    /// Every answer that waits now is given.
    pub fn goes_on(&self) {
        self.gate.send_modify(|n| *n += 1);
    }
}

/// What the requester said since the assistant's last word, and how much of the stretch was seen in all.
fn heard(request: &Request) -> (Vec<&Line>, String) {
    let after = request.lines.iter().rposition(|line| line.by == Speaker::Assistant).map_or(0, |at| at + 1);
    let new: Vec<&Line> =
        request.lines[after..].iter().filter(|line| line.by == Speaker::Requester).collect();
    let said: Vec<String> = new
        .iter()
        .map(|line| match line.files.as_slice() {
            [] => format!("“{}”", line.text),
            files => format!("“{}” with {}", line.text, files.join(", ")),
        })
        .collect();
    let text = format!("You said {}. ({} in this stretch)", said.join(" and "), request.lines.len());
    (new, text)
}

fn ask(text: &str, reason: HandoverReason) -> Reply {
    let content = Content::text(text).with_actions(vec![yes("Yes, please"), no("No, keep going")]);
    Reply { answer: Answer::HandOver { reason }, content: Some(content) }
}

#[async_trait]
impl Assistant for Puppet {
    async fn answer(&self, request: &Request, _progress: &dyn Progress) -> Reply {
        let (new, text) = heard(request);
        let last = new.last().map(|line| line.text.clone()).unwrap_or_default();
        let pulls = |word: &str| last.contains(word);
        if pulls("slow") {
            let mut gate = self.gate.subscribe();
            let before = *gate.borrow_and_update();
            let _ = gate.wait_for(|n| *n > before).await;
        }
        if pulls("hang") {
            std::future::pending::<()>().await;
        }
        if pulls("unsure") {
            return ask("I am not sure about this. Shall I connect you?", HandoverReason::LowConfidence);
        }
        if pulls("policy") {
            return ask("This is for people to decide. Shall I connect you?", HandoverReason::PolicyTopic);
        }
        if pulls("tool") {
            return ask("A technician should look at this. Shall I connect you?", HandoverReason::ToolCall);
        }
        if pulls("crash") {
            return Reply { answer: Answer::Failed { why: "it broke".to_owned() }, content: None };
        }
        let said = Answer::Said { cites: Vec::new() };
        if pulls("mute") {
            return Reply { answer: said, content: Some(Content::text("")) };
        }
        let text =
            if pulls("promise") { "I am connecting you with a technician now.".to_owned() } else { text };
        Reply {
            answer: said,
            content: Some(Content::text(text).with_actions(vec![human("Talk to a human")])),
        }
    }

    async fn summarise(&self, request: &Request) -> String {
        let names: Vec<&str> = request.lines.iter().map(|line| line.name.as_str()).collect();
        format!("Summary of {} lines by {}", request.lines.len(), names.join(", "))
    }

    async fn suggest(&self, request: &Request, to: &TechnicianId) -> Option<Content> {
        let (_, text) = heard(request);
        Some(Content::text(format!("Draft for {to}: {text}")))
    }
}
