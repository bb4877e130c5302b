//! Random events: any at all, and those that can come about.
//!
//! Not here: what must hold.

use std::time::Duration;

use deskbridge_contract::{Address, RemoteMessageId, RoomId, ThreadChange, ThreadId};
use deskbridge_conversation::gist::Command;
use deskbridge_conversation::{
    Answer, AssistantEvent, ConversationId, Delivery, DeliveryEvent, DeliveryOp, DeskActor, DeskEvent,
    EffectId, EventBody, Gist, HandoverReason, MessageId, OfferTo, Outcome, PostIntent, QueueId,
    ReactionTarget, RequesterEvent, RequesterId, RequesterVerb, RosterEvent, SessionId, TechnicianId,
    TicketEvent, TicketStatus, TimerKind, TransferTo, Verb, Via, Wish,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::world::{EVE, QUEUES, TECHNICIANS, at};

/// One thing that comes about.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few hundred of them live at once, in a test")]
pub enum Act {
    Pass(u16),
    /// Until the next clock.
    Wait,
    Happens {
        body: EventBody,
        closed: bool,
    },
    /// The assistant's current turn ends.
    Answered {
        answer: Answer,
    },
    /// One of the deliveries so far ends, perhaps again.
    Ends {
        which: u8,
        outcome: u8,
    },
}

pub fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        1 => (0..1200u16).prop_map(Act::Pass),
        2 => Just(Act::Wait),
        8 => (natural_body(), prop::bool::weighted(0.1)).prop_map(|(body, closed)| Act::Happens { body, closed }),
        2 => any_answer().prop_map(|answer| Act::Answered { answer }),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(which, outcome)| Act::Ends { which, outcome }),
    ]
}

pub fn answered(turn: u32, answer: Answer) -> EventBody {
    EventBody::Assistant(AssistantEvent::Answered { turn, answer })
}

fn place() -> Address {
    Address { channel: "slack".into(), room: RoomId("desk".into()), thread: Some(ThreadId("t".into())) }
}

pub fn outcome(which: u8) -> Outcome {
    let why = || "planned".to_owned();
    match which % 9 {
        0..=2 => Outcome::Sent {
            remote: Some(RemoteMessageId("m".into())),
            more: Vec::new(),
            address: place(),
            accepted: which % 9 == 2,
            note: None,
        },
        3 => Outcome::Failed { why: why() },
        4 => Outcome::Unknown { why: why() },
        5 => Outcome::Gone { why: why() },
        6 => Outcome::ThreadGone { why: why() },
        7 => Outcome::Partly {
            remote: Some(RemoteMessageId("m".into())),
            more: Vec::new(),
            address: place(),
            why: why(),
        },
        _ => Outcome::Moved { to: place() },
    }
}

pub fn ended(id: EffectId, delivery: &Delivery, which: u8) -> EventBody {
    EventBody::Delivery(DeliveryEvent {
        delivery: id.delivery(),
        session: delivery.session,
        op: delivery.op.clone(),
        outcome: outcome(which),
        joined: None,
    })
}

/// Anything, in any combination, also with ids that nobody gave out.
pub fn any_body() -> impl Strategy<Value = EventBody> {
    let delivery = (any_session(), any_op(), any::<u8>()).prop_map(|(session, op, which)| {
        let id = EffectId { conversation: ConversationId(1), seq: 1, n: 0 };
        EventBody::Delivery(DeliveryEvent {
            delivery: id.delivery(),
            session,
            op,
            outcome: outcome(which),
            joined: None,
        })
    });
    let timer = (any_timer(), 0..3600u64).prop_map(|(kind, due)| EventBody::Timer { kind, due: at(due) });
    prop_oneof![
        6 => natural_body(),
        2 => delivery,
        2 => timer,
        1 => (0..5u32, any_answer()).prop_map(|(turn, answer)| answered(turn, answer)),
        1 => Just(EventBody::Erased { by: None, messages: Vec::new(), relayed: Vec::new() }),
    ]
}

