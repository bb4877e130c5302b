//! Why a command ended badly, in the words and with the exit code that people and scripts get.
//!
//! Not here: faults of the configuration one by one (`config::Fault`).
//!
//! 0 ok · 1 runtime · 2 usage · 3 a check of doctor failed · 4 warnings with `--strict` · 5 an instance cannot be reached ·
//! 78 configuration invalid (`EX_CONFIG`, so that systemd can be told not to try again).

use std::fmt;

use crate::config::Fault;
use crate::telemetry::redact;

/// What a command comes to.
pub type Outcome = Result<(), Failure>;

#[derive(Debug)]
pub enum Failure {
    /// What happened, why, and what to do next.
    Told { code: u8, what: String, why: String, next: String },
    /// The configuration is invalid; the file's name and every fault.
    Config(String, Vec<Fault>),
    /// The command has said everything itself.
    Said(u8),
}

pub const RUNTIME: u8 = 1;
pub const USAGE: u8 = 2;
pub const DOCTOR_FAILED: u8 = 3;
pub const DOCTOR_WARNED: u8 = 4;
pub const UNREACHABLE: u8 = 5;
pub const CONFIG: u8 = 78;

impl Failure {
    pub fn runtime(what: impl Into<String>, why: impl fmt::Display, next: impl Into<String>) -> Self {
        Failure::Told { code: RUNTIME, what: what.into(), why: why.to_string(), next: next.into() }
    }

    pub fn usage(what: impl Into<String>, why: impl fmt::Display, next: impl Into<String>) -> Self {
        Failure::Told { code: USAGE, what: what.into(), why: why.to_string(), next: next.into() }
    }

    /// No deskbridge answers where one should run.
    pub fn unreachable(what: impl Into<String>, why: impl fmt::Display, next: impl Into<String>) -> Self {
        Failure::Told { code: UNREACHABLE, what: what.into(), why: why.to_string(), next: next.into() }
    }

    pub fn code(&self) -> u8 {
        match self {
            Failure::Told { code, .. } | Failure::Said(code) => *code,
            Failure::Config(..) => CONFIG,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let mut causes = error.chain().map(ToString::to_string);
        let what = causes.next().unwrap_or_default();
        let why = causes.collect::<Vec<_>>().join(": ");
        Failure::runtime(what, why, "deskbridge doctor")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Told { what, why, next, .. } => {
                write!(f, "error: {}", redact(what))?;
                if !why.is_empty() {
                    write!(f, "\n  why   {}", redact(why))?;
                }
                if next.is_empty() { Ok(()) } else { write!(f, "\n  next  {next}") }
            }
            Failure::Config(file, faults) => write!(f, "{}", invalid(file, faults)),
            Failure::Said(_) => Ok(()),
        }
    }
}

/// All faults, for people.
pub fn invalid(file: &str, faults: &[Fault]) -> String {
    let name = if file.is_empty() { "the environment" } else { file };
    let count = match faults.len() {
        1 => "1 fault".to_owned(),
        n => format!("{n} faults"),
    };
    let mut said = format!("error: the configuration in {name} is invalid: {count}\n");
    for fault in faults {
        said.push_str(&format!("\n  {fault}\n"));
    }
    said.push_str("\n  why   nothing is started with a configuration that is not understood\n");
    said.push_str("  next  correct these, then run: deskbridge check");
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_why_and_next_and_no_secret() {
        let error = anyhow::anyhow!("refused by https://u:planted@x").context("the database does not open");
        let failure = Failure::from(error);
        assert_eq!(failure.code(), 1);
        assert_eq!(
            failure.to_string(),
            "error: the database does not open\n  why   refused by https://(secret)@x\n  next  deskbridge doctor"
        );
    }

    #[test]
    fn every_fault_is_listed() {
        let fault = |path: &str| Fault {
            path: path.into(),
            from: "deskbridge.toml:1".into(),
            expected: "a".into(),
            got: "b".into(),
            nearest: None,
        };
        let failure = Failure::Config("deskbridge.toml".into(), vec![fault("x.y"), fault("z")]);
        assert_eq!(failure.code(), 78);
        let said = failure.to_string();
        assert!(
            said.contains("2 faults") && said.contains("x.y") && said.contains("z   (deskbridge.toml:1)"),
            "{said}"
        );
    }
}
