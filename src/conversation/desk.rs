//! The desk's side of a conversation: its rooms, how somebody stands to it, and the verbs that mean the same in every
//! stage.
//!
//! Not here: what a card says (`card.rs`), the verbs that move a conversation on (the stages).

use std::collections::BTreeSet;

use crate::notices::DeskNotice;
use crate::verbs::permitted;
use crate::*;

pub use crate::card::{
    SOMEBODY, Words, actions, bystander_name, card, requester_name, requester_picture, state, status,
};

/// Opens a session in every room of the queue that has none (L5), and brings older ones up to date.
pub fn open_rooms(cx: &mut Context<'_>) {
    let up_to = said_so_far(cx);
    for room in cx.policy.desks_of(&cx.c.queue) {
        let existing =
            cx.c.desk_sessions()
                .find(|session| session.address.channel == room.channel && session.address.room == room.room);
        match existing.map(|session| (session.id, session.role.clone())) {
            Some((id, SessionRole::Desk { thread: DeskThread::Opening | DeskThread::Open, .. })) => {
                catch_up(cx, id)
            }
            Some((id, SessionRole::Desk { thread: DeskThread::Lost, .. })) => open_room(cx, id, 1, up_to),
            Some((_, SessionRole::Requester { .. })) => {}
            None => {
                let id = SessionId(u16::try_from(cx.c.sessions.len()).unwrap_or(u16::MAX));
                let role = SessionRole::Desk {
                    thread: DeskThread::Opening,
                    shown: 0,
                    failing: false,
                    transcripts: Vec::new(),
                };
                cx.c.sessions.push(Session { id, role, address: room });
                open_room(cx, id, 1, up_to);
            }
        }
    }
}

fn open_room(cx: &mut Context<'_>, id: SessionId, from: u64, up_to: u64) {
    if let Some(session) = cx.c.sessions.iter_mut().find(|session| session.id == id) {
        session.address.thread = None;
        session.role = SessionRole::Desk {
            thread: DeskThread::Opening,
            shown: 0,
            failing: false,
            transcripts: Vec::new(),
        };
    }
    cx.deliver(id, DeliveryOp::OpenThread, Weight::Person);
    cx.deliver(id, DeliveryOp::Card, Weight::Person);
    transcript(cx, id, from, up_to);
}

/// Brings a room up to date that did not see all of it.
pub fn catch_up(cx: &mut Context<'_>, id: SessionId) {
    let up_to = said_so_far(cx);
    let shown = cx.c.session(id).and_then(|session| match session.role {
        SessionRole::Desk { thread: DeskThread::Opening | DeskThread::Open, shown, .. } => Some(shown),
        SessionRole::Desk { thread: DeskThread::Lost, .. } | SessionRole::Requester { .. } => None,
    });
    if let Some(shown) = shown.filter(|shown| *shown < up_to) {
        transcript(cx, id, shown + 1, up_to);
    }
}

/// What a technician writes in this very step is shown by itself, or stands where it was written.
fn said_so_far(cx: &Context<'_>) -> u64 {
    match &cx.event.body {
        EventBody::Desk { what: DeskEvent::Posted { .. }, .. } => cx.c.seq - 1,
        EventBody::Desk { .. }
        | EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => cx.c.seq,
    }
}

fn transcript(cx: &mut Context<'_>, id: SessionId, from: u64, to: u64) {
    cx.deliver(id, DeliveryOp::Transcript { from, to }, Weight::Person);
    let session = cx.c.sessions.iter_mut().find(|session| session.id == id);
    if let Some(Session { role: SessionRole::Desk { shown, transcripts, .. }, .. }) = session {
        *shown = to;
        transcripts.push((from, to));
    }
}

/// How somebody stands to a conversation (D17).
pub fn standing(cx: &Context<'_>, by: &DeskActor) -> airlock::Standing {
    let DeskActor::Technician(technician) = by else { return airlock::Standing::Outsider };
    match &cx.c.stage {
        Stage::Assigned(assigned) => {
            if assigned.technician == *technician {
                return airlock::Standing::Owner;
            }
            if assigned.co_repliers.contains(technician) {
                return airlock::Standing::CoReplier;
            }
        }
        Stage::Handover(Handover { offer: Some(Offer { to: OfferTo::One(offered), .. }), .. }) => {
            if offered == technician {
                return airlock::Standing::Offered;
            }
        }
        Stage::Handover(_) | Stage::Assisting(_) | Stage::Closed(_) => {}
    }
    if cx.policy.is_member(technician, &cx.c.queue) || cx.policy.role(technician) >= policy::Role::Supervisor
    {
        airlock::Standing::Member
    } else {
        airlock::Standing::Outsider
    }
}

