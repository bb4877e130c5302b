//! Stage *Assisting*: the assistant answers, one visible text per turn (L2, D6), until people are wanted.
//!
//! Not here: how an answer is made; entering the queue (`handover.rs`).

use crate::airlock::{self, Passage, Posted};
use crate::notices::{DeskNotice, Notice, StatusWords};
use crate::policy::{AssistantMode, Confirm};
use crate::*;

pub fn step(stage: Assisting, cx: &mut Context<'_>) -> Stage {
    let event = cx.event;
    match &event.body {
        EventBody::Requester { session, what } => on_requester(stage, cx, *session, what),
        EventBody::Bystander { session, by, what } => bystander::did(cx, *session, by, what),
        EventBody::Desk { by, via, what } => on_desk(stage, cx, by, via, what),
        EventBody::Assistant(what) => on_assistant(stage, cx, what),
        EventBody::Timer { kind, .. } => on_timer(stage, cx, *kind),
        EventBody::Erased { by, messages, relayed } => erasure::erase(cx, by.as_ref(), messages, relayed),
        EventBody::Delivery(what) => {
            delivery::ended(cx, what, None);
            Stage::Assisting(stage)
        }
        EventBody::Ticket(what) => {
            ticket::on_event(cx, what, false);
            Stage::Assisting(stage)
        }
        EventBody::Roster(RosterEvent::Proposed { .. })
        | EventBody::Roster(RosterEvent::ClaimRefused { .. })
        | EventBody::Roster(RosterEvent::WentOffline { .. })
        // Nobody is needed here.
        | EventBody::Roster(RosterEvent::CameBack { .. }) => Stage::Assisting(stage),
    }
}

/// A fresh stretch: opening, hand-back, a cancelled handover.
pub fn idle(now: deskbridge_contract::Timestamp) -> Assisting {
    Assisting { since: now, phase: Phase::Idle, asked: None, queue_at: None }
}

/// Hand back (L7): a new stretch, so that only what comes after is answered.
pub fn begin_stretch(cx: &mut Context<'_>) -> Stage {
    cx.c.stretch = Stretch { from: cx.c.seq + 1, first_turn: cx.c.turn + 1, answers: 0, cited: Vec::new() };
    cx.helper_spoke();
    Stage::Assisting(idle(cx.now))
}

/// Desk rooms see the conversation from its opening in these modes (D16).
pub fn mirrored(cx: &Context<'_>) -> Vec<SessionId> {
    match cx.policy.mode(&cx.c.queue) {
        AssistantMode::First => Vec::new(),
        AssistantMode::Choice | AssistantMode::DraftOnly | AssistantMode::Off => cx.watching(None),
    }
}

fn on_requester(stage: Assisting, cx: &mut Context<'_>, session: SessionId, what: &RequesterEvent) -> Stage {
    match what {
        RequesterEvent::Started => {
            cx.tell(&Notice::Greeting);
            Stage::Assisting(stage)
        }
        RequesterEvent::Posted { remote, gist, reply_to } => {
            let watching = mirrored(cx);
            requester::posted(cx, session, remote, *reply_to, &watching);
            cx.requester_spoke(session);
            if requester::wants_help(gist) {
                cx.tell(&Notice::Help);
                return Stage::Assisting(stage);
            }
            if let Some(verb) = requester::command(gist) {
                return pressed(stage, cx, &verb);
            }
            match (stage.asked, gist.wish) {
                (Some(_), Some(Wish::Yes)) => pressed(stage, cx, &RequesterVerb::Yes),
                // A thumb up under the question.
                (Some(_), Some(Wish::Thanks)) if gist.wordless => pressed(stage, cx, &RequesterVerb::Yes),
                (Some(_), Some(Wish::No)) => pressed(stage, cx, &RequesterVerb::No),
                // Anything else means "no, keep going" and is answered (D7).
                _ => take_turn(stage, cx),
            }
        }
        RequesterEvent::Pressed { verb } => {
            cx.requester_spoke(session);
            pressed(stage, cx, verb)
        }
        RequesterEvent::Left => closed::abandoned(cx),
        RequesterEvent::Edited { .. }
        | RequesterEvent::Deleted { .. }
        | RequesterEvent::Reacted { .. }
        | RequesterEvent::Returned
        | RequesterEvent::RoomMoved { .. } => {
            let desks = cx.watching(None);
            requester::changed(cx, session, what, &desks);
            Stage::Assisting(stage)
        }
    }
}

