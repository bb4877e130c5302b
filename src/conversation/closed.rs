//! Stage *Closed*: resolved, timed out or abandoned; a late message may reopen it (L8, D5).
//!
//! Not here: the new conversation that a late message may become (the store opens it).

use std::time::Duration;

use crate::airlock::{self, Passage, Posted};
use crate::notices::{DeskNotice, Notice, StatusWords};
use crate::policy::TicketWhen;
use crate::*;

/// How long "same issue or new request?" waits (D5).
const LATE_QUESTION: Duration = Duration::from_secs(120);

/// Into this stage from any other. The ticket is resolved, desk threads are closed.
pub fn enter(cx: &mut Context<'_>, how: CloseReason, notice: Option<&Notice>) -> Stage {
    if let Some(notice) = notice {
        cx.tell(notice);
    }
    let desks = cx.watching(None);
    match &how {
        // The one who resolved it said so already; erasing has its own way here.
        CloseReason::Resolved { .. } | CloseReason::Erased => {}
        CloseReason::ByRequester => {
            cx.tell_desks(&DeskNotice::Closed { why: "the requester closed it" }, &desks, &[]);
        }
        CloseReason::TimedOut => {
            cx.tell_desks(&DeskNotice::Closed { why: "no answer from the requester" }, &desks, &[])
        }
        CloseReason::Abandoned => {
            cx.tell_desks(&DeskNotice::Closed { why: "the requester left" }, &desks, &[])
        }
    }
    cx.release_holds();
    ticket::when(cx, TicketWhen::Close);
    // Who left still has the problem; people may find another way to them.
    if how != CloseReason::Abandoned {
        ticket::set_status(cx, TicketStatus::Resolved);
    }
    cx.c.clocks.unanswered = None;
    Stage::Closed(Closed { at: cx.now, how, asked: None, anew: false })
}

/// The requester left before anybody took it: nobody is asked in vain.
pub fn abandoned(cx: &mut Context<'_>) -> Stage {
    cx.c.requester.away = true;
    enter(cx, CloseReason::Abandoned, None)
}

/// The requester ends a matter that people had, to begin another.
pub fn start_over(cx: &mut Context<'_>) -> Stage {
    match enter(cx, CloseReason::ByRequester, Some(&Notice::StartedOver)) {
        Stage::Closed(stage) => Stage::Closed(Closed { anew: true, ..stage }),
        other @ (Stage::Assisting(_) | Stage::Handover(_) | Stage::Assigned(_)) => other,
    }
}

pub fn step(mut stage: Closed, cx: &mut Context<'_>) -> Stage {
    let event = cx.event;
    let erased = stage.how == CloseReason::Erased;
    match &event.body {
        // Nobody is there any more, and nothing may be said about them.
        EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Assistant(_)
        | EventBody::Erased { .. }
            if erased =>
        {
            Stage::Closed(stage)
        }
        EventBody::Desk { by, via, what } if erased => erasure::refuse(stage, cx, by, via, what),
        EventBody::Erased { by, messages, relayed } => erasure::erase(cx, by.as_ref(), messages, relayed),
        EventBody::Requester { session, what } => on_requester(stage, cx, *session, what),
        EventBody::Bystander { session, by, what } => bystander::did(cx, *session, by, what),
        EventBody::Desk { by, via, what } => on_desk(stage, cx, by, via, what),
        EventBody::Timer { kind, .. } => {
            match kind {
                TimerKind::LateQuestion => {
                    stage = new_request(stage, cx);
                }
                TimerKind::TicketClose => ticket::set_status(cx, TicketStatus::Closed),
                TimerKind::Burst
                | TimerKind::AssistantDeadline
                | TimerKind::OpeningTime
                | TimerKind::RequesterReminder
                | TimerKind::RequesterClose
                | TimerKind::Offer
                | TimerKind::MaxWait
                | TimerKind::Round
                | TimerKind::Transfer
                | TimerKind::TechnicianNudge
                | TimerKind::TechnicianRequeue
                | TimerKind::OfflineGrace
                | TimerKind::Snooze => {}
            }
            Stage::Closed(stage)
        }
        EventBody::Assistant(what) => {
            match what {
                AssistantEvent::Answered { .. } => {}
                AssistantEvent::Summarised { .. } => desk::summarised(cx),
                AssistantEvent::Suggested { via, .. } => desk::suggested(cx, via),
            }
            Stage::Closed(stage)
        }
        EventBody::Delivery(what) => {
            delivery::ended(cx, what, None);
            if erased {
                erasure::shown_late(cx, what);
            }
            Stage::Closed(stage)
        }
        EventBody::Ticket(what) => {
            ticket::on_event(cx, what, stage.how != CloseReason::Abandoned);
            Stage::Closed(stage)
        }
        EventBody::Roster(
            RosterEvent::Proposed { .. }
            | RosterEvent::ClaimRefused { .. }
            | RosterEvent::WentOffline { .. }
            | RosterEvent::CameBack { .. },
        ) => Stage::Closed(stage),
    }
}

