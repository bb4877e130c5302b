//! The small world of the properties: two queues, three rooms, four technicians; and the witness who remembers what
//! everybody may see.
//!
//! Not here: events (`acts`).

use std::collections::BTreeMap;
use std::time::Duration;

use deskbridge_contract::{Address, ChannelName, RoomId, Timestamp};
use deskbridge_conversation::policy::{
    AssistantMode, AssistantPolicy, ChannelPolicy, Confirm, DeskPolicy, QueuePolicy, ReplyMode, Role,
    TechnicianPolicy, TicketPolicy, TicketWhen,
};
use deskbridge_conversation::{
    Audience, CancelWhat, Conversation, ConversationId, Delivery, DeliveryOp, Effect, EffectId, Event,
    EventBody, Made, MessageId, Policy, QueueFacts, QueueId, Reopening, Requester, RequesterId, SessionRole,
    Stage, TechnicianId,
};
use proptest::prelude::*;

use crate::harness::START;

pub const TECHNICIANS: [&str; 4] = ["bob", "cem", "dan", "eve"];
pub const QUEUES: [&str; 2] = ["default", "network"];

pub fn at(seconds: u64) -> Timestamp {
    Timestamp(START) + Duration::from_secs(seconds)
}

pub fn seconds_until(at: Timestamp) -> u64 {
    // Half seconds count as whole ones: what is due by then is due.
    at.since(Timestamp(START)).as_millis().div_ceil(1000) as u64
}

/// Somebody else at the requester's place.
pub const EVE: &str = "eve";

pub fn opened() -> Conversation {
    let requester = Requester {
        id: RequesterId("telegram:ana".into()),
        name: "Ana".into(),
        language: "en".into(),
        picture: None,
        away: false,
    };
    let address = Address { channel: "telegram".into(), room: RoomId("dm-ana".into()), thread: None };
    Conversation::open(ConversationId(1), requester, address, "default".into(), 0, at(0))
}

pub fn event(now: Timestamp, body: EventBody, closed_until: Option<Timestamp>) -> Event {
    let reopening = closed_until.map(|at| Reopening { at, said: "tomorrow".into() });
    Event { now, at: now, facts: QueueFacts { reopening, waiting: 1, ahead: 0, expected_wait: None }, body }
}

fn desk(room: &str, queues: &[&str], reply_mode: ReplyMode) -> DeskPolicy {
    let queues = queues.iter().map(|queue| QueueId::from(*queue)).collect();
    DeskPolicy { room: RoomId(room.into()), queues, reply_mode, requester_identity: Default::default() }
}

pub fn any_policy() -> impl Strategy<Value = Policy> {
    let mode = prop::sample::select(vec![
        AssistantMode::First,
        AssistantMode::Choice,
        AssistantMode::DraftOnly,
        AssistantMode::Off,
    ]);
    let confirm = prop::sample::select(vec![Confirm::WhenInferred, Confirm::Always, Confirm::Never]);
    let reply = || {
        prop::sample::select(vec![
            ReplyMode::Airlock,
            ReplyMode::Direct,
            ReplyMode::Explicit,
            ReplyMode::Alerts,
        ])
    };
    let create = prop::sample::select(vec![
        TicketWhen::Handover,
        TicketWhen::Claim,
        TicketWhen::Close,
        TicketWhen::Manual,
    ]);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (mode, confirm, reply(), reply(), create, 1..3u32, flags).prop_map(
        |(mode, confirm, first, second, create, max_turns, (auto_accept, overflow, burst, undo))| {
            let queue = |members: &[&str], overflow: Option<&str>| QueuePolicy {
                technicians: members.iter().map(|t| TechnicianId::from(*t)).collect(),
                auto_accept,
                overflow: overflow.map(QueueId::from),
                ..QueuePolicy::default()
            };
            let technician = |name: &&str| {
                let role = if *name == "dan" { Role::Supervisor } else { Role::Technician };
                let policy = TechnicianPolicy {
                    name: (*name).to_owned(),
                    role,
                    capacity: 2,
                    skills: Vec::new(),
                    languages: Vec::new(),
                    email: None,
                    identities: vec![format!("slack:{name}")],
                    strangers: Vec::new(),
                };
                (TechnicianId::from(*name), policy)
            };
            let desks = vec![desk("desk", &[], first), desk("second", &["default"], second)];
            let slack = ChannelPolicy { desks, ..ChannelPolicy::default() };
            let other =
                ChannelPolicy { desks: vec![desk("third", &["network"], first)], ..ChannelPolicy::default() };
            Policy {
                queues: BTreeMap::from([
                    ("default".into(), queue(&["bob", "cem"], overflow.then_some("network"))),
                    ("network".into(), queue(&["eve", "cem"], None)),
                ]),
                channels: BTreeMap::from([
                    (ChannelName::from("slack"), slack),
                    (ChannelName::from("discord"), other),
                ]),
                technicians: TECHNICIANS.iter().map(technician).collect(),
                confirm,
                assistant: AssistantPolicy {
                    mode,
                    max_turns,
                    burst_window: if burst { Duration::from_millis(1500) } else { Duration::ZERO },
                    ..AssistantPolicy::default()
                },
                tickets: TicketPolicy { create, ..TicketPolicy::default() },
                undo_window: if undo { Duration::from_secs(5) } else { Duration::ZERO },
                ..Policy::default()
            }
        },
    )
}

