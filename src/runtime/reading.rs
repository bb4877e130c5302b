//! What an inbound event is: whose, on which side, and what it plainly asks for.
//!
//! Not here: storing it, and what the person is told (`intake`).

use deskbridge_contract::{Address, Content, Inbound, InboundEvent, RemoteMessageId, SenderKind, names};
use deskbridge_conversation::policy::{Policy, ReplyMode};
use deskbridge_conversation::verbs::{Names, Parsed, from_action, parse, parse_explicit};
use deskbridge_conversation::{
    DeskActor, DeskEvent, EventBody, PostIntent, Presence, ReactionTarget, Requester, RequesterEvent,
    RequesterId, RequesterVerb, SessionId, TechnicianId, Verb, Via, fit, gist,
};
use deskbridge_store::{Apply, Cause, Refs, RemoteRef, Target};

use super::cleaning::clean;
use super::identity::who;
use super::{Bridge, duty, identity};

/// What an inbound event is to us.
pub(super) enum Read {
    Apply(Box<Apply>),
    /// `/on`, `/busy`, `/off` in the desk room itself, outside any conversation.
    Presence {
        technician: TechnicianId,
        presence: Presence,
        inbound: Box<Inbound>,
    },
    /// Whether they are the technician whose address they have.
    Said {
        is_me: bool,
        inbound: Box<Inbound>,
    },
    /// They have a technician's address, and did not say yet whether they are that technician.
    Ask {
        technician: TechnicianId,
        inbound: Box<Inbound>,
    },
    /// Not done, and the person is told why.
    Told(&'static str),
    /// Not for us: chatter in a desk room's main thread, rooms nobody configured, other bots.
    Nothing,
}

pub(super) fn read(bridge: &Bridge, mut inbound: Inbound) -> Read {
    let policy = bridge.policy.current();
    clean(&mut inbound);
    if let Some(is_me) = identity::answered(&inbound) {
        return Read::Said { is_me, inbound: Box::new(inbound) };
    }
    if let Some(desk) = policy.policy.desk(&inbound.address) {
        let mode = desk.reply_mode;
        return read_desk(bridge, &policy.policy, mode, inbound);
    }
    if let Some(presence) = duty::switched(&inbound) {
        // The platform's own switch, wherever it is: a command, a page. Written words are only words here.
        let inbound = Box::new(inbound);
        return match who(&policy.policy, &inbound) {
            DeskActor::Technician(technician) => Read::Presence { technician, presence, inbound },
            DeskActor::Unconfirmed(technician) => Read::Ask { technician, inbound },
            DeskActor::Outsider => Read::Told("Only technicians can do that."),
        };
    }
    let channel = policy.policy.channels.get(&inbound.address.channel);
    let adapter = bridge.adapters.get(&inbound.address.channel);
    let open = channel.is_some_and(|channel| channel.requesters)
        && adapter.is_none_or(|adapter| adapter.takes_requesters(&inbound.address))
        && inbound.from.kind != SenderKind::Bot;
    let shared = adapter.is_some_and(|adapter| adapter.is_shared(&inbound.address));
    if open { read_requester(&policy.policy, inbound, shared) } else { Read::Nothing }
}

fn remote_ref(at: &Address, message: &RemoteMessageId) -> RemoteRef {
    RemoteRef { channel: at.channel.clone(), room: at.room.clone(), remote: message.clone() }
}

/// `shared`: others speak there as well; which of them the requester is, only the conversation says.
fn read_requester(policy: &Policy, inbound: Inbound, shared: bool) -> Read {
    let language = inbound.from.language.as_deref().unwrap_or("en");
    let language = language.split(['-', '_']).next().unwrap_or("en").to_ascii_lowercase();
    let name = fit::clean_name(inbound.from.display_name.as_deref().unwrap_or_default());
    let queue = policy.queue_of(&inbound.address.channel);
    let mut refs = Refs::default();
    let mut said = None;
    let what = match inbound.event {
        InboundEvent::Posted { message, content, reply_to } => {
            refs.reply_to = reply_to.map(|message| remote_ref(&inbound.address, &message));
            let gist = gist::read(&content.text, &language);
            said = Some(content);
            RequesterEvent::Posted { remote: message, gist, reply_to: None }
        }
        InboundEvent::Edited { message, content } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            said = Some(content);
            RequesterEvent::Edited { message: None }
        }
        InboundEvent::Deleted { message } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            RequesterEvent::Deleted { message: None }
        }
        InboundEvent::Reacted { message, emoji, added } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            RequesterEvent::Reacted { message: None, emoji, added }
        }
        InboundEvent::Invoked { action, message, .. } => match RequesterVerb::from_action(&action) {
            Some(verb) => {
                refs.target = message.map(|message| remote_ref(&inbound.address, &message));
                RequesterEvent::Pressed { verb }
            }
            None => return Read::Nothing,
        },
        InboundEvent::Started { .. } => RequesterEvent::Started,
        InboundEvent::Left => RequesterEvent::Left,
        InboundEvent::Returned => RequesterEvent::Returned,
        InboundEvent::Typing
        | InboundEvent::Read { .. }
        | InboundEvent::RoomMoved { .. }
        | InboundEvent::ThreadChanged { .. } => return Read::Nothing,
    };
    let requester = Requester {
        id: RequesterId(format!("{}:{}", inbound.address.channel, inbound.from.id)),
        name,
        language,
        picture: inbound.from.picture.as_deref().and_then(names::picture),
        away: false,
    };
    Read::Apply(Box::new(Apply {
        cause: Cause::Inbound(inbound.address.channel.clone(), inbound.id),
        target: Target::Requester {
            address: inbound.address,
            requester,
            priority: policy.queue(&queue).priority,
            queue,
            force_new: false,
            shared,
        },
        at: inbound.at,
        body: EventBody::Requester { session: SessionId(0), what },
        content: said,
        refs,
        guard: None,
    }))
}

