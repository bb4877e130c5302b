//! Stage *Handover*: waiting in a queue, or offered. Waiting implies offerable: there is no way out of this stage's
//! waiting but an acceptance, a close, or the assistant again.
//!
//! Not here: who is proposed (`allocation.rs`), what acceptance means (`assigned.rs`).

use crate::airlock::{self, Passage, Posted};
use crate::notices::{DeskNotice, Notice, RequeueReason, StatusWords};
use crate::policy::TicketWhen;
use crate::*;

/// Excluded technicians are asked again after this at the latest (D8).
const ROUND: std::time::Duration = std::time::Duration::from_secs(60);

/// From *Assisting* into the queue (L5): one message to the requester, card and transcript in every room of the queue,
/// summary, ticket. Out of hours the assistant keeps the conversation until people are back (D1).
pub fn enter(cx: &mut Context<'_>, reason: HandoverReason, mut from: Assisting) -> Stage {
    from.asked = None;
    if let Some(reopening) = cx.event.facts.reopening.clone() {
        from.phase = Phase::Idle;
        ticket::ensure(cx);
        if from.queue_at.is_none() {
            let (helping, ticket) = (assisting::answers(cx), ticket::is_there(&cx.c));
            cx.tell(&Notice::OutOfHours { back: reopening.said, helping, ticket });
        } else {
            requester::status(cx, StatusWords::WithAssistant);
        }
        from.queue_at = Some(reopening.at);
        cx.helper_spoke();
        return Stage::Assisting(from);
    }
    let failed = matches!(reason, HandoverReason::AssistantOff | HandoverReason::AssistantFailed);
    let keep_assistant = !failed && assisting::answers(cx);
    let facts = &cx.event.facts;
    let notice =
        Notice::Connecting { position: facts.waiting + 1, expected: facts.expected_wait, keep_assistant };
    queue(cx, reason, Some(&notice), None)
}

/// The common part of every way into the queue. `since`: kept when re-queued (D10).
pub fn queue(
    cx: &mut Context<'_>,
    reason: HandoverReason,
    notice: Option<&Notice>,
    since: Option<deskbridge_contract::Timestamp>,
) -> Stage {
    cx.effect(Effect::Cancel { what: CancelWhat::Assistant });
    if cx.c.clocks.unanswered.is_none() {
        cx.helpers_turn();
    }
    if let Some(notice) = notice {
        cx.tell(notice);
    }
    desk::open_rooms(cx);
    let stretch = cx.c.stretch.from;
    cx.c.summary = None;
    cx.effect(Effect::Summarise { stretch });
    ticket::when(cx, TicketWhen::Handover);
    Stage::Handover(Handover {
        since: since.unwrap_or(cx.now),
        reason,
        offer: None,
        excluded: Vec::new(),
        round: None,
        overdue: Some(cx.now + cx.timers().max_wait),
        front: false,
    })
}

pub fn step(stage: Handover, cx: &mut Context<'_>) -> Stage {
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
                // The assistant is silent from the handover commit on (L6, D1).
                AssistantEvent::Answered { .. } => {}
                AssistantEvent::Summarised { .. } => desk::summarised(cx),
                AssistantEvent::Suggested { via, .. } => desk::suggested(cx, via),
            }
            Stage::Handover(stage)
        }
        EventBody::Delivery(what) => {
            delivery::ended(cx, what, None);
            Stage::Handover(stage)
        }
        EventBody::Ticket(what) => {
            ticket::on_event(cx, what, false);
            Stage::Handover(stage)
        }
    }
}

fn on_requester(stage: Handover, cx: &mut Context<'_>, session: SessionId, what: &RequesterEvent) -> Stage {
    let desks = cx.watching(None);
    match what {
        RequesterEvent::Posted { remote, gist, reply_to } => {
            requester::posted(cx, session, remote, *reply_to, &desks);
            cx.requester_spoke(session);
            if requester::wants_help(gist) {
                cx.tell(&Notice::Help);
            }
            match requester::command(gist) {
                // They are waiting for one already.
                Some(RequesterVerb::Human) | None => Stage::Handover(stage),
                Some(verb) => pressed(stage, cx, &verb),
            }
        }
        RequesterEvent::Pressed { verb } => pressed(stage, cx, verb),
        RequesterEvent::Started => {
            status(cx);
            Stage::Handover(stage)
        }
        RequesterEvent::Left => closed::abandoned(cx),
        RequesterEvent::Edited { .. }
        | RequesterEvent::Deleted { .. }
        | RequesterEvent::Reacted { .. }
        | RequesterEvent::Returned
        | RequesterEvent::RoomMoved { .. } => {
            requester::changed(cx, session, what, &desks);
            Stage::Handover(stage)
        }
    }
}

