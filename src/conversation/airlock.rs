//! What leaves a desk room and what stays (product.md §2). The costliest mistake in such tools is an internal remark
//! that reaches the requester, so the decision is one pure function with a table of tests.
//!
//! Not here: accepting, transferring, closing (the stages).

use deskbridge_contract::{Mark, RemoteMessageId};

use crate::notices::DeskNotice;
use crate::policy::ReplyMode;
use crate::*;

/// How the writer stands to the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Owner,
    CoReplier,
    /// The conversation is offered to exactly this person now.
    Offered,
    /// A member of the queue, or a supervisor.
    Member,
    /// A technician of other queues, a guest, a bot, somebody external.
    Outsider,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    Out,
    /// Accepts the conversation and goes out.
    AcceptAndOut,
    /// Stays inside; the writer is told.
    Kept,
    /// Stays inside because that was wanted, or because nobody would expect otherwise; nobody is told.
    Note,
}

/// Where something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Room(ReplyMode),
    Console,
}

/// Decides. `owned`: somebody has accepted the conversation.
pub fn passage(place: Place, intent: PostIntent, standing: Standing, owned: bool) -> Passage {
    if intent == PostIntent::Note {
        return Passage::Note;
    }
    match place {
        Place::Room(ReplyMode::Alerts) => Passage::Note,
        Place::Room(ReplyMode::Explicit) => match intent {
            PostIntent::Reply => spoken(standing, owned, false),
            PostIntent::Plain | PostIntent::Note => Passage::Note,
        },
        Place::Room(ReplyMode::Direct) => match (standing, owned) {
            (Standing::Outsider, _) => Passage::Kept,
            (Standing::Owner | Standing::CoReplier | Standing::Offered | Standing::Member, true) => {
                Passage::Out
            }
            (Standing::Owner | Standing::CoReplier | Standing::Offered | Standing::Member, false) => {
                Passage::AcceptAndOut
            }
        },
        Place::Room(ReplyMode::Airlock) => match (intent, standing, owned) {
            // Before acceptance the thread is a place to talk about the case; only the offered person's words accept.
            (PostIntent::Plain, Standing::Member, false) => Passage::Note,
            _ => spoken(standing, owned, false),
        },
        Place::Console => spoken(standing, owned, true),
    }
}

/// Words that are meant for the requester. `claims`: any member's words accept an unowned conversation (T16).
fn spoken(standing: Standing, owned: bool, claims: bool) -> Passage {
    match (standing, owned) {
        (Standing::Outsider, _) => Passage::Kept,
        (Standing::Owner | Standing::CoReplier, true) => Passage::Out,
        (Standing::Offered | Standing::Member, true) => Passage::Kept,
        (Standing::Offered | Standing::Owner | Standing::CoReplier, false) => Passage::AcceptAndOut,
        (Standing::Member, false) => {
            if claims {
                Passage::AcceptAndOut
            } else {
                Passage::Kept
            }
        }
    }
}

/// What becomes of somebody's post here and now.
pub fn decide(cx: &Context<'_>, by: &DeskActor, via: &Via, intent: PostIntent, owned: bool) -> Passage {
    let place = place(cx, via);
    let passage = passage(place, intent, desk::standing(cx, by), owned);
    let had_it = match by {
        DeskActor::Technician(technician) => cx.c.last_technician.as_ref() == Some(technician),
        DeskActor::Unconfirmed(_) | DeskActor::Outsider => false,
    };
    match (passage, place, intent) {
        // Who had the conversation may not have noticed that it is theirs no more.
        (Passage::Note, Place::Room(ReplyMode::Airlock), PostIntent::Plain) if had_it => Passage::Kept,
        // Nothing goes out of an `alerts` room; somebody who meant to is told.
        (Passage::Note, Place::Room(_), PostIntent::Reply) => Passage::Kept,
        (passage, _, _) => passage,
    }
}

/// The place of a post.
pub fn place(cx: &Context<'_>, via: &Via) -> Place {
    match via {
        Via::Room { session, .. } => Place::Room(cx.reply_mode(*session)),
        Via::Console => Place::Console,
    }
}

/// The session that something was written in.
pub fn origin(via: &Via) -> Option<SessionId> {
    match via {
        Via::Room { session, .. } => Some(*session),
        Via::Console => None,
    }
}

