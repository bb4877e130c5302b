//! The beginning of an answer that may be on Slack although Slack's own answer got lost: how it is marked, and looked for.
//!
//! Not here: what becomes of it (`streams.rs`), looking for a whole delivery (`find.rs`).

use std::sync::atomic::{AtomicU64, Ordering};

use deskbridge_contract::SendError;
use serde_json::{Value, json};

use super::{Sending, plan};
use crate::ids::{self, Place};

/// The metadata's name of what is no delivery yet.
const EVENT: &str = "deskbridge_growing";

/// What was begun, as far as it can be told from other messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// A post, by what is written into it.
    Post { mark: String },
    /// "chat.startStream" takes no metadata: a message of ours that is being streamed, or at least begins like this.
    Stream { shown: String },
}

impl Begun {
    /// A mark of its own: nothing that was left behind in the room, also by an earlier process, has the same.
    pub(super) fn post() -> Begun {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Begun::Post { mark: format!("{}.{count}", jiff::Timestamp::now().as_nanosecond()) }
    }

    /// As it is written into the message.
    pub(super) fn metadata(&self) -> Option<Value> {
        match self {
            Begun::Post { mark } => {
                Some(json!({ "event_type": EVENT, "event_payload": { "mark": mark.as_str() } }))
            }
            Begun::Stream { .. } => None,
        }
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self, Begun::Stream { .. })
    }

    fn is(&self, message: &Value, bot_id: &str) -> bool {
        let metadata = &message["metadata"];
        match self {
            Begun::Post { mark } => {
                metadata["event_type"] == EVENT && metadata["event_payload"]["mark"] == mark.as_str()
            }
            Begun::Stream { shown } => {
                let ours = !bot_id.is_empty() && message["bot_id"] == bot_id;
                // What was delivered says so, and files are never streamed.
                let other = metadata["event_type"] == plan::EVENT || message.get("files").is_some();
                ours && !other && is_open(message, shown)
            }
        }
    }
}

/// Whether a stream goes on there. Where Slack does not tell, the words have to be the same and without an end.
fn is_open(message: &Value, shown: &str) -> bool {
    let text = message["text"].as_str().unwrap_or_default();
    match message["streaming_state"].as_str() {
        Some(state) => state == "in_progress",
        None => {
            let begun = letters(shown);
            !begun.is_empty() && letters(text).starts_with(&begun) && !text.trim_end().ends_with('…')
        }
    }
}

/// Without markup, which Slack writes in its own way.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Sending {
    /// The latest message that can be it. `None` where it is not there, and where nobody may look.
    ///
    /// # Errors
    /// When Slack cannot be asked now: then nothing may be posted beside it yet.
    pub(super) async fn look_for(
        &self,
        place: Place<'_>,
        begun: &Begun,
    ) -> Result<Option<String>, SendError> {
        let bot_id = self.identity().await?.bot_id;
        let mut found: Option<String> = None;
        let looked = self
            .read_through(place, |messages| {
                let mine = messages.iter().filter(|message| begun.is(message, &bot_id));
                let latest =
                    mine.filter_map(|message| message["ts"].as_str()).filter(|ts| ids::is_ts(ts)).max();
                if latest > found.as_deref() {
                    found = latest.map(str::to_owned);
                }
                // A room shows its latest messages first, a thread its first ones.
                place.thread.is_none() || (found.is_some() && !begun.is_stream())
            })
            .await;
        match looked {
            Ok(()) => Ok(found),
            Err(SendError::Rejected { why, .. }) => {
                tracing::debug!(why, "it was not seen whether an answer had begun");
                Ok(found)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_ours_that_go_on() {
        let begun = Begun::Stream { shown: "**Try** this".into() };
        let message = |more: Value| {
            let mut message = json!({ "bot_id": "B1", "text": "Try this", "ts": "1790000000.000100" });
            message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            message
        };
        for (more, expected) in [
            (json!({}), true),
            (json!({ "text": "*Try* this: restart" }), true),
            (json!({ "streaming_state": "in_progress", "text": "" }), true),
            (json!({ "streaming_state": "completed" }), false),
            (json!({ "text": "Try this …" }), false),
            (json!({ "text": "Try" }), false),
            (json!({ "bot_id": "B2" }), false),
            (json!({ "bot_id": null }), false),
            (json!({ "files": [] }), false),
            (json!({ "metadata": { "event_type": "deskbridge_delivery" } }), false),
        ] {
            assert_eq!(begun.is(&message(more.clone()), "B1"), expected, "{more}");
        }
        assert!(!begun.is(&message(json!({ "bot_id": "" })), ""), "nobody's");
        for odd in [json!(null), json!(7), json!({ "text": 7, "bot_id": "B1" })] {
            assert!(!begun.is(&odd, "B1"), "{odd}");
        }
        assert!(!Begun::Stream { shown: "…".into() }.is(&message(json!({})), "B1"), "no words to know it by");
    }

    #[test]
    fn posts_by_their_mark() {
        let (one, other) = (Begun::post(), Begun::post());
        let message = json!({ "metadata": one.metadata() });
        assert!(one.is(&message, "B1") && !other.is(&message, "B1") && one != other);
    }
}
