//! The schemas of what the API answers. Tests hold every answer against them.
//!
//! Not here: what is sent to it (the table of routes has the fields).

mod staff;

use serde_json::{Map, Value, json};

/// An object with exactly these properties, all of them always there.
pub(super) fn object(properties: Value) -> Value {
    let required: Vec<String> =
        properties.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "required": required, "properties": properties})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

pub(super) fn number() -> Value {
    json!({"type": "integer"})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

pub(super) fn maybe(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn maybe_time() -> Value {
    json!({"type": ["string", "null"], "format": "date-time"})
}

pub(super) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

pub(super) fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn or_null(name: &str) -> Value {
    json!({"anyOf": [reference(name), {"type": "null"}]})
}

pub fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, schema) in conversations()
        .into_iter()
        .chain(messages())
        .chain(tickets())
        .chain(people())
        .chain(rest())
        .chain(staff::all())
        .chain(super::stream::schemas())
    {
        all.insert(name.into(), schema);
    }
    all
}

fn conversation() -> Value {
    json!({
        "id": number(),
        "reference": {"type": "string", "description": "As people say it: #1042"},
        "seq": {"type": "integer", "description": "Grows with every event"},
        "stage": one_of(super::super::api::STAGES),
        "state": one_of(&["assisting", "waiting", "offered", "assigned", "snoozed", "resolved", "closed"]),
        "status": {"type": "string", "description": "The state in words"},
        "queue": text(),
        "priority": {"type": "integer", "description": "0 to 255; higher goes first"},
        "labels": list(text()),
        "subject": text(),
        "requester": reference("Requester"),
        "assignee": maybe("string"),
        "co_repliers": list(text()),
        "offer": or_null("Offer"),
        "transfer_to": maybe("string"),
        "waiting_since": maybe_time(),
        "answer_by": {"type": ["string", "null"], "format": "date-time", "description": "While it waits: until when somebody should have taken it, by the queue's longest wait"},
        "snoozed_until": maybe_time(),
        "sessions": list(reference("Session")),
        "ticket": reference("TicketLink"),
        "rating": maybe("integer"),
        "opened": time(),
        "actions": list(reference("Action"))
    })
}

fn conversations() -> Vec<(&'static str, Value)> {
    let mut detail = conversation();
    detail["card"] = reference("Card");
    vec![
        ("Conversation", object(conversation())),
        ("ConversationDetail", object(detail)),
        ("Requester", object(json!({"id": text(), "name": text(), "language": text(), "away": flag()}))),
        (
            "Offer",
            object(json!({
                "to": {"type": ["string", "null"], "description": "null: everybody in the queue"},
                "until": time()
            })),
        ),
        (
            "Session",
            object(json!({
                "id": number(),
                "role": one_of(&["requester", "desk"]),
                "channel": text(),
                "state": one_of(&["active", "idle", "opening", "open", "lost"])
            })),
        ),
        (
            "TicketLink",
            object(json!({
                "state": one_of(&["none", "opening", "failed", "linked"]),
                "desk": maybe("string"),
                "number": maybe("string"),
                "status": {"enum": ["open", "resolved", "closed", null]}
            })),
        ),
        ("Action", object(json!({"id": text(), "label": text()}))),
        (
            "Card",
            object(
                json!({"title": text(), "facts": list(reference("Fact")), "summary": text(), "hint": text()}),
            ),
        ),
        ("Fact", object(json!({"label": text(), "value": text()}))),
        ("Summary", object(json!({"text": maybe("string")}))),
        (
            "Written",
            object(json!({
                "conversation": reference("Conversation"),
                "message": or_null("Message"),
                "toast": {"type": ["string", "null"], "description": "What to tell the person who did it"}
            })),
        ),
    ]
}

