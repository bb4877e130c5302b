//! Everything the fake was asked and everything it handed out, in order.
//! What became of it in the chats is read from `World`.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::chat::{ChatId, MessageId};
use super::params::{Encoding, Params, SentFile};

/// One request to a method (or a file download, method `download`).
#[derive(Debug, Clone)]
pub struct Call {
    pub number: usize,
    /// Since the fake started.
    pub at: Duration,
    pub answered_at: Option<Duration>,
    /// The vendor's spelling when the method exists, else as it came.
    pub method: String,
    /// As it came.
    pub method_as_sent: String,
    pub params: Map<String, Value>,
    pub encoding: Encoding,
    pub files: Vec<SentFile>,
    /// HTTP status; `None`: not answered (yet), or the connection was dropped.
    pub status: Option<u16>,
    pub answer: Option<Value>,
    /// Was the method carried out with success, whatever the caller was told?
    pub effect: bool,
    /// The fault that befell it.
    pub fault: Option<String>,
}

impl Call {
    pub fn chat(&self) -> Option<ChatId> {
        Params { values: self.params.clone(), files: Vec::new(), encoding: self.encoding }.int("chat_id")
    }

    pub fn text(&self, param: &str) -> Option<&str> {
        self.params.get(param)?.as_str()
    }

    /// A structured parameter, also when it came serialised.
    pub fn value(&self, param: &str) -> Option<Value> {
        match self.params.get(param)? {
            Value::String(text) => serde_json::from_str(text).ok().or_else(|| Some(json!(text))),
            other => Some(other.clone()),
        }
    }

    pub fn was_refused(&self) -> bool {
        self.status.is_none_or(|status| status >= 400)
    }

    /// For reports; files as name, size and hash.
    pub fn json(&self) -> Value {
        let files: Vec<Value> = self.files.iter().map(file_json).collect();
        json!({
            "number": self.number, "at_ms": self.at.as_millis() as u64,
            "answered_at_ms": self.answered_at.map(|at| at.as_millis() as u64),
            "method": self.method, "method_as_sent": self.method_as_sent, "params": self.params,
            "encoding": self.encoding, "files": files, "status": self.status, "answer": self.answer,
            "effect": self.effect, "fault": self.fault,
        })
    }
}

fn file_json(file: &SentFile) -> Value {
    use sha2::{Digest, Sha256};
    json!({
        "field": file.field, "name": file.name, "content_type": file.content_type,
        "size": file.bytes.len(), "sha256": hex::encode(Sha256::digest(&file.bytes)),
    })
}

/// How an update left the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Way {
    Polled {
        call: usize,
    },
    /// `status: None`: no answer from the webhook.
    Posted {
        attempt: u32,
        status: Option<u16>,
    },
}

#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub update_id: i64,
    pub kind: String,
    pub at_ms: u64,
    #[serde(flatten)]
    pub way: Way,
}

#[derive(Debug)]
pub struct Ledger {
    started: Instant,
    pub calls: Vec<Call>,
    pub deliveries: Vec<Delivery>,
    /// Updates that will not come again: confirmed by an offset or answered 2xx, in that order.
    pub confirmed: Vec<i64>,
    /// Updates lost to time or to `drop_pending_updates`.
    pub lost: Vec<i64>,
    /// Kinds of updates that `allowed_updates` or privacy kept from the bot.
    pub withheld: Vec<String>,
    /// Things a client must not do though the platform lets it.
    pub violations: Vec<String>,
    /// Messages beyond the platform's pace, whether refused or not.
    pub over_pace: Vec<(ChatId, Duration)>,
    /// Previews shown (`sendMessageDraft`).
    pub drafts: Vec<(ChatId, String)>,
    /// `sendChatAction`s.
    pub actions: Vec<(ChatId, String)>,
    /// Answers to button presses: query id and parameters.
    pub toasts: Vec<(String, Map<String, Value>)>,
    /// Messages deleted by the bot.
    pub deleted: Vec<(ChatId, MessageId)>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Ledger {
            started: Instant::now(),
            calls: Vec::new(),
            deliveries: Vec::new(),
            confirmed: Vec::new(),
            lost: Vec::new(),
            withheld: Vec::new(),
            violations: Vec::new(),
            over_pace: Vec::new(),
            drafts: Vec::new(),
            actions: Vec::new(),
            toasts: Vec::new(),
            deleted: Vec::new(),
        }
    }

    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Empties everything but the clock.
    pub fn forget(&mut self) {
        *self = Ledger { started: self.started, ..Ledger::new() };
    }

    pub(super) fn open(&mut self, method: &str, as_sent: &str, params: &Params) -> usize {
        let number = self.calls.len();
        self.calls.push(Call {
            number,
            at: self.now(),
            answered_at: None,
            method: method.to_owned(),
            method_as_sent: as_sent.to_owned(),
            params: params.values.clone(),
            encoding: params.encoding,
            files: params.files.clone(),
            status: None,
            answer: None,
            effect: false,
            fault: None,
        });
        number
    }

    /// Nothing when the ledger was emptied in between.
    pub(super) fn amend(&mut self, number: usize, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.calls.get_mut(number) {
            change(call);
        }
    }

    pub(super) fn close(&mut self, number: usize, status: Option<u16>, answer: Option<Value>) {
        let now = self.now();
        self.amend(number, |call| {
            call.status = status;
            call.answer = answer;
            call.answered_at = Some(now);
        });
    }

    pub(super) fn delivered(&mut self, update_id: i64, kind: &str, way: Way) {
        let at_ms = self.now().as_millis() as u64;
        self.deliveries.push(Delivery { update_id, kind: kind.to_owned(), at_ms, way });
    }

    pub fn violation(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    /// Calls of one method, in any case.
    pub fn requests(&self, method: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.method.eq_ignore_ascii_case(method)).collect()
    }

    /// How often an update was handed out.
    pub fn times_delivered(&self, update_id: i64) -> usize {
        self.deliveries.iter().filter(|delivery| delivery.update_id == update_id).count()
    }
}
