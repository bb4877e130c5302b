//! What comes too late: it was under way when its requester was erased (S111), and finds nobody.
//!
//! Not here: what goes with them (`erasure`); cutting the work short (the runtime).

use std::time::Duration;

use deskbridge_contract::Address;
use deskbridge_conversation::{Delivery, DeliveryOp, Effect, EffectId, Outcome, SessionId};

use super::erasure::{FIRST, by_canary, erase, lived};
use super::events::*;
use super::rig::{Fresh, Rig, people_only, remote, web};
use crate::job::TicketOp;
use crate::rows::*;
use crate::*;

async fn left(rig: &Rig) -> Vec<String> {
    let export = rig.exported().await;
    let lines = export.lines().filter(|line| line.to_lowercase().contains("canary"));
    lines.map(str::to_owned).collect()
}

pub(super) async fn no_words_go_into_their_ticket(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    lived(&rig).await;
    let comment = |key: &str| {
        Admin::Ticket(TicketOp::Comment {
            number: 1,
            key: key.into(),
            author: "Maria Canary".into(),
            text: "my canary".into(),
            public: true,
        })
    };
    let attach = Admin::Ticket(TicketOp::Attach { number: 1, blob: "b9".into(), name: "canary9.png".into() });
    erase(&rig).await;
    let before = rig.read.ticket(1).await.unwrap().unwrap();
    for late in [comment("k7"), attach] {
        assert_eq!(rig.writer.admin(late).await.unwrap(), AdminDone::Unknown);
    }
    assert_eq!(rig.read.ticket(1).await.unwrap().unwrap(), before);
    // Of one that is given its number after the erasure, in the same batch or not.
    let create = Admin::Ticket(TicketOp::Create {
        key: "k8".into(),
        conversation: Some(FIRST),
        summary: "canary".into(),
        description: "canary".into(),
        priority: 0,
        requester: "Maria Canary".into(),
        technician: None,
    });
    let closed = TicketOp::SetStatus {
        number: 1,
        status: deskbridge_conversation::TicketStatus::Closed,
        by: "Ana".into(),
    };
    assert!(
        matches!(rig.writer.admin(Admin::Ticket(closed)).await, Ok(AdminDone::Ticket { .. })),
        "facts go on"
    );
    let second = Admin::Ticket(TicketOp::Comment {
        number: 2,
        key: "k9".into(),
        author: String::new(),
        text: "canary".into(),
        public: false,
    });
    let (made, commented) = tokio::join!(rig.writer.admin(create), rig.writer.admin(second));
    assert!(matches!(made, Ok(AdminDone::Ticket { number: 2, created: true })), "{made:?}");
    assert_eq!(commented.unwrap(), AdminDone::Unknown);
    assert_eq!(left(&rig).await, Vec::<String>::new());
    // Somebody else's ticket is as it was.
    let other = rig.done(posted(3, "m9", "mine is a parrot")).await;
    let create = TicketOp::Create {
        key: "k10".into(),
        conversation: Some(other.id),
        summary: "parrot".into(),
        description: String::new(),
        priority: 0,
        requester: String::new(),
        technician: None,
    };
    rig.writer.admin(Admin::Ticket(create)).await.unwrap();
    let comment = TicketOp::Comment {
        number: 3,
        key: "k11".into(),
        author: "Ana".into(),
        text: "a parrot".into(),
        public: true,
    };
    rig.writer.admin(Admin::Ticket(comment)).await.unwrap();
    assert_eq!(rig.read.ticket(3).await.unwrap().unwrap().comments.len(), 1);
    rig.end().await;
}

pub(super) async fn an_attempt_is_not_made_again(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    lived(&rig).await;
    let open = rig.read.open_outbox_of(FIRST).await.unwrap();
    let post = open.iter().find(|row| matches!(&row.effect, Effect::Deliver(delivery) if matches!(delivery.op, DeliveryOp::Post { .. })));
    let post = post.expect("words are under way").clone();
    let lease_until = rig.now() + Duration::from_secs(60);
    assert!(matches!(rig.writer.begin(Begin { effect: post.id, lease_until }).await, Ok(Begun::Go { .. })));
    erase(&rig).await;
    let again = |effect: EffectId| Mark {
        effect,
        state: DeliveryState::Queued,
        not_before: Some(rig.now()),
        error: Some("ambiguous: canary-home is slow".into()),
    };
    assert!(!rig.writer.mark(again(post.id)).await.unwrap(), "it is over");
    let row = rig.row(post.id).await;
    assert_eq!((row.state, row.error.as_deref()), (DeliveryState::Cancelled, Some("erased")));
    assert_eq!(rig.writer.begin(Begin { effect: post.id, lease_until }).await.unwrap(), Begun::No);
    let attempts = rig.read.attempts(FIRST).await.unwrap();
    let last = attempts.iter().filter(|row| row.effect == post.id).max_by_key(|row| row.attempt).unwrap();
    assert!(last.ended.is_some() && last.outcome.as_deref() == Some("erased"), "{last:?}");
    // What takes words away is tried for as long as it takes, and its reasons are no words of theirs.
    let open = rig.read.open_outbox_of(FIRST).await.unwrap();
    let own = open.iter().find(|row| row.id.seq > post.id.seq && row.lane != post.lane);
    let own = own.expect("the desk is tidied").clone();
    assert!(matches!(rig.writer.begin(Begin { effect: own.id, lease_until }).await, Ok(Begun::Go { .. })));
    let later = Mark { error: Some("the room is busy".into()), ..again(own.id) };
    assert!(rig.writer.mark(later).await.unwrap());
    let row = rig.row(own.id).await;
    assert_eq!((row.state, row.error.as_deref()), (DeliveryState::Queued, Some("the room is busy")));
    assert_eq!(left(&rig).await, Vec::<String>::new());
    rig.end().await;
}

