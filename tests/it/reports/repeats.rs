//! Reports about things that came twice, late, or back as an echo.

use std::time::Duration;

use deskbridge_contract::OperationKind;
use deskbridge_sim::{BRIDGE, Fault, On};
use tokio::time::Instant;

use super::{BOB, Case, ROOMS};

#[tokio::test(start_paused = true)]
async fn t01_the_same_event_again_is_one_message_and_one_turn() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "ana@telegram > my screen is black
        redeliver telegram last
        redeliver telegram last
        ... 10m
        redeliver telegram 1",
    )
    .await;
    case.all().once(&["ana@telegram < ✨"]);
    assert_eq!(case.turns(1).await, 1);
    assert_eq!(case.public(1, "my screen is black").await, 1 + 1, "once said, once in the answer");
    assert_eq!(case.conversations().await.len(), 1);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t02_a_retry_whose_first_delivery_never_arrived_is_an_event_like_any_other() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays("stop").await;
    let seen = case
        .plays(
            "ana@telegram > my screen is black
            start
            redeliver telegram rest",
        )
        .await;
    seen.once(&["ana@telegram < ✨", "my screen is black"]);
    case.plays("redeliver telegram last").await.never(&["ana@telegram <"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t04_a_late_retry_after_the_ticket_was_opened_leaves_one_copy() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "ana@telegram > my screen is black
        ana@telegram > (Talk to a human)
        bob@slack#1 > (Accept)
        ana@telegram > it is the left one
        redeliver telegram 1
        redeliver telegram 3
        bob@slack#1 > !resolve
        redeliver telegram 1",
    )
    .await;
    case.all().once(&["desk@slack#1 < Ana: it is the left one"]);
    let read = case.town().running().read.clone();
    let ticket = read.ticket_of(case.conversation(1).await.id).await.expect("readable").expect("a ticket");
    let transcripts: Vec<&str> = ticket.comments.iter().map(|comment| comment.text.as_str()).collect();
    assert_eq!(transcripts.len(), 1);
    assert_eq!(transcripts[0].matches("Ana: it is the left one").count(), 1, "{}", transcripts[0]);
    assert_eq!(transcripts[0].matches("Ana: my screen is black").count(), 1, "{}", transcripts[0]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t05_what_a_bridge_says_never_comes_back_in() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "person relay@telegram bot
        person relay@slack bot
        ana@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        bob@slack#1 > hello",
    )
    .await;
    // Another bridge sits in the private chat and in the desk's thread, and repeats what it hears.
    let before = case.conversation(1).await.seq;
    let seen = case
        .plays(
            "relay@telegram > Bob: hello
            relay@slack#1 > Bob: hello
            relay@slack#1 > Only technicians of this desk can do that.
            relay@slack#1 > !resolve",
        )
        .await;
    assert!(seen.0.is_empty(), "the echo was answered: {:#?}", seen.0);
    assert_eq!(case.conversation(1).await.seq, before, "the echo was taken for an event");
    assert_eq!(case.conversations().await.len(), 1);
    for channel in ["telegram", "slack"] {
        let events = case.town().world(channel).events();
        assert!(events.iter().all(|event| event.inbound.from.id.as_str() != BRIDGE), "own words came in");
    }
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t06_the_platform_is_answered_before_the_work_is_done() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays("ana@telegram > I want to talk to a human").await;
    let slack = case.town().world("slack").clone();
    slack.fail_always(On::room("desk").and_kind(OperationKind::Post), Fault::Slow);
    let telegram = case.town().world("telegram").clone();
    let started = Instant::now();
    let pushed = telegram.say("ana", &telegram.direct("ana"), "are you there").await.expect("taken");
    assert!(started.elapsed() < Duration::from_millis(10), "the answer waited for the desk");
    // The platform was impatient all the same.
    let again = telegram.redeliver(pushed.event.expect("an event")).await.expect("taken");
    assert!(again.duplicate);
    slack.until(|slack| slack.held() > 0).await;
    slack.heal();
    slack.release();
    case.plays("... 1m").await.once(&["desk@slack#1 < Ana: are you there"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t07_editing_a_message_with_a_file_edits_it_and_posts_nothing() {
    let rooms = ROOMS.replace("channels.telegram", "channels.slack-help");
    let mut case = Case::begin(&[&rooms, BOB]).await;
    case.plays(
        "ana@slack-help > I want to talk to a human
        bob@slack#1 > (Accept)
        ana@slack-help > file log.txt here is the log",
    )
    .await;
    let before = case.thread("slack", 1).len();
    let seen = case.plays("ana@slack-help > edit: here is the right log").await;
    seen.once(&["desk@slack#1 < ~ Ana: here is the right log 📎 log.txt"]);
    assert_eq!(seen.0.len(), 1);
    assert_eq!(case.thread("slack", 1).len(), before);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t10_a_message_with_four_files_arrives_as_one_in_its_order() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        bob@slack#1 > files a.txt,b.txt,c.txt,d.txt please try these
        ana@telegram > files 1.txt,2.txt,3.txt,4.txt I did",
    )
    .await;
    let seen = case.all();
    seen.once(&["ana@telegram < Bob: please try these 📎 a.txt 📎 b.txt 📎 c.txt 📎 d.txt"]);
    seen.once(&["desk@slack#1 < Ana: I did 📎 1.txt 📎 2.txt 📎 3.txt 📎 4.txt"]);
    seen.once(&["please try these", "📎"]);
    case.ends().await;
}
