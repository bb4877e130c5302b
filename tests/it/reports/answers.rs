//! Reports about handovers: silent ones, promised ones, endless ones, unmeasured ones.

use std::time::Duration;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{HandoverReason, Stage};
use deskbridge_store::Read as _;

use super::{BOB, Case, ROOMS};
use crate::harness::START;

#[tokio::test(start_paused = true)]
async fn t19_whatever_leads_to_people_the_requester_is_told_once() {
    let never = "[handover]\nconfirm = \"never\"\n";
    let ways: [(&str, &str, HandoverReason); 7] = [
        ("", "ana@telegram > I want to talk to a human", HandoverReason::Asked),
        ("", "ana@telegram > hello\nana@telegram > (Talk to a human)", HandoverReason::Asked),
        ("", "ana@telegram > unsure about this\nana@telegram > (Yes, please)", HandoverReason::LowConfidence),
        (never, "ana@telegram > unsure about this", HandoverReason::LowConfidence),
        (never, "ana@telegram > a policy matter", HandoverReason::PolicyTopic),
        (never, "ana@telegram > a tool for this", HandoverReason::ToolCall),
        ("", "ana@telegram > crash please", HandoverReason::AssistantFailed),
    ];
    for (settings, steps, reason) in ways {
        let mut case = Case::begin(&[ROOMS, settings, BOB]).await;
        let seen = case.plays(steps).await;
        seen.once(&["ana@telegram < I am connecting you with a technician. You are next."]);
        let conversation = case.conversation(1).await;
        let Stage::Handover(handover) = &conversation.stage else { panic!("{steps}: {conversation:?}") };
        assert_eq!(handover.reason, reason, "{steps}");
        case.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn t20_words_promise_nothing_only_the_handover_itself_is_one() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    let seen = case.plays("ana@telegram > promise me something\n... 5m").await;
    seen.once(&["ana@telegram < ✨ I am connecting you with a technician now."]);
    seen.never(&["desk@slack"]);
    assert!(matches!(case.conversation(1).await.stage, Stage::Assisting(_)));
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t21_what_was_settled_does_not_lead_to_people_again() {
    let mut case = Case::begin(&[ROOMS, "[handover]\nconfirm = \"never\"\n", BOB]).await;
    case.plays(
        "ana@telegram > unsure about this
        bob@slack#1 > (Accept)
        bob@slack#1 > !handback",
    )
    .await;
    let seen = case.plays("ana@telegram > and how do I lock it").await;
    seen.once(&["ana@telegram < ✨ You said “and how do I lock it”. (1 in this stretch)"]);
    seen.never(&["I am connecting you"]);
    case.plays(
        "ana@telegram > /close
        ana@telegram > my mouse is dead",
    )
    .await;
    let seen = case.plays("ana@telegram > (New request)").await;
    seen.once(&["ana@telegram < ✨ You said “my mouse is dead”. (1 in this stretch)"]);
    seen.never(&["I am connecting you"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t24_the_wait_begins_with_the_handover_and_is_measured() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays("ana@telegram > my screen is black\n... 5m\nana@telegram > (Talk to a human)").await;
    let conversation = case.conversation(1).await;
    let Stage::Handover(handover) = &conversation.stage else { panic!("{conversation:?}") };
    let asked = Timestamp(START) + Duration::from_secs(8 + 5 * 60);
    assert!(handover.since >= asked && handover.since.since(asked) < Duration::from_secs(1));
    case.plays("... 22s\nbob@slack#1 > (Accept)").await.once(&["**Bob** accepted after 30 s."]);
    let waits = case.town().store.recent_waits(Timestamp(START), 10).await.expect("readable");
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].1, 30);
    // Back in the queue, the age is kept (D10).
    case.plays("presence bob off\n... 2m").await;
    let Stage::Handover(again) = case.conversation(1).await.stage else { panic!("not in the queue") };
    assert_eq!(again.since, handover.since);
    case.ends().await;
}
