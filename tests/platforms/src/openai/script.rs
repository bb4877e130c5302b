//! What the server is to answer: a reply of the model with its oddities, or a failure instead of one.
//! Putting it on the wire is in `body` and `stream`.

use std::time::Duration;

use serde_json::{Map, Value, json};

/// One line of the script.
#[derive(Debug, Clone)]
pub enum Answer {
    Reply(Reply),
    /// Any status, body and headers.
    Status {
        code: u16,
        body: Value,
        headers: Vec<(String, String)>,
    },
    /// 200 with a web page: a proxy or login wall in front.
    Html,
    /// 200 and this as it is, JSON or not.
    Text(String),
    /// The connection is dropped without a word.
    Close,
    /// Nothing for so long, then the connection is dropped.
    Hang(Duration),
    /// 200 and a body without end.
    Endless,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Answer::Reply(reply)
    }
}

impl From<&str> for Answer {
    fn from(text: &str) -> Self {
        Answer::Reply(Reply::text(text))
    }
}

fn error_body(message: &str, kind: &str, code: Option<&str>) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

impl Answer {
    fn refusal(code: u16, message: &str, kind: &str, name: Option<&str>) -> Self {
        Answer::Status { code, body: error_body(message, kind, name), headers: Vec::new() }
    }

    /// 429; add `retry-after` or `retry-after-ms` with `header`.
    pub fn rate_limited() -> Self {
        Answer::refusal(429, "Rate limit reached for requests", "requests", Some("rate_limit_exceeded"))
    }

    /// The 429 that no waiting cures.
    pub fn insufficient_quota() -> Self {
        let message = "You exceeded your current quota, please check your plan and billing details.";
        Answer::refusal(429, message, "insufficient_quota", Some("insufficient_quota"))
    }

    pub fn unauthorized() -> Self {
        Answer::refusal(401, "Incorrect API key provided", "invalid_request_error", Some("invalid_api_key"))
    }

    pub fn bad_request(message: &str) -> Self {
        Answer::refusal(400, message, "invalid_request_error", None)
    }

    pub fn context_too_long() -> Self {
        let message = "This model's maximum context length is 8192 tokens.";
        Answer::refusal(400, message, "invalid_request_error", Some("context_length_exceeded"))
    }

    pub fn unknown_model() -> Self {
        Answer::refusal(404, "The model does not exist", "invalid_request_error", Some("model_not_found"))
    }

    pub fn server_error(code: u16) -> Self {
        Answer::refusal(code, "The server had an error while processing your request", "server_error", None)
    }

    /// What some compatible servers do: status 200, an `error` inside.
    pub fn error_in_ok(message: &str) -> Self {
        Answer::refusal(200, message, "server_error", None)
    }

    /// Adds a header to a refusal.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Answer::Status { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// What the server says about tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Usage {
    /// Counted, in streams only when `stream_options.include_usage` asks for it, as the vendor does.
    Counted,
    /// Never there.
    Missing,
    /// This JSON, in streams in the last chunk even unasked.
    Odd(Value),
    /// This text in its place, which need not be JSON: `NaN`.
    Raw(String),
}

/// A call of a tool; in streams the arguments come in these fragments.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: Vec<String>,
}

impl ToolCall {
    /// The arguments are cut in three to be put together again by `index`.
    pub fn new(id: &str, name: &str, arguments: &Value) -> Self {
        let text: Vec<char> = arguments.to_string().chars().collect();
        let piece = text.len().div_ceil(3).max(1);
        let arguments = text.chunks(piece).map(|piece| piece.iter().collect()).collect();
        ToolCall { id: id.to_owned(), name: name.to_owned(), arguments }
    }
}

