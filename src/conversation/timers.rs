//! Which clocks run in which stage, as a pure function of the state. There is no set and no cancel: a clock that the
//! state does not imply does not exist, and a due clock whose cause has passed is simply not in the list any more.

use deskbridge_contract::Timestamp;
use serde::{Deserialize, Serialize};

use crate::policy::Policy;
use crate::{Conversation, Handover, Phase, Stage, TicketLink, TicketStatus};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimerKind {
    /// The burst is over: the turn starts (D6).
    Burst,
    /// The assistant's turn took too long.
    AssistantDeadline,
    /// Business hours begin (D1).
    OpeningTime,
    RequesterReminder,
    RequesterClose,
    Offer,
    MaxWait,
    /// A new round of offers after declines and misses (D8).
    Round,
    Transfer,
    TechnicianNudge,
    TechnicianRequeue,
    OfflineGrace,
    Snooze,
    /// No answer to "same issue?" means a new request (D5).
    LateQuestion,
    /// A resolved ticket is closed (D15).
    TicketClose,
}

/// Every clock that runs now and when it is due.
pub fn running(conversation: &Conversation, policy: &Policy) -> Vec<(TimerKind, Timestamp)> {
    let timers = policy.timers(&conversation.queue);
    let mut due = Vec::new();
    match &conversation.stage {
        Stage::Assisting(assisting) => {
            match &assisting.phase {
                // Who waits for people to come back is not silent (D1).
                Phase::Idle if assisting.queue_at.is_some() => {}
                Phase::Idle => requester_idle(conversation, &timers, &mut due),
                Phase::Gathering { first, last } => {
                    let window = policy.assistant.burst_window;
                    due.push((TimerKind::Burst, (*last + window).min(*first + window * 3)));
                }
                Phase::Thinking { since } => {
                    due.push((TimerKind::AssistantDeadline, *since + policy.assistant.deadline));
                }
            }
            if let Some(at) = assisting.queue_at {
                due.push((TimerKind::OpeningTime, at));
            }
        }
        Stage::Handover(handover) => handover_clocks(handover, &mut due),
        Stage::Assigned(assigned) => {
            if let Some(at) = assigned.snoozed {
                due.push((TimerKind::Snooze, at));
            } else {
                requester_idle(conversation, &timers, &mut due);
                technician_silent(conversation, assigned.since, &timers, &mut due);
            }
            if let Some(transfer) = &assigned.transfer {
                due.push((TimerKind::Transfer, transfer.until));
            }
            if let Some(since) = assigned.offline {
                due.push((TimerKind::OfflineGrace, since + timers.offline_grace));
            }
        }
        Stage::Closed(closed) => {
            if let Some(question) = &closed.asked {
                due.push((TimerKind::LateQuestion, question.until));
            }
        }
    }
    if let TicketLink::Linked { status: TicketStatus::Resolved, resolved_at: Some(at), .. } =
        &conversation.ticket
    {
        due.push((TimerKind::TicketClose, *at + policy.tickets.auto_close));
    }
    due
}

fn handover_clocks(handover: &Handover, due: &mut Vec<(TimerKind, Timestamp)>) {
    if let Some(offer) = &handover.offer {
        due.push((TimerKind::Offer, offer.until));
    }
    if let Some(at) = handover.overdue {
        due.push((TimerKind::MaxWait, at));
    }
    if let (Some(at), None) = (handover.round, &handover.offer) {
        due.push((TimerKind::Round, at));
    }
}

/// Runs only while the last word is the helper's (T42).
fn requester_idle(
    conversation: &Conversation,
    timers: &crate::policy::Timers,
    due: &mut Vec<(TimerKind, Timestamp)>,
) {
    let clocks = &conversation.clocks;
    let (Some(helper), None) = (clocks.helper, clocks.unanswered) else { return };
    if !clocks.reminded && timers.requester_reminder < timers.requester_close {
        due.push((TimerKind::RequesterReminder, helper + timers.requester_reminder));
    }
    due.push((TimerKind::RequesterClose, helper + timers.requester_close));
}

/// Runs only while the last word is the requester's, from acceptance at the earliest.
fn technician_silent(
    conversation: &Conversation,
    accepted: Timestamp,
    timers: &crate::policy::Timers,
    due: &mut Vec<(TimerKind, Timestamp)>,
) {
    let clocks = &conversation.clocks;
    let Some(unanswered) = clocks.unanswered else { return };
    let from = unanswered.max(accepted);
    if !clocks.nudged && timers.technician_nudge < timers.technician_requeue {
        due.push((TimerKind::TechnicianNudge, from + timers.technician_nudge));
    }
    due.push((TimerKind::TechnicianRequeue, from + timers.technician_requeue));
}

/// When this conversation must be looked at next; the store keeps it as a column.
pub fn wake_at(conversation: &Conversation, policy: &Policy) -> Option<Timestamp> {
    running(conversation, policy).into_iter().map(|(_, at)| at).min()
}

/// The clock that is due at `now`, the earliest first.
pub fn due(conversation: &Conversation, policy: &Policy, now: Timestamp) -> Option<(TimerKind, Timestamp)> {
    running(conversation, policy).into_iter().filter(|(_, at)| *at <= now).min_by_key(|(_, at)| *at)
}
