//! What the end of a delivery means: threads that opened or vanished, rooms that moved, words that did not arrive.
//!
//! Not here: retries and back-off (the outbox); by the time an outcome comes here it is final.

use deskbridge_contract::{Address, Mark, Sent};

use crate::notices::{DeskNotice, Notice};
use crate::*;

/// The same in every stage. `working`: the desk session where the owner works, for notices about failures.
pub fn ended(cx: &mut Context<'_>, event: &DeliveryEvent, working: Option<SessionId>) {
    match &event.outcome {
        Outcome::Sent { address, note, accepted, .. } => {
            let how = How { note: note.as_deref(), accepted: *accepted };
            sent(cx, event, address, how, working);
        }
        Outcome::Failed { why } => not_sent(cx, event, why, working),
        Outcome::Partly { why, .. } => partly(cx, event, why, working),
        Outcome::Unknown { why } => {
            not_sent(cx, event, &format!("nobody knows whether it arrived ({why})"), working)
        }
        Outcome::Gone { why } => {
            // A hint that could not be whispered at the requester's place was for somebody else there.
            let whispered = matches!(event.op, DeliveryOp::Whisper { .. });
            if is_requester(cx, event.session) && !whispered && !cx.c.requester.away {
                cx.c.requester.away = true;
                let desks = cx.watching(working);
                cx.tell_desks(&DeskNotice::RequesterLeft, &desks, &[]);
            }
            not_sent(cx, event, why, working);
        }
        Outcome::ThreadGone { .. } => thread_gone(cx, event),
        Outcome::Moved { to } => {
            rekey(cx, event.session, to);
            again(cx, event);
        }
    }
}

fn is_requester(cx: &Context<'_>, id: SessionId) -> bool {
    cx.c.session(id).is_some_and(|session| match session.role {
        SessionRole::Requester { .. } => true,
        SessionRole::Desk { .. } => false,
    })
}

/// In what way something was sent.
struct How<'a> {
    note: Option<&'a str>,
    accepted: bool,
}

fn sent(
    cx: &mut Context<'_>,
    event: &DeliveryEvent,
    address: &Address,
    how: How<'_>,
    working: Option<SessionId>,
) {
    let note = how.note;
    let opened = matches!(event.op, DeliveryOp::OpenThread);
    if matches!(event.op, DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. }) {
        set_failing(cx, event.session, false);
    }
    if let Some(session) = cx.c.sessions.iter_mut().find(|session| session.id == event.session) {
        match &mut session.role {
            SessionRole::Desk { thread, .. } => {
                if opened {
                    *thread = DeskThread::Open;
                    session.address = address.clone();
                }
            }
            // "Thread lost": answers will come without it from now on.
            SessionRole::Requester { .. } => {
                if note.is_some() && session.address.room == address.room {
                    session.address = address.clone();
                }
            }
        }
    }
    if let (DeliveryOp::Post { message }, true) = (&event.op, is_requester(cx, event.session))
        && let Some(relay) = take_relay(cx, *message)
    {
        if !how.accepted {
            cx.mark(relay.origin, *message, Mark::Delivered);
        }
        let notice = match note {
            note if how.accepted => DeskNotice::OnlyAccepted { how: note.map(str::to_owned) },
            Some(Sent::IN_RESPONSE) => return,
            Some(MAY_APPEAR_TWICE) => DeskNotice::MayAppearTwice,
            // Done in a lesser way than meant: a file was left out, the thread was lost.
            Some(note) => DeskNotice::Lessened { how: note.to_owned() },
            None => return,
        };
        let desks: Vec<SessionId> = relay.origin.or(working).into_iter().collect();
        cx.tell_desks(&notice, &desks, &[]);
    }
}

/// The note of a `Sent` that followed an ambiguous attempt (D33).
pub const MAY_APPEAR_TWICE: &str = "may appear twice";

fn take_relay(cx: &mut Context<'_>, message: MessageId) -> Option<Relay> {
    let at = cx.c.relays.iter().position(|relay| relay.message == message)?;
    Some(cx.c.relays.remove(at))
}

fn not_sent(cx: &mut Context<'_>, event: &DeliveryEvent, why: &str, working: Option<SessionId>) {
    match &event.op {
        DeliveryOp::Post { message } if is_requester(cx, event.session) => {
            let relay = take_relay(cx, *message);
            let origin = relay.as_ref().and_then(|relay| relay.origin);
            if let Some(relay) = &relay {
                cx.mark(origin, *message, Mark::Failed);
                airlock::remember(cx, *message, &relay.by);
            }
            let desks: Vec<SessionId> = match origin {
                Some(origin) => vec![origin],
                None => cx.watching(working),
            };
            let again = relay.map(|relay| relay.message);
            cx.tell_desks(&DeskNotice::DeliveryFailed { why: why.to_owned(), again }, &desks, &[]);
        }
        // Once: a notice about a failed notice would never end.
        DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. } => {
            let is_open = cx.watching(None).contains(&event.session);
            if is_open && !set_failing(cx, event.session, true) {
                let desks = cx.watching(None);
                cx.tell_desks(&DeskNotice::NotShown { why: why.to_owned() }, &desks, &[]);
            }
        }
        DeliveryOp::OpenThread => {
            if let Some(session) = cx.c.sessions.iter_mut().find(|session| session.id == event.session) {
                match &mut session.role {
                    SessionRole::Desk { thread, .. } => *thread = DeskThread::Lost,
                    SessionRole::Requester { .. } => {}
                }
            }
            cx.audit(None, format!("desk thread could not be opened: {why}"));
        }
        // Shown in the delivery's own row.
        DeliveryOp::Edit { .. }
        | DeliveryOp::Delete { .. }
        | DeliveryOp::React { .. }
        | DeliveryOp::Mark { .. }
        | DeliveryOp::Card
        | DeliveryOp::Thread { .. }
        | DeliveryOp::Whisper { .. } => {}
    }
}

