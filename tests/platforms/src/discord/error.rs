//! What the HTTP API answers when it refuses: a status, a code and a message ("Opcodes and Status Codes › JSON").
//! When to refuse is decided by the methods, not here.

use serde_json::{Value, json};

/// Code, status and message of the refusals that the fake knows.
const KNOWN: [(u32, u16, &str); 46] = [
    (10_002, 404, "Unknown Application"),
    (10_003, 404, "Unknown Channel"),
    (10_004, 404, "Unknown Guild"),
    (10_007, 404, "Unknown Member"),
    (10_008, 404, "Unknown Message"),
    (10_011, 404, "Unknown Role"),
    (10_013, 404, "Unknown User"),
    (10_014, 400, "Unknown Emoji"),
    (10_015, 404, "Unknown Webhook"),
    (10_062, 404, "Unknown interaction"),
    (10_063, 404, "Unknown application command"),
    (20_012, 403, "You are not authorized to perform this action on this application"),
    (30_003, 400, "Maximum number of pins reached for the channel (50)"),
    (30_007, 400, "Maximum number of webhooks reached (15)"),
    (30_010, 400, "Maximum number of reactions reached (20)"),
    (30_013, 400, "Maximum number of server channels reached (500)"),
    (30_015, 400, "Maximum number of attachments in a message reached (10)"),
    (30_032, 400, "Maximum number of application commands reached (100)"),
    (30_046, 429, "Maximum number of edits to messages older than 1 hour reached. Try again later"),
    (40_005, 413, "Request entity too large"),
    (40_060, 400, "Interaction has already been acknowledged."),
    (40_066, 400, "There are no tags available that can be set by non-moderators"),
    (40_067, 400, "A tag is required to create a forum post in this channel"),
    (50_001, 403, "Missing Access"),
    (50_003, 403, "Cannot execute action on a DM channel"),
    (50_005, 403, "Cannot edit a message authored by another user"),
    (50_006, 400, "Cannot send an empty message"),
    (50_007, 403, "Cannot send messages to this user"),
    (50_008, 400, "Cannot send messages in a non-text channel"),
    (50_013, 403, "Missing Permissions"),
    (50_019, 403, "A message can only be pinned in the channel it was sent in"),
    (50_021, 403, "Cannot execute action on a system message"),
    (50_024, 403, "Cannot execute action on this channel type"),
    (50_027, 401, "Invalid Webhook Token"),
    (50_033, 400, "Invalid Recipient(s)"),
    (50_035, 400, "Invalid Form Body"),
    (50_046, 400, "Invalid file uploaded"),
    (50_083, 400, "Thread is archived"),
    (50_109, 400, "The request body contains invalid JSON."),
    (90_001, 403, "Reaction was blocked"),
    (160_002, 403, "Cannot reply without permission to read message history"),
    (160_004, 400, "A thread has already been created for this message"),
    (160_005, 403, "Thread is locked"),
    (160_006, 400, "Maximum number of active threads reached"),
    (220_001, 400, "Webhooks posted to forum channels must have a thread_name or thread_id"),
    (220_002, 400, "Webhooks posted to forum channels cannot have both a thread_name and thread_id"),
];

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    pub status: u16,
    pub code: u32,
    pub message: String,
    /// What is wrong where, for `50035`.
    pub errors: Option<Value>,
}

/// What a method answers when it does not refuse.
#[derive(Debug, Clone, PartialEq)]
pub struct Good {
    pub status: u16,
    pub body: Option<Value>,
}

pub type Answer = Result<Good, ApiError>;

impl Good {
    pub fn with(body: Value) -> Answer {
        Ok(Good { status: 200, body: Some(body) })
    }

    pub fn created(body: Value) -> Answer {
        Ok(Good { status: 201, body: Some(body) })
    }

    pub fn empty() -> Answer {
        Ok(Good { status: 204, body: None })
    }
}

impl ApiError {
    /// The refusal with this code; an unknown one is a 400.
    pub fn coded(code: u32) -> Self {
        let known = KNOWN.iter().find(|(it, _, _)| *it == code);
        let (status, message) = known.map_or((400, "Unknown error"), |(_, status, text)| (*status, *text));
        ApiError { status, code, message: message.to_owned(), errors: None }
    }

    /// 401 for a token that is none.
    pub fn unauthorized() -> Self {
        ApiError { status: 401, code: 0, message: "401: Unauthorized".into(), errors: None }
    }

    pub fn not_found() -> Self {
        ApiError { status: 404, code: 0, message: "404: Not Found".into(), errors: None }
    }

    pub fn method_not_allowed() -> Self {
        ApiError { status: 405, code: 0, message: "405: Method Not Allowed".into(), errors: None }
    }

    /// `50035`: `path` is the way to the field (`embeds.0.title`), `code` and `message` what is wrong with it.
    pub fn form(path: &str, code: &str, message: &str) -> Self {
        let fault = json!({ "_errors": [{ "code": code, "message": message }] });
        let nested = path
            .rsplit('.')
            .filter(|step| !step.is_empty())
            .fold(fault, |inner, step| json!({ step: inner }));
        ApiError { errors: Some(nested), ..ApiError::coded(50_035) }
    }

    pub fn too_long(path: &str, most: usize) -> Self {
        ApiError::form(path, "BASE_TYPE_MAX_LENGTH", &format!("Must be {most} or fewer in length."))
    }

    pub fn required(path: &str) -> Self {
        ApiError::form(path, "BASE_TYPE_REQUIRED", "This field is required")
    }

    pub fn body(&self) -> Value {
        let mut body = json!({ "message": self.message, "code": self.code });
        if let Some(errors) = &self.errors {
            body["errors"] = errors.clone();
        }
        body
    }
}

/// The refusal with this code.
pub fn refuse<T>(code: u32) -> Result<T, ApiError> {
    Err(ApiError::coded(code))
}
