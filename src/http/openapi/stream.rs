//! What the event stream can say: each event's name, when it comes, and what its data are.
//!
//! Not here: saying it (`api/events.rs`). A test listens to every one of them and holds it against this.

use serde_json::{Value, json};

use super::schemas::{list, maybe, number, object, one_of, text};

/// Name, when it comes, the schema of its data.
pub const EVENTS: [(&str, &str, &str); 8] = [
    ("conversation.created", "somebody wrote who has no open conversation", "StreamChange"),
    ("conversation.status_changed", "the stage is another", "StreamChange"),
    (
        "conversation.updated",
        "something else of it changed: messages, owner, labels, deliveries",
        "StreamChange",
    ),
    ("conversation.hidden", "the caller may not see it any more", "StreamHidden"),
    ("conversation.attention", "who looks at it, and who writes; good for 16 seconds", "StreamAttention"),
    ("conversation.typing", "somebody types, on whatever surface; good for 6 seconds", "StreamTyping"),
    ("roster.changed", "presence or load of technicians changed: read /technicians again", "StreamNothing"),
    ("resync", "something may have been missed: read again whatever is shown", "StreamNothing"),
];

/// OpenAPI has no word for the events of a stream; this is where people and programs find them.
pub(super) fn content() -> Value {
    let mut events = json!({});
    for (name, when, schema) in EVENTS {
        let data = json!({"$ref": format!("#/components/schemas/{schema}")});
        events[name] = json!({"description": when, "data": data});
    }
    let about = "Server-sent events: `id`, `event`, `data` (JSON). Names and data are under `x-events`.";
    json!({"text/event-stream": {"schema": {"type": "string", "description": about}, "x-events": events}})
}

pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let doing = || one_of(crate::http::api::DOINGS);
    let watcher = object(json!({"technician": text(), "name": text(), "doing": doing()}));
    vec![
        (
            "StreamChange",
            object(json!({
                "conversation": number(),
                "seq": number(),
                "stage": one_of(crate::http::api::STAGES),
                "before": maybe("string"),
                "queue": text(),
                "messages": list(text()),
                "edited": list(text())
            })),
        ),
        ("StreamHidden", object(json!({"conversation": number()}))),
        ("StreamAttention", object(json!({"conversation": number(), "watchers": list(watcher)}))),
        (
            "StreamTyping",
            object(json!({"conversation": number(), "technician": maybe("string"), "name": text()})),
        ),
        ("StreamNothing", object(json!({}))),
    ]
}
