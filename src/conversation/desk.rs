//! How a conversation looks to technicians: state, status line, card, thread title; and the verbs that mean the same
//! in every stage.
//!
//! Not here: how a platform draws a card (the adapters), the verbs that move a conversation on (the stages).

use deskbridge_contract::{Action, Address, Card, CardState, Fact, Timestamp};

use crate::notices::DeskNotice;
use crate::policy::{AssistantMode, RequesterIdentity};
use crate::verbs::permitted;
use crate::*;

pub fn state(conversation: &Conversation) -> CardState {
    match &conversation.stage {
        Stage::Assisting(_) => CardState::Assisting,
        Stage::Handover(Handover { offer: Some(Offer { to: OfferTo::One(_), .. }), .. }) => {
            CardState::Offered
        }
        Stage::Handover(_) => CardState::Waiting,
        Stage::Assigned(Assigned { snoozed: Some(_), .. }) => CardState::Snoozed,
        Stage::Assigned(_) => CardState::Assigned,
        Stage::Closed(Closed { how: CloseReason::Resolved { .. }, .. }) => CardState::Resolved,
        Stage::Closed(_) => CardState::Closed,
    }
}

/// The state in words.
pub fn status(conversation: &Conversation, policy: &Policy) -> String {
    match &conversation.stage {
        Stage::Assisting(Assisting { queue_at: Some(_), .. }) => match policy.mode(&conversation.queue) {
            AssistantMode::First | AssistantMode::Choice => {
                "With the assistant · goes to the queue at opening time".into()
            }
            AssistantMode::DraftOnly | AssistantMode::Off => "Goes to the queue at opening time".into(),
        },
        Stage::Assisting(_) => "With the assistant".into(),
        Stage::Handover(handover) => match &handover.offer {
            Some(Offer { to: OfferTo::One(technician), .. }) => {
                format!("Waiting · offered to {}", policy.name(technician))
            }
            Some(Offer { to: OfferTo::Everyone, .. }) => "Waiting · offered to everyone".into(),
            None => "Waiting".into(),
        },
        Stage::Assigned(assigned) => {
            let owner = policy.name(&assigned.technician);
            let mut status = match assigned.snoozed {
                Some(_) => format!("Snoozed by {owner}"),
                None => format!("{owner} has it"),
            };
            for with in &assigned.co_repliers {
                status.push_str(&format!(" · with {}", policy.name(with)));
            }
            if let Some(transfer) = &assigned.transfer {
                status.push_str(&format!(" · {} is asked to take over", policy.name(&transfer.to)));
            }
            status
        }
        Stage::Closed(closed) => match &closed.how {
            CloseReason::Resolved { by } => format!("Resolved by {}", policy.name(by)),
            CloseReason::ByRequester => "Closed by the requester".into(),
            CloseReason::TimedOut => "Closed: no answer from the requester".into(),
            CloseReason::Abandoned => "Closed: the requester left".into(),
        },
    }
}

/// What the runtime adds to the state when a card is drawn: words from the store.
#[derive(Clone, Debug, Default)]
pub struct Words<'a> {
    /// A few words of the matter, from the requester's first message.
    pub subject: &'a str,
    /// The four-part summary, once it is there.
    pub summary: Option<&'a str>,
    /// The requester's name as this room may show it (`requester_identity`).
    pub requester: &'a str,
    /// The channel the requester writes from.
    pub channel: &'a str,
}

/// The card of a conversation, with its buttons.
pub fn card(
    conversation: &Conversation,
    policy: &Policy,
    words: &Words<'_>,
    now: Timestamp,
) -> (Card, Vec<Action>) {
    let mut facts = vec![fact("Channel", words.channel), fact("Queue", conversation.queue.as_str())];
    if let Stage::Handover(handover) = &conversation.stage {
        facts.push(fact("Waiting", &minutes(now, handover.since)));
    }
    if conversation.priority > 0 {
        facts.push(fact("Priority", &conversation.priority.to_string()));
    }
    if let Some(number) = ticket::number(conversation) {
        facts.push(fact("Ticket", number));
    }
    if conversation.stretch.answers > 0 {
        facts.push(fact("Assistant answers", &conversation.stretch.answers.to_string()));
    }
    if let Some(score) = conversation.rating {
        facts.push(fact("Rating", &format!("{score}/5")));
    }
    let summary = match words.summary {
        Some(summary) => summary.to_owned(),
        None if matches!(conversation.stage, Stage::Assisting(_)) => {
            "A summary is written when people are called.".to_owned()
        }
        None => "Summary is being written…".to_owned(),
    };
    let card = Card {
        reference: conversation.id.to_string(),
        title: words.subject.to_owned(),
        state: state(conversation),
        status: status(conversation, policy),
        requester: words.requester.to_owned(),
        facts,
        summary,
        hint: hint(conversation).to_owned(),
    };
    (card, actions(conversation))
}

