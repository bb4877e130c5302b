//! Reports about an assistant that spoke where a person did, and about people who took over.

use deskbridge_conversation::{AssistantEvent, EventBody, Stage};
use deskbridge_store::Read as _;

use super::{BOB, CEM, Case, ROOMS};

#[tokio::test(start_paused = true)]
async fn t16_a_reply_without_taking_over_claims_or_stays_inside_and_the_assistant_is_silent() {
    // The offered technician, in the thread.
    let mut case = Case::begin(&[ROOMS, BOB, CEM]).await;
    let seen = case
        .plays(
            "ana@telegram > I want to talk to a human
            cem@slack#1 > I know this one
            bob@slack#1 > Hi Ana",
        )
        .await;
    seen.never(&["ana@telegram < Cem"]);
    seen.once(&["ana@telegram < Bob: Hi Ana"]);
    // From the console, over the assistant.
    let seen = case
        .plays(
            "eva@telegram > slow question
            cem@console#2 > Hi Eva
            assistant goes on
            eva@telegram > thanks
            ana@telegram > thanks",
        )
        .await;
    seen.once(&["eva@telegram < Cem: Hi Eva"]);
    seen.never(&["< ✨"]);
    assert!(matches!(case.conversation(2).await.stage, Stage::Assigned(_)));
    case.ends().await;
    // In a `direct` room, whoever writes.
    let direct = ROOMS.replace("room = \"desk\"", "room = \"desk\"\nreply_mode = \"direct\"");
    let mut case = Case::begin(&[&direct, BOB, CEM]).await;
    let seen = case
        .plays(
            "ana@telegram > I want to talk to a human
            cem@slack#1 > Hi from Cem
            ana@telegram > hello",
        )
        .await;
    seen.once(&["ana@telegram < Cem: Hi from Cem"]);
    seen.never(&["< ✨"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t17_a_turn_that_began_before_the_takeover_posts_nothing_after_it() {
    // Still thinking.
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    let seen = case
        .plays(
            "ana@telegram > slow question
            bob@console#1 > !takeover
            assistant goes on
            ... 1m",
        )
        .await;
    seen.never(&["ana@telegram < ✨"]);
    // Thought, stored and waiting for the platform: the send itself is refused.
    let seen = case
        .plays(
            "fault eva@telegram post retry-30s
            eva@telegram > quick question
            bob@console#2 > !takeover
            ... 2m",
        )
        .await;
    let answered = case.public(2, "You said “quick question”").await;
    assert_eq!(answered, 1, "the answer was there");
    seen.never(&["eva@telegram < ✨"]);
    seen.once(&["eva@telegram < **Bob** has joined"]);
    // An answer that comes in later by itself changes nothing either.
    let log = case.town().store.log(case.conversation(1).await.id, 1, 100).await.expect("readable");
    let late = |row: &&deskbridge_store::rows::LogRow| {
        matches!(&row.event.body, EventBody::Assistant(AssistantEvent::Answered { .. }))
    };
    assert!(log.iter().filter(late).count() <= 1);
    assert_eq!(case.public(1, "You said").await, 0);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t23_two_quick_messages_are_one_turn_and_a_third_supersedes_it() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    let seen = case
        .plays(
            "ana@telegram >> my printer
            ana@telegram > is jammed",
        )
        .await;
    seen.once(&["ana@telegram < ✨", "my printer", "is jammed"]);
    assert_eq!(case.turns(1).await, 1);
    let seen = case
        .plays(
            "eva@telegram > slow question
            eva@telegram > it is about the VPN
            assistant goes on",
        )
        .await;
    seen.once(&["eva@telegram < ✨", "slow question", "it is about the VPN"]);
    assert_eq!(seen.count(&["eva@telegram < ✨"]), 1);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t25_an_assistant_that_is_gone_leaves_nobody_behind() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    let seen = case
        .plays(
            "ana@telegram > hang for ever
            eva@telegram > crash at once
            ... 70s",
        )
        .await;
    assert_eq!(seen.count(&["< I am connecting you with a technician."]), 2, "{:#?}", seen.0);
    for conversation in case.conversations().await {
        assert!(matches!(conversation.stage, Stage::Handover(_)), "{:?}", conversation.stage);
        assert_eq!(conversation.assignee(), None);
    }
    case.plays("bob@slack#1 > !accept").await.once(&["eva@telegram < **Bob** has joined"]);
    case.plays("bob@slack#1 > hello").await.once(&["eva@telegram < Bob: hello"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t27_an_empty_turn_ends_and_so_does_the_typing() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    let mut live = case.town().world("telegram").subscribe();
    case.plays("ana@telegram > mute please").await.once(&["ana@telegram < I am connecting you"]);
    while live.try_recv().is_ok() {}
    case.plays("... 5m").await;
    let mut typing = 0;
    while let Ok(next) = live.try_recv() {
        typing += usize::from(matches!(next.change, deskbridge_sim::Change::Typing { .. }));
    }
    assert_eq!(typing, 0, "somebody is typing for ever");
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t28_a_takeover_keeps_the_conversation_and_its_session() {
    let mut case = Case::begin(&[ROOMS, BOB, CEM]).await;
    case.plays(
        "ana@telegram > my screen is black
        bob@console#1 > !takeover
        ana@telegram > still black
        cem@console#1 > !takeover
        ana@telegram > and now it beeps",
    )
    .await;
    let seen = case.all();
    seen.once(&["desk@slack#1 < Ana: still black"]);
    seen.once(&["desk@slack#1 < Ana: and now it beeps"]);
    seen.never(&["is closed"]);
    let all = case.conversations().await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].sessions.iter().filter(|session| session.address.room.as_str() == "dm-ana").count(), 1);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t64_hand_back_does_not_wait_for_the_ticket() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    let seen = case
        .plays(
            "ana@telegram > I want to talk to a human
            bob@slack#1 > (Accept)
            bob@slack#1 > !handback
            ana@telegram > how do I lock my screen
            show tickets",
        )
        .await;
    seen.once(&["ana@telegram < ✨", "how do I lock my screen"]);
    seen.once(&["ticket@store < T-000001", "open"]);
    case.ends().await;
}