pub(super) async fn what_nobody_can_read_is_not_kept_for_them(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    lived(&rig).await;
    let unreadable = |raw: &str| Admin::Quarantine {
        channel: web(),
        raw: raw.as_bytes().to_vec(),
        why: format!("odd: {raw}"),
    };
    erase(&rig).await;
    for again in [r#"{"from":{"id":"canary-7"},"words":"my canary"}"#, "canary-7 said that their canary"] {
        rig.writer.admin(unreadable(again)).await.unwrap();
    }
    rig.writer.admin(unreadable(r#"{"from":{"id":"parrot-1"}}"#)).await.unwrap();
    let rows = rig.read.quarantine(10).await.unwrap();
    let blank = rows.iter().filter(|row| row.raw.is_empty() && row.why == "of somebody who was erased");
    assert_eq!((blank.count(), rows.len()), (2, 4), "that something was unreadable is known");
    assert!(rows.iter().any(|row| row.raw.ends_with(b"\"parrot-1\"}}")));
    assert_eq!(left(&rig).await, Vec::<String>::new());
    // Long afterwards it is theirs again: whoever writes anew is welcome.
    rig.advance(Duration::from_secs(25 * 3600));
    rig.writer.admin(unreadable("canary-7 again")).await.unwrap();
    assert!(rig.read.quarantine(10).await.unwrap().iter().any(|row| row.raw == b"canary-7 again"));
    rig.end().await;
}

/// A whisper that had to be said aloud is a post like others, and can be taken away.
pub(super) async fn what_was_said_aloud_is_known(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    rig.done(by_canary(posted(1, "m1", "my canary"))).await;
    rig.deliver_everything().await;
    rig.done(verb(FIRST, "v1", "ana", deskbridge_conversation::Verb::Accept)).await;
    rig.deliver_everything().await;
    rig.done(said_in_thread(FIRST, "v2", "bob", "who is it?")).await;
    let is_whisper = |effect: &Effect| matches!(effect, Effect::Deliver(delivery) if matches!(delivery.op, DeliveryOp::Whisper { .. }));
    let whisper = rig.queued(FIRST, is_whisper).await.remove(0);
    let Effect::Deliver(delivery) = &whisper.effect else { unreachable!("a delivery") };
    let DeliveryOp::Whisper { message, .. } = &delivery.op else { unreachable!("a whisper") };
    let session: SessionId = delivery.session;
    let Some(address) = rig.state(FIRST).await.session(session).map(|session| session.address.clone()) else {
        unreachable!("a session")
    };
    let outcome =
        Outcome::Sent { remote: Some(remote("w1")), more: Vec::new(), address, accepted: false, note: None };
    rig.done(ended(&whisper, outcome)).await;
    assert_eq!(rig.read.links(FIRST, session, Some(*message)).await.unwrap().len(), 1);
    // In somebody's private chat it has a number of that chat, which in the desk's room may be anybody's post.
    rig.done(said_in_thread(FIRST, "v3", "bob", "and who now?")).await;
    let queued = rig.queued(FIRST, is_whisper).await;
    let apart = queued.into_iter().find(|row| row.id != whisper.id).expect("another whisper");
    let Effect::Deliver(Delivery { op: DeliveryOp::Whisper { message, .. }, .. }) = &apart.effect else {
        unreachable!("a whisper")
    };
    let outcome = Outcome::Sent {
        remote: Some(remote("w1")),
        more: Vec::new(),
        address: Address::room(&"desk".into(), "bob's own chat"),
        accepted: false,
        note: None,
    };
    rig.done(ended(&apart, outcome)).await;
    assert_eq!(rig.read.links(FIRST, session, Some(*message)).await.unwrap().len(), 0);
    rig.end().await;
}
