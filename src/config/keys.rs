//! Every key that the configuration knows, section by section. The example is checked against this.
//!
//! Not here: the keys that belong to one adapter (its own crate names them), or what any key means.

pub const TOP: &[&str] = &[
    "server",
    "store",
    "bus",
    "channels",
    "queues",
    "sessions",
    "handover",
    "assistant",
    "tickets",
    "desk",
    "technicians",
    "oidc",
    "log",
];
pub const SERVER: &[&str] = &["listen", "public_url", "trusted_proxies"];
pub const STORE: &[&str] = &["url", "url_file", "blobs", "key"];
pub const BUS: &[&str] = &["url"];
/// Of every channel; `receive` and `api_base` are the adapter's to read but mean the same everywhere.
pub const CHANNEL: &[&str] = &["adapter", "requesters", "queue", "desk", "desks", "receive", "api_base"];
pub const ROOM: &[&str] = &["room", "queues", "reply_mode", "requester_identity"];
pub const QUEUE: &[&str] = &[
    "allocation",
    "technicians",
    "hours",
    "holidays",
    "timezone",
    "skills",
    "priority",
    "timers",
    "overflow",
    "auto_accept",
    "mode",
];
pub const TIMERS: &[&str] = &[
    "requester_reminder",
    "requester_close",
    "offer",
    "max_wait",
    "technician_nudge",
    "technician_requeue",
    "offline_grace",
];
pub const SESSIONS: &[&str] = &["reopen_window"];
pub const HANDOVER: &[&str] = &["confirm"];
pub const ASSISTANT: &[&str] = &[
    "engine",
    "base_url",
    "model",
    "api_key",
    "knowledge",
    "mode",
    "burst_window",
    "max_turns",
    "deadline",
    "language",
];
pub const TICKETS: &[&str] = &["desk", "create", "auto_close"];
pub const DESK: &[&str] = &["undo_window"];
pub const TECHNICIAN: &[&str] =
    &["name", "id", "email", "identities", "capacity", "skills", "languages", "role", "queues", "presence"];
pub const OIDC: &[&str] = &[
    "name",
    "issuer",
    "client_id",
    "client_secret",
    "scopes",
    "email_verified_claim",
    "claims",
    "domains",
    "create",
    "groups_claim",
    "admin_groups",
    "supervisor_groups",
    "technician_groups",
    "default_role",
];
pub const LOG: &[&str] = &["format", "level"];

/// Sections as they are written in the file, with their keys.
pub const ALL: &[(&str, &[&str])] = &[
    ("server", SERVER),
    ("store", STORE),
    ("bus", BUS),
    ("channels.NAME", CHANNEL),
    ("channels.NAME.desk", ROOM),
    ("queues.NAME", QUEUE),
    ("queues.NAME.timers", TIMERS),
    ("sessions", SESSIONS),
    ("handover", HANDOVER),
    ("assistant", ASSISTANT),
    ("tickets", TICKETS),
    ("desk", DESK),
    ("technicians", TECHNICIAN),
    ("oidc", OIDC),
    ("log", LOG),
];

/// The section that knows a key which is unknown where it was written.
pub fn elsewhere(key: &str) -> Option<String> {
    ALL.iter().find(|(_, keys)| keys.contains(&key)).map(|(section, _)| format!("{section}.{key}"))
}
