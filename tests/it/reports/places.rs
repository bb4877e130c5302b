//! Reports about threads that vanished, people who were taken for others, and loops with ourselves.

use deskbridge_conversation::{Effect, TicketStatus};
use futures_util::future::join_all;

use super::{BOB, Case, ROOMS};

const TOPICS: &str = r#"
[channels.telegram-help]
adapter = "sim"
[channels.telegram]
adapter = "sim"
requesters = false
[channels.telegram.desk]
room = "desk"
[desk]
undo_window = "0s"
[[technicians]]
name = "Bob"
identities = ["telegram:bob"]
"#;

#[tokio::test(start_paused = true)]
async fn t44_a_deleted_topic_is_made_again_and_nothing_is_lost() {
    let mut case = Case::begin(&[TOPICS]).await;
    case.plays(
        "ana@telegram-help > I want to talk to a human
        bob@telegram#1 > (Accept)
        bob@telegram#1 > delete-thread
        ana@telegram-help > are you there
        ana@telegram-help > hello?
        bob@telegram#2 > here I am",
    )
    .await;
    let seen = case.all();
    seen.once(&["desk@telegram#2 < card #1"]);
    seen.once(&["desk@telegram#2 < Ana: are you there"]);
    seen.once(&["desk@telegram#2 < Ana: hello?"]);
    seen.once(&["ana@telegram-help < Bob: here I am"]);
    // Nothing of a desk falls into the room itself.
    let world = case.town().world("telegram");
    assert!(world.messages(&world.room("desk")).is_empty());
    // Deleted again while much is under way.
    case.plays(
        "bob@telegram#2 > delete-thread
        ana@telegram-help >> a
        ana@telegram-help >> b
        bob@console#1 >> c
        ana@telegram-help > d",
    )
    .await;
    let thread: Vec<String> = case.thread("telegram", 3).into_iter().map(|m| m.content.text).collect();
    for word in ["a", "b", "c", "d"] {
        assert_eq!(thread.iter().filter(|text| *text == word).count(), 1, "{word} in {thread:#?}");
    }
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t47_a_thread_that_refuses_posts_is_a_visible_fault() {
    let rooms = TOPICS.replace(
        "[desk]\n",
        "[channels.slack]\nadapter = \"sim\"\nrequesters = false\n[channels.slack.desk]\nroom = \"desk\"\n[desk]\n",
    );
    let mut case = Case::begin(&[&rooms]).await;
    case.plays("ana@telegram-help > I want to talk to a human\nbob@telegram#1 > (Accept)").await;
    let seen = case
        .plays(
            "fault desk@telegram post rejected always
            ana@telegram-help > are you there
            ana@telegram-help > hello?",
        )
        .await;
    // The busy topic cannot say it; the queue's other room does, once.
    seen.once(&["desk@slack#1 < ⚠️ Something could not be shown here"]);
    let failed = case.outbox(1).await.into_iter().filter(|row| row.state.name() == "failed").count();
    assert!(failed >= 2, "and the deliveries say why");
    // The console and the other room still work.
    case.plays("bob@console#1 > I am here").await.once(&["ana@telegram-help < Bob: I am here"]);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t54_people_are_told_apart_by_their_id_alone() {
    let rooms = ROOMS.replace("[channels.slack]", "[channels.widget]\nadapter = \"sim\"\n[channels.slack]");
    let mut case = Case::begin(&[&rooms, BOB]).await;
    case.plays(
        "person ana@telegram name=Ana_Lopez email=ana@example.com
        person an2@telegram name=Ana_Lopez email=ana@example.com
        person ana@widget name=Ana_Lopez email=ana@example.com
        ana@telegram > one
        an2@telegram > two
        ana@widget > three
        person ana@telegram name=Ana_Maria
        ana@telegram > four",
    )
    .await;
    let all = case.conversations().await;
    let ids: Vec<&str> = all.iter().map(|conversation| conversation.requester.id.as_str()).collect();
    assert_eq!(ids, ["telegram:ana", "telegram:an2", "widget:ana"]);
    let names: Vec<&str> = all.iter().map(|conversation| conversation.requester.name.as_str()).collect();
    assert_eq!(names, ["Ana Maria", "Ana Lopez", "Ana Lopez"], "one's new name is not another's");
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t55_a_first_message_that_comes_in_many_times_at_once_makes_one_requester() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays("stop\nana@telegram > my screen is black\nstart").await;
    let telegram = case.town().world("telegram").clone();
    let receipts = join_all((0..20).map(|_| telegram.redeliver(1))).await;
    let new =
        receipts.iter().filter(|receipt| receipt.as_ref().is_ok_and(|receipt| !receipt.duplicate)).count();
    assert_eq!(new, 1);
    case.plays("... 1m").await;
    let all = case.conversations().await;
    assert_eq!(all.len(), 1);
    assert_eq!(case.turns(1).await, 1);
    case.ends().await;
}

#[tokio::test(start_paused = true)]
async fn t56_our_own_change_of_a_ticket_coming_back_changes_nothing() {
    let mut case = Case::begin(&[ROOMS, BOB]).await;
    case.plays(
        "ana@telegram > I want to talk to a human
        bob@slack#1 > (Accept)
        bob@slack#1 > !resolve",
    )
    .await;
    let asked = async |case: &Case| {
        let rows = case.outbox(1).await;
        rows.iter().filter(|row| matches!(row.effect, Effect::SetTicketStatus { .. })).count()
    };
    let before = asked(&case).await;
    let seen = case.plays("ticket 1 resolved\nticket 1 resolved").await;
    assert!(seen.0.is_empty(), "{:#?}", seen.0);
    assert_eq!(asked(&case).await, before, "the change was sent back to where it came from");
    let ticket = case.conversation(1).await.ticket;
    let deskbridge_conversation::TicketLink::Linked { status, .. } = ticket else { panic!("{ticket:?}") };
    assert_eq!(status, TicketStatus::Resolved);
    case.ends().await;
}
