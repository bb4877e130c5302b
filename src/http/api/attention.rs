//! `conversations/{conversation}/attention`: who looks at a conversation, and who is writing. Kept for seconds, never stored.
//!
//! Not here: how it is passed on (`events.rs`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deskbridge_conversation::{Conversation, ConversationId, TechnicianId};
use serde::Serialize;
use tokio::time::Instant;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;

pub const DOINGS: &[&str] = &["viewing", "replying", "noting", "gone"];
/// After the last word about it.
const GOOD: Duration = Duration::from_secs(15);
const MOST: usize = 10_000;

#[derive(Clone, Debug, Serialize)]
pub struct Watcher {
    pub technician: String,
    pub name: String,
    pub doing: &'static str,
}

#[derive(Serialize)]
struct Attention {
    others: Vec<Watcher>,
}

type Here = HashMap<(ConversationId, TechnicianId), (&'static str, Instant)>;

#[derive(Default)]
pub struct Watching(Mutex<Here>);

impl Watching {
    fn note(&self, conversation: ConversationId, technician: &TechnicianId, doing: &'static str) {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (_, at)| now.duration_since(*at) < GOOD);
        let key = (conversation, technician.clone());
        if doing == "gone" {
            all.remove(&key);
        } else if all.len() < MOST {
            all.insert(key, (doing, now));
        }
    }

    fn of(&self, conversation: ConversationId) -> Vec<(TechnicianId, &'static str)> {
        let now = Instant::now();
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here =
            all.iter().filter(|((id, _), (_, at))| *id == conversation && now.duration_since(*at) < GOOD);
        let mut here: Vec<_> =
            here.map(|((_, technician), (doing, _))| (technician.clone(), *doing)).collect();
        here.sort();
        here
    }
}

pub async fn tell(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    let technician = call.caller.acts()?;
    let doing = DOINGS.iter().find(|doing| Some(**doing) == call.text("doing")).copied().unwrap_or("gone");
    api.watching.note(conversation.id, technician, doing);
    if doing == "replying" {
        api.bridge.typing_in_console(&conversation, technician);
    }
    if doing != "gone" {
        api.bridge.seen_in_console(&conversation, technician);
    }
    let all = api.watchers(&conversation);
    let others = all.iter().filter(|one| one.technician != technician.as_str()).cloned().collect();
    api.hub.watched(Arc::new(conversation), all);
    Ok(one(Attention { others }))
}

impl Api {
    fn watchers(&self, conversation: &Conversation) -> Vec<Watcher> {
        let policy = self.bridge.policy.current();
        let here = self.watching.of(conversation.id).into_iter();
        here.map(|(id, doing)| Watcher { name: policy.policy.name(&id), technician: id.0, doing }).collect()
    }
}