fn status(cx: &mut Context<'_>) {
    let position = cx.event.facts.ahead + 1;
    requester::status(cx, StatusWords::Waiting { position });
}

fn pressed(stage: Handover, cx: &mut Context<'_>, verb: &RequesterVerb) -> Stage {
    match verb {
        RequesterVerb::KeepAssistant => {
            let desks = cx.watching(None);
            cx.tell(&Notice::AssistantContinues);
            cx.tell_desks(&DeskNotice::KeptWithAssistant, &desks, &[]);
            return assisting::begin_stretch(cx);
        }
        RequesterVerb::Close => {
            return closed::enter(cx, CloseReason::ByRequester, Some(&Notice::ClosedByRequester));
        }
        RequesterVerb::StartOver => return closed::start_over(cx),
        RequesterVerb::Status => status(cx),
        RequesterVerb::Rate { score } => requester::rated(cx, *score),
        RequesterVerb::Tag { word, on } => requester::tagged(cx, word, *on),
        RequesterVerb::Feedback { message, helpful } => requester::feedback(cx, *message, *helpful),
        RequesterVerb::Human
        | RequesterVerb::Yes
        | RequesterVerb::No
        | RequesterVerb::SameIssue
        | RequesterVerb::NewRequest => {}
    }
    Stage::Handover(stage)
}

fn on_roster(mut stage: Handover, cx: &mut Context<'_>, what: &RosterEvent) -> Stage {
    match what {
        RosterEvent::Proposed { to } => {
            if stage.offer.is_some() {
                return Stage::Handover(stage);
            }
            offer(stage, cx, to)
        }
        // Allocation looks again with fresh figures.
        RosterEvent::ClaimRefused { .. } => Stage::Handover(stage),
        RosterEvent::WentOffline { technician } => {
            if stage.is_offered_to(technician) {
                stage.offer = None;
            }
            Stage::Handover(stage)
        }
        RosterEvent::CameBack { technician } => {
            // A change of presence begins a new round for them (D8).
            stage.excluded.retain(|excluded| excluded != technician);
            if stage.excluded.is_empty() {
                stage.round = None;
            }
            Stage::Handover(stage)
        }
    }
}

fn offer(mut stage: Handover, cx: &mut Context<'_>, to: &OfferTo) -> Stage {
    let timers = cx.timers();
    let desks = cx.watching(None);
    match to {
        OfferTo::One(technician) => {
            if cx.policy.queue(&cx.c.queue).auto_accept {
                return assigned::accept(stage, cx, technician, &Via::Console);
            }
            stage.offer = Some(Offer { to: to.clone(), until: cx.now + timers.offer });
            let name = cx.policy.name(technician);
            let seconds = timers.offer.as_secs();
            cx.tell_desks(&DeskNotice::Offered { name, seconds }, &desks, std::slice::from_ref(technician));
            cx.effect(Effect::Notify { technician: technician.clone(), kind: NoticeKind::Offered });
        }
        OfferTo::Everyone => {
            stage.offer = Some(Offer { to: OfferTo::Everyone, until: cx.now + timers.max_wait });
            cx.tell_desks(&DeskNotice::OfferedEveryone, &desks, &[]);
        }
    }
    Stage::Handover(stage)
}

/// This technician is not asked again in this round, which ends after everybody else was asked.
fn exclude(stage: &mut Handover, cx: &Context<'_>, technician: &TechnicianId) {
    if !stage.excluded.contains(technician) {
        stage.excluded.push(technician.clone());
    }
    stage.round = Some(cx.now + ROUND);
}

