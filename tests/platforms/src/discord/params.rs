//! Reads a request: path, query, JSON or form with `payload_json` and `files[n]` ("Uploading Files").
//! What a field means is known to the methods, not here.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart};
use axum::http::{HeaderMap, Request, header, request::Parts};
use bytes::Bytes;
use serde_json::{Value, json};

use super::error::ApiError;
use super::snowflake::Snowflake;

/// How the body came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Empty,
    Json,
    Form,
    Other,
}

/// One file of a form.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The n of `files[n]`.
    pub number: Option<u64>,
    pub name: String,
    pub mime: String,
    pub bytes: Bytes,
}

/// The parts of a path that vary, by their names.
pub type PathParts = Vec<(&'static str, String)>;

/// A request that is understood so far.
#[derive(Debug, Clone)]
pub struct Params {
    /// The parts of the path that vary, by their names in the description.
    pub path: PathParts,
    pub query: Vec<(String, String)>,
    pub body: Value,
    pub files: Vec<Upload>,
    pub encoding: Encoding,
    /// Of `Authorization: Bot …`.
    pub token: Option<String>,
}

impl Params {
    pub(super) fn new(parts: &Parts, path: PathParts) -> Self {
        let query = crate::encoding::pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let token = bot_token(&parts.headers);
        Params { path, query, body: Value::Null, files: Vec::new(), encoding: Encoding::Empty, token }
    }

    /// # Errors
    /// As the vendor names a body that it cannot read.
    pub(super) async fn take_body(&mut self, parts: &Parts, body: Bytes) -> Result<(), ApiError> {
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if body.is_empty() {
            return Ok(());
        }
        if kind.starts_with("application/json") {
            self.encoding = Encoding::Json;
            self.body = serde_json::from_slice(&body).map_err(|_| ApiError::coded(50_109))?;
        } else if kind.starts_with("multipart/form-data") {
            self.encoding = Encoding::Form;
            self.take_form(parts, body).await?;
        } else {
            self.encoding = Encoding::Other;
            let text =
                "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}.";
            return Err(ApiError::form("", "CONTENT_TYPE_INVALID", text));
        }
        Ok(())
    }

    async fn take_form(&mut self, parts: &Parts, body: Bytes) -> Result<(), ApiError> {
        let mut request = Request::new(Body::from(body));
        *request.headers_mut() = parts.headers.clone();
        DefaultBodyLimit::disable().apply(&mut request);
        let unreadable = |_| ApiError::coded(50_109);
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|_| ApiError::coded(50_109))?;
        self.body = json!({});
        while let Some(field) = form.next_field().await.map_err(unreadable)? {
            let name = field.name().unwrap_or_default().to_owned();
            if let Some(file) = field.file_name().map(str::to_owned) {
                let inside = name.strip_prefix("files[").and_then(|rest| rest.strip_suffix(']'));
                let number = inside.and_then(|digits| digits.parse().ok());
                let mime = field.content_type().map_or_else(|| guessed(&file), str::to_owned);
                let bytes = field.bytes().await.map_err(unreadable)?;
                self.files.push(Upload { number, name: file, mime, bytes });
                continue;
            }
            let text = field.text().await.map_err(unreadable)?;
            match name.as_str() {
                "payload_json" => {
                    self.body = serde_json::from_str(&text).map_err(|_| ApiError::coded(50_109))?;
                }
                name => self.body[name] = json!(text),
            }
        }
        Ok(())
    }

    /// A varying part of the path; empty when it is not there.
    pub fn at(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str())
    }

    /// The id in the path.
    ///
    /// # Errors
    /// `50035` when it is none.
    pub fn id(&self, name: &str) -> Result<Snowflake, ApiError> {
        let text = self.at(name);
        text.parse().map_err(|_| {
            ApiError::form(name, "NUMBER_TYPE_COERCE", &format!("Value \"{text}\" is not snowflake."))
        })
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The id in the query.
    ///
    /// # Errors
    /// `50035` when it is there and none.
    pub fn query_id(&self, name: &str) -> Result<Option<Snowflake>, ApiError> {
        let wrong = |text: &str| {
            ApiError::form(name, "NUMBER_TYPE_COERCE", &format!("Value \"{text}\" is not snowflake."))
        };
        self.query(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }

    /// `limit`, within `1..=most`.
    ///
    /// # Errors
    /// `50035` when it is outside.
    pub fn limit(&self, usual: usize, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.query("limit") else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        let message = format!("int value should be between 1 and {most}.");
        number.ok_or_else(|| ApiError::form("limit", "NUMBER_TYPE_MAX", &message))
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.query(name), Some("true" | "1" | "True"))
    }
}

fn guessed(name: &str) -> String {
    let kind = match name.rsplit('.').next().unwrap_or_default() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "txt" | "log" => "text/plain; charset=utf-8",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    };
    kind.to_owned()
}

fn bot_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme == "Bot").then(|| token.trim().to_owned())
}