/// What people, tickets and the roster do; sessions and messages are anybody's guess.
fn natural_body() -> impl Strategy<Value = EventBody> {
    let requester = (any_session(), any_requester_event())
        .prop_map(|(session, what)| EventBody::Requester { session, what });
    let bystander = (any_session(), any_requester_event()).prop_map(|(session, what)| EventBody::Bystander {
        session,
        by: RequesterId(format!("telegram:{EVE}")),
        what,
    });
    let desk = (any_actor(), any_via(), any_desk_event()).prop_map(|(by, via, what)| EventBody::Desk {
        by,
        via,
        what,
    });
    let roster = prop_oneof![
        2 => any_technician().prop_map(|who| RosterEvent::Proposed { to: OfferTo::One(who) }),
        1 => Just(RosterEvent::Proposed { to: OfferTo::Everyone }),
        1 => any_technician().prop_map(|technician| RosterEvent::ClaimRefused { technician }),
        1 => any_technician().prop_map(|technician| RosterEvent::WentOffline { technician }),
        1 => any_technician().prop_map(|technician| RosterEvent::CameBack { technician }),
    ];
    let status = select(vec![TicketStatus::Open, TicketStatus::Resolved, TicketStatus::Closed]);
    let ticket = prop_oneof![
        Just(TicketEvent::Opened { desk: "embedded".into(), key: "1".into(), number: "T-000001".into() }),
        Just(TicketEvent::Failed { why: "planned".into() }),
        status.prop_map(|status| TicketEvent::StatusChanged { status }),
    ];
    let assistant = prop_oneof![
        (0..9u64).prop_map(|stretch| AssistantEvent::Summarised { stretch }),
        (any_technician(), any_via()).prop_map(|(to, via)| AssistantEvent::Suggested { to, via }),
    ];
    prop_oneof![
        5 => requester,
        2 => bystander,
        6 => desk,
        2 => roster.prop_map(EventBody::Roster),
        1 => ticket.prop_map(EventBody::Ticket),
        1 => assistant.prop_map(EventBody::Assistant),
    ]
}

fn any_session() -> impl Strategy<Value = SessionId> {
    prop_oneof![3 => Just(SessionId(0)), 3 => (1..4u16).prop_map(SessionId), 1 => Just(SessionId(99))]
}

fn any_message() -> impl Strategy<Value = MessageId> {
    let conversation = prop_oneof![9 => Just(ConversationId(1)), 1 => Just(ConversationId(2))];
    (conversation, 1..30u64, 0..3u32).prop_map(|(conversation, seq, n)| MessageId { conversation, seq, n })
}

fn some_message() -> impl Strategy<Value = Option<MessageId>> {
    prop::option::weighted(0.8, any_message())
}

fn any_technician() -> impl Strategy<Value = TechnicianId> {
    select(TECHNICIANS.to_vec()).prop_map(TechnicianId::from)
}

fn any_actor() -> impl Strategy<Value = DeskActor> {
    prop_oneof![9 => any_technician().prop_map(DeskActor::Technician), 1 => Just(DeskActor::Outsider)]
}

fn any_via() -> impl Strategy<Value = Via> {
    let room = any_session().prop_map(|session| Via::Room { session, user: "u".into(), interaction: None });
    prop_oneof![4 => room, 1 => Just(Via::Console)]
}

fn any_emoji() -> impl Strategy<Value = String> {
    select(vec!["👀", "✅", "🎫", "💤", "🎉"]).prop_map(str::to_owned)
}

fn any_gist() -> impl Strategy<Value = Gist> {
    let commands = vec![Command::New, Command::Status, Command::Human, Command::Close, Command::Help];
    let wish = prop_oneof![
        Just(Wish::Human),
        Just(Wish::Yes),
        Just(Wish::No),
        Just(Wish::Thanks),
        select(commands).prop_map(Wish::Command),
    ];
    (prop::option::weighted(0.4, wish), prop::bool::weighted(0.1))
        .prop_map(|(wish, wordless)| Gist { wish, wordless })
}

fn any_requester_event() -> impl Strategy<Value = RequesterEvent> {
    let remote = || RemoteMessageId("m".into());
    prop_oneof![
        1 => Just(RequesterEvent::Started),
        8 => (any_gist(), some_message())
            .prop_map(move |(gist, reply_to)| RequesterEvent::Posted { remote: remote(), gist, reply_to }),
        1 => some_message().prop_map(|message| RequesterEvent::Edited { message }),
        1 => some_message().prop_map(|message| RequesterEvent::Deleted { message }),
        1 => (some_message(), any_emoji(), any::<bool>())
            .prop_map(|(message, emoji, added)| RequesterEvent::Reacted { message, emoji, added }),
        6 => any_requester_verb().prop_map(|verb| RequesterEvent::Pressed { verb }),
        1 => Just(RequesterEvent::Left),
        1 => Just(RequesterEvent::Returned),
        1 => Just(RequesterEvent::RoomMoved { to: place() }),
    ]
}

fn any_requester_verb() -> impl Strategy<Value = RequesterVerb> {
    prop_oneof![
        3 => Just(RequesterVerb::Human),
        1 => Just(RequesterVerb::KeepAssistant),
        1 => Just(RequesterVerb::Yes),
        1 => Just(RequesterVerb::No),
        2 => Just(RequesterVerb::SameIssue),
        1 => Just(RequesterVerb::NewRequest),
        1 => Just(RequesterVerb::StartOver),
        1 => Just(RequesterVerb::Status),
        1 => Just(RequesterVerb::Close),
        1 => any::<u8>().prop_map(|score| RequesterVerb::Rate { score }),
        1 => (any_message(), any::<bool>()).prop_map(|(message, helpful)| RequesterVerb::Feedback { message, helpful }),
        1 => (any_label(), any::<bool>()).prop_map(|(word, on)| RequesterVerb::Tag { word, on }),
    ]
}

