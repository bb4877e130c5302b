//! What the server was asked and how far each answer got.
//! What it was to answer is in `script`.

use std::time::Duration;

use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub number: usize,
    /// Since the fake started.
    pub at: Duration,
    pub path: String,
    pub body: Value,
    /// Without `authorization`.
    pub headers: Vec<(String, String)>,
    /// Was the right key there?
    pub authorized: bool,
    pub stream: bool,
    /// `None`: not answered (yet), or the connection was dropped.
    pub status: Option<u16>,
    /// Chunks of a stream that were handed to the socket.
    pub chunks_sent: usize,
    /// The answer went out to its end.
    pub finished: bool,
    /// The caller went away before the end.
    pub abandoned: bool,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn messages(&self) -> &[Value] {
        self.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The content of the last message with this role, texts of parts put together.
    pub fn last(&self, role: &str) -> Option<String> {
        let message = self.messages().iter().rev().find(|message| message["role"] == role)?;
        Some(content_text(&message["content"]))
    }

    /// Names of the tools offered.
    pub fn tools(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().into_iter().flatten();
        tools.filter_map(|tool| tool["function"]["name"].as_str().map(str::to_owned)).collect()
    }
}

pub(super) fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
