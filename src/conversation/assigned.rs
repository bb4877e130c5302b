//! Stage *Assigned*: one technician has the conversation, with invited co-repliers (L6, D3, D12).
//!
//! Not here: what may leave a room (`airlock.rs`).

use crate::airlock::{self, Passage, Posted};
use crate::notices::{DeskNotice, Notice, RequeueReason, StatusWords};
use crate::policy::TicketWhen;
use crate::*;

/// Acceptance: the technician owns it, the requester is told who joined, other rooms' cards say who has it.
pub fn accept(from: Handover, cx: &mut Context<'_>, technician: &TechnicianId, via: &Via) -> Stage {
    let desks = cx.watching(None);
    let name = cx.policy.name(technician);
    let waited = cx.now.since(from.since);
    let working = airlock::origin(via).or_else(|| desks.first().copied());
    cx.tell(&Notice::Joined { name: name.clone() });
    cx.tell_desks(&DeskNotice::Accepted { name, waited }, &desks, &[]);
    cx.toast("It is yours");
    own(cx, technician);
    Stage::Assigned(Assigned {
        technician: technician.clone(),
        since: cx.now,
        co_repliers: Vec::new(),
        working,
        snoozed: None,
        transfer: None,
        offline: None,
        waited_since: from.since,
    })
}

/// Taken over from the assistant, or reopened by somebody who answers at once: through the queue in one step (D16).
pub fn take(cx: &mut Context<'_>, technician: &TechnicianId, via: &Via, reason: HandoverReason) -> Stage {
    match handover::queue(cx, reason, None, None) {
        Stage::Handover(handover) => accept(handover, cx, technician, via),
        other @ (Stage::Assisting(_) | Stage::Assigned(_) | Stage::Closed(_)) => other,
    }
}

/// What follows from owning a conversation, however it came about.
fn own(cx: &mut Context<'_>, technician: &TechnicianId) {
    cx.c.last_technician = Some(technician.clone());
    cx.helpers_turn();
    ticket::when(cx, TicketWhen::Claim);
    ticket::assign(cx, technician);
}

/// A technician's words that accepted the conversation, or those of its owner.
pub fn reply(stage: Stage, cx: &mut Context<'_>, by: &TechnicianId, via: &Via, post: &Posted<'_>) -> Stage {
    let working = match &stage {
        Stage::Assigned(assigned) => assigned.working,
        Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => None,
    };
    airlock::relay(cx, by, via, post, working);
    stage
}

pub fn step(stage: Assigned, cx: &mut Context<'_>) -> Stage {
    let event = cx.event;
    match &event.body {
        EventBody::Requester { session, what } => on_requester(stage, cx, *session, what),
        EventBody::Bystander { session, by, what } => bystander::did(cx, *session, by, what),
        EventBody::Desk { by, via, what } => on_desk(stage, cx, by, via, what),
        EventBody::Roster(what) => on_roster(stage, cx, what),
        EventBody::Timer { kind, .. } => on_timer(stage, cx, *kind),
        EventBody::Erased { by, messages, relayed } => erasure::erase(cx, by.as_ref(), messages, relayed),
        EventBody::Assistant(what) => {
            match what {
                // The assistant is silent while a person has the conversation (L6).
                AssistantEvent::Answered { .. } => {}
                AssistantEvent::Summarised { .. } => desk::summarised(cx),
                AssistantEvent::Suggested { via, .. } => desk::suggested(cx, via),
            }
            Stage::Assigned(stage)
        }
        EventBody::Delivery(what) => {
            delivery::ended(cx, what, stage.working);
            Stage::Assigned(stage)
        }
        EventBody::Ticket(what) => {
            ticket::on_event(cx, what, false);
            Stage::Assigned(stage)
        }
    }
}

fn on_requester(
    mut stage: Assigned,
    cx: &mut Context<'_>,
    session: SessionId,
    what: &RequesterEvent,
) -> Stage {
    let desks = cx.watching(stage.working);
    match what {
        RequesterEvent::Posted { remote, gist, reply_to } => {
            requester::posted(cx, session, remote, *reply_to, &desks);
            cx.requester_spoke(session);
            wake(&mut stage, cx);
            if requester::wants_help(gist) {
                cx.tell(&Notice::Help);
            }
            match requester::command(gist) {
                // A person has it already.
                Some(RequesterVerb::Human) | None => Stage::Assigned(stage),
                Some(verb) => pressed(stage, cx, &verb),
            }
        }
        RequesterEvent::Pressed { verb } => pressed(stage, cx, verb),
        RequesterEvent::Started => {
            requester::status(cx, StatusWords::With { name: cx.policy.name(&stage.technician) });
            Stage::Assigned(stage)
        }
        // Other rooms still show what was said before the acceptance.
        RequesterEvent::Edited { .. } | RequesterEvent::Deleted { .. } | RequesterEvent::Reacted { .. } => {
            let desks = cx.watching(None);
            requester::changed(cx, session, what, &desks);
            Stage::Assigned(stage)
        }
        RequesterEvent::Left | RequesterEvent::Returned | RequesterEvent::RoomMoved { .. } => {
            requester::changed(cx, session, what, &desks);
            Stage::Assigned(stage)
        }
    }
}

