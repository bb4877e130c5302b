//! Everything the fake was asked and everything it handed out, in order.
//! What became of it in the channels is read from `World`.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::params::{Encoding, Params};
use super::snowflake::Snowflake;

/// One request, by the name of its operation in the published description (`create_message`, `execute_webhook` …);
/// `download` for the CDN.
#[derive(Debug, Clone)]
pub struct Call {
    pub number: usize,
    /// Since the fake started.
    pub at: Duration,
    pub answered_at: Option<Duration>,
    pub operation: String,
    /// Verb and path with its query, as they came.
    pub line: String,
    /// Whose token it brought.
    pub app: Option<Snowflake>,
    /// The channel in its path.
    pub channel: Option<Snowflake>,
    pub query: Vec<(String, String)>,
    pub body: Value,
    /// Names of the files it brought.
    pub files: Vec<String>,
    pub encoding: Encoding,
    pub user_agent: String,
    /// HTTP status; `None`: not answered (yet), or the connection was dropped.
    pub status: Option<u16>,
    pub answer: Option<Value>,
    /// Was it carried out with success, whatever the caller was told?
    pub effect: bool,
    /// The fault that befell it.
    pub fault: Option<&'static str>,
}

impl Call {
    /// The refusal's code when it was answered with one.
    pub fn code(&self) -> Option<u64> {
        self.answer.as_ref()?["code"].as_u64()
    }

    pub fn text(&self, field: &str) -> Option<&str> {
        self.body[field].as_str()
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// How an interaction left the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Posted,
    Gateway,
}

/// One interaction, or one probe of an endpoint, as it was handed out.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: Snowflake,
    pub app: Snowflake,
    pub way: Way,
    pub at: Duration,
    /// HTTP status; `None`: through the gateway, or no answer in time.
    pub status: Option<u16>,
    pub answer: String,
}

/// What a client did on the gateway, and what was done to it.
#[derive(Debug, Clone, PartialEq)]
pub enum GatewayEntry {
    Connected,
    Identified {
        session: String,
        intents: u64,
    },
    Resumed {
        session: String,
        seq: u64,
        replayed: usize,
    },
    Heartbeat {
        seq: Option<u64>,
    },
    Invalidated {
        resumable: bool,
    },
    ToldToReconnect,
    /// Closed by the fake, with this code.
    Closed(u16),
    /// The client left, with this code when it said one.
    Left(Option<u16>),
    Cut,
}

/// A line of the gateway's diary.
#[derive(Debug, Clone)]
pub struct GatewayLine {
    pub at: Duration,
    /// The connection's number.
    pub socket: u64,
    pub app: Option<Snowflake>,
    pub entry: GatewayEntry,
}

#[derive(Debug)]
pub struct Ledger {
    started: Instant,
    pub calls: Vec<Call>,
    pub deliveries: Vec<Delivery>,
    pub gateway: Vec<GatewayLine>,
    /// Things a client must not do though the platform lets it.
    pub violations: Vec<String>,
    /// Answers with 401, 403 or 429 (but for shared limits): 10 000 in ten minutes get an address banned.
    pub invalid_requests: u64,
    /// Requests beyond fifty in a second, whether refused or not.
    pub over_global: u64,
    /// Who typed where.
    pub typing: Vec<(Snowflake, Snowflake, Duration)>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Ledger {
            started: Instant::now(),
            calls: Vec::new(),
            deliveries: Vec::new(),
            gateway: Vec::new(),
            violations: Vec::new(),
            invalid_requests: 0,
            over_global: 0,
            typing: Vec::new(),
        }
    }

    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Empties everything but the clock.
    pub fn forget(&mut self) {
        *self = Ledger { started: self.started, ..Ledger::new() };
    }

    pub(super) fn open(&mut self, operation: &str, line: &str, app: Option<Snowflake>, agent: &str) -> usize {
        let number = self.calls.len();
        self.calls.push(Call {
            number,
            at: self.now(),
            answered_at: None,
            operation: operation.to_owned(),
            line: line.to_owned(),
            app,
            channel: None,
            query: Vec::new(),
            body: Value::Null,
            files: Vec::new(),
            encoding: Encoding::Empty,
            user_agent: agent.to_owned(),
            status: None,
            answer: None,
            effect: false,
            fault: None,
        });
        number
    }

    /// What was in the request, once it is read.
    pub(super) fn fill(&mut self, number: usize, params: &Params) {
        let channel = params.at("channel_id").parse().ok();
        self.amend(number, |call| {
            call.channel = channel;
            call.query.clone_from(&params.query);
            call.body.clone_from(&params.body);
            call.files = params.files.iter().map(|file| file.name.clone()).collect();
            call.encoding = params.encoding;
        });
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

    pub(super) fn note(&mut self, socket: u64, app: Option<Snowflake>, entry: GatewayEntry) {
        let at = self.now();
        self.gateway.push(GatewayLine { at, socket, app, entry });
    }

    pub fn requests(&self, operation: &str) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.operation == operation).collect()
    }

    /// Identifies that were accepted.
    pub fn identifies(&self) -> usize {
        let identified = |line: &&GatewayLine| matches!(line.entry, GatewayEntry::Identified { .. });
        self.gateway.iter().filter(identified).count()
    }

    pub fn resumes(&self) -> usize {
        let resumed = |line: &&GatewayLine| matches!(line.entry, GatewayEntry::Resumed { .. });
        self.gateway.iter().filter(resumed).count()
    }
}