/// A message without a command: what happens depends on the mode (A8).
fn take_turn(mut stage: Assisting, cx: &mut Context<'_>) -> Stage {
    let choosing = keep_going(&mut stage, cx) == Some(Asked::Choice);
    match cx.policy.mode(&cx.c.queue) {
        AssistantMode::Off | AssistantMode::DraftOnly => {
            desk::open_rooms(cx);
            if stage.queue_at.is_some() {
                return Stage::Assisting(stage);
            }
            handover::enter(cx, HandoverReason::AssistantOff, stage)
        }
        AssistantMode::Choice if cx.c.turn == 0 && !choosing && stage.queue_at.is_none() => {
            desk::open_rooms(cx);
            cx.tell(&Notice::Choice);
            stage.asked = Some(Asked::Choice);
            Stage::Assisting(stage)
        }
        AssistantMode::First | AssistantMode::Choice => gather(stage, cx),
    }
}

/// The question dies with its turn (D7). Who keeps going after the last allowed turn is answered as often again.
fn keep_going(stage: &mut Assisting, cx: &mut Context<'_>) -> Option<Asked> {
    let asked = stage.asked.take();
    if asked == Some(Asked::Connect { reason: HandoverReason::MaxTurns }) {
        cx.c.stretch.answers = 0;
    }
    asked
}

/// Collects a burst; supersedes a running turn, whose answer then dies by its number (D6).
fn gather(mut stage: Assisting, cx: &mut Context<'_>) -> Stage {
    let now = cx.now;
    stage.phase = match stage.phase {
        Phase::Idle => Phase::Gathering { first: now, last: now },
        Phase::Gathering { first, .. } => Phase::Gathering { first, last: now },
        Phase::Thinking { .. } => {
            cx.c.turn += 1;
            Phase::Gathering { first: now, last: now }
        }
    };
    let at_once = cx.policy.assistant.burst_window.is_zero() || is_waited_for(cx);
    if at_once { begin_turn(stage, cx) } else { Stage::Assisting(stage) }
}

/// Whether the requester's platform holds a request open for the answer (D6).
fn is_waited_for(cx: &Context<'_>) -> bool {
    let channel = cx.c.requester_session().map(|session| &session.address.channel);
    channel
        .and_then(|channel| cx.policy.channels.get(channel))
        .is_some_and(|channel| channel.answers_in_response)
}

fn begin_turn(mut stage: Assisting, cx: &mut Context<'_>) -> Stage {
    if cx.c.stretch.answers >= cx.policy.assistant.max_turns && stage.queue_at.is_none() {
        stage.phase = Phase::Idle;
        return wanted(stage, cx, HandoverReason::MaxTurns, false);
    }
    cx.c.turn += 1;
    let turn = cx.c.turn;
    cx.effect(Effect::AskAssistant { turn });
    stage.phase = Phase::Thinking { since: cx.now };
    Stage::Assisting(stage)
}

/// People are wanted. `explicit`: the requester said so; else the policy may have the assistant ask first (L4).
fn wanted(mut stage: Assisting, cx: &mut Context<'_>, reason: HandoverReason, explicit: bool) -> Stage {
    let ask = match cx.policy.confirm {
        Confirm::Always => true,
        Confirm::WhenInferred => !explicit,
        Confirm::Never => false,
    };
    if !ask {
        return handover::enter(cx, reason, stage);
    }
    stage.asked = Some(Asked::Connect { reason });
    stage.phase = Phase::Idle;
    cx.tell(&Notice::AskConnect);
    cx.helper_spoke();
    Stage::Assisting(stage)
}

