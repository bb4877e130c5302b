//! Reports about who gets a conversation, and about those that nobody got.

use deskbridge_conversation::{
    ConversationId, EventBody, OfferTo, Presence, RosterEvent, Stage, TechnicianId,
};
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::{Applied, Apply, Cause, Guard, Read as _, Refs, Target};

use super::{BOB, CEM, Case, OFFLINE, ROOMS};

fn proposal(case: &Case, guard: Option<Guard>, n: u32) -> Apply {
    Apply {
        cause: Cause::Roster(ConversationId(1), format!("late:{n}")),
        target: Target::Conversation(ConversationId(1)),
        at: case.town().running().bridge.now(),
        body: EventBody::Roster(RosterEvent::Proposed { to: OfferTo::One(TechnicianId::from("cem")) }),
        content: None,
        refs: Refs::default(),
        guard,
    }
}

#[tokio::test(start_paused = true)]
async fn t31_allocation_never_overwrites_what_people_did_meanwhile() {
    let cem = [CEM, OFFLINE].concat();
    let mut case = Case::begin(&[ROOMS, BOB, &cem]).await;
    case.plays("ana@telegram > I want to talk to a human").await;
    let seq = case.conversation(1).await.seq;
    case.plays("bob@slack#1 > (Accept)\npresence cem on").await;
    let writer = &case.town().running().bridge.writer;
    // As allocation asks: with what it saw as a guard.
    let late = proposal(&case, Some(Guard::Seq(seq)), 1);
    assert!(matches!(writer.apply(late).await, Ok(Applied::Refused)));
    // And even without.
    assert!(matches!(writer.apply(proposal(&case, None, 2)).await, Ok(Applied::Done { .. })));
    let conversation = case.conversation(1).await;
    assert_eq!(conversation.assignee(), Some(&TechnicianId::from("bob")));
    assert_eq!(conversation.occupies(), [TechnicianId::from("bob")]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t32_the_last_technician_is_asked_only_if_available() {
    for (word, expected) in [("on", "Bob"), ("busy", "Cem"), ("away", "Cem"), ("off", "Cem")] {
        let mut case = Case::begin(&[ROOMS, BOB, CEM]).await;
        case.plays(
            "ana@telegram > I want to talk to a human
            bob@slack#1 > (Accept)
            bob@slack#1 > !resolve",
        )
        .await;
        case.plays(&format!("presence bob {word}")).await;
        let seen = case.plays("ana@telegram > it broke again\nana@telegram > (Same issue)").await;
        seen.once(&["**, this is yours to accept", expected]);
        case.ends().await;
    }
}

#[tokio::test(start_paused = true)]
async fn t34_what_came_while_nobody_was_there_is_offered_when_somebody_comes() {
    let bob = [BOB, "capacity = 5\n", OFFLINE].concat();
    let mut case = Case::begin(&[ROOMS, &bob]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        eva@telegram > I want to talk to a human
        ... 3h",
    )
    .await;
    for conversation in case.conversations().await {
        assert!(conversation.is_waiting(), "waiting means offerable: {:?}", conversation.stage);
    }
    let seen = case.plays("presence bob on").await;
    assert_eq!(seen.count(&["**Bob**, this is yours to accept"]), 2);
    // Nobody has them, so nobody has taken them.
    let seen = case.plays("bob@slack#1 > (Accept)\nbob@slack#2 > (Accept)").await;
    assert_eq!(seen.count(&["has joined and will help you"]), 2, "{:#?}", seen.0);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t35_the_list_of_waiting_shows_an_entry_at_once_and_after_a_restart() {
    let bob = [BOB, OFFLINE].concat();
    let mut case = Case::begin(&[ROOMS, &bob]).await;
    let mut changes = case.town().running().bridge.bus.subscribe();
    case.plays("ana@telegram > I want to talk to a human").await;
    let mut told = false;
    while let Ok(commit) = changes.try_recv() {
        told |= commit.changes.iter().any(|change| change.conversation.is_waiting());
    }
    assert!(told, "live readers were not told");
    let filter =
        ConversationFilter { stage: Some("handover".into()), limit: 10, ..ConversationFilter::default() };
    assert_eq!(case.town().running().read.conversations(&filter).await.expect("readable").len(), 1);
    case.plays("restart").await;
    assert_eq!(case.town().running().read.conversations(&filter).await.expect("readable").len(), 1);
    case.plays("bob@slack#1 > (Accept)").await;
    assert!(case.town().running().read.conversations(&filter).await.expect("readable").is_empty());
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t36_every_way_of_allocation_takes_people_in_while_nobody_is_online() {
    for allocation in ["round-robin", "load-based", "first-accept"] {
        for auto_accept in [false, true] {
            let queue =
                format!("[queues.default]\nallocation = \"{allocation}\"\nauto_accept = {auto_accept}\n");
            let bob = [BOB, OFFLINE].concat();
            let mut case = Case::begin(&[ROOMS, &queue, &bob]).await;
            let seen = case.plays("ana@telegram > I want to talk to a human").await;
            seen.once(&["ana@telegram < I am connecting you"]);
            assert!(case.conversation(1).await.is_waiting());
            case.plays("... 20m\npresence bob on\nbob@slack#1 > !accept").await;
            let stage = case.conversation(1).await.stage;
            assert!(matches!(stage, Stage::Assigned(_)), "{allocation}, {auto_accept}: {stage:?}");
            case.ends().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn t38_a_transfer_to_somebody_who_is_off_is_refused_and_the_sender_keeps_it() {
    let cem = [CEM, OFFLINE].concat();
    let mut case = Case::begin(&[ROOMS, BOB, &cem]).await;
    case.plays("ana@telegram > I want to talk to a human\nbob@slack#1 > (Accept)").await;
    let seen = case.plays("bob@slack#1 > !transfer @cem").await;
    seen.once(&["(to bob alone) Not done (transfer): Cem is not available."]);
    // On when asked, off before answering: back to the sender at once.
    let seen = case.plays("presence cem on\nbob@slack#1 > !transfer @cem\npresence cem off").await;
    seen.once(&["**Cem** did not take it. The owner keeps it."]);
    assert_eq!(case.conversation(1).await.assignee(), Some(&TechnicianId::from("bob")));
    case.plays("bob@slack#1 > still me").await.once(&["ana@telegram < Bob: still me"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t39_capacity_holds_also_when_set_aside_conversations_come_back() {
    let bob = [BOB, "capacity = 1\n"].concat();
    let mut case = Case::begin(&[ROOMS, &bob]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        bob@slack#1 > !snooze 1h
        eva@telegram > I want to talk to a human
        bob@slack#2 > (Accept)
        ana@telegram > any news?
        bob@slack#2 > hello Eva",
    )
    .await;
    let load = async |case: &Case| {
        let rows = case.town().store.technicians().await.expect("readable");
        rows.into_iter().find(|row| row.id.as_str() == "bob").expect("bob").load
    };
    assert_eq!(load(&case).await, 2, "both count again");
    let seen = case.plays("luz@telegram > I want to talk to a human").await;
    seen.never(&["this is yours to accept"]);
    case.plays("bob@slack#1 > !resolve").await.never(&["this is yours to accept"]);
    let seen = case.plays("bob@slack#2 > !resolve").await;
    seen.once(&["desk@slack#3 < **Bob**, this is yours to accept"]);
    assert_eq!(load(&case).await, 1);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t41_somebody_without_the_skill_is_nobody_for_the_queue() {
    let rooms = ROOMS.replace("[channels.slack]", "queue = \"network\"\n[channels.slack]");
    let queue =
        "[queues.default]\n[queues.network]\ntechnicians = [\"bob\", \"cem\"]\nskills = [\"cisco\"]\n";
    let cem = [CEM, "skills = [\"cisco\"]\n", OFFLINE].concat();
    let mut case = Case::begin(&[&rooms, queue, BOB, &cem]).await;
    let seen = case.plays("ana@telegram > I want to talk to a human\n... 11m").await;
    seen.never(&["this is yours to accept"]);
    seen.once(&["ana@telegram < I am sorry, this takes longer than it should: nobody is free yet."]);
    case.plays("presence cem on").await.once(&["**Cem**, this is yours to accept"]);
    // The other one's words do not accept either; an express accept by a member does (D8).
    case.plays("bob@slack#1 > I can look").await.never(&["ana@telegram <"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t42_silence_of_the_technician_never_closes_a_conversation() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        bob@slack#1 > hello
        ana@telegram > it is still broken",
    )
    .await;
    let seen = case.plays("... 3h").await;
    seen.never(&["Are you still there?"]);
    seen.never(&["is closed"]);
    seen.once(&["**Bob**, no answer yet for 5 min."]);
    seen.once(&["Back in the queue, keeping its place"]);
    assert!(!matches!(case.conversation(1).await.stage, Stage::Closed(_)));
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t43_nothing_is_lost_when_technicians_leave_in_the_middle() {
    let cem = [CEM, OFFLINE].concat();
    let mut case = Case::begin(&[ROOMS, BOB, &cem]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        ana@telegram > one
        presence bob off
        ana@telegram > two
        ... 2m
        ana@telegram > three
        restart
        ana@telegram > four
        presence cem on
        cem@slack#1 > (Accept)
        ana@telegram > five",
    )
    .await;
    let rows = case.messages(1).await;
    let said: Vec<&str> = rows.iter().map(|row| row.content.text.as_str()).collect();
    let thread: Vec<String> =
        case.thread("slack", 1).into_iter().map(|message| message.content.text).collect();
    for word in ["one", "two", "three", "four", "five"] {
        assert_eq!(said.iter().filter(|text| **text == word).count(), 1, "{word} in the store");
        assert_eq!(thread.iter().filter(|text| *text == word).count(), 1, "{word} in the thread");
    }
    let presence = case.town().store.technicians().await.expect("readable");
    assert!(presence.iter().any(|row| row.id.as_str() == "bob" && row.presence == Presence::Offline));
    case.ends().await;
}
