//! Lists of conversations and of what was said in them.
//!
//! Not here: rows of other kinds (`rows`).

use std::time::Duration;

use deskbridge_conversation::{Conversation, ConversationId, RequesterVerb, TechnicianId, TransferTo, Verb};

use super::events::*;
use super::rig::{Fresh, Rig, START, people_only};
use crate::read::ConversationFilter;
use crate::rows::*;
use crate::*;

fn ids(list: &[Conversation]) -> Vec<i64> {
    list.iter().map(|conversation| conversation.id.0).collect()
}

async fn some(place: &Fresh, conversations: u32) -> Rig {
    let rig = Rig::start_with(place, people_only()).await;
    rig.everybody_on().await;
    for who in 1..=conversations {
        rig.done(posted(who, &format!("m{who}"), "printer broken")).await;
        rig.advance(Duration::from_secs(1));
    }
    rig
}

pub(super) async fn conversations_are_listed(place: Fresh) {
    let rig = some(&place, 5).await;
    rig.done(verb(ConversationId(2), "c1", "ana", Verb::Accept)).await;
    rig.done(verb(ConversationId(4), "c2", "ana", Verb::Accept)).await;
    rig.done(pressed(3, "p1", RequesterVerb::Close)).await;
    let all = ConversationFilter { limit: 100, ..ConversationFilter::default() };
    let list = async |filter: ConversationFilter| ids(&rig.read.conversations(&filter).await.unwrap());
    assert_eq!(list(all.clone()).await, [5, 4, 3, 2, 1]);
    assert_eq!(list(ConversationFilter { limit: 2, ..all.clone() }).await, [5, 4]);
    let before = Some(ConversationId(4));
    assert_eq!(list(ConversationFilter { before, limit: 2, ..all.clone() }).await, [3, 2]);
    let stage = |name: &str| ConversationFilter { stage: Some(name.to_owned()), ..all.clone() };
    assert_eq!(list(stage("handover")).await, [5, 1]);
    assert_eq!(list(stage("closed")).await, [3]);
    let assignee = Some(TechnicianId::from("ana"));
    assert_eq!(list(ConversationFilter { assignee: assignee.clone(), ..all.clone() }).await, [4, 2]);
    assert_eq!(list(ConversationFilter { assignee, before, ..all.clone() }).await, [2]);
    assert_eq!(list(ConversationFilter { requester: Some("web:5".into()), ..all.clone() }).await, [5]);
    assert_eq!(list(ConversationFilter { queue: Some("default".into()), ..all.clone() }).await.len(), 5);
    assert!(list(ConversationFilter { queue: Some("other".into()), ..all }).await.is_empty());
    assert_eq!(rig.read.conversation(ConversationId(9)).await.unwrap(), None);
    rig.end().await;
}

pub(super) async fn labels_find_conversations(place: Fresh) {
    let rig = some(&place, 3).await;
    let label = |add: &[&str], remove: &[&str]| {
        let own = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Verb::Label { add: own(add), remove: own(remove) }
    };
    let found = async |label: &str| {
        let filter =
            ConversationFilter { label: Some(label.to_owned()), limit: 10, ..ConversationFilter::default() };
        ids(&rig.read.conversations(&filter).await.unwrap())
    };
    rig.done(verb(ConversationId(1), "l1", "ana", label(&["vpn", "floor-2"], &[]))).await;
    rig.done(verb(ConversationId(3), "l2", "ana", label(&["vpn"], &[]))).await;
    assert_eq!((found("vpn").await, found("floor-2").await), (vec![3, 1], vec![1]));
    assert_eq!(rig.state(ConversationId(1)).await.labels, ["floor-2", "vpn"]);
    rig.done(verb(ConversationId(1), "l3", "ana", label(&["wifi"], &["vpn"]))).await;
    assert_eq!((found("vpn").await, found("wifi").await), (vec![3], vec![1]));
    rig.done(verb(ConversationId(1), "l4", "ana", label(&[], &["wifi", "floor-2"]))).await;
    assert!(found("wifi").await.is_empty() && found("floor-2").await.is_empty());
    let both = ConversationFilter {
        label: Some("vpn".into()),
        stage: Some("closed".into()),
        limit: 10,
        ..ConversationFilter::default()
    };
    assert!(rig.read.conversations(&both).await.unwrap().is_empty());
    rig.done(verb(ConversationId(2), "p1", "ana", Verb::Priority { level: 7 })).await;
    assert_eq!(ids(&rig.read.waiting(10).await.unwrap()), [2, 1, 3]);
    rig.end().await;
}

