//! What `deskbridge doctor` says of one thing that it looked at. Adapters look at their platforms, the program at the rest.
//!
//! Not here: looking, and how it is shown.

use serde::Serialize;

/// One thing that was looked at: what was seen, why it matters and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// `telegram.topics`
    pub id: String,
    pub outcome: Outcome,
    pub detail: String,
    /// Why it matters; empty when all is well.
    pub why: String,
    /// The next command or button; empty when all is well.
    pub fix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
    /// Not configured, or not looked at because of another failure; the detail says why.
    Skip,
}

impl Check {
    pub fn pass(id: &str, detail: impl Into<String>) -> Self {
        Check {
            id: id.into(),
            outcome: Outcome::Pass,
            detail: detail.into(),
            why: String::new(),
            fix: String::new(),
        }
    }

    pub fn skip(id: &str, detail: impl Into<String>) -> Self {
        Check { outcome: Outcome::Skip, ..Check::pass(id, detail) }
    }

    pub fn fail(id: &str, detail: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { outcome: Outcome::Fail, why: why.into(), fix: fix.into(), ..Check::pass(id, detail) }
    }

    pub fn warn(id: &str, detail: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Check { outcome: Outcome::Warn, ..Check::fail(id, detail, why, fix) }
    }
}
