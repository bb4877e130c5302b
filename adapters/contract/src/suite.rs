//! The numbered clauses that every adapter has to pass, as one function over a [`Subject`].
//!
//! Not here: anything about one platform. An adapter's own tests implement [`Subject`] over their fake platform and call
//! [`assert_conforms`]; the smallest example is `adapters/sim/tests/suite/subject.rs`.
//!
//! Nothing sleeps: the suite waits for things that must happen (with a limit, after which the clause has failed), and
//! asks [`Subject::settle`] before it says that something did *not* happen.

mod hygiene;
mod inbound;
mod outbound;
mod recorder;
mod run;
mod subject;
mod text;

use std::fmt;

pub use recorder::Recorder;
pub use subject::{Act, Breakage, Caused, Fixture, Forgery, Shown, Subject, Translated, Verdict};

use run::{Findings, Run};

/// What an adapter promises. The numbers are cited by tests, documents and reviews, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    C1,
    C2,
    C3,
    C4,
    C5,
    C6,
    C7,
    C8,
    C9,
    C10,
    C11,
    C12,
    C13,
    C14,
}

impl Clause {
    pub const ALL: [Clause; 14] = [
        Clause::C1,
        Clause::C2,
        Clause::C3,
        Clause::C4,
        Clause::C5,
        Clause::C6,
        Clause::C7,
        Clause::C8,
        Clause::C9,
        Clause::C10,
        Clause::C11,
        Clause::C12,
        Clause::C13,
        Clause::C14,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Clause::C1 => "a redelivered event keeps its id, and every event has its own",
            Clause::C2 => "translate is total over fixtures and arbitrary JSON",
            Clause::C3 => "own messages never come in",
            Clause::C4 => "acknowledge only after push returns",
            Clause::C5 => "the same DeliveryId twice shows once where promised",
            Clause::C6 => "content within the declared limits is accepted",
            Clause::C7 => "Sent.address is where the answer arrives",
            Clause::C8 => "429, 5xx, time-outs, 401 and 403 map right, and nothing is retried inside",
            Clause::C9 => "nothing secret in errors or logs",
            Clause::C10 => "events carry the platform's time",
            Clause::C11 => "example.toml parses, an unknown key is refused",
            Clause::C12 => "edit, delete and react work on what send returned",
            Clause::C13 => "relayed text cannot mention, format-break or ping",
            Clause::C14 => "bad signatures of every kind are refused",
        }
    }
}

/// What became of one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed(Vec<String>),
    /// The subject says that it means nothing on this platform, and why.
    Exempt(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseReport {
    pub clause: Clause,
    pub outcome: Outcome,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

impl ClauseReport {
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

impl fmt::Display for ClauseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match &self.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "FAILED",
            Outcome::Exempt(_) => "exempt",
        };
        write!(f, "{:<4} {word}  {}", format!("{:?}", self.clause), self.clause.text())?;
        match &self.outcome {
            Outcome::Passed => {}
            Outcome::Failed(faults) => {
                for fault in faults {
                    write!(f, "\n       ✗ {fault}")?;
                }
            }
            Outcome::Exempt(why) => write!(f, "\n       – {why}")?,
        }
        for note in &self.notes {
            write!(f, "\n       · {note}")?;
        }
        Ok(())
    }
}

/// Checks every clause, in order, on one subject. Never panics for a fault of the adapter: it is in the report.
pub async fn check(subject: &mut dyn Subject) -> Vec<ClauseReport> {
    check_some(subject, &Clause::ALL).await
}

/// Checks some clauses only. C9 and C10 look at what the others saw, so they are worth little alone.
pub async fn check_some(subject: &mut dyn Subject, clauses: &[Clause]) -> Vec<ClauseReport> {
    let exempt = subject.exempt();
    let mut run = Run::start(subject).await;
    let mut reports = Vec::new();
    // C9 reads the errors and logs of all others, so it is checked last.
    let (last, first): (Vec<Clause>, Vec<Clause>) = clauses.iter().partition(|c| **c == Clause::C9);
    for clause in first.into_iter().chain(last) {
        let report = match exempt.iter().find(|(exempted, _)| *exempted == clause) {
            Some((_, why)) => ClauseReport { clause, outcome: Outcome::Exempt(why), notes: Vec::new() },
            None => run_clause(&mut run, clause).await,
        };
        reports.push(report);
    }
    run.subject.stop().await;
    reports.sort_by_key(|r| r.clause);
    reports
}

async fn run_clause(run: &mut Run<'_>, clause: Clause) -> ClauseReport {
    let mut found = Findings::default();
    match clause {
        Clause::C1 => inbound::redelivery_keeps_ids(run, &mut found).await,
        Clause::C2 => inbound::translate_is_total(run, &mut found).await,
        Clause::C3 => inbound::own_messages_stay_out(run, &mut found).await,
        Clause::C4 => inbound::acknowledged_after_push(run, &mut found).await,
        Clause::C5 => outbound::same_delivery_shows_once(run, &mut found).await,
        Clause::C6 => outbound::within_limits_is_accepted(run, &mut found).await,
        Clause::C7 => outbound::answers_arrive_at_sent_address(run, &mut found).await,
        Clause::C8 => outbound::failures_map(run, &mut found).await,
        Clause::C9 => hygiene::nothing_secret(run, &mut found).await,
        Clause::C10 => hygiene::platform_time(run, &mut found).await,
        Clause::C11 => hygiene::example_parses(run, &mut found).await,
        Clause::C12 => outbound::sent_messages_can_be_changed(run, &mut found).await,
        Clause::C13 => text::relayed_text_is_harmless(run, &mut found).await,
        Clause::C14 => hygiene::forgeries_are_refused(run, &mut found).await,
    }
    found.into_report(clause)
}

/// Checks every clause and panics with the whole report when one failed.
///
/// # Panics
/// When a clause failed.
pub async fn assert_conforms(subject: &mut dyn Subject) {
    let name = subject.name();
    let reports = check(subject).await;
    let lines: Vec<String> = reports.iter().map(ToString::to_string).collect();
    assert!(!reports.iter().any(ClauseReport::failed), "{name} breaks the contract:\n{}", lines.join("\n"));
}
