//! What the Web API answers when it refuses: HTTP 200, `ok: false` and a name (docs.slack.dev, each method's "Errors").
//! When to refuse is decided by the methods, not here.

use serde_json::{Map, Value, json};

/// A refusal by name, with what the vendor adds to it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    pub name: String,
    pub details: Map<String, Value>,
}

pub type Answer = Result<Value, ApiError>;

impl ApiError {
    pub fn new(name: impl Into<String>) -> Self {
        ApiError { name: name.into(), details: Map::new() }
    }

    /// `missing_scope`, with the scope that was wanted and those that the token has.
    pub fn missing_scope(needed: &str, provided: &[String]) -> Self {
        let mut error = ApiError::new("missing_scope");
        error.details.insert("needed".into(), json!(needed));
        error.details.insert("provided".into(), json!(provided.join(",")));
        error
    }

    /// With `response_metadata.messages`, which says what is wrong where.
    pub fn explained(name: &str, messages: &[String]) -> Self {
        let mut error = ApiError::new(name);
        error.details.insert("errors".into(), json!(messages));
        error.details.insert("response_metadata".into(), json!({ "messages": messages }));
        error
    }

    /// `invalid_arguments` for a parameter that is not there.
    pub fn missing(parameter: &str) -> Self {
        let message = format!("[ERROR] missing required field: {parameter}");
        ApiError::explained("invalid_arguments", &[message])
    }

    pub fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error": self.name });
        for (name, value) in &self.details {
            body[name.as_str()] = value.clone();
        }
        body
    }
}

/// The refusal of this name.
pub fn refuse<T>(name: &str) -> Result<T, ApiError> {
    Err(ApiError::new(name))
}