fn pressed(mut stage: Assisting, cx: &mut Context<'_>, verb: &RequesterVerb) -> Stage {
    match verb {
        RequesterVerb::Human => {
            // Asked twice, or the button of the question itself: that is a confirmation.
            let asked = matches!(stage.asked, Some(Asked::Connect { .. } | Asked::Choice));
            if asked {
                handover::enter(cx, HandoverReason::Asked, stage)
            } else {
                wanted(stage, cx, HandoverReason::Asked, true)
            }
        }
        RequesterVerb::Yes => match stage.asked {
            Some(Asked::Connect { reason }) => handover::enter(cx, reason, stage),
            Some(Asked::Choice) => handover::enter(cx, HandoverReason::Asked, stage),
            None => Stage::Assisting(stage),
        },
        RequesterVerb::No => {
            match keep_going(&mut stage, cx) {
                Some(Asked::Connect { .. }) => {
                    cx.tell(&Notice::AssistantContinues);
                    cx.helper_spoke();
                    Stage::Assisting(stage)
                }
                // The message that opened the conversation still waits for its answer.
                Some(Asked::Choice) => gather(stage, cx),
                None => Stage::Assisting(stage),
            }
        }
        RequesterVerb::KeepAssistant => {
            if keep_going(&mut stage, cx) == Some(Asked::Choice) {
                return gather(stage, cx);
            }
            Stage::Assisting(stage)
        }
        RequesterVerb::StartOver => {
            cx.c.turn += 1;
            cx.effect(Effect::Cancel { what: CancelWhat::Assistant });
            cx.tell(&Notice::StartedOver);
            begin_stretch(cx)
        }
        RequesterVerb::Status => {
            requester::status(cx, StatusWords::WithAssistant);
            if matches!(stage.phase, Phase::Idle) {
                cx.c.clocks.unanswered = None;
            }
            Stage::Assisting(stage)
        }
        RequesterVerb::Close => closed::enter(cx, CloseReason::ByRequester, Some(&Notice::ClosedByRequester)),
        RequesterVerb::Rate { score } => {
            requester::rated(cx, *score);
            Stage::Assisting(stage)
        }
        RequesterVerb::Tag { word, on } => {
            requester::tagged(cx, word, *on);
            Stage::Assisting(stage)
        }
        RequesterVerb::Feedback { message, helpful } => {
            requester::feedback(cx, *message, *helpful);
            Stage::Assisting(stage)
        }
        RequesterVerb::SameIssue | RequesterVerb::NewRequest => Stage::Assisting(stage),
    }
}

fn on_assistant(mut stage: Assisting, cx: &mut Context<'_>, what: &AssistantEvent) -> Stage {
    let (turn, answer) = match what {
        AssistantEvent::Answered { turn, answer } => (*turn, answer),
        AssistantEvent::Summarised { stretch } => {
            if *stretch == cx.c.stretch.from {
                desk::summarised(cx);
            }
            return Stage::Assisting(stage);
        }
        AssistantEvent::Suggested { via, .. } => {
            desk::suggested(cx, via);
            return Stage::Assisting(stage);
        }
    };
    let running = turn == cx.c.turn && matches!(stage.phase, Phase::Thinking { .. });
    if !running {
        return Stage::Assisting(stage);
    }
    stage.phase = Phase::Idle;
    match answer {
        Answer::Said { cites } | Answer::AskedBack { cites } => {
            say(cx, turn, cites);
            Stage::Assisting(stage)
        }
        Answer::HandOver { reason } => {
            let out_of_hours = cx.event.facts.reopening.is_some();
            match cx.policy.confirm {
                Confirm::Never if !out_of_hours => {
                    cx.incoming(Author::Assistant, Audience::Internal, None, None);
                    handover::enter(cx, *reason, stage)
                }
                // The text is the question itself, so that there is one visible text per turn.
                Confirm::Never | Confirm::Always | Confirm::WhenInferred => {
                    say(cx, turn, &[]);
                    stage.asked = Some(Asked::Connect { reason: *reason });
                    Stage::Assisting(stage)
                }
            }
        }
        Answer::Failed { .. } => handover::enter(cx, HandoverReason::AssistantFailed, stage),
    }
}

/// One visible text of the assistant.
fn say(cx: &mut Context<'_>, turn: u32, cites: &[String]) {
    let message = cx.incoming(Author::Assistant, Audience::Public, None, None);
    let desks = mirrored(cx);
    cx.show(message, &desks, None);
    if let Some(session) = cx.c.requester_session().map(|session| session.id) {
        let op = DeliveryOp::Post { message };
        cx.effect(Effect::Deliver(Delivery {
            session,
            op,
            not_before: None,
            turn: Some(turn),
            weight: Weight::Notice,
        }));
    }
    cx.c.stretch.answers += 1;
    cx.c.stretch.cited.extend(cites.iter().cloned());
    cx.helper_spoke();
}