fn on_requester(stage: Closed, cx: &mut Context<'_>, session: SessionId, what: &RequesterEvent) -> Stage {
    match what {
        RequesterEvent::Posted { remote, gist, reply_to } => {
            requester::posted(cx, session, remote, *reply_to, &[]);
            cx.requester_spoke(session);
            if let Some(verb) = requester::command(gist) {
                return pressed(stage, cx, &verb);
            }
            if requester::wants_help(gist) {
                cx.tell(&Notice::Help);
                return Stage::Closed(stage);
            }
            // Thanks or an emoji is acknowledged and reopens nothing (D5).
            if stage.asked.is_none() && (gist.wordless || matches!(gist.wish, Some(Wish::Thanks | Wish::Yes)))
            {
                cx.tell(&Notice::LateThanks);
                return Stage::Closed(stage);
            }
            late(stage, cx)
        }
        RequesterEvent::Pressed { verb } => pressed(stage, cx, verb),
        // A deliberate new beginning.
        RequesterEvent::Started => Stage::Closed(new_request(stage, cx)),
        RequesterEvent::Edited { .. }
        | RequesterEvent::Deleted { .. }
        | RequesterEvent::Reacted { .. }
        | RequesterEvent::Left
        | RequesterEvent::Returned
        | RequesterEvent::RoomMoved { .. } => {
            let desks = cx.watching(None);
            requester::changed(cx, session, what, &desks);
            Stage::Closed(stage)
        }
    }
}

/// Asked once; later messages wait with the first. Not asked where the requester said already that it is new.
fn late(mut stage: Closed, cx: &mut Context<'_>) -> Stage {
    if stage.asked.is_some() {
        return Stage::Closed(stage);
    }
    let wait = if stage.anew { cx.policy.assistant.burst_window } else { LATE_QUESTION };
    stage.asked = Some(LateQuestion { until: cx.now + wait, first_seq: cx.c.seq });
    if !std::mem::take(&mut stage.anew) {
        cx.tell(&Notice::LateQuestion);
    }
    Stage::Closed(stage)
}

/// What waits becomes a new conversation; where nothing waits, the next message will.
fn new_request(mut stage: Closed, cx: &mut Context<'_>) -> Closed {
    match stage.asked.take() {
        Some(question) => cx.effect(Effect::OpenAnew { first_seq: question.first_seq }),
        None => {
            stage.anew = true;
            cx.tell(&Notice::Greeting);
        }
    }
    stage
}

fn pressed(stage: Closed, cx: &mut Context<'_>, verb: &RequesterVerb) -> Stage {
    match verb {
        RequesterVerb::SameIssue => reopen(stage, cx),
        RequesterVerb::NewRequest | RequesterVerb::StartOver => Stage::Closed(new_request(stage, cx)),
        // The requester agrees: the ticket need not wait for auto-closure (D15).
        RequesterVerb::Close | RequesterVerb::Yes => {
            ticket::set_status(cx, TicketStatus::Closed);
            cx.tell(&Notice::LateThanks);
            Stage::Closed(stage)
        }
        RequesterVerb::Rate { score } => {
            requester::rated(cx, *score);
            Stage::Closed(stage)
        }
        RequesterVerb::Tag { word, on } => {
            requester::tagged(cx, word, *on);
            Stage::Closed(stage)
        }
        RequesterVerb::Feedback { message, helpful } => {
            requester::feedback(cx, *message, *helpful);
            Stage::Closed(stage)
        }
        RequesterVerb::Status => {
            requester::status(cx, StatusWords::Closed);
            Stage::Closed(stage)
        }
        RequesterVerb::Human => late(stage, cx),
        RequesterVerb::KeepAssistant | RequesterVerb::No => Stage::Closed(stage),
    }
}

/// The same issue within the window: the queue again, the last technician asked first (L8); the ticket reopens with it.
fn reopen(stage: Closed, cx: &mut Context<'_>) -> Stage {
    if cx.now > stage.at + cx.policy.reopen_window {
        return Stage::Closed(new_request(stage, cx));
    }
    begin_again(&stage, cx, true)
}

