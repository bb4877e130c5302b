//! Somebody else at the requester's place: a colleague in the thread in which help was asked for, a person of the group.
//!
//! Not here: who is one (the store compares ids), what the requester's own acts mean (the stages).
//!
//! Their words reach the desk under their own name. They answer no question, take no turn of the assistant, whose tools
//! are the requester's, and press no button: that is the requester's alone, and they are told so.

use crate::notices::{self, Notice};
use crate::*;

/// In any stage; it stays as it is.
pub fn did(cx: &mut Context<'_>, session: SessionId, by: &RequesterId, what: &RequesterEvent) -> Stage {
    match what {
        RequesterEvent::Posted { remote, gist, reply_to } => {
            let author = Author::Bystander { id: by.clone(), name: String::new() };
            let origin = Some((session, remote.clone()));
            let message = cx.incoming(author, Audience::Public, origin, *reply_to);
            let watching = watching(cx);
            cx.show(message, &watching, None);
            helpers_are_asked(cx);
            if let Some(notice) = answer(cx, session, gist) {
                whisper(cx, session, by, &notice);
            }
        }
        RequesterEvent::Pressed { .. } => {
            let hint = notices::say(&only_requester(cx), &cx.c.requester.language);
            cx.toast(hint.text);
        }
        // The store lets through edits by whoever wrote it. What is gone from the place is gone, whoever removed it.
        RequesterEvent::Edited { .. } | RequesterEvent::Deleted { .. } => {
            let desks = cx.watching(None);
            requester::changed(cx, session, what, &desks);
        }
        // A reaction has no name on the other side; it would be taken for the requester's.
        RequesterEvent::Reacted { .. }
        | RequesterEvent::Started
        | RequesterEvent::Left
        | RequesterEvent::Returned
        | RequesterEvent::RoomMoved { .. } => {}
    }
    cx.c.stage.clone()
}

/// The desk sessions that see the requester's words now.
fn watching(cx: &Context<'_>) -> Vec<SessionId> {
    match &cx.c.stage {
        Stage::Assisting(_) => assisting::mirrored(cx),
        Stage::Handover(_) => cx.watching(None),
        Stage::Assigned(assigned) => cx.watching(assigned.working),
        // As the requester's own late words: shown when it is opened again.
        Stage::Closed(_) => Vec::new(),
    }
}

/// Somebody waits for the technician's answer, as after words of the requester's own. Nothing else runs by it.
fn helpers_are_asked(cx: &mut Context<'_>) {
    let assigned = match &cx.c.stage {
        Stage::Assigned(_) => true,
        Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => false,
    };
    if assigned && cx.c.clocks.unanswered.is_none() {
        cx.helpers_turn();
    }
}

/// What they are told about their words, when these do not do what they would do in a place of their own.
fn answer(cx: &Context<'_>, session: SessionId, gist: &Gist) -> Option<Notice> {
    let (asked, closed) = match &cx.c.stage {
        Stage::Assisting(assisting) => (assisting.asked.is_some(), false),
        Stage::Closed(closed) => (closed.asked.is_some(), true),
        Stage::Handover(_) | Stage::Assigned(_) => (false, false),
    };
    let yes_or_no = matches!(gist.wish, Some(Wish::Yes | Wish::No));
    if requester::command(gist).is_some() || (asked && yes_or_no) {
        return Some(only_requester(cx));
    }
    let small_talk = gist.wordless || yes_or_no || gist.wish == Some(Wish::Thanks);
    let name = cx.c.requester.name.clone();
    if closed {
        return (!small_talk).then_some(Notice::WasOfSomebody { name });
    }
    let waits = match &cx.c.stage {
        Stage::Assisting(_) => !small_talk && was_called(cx, session),
        // A technician reads it.
        Stage::Handover(_) | Stage::Assigned(_) | Stage::Closed(_) => false,
    };
    (waits || requester::wants_help(gist)).then_some(Notice::HelpingSomebody { name })
}

/// In a thread people also talk to each other. What comes in from a room without threads was said to the bot, and so was
/// everything where the answer belongs into the response.
fn was_called(cx: &Context<'_>, session: SessionId) -> bool {
    let Some(address) = cx.c.session(session).map(|session| &session.address) else { return false };
    let channel = cx.policy.channels.get(&address.channel);
    address.thread.is_none() || channel.is_some_and(|channel| channel.answers_in_response)
}

fn only_requester(cx: &Context<'_>) -> Notice {
    Notice::OnlyRequester { name: cx.c.requester.name.clone() }
}

/// To this person alone, at the requester's place.
fn whisper(cx: &mut Context<'_>, session: SessionId, by: &RequesterId, notice: &Notice) {
    let Some(channel) = cx.c.session(session).map(|session| session.address.channel.clone()) else { return };
    let Some(user) = by.as_str().strip_prefix(channel.as_str()).and_then(|rest| rest.strip_prefix(':'))
    else {
        return;
    };
    let content = notices::say(notice, &cx.c.requester.language);
    let message = cx.own(content, Audience::Private);
    let op = DeliveryOp::Whisper { to: user.into(), message, interaction: None };
    let weight = Weight::Notice;
    cx.effect(Effect::Deliver(Delivery { session, op, not_before: None, turn: None, weight }));
}