/// Tells somebody who may do nothing here why, or asks whether they are who their address says.
pub fn turn_away(cx: &mut Context<'_>, by: &DeskActor, via: &Via) {
    match by {
        DeskActor::Unconfirmed(technician) => {
            let name = cx.policy.name(technician);
            cx.whisper(via, &DeskNotice::ConfirmIdentity { name });
        }
        DeskActor::Technician(_) | DeskActor::Outsider => cx.whisper(via, &DeskNotice::NotPermitted),
    }
}

/// Checks the right to a verb; tells the person when there is none. Outsiders may do nothing.
pub fn may(cx: &mut Context<'_>, by: &DeskActor, via: &Via, verb: &Verb) -> Option<TechnicianId> {
    let technician = match by {
        DeskActor::Technician(technician) => technician.clone(),
        DeskActor::Unconfirmed(_) | DeskActor::Outsider => {
            turn_away(cx, by, via);
            return None;
        }
    };
    let mode = airlock::origin(via).map(|session| cx.reply_mode(session));
    match permitted(verb, &technician, &cx.c, cx.policy, mode) {
        Ok(()) => {
            cx.acted(&technician);
            Some(technician)
        }
        Err(why) => {
            cx.whisper(via, &DeskNotice::Refused { verb: verb.name(), why });
            None
        }
    }
}

/// Verbs that mean the same in every stage. `None`: handled; `Some`: the stage has to.
pub fn common_verb(cx: &mut Context<'_>, by: &TechnicianId, via: &Via, verb: &Verb) -> bool {
    match verb {
        Verb::Ticket => {
            if let Some(number) = ticket::number(&cx.c).map(str::to_owned) {
                cx.whisper(via, &DeskNotice::TicketOpened { number });
            } else {
                ticket::open(cx);
                cx.toast("A ticket is being opened");
            }
        }
        Verb::Priority { level } => {
            cx.c.priority = *level;
            cx.whisper(via, &DeskNotice::Prioritised { level: *level });
        }
        Verb::Label { add, remove } => label(cx, via, verb, add, remove),
        Verb::Summary => {
            let stretch = cx.c.stretch.from;
            cx.effect(Effect::Summarise { stretch });
            cx.whisper(via, &DeskNotice::SummaryPending);
        }
        Verb::Suggest => {
            cx.effect(Effect::Suggest { to: by.clone(), via: via.clone() });
            cx.toast("A suggestion is being written");
        }
        Verb::Info => {
            let lines = info(cx, via);
            cx.whisper(via, &DeskNotice::Info { lines });
        }
        Verb::Help => cx.whisper(via, &DeskNotice::Help),
        Verb::On => presence(cx, by, via, Presence::Available),
        Verb::Busy => presence(cx, by, via, Presence::Busy),
        Verb::Off => presence(cx, by, via, Presence::Offline),
        Verb::Undo => undo(cx, by, via),
        Verb::Accept
        | Verb::Decline
        | Verb::Transfer { .. }
        | Verb::Invite { .. }
        | Verb::Leave
        | Verb::Backup
        | Verb::Join
        | Verb::Snooze { .. }
        | Verb::Handback
        | Verb::Resolve { .. }
        | Verb::Reopen
        | Verb::Csat
        | Verb::Send { .. }
        | Verb::TakeOver => return false,
    }
    true
}

/// Labels of one conversation; more would be a description.
pub const LABELS: usize = 20;

fn label(cx: &mut Context<'_>, via: &Via, verb: &Verb, add: &[String], remove: &[String]) {
    let kept = cx.c.labels.iter().filter(|label| !remove.contains(label));
    let all: BTreeSet<String> = kept.chain(add).cloned().collect();
    if all.len() > LABELS {
        refuse(cx, via, verb, &format!("{LABELS} labels at most"));
        return;
    }
    cx.c.labels = all.into_iter().collect();
    let labels = cx.c.labels.clone();
    cx.whisper(via, &DeskNotice::Labelled { labels });
}

fn presence(cx: &mut Context<'_>, by: &TechnicianId, via: &Via, presence: Presence) {
    cx.effect(Effect::Roster(RosterChange::SetPresence(by.clone(), presence)));
    let presence = match presence {
        Presence::Available => "available",
        Presence::Busy => "busy",
        Presence::Away => "away",
        Presence::Offline => "offline",
    };
    cx.whisper(via, &DeskNotice::PresenceSet { presence });
}