/// The same conversation and ticket, a new stretch from the late messages on.
fn renew(stage: &Closed, cx: &mut Context<'_>) {
    let from = stage.asked.as_ref().map_or(cx.c.seq, |question| question.first_seq);
    cx.c.stretch = Stretch { from, first_turn: cx.c.turn + 1, answers: 0, cited: Vec::new() };
    cx.c.rating = None;
    ticket::set_status(cx, TicketStatus::Open);
}

fn begin_again(stage: &Closed, cx: &mut Context<'_>, by_requester: bool) -> Stage {
    renew(stage, cx);
    if let Some(reopening) = cx.event.facts.reopening.clone() {
        ticket::ensure(cx);
        let (helping, ticket) = (assisting::answers(cx), ticket::is_there(&cx.c));
        cx.tell(&Notice::OutOfHours { back: reopening.said, helping, ticket });
        let mut assisting = assisting::idle(cx.now);
        assisting.queue_at = Some(reopening.at);
        return Stage::Assisting(assisting);
    }
    // What was said meanwhile comes before the notice.
    let again =
        handover::queue(cx, HandoverReason::Reopened, Some(&Notice::Reopened { waiting: true }), None);
    if by_requester {
        let desks = cx.watching(None);
        cx.tell_desks(&DeskNotice::Reopened, &desks, &[]);
    }
    if let Some(technician) = cx.c.last_technician.clone() {
        cx.effect(Effect::Notify { technician, kind: NoticeKind::Reopened });
    }
    again
}

fn on_desk(stage: Closed, cx: &mut Context<'_>, by: &DeskActor, via: &Via, what: &DeskEvent) -> Stage {
    if let Some(verb) = desk::verb_of(what) {
        return on_verb(stage, cx, by, via, &verb);
    }
    match what {
        DeskEvent::Posted { remote, intent, reply_to } => {
            let post = Posted { remote: remote.as_ref(), intent: *intent, reply_to: *reply_to };
            // Nothing goes out of a closed conversation; somebody who meant to is told.
            let passage = match airlock::decide(cx, by, via, *intent, false) {
                Passage::AcceptAndOut | Passage::Out | Passage::Kept => Passage::Kept,
                Passage::Note => Passage::Note,
            };
            airlock::keep(cx, by, via, &post, passage, None, None);
            Stage::Closed(stage)
        }
        DeskEvent::Misread { why } => {
            cx.whisper(via, &DeskNotice::Misread { why: why.clone() });
            Stage::Closed(stage)
        }
        DeskEvent::Edited { .. }
        | DeskEvent::Deleted { .. }
        | DeskEvent::Reacted { .. }
        | DeskEvent::Verb { .. }
        | DeskEvent::Thread { .. }
        | DeskEvent::RoomMoved { .. } => {
            airlock::changed(cx, by, via, what);
            Stage::Closed(stage)
        }
    }
}

fn on_verb(stage: Closed, cx: &mut Context<'_>, by: &DeskActor, via: &Via, verb: &Verb) -> Stage {
    let Some(technician) = desk::may(cx, by, via, verb) else { return Stage::Closed(stage) };
    if desk::common_verb(cx, &technician, via, verb) {
        return Stage::Closed(stage);
    }
    match verb {
        Verb::Reopen => begin_again(&stage, cx, false),
        Verb::Accept | Verb::TakeOver => {
            renew(&stage, cx);
            assigned::take(cx, &technician, via, HandoverReason::Reopened)
        }
        Verb::Send { message } if airlock::may_send(cx, &technician, via, *message) => {
            renew(&stage, cx);
            let taken = assigned::take(cx, &technician, via, HandoverReason::Reopened);
            airlock::send_kept(cx, &technician, via, *message);
            taken
        }
        Verb::Send { .. } => {
            airlock::refuse_send(cx, via, verb);
            Stage::Closed(stage)
        }
        Verb::Csat => {
            cx.tell(&Notice::AskRating);
            Stage::Closed(stage)
        }
        Verb::Decline
        | Verb::Transfer { .. }
        | Verb::Invite { .. }
        | Verb::Leave
        | Verb::Backup
        | Verb::Join
        | Verb::Snooze { .. }
        | Verb::Handback
        | Verb::Resolve { .. } => {
            desk::refuse(cx, via, verb, "it is closed; reopen it first");
            Stage::Closed(stage)
        }
        Verb::Ticket
        | Verb::Priority { .. }
        | Verb::Label { .. }
        | Verb::Summary
        | Verb::Suggest
        | Verb::Info
        | Verb::Help
        | Verb::Undo
        | Verb::On
        | Verb::Busy
        | Verb::Off => Stage::Closed(stage),
    }
}
