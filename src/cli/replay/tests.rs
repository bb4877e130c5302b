//! A log that leads to its state, and one that does not.
//!
//! Not here: the way through a database (`tests/it`).

use super::*;
use deskbridge_contract::{Address, ChannelName, RemoteMessageId, Timestamp};
use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::{Event, Gist, QueueFacts, Requester, RequesterEvent, RequesterId};

fn history(stamped: &Stamped) -> (Conversation, Vec<LogRow>) {
    let requester = Requester {
        id: RequesterId::from("telegram:1"),
        name: "Ana".into(),
        language: "en".into(),
        picture: None,
        away: false,
    };
    let address = Address::room(&ChannelName::from("telegram"), "1");
    let now = Timestamp::from_seconds(1_790_000_000);
    let mut conversation =
        Conversation::open(ConversationId(7), requester, address, QueueId::from("default"), 0, now);
    let mut log = Vec::new();
    for n in 1..=3 {
        let remote = RemoteMessageId::new(n.to_string());
        let gist = Gist { wish: None, wordless: false };
        let what = RequesterEvent::Posted { remote, gist, reply_to: None };
        let body = EventBody::Requester { session: SessionId(0), what };
        let event = Event { now, at: now, facts: QueueFacts::default(), body };
        conversation = step(conversation, &event, &stamped.policy).0;
        let cause = format!("in:telegram:{n}");
        log.push(LogRow {
            conversation: ConversationId(7),
            seq: n,
            cause,
            event,
            policy: stamped.hash.clone(),
        });
    }
    // A new name at the platform, which no event tells.
    conversation.requester.name = "Ana López".into();
    (conversation, log)
}

#[test]
fn a_log_that_leads_to_the_state() {
    let stamped = Stamped::new(Policy::default());
    let (stored, log) = history(&stamped);
    let report = replay(&stamped, &stored, &log);
    assert!(report.same, "{:?}", report.differences);
    assert_eq!((report.events, report.other_policy), (3, 0));
    assert_eq!(report.timeline[0].event, "requester posted");
    assert!(said(&report).contains("#7: 3 events lead to the stored state"));
}

#[test]
fn one_that_does_not() {
    let stamped = Stamped::new(Policy::default());
    let (mut stored, mut log) = history(&stamped);
    stored.turn += 1;
    log[0].policy = "another".into();
    let report = replay(&stamped, &stored, &log);
    assert!(!report.same);
    assert_eq!(report.differences.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["turn"]);
    let said = said(&report);
    assert!(said.contains("does NOT lead") && said.contains("1 of 3 events"), "{said}");
}

#[test]
fn numbers_are_read_both_ways() {
    assert_eq!(id("#1042"), Ok(ConversationId(1042)));
    assert_eq!(id("1042"), Ok(ConversationId(1042)));
    assert!(id("0").is_err() && id("-1").is_err() && id("ana").is_err());
}
