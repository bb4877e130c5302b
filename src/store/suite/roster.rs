//! Who has how much: claims, loads, presence; and the clocks.
//!
//! Not here: who is proposed.

use std::time::Duration;

use deskbridge_conversation::{
    ConversationId, Handover, Offer, Presence, RosterEvent, Stage, TechnicianId, TimerKind, TransferTo, Verb,
};
use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, people_only};
use crate::*;

const FIRST: ConversationId = ConversationId(1);

async fn in_queue(place: &Fresh, conversations: u32) -> Rig {
    let rig = Rig::start_with(place, people_only()).await;
    rig.everybody_on().await;
    let jobs = (1..=conversations).map(|who| posted(who, &format!("m{who}"), "printer broken"));
    join_all(jobs.map(|job| rig.writer.apply(job)))
        .await
        .into_iter()
        .for_each(|answer| drop(answer.unwrap()));
    rig
}

pub(super) async fn a_thousand_claims_have_one_winner(place: Fresh) {
    let rig = in_queue(&place, 1000).await;
    let waiting = rig.read.waiting(2000).await.unwrap();
    assert_eq!(waiting.len(), 1000);
    let answers = join_all(waiting.iter().map(|of| rig.writer.apply(proposed(of, "cem", 1)))).await;
    let mut offered = 0;
    for answer in answers {
        match answer {
            Ok(Applied::Done { conversation, .. }) => {
                offered += usize::from(matches!(
                    &conversation.stage,
                    Stage::Handover(Handover { offer: Some(_), .. })
                ));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((offered, rig.load_of("cem").await), (1, 1));
    assert_eq!(rig.read.waiting(2000).await.unwrap().len(), 999);
    // The losers' logs say so.
    let loser = rig.read.waiting(1).await.unwrap().remove(0);
    let log = rig.read.log(loser.id, loser.seq, 1).await.unwrap();
    let refused = RosterEvent::ClaimRefused { technician: TechnicianId::from("cem") };
    assert_eq!(log[0].event.body, deskbridge_conversation::EventBody::Roster(refused));
    rig.end().await;
}

pub(super) async fn a_thousand_acceptances_have_one_winner(place: Fresh) {
    let rig = in_queue(&place, 1).await;
    let of = rig.state(FIRST).await;
    let jobs = (0..1000).map(|n| Apply {
        guard: Some(Guard::Seq(of.seq)),
        ..verb(FIRST, &format!("c{n}"), ["ana", "bob", "cem"][n % 3], Verb::Accept)
    });
    let answers = join_all(jobs.map(|job| rig.writer.apply(job))).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Done { .. }))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Refused))).count(), 999);
    assert_eq!(rig.state(FIRST).await.seq, of.seq + 1);
    // Refused is not stored: the same request may be made again, of the state as it is.
    let again = Apply { guard: Some(Guard::Seq(of.seq + 1)), ..verb(FIRST, "c999", "ana", Verb::Info) };
    rig.done(again).await;
    // A proposal that was made of an older state is refused as well.
    assert!(matches!(rig.writer.apply(proposed(&of, "bob", 3)).await, Ok(Applied::Refused)));
    let nowhere = verb(ConversationId(77), "c1000", "ana", Verb::Accept);
    assert!(matches!(rig.writer.apply(nowhere).await, Ok(Applied::Unknown)));
    rig.end().await;
}

pub(super) async fn loads_follow_the_stages(place: Fresh) {
    let rig = in_queue(&place, 2).await;
    rig.advance(Duration::from_secs(1));
    let offered = rig.done(proposed(&rig.state(FIRST).await, "ana", 3)).await;
    assert_eq!(rig.load_of("ana").await, 1);
    assert_eq!(rig.technician("ana").await.last_assigned, Some(rig.now()));
    rig.done(verb(FIRST, "c1", "bob", Verb::Accept)).await;
    assert_eq!((rig.load_of("ana").await, rig.load_of("bob").await), (0, 1));
    let to = TransferTo::Technician { who: "cem".into(), available: true };
    rig.done(verb(FIRST, "c2", "bob", Verb::Transfer { to })).await;
    assert_eq!((rig.load_of("bob").await, rig.load_of("cem").await), (1, 1));
    // Cem is full: an offer is refused, an explicit acceptance is not.
    let second = ConversationId(2);
    rig.done(proposed(&rig.state(second).await, "cem", 1)).await;
    assert!(rig.state(second).await.is_waiting());
    rig.done(verb(second, "c3", "cem", Verb::Accept)).await;
    assert_eq!(rig.load_of("cem").await, 2);
    rig.done(verb(FIRST, "c4", "cem", Verb::Accept)).await;
    assert_eq!((rig.load_of("bob").await, rig.load_of("cem").await), (0, 2));
    rig.done(verb(FIRST, "c5", "cem", Verb::Snooze { period: Duration::from_secs(600) })).await;
    assert_eq!(rig.load_of("cem").await, 1);
    rig.done(posted(1, "m1b", "are you there?")).await;
    assert_eq!(rig.load_of("cem").await, 2);
    for (nr, id) in [FIRST, second].into_iter().enumerate() {
        rig.done(verb(id, &format!("d{nr}"), "cem", Verb::Resolve { silently: true })).await;
    }
    assert_eq!(rig.load_of("cem").await, 0);
    // Somebody whom the table does not know is counted all the same.
    rig.policy.replace({
        let mut policy = people_only();
        policy.queues.values_mut().for_each(|queue| queue.technicians.push("dan".into()));
        policy
    });
    rig.done(verb(second, "c6", "dan", Verb::Reopen)).await;
    rig.done(verb(second, "c7", "dan", Verb::Accept)).await;
    let dan = rig.technician("dan").await;
    assert_eq!((dan.load, dan.presence), (1, Presence::Offline));
    assert!(offered.seq > 0);
    rig.end().await;
}

