//! Tables: who may do what.

use std::time::Duration;

use deskbridge_contract::{Address, ChannelName, Timestamp};

use super::tests::policy;
use super::*;
use crate::ids::{ConversationId, RequesterId};
use crate::policy::ReplyMode;
use crate::{
    Assigned, CloseReason, Closed, Conversation, Handover, HandoverReason, Offer, OfferTo, Requester, Stage,
};

fn conversation(stage: Stage) -> Conversation {
    let requester = Requester {
        id: RequesterId::from("tg:1"),
        name: "Kim".to_owned(),
        language: "en".to_owned(),
        picture: None,
        away: false,
    };
    let address = Address::room(&ChannelName::from("tg"), "1");
    let id = ConversationId(1);
    let mut conversation = Conversation::open(id, requester, address, "network".into(), 0, Timestamp::EPOCH);
    conversation.stage = stage;
    conversation
}

fn assigned() -> Stage {
    Stage::Assigned(Assigned {
        technician: "bob-marsh".into(),
        since: Timestamp::EPOCH,
        co_repliers: vec!["ana-diaz".into()],
        working: None,
        snoozed: None,
        transfer: None,
        offline: None,
        waited_since: Timestamp::EPOCH,
    })
}

fn offered(to: &str) -> Stage {
    Stage::Handover(Handover {
        since: Timestamp::EPOCH,
        reason: HandoverReason::Asked,
        offer: Some(Offer { to: OfferTo::One(to.into()), until: Timestamp::EPOCH }),
        excluded: Vec::new(),
        round: None,
        overdue: None,
        front: false,
    })
}

/// Verb by verb: (owner, co-replier from another queue, member, member in a `direct` room, stranger, supervisor).
#[test]
fn permissions_are_those_of_d17() {
    let policy = policy();
    let conversation = conversation(assigned());
    let everyone_concerned = [true, true, true, true, false, true];
    let repliers = [true, true, false, true, false, true];
    let own = [true, true, true, true, true, true];
    let message = MessageId { conversation: ConversationId(1), seq: 1, n: 0 };
    for (verb, expected) in [
        (Verb::Accept, everyone_concerned),
        (Verb::Decline, everyone_concerned),
        (Verb::Transfer { to: TransferTo::Queue("sap".into()) }, everyone_concerned),
        (Verb::Invite { who: "ana-diaz".into() }, everyone_concerned),
        (Verb::Ticket, everyone_concerned),
        (Verb::Priority { level: 2 }, everyone_concerned),
        (Verb::Label { add: vec!["vpn".into()], remove: Vec::new() }, everyone_concerned),
        (Verb::Summary, everyone_concerned),
        (Verb::Suggest, everyone_concerned),
        (Verb::Info, everyone_concerned),
        (Verb::Help, everyone_concerned),
        (Verb::Reopen, everyone_concerned),
        (Verb::Send { message }, everyone_concerned),
        (Verb::TakeOver, everyone_concerned),
        (Verb::Snooze { period: Duration::from_secs(60) }, repliers),
        (Verb::Handback, repliers),
        (Verb::Resolve { silently: false }, repliers),
        (Verb::Csat, repliers),
        (Verb::Leave, [true, true, false, false, false, true]),
        (Verb::Undo, own),
        (Verb::On, own),
        (Verb::Busy, own),
        (Verb::Off, own),
    ] {
        let people = [
            ("bob-marsh", Some(ReplyMode::Airlock)),
            ("ana-diaz", Some(ReplyMode::Airlock)),
            ("ana-lopez", None),
            ("ana-lopez", Some(ReplyMode::Direct)),
            ("stranger", Some(ReplyMode::Direct)),
            ("eve-chief", None),
        ];
        for ((who, mode), expected) in people.into_iter().zip(expected) {
            let answer = permitted(&verb, &who.into(), &conversation, &policy, mode);
            assert_eq!(answer.is_ok(), expected, "{} by {who} in {mode:?}: {answer:?}", verb.name());
            assert!(answer.err().is_none_or(|why| !why.is_empty()));
        }
    }
}

#[test]
fn whoever_is_asked_may_answer_the_offer() {
    let policy = policy();
    let conversation = conversation(offered("ana-diaz"));
    assert!(permitted(&Verb::Accept, &"ana-diaz".into(), &conversation, &policy, None).is_ok());
    assert!(
        permitted(&Verb::Accept, &"ana-lopez".into(), &conversation, &policy, None).is_ok(),
        "any member wins (D8)"
    );
    assert!(permitted(&Verb::Accept, &"stranger".into(), &conversation, &policy, None).is_err());
    assert!(
        permitted(&Verb::Resolve { silently: false }, &"ana-lopez".into(), &conversation, &policy, None)
            .is_err()
    );
}

#[test]
fn nobody_owns_a_closed_conversation() {
    let closed = Closed { at: Timestamp::EPOCH, how: CloseReason::TimedOut, asked: None, anew: false };
    let conversation = conversation(Stage::Closed(closed));
    assert!(permitted(&Verb::Reopen, &"bob-marsh".into(), &conversation, &policy(), None).is_ok());
    assert!(permitted(&Verb::Csat, &"bob-marsh".into(), &conversation, &policy(), None).is_err());
    assert!(permitted(&Verb::Csat, &"root".into(), &conversation, &policy(), None).is_ok());
}