/// A requester's message ends the snooze (D10).
fn wake(stage: &mut Assigned, cx: &mut Context<'_>) {
    if stage.snoozed.take().is_some() {
        let desks = cx.watching(stage.working);
        let name = cx.policy.name(&stage.technician);
        cx.tell_desks(&DeskNotice::SnoozeEnded { name }, &desks, std::slice::from_ref(&stage.technician));
        cx.helpers_turn();
    }
}

fn pressed(stage: Assigned, cx: &mut Context<'_>, verb: &RequesterVerb) -> Stage {
    match verb {
        RequesterVerb::Status => {
            requester::status(cx, StatusWords::With { name: cx.policy.name(&stage.technician) });
        }
        RequesterVerb::Close => {
            return closed::enter(cx, CloseReason::ByRequester, Some(&Notice::ClosedByRequester));
        }
        RequesterVerb::StartOver => return closed::start_over(cx),
        RequesterVerb::Rate { score } => requester::rated(cx, *score),
        RequesterVerb::Tag { word, on } => requester::tagged(cx, word, *on),
        RequesterVerb::Feedback { message, helpful } => requester::feedback(cx, *message, *helpful),
        RequesterVerb::Human
        | RequesterVerb::KeepAssistant
        | RequesterVerb::Yes
        | RequesterVerb::No
        | RequesterVerb::SameIssue
        | RequesterVerb::NewRequest => {}
    }
    Stage::Assigned(stage)
}

fn on_roster(mut stage: Assigned, cx: &mut Context<'_>, what: &RosterEvent) -> Stage {
    match what {
        RosterEvent::WentOffline { technician } => {
            if stage.technician == *technician && stage.offline.is_none() {
                stage.offline = Some(cx.now);
            }
            if stage.transfer.as_ref().is_some_and(|transfer| transfer.to == *technician) {
                end_transfer(&mut stage, cx);
            }
        }
        RosterEvent::CameBack { technician } => {
            if stage.technician == *technician {
                stage.offline = None;
            }
        }
        RosterEvent::Proposed { .. } | RosterEvent::ClaimRefused { .. } => {}
    }
    Stage::Assigned(stage)
}

fn on_timer(mut stage: Assigned, cx: &mut Context<'_>, kind: TimerKind) -> Stage {
    match kind {
        TimerKind::RequesterReminder => {
            cx.c.clocks.reminded = true;
            cx.tell(&Notice::Reminder);
        }
        TimerKind::RequesterClose => {
            return closed::enter(cx, CloseReason::TimedOut, Some(&Notice::ClosedIdle));
        }
        TimerKind::TechnicianNudge => {
            cx.c.clocks.nudged = true;
            let desks = cx.watching(stage.working);
            let minutes = cx.timers().technician_nudge.as_secs() / 60;
            let notice = DeskNotice::Nudge { name: cx.policy.name(&stage.technician), minutes };
            cx.tell_desks(&notice, &desks, std::slice::from_ref(&stage.technician));
        }
        TimerKind::TechnicianRequeue => return handover::requeue(cx, &stage, RequeueReason::Silent),
        TimerKind::OfflineGrace => return handover::requeue(cx, &stage, RequeueReason::Offline),
        TimerKind::Snooze => wake(&mut stage, cx),
        TimerKind::Transfer => {
            if let Some(transfer) = &stage.transfer {
                cx.effect(Effect::Roster(RosterChange::Missed(transfer.to.clone())));
            }
            end_transfer(&mut stage, cx);
        }
        TimerKind::TicketClose => ticket::set_status(cx, TicketStatus::Closed),
        TimerKind::Burst
        | TimerKind::AssistantDeadline
        | TimerKind::OpeningTime
        | TimerKind::Offer
        | TimerKind::MaxWait
        | TimerKind::Round
        | TimerKind::LateQuestion => {}
    }
    Stage::Assigned(stage)
}