/// Remembers who may see what, and complains when somebody is shown something else.
#[derive(Default)]
pub struct Witness {
    audience: BTreeMap<MessageId, Audience>,
    deliveries: Vec<(EffectId, Delivery)>,
}

impl Witness {
    /// One of the deliveries so far.
    pub fn delivery(&self, which: u8) -> Option<(EffectId, Delivery)> {
        let n = self.deliveries.len();
        (n > 0).then(|| self.deliveries[n - 1 - usize::from(which) % n].clone())
    }

    pub fn saw(
        &mut self,
        before: &Conversation,
        event: &Event,
        after: &Conversation,
        made: &Made,
    ) -> Result<(), TestCaseError> {
        for message in &made.messages {
            prop_assert_eq!(message.id.seq, after.seq);
            prop_assert!(
                self.audience.insert(message.id, message.audience).is_none(),
                "an id was used twice"
            );
        }
        for (message, audience) in &made.audience {
            // Events name messages that never were; the store knows better.
            if let Some(known) = self.audience.get_mut(message) {
                *known = *audience;
            }
        }
        for (n, (id, effect)) in made.effects.iter().enumerate() {
            prop_assert_eq!((id.seq, id.n as usize), (after.seq, n));
            match effect {
                Effect::Deliver(delivery) => {
                    self.shown(before, event, after, delivery)?;
                    self.deliveries.push((*id, delivery.clone()));
                }
                // What is cancelled never gets an end; it may not be ended either.
                Effect::Cancel { what: CancelWhat::Message(message) } => {
                    self.deliveries
                        .retain(|(_, delivery)| delivery.op != DeliveryOp::Post { message: *message });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn shown(
        &self,
        before: &Conversation,
        event: &Event,
        after: &Conversation,
        delivery: &Delivery,
    ) -> Result<(), TestCaseError> {
        let session = after.session(delivery.session).or_else(|| before.session(delivery.session));
        let Some(session) = session else {
            return Err(TestCaseError::fail("a delivery to a session that does not exist"));
        };
        if delivery.turn.is_some() {
            let both = matches!((&before.stage, &after.stage), (Stage::Assisting(_), Stage::Assisting(_)));
            prop_assert!(both, "the assistant speaks outside of its stage: {:?}", event.body);
        }
        if matches!(session.role, SessionRole::Desk { .. }) {
            return Ok(());
        }
        match &delivery.op {
            DeliveryOp::Post { message } => {
                let audience = self.audience.get(message).copied();
                let allowed = matches!(audience, Some(Audience::Public | Audience::Requester));
                prop_assert!(
                    allowed,
                    "{audience:?} message {message} goes to the requester by {:?}",
                    event.body
                );
            }
            // A hint for somebody else at the requester's place, and never for the requester.
            DeliveryOp::Whisper { to, .. } if matches!(event.body, EventBody::Bystander { .. }) => {
                prop_assert_eq!(to.as_str(), EVE);
            }
            // Where nothing is shown they do nothing, and the runtime looks at the audience again.
            DeliveryOp::Edit { .. } | DeliveryOp::Delete { .. } | DeliveryOp::React { .. } => {}
            DeliveryOp::Mark { .. }
            | DeliveryOp::OpenThread
            | DeliveryOp::Card
            | DeliveryOp::Thread { .. }
            | DeliveryOp::Transcript { .. }
            | DeliveryOp::Whisper { .. } => {
                return Err(TestCaseError::fail(format!("the requester gets {:?}", delivery.op)));
            }
        }
        Ok(())
    }
}
