//! Reads a method's parameters from query, form, multipart or JSON, as the Bot API does: all four, merged.
//! What a parameter means is known to the methods, not here.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart};
use axum::http::{Request, header, request::Parts};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::encoding::url_decoded;

/// How the body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Empty,
    Form,
    Json,
    Multipart,
}

/// One file of a multipart body.
#[derive(Debug, Clone)]
pub struct SentFile {
    pub field: String,
    pub name: String,
    pub content_type: Option<String>,
    pub bytes: Bytes,
}

#[derive(Debug, Clone)]
pub struct Params {
    pub values: Map<String, Value>,
    pub files: Vec<SentFile>,
    pub encoding: Encoding,
}

impl Params {
    /// Parameters that did not come over the wire (a webhook's answer, a test).
    pub fn from_map(values: Map<String, Value>) -> Self {
        Params { values, files: Vec::new(), encoding: Encoding::Json }
    }

    /// # Errors
    /// 400 as the Bot API words it when the body cannot be read in the encoding it claims.
    pub async fn read(parts: &Parts, body: Bytes) -> Result<Self, ApiError> {
        let mut params = Params { values: Map::new(), files: Vec::new(), encoding: Encoding::Empty };
        params.add_pairs(parts.uri.query().unwrap_or_default().as_bytes());
        if body.is_empty() {
            return Ok(params);
        }
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        if content_type.starts_with("application/json") {
            params.encoding = Encoding::Json;
            match serde_json::from_slice(&body) {
                Ok(Value::Object(map)) => params.values.extend(map),
                _ => return Err(ApiError::bad("can't parse JSON object")),
            }
        } else if content_type.starts_with("multipart/form-data") {
            params.encoding = Encoding::Multipart;
            params.add_multipart(parts, body).await?;
        } else {
            params.encoding = Encoding::Form;
            params.add_pairs(&body);
        }
        Ok(params)
    }

    fn add_pairs(&mut self, encoded: &[u8]) {
        for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut sides = pair.splitn(2, |byte| *byte == b'=');
            let name = url_decoded(sides.next().unwrap_or_default());
            let value = url_decoded(sides.next().unwrap_or_default());
            self.values.insert(name, Value::String(value));
        }
    }

    async fn add_multipart(&mut self, parts: &Parts, body: Bytes) -> Result<(), ApiError> {
        let broken = |_| ApiError::bad("can't parse multipart body");
        let mut request = Request::new(Body::from(body));
        *request.headers_mut() = parts.headers.clone();
        DefaultBodyLimit::disable().apply(&mut request);
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|_| ApiError::bad("boundary parameter isn't found"))?;
        while let Some(field) = form.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            let content_type = field.content_type().map(str::to_owned);
            match field.file_name().map(str::to_owned) {
                Some(file) => {
                    let bytes = field.bytes().await.map_err(broken)?;
                    self.files.push(SentFile { field: name, name: file, content_type, bytes });
                }
                None => {
                    let value = field.text().await.map_err(broken)?;
                    self.values.insert(name, Value::String(value));
                }
            }
        }
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    pub fn text(&self, name: &str) -> Option<String> {
        match self.values.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// Whole numbers come as numbers in JSON and as digits in forms.
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
            Some(Value::String(text)) => matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A structured parameter: native in a JSON body, serialised into a string elsewhere (and allowed so in JSON).
    ///
    /// # Errors
    /// 400 when it is not what the method takes.
    pub fn structured<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let value = match self.values.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| unreadable(name))?,
            Some(other) => other.clone(),
        };
        serde_json::from_value(value).map(Some).map_err(|_| unreadable(name))
    }

    /// The file a parameter stands for: sent under its own name or through `attach://`.
    pub fn file(&self, name: &str) -> Option<&SentFile> {
        let attached = self.values.get(name).and_then(Value::as_str).and_then(attachment_name);
        let field = attached.unwrap_or(name);
        self.files.iter().find(|file| file.field == field)
    }

    pub fn attached(&self, reference: &str) -> Option<&SentFile> {
        let field = attachment_name(reference)?;
        self.files.iter().find(|file| file.field == field)
    }
}

fn attachment_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("attach://")
}

fn unreadable(name: &str) -> ApiError {
    ApiError::bad(format!("can't parse {name} JSON object"))
}
