//! Changes that fill and then change every table; whatever the memory store makes of them, databases must.

use deskbridge_contract::{
    Address, Attachment, AttachmentKind, AttachmentSource, ChannelName, Content, RemoteFileId,
    RemoteMessageId, RoomId, Sent, Timestamp,
};
use deskbridge_conversation::{
    Assigned, Audience, Author, Conversation, ConversationId, Delivery, DeliveryOp, Effect, Event, EventBody,
    Handover, HandoverReason, MessageId, Offer, OfferTo, Presence, QueueFacts, QueueId, Requester,
    RequesterEvent, RequesterId, SessionId, Stage, TechnicianId, TicketStatus, Weight,
};

use crate::backend::{Changes, OutboxUpdate};
use crate::job::TicketOp;
use crate::rows::*;

pub(super) fn conversation(id: i64) -> Conversation {
    let requester = Requester {
        id: RequesterId(format!("sim:{id}")),
        name: "Zoë \"Z\" O'Neil\u{1f600}".into(),
        language: "pt".into(),
        picture: None,
        away: false,
    };
    let address = Address::room(&ChannelName("sim".into()), id.to_string());
    Conversation::open(ConversationId(id), requester, address, QueueId("default".into()), 3, Timestamp(id))
}

pub(super) fn row(state: &Conversation) -> ConversationRow {
    ConversationRow {
        state: std::sync::Arc::new(state.clone()),
        wake_at: Some(Timestamp(7_000_000)),
        updated: Timestamp(9),
    }
}

pub(super) fn id(conversation: i64, seq: u64, n: u32) -> MessageId {
    MessageId { conversation: ConversationId(conversation), seq, n }
}

/// A text that every layer would like to misread. No NUL: see `nul_is_replaced`.
const NASTY: &str = "a'b\"c\\d $1 {{x}} %s \u{1}\u{7f}\u{2028}ção\u{1f600}\r\n\\u0000";

fn message(id: MessageId, audience: Audience) -> MessageRow {
    let attachment = Attachment {
        name: "foto.png".into(),
        mime: "image/png".into(),
        size: 12,
        kind: AttachmentKind::Image,
        source: AttachmentSource::Remote(RemoteFileId("f1".into())),
    };
    MessageRow {
        id,
        author: Author::Technician(TechnicianId("ana".into())),
        audience,
        content: Content {
            attachments: vec![attachment],
            ..Content::text(format!("words of {id}: {NASTY} \0"))
        },
        reply_to: Some(MessageId { n: 9, ..id }),
        now: Timestamp(1_000),
        at: Timestamp(-5),
        edited: None,
        deleted: false,
    }
}

fn delivery(id: MessageId, op: DeliveryOp, turn: Option<u32>) -> OutboxRow {
    let session = SessionId(1);
    let not_before = Some(Timestamp(50));
    OutboxRow {
        id,
        lane: format!("d:{}:1", id.conversation.0),
        effect: Effect::Deliver(Delivery { session, op, not_before, turn, weight: Weight::Notice }),
        state: DeliveryState::Queued,
        not_before,
        turn,
        weight: Weight::Notice,
        attempts: 0,
        error: None,
        lease_until: None,
        created: Timestamp(10),
        updated: Timestamp(10),
        shown: Vec::new(),
    }
}

fn link(remote: &str, message: Option<MessageId>, session: u16) -> LinkRow {
    LinkRow {
        conversation: ConversationId(1),
        session: SessionId(session),
        message,
        channel: ChannelName("sim".into()),
        room: RoomId("desk".into()),
        remote: RemoteMessageId(remote.into()),
        part: 0,
    }
}

fn technician(id: &str, load: u32) -> TechnicianRow {
    TechnicianRow {
        id: TechnicianId(id.into()),
        presence: Presence::Available,
        since: Timestamp(3),
        load,
        missed: 1,
        last_assigned: (load > 0).then_some(Timestamp(4)),
    }
}

pub(super) fn token(id: &str) -> TokenRow {
    TokenRow {
        id: id.into(),
        name: "ci".into(),
        sha256: format!("hash of {id}"),
        scopes: vec!["read".into(), "write".into()],
        technician: Some(TechnicianId("ana".into())),
        created: Timestamp(1),
        expires: None,
        revoked: false,
    }
}

pub(super) fn create(key: &str, conversation: Option<i64>) -> TicketOp {
    TicketOp::Create {
        key: key.into(),
        conversation: conversation.map(ConversationId),
        summary: format!("=cmd() {NASTY}"),
        description: "long\n".repeat(3),
        priority: 2,
        requester: "Zoë".into(),
        technician: Some("ana".into()),
    }
}