pub(super) async fn people_are_found(place: Fresh) {
    let rig = some(&place, 3).await;
    let mut named = posted(4, "m4", "hello");
    let Target::Requester { requester, .. } = &mut named.target else { panic!("not by address") };
    requester.name = "María-José Núñez".to_owned();
    rig.done(named).await;
    let found = async |query: &str| {
        let rows = rig.read.people(query, 10).await.unwrap();
        rows.into_iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(found("nunez MAR").await, ["web:4"]);
    assert_eq!(found("josé").await, ["web:4"]);
    assert!(found("ose").await.is_empty() && found("").await.is_empty() && found("'; --").await.is_empty());
    assert_eq!(found("3").await, ["web:3"], "by what the platform calls them");
    rig.end().await;
}

pub(super) async fn the_queue_is_in_order(place: Fresh) {
    let rig = some(&place, 3).await;
    let mut urgent = posted(4, "m4", "everything is on fire");
    let Target::Requester { priority, .. } = &mut urgent.target else { panic!("not by address") };
    *priority = 9;
    rig.done(urgent).await;
    assert_eq!(ids(&rig.read.waiting(10).await.unwrap()), [4, 1, 2, 3]);
    assert_eq!(ids(&rig.read.waiting(2).await.unwrap()), [4, 1]);
    // An offer takes it out; a technician who went away puts it to the front of its priority.
    rig.done(proposed(&rig.state(ConversationId(1)).await, "ana", 3)).await;
    assert_eq!(ids(&rig.read.waiting(10).await.unwrap()), [4, 2, 3]);
    rig.done(verb(ConversationId(3), "c1", "bob", Verb::Accept)).await;
    let gone = deskbridge_conversation::RosterEvent::WentOffline { technician: "bob".into() };
    let gone = Apply {
        cause: Cause::Roster(ConversationId(3), "bob-off".into()),
        body: deskbridge_conversation::EventBody::Roster(gone),
        guard: None,
        ..proposed(&rig.state(ConversationId(3)).await, "bob", 3)
    };
    rig.done(gone).await;
    rig.advance(rig.policy.current().policy.timers(&"default".into()).offline_grace);
    let (_, due) = rig.read.due(rig.now(), 10).await.unwrap().into_iter().find(|(id, _)| id.0 == 3).unwrap();
    rig.done(timer(ConversationId(3), deskbridge_conversation::TimerKind::OfflineGrace, due)).await;
    assert_eq!(ids(&rig.read.waiting(10).await.unwrap()), [4, 3, 2]);
    rig.end().await;
}

pub(super) async fn technicians_have_theirs(place: Fresh) {
    let rig = some(&place, 4).await;
    let theirs = async |who: &str| ids(&rig.read.of_technician(&TechnicianId::from(who)).await.unwrap());
    rig.done(proposed(&rig.state(ConversationId(1)).await, "ana", 3)).await;
    rig.done(verb(ConversationId(2), "c1", "ana", Verb::Accept)).await;
    rig.done(verb(ConversationId(3), "c2", "bob", Verb::Accept)).await;
    let to = TransferTo::Technician { who: "ana".into(), available: true };
    rig.done(verb(ConversationId(3), "c3", "bob", Verb::Transfer { to })).await;
    assert_eq!(theirs("ana").await, [1, 2, 3]);
    assert_eq!(theirs("bob").await, [3]);
    rig.done(verb(ConversationId(2), "c4", "ana", Verb::Resolve { silently: true })).await;
    assert_eq!(theirs("ana").await, [1, 3]);
    assert!(theirs("cem").await.is_empty());
    rig.end().await;
}

pub(super) async fn waits_are_remembered(place: Fresh) {
    let rig = some(&place, 3).await;
    assert_eq!(rig.read.recent_waits(START, 10).await.unwrap(), []);
    rig.done(verb(ConversationId(1), "c1", "ana", Verb::Accept)).await;
    rig.advance(Duration::from_secs(10));
    rig.done(verb(ConversationId(2), "c2", "bob", Verb::Accept)).await;
    rig.advance(Duration::from_secs(10));
    // Another owner and the end of it all do not change how long they waited.
    rig.done(verb(ConversationId(1), "c3", "bob", Verb::TakeOver)).await;
    rig.done(verb(ConversationId(2), "c4", "bob", Verb::Resolve { silently: true })).await;
    let waits = rig.read.recent_waits(START, 10).await.unwrap();
    assert_eq!(waits, [("default".into(), 12), ("default".into(), 3)]);
    assert_eq!(rig.read.recent_waits(START, 1).await.unwrap().len(), 1);
    assert_eq!(rig.read.recent_waits(START + Duration::from_secs(10), 10).await.unwrap().len(), 1);
    rig.end().await;
}

pub(super) async fn requesters_see_less(place: Fresh) {
    let rig = some(&place, 1).await;
    let id = ConversationId(1);
    rig.done(said_by_outsider(id)).await;
    rig.done(verb(id, "c1", "ana", Verb::Accept)).await;
    rig.done(said(id, "c2", "ana", "on my way")).await;
    let all = rig.read.messages(id, 0, true, 100).await.unwrap();
    let seen = rig.read.messages(id, 0, false, 100).await.unwrap();
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert!(all.len() > seen.len());
    let allowed: Vec<MessageRow> =
        all.iter().filter(|row| crate::search::visible_to_requester(row.audience)).cloned().collect();
    assert_eq!(seen, allowed);
    assert!(seen.iter().any(|row| row.content.text == "on my way"));
    assert!(!seen.iter().any(|row| row.content.text == "who is this?"));
    assert_eq!(rig.read.messages(id, all[3].id.seq, true, 2).await.unwrap().len(), 2);
    assert!(rig.read.messages(id, 3, true, 100).await.unwrap().iter().all(|row| row.id.seq >= 3));
    rig.end().await;
}

fn said_by_outsider(id: ConversationId) -> Apply {
    said(id, "x1", "mallory", "who is this?")
}