fn on_timer(mut stage: Assisting, cx: &mut Context<'_>, kind: TimerKind) -> Stage {
    match kind {
        TimerKind::Burst => begin_turn(stage, cx),
        TimerKind::AssistantDeadline => {
            cx.c.turn += 1;
            stage.phase = Phase::Idle;
            handover::enter(cx, HandoverReason::AssistantFailed, stage)
        }
        TimerKind::OpeningTime => {
            stage.queue_at = None;
            handover::enter(cx, HandoverReason::OpeningTime, stage)
        }
        TimerKind::RequesterReminder => {
            cx.c.clocks.reminded = true;
            cx.tell(&Notice::Reminder);
            Stage::Assisting(stage)
        }
        TimerKind::RequesterClose => closed::enter(cx, CloseReason::TimedOut, Some(&Notice::ClosedIdle)),
        TimerKind::TicketClose => {
            ticket::set_status(cx, TicketStatus::Closed);
            Stage::Assisting(stage)
        }
        TimerKind::Offer
        | TimerKind::MaxWait
        | TimerKind::Round
        | TimerKind::Transfer
        | TimerKind::TechnicianNudge
        | TimerKind::TechnicianRequeue
        | TimerKind::OfflineGrace
        | TimerKind::Snooze
        | TimerKind::LateQuestion => Stage::Assisting(stage),
    }
}

fn on_desk(stage: Assisting, cx: &mut Context<'_>, by: &DeskActor, via: &Via, what: &DeskEvent) -> Stage {
    if let Some(verb) = desk::verb_of(what) {
        return on_verb(stage, cx, by, via, &verb);
    }
    match what {
        DeskEvent::Posted { remote, intent, reply_to } => {
            let post = Posted { remote: remote.as_ref(), intent: *intent, reply_to: *reply_to };
            match (airlock::decide(cx, by, via, *intent, false), by) {
                (Passage::AcceptAndOut | Passage::Out, DeskActor::Technician(technician)) => {
                    let stage = assigned::take(cx, technician, via, HandoverReason::Taken);
                    assigned::reply(stage, cx, technician, via, &post)
                }
                (passage, _) => {
                    airlock::keep(cx, by, via, &post, passage, None, None);
                    Stage::Assisting(stage)
                }
            }
        }
        DeskEvent::Misread { why } => {
            cx.whisper(via, &DeskNotice::Misread { why: why.clone() });
            Stage::Assisting(stage)
        }
        DeskEvent::Edited { .. }
        | DeskEvent::Deleted { .. }
        | DeskEvent::Reacted { .. }
        | DeskEvent::Verb { .. }
        | DeskEvent::Thread { .. }
        | DeskEvent::RoomMoved { .. } => {
            airlock::changed(cx, by, via, what);
            Stage::Assisting(stage)
        }
    }
}

fn on_verb(stage: Assisting, cx: &mut Context<'_>, by: &DeskActor, via: &Via, verb: &Verb) -> Stage {
    let Some(technician) = desk::may(cx, by, via, verb) else { return Stage::Assisting(stage) };
    if desk::common_verb(cx, &technician, via, verb) {
        return Stage::Assisting(stage);
    }
    match verb {
        // Taking over while assisting is possible wherever the conversation is seen (D16).
        Verb::Accept | Verb::TakeOver => assigned::take(cx, &technician, via, HandoverReason::Taken),
        Verb::Transfer { to: TransferTo::Queue(queue) } => {
            cx.c.queue = queue.clone();
            handover::enter(cx, HandoverReason::Transferred, stage)
        }
        Verb::Resolve { silently } => {
            let name = cx.policy.name(&technician);
            let notice = Notice::Resolved { by: name };
            closed::enter(cx, CloseReason::Resolved { by: technician }, (!silently).then_some(&notice))
        }
        Verb::Csat => {
            cx.tell(&Notice::AskRating);
            Stage::Assisting(stage)
        }
        Verb::Send { message } if airlock::may_send(cx, &technician, via, *message) => {
            let taken = assigned::take(cx, &technician, via, HandoverReason::Taken);
            airlock::send_kept(cx, &technician, via, *message);
            taken
        }
        Verb::Send { .. } => {
            airlock::refuse_send(cx, via, verb);
            Stage::Assisting(stage)
        }
        Verb::Decline
        | Verb::Transfer { to: TransferTo::Technician { .. } }
        | Verb::Invite { .. }
        | Verb::Leave
        | Verb::Backup
        | Verb::Join
        | Verb::Snooze { .. }
        | Verb::Handback
        | Verb::Reopen => {
            desk::refuse(cx, via, verb, "the assistant has this conversation; take over first");
            Stage::Assisting(stage)
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
        | Verb::Off => Stage::Assisting(stage),
    }
}

/// Whether there is an assistant in this queue that answers requesters (A8).
pub fn answers(cx: &Context<'_>) -> bool {
    match cx.policy.mode(&cx.c.queue) {
        AssistantMode::First | AssistantMode::Choice => true,
        AssistantMode::DraftOnly | AssistantMode::Off => false,
    }
}