fn comment(number: i64, key: &str) -> TicketOp {
    let (author, text) = ("bob".into(), format!("text of {key}"));
    TicketOp::Comment { number, key: key.into(), author, text, public: true }
}

fn talk(changes: &mut Changes) {
    for number in 1..=3 {
        let mut state = conversation(number);
        state.seq = 1;
        changes.causes.push((format!("in:sim:{number}:{NASTY}"), number, Timestamp(1)));
        changes.sessions.push(SessionRow {
            conversation: state.id,
            session: SessionId(0),
            requester: true,
            address: state.sessions[0].address.key(),
        });
        let what = RequesterEvent::Posted {
            remote: RemoteMessageId("m".into()),
            gist: Default::default(),
            reply_to: Some(id(1, 1, 0)),
        };
        let body = EventBody::Requester { session: SessionId(0), what };
        changes.log.push(LogRow {
            conversation: state.id,
            seq: 1,
            cause: format!("in:sim:{number}"),
            event: Event { now: Timestamp(1), at: Timestamp(2), facts: QueueFacts::default(), body },
            policy: "p".into(),
        });
        changes.conversations.push(row(&state));
        changes.loaded_seqs.push(0);
    }
    for n in 0..4 {
        changes
            .messages
            .push(message(id(1, 1, n), if n == 3 { Audience::Internal } else { Audience::Public }));
    }
}

/// In a session, the message of an event as a part of the first one's post.
fn joint(session: u16, seq: u64, nth: u16) -> JointRow {
    JointRow {
        conversation: ConversationId(1),
        session: SessionId(session),
        message: id(1, seq, 0),
        lead: id(1, 1, 1),
        nth,
    }
}

pub(super) fn first() -> Changes {
    let mut changes = Changes::default();
    talk(&mut changes);
    let post = |n| DeliveryOp::Post { message: id(1, 1, n) };
    changes.outbox = vec![
        delivery(id(1, 1, 0), post(0), Some(2)),
        delivery(id(1, 1, 1), post(1), None),
        delivery(id(1, 1, 2), DeliveryOp::Card, None),
        delivery(id(1, 1, 3), DeliveryOp::Card, None),
        delivery(id(1, 1, 4), DeliveryOp::Thread { closed: true }, None),
        delivery(id(2, 1, 0), DeliveryOp::Card, None),
    ];
    changes.attempts = vec![AttemptRow {
        effect: id(1, 1, 0),
        attempt: 1,
        started: Timestamp(11),
        ended: None,
        outcome: None,
    }];
    changes.links =
        vec![link("r0", None, 1), link("r1", Some(id(1, 1, 0)), 1), link("r2", Some(id(1, 1, 1)), 2)];
    changes.joints = vec![joint(1, 1, 2), joint(1, 2, 1), joint(2, 1, 1)];
    changes.technicians = vec![technician("bob", 0), technician("ana", 1)];
    changes.presence_log =
        vec![("bob".into(), Presence::Away, Timestamp(2)), ("ana".into(), Presence::Busy, Timestamp(1))];
    changes.shelf =
        vec![("sim".into(), "cursor".into(), NASTY.into()), ("sim".into(), "cursor".into(), "2".into())];
    changes.quarantine = vec![("sim".into(), vec![0, 255, 13], NASTY.into(), Timestamp(6))];
    changes.blobs = vec![BlobRow {
        id: "b1".into(),
        conversation: Some(ConversationId(1)),
        name: "foto \"1\".png".into(),
        mime: "image/png".into(),
        size: 5_000_000_000,
        sha256: "00".into(),
        created: Timestamp(8),
    }];
    changes.tokens = vec![token("t1"), token("t2")];
    changes.audit = vec![
        (Timestamp(1), Some("ana".into()), NASTY.into(), Some(ConversationId(1))),
        (Timestamp(2), None, "token made".into(), None),
    ];
    changes.tickets = vec![
        (1, create("k1", Some(1)), Timestamp(1)),
        (2, create("k2", None), Timestamp(1)),
        (1, comment(1, "c1"), Timestamp(2)),
        (1, comment(1, "c1"), Timestamp(3)),
        (1, TicketOp::Attach { number: 1, blob: "b1".into(), name: "foto.png".into() }, Timestamp(4)),
        (1, TicketOp::Attach { number: 1, blob: "b1".into(), name: "again.png".into() }, Timestamp(5)),
    ];
    changes.feedback = vec![(id(1, 1, 0), true, Timestamp(1)), (id(1, 1, 0), false, Timestamp(2))];
    changes
}

/// Changes what `first` has made.
pub(super) fn second() -> Changes {
    let mut changes = Changes::default();
    conversations_move(&mut changes);
    words_change(&mut changes);
    deliveries_go_on(&mut changes);
    rest_changes(&mut changes);
    changes
}