/// Stores a message that stays inside, shows it in the working room when it was written elsewhere, and tells the
/// writer where they might have expected it to go out. `owner`: who has the conversation.
pub fn keep(
    cx: &mut Context<'_>,
    by: &DeskActor,
    via: &Via,
    post: &Posted<'_>,
    passage: Passage,
    owner: Option<&TechnicianId>,
    working: Option<SessionId>,
) -> MessageId {
    let author = match by {
        DeskActor::Technician(technician) => Author::Technician(technician.clone()),
        DeskActor::Unconfirmed(_) | DeskActor::Outsider => Author::Outsider,
    };
    let written = origin(via);
    let link = written.zip(post.remote.cloned());
    let message = cx.incoming(author, Audience::Internal, link, post.reply_to);
    if written.is_none() {
        let desks = cx.watching(working);
        cx.show(message, &desks, None);
        for desk in desks {
            cx.mark(Some(desk), message, Mark::Internal);
        }
    }
    if let DeskActor::Technician(technician) = by {
        cx.acted(technician);
    }
    match passage {
        Passage::Kept if desk::standing(cx, by) == Standing::Outsider => {
            desk::turn_away(cx, by, via);
        }
        Passage::Kept if place(cx, via) == Place::Room(ReplyMode::Alerts) => {
            cx.mark(written, message, Mark::Internal);
            cx.whisper(via, &DeskNotice::Refused { verb: "reply", why: FROM_ALERTS.to_owned() });
        }
        Passage::Kept => {
            cx.mark(written, message, Mark::Internal);
            let owner = owner.map(|owner| cx.policy.name(owner));
            cx.whisper(via, &DeskNotice::KeptInternal { owner, message });
            if let DeskActor::Technician(by) = by {
                remember(cx, message, by);
            }
        }
        Passage::Note if post.intent == PostIntent::Note => cx.mark(written, message, Mark::Internal),
        Passage::Note | Passage::Out | Passage::AcceptAndOut => {}
    }
    message
}

/// A technician's post, as the event has it.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    pub remote: Option<&'a RemoteMessageId>,
    pub intent: PostIntent,
    pub reply_to: Option<MessageId>,
}

/// Stores a technician's words for the requester and sends them: held for the undo window, marked, and shown in the
/// working room when they were written elsewhere (D3).
pub fn relay(
    cx: &mut Context<'_>,
    by: &TechnicianId,
    via: &Via,
    post: &Posted<'_>,
    working: Option<SessionId>,
) -> MessageId {
    let written = origin(via);
    let link = written.zip(post.remote.cloned());
    let message = cx.incoming(Author::Technician(by.clone()), Audience::Public, link, post.reply_to);
    let desks = cx.watching(working);
    cx.show(message, &desks, written);
    send(cx, by, message, written);
    cx.acted(by);
    message
}

/// Texts that can still be sent; older ones are written anew.
const KEPT: usize = 20;
const FROM_ALERTS: &str = "nothing goes out of this room; answer in the console";

/// This text did not reach the requester and may still be sent on purpose.
pub fn remember(cx: &mut Context<'_>, message: MessageId, by: &TechnicianId) {
    if cx.c.kept.len() >= KEPT {
        cx.c.kept.remove(0);
    }
    cx.c.kept.push(Kept { message, by: by.clone() });
}

/// "Send anyway" and "try again" are for texts that were kept here: by who wrote them, or by who may reply anyway.
/// An id that somebody made up, or of another conversation, leads nowhere.
pub fn may_send(cx: &Context<'_>, by: &TechnicianId, via: &Via, message: MessageId) -> bool {
    let Some(kept) = cx.c.kept.iter().find(|kept| kept.message == message) else { return false };
    let may_reply = match desk::standing(cx, &DeskActor::Technician(by.clone())) {
        Standing::Owner | Standing::CoReplier => true,
        Standing::Offered | Standing::Member | Standing::Outsider => {
            kept.by == *by || cx.policy.role(by) >= crate::policy::Role::Supervisor
        }
    };
    may_reply && place(cx, via) != Place::Room(ReplyMode::Alerts)
}

pub fn refuse_send(cx: &mut Context<'_>, via: &Via, verb: &Verb) {
    desk::refuse(cx, via, verb, "only a text that was kept here can be sent, by who wrote it");
}

/// Sends what was kept, on purpose; it leaves a trace. See [`may_send`].
pub fn send_kept(cx: &mut Context<'_>, by: &TechnicianId, via: &Via, message: MessageId) {
    cx.c.kept.retain(|kept| kept.message != message);
    cx.made.audience.push((message, Audience::Public));
    send(cx, by, message, origin(via));
    cx.audit(Some(by), format!("sent message {message} that was kept internal"));
}

