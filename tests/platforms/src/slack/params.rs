//! Reads a method's parameters: query and form for every method, JSON for those that take it.
//! What a parameter means is known to the methods, not here.

use axum::http::{HeaderMap, header, request::Parts};
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::encoding::pairs;

/// How the body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Empty,
    Form,
    Json,
    Other,
}

#[derive(Debug, Clone)]
pub struct Params {
    pub values: Map<String, Value>,
    pub encoding: Encoding,
    /// From the `Authorization` header, else the parameter `token`.
    pub token: Option<String>,
}

impl Params {
    pub fn empty() -> Self {
        Params { values: Map::new(), encoding: Encoding::Empty, token: None }
    }

    pub fn from_map(values: Map<String, Value>) -> Self {
        Params { values, encoding: Encoding::Json, token: None }
    }

    /// # Errors
    /// As the vendor names a body that it cannot read.
    pub fn read(parts: &Parts, body: &[u8], takes_json: bool) -> Result<Self, ApiError> {
        let mut params = Params { token: bearer(&parts.headers), ..Params::empty() };
        params.add_pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if body.is_empty() {
        } else if kind.starts_with("application/json") {
            params.encoding = Encoding::Json;
            // A method that takes no JSON does not see what is in it.
            if takes_json {
                let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::new("invalid_json"))?;
                let Value::Object(map) = value else { return Err(ApiError::new("json_not_object")) };
                params.values.extend(map);
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            params.encoding = Encoding::Form;
            params.add_pairs(body);
        } else if kind.is_empty() {
            return Err(ApiError::new("missing_post_type"));
        } else {
            params.encoding = Encoding::Other;
            return Err(ApiError::new("invalid_post_type"));
        }
        if params.token.is_none() {
            params.token = params.text("token");
        }
        params.values.remove("token");
        Ok(params)
    }

    fn add_pairs(&mut self, encoded: &[u8]) {
        for (name, value) in pairs(encoded) {
            self.values.insert(name, Value::String(value));
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => (!text.is_empty()).then(|| text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// # Errors
    /// `invalid_arguments` when it is not there.
    pub fn need(&self, name: &str) -> Result<String, ApiError> {
        self.text(name).ok_or_else(|| ApiError::missing(name))
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        match self.values.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        match self.values.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.to_ascii_lowercase().as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A structured parameter: native in JSON, serialised in a form (and allowed so in JSON).
    ///
    /// # Errors
    /// `error` when it is no JSON.
    pub fn structured(&self, name: &str, error: &str) -> Result<Option<Value>, ApiError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map(Some).map_err(|_| ApiError::new(error))
            }
            Some(other) => Ok(Some(other.clone())),
        }
    }
}

pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// A form body.
pub fn form(pairs: &[(&str, String)]) -> String {
    let pair = |(name, value): &(&str, String)| format!("{name}={}", crate::encoding::url_encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
