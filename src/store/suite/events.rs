//! Events as the runtime would make them.
//!
//! Not here: any expectation.

use deskbridge_contract::{Content, RemoteEventId, RemoteUserId, Timestamp};
use deskbridge_conversation::{
    Answer, AssistantEvent, Conversation, ConversationId, DeliveryEvent, DeliveryOp, DeskActor, DeskEvent,
    Effect, EventBody, Gist, OfferTo, Outcome, PostIntent, QueueId, ReactionTarget, Requester,
    RequesterEvent, RequesterId, RequesterVerb, RosterEvent, SessionId, TechnicianId, TicketEvent, TimerKind,
    Verb, Via,
};

use super::rig::{START, desk, home, remote, text, thread, web};
use crate::rows::*;
use crate::*;

fn inbound(channel: deskbridge_contract::ChannelName, id: &str) -> Cause {
    Cause::Inbound(channel, RemoteEventId(id.to_owned()))
}

pub(super) fn requester(who: u32) -> Requester {
    Requester {
        id: RequesterId(format!("web:{who}")),
        name: format!("Requester {who}"),
        language: "en".to_owned(),
        picture: None,
        away: false,
    }
}

/// Something that requester `who` does; `id` is the platform's event.
pub(super) fn by_requester(who: u32, id: &str, what: RequesterEvent) -> Apply {
    Apply {
        cause: inbound(web(), id),
        target: Target::Requester {
            address: home(who),
            requester: requester(who),
            queue: QueueId::from("default"),
            priority: 0,
            force_new: false,
            shared: false,
        },
        at: START,
        body: EventBody::Requester { session: SessionId(99), what },
        content: None,
        refs: Refs::default(),
        guard: None,
    }
}

/// A message with the platform's id `id`; its event is called the same.
pub(super) fn posted(who: u32, id: &str, words: &str) -> Apply {
    let what = RequesterEvent::Posted { remote: remote(id), gist: Gist::default(), reply_to: None };
    Apply { content: text(words), ..by_requester(who, id, what) }
}

fn remote_of(who: u32, id: &str) -> Option<RemoteRef> {
    let at = home(who);
    Some(RemoteRef { channel: at.channel, room: at.room, remote: remote(id) })
}

pub(super) fn reply(who: u32, id: &str, to: &str, words: &str) -> Apply {
    Apply { refs: Refs { target: None, reply_to: remote_of(who, to) }, ..posted(who, id, words) }
}

pub(super) fn edited(who: u32, id: &str, message: &str, words: &str) -> Apply {
    Apply {
        content: text(words),
        refs: Refs { target: remote_of(who, message), reply_to: None },
        ..by_requester(who, id, RequesterEvent::Edited { message: None })
    }
}

pub(super) fn deleted(who: u32, id: &str, message: &str) -> Apply {
    Apply {
        refs: Refs { target: remote_of(who, message), reply_to: None },
        ..by_requester(who, id, RequesterEvent::Deleted { message: None })
    }
}

pub(super) fn pressed(who: u32, id: &str, verb: RequesterVerb) -> Apply {
    by_requester(who, id, RequesterEvent::Pressed { verb })
}

fn technician(name: &str) -> DeskActor {
    DeskActor::Technician(TechnicianId::from(name))
}

/// Something that a technician does in the console.
pub(super) fn in_console(conversation: ConversationId, id: &str, who: &str, what: DeskEvent) -> Apply {
    Apply {
        cause: Cause::Console(id.to_owned()),
        target: Target::Conversation(conversation),
        at: START,
        body: EventBody::Desk { by: technician(who), via: Via::Console, what },
        content: None,
        refs: Refs::default(),
        guard: None,
    }
}

pub(super) fn verb(conversation: ConversationId, id: &str, who: &str, verb: Verb) -> Apply {
    in_console(conversation, id, who, DeskEvent::Verb { verb })
}

/// A technician's words in the console.
pub(super) fn said(conversation: ConversationId, id: &str, who: &str, words: &str) -> Apply {
    let what = DeskEvent::Posted { remote: None, intent: PostIntent::Reply, reply_to: None };
    Apply { content: text(words), ..in_console(conversation, id, who, what) }
}

/// Something that a technician does in the desk room, in the conversation's thread.
pub(super) fn in_thread(conversation: ConversationId, id: &str, who: &str, what: DeskEvent) -> Apply {
    let via = Via::Room { session: SessionId(99), user: RemoteUserId(who.to_owned()), interaction: None };
    Apply {
        cause: inbound(desk(), id),
        target: Target::Desk { address: thread(conversation) },
        body: EventBody::Desk { by: technician(who), via, what },
        ..in_console(conversation, id, who, DeskEvent::Misread { why: String::new() })
    }
}