fn fact(label: &str, value: &str) -> Fact {
    Fact { label: label.to_owned(), value: value.to_owned() }
}

fn minutes(now: Timestamp, since: Timestamp) -> String {
    let seconds = now.since(since).as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn hint(conversation: &Conversation) -> &'static str {
    match &conversation.stage {
        Stage::Assisting(_) => {
            "The assistant answers. Everything written here stays internal until somebody takes over."
        }
        Stage::Handover(_) => {
            "Before Accept, this thread is internal. Afterwards the owner's replies go to the requester; 🔒 keeps one private."
        }
        Stage::Assigned(_) => {
            "The owner's replies go to the requester; 🔒 keeps one private. Everybody else's stay internal."
        }
        Stage::Closed(_) => "Closed. Reopen to write to the requester again.",
    }
}

/// The buttons that make sense now; the rest are verbs.
pub fn actions(conversation: &Conversation) -> Vec<Action> {
    let button = |id: &str, label: &str| Action::new(id, label);
    match &conversation.stage {
        Stage::Assisting(_) => vec![button("takeover", "Take over"), button("suggest", "Suggest reply")],
        Stage::Handover(_) => {
            let mut actions = vec![
                button("accept", "Accept"),
                button("decline", "Decline"),
                button("suggest", "Suggest reply"),
            ];
            if matches!(conversation.ticket, TicketLink::None | TicketLink::Failed { .. }) {
                actions.push(button("ticket", "Create ticket"));
            }
            actions
        }
        Stage::Assigned(assigned) => {
            let mut actions = Vec::new();
            if assigned.transfer.is_some() {
                actions.push(button("accept", "Accept transfer"));
                actions.push(button("decline", "Decline"));
            }
            actions.push(button("resolve", "Resolve"));
            actions.push(button("suggest", "Suggest reply"));
            if matches!(conversation.ticket, TicketLink::None | TicketLink::Failed { .. }) {
                actions.push(button("ticket", "Create ticket"));
            }
            actions.push(button("snooze:1h", "Snooze 1 h"));
            actions.push(button("handback", "Hand back"));
            actions
        }
        Stage::Closed(_) => vec![button("reopen", "Reopen")],
    }
}

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
                let role = SessionRole::Desk { thread: DeskThread::Opening, shown: 0, failing: false };
                cx.c.sessions.push(Session { id, role, address: room });
                open_room(cx, id, 1, up_to);
            }
        }
    }
}

fn open_room(cx: &mut Context<'_>, id: SessionId, from: u64, up_to: u64) {
    if let Some(session) = cx.c.sessions.iter_mut().find(|session| session.id == id) {
        session.address.thread = None;
        session.role = SessionRole::Desk { thread: DeskThread::Opening, shown: 0, failing: false };
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
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. } => cx.c.seq,
    }
}

fn transcript(cx: &mut Context<'_>, id: SessionId, from: u64, to: u64) {
    cx.deliver(id, DeliveryOp::Transcript { from, to }, Weight::Person);
    let session = cx.c.sessions.iter_mut().find(|session| session.id == id);
    if let Some(Session { role: SessionRole::Desk { shown, .. }, .. }) = session {
        *shown = to;
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

/// Checks the right to a verb; tells the person when there is none. Outsiders may do nothing.
pub fn may(cx: &mut Context<'_>, by: &DeskActor, via: &Via, verb: &Verb) -> Option<TechnicianId> {
    let technician = match by {
        DeskActor::Technician(technician) => technician.clone(),
        DeskActor::Outsider => {
            cx.whisper(via, &DeskNotice::NotPermitted);
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

/// The requester's name as a room may show it (D19), tagged with nothing that could be taken for a technician (S41).
pub fn requester_name(conversation: &Conversation, policy: &Policy, room: &Address) -> String {
    match policy.desk(room).map(|desk| desk.requester_identity).unwrap_or_default() {
        RequesterIdentity::Name => {
            let technicians: Vec<&str> = policy.technicians.values().map(|t| t.name.as_str()).collect();
            fit::cannot_impersonate(&conversation.requester.name, &technicians)
        }
        RequesterIdentity::Alias => format!("Requester {}", conversation.id),
        RequesterIdentity::Anonymous => "Requester".to_owned(),
    }
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

/// A human's reaction on the root card is a verb: 👀 accept · ✅ resolve · 🎫 ticket · 💤 ⏰ snooze.
pub fn card_reaction(emoji: &str) -> Option<Verb> {
    match emoji {
        "👀" => Some(Verb::Accept),
        "✅" => Some(Verb::Resolve { silently: false }),
        "🎫" => Some(Verb::Ticket),
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