fn any_desk_event() -> impl Strategy<Value = DeskEvent> {
    let intent = || select(vec![PostIntent::Plain, PostIntent::Plain, PostIntent::Reply, PostIntent::Note]);
    let remote = || prop::option::of(Just(RemoteMessageId("m".into())));
    let target = prop_oneof![
        Just(ReactionTarget::Card),
        any_message().prop_map(ReactionTarget::Message),
        Just(ReactionTarget::Unknown),
    ];
    let changes = vec![ThreadChange::Closed, ThreadChange::Reopened, ThreadChange::Deleted];
    prop_oneof![
        6 => (remote(), intent(), some_message())
            .prop_map(|(remote, intent, reply_to)| DeskEvent::Posted { remote, intent, reply_to }),
        1 => (some_message(), intent()).prop_map(|(message, intent)| DeskEvent::Edited { message, intent }),
        1 => some_message().prop_map(|message| DeskEvent::Deleted { message }),
        1 => (target, any_emoji(), any::<bool>())
            .prop_map(|(target, emoji, added)| DeskEvent::Reacted { target, emoji, added }),
        10 => any_verb().prop_map(|verb| DeskEvent::Verb { verb }),
        1 => Just(DeskEvent::Misread { why: "a slip".into() }),
        1 => select(changes).prop_map(|change| DeskEvent::Thread { change }),
        1 => Just(DeskEvent::RoomMoved { to: place() }),
    ]
}

fn any_label() -> impl Strategy<Value = String> {
    select(vec!["vpn", "vip", "floor-2"]).prop_map(str::to_owned)
}

fn any_verb() -> impl Strategy<Value = Verb> {
    let to = prop_oneof![
        (any_technician(), any::<bool>())
            .prop_map(|(who, available)| TransferTo::Technician { who, available }),
        select(QUEUES.to_vec()).prop_map(|queue| TransferTo::Queue(QueueId::from(queue))),
    ];
    prop_oneof![
        4 => Just(Verb::Accept),
        2 => select(vec![Verb::Decline, Verb::Leave, Verb::Reopen, Verb::Csat, Verb::Undo]),
        1 => select(vec![Verb::Ticket, Verb::Summary, Verb::Suggest, Verb::Info, Verb::Help]),
        1 => select(vec![Verb::On, Verb::Busy, Verb::Off]),
        1 => select(vec![Verb::Backup, Verb::Join]),
        2 => to.prop_map(|to| Verb::Transfer { to }),
        1 => any_technician().prop_map(|who| Verb::Invite { who }),
        1 => any::<u8>().prop_map(|level| Verb::Priority { level }),
        1 => (any_label(), any_label()).prop_map(|(on, off)| Verb::Label { add: vec![on], remove: vec![off] }),
        1 => (1..7200u64).prop_map(|seconds| Verb::Snooze { period: Duration::from_secs(seconds) }),
        2 => Just(Verb::Handback),
        2 => any::<bool>().prop_map(|silently| Verb::Resolve { silently }),
        2 => any_message().prop_map(|message| Verb::Send { message }),
        1 => Just(Verb::TakeOver),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let reasons = vec![HandoverReason::PolicyTopic, HandoverReason::LowConfidence, HandoverReason::ToolCall];
    let cites = || vec!["an-article".to_owned()];
    prop_oneof![
        3 => Just(Answer::Said { cites: cites() }),
        1 => Just(Answer::AskedBack { cites: cites() }),
        2 => select(reasons).prop_map(|reason| Answer::HandOver { reason }),
        1 => Just(Answer::Failed { why: "planned".into() }),
    ]
}

fn any_op() -> impl Strategy<Value = DeliveryOp> {
    prop_oneof![
        3 => any_message().prop_map(|message| DeliveryOp::Post { message }),
        1 => any_message().prop_map(|message| DeliveryOp::Edit { message }),
        1 => any_message().prop_map(|message| DeliveryOp::Whisper { to: "u".into(), message, interaction: None }),
        2 => Just(DeliveryOp::OpenThread),
        1 => Just(DeliveryOp::Card),
        1 => any::<bool>().prop_map(|closed| DeliveryOp::Thread { closed }),
        1 => (0..9u64, 0..9u64).prop_map(|(from, to)| DeliveryOp::Transcript { from, to }),
    ]
}

fn any_timer() -> impl Strategy<Value = TimerKind> {
    select(vec![
        TimerKind::Burst,
        TimerKind::AssistantDeadline,
        TimerKind::OpeningTime,
        TimerKind::RequesterReminder,
        TimerKind::RequesterClose,
        TimerKind::Offer,
        TimerKind::MaxWait,
        TimerKind::Round,
        TimerKind::Transfer,
        TimerKind::TechnicianNudge,
        TimerKind::TechnicianRequeue,
        TimerKind::OfflineGrace,
        TimerKind::Snooze,
        TimerKind::LateQuestion,
        TimerKind::TicketClose,
    ])
}
