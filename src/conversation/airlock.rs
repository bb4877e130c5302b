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
            (Standing::Owner | Standing::CoReplier | Standing::Offered | Standing::Member, true) => Passage::Out,
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
        DeskActor::Outsider => Author::Outsider,
    };
    let written = origin(via);
    let link = written.zip(post.remote.cloned());
    let message = cx.incoming(author, Audience::Internal, link, post.reply_to);
    if written.is_none() {
        let desks = cx.watching(working);
        cx.show(message, &desks, None);
    }
    let is_outsider = matches!(by, DeskActor::Outsider);
    match passage {
        Passage::Kept if is_outsider => cx.whisper(via, &DeskNotice::NotPermitted),
        Passage::Kept => {
            cx.mark(written, message, Mark::Internal);
            let owner = owner.map(|owner| cx.policy.name(owner));
            cx.whisper(via, &DeskNotice::KeptInternal { owner, message });
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
    message
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
    cx.c.relays.push(Relay { message, by: by.clone(), origin: written, held_until });
    cx.helper_spoke();
}

/// A technician changed or removed something, or reacted; the requester and other rooms follow where they show it.
/// Where nothing was shown there is no link, and the outbox has nothing to do.
pub fn changed(cx: &mut Context<'_>, via: &Via, what: &DeskEvent, working: Option<SessionId>, may_reach_requester: bool) {
    let written = origin(via);
    let mut follow: Vec<SessionId> = cx.watching(working).into_iter().filter(|id| Some(*id) != written).collect();
    if may_reach_requester && let Some(session) = cx.c.requester_session() {
        follow.push(session.id);
    }
    match what {
        DeskEvent::Edited { message: Some(message) } => {
            cx.made.edited.push(*message);
            for session in follow {
                cx.deliver(session, DeliveryOp::Edit { message: *message }, Weight::Person);
            }
        }
        DeskEvent::Deleted { message: Some(message) } => {
            cx.made.deleted.push(*message);
            cx.c.relays.retain(|relay| relay.message != *message);
            cx.effect(Effect::Cancel { what: CancelWhat::Message(*message) });
            for session in follow {
                cx.deliver(session, DeliveryOp::Delete { message: *message }, Weight::Person);
            }
        }
        DeskEvent::Reacted { target: ReactionTarget::Message(message), emoji, added } => {
            for session in follow {
                let op = DeliveryOp::React { message: *message, emoji: emoji.clone(), on: *added };
                cx.deliver(session, op, Weight::Notice);
            }
        }
        DeskEvent::RoomMoved { to } => {
            if let Some(session) = written {
                delivery::rekey(cx, session, to);
            }
        }
        DeskEvent::Edited { message: None }
        | DeskEvent::Deleted { message: None }
        | DeskEvent::Reacted { target: ReactionTarget::Card | ReactionTarget::Unknown, .. }
        | DeskEvent::Posted { .. }
        | DeskEvent::Verb { .. }
        | DeskEvent::Misread { .. }
        | DeskEvent::Thread { .. } => {}
    }
}
