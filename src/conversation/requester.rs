//! What requesters do that means the same in every stage: edits, deletions, reactions, leaving, asking for status.
//!
//! Not here: what a new message leads to (the stages).

use deskbridge_contract::RemoteMessageId;

use crate::notices::{DeskNotice, Notice, StatusWords};
use crate::*;

/// Stores a requester's message and shows it to the desk sessions in `watching`.
pub fn posted(
    cx: &mut Context<'_>,
    session: SessionId,
    remote: &RemoteMessageId,
    reply_to: Option<MessageId>,
    watching: &[SessionId],
) -> MessageId {
    let author = Author::Requester(cx.c.requester.id.clone());
    let message = cx.incoming(author, Audience::Public, Some((session, remote.clone())), reply_to);
    cx.show(message, watching, None);
    message
}

/// The requester changed, removed or reacted to something; desk sessions that show it follow (L9).
pub fn changed(cx: &mut Context<'_>, session: SessionId, what: &RequesterEvent, watching: &[SessionId]) {
    match what {
        RequesterEvent::Edited { message: Some(message) } => {
            cx.made.edited.push(*message);
            for desk in watching {
                cx.deliver(*desk, DeliveryOp::Edit { message: *message }, Weight::Person);
            }
            cx.redraw(*message);
        }
        RequesterEvent::Deleted { message: Some(message) } => {
            cx.made.deleted.push(*message);
            cx.effect(Effect::Cancel { what: CancelWhat::Message(*message) });
            for desk in watching {
                cx.deliver(*desk, DeliveryOp::Delete { message: *message }, Weight::Person);
            }
            cx.redraw(*message);
        }
        RequesterEvent::Reacted { message: Some(message), emoji, added } => {
            for desk in watching {
                let op = DeliveryOp::React { message: *message, emoji: emoji.clone(), on: *added };
                cx.deliver(*desk, op, Weight::Notice);
            }
        }
        RequesterEvent::Left => {
            if !cx.c.requester.away {
                cx.c.requester.away = true;
                cx.tell_desks(&DeskNotice::RequesterLeft, watching, &[]);
            }
        }
        RequesterEvent::Returned => {
            if cx.c.requester.away {
                cx.c.requester.away = false;
                cx.tell_desks(&DeskNotice::RequesterReturned, watching, &[]);
            }
        }
        RequesterEvent::RoomMoved { to } => delivery::rekey(cx, session, to),
        RequesterEvent::Edited { message: None }
        | RequesterEvent::Deleted { message: None }
        | RequesterEvent::Reacted { message: None, .. }
        | RequesterEvent::Started
        | RequesterEvent::Posted { .. }
        | RequesterEvent::Pressed { .. } => {}
    }
}

/// 👍 or 👎 under an assistant message, in any stage.
pub fn feedback(cx: &mut Context<'_>, message: MessageId, helpful: bool) {
    cx.effect(Effect::Feedback { message, helpful });
    cx.toast(if helpful { "👍" } else { "👎" });
}

/// What stands before words that a page puts on: it was the requester's browser that said so, and no technician.
pub const FROM_PAGE: &str = "web.";

/// Technicians' own labels are out of a page's reach.
pub fn tagged(cx: &mut Context<'_>, word: &str, on: bool) {
    let label = format!("{FROM_PAGE}{word}");
    cx.c.labels.retain(|known| *known != label);
    if on && cx.c.labels.len() < desk::LABELS {
        cx.c.labels.push(label);
        cx.c.labels.sort();
    }
}

/// One to five; anything else was not a rating.
pub fn rated(cx: &mut Context<'_>, score: u8) {
    if !(1..=5).contains(&score) || cx.c.rating == Some(score) {
        return;
    }
    cx.c.rating = Some(score);
    cx.effect(Effect::Rated { score });
    cx.tell(&Notice::RatingThanks);
    let desks = cx.watching(None);
    cx.tell_desks(&DeskNotice::Rated { score }, &desks, &[]);
}

pub fn status(cx: &mut Context<'_>, state: StatusWords) {
    let notice = Notice::Status {
        reference: cx.c.id.to_string(),
        state,
        ticket: ticket::number(&cx.c).map(str::to_owned),
    };
    cx.tell(&notice);
}

/// What a message's gist asks for, when it is one of the requester's own commands.
pub fn command(gist: &Gist) -> Option<RequesterVerb> {
    match gist.wish {
        Some(Wish::Human) => Some(RequesterVerb::Human),
        Some(Wish::Command(command)) => match command {
            gist::Command::New => Some(RequesterVerb::StartOver),
            gist::Command::Status => Some(RequesterVerb::Status),
            gist::Command::Human => Some(RequesterVerb::Human),
            gist::Command::Close => Some(RequesterVerb::Close),
            gist::Command::Help => None,
        },
        Some(Wish::Yes | Wish::No | Wish::Thanks) | None => None,
    }
}

pub fn wants_help(gist: &Gist) -> bool {
    matches!(gist.wish, Some(Wish::Command(gist::Command::Help)))
}
