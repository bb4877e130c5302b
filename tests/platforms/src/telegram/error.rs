//! What the Bot API answers when it refuses, in the vendor's own words (tdlib/telegram-bot-api `Client.cpp`).
//! When to refuse is decided by the methods, not here.

use serde_json::{Value, json};

/// A refusal: HTTP status, text and `parameters` (`ResponseParameters`).
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    pub code: u16,
    pub description: String,
    pub parameters: Option<Value>,
}

pub type Answer = Result<Value, ApiError>;

impl ApiError {
    pub fn new(code: u16, description: impl Into<String>) -> Self {
        ApiError { code, description: description.into(), parameters: None }
    }

    /// 400 with the "Bad Request: " prefix.
    pub fn bad(why: impl AsRef<str>) -> Self {
        ApiError::new(400, format!("Bad Request: {}", why.as_ref()))
    }

    /// 403 with the "Forbidden: " prefix.
    pub fn forbidden(why: impl AsRef<str>) -> Self {
        ApiError::new(403, format!("Forbidden: {}", why.as_ref()))
    }

    /// 409 with the "Conflict: " prefix.
    pub fn conflict(why: impl AsRef<str>) -> Self {
        ApiError::new(409, format!("Conflict: {}", why.as_ref()))
    }

    pub fn not_found() -> Self {
        ApiError::new(404, "Not Found")
    }

    pub fn unauthorized() -> Self {
        ApiError::new(401, "Unauthorized")
    }

    pub fn too_large() -> Self {
        ApiError::new(413, "Request Entity Too Large")
    }

    pub fn too_many(retry_after: u64) -> Self {
        let mut error = ApiError::new(429, format!("Too Many Requests: retry after {retry_after}"));
        error.parameters = Some(json!({ "retry_after": retry_after }));
        error
    }

    pub fn migrated(to: i64) -> Self {
        let mut error = ApiError::bad("group chat was upgraded to a supergroup chat");
        error.parameters = Some(json!({ "migrate_to_chat_id": to }));
        error
    }

    /// The body that goes out.
    pub fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(parameters) = &self.parameters {
            body["parameters"] = parameters.clone();
        }
        body
    }
}
