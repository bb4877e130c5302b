//! What may befall a call. When it does is in the plan (`crate::faults`); carrying it out is `serve`'s work.
//! What Discord itself would refuse is not here.

use std::time::Duration;

/// One line of the plan. Methods by their operation in the published description (`create_message`, `update_channel`,
/// `execute_webhook` …; `download` for the CDN).
pub type Fault = crate::faults::Fault<FaultKind>;
pub type FaultPlan = crate::faults::Plan<FaultKind>;

/// Whose limit it is (`X-RateLimit-Scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    User,
    Global,
    Shared,
}

impl Scope {
    pub fn name(self) -> &'static str {
        match self {
            Scope::User => "user",
            Scope::Global => "global",
            Scope::Shared => "shared",
        }
    }
}

/// What goes wrong. `effect: true` means that the method is carried out all the same: the caller cannot know.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// The refusal with this code (10003, 50013 …), 0 for a 401; nothing is carried out.
    Refused { code: u32 },
    /// A server error, with what a front of the vendor's would say.
    Status { code: u16, effect: bool },
    /// 429; `retry_after` in the body as it is (a number, or anything else), `header` in `Retry-After`.
    RateLimit { scope: Scope, retry_after: Option<serde_json::Value>, header: Option<String> },
    /// 429 with a page of the front instead of JSON: the address is banned for a while.
    Banned,
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
    pub fn refused(code: u32) -> Self {
        FaultKind::Refused { code }
    }

    /// A well-formed 429.
    pub fn rate_limit(scope: Scope, seconds: f64) -> Self {
        let header = Some(format!("{}", seconds.ceil()));
        FaultKind::RateLimit { scope, retry_after: Some(seconds.into()), header }
    }

    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Refused { .. } => "refused",
            FaultKind::Status { .. } => "status",
            FaultKind::RateLimit { .. } => "rate_limit",
            FaultKind::Banned => "banned",
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