fn on_timer(mut stage: Handover, cx: &mut Context<'_>, kind: TimerKind) -> Stage {
    match kind {
        TimerKind::Offer => {
            match stage.offer.take().map(|offer| offer.to) {
                Some(OfferTo::One(technician)) => {
                    exclude(&mut stage, cx, &technician);
                    let desks = cx.watching(None);
                    let name = cx.policy.name(&technician);
                    cx.tell_desks(&DeskNotice::OfferMissed { name }, &desks, &[]);
                    cx.effect(Effect::Roster(RosterChange::Missed(technician)));
                }
                Some(OfferTo::Everyone) | None => {}
            }
            Stage::Handover(stage)
        }
        TimerKind::Round => {
            stage.excluded.clear();
            stage.round = None;
            Stage::Handover(stage)
        }
        TimerKind::MaxWait => max_wait(stage, cx),
        TimerKind::TicketClose => {
            ticket::set_status(cx, TicketStatus::Closed);
            Stage::Handover(stage)
        }
        TimerKind::Burst
        | TimerKind::AssistantDeadline
        | TimerKind::OpeningTime
        | TimerKind::RequesterReminder
        | TimerKind::RequesterClose
        | TimerKind::Transfer
        | TimerKind::TechnicianNudge
        | TimerKind::TechnicianRequeue
        | TimerKind::OfflineGrace
        | TimerKind::Snooze
        | TimerKind::LateQuestion => Stage::Handover(stage),
    }
}

/// Nobody took it in time: the overflow queue, or the truth and a ticket. It stays offerable in any case (D1).
fn max_wait(mut stage: Handover, cx: &mut Context<'_>) -> Stage {
    stage.overdue = None;
    let overflow = cx.policy.queue(&cx.c.queue).overflow.filter(|queue| *queue != cx.c.queue);
    match overflow {
        Some(queue) => {
            let desks = cx.watching(None);
            let by = "max wait".to_owned();
            cx.tell_desks(&DeskNotice::TransferredToQueue { by, queue: queue.0.clone() }, &desks, &[]);
            cx.c.queue = queue;
            stage.overdue = Some(cx.now + cx.timers().max_wait);
            stage.offer = None;
            stage.excluded.clear();
            stage.round = None;
            desk::open_rooms(cx);
        }
        None => {
            ticket::ensure(cx);
            let number = ticket::number(&cx.c).map(str::to_owned);
            cx.tell(&Notice::MaxWait { ticket: number });
            let desks = cx.watching(None);
            cx.tell_desks(&DeskNotice::MaxWait, &desks, &[]);
        }
    }
    Stage::Handover(stage)
}

fn on_desk(stage: Handover, cx: &mut Context<'_>, by: &DeskActor, via: &Via, what: &DeskEvent) -> Stage {
    if let Some(verb) = desk::verb_of(what) {
        return on_verb(stage, cx, by, via, &verb);
    }
    match what {
        DeskEvent::Posted { remote, intent, reply_to } => {
            let post = Posted { remote: remote.as_ref(), intent: *intent, reply_to: *reply_to };
            match (airlock::decide(cx, by, via, *intent, false), by) {
                (Passage::AcceptAndOut | Passage::Out, DeskActor::Technician(technician)) => {
                    match assigned::accept(stage, cx, technician, via) {
                        Stage::Assigned(stage) => {
                            assigned::reply(Stage::Assigned(stage), cx, technician, via, &post)
                        }
                        other @ (Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_)) => other,
                    }
                }
                (passage, _) => {
                    airlock::keep(cx, by, via, &post, passage, None, None);
                    Stage::Handover(stage)
                }
            }
        }
        DeskEvent::Misread { why } => {
            cx.whisper(via, &DeskNotice::Misread { why: why.clone() });
            Stage::Handover(stage)
        }
        DeskEvent::Edited { .. }
        | DeskEvent::Deleted { .. }
        | DeskEvent::Reacted { .. }
        | DeskEvent::Verb { .. }
        | DeskEvent::Thread { .. }
        | DeskEvent::RoomMoved { .. } => {
            airlock::changed(cx, by, via, what);
            Stage::Handover(stage)
        }
    }
}