fn conversations_move(changes: &mut Changes) {
    let technician_id = TechnicianId("ana".into());
    let stages = [
        Stage::Handover(Handover {
            since: Timestamp(5),
            reason: HandoverReason::Asked,
            offer: Some(Offer { to: OfferTo::One(technician_id.clone()), until: Timestamp(99) }),
            excluded: vec![TechnicianId("bob".into())],
            round: None,
            overdue: Default::default(),
            front: true,
        }),
        Stage::Assigned(Assigned {
            technician: technician_id,
            since: Timestamp(5_000_000),
            co_repliers: Vec::new(),
            working: None,
            snoozed: None,
            transfer: None,
            offline: None,
            waited_since: Timestamp(2_000_000),
        }),
    ];
    for (number, stage) in (1..).zip(stages) {
        let mut state = conversation(number);
        state.seq = 4;
        state.requester.name = "Zoé".into();
        state.stage = stage;
        changes.conversations.push(ConversationRow { wake_at: None, ..row(&state) });
        changes.loaded_seqs.push(1);
    }
}

fn words_change(changes: &mut Changes) {
    changes.causes.push(("fx:1.1.0".into(), 1, Timestamp(20)));
    changes.sessions = vec![SessionRow {
        conversation: ConversationId(1),
        session: SessionId(0),
        requester: true,
        address: "sim\u{1f}elsewhere".into(),
    }];
    changes.messages.push(message(id(1, 4, 0), Audience::Private));
    changes.edits = vec![
        (id(1, 1, 0), Content::text("once"), Timestamp(21)),
        (id(1, 1, 0), Content::text("twice"), Timestamp(22)),
    ];
    changes.deletes = vec![(id(1, 1, 1), Timestamp(23))];
    changes.replaced = vec![(id(1, 1, 2), Content::text("copied"))];
    changes.audiences = vec![(id(1, 1, 3), Audience::Public)];
}

fn deliveries_go_on(changes: &mut Changes) {
    changes.outbox_updates = vec![OutboxUpdate {
        id: id(1, 1, 4),
        state: DeliveryState::Failed,
        not_before: None,
        attempts: 3,
        error: Some(NASTY.into()),
        lease_until: Some(Timestamp(30)),
        updated: Timestamp(31),
        shown: vec![Sent::at(&Address::room(&ChannelName("sim".into()), "desk"), Some("r9".into()))],
    }];
    changes.outbox = vec![
        // One card is queued already, the thread's delivery has just failed.
        delivery(id(1, 4, 0), DeliveryOp::Card, None),
        delivery(id(1, 4, 1), DeliveryOp::Thread { closed: false }, None),
        delivery(id(1, 4, 2), DeliveryOp::Post { message: id(1, 4, 0) }, Some(3)),
    ];
    changes.cancel_assistant = vec![(ConversationId(1), 4, Timestamp(32))];
    changes.cancel_messages = vec![(id(1, 1, 1), 4, Timestamp(33)), (id(1, 4, 0), 4, Timestamp(33))];
    changes.release_holds = vec![(ConversationId(2), 4)];
    changes.attempt_ends = vec![(id(1, 1, 0), Timestamp(34), NASTY.into())];
    changes.links = vec![link("r0", Some(id(1, 1, 2)), 2), link("r3", Some(id(1, 4, 0)), 1)];
    changes.joints = vec![joint(2, 1, 3), joint(2, 4, 1), joint(2, 4, 2)];
    changes.unlink = vec![(ConversationId(1), SessionId(1))];
}

fn rest_changes(changes: &mut Changes) {
    changes.technicians = vec![technician("ana", 2)];
    changes.presence_log = vec![("ana".into(), Presence::Offline, Timestamp(9))];
    changes.revoked_tokens = vec!["t1".into()];
    changes.audit = vec![(Timestamp(40), None, "later".into(), None)];
    changes.quarantine = vec![("sim".into(), Vec::new(), String::new(), Timestamp(7))];
    let by = || "ana".to_owned();
    changes.tickets = vec![
        (1, TicketOp::SetStatus { number: 1, status: TicketStatus::Resolved, by: by() }, Timestamp(41)),
        (3, create("k3", Some(1)), Timestamp(42)),
        (2, TicketOp::SetTechnician { number: 2, technician: None, by: by() }, Timestamp(43)),
        (2, comment(2, "c1"), Timestamp(44)),
        (2, comment(2, "c2"), Timestamp(45)),
        (9, comment(9, "c9"), Timestamp(46)),
    ];
    changes.feedback = vec![(id(1, 1, 0), true, Timestamp(50))];
}