pub(super) async fn misses_make_away(place: Fresh) {
    let rig = in_queue(&place, 2).await;
    for (id, presence) in [(FIRST, Presence::Available), (ConversationId(2), Presence::Away)] {
        let offered = rig.done(proposed(&rig.state(id).await, "ana", 3)).await;
        let Stage::Handover(Handover { offer: Some(Offer { until, .. }), .. }) = &offered.stage else {
            panic!("not offered")
        };
        rig.advance(until.since(rig.now()));
        rig.done(timer(id, TimerKind::Offer, *until)).await;
        assert_eq!(rig.technician("ana").await.presence, presence);
    }
    let away = rig.technician("ana").await;
    assert_eq!((away.missed, away.load, away.since), (2, 0, rig.now()));
    // Away is not offered to; an act of one's own ends it.
    rig.done(proposed(&rig.state(FIRST).await, "ana", 3)).await;
    assert!(rig.state(FIRST).await.is_waiting());
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    let back = rig.technician("ana").await;
    assert_eq!((back.presence, back.missed, back.load), (Presence::Available, 0, 1));
    assert!(rig.exported().await.contains("\"presence\":\"away\""));
    rig.end().await;
}

pub(super) async fn presence_is_kept(place: Fresh) {
    let rig = Rig::start(&place).await;
    let ana = TechnicianId::from("ana");
    let both = vec![ana.clone(), TechnicianId::from("bob")];
    rig.writer.admin(Admin::EnsureTechnicians(both.clone())).await.unwrap();
    assert_eq!(rig.technician("ana").await.presence, Presence::Offline);
    rig.advance(Duration::from_secs(1));
    let set = Admin::SetPresence { technician: ana, presence: Presence::Busy };
    rig.writer.admin(set.clone()).await.unwrap();
    let since = rig.now();
    rig.advance(Duration::from_secs(1));
    rig.writer.admin(set).await.unwrap();
    rig.writer.admin(Admin::EnsureTechnicians(both)).await.unwrap();
    let row = rig.technician("ana").await;
    assert_eq!((row.presence, row.since, row.load), (Presence::Busy, since, 0));
    let names: Vec<String> = rig.read.technicians().await.unwrap().into_iter().map(|row| row.id.0).collect();
    assert_eq!(names, ["ana", "bob"]);
    assert_eq!(rig.exported().await.matches("\"table\":\"presence_log\"").count(), 1);
    rig.end().await;
}

pub(super) async fn clocks_are_found(place: Fresh) {
    let rig = Rig::start(&place).await;
    assert_eq!(rig.read.next_wake().await.unwrap(), None);
    rig.done(posted(1, "m1", "one")).await;
    let first = rig.now();
    rig.advance(Duration::from_secs(1));
    rig.done(posted(2, "m2", "two")).await;
    let burst = rig.policy.current().policy.assistant.burst_window;
    assert_eq!(rig.read.next_wake().await.unwrap(), Some(first + burst));
    assert_eq!(rig.read.due(rig.now(), 10).await.unwrap(), []);
    rig.advance(Duration::from_secs(10));
    let due = rig.read.due(rig.now(), 10).await.unwrap();
    let second = first + Duration::from_secs(1);
    assert_eq!(due, [(FIRST, first + burst), (ConversationId(2), second + burst)]);
    assert_eq!(rig.read.due(rig.now(), 1).await.unwrap().len(), 1);
    rig.done(timer(FIRST, TimerKind::Burst, first + burst)).await;
    let deadline = rig.policy.current().policy.assistant.deadline;
    assert_eq!(rig.read.next_wake().await.unwrap(), Some(second + burst));
    rig.done(timer(ConversationId(2), TimerKind::Burst, second + burst)).await;
    assert_eq!(rig.read.next_wake().await.unwrap(), Some(rig.now() + deadline));
    rig.end().await;
}

pub(super) async fn stale_clocks_do_nothing(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.done(posted(1, "m1", "one")).await;
    let due = rig.now() + rig.policy.current().policy.assistant.burst_window;
    // Too early; and the wrong one.
    assert!(matches!(rig.writer.apply(timer(FIRST, TimerKind::Burst, due)).await, Ok(Applied::Ignored)));
    rig.advance(Duration::from_secs(2));
    assert!(matches!(rig.writer.apply(timer(FIRST, TimerKind::Snooze, due)).await, Ok(Applied::Ignored)));
    // What was ignored was not stored: the same clock rings again when it is time. Once.
    let answers = join_all((0..10).map(|_| rig.writer.apply(timer(FIRST, TimerKind::Burst, due)))).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Done { .. }))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Ok(Applied::Duplicate))).count(), 9);
    rig.end().await;
}
