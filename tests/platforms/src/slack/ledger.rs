//! Everything the fake was asked and everything it handed out, in order.
//! What became of it in the channels is read from `World`.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::params::{Encoding, Params};
use super::team::{AppId, ChannelId, TeamId};

/// One request: to a method, to an upload URL, for a file, to a response URL.
#[derive(Debug, Clone)]
pub struct Call {
    pub number: usize,
    /// Since the fake started.
    pub at: Duration,
    pub answered_at: Option<Duration>,
    pub method: String,
    pub team: Option<TeamId>,
    pub params: Map<String, Value>,
    pub encoding: Encoding,
    /// Did it bring a token (whatever it was worth)?
    pub authorized: bool,
    /// HTTP status; `None`: not answered (yet), or the connection was dropped.
    pub status: Option<u16>,
    pub answer: Option<Value>,
    /// Was it carried out with success, whatever the caller was told?
    pub effect: bool,
    /// The fault that befell it.
    pub fault: Option<&'static str>,
}

impl Call {
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

    /// The error's name when it was answered with one.
    pub fn error(&self) -> Option<&str> {
        self.answer.as_ref()?["error"].as_str()
    }
}

/// How an event, an interaction or a command left the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Posted,
    Socket,
}

/// One attempt to hand something to an app.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `event_id`, or the trigger of an interaction or command.
    pub id: String,
    pub app: AppId,
    /// The event's type, `block_actions`, `/desk` …
    pub kind: String,
    /// 1 for the first.
    pub attempt: u32,
    pub way: Way,
    pub at: Duration,
    /// How long the answer took.
    pub took: Duration,
    /// HTTP status, 200 for an acknowledged envelope; `None`: no answer in time, no connection.
    pub status: Option<u16>,
    pub answer: String,
}

impl Delivery {
    pub fn was_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

#[derive(Debug)]
pub struct Ledger {
    started: Instant,
    pub calls: Vec<Call>,
    pub deliveries: Vec<Delivery>,
    /// Ids that no further attempt is made for though none succeeded.
    pub lost: Vec<String>,
    /// Things a client must not do though the platform lets it.
    pub violations: Vec<String>,
    /// Messages beyond one a second in a channel, whether refused or not.
    pub over_pace: Vec<(TeamId, ChannelId, Duration)>,
    /// `assistant.threads.setStatus`: channel, thread, status.
    pub statuses: Vec<(ChannelId, String, String)>,
    /// `assistant.threads.setSuggestedPrompts`: channel, thread, prompts.
    pub prompts: Vec<(ChannelId, String, Value)>,
    /// `assistant.threads.setTitle`: channel, thread, title.
    pub titles: Vec<(ChannelId, String, String)>,
    /// Messages deleted by an app.
    pub deleted: Vec<(ChannelId, String)>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Ledger {
            started: Instant::now(),
            calls: Vec::new(),
            deliveries: Vec::new(),
            lost: Vec::new(),
            violations: Vec::new(),
            over_pace: Vec::new(),
            statuses: Vec::new(),
            prompts: Vec::new(),
            titles: Vec::new(),
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

    pub(super) fn open(&mut self, method: &str, team: Option<&str>, params: &Params) -> usize {
        let number = self.calls.len();
        self.calls.push(Call {
            number,
            at: self.now(),
            answered_at: None,
            method: method.to_owned(),
            team: team.map(str::to_owned),
            params: params.values.clone(),
            encoding: params.encoding,
            authorized: params.token.is_some(),
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

    pub(super) fn close(&mut self, number: usize, status: u16, answer: Option<Value>) {
        let now = self.now();
        self.amend(number, |call| {
            call.status = Some(status);
            call.answer = answer;
            call.answered_at = Some(now);
        });
    }

    pub fn violation(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }

    pub fn requests(&self, method: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.method == method).collect()
    }

    /// Attempts for one event, interaction or command.
    pub fn attempts(&self, id: &str) -> Vec<&Delivery> {
        self.deliveries.iter().filter(|delivery| delivery.id == id).collect()
    }
}