pub(super) fn said_in_thread(conversation: ConversationId, id: &str, who: &str, words: &str) -> Apply {
    let what = DeskEvent::Posted { remote: Some(remote(id)), intent: PostIntent::Plain, reply_to: None };
    Apply { content: text(words), ..in_thread(conversation, id, who, what) }
}

/// A reaction on a message of the desk room.
pub(super) fn reacted(
    conversation: ConversationId,
    id: &str,
    who: &str,
    message: &str,
    emoji: &str,
) -> Apply {
    let what = DeskEvent::Reacted { target: ReactionTarget::Unknown, emoji: emoji.to_owned(), added: true };
    let at = thread(conversation);
    let target = Some(RemoteRef { channel: at.channel, room: at.room, remote: remote(message) });
    Apply { refs: Refs { target, reply_to: None }, ..in_thread(conversation, id, who, what) }
}

/// Allocation's proposal, as of the state `of`.
pub(super) fn proposed(of: &Conversation, who: &str, capacity: u32) -> Apply {
    let to = TechnicianId::from(who);
    Apply {
        cause: Cause::Roster(of.id, format!("{who}@{}", of.seq)),
        target: Target::Conversation(of.id),
        at: START,
        body: EventBody::Roster(RosterEvent::Proposed { to: OfferTo::One(to.clone()) }),
        content: None,
        refs: Refs::default(),
        guard: Some(Guard::Capacity { seq: of.seq, technician: to, capacity }),
    }
}

pub(super) fn timer(conversation: ConversationId, kind: TimerKind, due: Timestamp) -> Apply {
    Apply {
        cause: Cause::Timer(conversation, kind, due),
        target: Target::Conversation(conversation),
        at: due,
        body: EventBody::Timer { kind, due },
        content: None,
        refs: Refs::default(),
        guard: None,
    }
}

fn end(row: &OutboxRow, at: Timestamp, body: EventBody) -> Apply {
    Apply {
        cause: Cause::Effect(row.id),
        target: Target::Conversation(row.conversation()),
        at,
        body,
        content: None,
        refs: Refs::default(),
        guard: None,
    }
}

/// The end of a delivery.
pub(super) fn ended(row: &OutboxRow, outcome: Outcome) -> Apply {
    let Effect::Deliver(delivery) = &row.effect else { panic!("{} is no delivery", row.id) };
    let body = EventBody::Delivery(DeliveryEvent {
        delivery: row.id.delivery(),
        session: delivery.session,
        op: delivery.op.clone(),
        outcome,
        joined: None,
    });
    end(row, row.created, body)
}

/// The platform took it.
pub(super) fn sent(row: &OutboxRow, state: &Conversation) -> Apply {
    let Effect::Deliver(delivery) = &row.effect else { panic!("{} is no delivery", row.id) };
    let at =
        state.session(delivery.session).unwrap_or_else(|| panic!("no session of {}", row.id)).address.clone();
    let name = match &delivery.op {
        DeliveryOp::Post { .. } | DeliveryOp::Transcript { .. } => Some(format!("r{}", row.id)),
        // Posted once, edited in place from then on.
        DeliveryOp::Card => Some(format!("card{}-{}", state.id.0, delivery.session.0)),
        _ => None,
    };
    let address = if delivery.op == DeliveryOp::OpenThread { thread(state.id) } else { at };
    ended(
        row,
        Outcome::Sent { remote: name.map(remote), more: Vec::new(), address, accepted: false, note: None },
    )
}

/// How a perfect world ends an effect; `None` where no event ends it and a mark does.
pub(super) fn end_well(row: &OutboxRow, state: &Conversation, now: Timestamp) -> Option<Apply> {
    let body = match &row.effect {
        Effect::Deliver(_) => return Some(Apply { at: now, ..sent(row, state) }),
        Effect::AskAssistant { turn } => EventBody::Assistant(AssistantEvent::Answered {
            turn: *turn,
            answer: Answer::Said { cites: Vec::new() },
        }),
        Effect::Summarise { stretch } => {
            EventBody::Assistant(AssistantEvent::Summarised { stretch: *stretch })
        }
        Effect::Suggest { to, via } => {
            EventBody::Assistant(AssistantEvent::Suggested { to: to.clone(), via: via.clone() })
        }
        Effect::OpenTicket { .. } => EventBody::Ticket(TicketEvent::Opened {
            desk: "embedded".to_owned(),
            key: format!("k{}", row.id),
            number: format!("T-{}", state.id.0),
        }),
        _ => return None,
    };
    Some(Apply { content: Some(Content::text(format!("made of {}", row.id))), ..end(row, now, body) })
}

pub(super) fn marked(row: &OutboxRow, state: DeliveryState) -> Mark {
    Mark { effect: row.id, state, not_before: None, error: None }
}
