//! The embedded ticket desk's rows: what each operation changes, and the line it leaves in the ticket's history.
//!
//! Not here: when tickets are opened (the core), the desk behind its trait (services), SQL texts (`sql/`).

use deskbridge_contract::Timestamp;
use deskbridge_conversation::TicketStatus;

use crate::job::TicketOp;
use crate::rows::TicketChange;
use crate::search;

/// The stored name of a status.
pub fn status_name(status: TicketStatus) -> &'static str {
    match status {
        TicketStatus::Open => "open",
        TicketStatus::Resolved => "resolved",
        TicketStatus::Closed => "closed",
    }
}

pub fn status_from_name(name: &str) -> Option<TicketStatus> {
    [TicketStatus::Open, TicketStatus::Resolved, TicketStatus::Closed]
        .into_iter()
        .find(|s| status_name(*s) == name)
}

/// What a ticket is found by: its number in either spelling, what it is about, who asked.
pub fn words(number: i64, summary: &str, requester: &str) -> String {
    search::found_by(&[&format!("T-{number:06} {number}"), summary, requester])
}

/// The history row of an operation. Every backend writes this one, so that exports agree.
/// A comment that was stored before (same key), an attachment that is there already, leave none.
pub fn change(op: &TicketOp, now: Timestamp) -> TicketChange {
    let (by, what) = match op {
        TicketOp::Create { requester, .. } => (requester.clone(), "opened".to_owned()),
        TicketOp::SetStatus { status, by, .. } => (by.clone(), format!("status: {}", status_name(*status))),
        TicketOp::Comment { author, public: true, .. } => (author.clone(), "comment".to_owned()),
        TicketOp::Comment { author, public: false, .. } => (author.clone(), "internal comment".to_owned()),
        TicketOp::Attach { name, .. } => (String::new(), format!("attachment: {name}")),
        TicketOp::SetTechnician { technician, by, .. } => {
            (by.clone(), format!("technician: {}", technician.as_deref().unwrap_or("none")))
        }
    };
    TicketChange { by, what, now }
}