/// Queues a stored message of a technician for the requester.
pub fn send(cx: &mut Context<'_>, by: &TechnicianId, message: MessageId, written: Option<SessionId>) {
    let Some(session) = cx.c.requester_session().map(|session| session.id) else { return };
    let held_until = cx.now + cx.policy.undo_window;
    let held = held_until > cx.now;
    if held {
        cx.mark(written, message, Mark::Held);
    }
    let not_before = held.then_some(held_until);
    let op = DeliveryOp::Post { message };
    cx.effect(Effect::Deliver(Delivery { session, op, not_before, turn: None, weight: Weight::Person }));
    let unanswered = cx.c.clocks.unanswered;
    cx.c.relays.push(Relay { message, by: by.clone(), origin: written, held_until, unanswered });
    cx.helper_spoke();
}

/// These words are taken back before they went out. If they were the only ones, the requester still waits.
pub fn withdraw(cx: &mut Context<'_>, message: MessageId) {
    let at = cx.c.relays.iter().position(|relay| relay.message == message);
    let relay = at.map(|at| cx.c.relays.remove(at));
    cx.effect(Effect::Cancel { what: CancelWhat::Message(message) });
    if let Some(Relay { unanswered: Some(since), .. }) = relay
        && cx.c.relays.is_empty()
        && cx.c.clocks.unanswered.is_none()
    {
        cx.c.clocks.unanswered = Some(since);
    }
}

/// Somebody changed or removed something, or reacted; the requester and other rooms follow where they show it.
/// Where nothing was shown there is no link, and the outbox has nothing to do.
pub fn changed(cx: &mut Context<'_>, by: &DeskActor, via: &Via, what: &DeskEvent) {
    let written = origin(via);
    match what {
        DeskEvent::Edited { message: Some(message), intent } => edited(cx, by, via, *message, *intent),
        DeskEvent::Deleted { message: Some(message) } => {
            cx.made.deleted.push(*message);
            cx.c.kept.retain(|kept| kept.message != *message);
            withdraw(cx, *message);
            cx.redraw(*message);
            let is_technician = matches!(by, DeskActor::Technician(_));
            for session in followers(cx, written, is_technician) {
                cx.deliver(session, DeliveryOp::Delete { message: *message }, Weight::Person);
            }
        }
        DeskEvent::Reacted { target: ReactionTarget::Message(message), emoji, added } => {
            let replies = matches!(desk::standing(cx, by), Standing::Owner | Standing::CoReplier);
            for session in followers(cx, written, replies) {
                let op = DeliveryOp::React { message: *message, emoji: emoji.clone(), on: *added };
                cx.deliver(session, op, Weight::Notice);
            }
        }
        DeskEvent::RoomMoved { to } => {
            if let Some(session) = written {
                delivery::rekey(cx, session, to);
            }
        }
        DeskEvent::Edited { message: None, .. }
        | DeskEvent::Deleted { message: None }
        | DeskEvent::Reacted { target: ReactionTarget::Card | ReactionTarget::Unknown, .. }
        | DeskEvent::Posted { .. }
        | DeskEvent::Verb { .. }
        | DeskEvent::Misread { .. }
        | DeskEvent::Thread { .. } => {}
    }
}

/// The other desk sessions, and the requester's where it may follow.
fn followers(cx: &Context<'_>, written: Option<SessionId>, requester: bool) -> Vec<SessionId> {
    let mut follow: Vec<SessionId> =
        cx.watching(None).into_iter().filter(|id| Some(*id) != written).collect();
    if requester && let Some(session) = cx.c.requester_session() {
        follow.push(session.id);
    }
    follow
}

/// New words for a message (L9). Words that make it a note are for nobody outside: what was sent is taken back there.
fn edited(cx: &mut Context<'_>, by: &DeskActor, via: &Via, message: MessageId, intent: PostIntent) {
    let written = origin(via);
    let is_technician = matches!(by, DeskActor::Technician(_));
    cx.made.edited.push(message);
    let held = cx.c.relays.iter().any(|relay| relay.message == message && relay.held_until > cx.now);
    for session in followers(cx, written, false) {
        cx.deliver(session, DeliveryOp::Edit { message }, Weight::Person);
    }
    cx.redraw(message);
    let Some(session) = cx.c.requester_session().map(|session| session.id).filter(|_| is_technician) else {
        return;
    };
    match intent {
        PostIntent::Note => {
            withdraw(cx, message);
            cx.made.audience.push((message, Audience::Internal));
            cx.deliver(session, DeliveryOp::Delete { message }, Weight::Person);
            cx.mark(written, message, Mark::Internal);
        }
        // What is still held is sent with the new words (D14).
        PostIntent::Plain | PostIntent::Reply if held => {}
        PostIntent::Plain | PostIntent::Reply => {
            cx.deliver(session, DeliveryOp::Edit { message }, Weight::Person);
        }
    }
}