/// Takes back the person's own latest text while it is held (D13).
fn undo(cx: &mut Context<'_>, by: &TechnicianId, via: &Via) {
    let now = cx.now;
    let held = cx.c.relays.iter().rposition(|relay| relay.by == *by && relay.held_until > now);
    let Some(at) = held else {
        cx.whisper(via, &DeskNotice::UndoTooLate);
        return;
    };
    let Relay { message, origin, .. } = cx.c.relays[at].clone();
    airlock::withdraw(cx, message);
    cx.made.audience.push((message, Audience::Internal));
    cx.mark(origin, message, deskbridge_contract::Mark::Internal);
    cx.whisper(via, &DeskNotice::Undone);
}

fn info(cx: &Context<'_>, via: &Via) -> Vec<(String, String)> {
    let room = airlock::origin(via).and_then(|session| cx.c.session(session));
    let requester = match room {
        Some(session) => requester_name(&cx.c, cx.policy, &session.address),
        None => cx.c.requester.name.clone(),
    };
    let mut lines = vec![
        ("Conversation".to_owned(), cx.c.id.to_string()),
        ("Requester".to_owned(), requester),
        ("State".to_owned(), status(&cx.c, cx.policy)),
        ("Queue".to_owned(), cx.c.queue.to_string()),
    ];
    if let Some(session) = cx.c.requester_session() {
        lines.push(("Channel".to_owned(), session.address.channel.to_string()));
    }
    if let Some(number) = ticket::number(&cx.c) {
        lines.push(("Ticket".to_owned(), number.to_owned()));
    }
    lines
}

/// A human's reaction on the root card is a verb: 👀 accept · ✅ resolve · 🎫 ticket · 💤 ⏰ snooze · 🙋 backup · 🔴 urgent.
pub fn card_reaction(emoji: &str) -> Option<Verb> {
    // Tones of skin and kinds of people say nothing about what is meant.
    let plain = |c: &char| !matches!(c, '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe0f}');
    let base: String = emoji.split('\u{200d}').next().unwrap_or_default().chars().filter(plain).collect();
    match base.as_str() {
        "👀" => Some(Verb::Accept),
        "✅" => Some(Verb::Resolve { silently: false }),
        "🎫" => Some(Verb::Ticket),
        "🙋" => Some(Verb::Backup),
        "🔴" => Some(Verb::Priority { level: verbs::URGENT }),
        "💤" | "⏰" => Some(Verb::Snooze { period: std::time::Duration::from_secs(3600) }),
        _ => None,
    }
}

/// The verb that a desk event is, whichever way it was expressed.
pub fn verb_of(what: &DeskEvent) -> Option<Verb> {
    match what {
        DeskEvent::Verb { verb } => Some(verb.clone()),
        DeskEvent::Reacted { target: ReactionTarget::Card, emoji, added: true } => card_reaction(emoji),
        DeskEvent::Reacted { .. }
        | DeskEvent::Posted { .. }
        | DeskEvent::Edited { .. }
        | DeskEvent::Deleted { .. }
        | DeskEvent::Misread { .. }
        | DeskEvent::Thread { .. }
        | DeskEvent::RoomMoved { .. } => None,
    }
}

/// The summary was written: it edits the card, whatever the stage (A6).
pub fn summarised(cx: &mut Context<'_>) {
    let message = cx.incoming(Author::Assistant, Audience::Internal, None, None);
    cx.c.summary = Some(message);
}

/// A suggested reply for one technician: a draft that a person sends (A7).
pub fn suggested(cx: &mut Context<'_>, via: &Via) {
    let message = cx.incoming(Author::Assistant, Audience::Private, None, None);
    match via {
        Via::Room { session, user, interaction } => {
            let op = DeliveryOp::Whisper { to: user.clone(), message, interaction: interaction.clone() };
            cx.deliver(*session, op, Weight::Notice);
        }
        // The console reads it from the conversation's messages.
        Via::Console => {}
    }
}

/// Where nobody would take it back.
pub fn refuse_handback(cx: &mut Context<'_>, via: &Via) {
    refuse(cx, via, &Verb::Handback, "no assistant answers in this queue");
}

/// Tells somebody that a verb does not fit here.
pub fn refuse(cx: &mut Context<'_>, via: &Via, verb: &Verb, why: &str) {
    cx.whisper(via, &DeskNotice::Refused { verb: verb.name(), why: why.to_owned() });
}
