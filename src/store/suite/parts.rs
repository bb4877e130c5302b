//! One delivery as several operations: what is there is known at once, and the rest has to be permitted.
//!
//! Not here: sending them one behind the other (the runtime).

use std::time::Duration;

use deskbridge_contract::{Content, Sent};
use deskbridge_conversation::{
    Audience, ConversationId, DeliveryOp, DeskEvent, Effect, MessageId, Outcome, PostIntent, RequesterVerb,
    SessionId, TimerKind, Verb,
};

use super::erasure::erased;
use super::events::*;
use super::rig::{Fresh, Rig, home, people_only, remote, thread};
use crate::rows::*;
use crate::*;

const FIRST: ConversationId = ConversationId(1);

fn posts(row: &OutboxRow) -> (SessionId, MessageId) {
    match &row.effect {
        Effect::Deliver(delivery) => (delivery.session, delivery.op.message().unwrap()),
        _ => panic!("{} is no delivery", row.id),
    }
}

impl Rig {
    /// A message that the desk's room has not been shown yet.
    async fn untold(&self, name: &str) -> OutboxRow {
        self.done(posted(1, name, "a long story")).await;
        let is_post =
            |effect: &Effect| matches!(effect, Effect::Deliver(d) if matches!(d.op, DeliveryOp::Post { .. }));
        self.queued(FIRST, is_post).await.pop().unwrap()
    }

    /// The operation behind so many is there, under this name.
    async fn is_there(&self, row: &OutboxRow, after: usize, name: &str) -> Begun {
        let shown = Sent::at(&thread(FIRST), Some(remote(name)));
        let lease_until = self.now() + Duration::from_secs(90);
        let message = Some(posts(row).1);
        let advance = Advance { effect: row.id, after, before: after, message, shown, lease_until };
        self.writer.advance(advance).await.unwrap()
    }

    async fn linked(&self, row: &OutboxRow) -> Vec<(String, u16)> {
        let (session, message) = posts(row);
        let links = self.read.links(FIRST, session, Some(message)).await.unwrap();
        links.into_iter().map(|link| (link.remote.0, link.part)).collect()
    }
}

pub(super) async fn what_is_there_is_known(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let row = rig.untold("m2").await;
    rig.begin(&row).await;
    assert_eq!(rig.is_there(&row, 0, "one").await, Begun::Go { attempt: 1 });
    assert_eq!(rig.linked(&row).await, [("one".to_owned(), 0)], "before the rest is there");
    // Said again because the answer was lost, and by somebody who does not know of it.
    assert_eq!(rig.is_there(&row, 0, "one").await, Begun::Go { attempt: 1 });
    assert_eq!(rig.is_there(&row, 0, "other").await, Begun::No);
    assert_eq!(rig.is_there(&row, 2, "three").await, Begun::No);
    let known = rig.row(row.id).await;
    assert_eq!((known.state, known.shown.len()), (DeliveryState::Attempting, 1));
    assert_eq!(known.lease_until, Some(rig.now() + Duration::from_secs(90)), "it goes on");
    // Put back, and found by the next process.
    let back = Mark { error: Some("429".into()), ..marked(&row, DeliveryState::Queued) };
    assert!(rig.writer.mark(back).await.unwrap());
    rig.end().await;
    let rig = Rig::start_with(&place, people_only()).await;
    let found = rig.row(row.id).await;
    assert_eq!((found.state, &found.shown), (DeliveryState::Queued, &known.shown));
    assert_eq!(found.shown, [Sent::at(&thread(FIRST), Some(remote("one")))]);
    assert_eq!(rig.begin(&row).await, Begun::Go { attempt: 2 });
    assert_eq!(rig.is_there(&row, 1, "two").await, Begun::Go { attempt: 2 });
    assert_eq!(rig.row(row.id).await.error, None, "it went well after all");
    let outcome = Outcome::Sent {
        remote: Some(remote("one")),
        more: vec![remote("two"), remote("three")],
        address: thread(FIRST),
        accepted: false,
        note: None,
    };
    rig.done(ended(&row, outcome)).await;
    let parts = [("one", 0), ("other", 0), ("two", 1), ("three", 2)];
    assert_eq!(
        rig.linked(&row).await,
        parts.map(|(name, part)| (name.to_owned(), part)),
        "one part is twice there"
    );
    let ended = rig.row(row.id).await;
    assert_eq!((ended.state, ended.shown), (DeliveryState::Sent, Vec::new()));
    rig.end().await;
}