/// A reply of the model and how it comes. Chunks are numbered as they go over the wire: 0 only names the role, the
/// first text is 1, the tool calls follow the texts, then comes the one with the finish reason.
#[derive(Debug, Clone)]
pub struct Reply {
    pub chunks: Vec<String>,
    pub tool_calls: Vec<ToolCall>,
    /// `None`: null in the last chunk, as when the server just stops.
    pub finish_reason: Option<String>,
    pub usage: Usage,
    /// Unknown fields beside `choices` (`service_tier`).
    pub extra: Map<String, Value>,
    /// Before the first byte of a streamed body's first chunk, or of a whole answer.
    pub first_delay: Duration,
    pub between: Duration,
    /// Before the chunk of this number nothing comes for so long.
    pub stall: Option<(usize, Duration)>,
    /// The connection drops after so many chunks (of a whole answer: half way).
    pub cut_after: Option<usize>,
    /// The chunk of this number is broken JSON.
    pub malformed_at: Option<usize>,
    /// The chunk of this number is an `error` object instead.
    pub error_at: Option<usize>,
    /// `data: [DONE]` at the end.
    pub done_marker: bool,
    /// SSE comments between chunks, as keep-alive.
    pub comments: bool,
    /// `\r\n` line ends.
    pub crlf: bool,
    /// The stream is sent in pieces of so many bytes, whatever the borders of events and characters.
    pub wire_piece: Option<usize>,
}

impl Default for Reply {
    fn default() -> Self {
        Reply {
            chunks: Vec::new(),
            tool_calls: Vec::new(),
            finish_reason: Some("stop".into()),
            usage: Usage::Counted,
            extra: Map::new(),
            first_delay: Duration::ZERO,
            between: Duration::ZERO,
            stall: None,
            cut_after: None,
            malformed_at: None,
            error_at: None,
            done_marker: true,
            comments: false,
            crlf: false,
            wire_piece: None,
        }
    }
}

impl Reply {
    /// Streamed word by word.
    pub fn text(text: &str) -> Self {
        Reply { chunks: text.split_inclusive(' ').map(str::to_owned).collect(), ..Reply::default() }
    }

    pub fn chunks<S: Into<String>>(chunks: impl IntoIterator<Item = S>) -> Self {
        Reply { chunks: chunks.into_iter().map(Into::into).collect(), ..Reply::default() }
    }

    /// Nothing said, finished well.
    pub fn empty() -> Self {
        Reply::default()
    }

    /// So many bytes of text, in chunks of 64 KB.
    pub fn huge(bytes: usize) -> Self {
        let piece = "lorem ipsum ".repeat(64 * 1024 / 12);
        let count = bytes.div_ceil(piece.len());
        Reply { chunks: vec![piece; count], ..Reply::default() }
    }

    pub fn tool_call(name: &str, arguments: &Value) -> Self {
        Reply::tool_calls(vec![ToolCall::new("call_1", name, arguments)])
    }

    pub fn tool_calls(tool_calls: Vec<ToolCall>) -> Self {
        Reply { tool_calls, finish_reason: Some("tool_calls".into()), ..Reply::default() }
    }

    pub fn finish_reason(mut self, reason: Option<&str>) -> Self {
        self.finish_reason = reason.map(str::to_owned);
        self
    }

    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    pub fn extra(mut self, field: &str, value: Value) -> Self {
        self.extra.insert(field.to_owned(), value);
        self
    }

    pub fn first_delay(mut self, wait: Duration) -> Self {
        self.first_delay = wait;
        self
    }

    pub fn between(mut self, wait: Duration) -> Self {
        self.between = wait;
        self
    }

    pub fn stall(mut self, before_chunk: usize, wait: Duration) -> Self {
        self.stall = Some((before_chunk, wait));
        self
    }

    pub fn cut_after(mut self, chunks: usize) -> Self {
        self.cut_after = Some(chunks);
        self
    }

    pub fn malformed_at(mut self, chunk: usize) -> Self {
        self.malformed_at = Some(chunk);
        self
    }

    pub fn error_at(mut self, chunk: usize) -> Self {
        self.error_at = Some(chunk);
        self
    }

    pub fn without_done(mut self) -> Self {
        self.done_marker = false;
        self
    }

    pub fn with_comments(mut self) -> Self {
        self.comments = true;
        self
    }

    pub fn crlf(mut self) -> Self {
        self.crlf = true;
        self
    }

    pub fn wire_piece(mut self, bytes: usize) -> Self {
        self.wire_piece = Some(bytes.max(1));
        self
    }

    pub fn full_text(&self) -> String {
        self.chunks.concat()
    }
}