/// The transfer came to nothing; the sender still has the conversation (D12).
fn end_transfer(stage: &mut Assigned, cx: &mut Context<'_>) {
    if let Some(transfer) = stage.transfer.take() {
        let desks = cx.watching(stage.working);
        let notice = DeskNotice::TransferDeclined { to: cx.policy.name(&transfer.to) };
        cx.tell_desks(&notice, &desks, std::slice::from_ref(&stage.technician));
    }
}

fn on_desk(stage: Assigned, cx: &mut Context<'_>, by: &DeskActor, via: &Via, what: &DeskEvent) -> Stage {
    if let Some(verb) = desk::verb_of(what) {
        return on_verb(stage, cx, by, via, &verb);
    }
    match what {
        DeskEvent::Posted { remote, intent, reply_to } => {
            let post = Posted { remote: remote.as_ref(), intent: *intent, reply_to: *reply_to };
            match (airlock::decide(cx, by, via, *intent, true), by) {
                (Passage::Out | Passage::AcceptAndOut, DeskActor::Technician(technician)) => {
                    reply(Stage::Assigned(stage), cx, technician, via, &post)
                }
                (passage, _) => {
                    let owner = stage.technician.clone();
                    airlock::keep(cx, by, via, &post, passage, Some(&owner), stage.working);
                    Stage::Assigned(stage)
                }
            }
        }
        DeskEvent::Misread { why } => {
            cx.whisper(via, &DeskNotice::Misread { why: why.clone() });
            Stage::Assigned(stage)
        }
        DeskEvent::Edited { .. }
        | DeskEvent::Deleted { .. }
        | DeskEvent::Reacted { .. }
        | DeskEvent::Verb { .. }
        | DeskEvent::Thread { .. }
        | DeskEvent::RoomMoved { .. } => {
            airlock::changed(cx, by, via, what);
            Stage::Assigned(stage)
        }
    }
}

fn on_verb(mut stage: Assigned, cx: &mut Context<'_>, by: &DeskActor, via: &Via, verb: &Verb) -> Stage {
    let Some(technician) = desk::may(cx, by, via, verb) else { return Stage::Assigned(stage) };
    if desk::common_verb(cx, &technician, via, verb) {
        return Stage::Assigned(stage);
    }
    match verb {
        Verb::Accept => {
            if stage.transfer.as_ref().is_some_and(|transfer| transfer.to == technician) {
                return hand_on(stage, cx, &technician, via);
            }
            if stage.technician != technician {
                let why = format!("{} has it; use “take over”", cx.policy.name(&stage.technician));
                desk::refuse(cx, via, verb, &why);
            }
            cx.toast("It is yours");
        }
        Verb::Decline => {
            if stage.transfer.as_ref().is_some_and(|transfer| transfer.to == technician) {
                end_transfer(&mut stage, cx);
            } else {
                desk::refuse(cx, via, verb, "it is not offered to you");
            }
        }
        Verb::TakeOver => return take_over(stage, cx, &technician, via),
        Verb::Transfer { to: TransferTo::Technician { who, available } } => {
            transfer(&mut stage, cx, &technician, via, who, *available);
        }
        Verb::Transfer { to: TransferTo::Queue(queue) } => return to_queue(stage, cx, &technician, queue),
        Verb::Invite { who } => colleagues::invite(&mut stage, cx, &technician, who),
        Verb::Join => colleagues::invite(&mut stage, cx, &technician, &technician),
        Verb::Backup => colleagues::call(&stage, cx, &technician),
        Verb::Leave if stage.technician == technician => {
            desk::refuse(cx, via, verb, "it is yours; transfer it, hand it back or resolve it");
        }
        Verb::Leave => {
            stage.co_repliers.retain(|with| *with != technician);
            let desks = cx.watching(stage.working);
            cx.tell_desks(&DeskNotice::Left { name: cx.policy.name(&technician) }, &desks, &[]);
        }
        Verb::Snooze { period } => {
            stage.snoozed = Some(cx.now + *period);
            let desks = cx.watching(stage.working);
            let notice = DeskNotice::Snoozed { by: cx.policy.name(&technician), period: *period };
            cx.tell_desks(&notice, &desks, &[]);
        }
        Verb::Handback if !assisting::answers(cx) => desk::refuse_handback(cx, via),
        Verb::Handback => return hand_back(stage, cx, &technician),
        Verb::Resolve { silently } => return resolve(stage, cx, technician, *silently),
        Verb::Csat => {
            cx.tell(&Notice::AskRating);
            cx.toast("The requester was asked for a rating");
        }
        Verb::Send { message } if airlock::may_send(cx, &technician, via, *message) => {
            airlock::send_kept(cx, &technician, via, *message);
        }
        Verb::Send { .. } => airlock::refuse_send(cx, via, verb),
        Verb::Reopen => desk::refuse(cx, via, verb, "it is open"),
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
        | Verb::Off => {}
    }
    Stage::Assigned(stage)
}

