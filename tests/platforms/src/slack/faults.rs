//! What may befall a call. When it does is in the plan (`crate::faults`); carrying it out is `serve`'s work.
//! What Slack itself would refuse is not here.

use std::time::Duration;

/// One line of the plan. Methods by name (`chat.postMessage`; `upload` and `download` for bytes, `response_url` for
/// answers to interactions).
pub type Fault = crate::faults::Fault<FaultKind>;
pub type FaultPlan = crate::faults::Plan<FaultKind>;

/// What goes wrong. `effect: true` means that the method is carried out all the same: the caller cannot know.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// 200 with `ok: false` and this name; nothing is carried out.
    Refused { error: String },
    /// A server error, with what a front of the vendor's would say.
    Status { code: u16, effect: bool },
    /// 429 and `ratelimited`; `Retry-After` as it is given, or none.
    RateLimit { retry_after: Option<String> },
    /// 200 with a web page.
    Html { effect: bool },
    /// The connection is dropped before the body is read.
    CloseBeforeReading,
    /// The ambiguous one: carried out, then the connection is dropped without an answer.
    CloseAfterEffect,
    /// Waits; then answers normally (`effect`) or drops the connection having done nothing.
    Stall { wait: Duration, effect: bool },
    /// 200 `application/json` with this body.
    Garbage { body: String, effect: bool },
    /// Carried out; the answer's `Content-Length` is a lie and the connection drops half way.
    CutShort,
    /// Carried out; the answer comes one byte at a time.
    Drip { every: Duration },
    /// 200 and a body without end.
    Endless { effect: bool },
}

impl FaultKind {
    pub fn refused(error: &str) -> Self {
        FaultKind::Refused { error: error.to_owned() }
    }

    /// A well-formed 429.
    pub fn rate_limit(seconds: u64) -> Self {
        FaultKind::RateLimit { retry_after: Some(seconds.to_string()) }
    }

    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Refused { .. } => "refused",
            FaultKind::Status { .. } => "status",
            FaultKind::RateLimit { .. } => "rate_limit",
            FaultKind::Html { .. } => "html",
            FaultKind::CloseBeforeReading => "close_before_reading",
            FaultKind::CloseAfterEffect => "close_after_effect",
            FaultKind::Stall { .. } => "stall",
            FaultKind::Garbage { .. } => "garbage",
            FaultKind::CutShort => "cut_short",
            FaultKind::Drip { .. } => "drip",
            FaultKind::Endless { .. } => "endless",
        }
    }
}