pub(super) async fn what_broke_off_is_linked(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let row = rig.untold("m2").await;
    rig.begin(&row).await;
    rig.is_there(&row, 0, "one").await;
    let outcome = Outcome::Partly {
        remote: Some(remote("one")),
        more: Vec::new(),
        address: thread(FIRST),
        why: "too odd".into(),
    };
    rig.done(ended(&row, outcome)).await;
    assert_eq!(rig.linked(&row).await, [("one".to_owned(), 0)]);
    let ended = rig.row(row.id).await;
    assert_eq!((ended.state, ended.error.as_deref()), (DeliveryState::Failed, Some("only partly: too odd")));
    rig.end().await;
}

/// A part that was on its way while somebody else ended the row is found by whatever takes the message away.
pub(super) async fn what_arrives_after_the_end_is_linked(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let row = rig.untold("m2").await;
    rig.begin(&row).await;
    rig.is_there(&row, 0, "one").await;
    rig.done(ended(&row, Outcome::Failed { why: "given up".into() })).await;
    assert_eq!(rig.is_there(&row, 1, "two").await, Begun::No);
    assert_eq!(rig.linked(&row).await, [("one".to_owned(), 0), ("two".to_owned(), 1)]);
    assert_eq!(rig.row(row.id).await.state, DeliveryState::Failed, "it stays as it ended");
    rig.end().await;
}

/// Erasing blanks what the row knows; a part that was on its way has to be found by what takes it away.
pub(super) async fn what_arrives_after_an_erasure_is_linked(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let row = rig.untold("m2").await;
    rig.begin(&row).await;
    rig.is_there(&row, 0, "one").await;
    rig.done(erased(1)).await;
    // The answer may get lost, and be asked for once more.
    for _ in 0..2 {
        assert_eq!(rig.is_there(&row, 1, "two").await, Begun::No);
        assert_eq!(rig.linked(&row).await, [("one".to_owned(), 0), ("two".to_owned(), 1)]);
    }
    let over = rig.row(row.id).await;
    assert_eq!((over.state, over.shown), (DeliveryState::Cancelled, Vec::new()));
    let attempts = rig.read.attempts(FIRST).await.unwrap();
    let last = attempts.iter().find(|attempt| attempt.effect == row.id).unwrap();
    assert_eq!(last.outcome.as_deref(), Some("cancelled"));
    rig.end().await;
}

/// Taken back while one part was on its way: no further one may go.
pub(super) async fn what_is_taken_back_is_not_sent_on(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    let deletion = |rig: &Rig, row: &OutboxRow| {
        let shown = Sent::at(&thread(FIRST), Some(remote("four")));
        let (effect, message, lease_until) =
            (row.id, Some(posts(row).1), rig.now() + Duration::from_secs(90));
        Advance { effect, after: 1, before: 1, message, shown, lease_until }
    };
    let row = rig.untold("m2").await;
    rig.begin(&row).await;
    assert_eq!(rig.is_there(&row, 0, "one").await, Begun::Go { attempt: 1 });
    rig.done(deleted(1, "d2", "m2")).await;
    assert_eq!(rig.is_there(&row, 1, "two").await, Begun::No);
    assert_eq!(rig.linked(&row).await, [("one".to_owned(), 0), ("two".to_owned(), 1)]);
    assert_eq!(rig.row(row.id).await.state, DeliveryState::Cancelled);
    let attempts = rig.read.attempts(FIRST).await.unwrap();
    let last = attempts.iter().find(|attempt| attempt.effect == row.id).unwrap();
    assert_eq!(last.outcome.as_deref(), Some("cancelled"));
    // In the same batch.
    let row = rig.untold("m3").await;
    rig.begin(&row).await;
    assert_eq!(rig.is_there(&row, 0, "three").await, Begun::Go { attempt: 1 });
    let (gone, on) =
        tokio::join!(rig.writer.apply(deleted(1, "d3", "m3")), rig.writer.advance(deletion(&rig, &row)));
    assert!(matches!(gone, Ok(Applied::Done { .. })), "{gone:?}");
    assert_eq!(on.unwrap(), Begun::No);
    assert_eq!(rig.linked(&row).await, [("three".to_owned(), 0), ("four".to_owned(), 1)]);
    rig.end().await;
}

/// Nothing of the words themselves has to change for that.
pub(super) async fn the_same_words_become_a_note(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::TakeOver)).await;
    let posted = said_in_thread(FIRST, "t1", "ana", "a long answer");
    rig.done(posted).await;
    rig.deliver_everything().await;
    let edit = |id: &str, intent: PostIntent| {
        let at = thread(FIRST);
        let target = Some(RemoteRef { channel: at.channel, room: at.room, remote: remote("t1") });
        let what = DeskEvent::Edited { message: None, intent };
        Apply {
            content: Some(Content::text("a long answer")),
            refs: Refs { target, reply_to: None },
            ..in_thread(FIRST, id, "ana", what)
        }
    };
    let preview = rig.writer.apply(edit("t2", PostIntent::Plain)).await;
    assert!(matches!(preview, Ok(Applied::Ignored)), "{preview:?}");
    rig.done(edit("t3", PostIntent::Note)).await;
    let is_delete =
        |effect: &Effect| matches!(effect, Effect::Deliver(d) if matches!(d.op, DeliveryOp::Delete { .. }));
    let gone = rig.queued(FIRST, is_delete).await;
    let home = rig.state(FIRST).await.requester_session().unwrap().id;
    assert!(gone.iter().any(|row| posts(row).0 == home), "{gone:?}");
    let row = rig.read.message(posts(&gone[0]).1).await.unwrap().unwrap();
    assert_eq!(row.audience, Audience::Internal);
    rig.end().await;
}

