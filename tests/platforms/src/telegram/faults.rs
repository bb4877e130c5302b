//! The plan of faults: which of the next calls go wrong, and how.
//! Carrying a fault out is `serve`'s work.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::chat::ChatId;

/// What goes wrong. `effect: true` means that the method is carried out all the same: the caller cannot know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// A refusal or a server error.
    Status {
        code: u16,
        #[serde(default)]
        description: String,
        #[serde(default)]
        parameters: Option<Value>,
        #[serde(default)]
        effect: bool,
    },
    /// 429; `retry_after` goes into `parameters` as it is (a number, negative, a text, or left out),
    /// `header` into `Retry-After`.
    RateLimit {
        #[serde(default)]
        retry_after: Option<Value>,
        #[serde(default)]
        header: Option<String>,
    },
    /// 200 with a web page.
    Html {
        #[serde(default)]
        effect: bool,
    },
    /// The connection is dropped before the body is read. With a chat filter the body must be read first to know
    /// the chat; nothing is carried out either way.
    CloseBeforeReading,
    /// The ambiguous one: carried out, then the connection is dropped without an answer.
    CloseAfterEffect,
    /// Waits; then answers normally (`effect`) or drops the connection having done nothing.
    Stall { wait_ms: u64, effect: bool },
    /// 200 `application/json` with this body.
    Garbage {
        body: String,
        #[serde(default)]
        effect: bool,
    },
    /// Carried out; the answer's `Content-Length` is a lie and the connection drops half way.
    CutShort,
    /// Carried out; the answer comes one byte per `every_ms`.
    Drip { every_ms: u64 },
    /// 200 and a body without end.
    Endless {
        #[serde(default)]
        effect: bool,
    },
    /// The real answer under this many bytes of headers.
    HugeHeaders { bytes: usize },
}

impl FaultKind {
    pub fn status(code: u16, description: impl Into<String>) -> Self {
        FaultKind::Status { code, description: description.into(), parameters: None, effect: false }
    }

    /// 500, 502, 503 … with the text that the vendor's front sends.
    pub fn server_error(code: u16, effect: bool) -> Self {
        let description = match code {
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            _ => "Internal Server Error",
        };
        FaultKind::Status { code, description: description.into(), parameters: None, effect }
    }

    /// A well-formed 429.
    pub fn rate_limit(seconds: u64) -> Self {
        FaultKind::RateLimit { retry_after: Some(seconds.into()), header: Some(seconds.to_string()) }
    }

    /// A 429 with this in `parameters.retry_after`, or without the field.
    pub fn odd_rate_limit(retry_after: Option<Value>) -> Self {
        FaultKind::RateLimit { retry_after, header: None }
    }

    pub fn stall(wait: Duration, effect: bool) -> Self {
        FaultKind::Stall { wait_ms: wait.as_millis() as u64, effect }
    }
}

/// One line of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Method, in any case; `download` for files; none for every call but `getUpdates`.
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub chat: Option<ChatId>,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub after: u32,
    #[serde(default = "once")]
    pub times: u32,
    pub fault: FaultKind,
}

fn once() -> u32 {
    1
}

impl Fault {
    pub fn on(method: &str, fault: FaultKind) -> Self {
        Fault { method: Some(method.to_owned()), chat: None, after: 0, times: 1, fault }
    }

    /// Any method but `getUpdates`, which a poller calls at moments a test does not choose.
    pub fn anywhere(fault: FaultKind) -> Self {
        Fault { method: None, chat: None, after: 0, times: 1, fault }
    }

    pub fn in_chat(mut self, chat: ChatId) -> Self {
        self.chat = Some(chat);
        self
    }

    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    fn concerns(&self, method: &str) -> bool {
        match &self.method {
            Some(wanted) => wanted.eq_ignore_ascii_case(method),
            None => !method.eq_ignore_ascii_case("getUpdates"),
        }
    }
}

#[derive(Debug, Default)]
pub struct FaultPlan {
    lines: Vec<Fault>,
}

impl FaultPlan {
    pub fn add(&mut self, fault: Fault) {
        self.lines.push(fault);
    }

    pub fn clear(&mut self) {
        self.lines.clear();
    }

    /// Faults still to come.
    pub fn left(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.times)).sum()
    }

    /// Is the next call of this method to be dropped unread, whatever its chat?
    pub(super) fn take_unread(&mut self, method: &str) -> bool {
        let line = self.lines.iter().position(|line| line.concerns(method));
        let Some(at) = line else { return false };
        let line = &self.lines[at];
        let drop = line.fault == FaultKind::CloseBeforeReading && line.chat.is_none() && line.after == 0;
        drop && self.spend(at).is_some()
    }

    /// The fault for this call: the first line that matches it.
    pub(super) fn take(&mut self, method: &str, chat: Option<ChatId>) -> Option<FaultKind> {
        let matching = |line: &Fault| line.concerns(method) && (line.chat.is_none() || line.chat == chat);
        let at = self.lines.iter().position(matching)?;
        if self.lines[at].after > 0 {
            self.lines[at].after -= 1;
            return None;
        }
        self.spend(at)
    }

    fn spend(&mut self, at: usize) -> Option<FaultKind> {
        let fault = self.lines[at].fault.clone();
        self.lines[at].times = self.lines[at].times.saturating_sub(1);
        if self.lines[at].times == 0 {
            self.lines.remove(at);
        }
        Some(fault)
    }
}
