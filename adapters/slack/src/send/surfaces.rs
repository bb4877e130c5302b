//! Slack's other surfaces: App Home, modals, unfolded links, suggested prompts, "is typing".
//!
//! Not here: what is on them (`blocks`), when they are shown (`receive`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Address, RemoteUserId, SendError};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Sending;
use crate::api::Fault;
use crate::ids;

/// A trigger is good for 3 s ("Handling user interaction"): what takes longer has no use.
const TRIGGER: Duration = Duration::from_secs(3);
/// Where an app has no assistant threads, it is not asked again for this long.
const OFF: Duration = Duration::from_secs(600);

/// Until when something is not tried.
#[derive(Default)]
pub(super) struct Off(Mutex<Option<Instant>>);

impl Off {
    fn is_on(&self) -> bool {
        let off = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        off.is_none_or(|until| Instant::now() >= until)
    }

    fn switch_off(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + OFF);
    }
}

impl Sending {
    /// "assistant.threads.setStatus", in threads of direct messages and, since March 2026, of channels; Slack takes it away
    /// with the next message, or after two minutes. Outside of threads there is no such sign.
    pub(crate) async fn typing(&self, at: &Address) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let Some(thread) = place.thread.filter(|_| self.typing_off.is_on()) else {
            return Ok(());
        };
        let body = json!({ "channel_id": place.channel, "thread_ts": thread, "status": "is typing…" });
        match self.api.post("assistant.threads.setStatus", &body).await {
            Ok(_) => Ok(()),
            Err(Fault { error: SendError::Rejected { .. } | SendError::Unauthorized { .. }, .. }) => {
                // No assistant thread, or an app without the scope: a sign less.
                self.typing_off.switch_off();
                Ok(())
            }
            Err(fault) => Err(fault.error),
        }
    }

    /// What the assistant's empty chat offers ("assistant.threads.setSuggestedPrompts"): title and message, at most four.
    pub(crate) async fn suggest_prompts(
        &self,
        at: &Address,
        title: &str,
        prompts: &[(String, String)],
    ) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let prompts: Vec<Value> = prompts
            .iter()
            .take(4)
            .map(|(title, message)| json!({ "title": title, "message": message }))
            .collect();
        let mut body = Map::new();
        body.insert("channel_id".into(), place.channel.into());
        body.insert("prompts".into(), prompts.into());
        body.insert("title".into(), title.into());
        if let Some(thread) = place.thread {
            body.insert("thread_ts".into(), thread.into());
        }
        self.api.post("assistant.threads.setSuggestedPrompts", &body).await?;
        Ok(())
    }

    /// Shows a person their App Home ("views.publish"). With the `hash` of what they have, only over that: a page that
    /// was drawn later is not drawn over.
    pub(crate) async fn publish_home(
        &self,
        user: &RemoteUserId,
        view: &Value,
        hash: Option<&str>,
    ) -> Result<(), SendError> {
        let mut body = json!({ "user_id": ids::user(user)?, "view": view });
        if let Some(hash) = hash {
            body["hash"] = hash.into();
        }
        match self.api.post("views.publish", &body).await {
            Err(fault) if fault.is(&["hash_conflict"]) => Ok(()),
            other => other.map(|_| ()).map_err(SendError::from),
        }
    }

    /// Opens a modal for whoever pressed something ("views.open"). The trigger is good once, for three seconds.
    pub(crate) async fn open_modal(&self, trigger: &str, view: &Value) -> Result<(), SendError> {
        let body = json!({ "trigger_id": trigger, "view": view });
        let opening = self.api.post("views.open", &body);
        match tokio::time::timeout(TRIGGER, opening).await {
            Ok(done) => done.map(|_| ()).map_err(SendError::from),
            Err(_) => Err(SendError::rejected("the modal did not open in time; press again")),
        }
    }

    /// Shows something else in a modal that is open ("views.update"). Where it shows something else already, nothing is done.
    pub(crate) async fn turn_modal(
        &self,
        id: &str,
        hash: Option<&str>,
        view: &Value,
    ) -> Result<(), SendError> {
        let mut body = json!({ "view_id": id, "view": view });
        if let Some(hash) = hash {
            body["hash"] = hash.into();
        }
        match self.api.post("views.update", &body).await {
            Err(fault) if fault.is(&["hash_conflict", "not_found"]) => Ok(()),
            other => other.map(|_| ()).map_err(SendError::from),
        }
    }

    /// "users.getPresence": `active` or `away`; anything else says nothing.
    pub(crate) async fn is_away(&self, user: &RemoteUserId) -> Result<Option<bool>, SendError> {
        let answer = self.api.get("users.getPresence", &[("user", ids::user(user)?.to_owned())]).await?;
        Ok(match answer.get("presence").and_then(Value::as_str) {
            Some("active") => Some(false),
            Some("away") => Some(true),
            _ => None,
        })
    }

    /// What a link of ours unfolds to, by its address ("chat.unfurl").
    pub(crate) async fn unfurl(
        &self,
        channel: &str,
        ts: &str,
        unfurls: Map<String, Value>,
    ) -> Result<(), SendError> {
        let body = json!({ "channel": channel, "ts": ts, "unfurls": unfurls });
        self.api.post("chat.unfurl", &body).await.map(|_| ()).map_err(SendError::from)
    }
}
