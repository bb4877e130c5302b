use std::sync::Arc;

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{Policy, QueueFacts, QueueId};
use deskbridge_store::{FactSource, Memory, PolicyHandle, Read, Writer};
use tokio::sync::mpsc;

use super::*;

struct NoFacts;

impl FactSource for NoFacts {
    fn facts(&self, _queue: &QueueId, _now: Timestamp) -> QueueFacts {
        QueueFacts::default()
    }
}

fn desk() -> EmbeddedDesk {
    let memory = Memory::new();
    let read: Arc<dyn Read> = Arc::new(memory.clone());
    let (committed, _) = mpsc::unbounded_channel();
    let clock = Arc::new(|| Timestamp::from_seconds(1_800_000_000));
    let (writer, _task) = Writer::start(
        Box::new(memory.backend()),
        PolicyHandle::new(Policy::default()),
        Arc::new(NoFacts),
        clock,
        committed,
    );
    EmbeddedDesk::new(writer, read)
}

fn ticket(key: &str, conversation: i64) -> NewTicket {
    NewTicket {
        key: key.to_owned(),
        conversation: ConversationId(conversation),
        summary: "Printer\r\nbroken".to_owned(),
        description: "first\r\nsecond\u{7}".to_owned(),
        priority: 2,
        requester: "Ana\nLopez".to_owned(),
        technician: None,
    }
}

#[tokio::test]
async fn a_ticket_has_one_number_however_often_it_is_created() {
    let desk = desk();
    let first = desk.create(&ticket("c1", 1)).await.expect("created");
    assert_eq!(first.number, "T-000001");
    assert_eq!(desk.create(&ticket("c1", 1)).await, Ok(first.clone()));
    let other = desk.create(&ticket("c2", 2)).await.expect("created");
    assert_eq!(other.number, "T-000002");
    let row = desk.of(ConversationId(1)).await.expect("read").expect("there");
    assert_eq!(row.summary, "Printer broken");
    assert_eq!(row.description, "first\nsecond");
    assert_eq!(row.requester, "Ana Lopez");
    assert_eq!(desk.ticket("T-000002").await.expect("read").map(|row| row.key), Some("c2".to_owned()));
}

/// T62: an internal comment is never public, and which it is is always said.
#[tokio::test]
async fn t62_comments_keep_their_visibility_and_come_once() {
    let desk = desk();
    let ticket = desk.create(&ticket("c1", 1)).await.expect("created").key;
    for _ in 0..2 {
        desk.comment(&ticket, "m1", "Bob", "On my way", Visibility::Public).await.expect("kept");
        desk.comment(&ticket, "m2", "Bob", "he is angry", Visibility::Internal).await.expect("kept");
    }
    let row = desk.ticket(&ticket).await.expect("read").expect("there");
    let comments: Vec<(&str, bool)> =
        row.comments.iter().map(|comment| (comment.text.as_str(), comment.public)).collect();
    assert_eq!(comments, [("On my way", true), ("he is angry", false)]);
}

#[tokio::test]
async fn changes_leave_their_history() {
    let desk = desk();
    let ticket = desk.create(&ticket("c1", 1)).await.expect("created").key;
    desk.assign(&ticket, "Bob").await.expect("assigned");
    desk.attach(&ticket, "0123", "screen\nshot.png").await.expect("attached");
    desk.set_status(&ticket, TicketStatus::Resolved, "Bob").await.expect("resolved");
    let row = desk.ticket(&ticket).await.expect("read").expect("there");
    assert_eq!(row.status, TicketStatus::Resolved);
    assert_eq!(row.technician.as_deref(), Some("Bob"));
    assert_eq!(row.attachments[0].name, "screen shot.png");
    let history: Vec<&str> = row.history.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(history, ["opened", "technician: Bob", "attachment: screen shot.png", "status: resolved"]);
}

#[tokio::test]
async fn what_is_no_ticket_is_refused() {
    let desk = desk();
    for name in ["99", "T-000099", "", "T-", "-1", "T-1x", "1; drop table tickets", "99999999999999999999"] {
        let refused = desk.set_status(name, TicketStatus::Closed, "Bob").await;
        assert_eq!(refused, Err(TicketError::Refused("no such ticket".to_owned())), "{name}");
    }
}

/// D15: trying again would not help.
#[tokio::test]
async fn a_conversation_has_one_open_ticket() {
    let desk = desk();
    let first = desk.create(&ticket("c1", 1)).await.expect("created");
    assert!(matches!(desk.create(&ticket("c2", 1)).await, Err(TicketError::Refused(_))));
    desk.set_status(&first.key, TicketStatus::Closed, "Bob").await.expect("closed");
    assert_eq!(desk.create(&ticket("c3", 1)).await.map(|ticket| ticket.number), Ok("T-000002".to_owned()));
}

#[tokio::test]
async fn a_ticket_always_has_a_first_line_and_it_is_short() {
    let desk = desk();
    desk.create(&NewTicket { summary: "\r\n \t".to_owned(), ..ticket("c1", 7) }).await.expect("created");
    let long = NewTicket { summary: "ü".repeat(5_000), ..ticket("c2", 8) };
    desk.create(&long).await.expect("created");
    let summary = |row: Option<deskbridge_store::rows::TicketRow>| row.expect("there").summary;
    assert_eq!(summary(desk.of(ConversationId(7)).await.expect("read")), "#7");
    assert_eq!(summary(desk.of(ConversationId(8)).await.expect("read")).chars().count(), 200);
}