fn messages() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Message",
            object(json!({
                "id": text(),
                "seq": number(),
                "author": reference("Author"),
                "audience": one_of(&["public", "internal", "private", "requester"]),
                "text": {"type": ["string", "null"], "description": "CommonMark; null once it is deleted"},
                "attachments": list(reference("Attachment")),
                "reply_to": maybe("string"),
                "at": time(),
                "stored": time(),
                "edited": maybe_time(),
                "deleted": flag(),
                "helpful": {"type": ["boolean", "null"], "description": "What was said about words of the assistant"},
                "deliveries": list(reference("Delivery"))
            })),
        ),
        (
            "Author",
            object(json!({
                "kind": one_of(&["requester", "technician", "assistant", "outsider", "desk"]),
                "id": maybe("string"),
                "name": text()
            })),
        ),
        (
            "Attachment",
            object(json!({
                "name": text(),
                "mime": text(),
                "size": number(),
                "url": {"type": ["string", "null"], "description": "Path of the bytes"},
                "missing": {"type": ["string", "null"], "description": "Why there are none"}
            })),
        ),
        (
            "Delivery",
            object(json!({
                "id": text(),
                "session": number(),
                "channel": text(),
                "operation": text(),
                "message": maybe("string"),
                "state": one_of(&[
                    "queued", "attempting", "accepted", "sent", "delivered", "seen", "unknown", "failed", "cancelled"
                ]),
                "held_until": maybe_time(),
                "attempts": number(),
                "error": maybe("string"),
                "updated": time()
            })),
        ),
    ]
}

fn tickets() -> Vec<(&'static str, Value)> {
    vec![
        ("LinkedTicket", object(json!({"link": reference("TicketLink"), "ticket": or_null("Ticket")}))),
        (
            "Ticket",
            object(json!({
                "number": text(),
                "conversation": maybe("integer"),
                "summary": text(),
                "description": text(),
                "status": one_of(&["open", "resolved", "closed"]),
                "priority": number(),
                "requester": text(),
                "technician": maybe("string"),
                "created": time(),
                "updated": time(),
                "comments": list(reference("TicketComment")),
                "history": list(reference("TicketChange")),
                "attachments": list(reference("TicketFile"))
            })),
        ),
        ("TicketComment", object(json!({"author": text(), "text": text(), "public": flag(), "at": time()}))),
        ("TicketChange", object(json!({"by": text(), "what": text(), "at": time()}))),
        ("TicketFile", object(json!({"name": text(), "url": text()}))),
    ]
}

fn people() -> Vec<(&'static str, Value)> {
    let role = || one_of(&["technician", "supervisor", "admin"]);
    vec![
        (
            "Technician",
            object(json!({
                "id": text(),
                "name": text(),
                "role": role(),
                "presence": one_of(super::super::api::PRESENCES),
                "since": maybe_time(),
                "load": number(),
                "capacity": number(),
                "queues": list(text())
            })),
        ),
        (
            "Queue",
            object(json!({
                "name": text(),
                "waiting": number(),
                "expected_wait": {"type": ["integer", "null"], "description": "Seconds"},
                "open": flag(),
                "reopens": maybe("string"),
                "technicians": list(text()),
                "priority": number()
            })),
        ),
        (
            "Me",
            object(json!({
                "token": object(json!({"id": text(), "name": text(), "scopes": list(text())})),
                "technician": {"anyOf": [object(json!({"id": text(), "name": text(), "role": role()})), {"type": "null"}]},
                "queues": list(text()),
                "csrf": {"type": ["string", "null"], "description": "For the header x-csrf-token, in a session"},
                "undo_window": {"type": "integer", "description": "Seconds in which a reply can be taken back"},
                "rewrites": {"type": "boolean", "description": "Whether drafts can be rewritten: a model is configured"}
            })),
        ),
    ]
}

fn rest() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Event",
            object(json!({"seq": number(), "at": time(), "stored": time(), "kind": text(), "event": {}})),
        ),
        (
            "Hit",
            object(json!({"conversation": number(), "message": text(), "snippet": text(), "at": time()})),
        ),
        (
            "Channel",
            object(json!({
                "name": text(),
                "requesters": flag(),
                "desks": number(),
                "health": object(json!({
                    "state": one_of(&["starting", "up", "down", "paused"]),
                    "since": maybe_time(),
                    "detail": {"type": ["string", "null"], "description": "For supervisors and admins"},
                    "retry_at": maybe_time()
                }))
            })),
        ),
        (
            "Article",
            object(json!({
                "id": text(),
                "title": text(),
                "section": text(),
                "anchor": text(),
                "text": text(),
                "score": {"type": "number"}
            })),
        ),
        (
            "Quarantined",
            object(
                json!({"id": number(), "channel": text(), "why": text(), "at": time(), "size": number(), "raw": text()}),
            ),
        ),
        (
            "Audited",
            object(json!({
                "id": number(),
                "at": time(),
                "by": maybe("string"),
                "act": text(),
                "conversation": maybe("integer"),
                "hash": text()
            })),
        ),
    ]
}
