//! Several deliveries as one post: begun together, ended each, found again by the one message of the platform.
//!
//! Not here: which deliveries those are (the runtime).

use std::time::Duration;

use deskbridge_conversation::{
    ConversationId, DeliveryEvent, Effect, EventBody, Joined, MessageId, Outcome, SessionId, Verb,
};

use super::events::*;
use super::rig::{Fresh, Rig, remote, thread};
use crate::rows::*;
use crate::*;

const FIRST: ConversationId = ConversationId(1);

/// What Ana's desk room has not been shown yet.
struct Backlog {
    rig: Rig,
    desk: SessionId,
    rows: Vec<OutboxRow>,
}

fn message(row: &OutboxRow) -> MessageId {
    let Effect::Deliver(delivery) = &row.effect else { panic!("{} is no delivery", row.id) };
    delivery.op.message().unwrap()
}

impl Backlog {
    async fn of(place: &Fresh, names: &[&str]) -> Backlog {
        let rig = Rig::waiting(place).await;
        let desk = rig.state(FIRST).await.desk_sessions().next().unwrap().id;
        for name in names {
            rig.done(posted(1, name, &format!("words of {name}"))).await;
        }
        let rows =
            rig.queued(FIRST, |effect| matches!(effect, Effect::Deliver(d) if d.session == desk)).await;
        assert_eq!(rows.len(), names.len());
        Backlog { rig, desk, rows }
    }

    async fn begin(&self) -> Vec<Begun> {
        let lease_until = self.rig.now() + Duration::from_secs(60);
        let begins = self.rows.iter().map(|row| Begin { effect: row.id, lease_until }).collect();
        self.rig.writer.begin_joint(begins).await.unwrap()
    }

    /// The `nth` ended in the post of the first.
    async fn end(&self, nth: usize) {
        let outcome = Outcome::Sent {
            remote: (nth == 0).then(|| remote("joint")),
            more: Vec::new(),
            address: thread(FIRST),
            note: None,
            accepted: false,
        };
        let mut apply = ended(&self.rows[nth], outcome);
        if let (EventBody::Delivery(DeliveryEvent { joined, .. }), true) = (&mut apply.body, nth > 0) {
            *joined = Some(Joined { lead: message(&self.rows[0]), nth: nth as u16 });
        }
        self.rig.done(apply).await;
    }

    async fn joint(&self, of: usize) -> Vec<(MessageId, u16)> {
        let rows = self.rig.read.joint(FIRST, self.desk, message(&self.rows[of])).await.unwrap();
        assert!(rows.iter().all(|row| row.lead == message(&self.rows[0]) && row.session == self.desk));
        rows.into_iter().map(|row| (row.message, row.nth)).collect()
    }
}

pub(super) async fn they_begin_together(place: Fresh) {
    let backlog = Backlog::of(&place, &["m2", "m3", "m4"]).await;
    let rig = &backlog.rig;
    // One was taken back before: the others go without it.
    rig.done(deleted(1, "d3", "m3")).await;
    assert_eq!(backlog.begin().await, [Begun::Go { attempt: 1 }, Begun::No, Begun::Go { attempt: 1 }]);
    let attempts = rig.read.attempts(FIRST).await.unwrap();
    let open: Vec<_> = attempts.iter().filter(|attempt| attempt.ended.is_none()).collect();
    assert_eq!(open.iter().map(|a| a.effect).collect::<Vec<_>>(), [backlog.rows[0].id, backlog.rows[2].id]);
    assert_eq!(open[0].started, open[1].started);
    assert_eq!(rig.row(backlog.rows[1].id).await.state, DeliveryState::Cancelled);
    backlog.rig.end().await;
}

pub(super) async fn without_the_first_none_begins(place: Fresh) {
    let backlog = Backlog::of(&place, &["m2", "m3"]).await;
    let rig = &backlog.rig;
    rig.done(deleted(1, "d2", "m2")).await;
    assert_eq!(backlog.begin().await, [Begun::No, Begun::No]);
    assert_eq!(rig.row(backlog.rows[1].id).await.state, DeliveryState::Queued);
    backlog.rig.end().await;
}

pub(super) async fn their_post_is_the_first_ones(place: Fresh) {
    let backlog = Backlog::of(&place, &["m2", "m3", "m4"]).await;
    let rig = &backlog.rig;
    backlog.begin().await;
    for nth in 0..3 {
        backlog.end(nth).await;
    }
    for row in &backlog.rows {
        assert_eq!(rig.row(row.id).await.state, DeliveryState::Sent);
    }
    let parts = [(message(&backlog.rows[1]), 1), (message(&backlog.rows[2]), 2)];
    for nth in 0..3 {
        assert_eq!(backlog.joint(nth).await, parts, "asked by part {nth}");
    }
    let links = |of: usize| rig.read.links(FIRST, backlog.desk, Some(message(&backlog.rows[of])));
    assert_eq!(links(0).await.unwrap()[0].remote, remote("joint"));
    assert!(links(1).await.unwrap().is_empty() && links(2).await.unwrap().is_empty());
    // What a person does to the joint post is about its first part.
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    rig.done(reacted(FIRST, "r1", "ana", "joint", "👍")).await;
    let is_reaction = |effect: &Effect| matches!(effect, Effect::Deliver(d) if d.op.message() == Some(message(&backlog.rows[0])));
    assert_eq!(rig.queued(FIRST, is_reaction).await.len(), 1);
    backlog.rig.end().await;
}

pub(super) async fn a_lost_thread_forgets_them(place: Fresh) {
    let backlog = Backlog::of(&place, &["m2", "m3", "m4"]).await;
    backlog.begin().await;
    backlog.end(0).await;
    backlog.end(1).await;
    assert_eq!(backlog.joint(0).await.len(), 1);
    let gone = ended(&backlog.rows[2], Outcome::ThreadGone { why: "topic deleted".into() });
    backlog.rig.done(gone).await;
    assert!(backlog.joint(0).await.is_empty() && backlog.joint(1).await.is_empty());
    backlog.rig.end().await;
}