/// An edit made them a note: the requester is shown no more of it, and the desks all.
pub(super) async fn a_note_is_sent_on_to_desks_alone(place: Fresh) {
    let rig = Rig::waiting(&place).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::TakeOver)).await;
    rig.deliver_everything().await;
    rig.done(said(FIRST, "c2", "ana", "a long answer")).await;
    let is_post =
        |effect: &Effect| matches!(effect, Effect::Deliver(d) if matches!(d.op, DeliveryOp::Post { .. }));
    let rows = rig.queued(FIRST, is_post).await;
    let state = rig.state(FIRST).await;
    let (home, message) = (state.requester_session().unwrap().id, posts(&rows[0]).1);
    let of_message: Vec<&OutboxRow> = rows.iter().filter(|row| posts(row).1 == message).collect();
    assert_eq!(of_message.len(), 2, "the requester and the desk room are shown it");
    for row in &of_message {
        rig.begin(row).await;
    }
    let what = DeskEvent::Edited { message: Some(message), intent: PostIntent::Note };
    let noted =
        Apply { content: Some(Content::text("for us alone")), ..in_console(FIRST, "c3", "ana", what) };
    rig.done(noted).await;
    for (nth, row) in of_message.into_iter().enumerate() {
        let answer = rig.is_there(row, 0, &format!("p{nth}")).await;
        let expected = if posts(row).0 == home { Begun::No } else { Begun::Go { attempt: 1 } };
        assert_eq!(answer, expected, "{}", row.lane);
        assert_eq!(rig.linked(row).await.len(), 1, "{}", row.lane);
    }
    rig.end().await;
}

pub(super) async fn the_rest_has_to_be_permitted(place: Fresh) {
    // Taken back while the rest waited: it is known what there is to be deleted.
    let rig = Rig::waiting(&place).await;
    let row = rig.untold("m2").await;
    rig.begin(&row).await;
    rig.is_there(&row, 0, "one").await;
    assert!(rig.writer.mark(marked(&row, DeliveryState::Queued)).await.unwrap());
    rig.done(deleted(1, "d2", "m2")).await;
    assert_eq!(rig.begin(&row).await, Begun::No);
    assert_eq!(rig.is_there(&row, 1, "two").await, Begun::No);
    assert_eq!(rig.linked(&row).await, [("one".to_owned(), 0), ("two".to_owned(), 1)]);
    rig.end().await;
    // The assistant's words, once somebody wants a person (L6).
    let rig = Rig::start(&place).await;
    rig.advance(Duration::from_secs(3600));
    let id = rig.done(posted(2, "n1", "phone broken")).await.id;
    rig.advance(Duration::from_secs(2));
    let due = rig.read.due(rig.now(), 10).await.unwrap().into_iter().find(|(of, _)| *of == id).unwrap().1;
    rig.done(timer(id, TimerKind::Burst, due)).await;
    let asked = rig.queued(id, |effect| matches!(effect, Effect::AskAssistant { .. })).await.remove(0);
    rig.carry_out(&asked).await;
    let answer = rig.queued(id, |effect| matches!(effect, Effect::Deliver(d) if d.turn.is_some())).await;
    let answer = &answer[0];
    assert_eq!(rig.begin(answer).await, Begun::Go { attempt: 1 });
    rig.done(pressed(2, "p1", RequesterVerb::Human)).await;
    let shown = Sent::at(&home(2), Some(remote("said")));
    let lease_until = rig.now() + Duration::from_secs(90);
    let advance = Advance { effect: answer.id, after: 0, before: 0, message: None, shown, lease_until };
    assert_eq!(rig.writer.advance(advance).await.unwrap(), Begun::No);
    assert_eq!(rig.row(answer.id).await.state, DeliveryState::Cancelled);
    let attempts = rig.read.attempts(id).await.unwrap();
    let last = attempts.iter().find(|attempt| attempt.effect == answer.id).unwrap();
    assert_eq!(last.outcome.as_deref(), Some("cancelled"));
    let (session, message) = posts(answer);
    assert_eq!(rig.read.links(id, session, Some(message)).await.unwrap().len(), 1, "what was said is known");
    rig.end().await;
}
