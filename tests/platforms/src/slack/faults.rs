//! The plan of faults: which of the next calls go wrong, and how.
//! Carrying a fault out is `serve`'s work.

use std::time::Duration;

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

/// One line of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Method (`chat.postMessage`; `upload` and `download` for bytes, `response_url` for answers to interactions);
    /// none for every one.
    pub method: Option<String>,
    pub channel: Option<String>,
    /// How many matching calls pass unharmed first.
    pub after: u32,
    pub times: u32,
    pub fault: FaultKind,
}

impl Fault {
    pub fn on(method: &str, fault: FaultKind) -> Self {
        Fault { method: Some(method.to_owned()), channel: None, after: 0, times: 1, fault }
    }

    pub fn anywhere(fault: FaultKind) -> Self {
        Fault { method: None, channel: None, after: 0, times: 1, fault }
    }

    pub fn in_channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.to_owned());
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

    /// The fault for this call: the first line that matches it.
    pub(super) fn take(&mut self, method: &str, channel: Option<&str>) -> Option<FaultKind> {
        let matching = |line: &Fault| {
            line.method.as_deref().is_none_or(|wanted| wanted == method)
                && line.channel.as_deref().is_none_or(|wanted| channel == Some(wanted))
        };
        let at = self.lines.iter().position(matching)?;
        let line = &mut self.lines[at];
        if line.after > 0 {
            line.after -= 1;
            return None;
        }
        let fault = line.fault.clone();
        line.times = line.times.saturating_sub(1);
        if line.times == 0 {
            self.lines.remove(at);
        }
        Some(fault)
    }
}