fn read_desk(bridge: &Bridge, policy: &Policy, mode: ReplyMode, inbound: Inbound) -> Read {
    let is_bot = inbound.from.kind == SenderKind::Bot;
    if is_bot && !matches!(inbound.event, InboundEvent::ThreadChanged { .. } | InboundEvent::Deleted { .. }) {
        // Another bridge in the same room: answering it would never end (T5).
        return Read::Nothing;
    }
    let by = who(policy, &inbound);
    let available = |who: &TechnicianId| bridge.board.is_available(who);
    let names = Names::new(policy, &available);
    // Some platforms tell no thread with a reaction; the message itself leads to the conversation.
    let by_message = matches!(
        inbound.event,
        InboundEvent::Reacted { .. } | InboundEvent::Edited { .. } | InboundEvent::Deleted { .. }
    );
    if inbound.address.thread.is_none() && !by_message {
        return outside(by, &names, inbound);
    }
    let via = Via::Room {
        session: SessionId(0),
        user: inbound.from.id.clone(),
        interaction: inbound.interaction.clone(),
    };
    let mut refs = Refs::default();
    let mut said = None;
    let what = match inbound.event {
        InboundEvent::Posted { message, content, reply_to } => {
            refs.reply_to = reply_to.map(|message| remote_ref(&inbound.address, &message));
            let (what, content) = read_post(&by, mode, &names, message, content);
            said = content;
            what
        }
        InboundEvent::Edited { message, content } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            let (what, content) = read_post(&by, mode, &names, message, content);
            said = content;
            match what {
                DeskEvent::Posted { intent, .. } => DeskEvent::Edited { message: None, intent },
                _ => DeskEvent::Misread { why: "an edit is no verb; write it anew".to_owned() },
            }
        }
        InboundEvent::Deleted { message } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            DeskEvent::Deleted { message: None }
        }
        InboundEvent::Reacted { message, emoji, added } => {
            refs.target = Some(remote_ref(&inbound.address, &message));
            DeskEvent::Reacted { target: ReactionTarget::Unknown, emoji, added }
        }
        InboundEvent::Invoked { action, value, .. } => match from_action(&action, value.as_deref(), &names) {
            Some(Parsed::Verb(verb)) => DeskEvent::Verb { verb },
            Some(Parsed::Bad { why, .. }) => DeskEvent::Misread { why },
            Some(Parsed::Note { .. } | Parsed::Reply { .. }) | None => return Read::Nothing,
        },
        InboundEvent::ThreadChanged { change } => DeskEvent::Thread { change },
        InboundEvent::Started { .. }
        | InboundEvent::Typing
        | InboundEvent::Read { .. }
        | InboundEvent::Left
        | InboundEvent::Returned
        | InboundEvent::RoomMoved { .. } => return Read::Nothing,
    };
    Read::Apply(Box::new(Apply {
        cause: Cause::Inbound(inbound.address.channel.clone(), inbound.id),
        target: Target::Desk { address: inbound.address },
        at: inbound.at,
        body: EventBody::Desk { by, via, what },
        content: said,
        refs,
        guard: None,
    }))
}

/// A message in a desk thread: a verb, a note, a reply, or plain words. What outsiders write is never a verb.
fn read_post(
    by: &DeskActor,
    mode: ReplyMode,
    names: &Names,
    remote: RemoteMessageId,
    mut content: Content,
) -> (DeskEvent, Option<Content>) {
    let parsed = match by {
        DeskActor::Unconfirmed(_) | DeskActor::Outsider => None,
        DeskActor::Technician(_) => match mode {
            ReplyMode::Explicit => parse_explicit(&content.text, names),
            ReplyMode::Airlock | ReplyMode::Direct | ReplyMode::Alerts => parse(&content.text, names),
        },
    };
    let remote = Some(remote);
    let intent = match parsed {
        Some(Parsed::Verb(verb)) => return (DeskEvent::Verb { verb }, None),
        Some(Parsed::Bad { why, .. }) => return (DeskEvent::Misread { why }, None),
        Some(Parsed::Note { text }) => {
            content.text = text;
            PostIntent::Note
        }
        Some(Parsed::Reply { text }) => {
            content.text = text;
            PostIntent::Reply
        }
        None => PostIntent::Plain,
    };
    (DeskEvent::Posted { remote, intent, reply_to: None }, Some(content))
}

/// In the room itself only the presence verbs mean something; the rest is people talking.
fn outside(by: DeskActor, names: &Names, inbound: Inbound) -> Read {
    let parsed = match &inbound.event {
        InboundEvent::Posted { content, .. } => parse(&content.text, names),
        InboundEvent::Invoked { action, value, .. } => from_action(action, value.as_deref(), names),
        _ => None,
    };
    let presence = match parsed {
        Some(Parsed::Verb(Verb::On)) => Presence::Available,
        Some(Parsed::Verb(Verb::Busy)) => Presence::Busy,
        Some(Parsed::Verb(Verb::Off)) => Presence::Offline,
        _ => return Read::Nothing,
    };
    let inbound = Box::new(inbound);
    match by {
        DeskActor::Technician(technician) => Read::Presence { technician, presence, inbound },
        DeskActor::Unconfirmed(technician) => Read::Ask { technician, inbound },
        DeskActor::Outsider => Read::Nothing,
    }
}