fn transfer(
    stage: &mut Assigned,
    cx: &mut Context<'_>,
    by: &TechnicianId,
    via: &Via,
    who: &TechnicianId,
    available: bool,
) {
    if !available || *who == stage.technician {
        let verb = Verb::Transfer { to: TransferTo::Technician { who: who.clone(), available } };
        let why = if available {
            "they have it already".to_owned()
        } else {
            // An offline target would leave the requester waiting for ever (T38).
            format!("{} is not available", cx.policy.name(who))
        };
        desk::refuse(cx, via, &verb, &why);
        return;
    }
    stage.transfer = Some(Transfer { to: who.clone(), until: cx.now + cx.timers().offer });
    let desks = cx.watching(stage.working);
    let notice = DeskNotice::TransferAsked { from: cx.policy.name(by), to: cx.policy.name(who), available };
    cx.tell_desks(&notice, &desks, std::slice::from_ref(who));
    cx.effect(Effect::Notify { technician: who.clone(), kind: NoticeKind::Transferred });
}

/// The transfer was accepted: what the sender still held goes out first (D13).
fn hand_on(stage: Assigned, cx: &mut Context<'_>, to: &TechnicianId, via: &Via) -> Stage {
    cx.release_holds();
    change_owner(stage, cx, to, via)
}

fn take_over(stage: Assigned, cx: &mut Context<'_>, by: &TechnicianId, via: &Via) -> Stage {
    if stage.technician == *by {
        return Stage::Assigned(stage);
    }
    cx.release_holds();
    cx.audit(Some(by), format!("took over from {}", stage.technician));
    cx.effect(Effect::Notify { technician: stage.technician.clone(), kind: NoticeKind::TakenOver });
    change_owner(stage, cx, by, via)
}

fn change_owner(stage: Assigned, cx: &mut Context<'_>, to: &TechnicianId, via: &Via) -> Stage {
    let desks = cx.watching(None);
    let name = cx.policy.name(to);
    let from = cx.policy.name(&stage.technician);
    cx.tell(&Notice::Joined { name: name.clone() });
    cx.tell_desks(&DeskNotice::TakenOver { name, from }, &desks, std::slice::from_ref(&stage.technician));
    own(cx, to);
    if let Some(working) = airlock::origin(via) {
        desk::catch_up(cx, working);
    }
    Stage::Assigned(Assigned {
        technician: to.clone(),
        since: cx.now,
        working: airlock::origin(via).or(stage.working),
        snoozed: None,
        transfer: None,
        offline: None,
        co_repliers: stage.co_repliers.into_iter().filter(|with| with != to).collect(),
        waited_since: stage.waited_since,
    })
}

fn to_queue(stage: Assigned, cx: &mut Context<'_>, by: &TechnicianId, queue: &QueueId) -> Stage {
    cx.release_holds();
    let desks = cx.watching(None);
    let notice = DeskNotice::TransferredToQueue { by: cx.policy.name(by), queue: queue.0.clone() };
    cx.tell_desks(&notice, &desks, &[]);
    cx.c.queue = queue.clone();
    cx.tell(&Notice::FindingAnother);
    handover::queue(cx, HandoverReason::Transferred, None, Some(stage.waited_since))
}

fn hand_back(stage: Assigned, cx: &mut Context<'_>, by: &TechnicianId) -> Stage {
    cx.release_holds();
    let desks = cx.watching(stage.working);
    cx.tell(&Notice::HandedBack);
    cx.tell_desks(&DeskNotice::HandedBack { by: cx.policy.name(by) }, &desks, &[]);
    assisting::begin_stretch(cx)
}

fn resolve(stage: Assigned, cx: &mut Context<'_>, by: TechnicianId, silently: bool) -> Stage {
    cx.release_holds();
    let desks = cx.watching(stage.working);
    let notice = DeskNotice::Resolved { by: cx.policy.name(&by), after: cx.now.since(stage.since) };
    cx.tell_desks(&notice, &desks, &[]);
    let told = Notice::Resolved { by: cx.policy.name(&by) };
    closed::enter(cx, CloseReason::Resolved { by }, (!silently).then_some(&told))
}