fn on_verb(mut stage: Handover, cx: &mut Context<'_>, by: &DeskActor, via: &Via, verb: &Verb) -> Stage {
    let Some(technician) = desk::may(cx, by, via, verb) else { return Stage::Handover(stage) };
    if desk::common_verb(cx, &technician, via, verb) {
        return Stage::Handover(stage);
    }
    match verb {
        Verb::Accept | Verb::TakeOver => assigned::accept(stage, cx, &technician, via),
        Verb::Decline => {
            let offered = stage.is_offered_to(&technician);
            exclude(&mut stage, cx, &technician);
            if offered {
                stage.offer = None;
            }
            let desks = cx.watching(None);
            let name = cx.policy.name(&technician);
            cx.tell_desks(&DeskNotice::Declined { name }, &desks, &[]);
            Stage::Handover(stage)
        }
        Verb::Transfer { to: TransferTo::Technician { who, available } } => {
            if !available {
                let why = format!("{} is not available; nobody would be asked", cx.policy.name(who));
                desk::refuse(cx, via, verb, &why);
                return Stage::Handover(stage);
            }
            stage.offer = None;
            stage.excluded.retain(|excluded| excluded != who);
            offer(stage, cx, &OfferTo::One(who.clone()))
        }
        Verb::Transfer { to: TransferTo::Queue(queue) } => to_queue(stage, cx, &technician, queue),
        Verb::Handback if !assisting::answers(cx) => {
            desk::refuse_handback(cx, via);
            Stage::Handover(stage)
        }
        Verb::Handback => {
            cx.tell(&Notice::HandedBack);
            let desks = cx.watching(None);
            cx.tell_desks(&DeskNotice::HandedBack { by: cx.policy.name(&technician) }, &desks, &[]);
            assisting::begin_stretch(cx)
        }
        Verb::Resolve { silently } => {
            let notice = Notice::Resolved { by: cx.policy.name(&technician) };
            closed::enter(cx, CloseReason::Resolved { by: technician }, (!silently).then_some(&notice))
        }
        Verb::Send { message } if airlock::may_send(cx, &technician, via, *message) => {
            let accepted = assigned::accept(stage, cx, &technician, via);
            airlock::send_kept(cx, &technician, via, *message);
            accepted
        }
        Verb::Send { .. } => {
            airlock::refuse_send(cx, via, verb);
            Stage::Handover(stage)
        }
        Verb::Invite { .. }
        | Verb::Leave
        | Verb::Backup
        | Verb::Join
        | Verb::Snooze { .. }
        | Verb::Reopen
        | Verb::Csat => {
            desk::refuse(cx, via, verb, "nobody has this conversation yet; accept it first");
            Stage::Handover(stage)
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
        | Verb::Off => Stage::Handover(stage),
    }
}

fn to_queue(stage: Handover, cx: &mut Context<'_>, by: &TechnicianId, queue: &QueueId) -> Stage {
    let desks = cx.watching(None);
    let notice = DeskNotice::TransferredToQueue { by: cx.policy.name(by), queue: queue.0.clone() };
    cx.tell_desks(&notice, &desks, &[]);
    cx.c.queue = queue.clone();
    desk::open_rooms(cx);
    Stage::Handover(Handover {
        reason: HandoverReason::Transferred,
        offer: None,
        excluded: Vec::new(),
        round: None,
        overdue: Some(cx.now + cx.timers().max_wait),
        ..stage
    })
}

/// From *Assigned* back into the queue, with priority and age kept (D10).
pub fn requeue(cx: &mut Context<'_>, from: &Assigned, why: RequeueReason) -> Stage {
    let desks = cx.watching(None);
    cx.tell_desks(&DeskNotice::Requeued { why }, &desks, &[]);
    cx.tell(&Notice::FindingAnother);
    let mut stage = match queue(cx, HandoverReason::Requeued, None, Some(from.waited_since)) {
        Stage::Handover(stage) => stage,
        other @ (Stage::Assisting(_) | Stage::Assigned(_) | Stage::Closed(_)) => return other,
    };
    // The age decides the place in the queue; whether the wait is overdue is counted anew.
    match why {
        RequeueReason::Offline => stage.front = true,
        RequeueReason::Silent => {
            stage.excluded.push(from.technician.clone());
            stage.round = Some(cx.now + ROUND);
        }
        RequeueReason::HandedOn => {}
    }
    Stage::Handover(stage)
}