/// A message broke off. Whoever can see that it did not end there is told: who wrote it, the technicians who read it, or,
/// where no technician is there yet, the requester.
fn partly(cx: &mut Context<'_>, event: &DeliveryEvent, why: &str, working: Option<SessionId>) {
    let why = why.to_owned();
    match &event.op {
        DeliveryOp::Post { message } if is_requester(cx, event.session) => {
            let origin = take_relay(cx, *message).and_then(|relay| relay.origin);
            cx.mark(origin, *message, Mark::Failed);
            let desks = origin.map_or_else(|| cx.watching(working), |origin| vec![origin]);
            match desks.is_empty() {
                true => cx.tell(&Notice::BrokeOff),
                false => cx.tell_desks(&DeskNotice::DeliveredPartly { why }, &desks, &[]),
            }
        }
        DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. } => {
            let open = cx.watching(None);
            let here = open.contains(&event.session);
            let desks = if here { vec![event.session] } else { open };
            cx.tell_desks(&DeskNotice::ShownPartly { why }, &desks, &[]);
        }
        // Shown in the delivery's own row.
        DeliveryOp::OpenThread
        | DeliveryOp::Edit { .. }
        | DeliveryOp::Delete { .. }
        | DeliveryOp::React { .. }
        | DeliveryOp::Mark { .. }
        | DeliveryOp::Card
        | DeliveryOp::Thread { .. }
        | DeliveryOp::Whisper { .. } => {}
    }
}

/// Whether posts in a desk session failed before.
fn set_failing(cx: &mut Context<'_>, id: SessionId, now: bool) -> bool {
    let session = cx.c.sessions.iter_mut().find(|session| session.id == id);
    match session.map(|session| &mut session.role) {
        Some(SessionRole::Desk { failing, .. }) => std::mem::replace(failing, now),
        Some(SessionRole::Requester { .. }) | None => false,
    }
}

/// A deleted desk thread is opened again with card and transcript; then what failed is sent there (D22).
/// Deliveries that were queued behind it fail the same way and only queue up again.
fn thread_gone(cx: &mut Context<'_>, event: &DeliveryEvent) {
    let up_to = match event.op {
        DeliveryOp::Post { message } => message.seq.saturating_sub(1),
        DeliveryOp::Transcript { from, .. } => from.saturating_sub(1),
        DeliveryOp::Edit { .. }
        | DeliveryOp::Delete { .. }
        | DeliveryOp::React { .. }
        | DeliveryOp::Mark { .. }
        | DeliveryOp::OpenThread
        | DeliveryOp::Card
        | DeliveryOp::Thread { .. }
        | DeliveryOp::Whisper { .. } => cx.c.seq.saturating_sub(1),
    };
    let closed = matches!(cx.c.stage, Stage::Closed(_));
    let Some(session) = cx.c.sessions.iter_mut().find(|session| session.id == event.session) else { return };
    let opens_again = match &mut session.role {
        SessionRole::Requester { .. } => false,
        SessionRole::Desk { thread: DeskThread::Opening, .. } => true,
        SessionRole::Desk { thread, transcripts, .. } => {
            session.address.thread = None;
            transcripts.clear();
            if closed {
                // Nobody works there any more; it is opened when the conversation is reopened.
                *thread = DeskThread::Lost;
                cx.made.unlinked.push(event.session);
                false
            } else {
                *thread = DeskThread::Opening;
                cx.made.unlinked.push(event.session);
                if up_to > 0 {
                    transcripts.push((1, up_to));
                }
                cx.deliver(event.session, DeliveryOp::OpenThread, Weight::Person);
                cx.deliver(event.session, DeliveryOp::Card, Weight::Person);
                if up_to > 0 {
                    cx.deliver(event.session, DeliveryOp::Transcript { from: 1, to: up_to }, Weight::Person);
                }
                true
            }
        }
    };
    if opens_again {
        again(cx, event);
    }
}

/// Queues the same operation once more, for those that still mean something.
fn again(cx: &mut Context<'_>, event: &DeliveryEvent) {
    match &event.op {
        DeliveryOp::Post { .. }
        | DeliveryOp::Whisper { .. }
        | DeliveryOp::Transcript { .. }
        | DeliveryOp::OpenThread => {
            cx.deliver(event.session, event.op.clone(), Weight::Person);
        }
        DeliveryOp::Card | DeliveryOp::Thread { .. } => {
            cx.deliver(event.session, event.op.clone(), Weight::Notice)
        }
        // Their target stayed behind in the thread that is gone.
        DeliveryOp::Edit { .. }
        | DeliveryOp::Delete { .. }
        | DeliveryOp::React { .. }
        | DeliveryOp::Mark { .. } => {}
    }
}

/// The room of a session has a new address; the thread keeps its name.
pub fn rekey(cx: &mut Context<'_>, id: SessionId, to: &Address) {
    if let Some(session) = cx.c.sessions.iter_mut().find(|session| session.id == id) {
        session.address.room = to.room.clone();
    }
}
