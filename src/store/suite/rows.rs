//! Everything beside conversations: search, tickets, shelves, tokens, files, the audit trail; and starting again.
//!
//! Not here: lists of conversations (`lists`).

use std::time::Duration;

use deskbridge_contract::{
    Attachment, AttachmentKind, AttachmentSource, BlobId, ChannelName, Content, RemoteFileId,
};
use deskbridge_conversation::{
    ConversationId, DeskEvent, MessageId, PostIntent, RequesterVerb, TechnicianId, TicketStatus, Verb,
};
use futures_util::future::join_all;

use super::events::*;
use super::rig::{Fresh, Rig, START, people_only, text};
use crate::job::TicketOp;
use crate::read::Counts;
use crate::rows::*;
use crate::*;

const FIRST: ConversationId = ConversationId(1);

pub(super) async fn a_restart_sees_the_same(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    rig.done(posted(1, "m1", "printer broken")).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    let row = rig.read.open_outbox(None, 1).await.unwrap().remove(0);
    let lease_until = rig.now() + Duration::from_secs(60);
    rig.writer.begin(Begin { effect: row.id, lease_until }).await.unwrap();
    let (before, state, open) =
        (rig.exported().await, rig.state(FIRST).await, rig.read.open_outbox(None, 100).await.unwrap());
    assert!(before.lines().count() > 20);
    rig.end().await;
    let rig = Rig::start_with(&place, people_only()).await;
    assert_eq!(rig.exported().await, before);
    assert_eq!(rig.state(FIRST).await, state);
    let found = rig.read.open_outbox(None, 100).await.unwrap();
    assert_eq!(found, open);
    // The attempt is found open: whoever finds it knows that nobody knows how it ended.
    assert_eq!((found[0].state, found[0].lease_until), (DeliveryState::Attempting, Some(lease_until)));
    assert_eq!(rig.done(posted(1, "m2", "hello?")).await.seq, state.seq + 1);
    assert_eq!(rig.done(posted(2, "m3", "mine too")).await.id.0, 2);
    rig.end().await;
}

pub(super) async fn words_are_found(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    rig.done(posted(1, "m1", "Der Drucker druckt nicht, não imprime")).await;
    rig.advance(Duration::from_secs(1));
    rig.done(posted(2, "m2", "Drucker im Keller brennt")).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    let note = DeskEvent::Posted { remote: None, intent: PostIntent::Note, reply_to: None };
    let note = Apply { content: text("drucker is hopeless"), ..in_console(FIRST, "c2", "ana", note) };
    rig.advance(Duration::from_secs(1));
    rig.done(note).await;
    rig.writer.index_search().await;
    let find = async |query: &str, internal: bool| -> Vec<(i64, u64)> {
        let hits = rig.read.search(query, internal, None, 10).await.unwrap();
        hits.iter().map(|hit| (hit.conversation.0, hit.message.seq)).collect()
    };
    assert_eq!(find("drucker", false).await, [(2, 1), (1, 1)], "newest first");
    assert_eq!(find("drucker", true).await.len(), 3);
    assert_eq!(find("DRUCK", false).await.len(), 2, "the beginning of a word");
    assert_eq!(find("drucker keller", false).await, [(2, 1)], "all words");
    assert_eq!(find("nao", false).await, [(1, 1)], "without accents");
    assert_eq!(find("toner", false).await, []);
    assert_eq!(find("\"*' OR (", false).await, []);
    assert_eq!(rig.read.search("drucker", true, None, 1).await.unwrap().len(), 1);
    let before = rig.read.search("drucker", true, Some(START + Duration::from_secs(1)), 10).await.unwrap();
    assert_eq!(before.len(), 1);
    assert!(before[0].snippet.contains("Der Drucker druckt nicht"));
    rig.done(edited(2, "e1", "m2", "Nothing any more")).await;
    rig.done(deleted(1, "e2", "m1")).await;
    rig.writer.index_search().await;
    assert_eq!(find("drucker", false).await, []);
    assert_eq!(find("nothing", false).await, [(2, 1)]);
    rig.end().await;
}

fn ticket(key: &str, conversation: Option<i64>) -> Admin {
    Admin::Ticket(TicketOp::Create {
        key: key.to_owned(),
        conversation: conversation.map(ConversationId),
        summary: format!("summary of {key}"),
        description: "long".to_owned(),
        priority: 2,
        requester: "Requester 1".to_owned(),
        technician: None,
    })
}

pub(super) async fn tickets_are_made_once(place: Fresh) {
    let rig = Rig::start(&place).await;
    let answers = join_all((0..100).map(|n| rig.writer.admin(ticket(["a", "b"][n % 2], None)))).await;
    let created =
        answers.iter().filter(|answer| matches!(answer, Ok(AdminDone::Ticket { created: true, .. }))).count();
    assert_eq!(created, 2);
    assert_eq!(
        rig.writer.admin(ticket("a", None)).await,
        Ok(AdminDone::Ticket { number: 1, created: false })
    );
    assert_eq!(
        rig.writer.admin(ticket("b", None)).await,
        Ok(AdminDone::Ticket { number: 2, created: false })
    );
    rig.end().await;
    let rig = Rig::start(&place).await;
    assert_eq!(
        rig.writer.admin(ticket("c", Some(1))).await,
        Ok(AdminDone::Ticket { number: 3, created: true })
    );
    let row = rig.read.ticket(3).await.unwrap().unwrap();
    assert_eq!(
        (row.key.as_str(), row.summary.as_str(), row.status),
        ("c", "summary of c", TicketStatus::Open)
    );
    assert_eq!(rig.read.ticket_of(FIRST).await.unwrap().map(|ticket| ticket.number), Some(3));
    assert_eq!(rig.read.ticket_of(ConversationId(2)).await.unwrap(), None);
    let numbers = |rows: Vec<TicketRow>| rows.iter().map(|ticket| ticket.number).collect::<Vec<_>>();
    assert_eq!(numbers(rig.read.tickets(None, 2).await.unwrap()), [3, 2]);
    assert_eq!(numbers(rig.read.tickets(Some(2), 2).await.unwrap()), [1]);
    let found = async |query: &str, before: Option<i64>| {
        numbers(rig.read.tickets_found(query, before, 2).await.unwrap())
    };
    assert_eq!(found("SUMM c", None).await, [3]);
    assert_eq!((found("summary", None).await, found("summary", Some(3)).await), (vec![3, 2], vec![2, 1]));
    assert_eq!((found("T-000002", None).await, found("ummary", None).await), (vec![2], vec![]));
    // One open ticket per conversation (D15).
    assert!(matches!(rig.writer.admin(ticket("d", Some(1))).await, Err(StoreError::Conflict(_))));
    let resolve = TicketOp::SetStatus { number: 3, status: TicketStatus::Resolved, by: "ana".into() };
    rig.writer.admin(Admin::Ticket(resolve)).await.unwrap();
    let again = rig.writer.admin(ticket("d", Some(1))).await;
    assert_eq!(again, Ok(AdminDone::Ticket { number: 4, created: true }), "no number is lost");
    rig.end().await;
}

pub(super) async fn ticket_changes_are_kept(place: Fresh) {
    let rig = Rig::start(&place).await;
    rig.writer.admin(ticket("a", None)).await.unwrap();
    rig.advance(Duration::from_secs(60));
    let comment = |key: &str, text: &str, public| {
        let (key, author, text) = (key.to_owned(), "ana".to_owned(), text.to_owned());
        TicketOp::Comment { number: 1, key, author, text, public }
    };
    let attach = TicketOp::Attach { number: 1, blob: "b1".into(), name: "photo.jpg".into() };
    let ops = [
        comment("k1", "seen", true),
        comment("k1", "seen", true),
        comment("k2", "hopeless", false),
        attach.clone(),
        TicketOp::SetTechnician { number: 1, technician: Some("ana".into()), by: "bob".into() },
        TicketOp::SetStatus { number: 1, status: TicketStatus::Closed, by: "ana".into() },
    ];
    join_all(ops.into_iter().map(|op| rig.writer.admin(Admin::Ticket(op)))).await;
    for again in [comment("k2", "hopeless", false), attach] {
        rig.writer.admin(Admin::Ticket(again)).await.unwrap();
    }
    let row = rig.read.ticket(1).await.unwrap().unwrap();
    let comments: Vec<(&str, bool)> = row.comments.iter().map(|c| (c.text.as_str(), c.public)).collect();
    assert_eq!(comments, [("seen", true), ("hopeless", false)]);
    assert_eq!(row.attachments, [TicketAttachment { blob: "b1".into(), name: "photo.jpg".into() }]);
    assert_eq!((row.status, row.technician.as_deref()), (TicketStatus::Closed, Some("ana")));
    assert_eq!((row.created, row.updated), (START, rig.now()));
    let history: Vec<&str> = row.history.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(history.len(), 6, "{history:?}");
    assert_eq!((history[0], history[5]), ("opened", "status: closed"));
    let nobody = TicketOp::SetStatus { number: 9, status: TicketStatus::Open, by: "ana".into() };
    assert_eq!(rig.writer.admin(Admin::Ticket(nobody)).await, Ok(AdminDone::Unknown));
    rig.end().await;
}

pub(super) async fn shelves_keep_the_latest(place: Fresh) {
    let rig = Rig::start(&place).await;
    let put = |channel: &str, key: &str, value: &str| {
        let channel = ChannelName::from(channel);
        rig.writer.admin(Admin::PutShelf { channel, key: key.to_owned(), value: value.to_owned() })
    };
    join_all([put("web", "cursor", "1"), put("desk", "cursor", "9"), put("web", "cursor", "2")]).await;
    let get =
        async |channel: &str, key: &str| rig.read.shelf(&ChannelName::from(channel), key).await.unwrap();
    assert_eq!(get("web", "cursor").await.as_deref(), Some("2"));
    put("web", "cursor", "3").await.unwrap();
    assert_eq!(get("web", "cursor").await.as_deref(), Some("3"));
    assert_eq!(get("desk", "cursor").await.as_deref(), Some("9"));
    assert_eq!(get("web", "token").await, None);
    put("web", "odd \"key\", '\\", "4").await.unwrap();
    let keys = ["odd \"key\", '\\", "token", "cursor"].map(str::to_owned);
    let many = rig.read.shelf_many(&ChannelName::from("web"), &keys).await.unwrap();
    let value = |key: &str| many.get(key).map(String::as_str);
    assert_eq!([value(&keys[0]), value("token"), value("cursor")], [Some("4"), None, Some("3")]);
    assert!(rig.read.shelf_many(&ChannelName::from("web"), &[]).await.unwrap().is_empty());
    rig.end().await;
}

pub(super) async fn quarantine_keeps_bytes(place: Fresh) {
    let rig = Rig::start(&place).await;
    let raw: Vec<u8> = (0..=255).collect();
    for (nr, raw) in [raw.clone(), b"{".to_vec()].into_iter().enumerate() {
        let channel = ChannelName::from("web");
        rig.writer.admin(Admin::Quarantine { channel, raw, why: format!("why {nr}") }).await.unwrap();
    }
    let rows = rig.read.quarantine(10).await.unwrap();
    assert_eq!(rows.len(), 2);
    let first = rows.iter().find(|row| row.why == "why 0").unwrap();
    assert_eq!((first.id, &first.raw, first.now), (1, &raw, START));
    assert_eq!(rig.read.quarantine(1).await.unwrap().len(), 1);
    assert_eq!(rig.read.counts().await.unwrap().quarantine, 2);
    rig.end().await;
}

pub(super) async fn tokens_are_found_by_hash(place: Fresh) {
    let rig = Rig::start(&place).await;
    let token = |id: &str| TokenRow {
        id: id.to_owned(),
        name: format!("token {id}"),
        sha256: format!("hash-{id}"),
        scopes: vec!["read".into(), "send".into()],
        technician: Some(TechnicianId::from("ana")),
        created: START,
        expires: Some(START + Duration::from_secs(3600)),
        revoked: false,
    };
    for id in ["t1", "t2"] {
        rig.writer.admin(Admin::CreateToken(token(id))).await.unwrap();
    }
    assert_eq!(rig.read.token_by_hash("hash-t1").await.unwrap(), Some(token("t1")));
    assert_eq!(rig.read.token_by_hash("hash-t3").await.unwrap(), None);
    rig.writer.admin(Admin::RevokeToken { id: "t1".into() }).await.unwrap();
    assert!(rig.read.token_by_hash("hash-t1").await.unwrap().is_none_or(|token| token.revoked));
    let listed = rig.read.tokens().await.unwrap();
    assert_eq!(
        listed.iter().map(|token| (token.id.as_str(), token.revoked)).collect::<Vec<_>>(),
        [("t1", true), ("t2", false)]
    );
    assert!(!rig.exported().await.contains("hash-t2"), "exports omit tokens");
    rig.end().await;
}

pub(super) async fn files_are_kept(place: Fresh) {
    let rig = Rig::start(&place).await;
    let blob = BlobRow {
        id: "0123456789abcdef".into(),
        conversation: Some(FIRST),
        name: "photo.jpg".into(),
        mime: "image/jpeg".into(),
        size: 5_000_000_000,
        sha256: "aa".into(),
        created: START,
    };
    rig.writer.admin(Admin::PutBlob(blob.clone())).await.unwrap();
    assert_eq!(rig.read.blob(&blob.id).await.unwrap(), Some(blob));
    assert_eq!(rig.read.blob("other").await.unwrap(), None);
    rig.end().await;
}

pub(super) async fn replaced_content_is_no_edit(place: Fresh) {
    let mut rig = Rig::start(&place).await;
    let file = |source| Content {
        text: "see photo".into(),
        attachments: vec![Attachment {
            name: "photo.jpg".into(),
            mime: "image/jpeg".into(),
            size: 5,
            kind: AttachmentKind::Image,
            source,
        }],
        ..Content::default()
    };
    let message = MessageId { conversation: FIRST, seq: 1, n: 0 };
    let there = file(AttachmentSource::Remote(RemoteFileId("f1".into())));
    rig.done(Apply { content: Some(there.clone()), ..posted(1, "m1", "") }).await;
    rig.committed.try_recv().unwrap();
    let here = file(AttachmentSource::Blob { id: BlobId("b1".into()), sha256: "aa".into() });
    let replace =
        Admin::ReplaceAttachments { message, from: there.attachments.clone(), to: here.attachments.clone() };
    assert_eq!(rig.writer.admin(replace.clone()).await, Ok(AdminDone::Done));
    let row = rig.read.message(message).await.unwrap().unwrap();
    assert_eq!((row.content, row.edited), (here.clone(), None));
    assert_eq!(rig.state(FIRST).await.seq, 1);
    let told = rig.committed.try_recv().unwrap();
    assert_eq!(told.changes[0].edited, [message]);
    // The platform repeats what it has: no edit either.
    let same = Apply { content: Some(here.clone()), ..edited(1, "e1", "m1", "") };
    assert!(matches!(rig.writer.apply(same).await, Ok(Applied::Ignored)));
    // An edit names the file again, as the platform knows it: it stays in our keeping (T7).
    let again = Content { text: "see both".into(), ..there };
    rig.done(Apply { content: Some(again), ..edited(1, "e2", "m1", "") }).await;
    let row = rig.read.message(message).await.unwrap().unwrap();
    assert_eq!(row.content, Content { text: "see both".into(), ..here.clone() });
    assert!(row.edited.is_some());
    assert_eq!(rig.writer.admin(replace).await, Ok(AdminDone::Unknown), "they are others by now");
    // An edit that was committed while another file was on its way: its words stay.
    let mut other = file(AttachmentSource::Remote(RemoteFileId("f2".into())));
    other.attachments[0].size = 6;
    rig.done(Apply { content: Some(other.clone()), ..edited(1, "e3", "m1", "") }).await;
    let replace =
        Admin::ReplaceAttachments { message, from: other.attachments.clone(), to: here.attachments.clone() };
    let words = Content { text: "see this".into(), ..other };
    rig.done(Apply { content: Some(words), ..edited(1, "e4", "m1", "") }).await;
    assert_eq!(rig.writer.admin(replace.clone()).await, Ok(AdminDone::Done));
    let row = rig.read.message(message).await.unwrap().unwrap();
    assert_eq!(row.content, Content { text: "see this".into(), ..here });
    assert_eq!(rig.writer.admin(replace).await, Ok(AdminDone::Unknown));
    assert_eq!(rig.read.message(message).await.unwrap().unwrap().content, row.content);
    rig.end().await;
}

pub(super) async fn the_audit_trail_is_chained(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    rig.done(posted(1, "m1", "printer broken")).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    rig.done(verb(FIRST, "c2", "bob", Verb::TakeOver)).await;
    let acts = ["login", "token created", "logout"];
    join_all(acts.map(|act| {
        rig.writer.admin(Admin::Audit { by: Some("root".into()), act: act.to_owned(), conversation: None })
    }))
    .await;
    rig.end().await;
    let rig = Rig::start(&place).await;
    rig.writer.admin(Admin::Audit { by: None, act: "started".into(), conversation: None }).await.unwrap();
    let mut rows = rig.read.audit(100).await.unwrap();
    assert_eq!(rig.read.audit(2).await.unwrap(), rows[..2], "newest first");
    rows.reverse();
    assert_eq!(crate::audit::verify(crate::audit::GENESIS, &rows), Ok(()));
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let first = &rows[0];
    assert_eq!((first.by.as_deref(), first.act.as_str()), (Some("bob"), "took over from ana"));
    assert_eq!(first.conversation, Some(FIRST));
    rig.end().await;
}

pub(super) async fn counts_are_right(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    assert_eq!(rig.read.counts().await.unwrap(), Counts::default());
    rig.read.ping().await.unwrap();
    rig.done(posted(1, "m1", "printer broken")).await;
    rig.done(posted(2, "m2", "mine too")).await;
    rig.done(pressed(2, "p1", RequesterVerb::Close)).await;
    let rows = rig.read.open_outbox(None, 100).await.unwrap();
    rig.writer.mark(marked(&rows[0], DeliveryState::Failed)).await.unwrap();
    rig.writer.mark(marked(&rows[1], DeliveryState::Sent)).await.unwrap();
    let counts = rig.read.counts().await.unwrap();
    let open = i64::try_from(rows.len()).unwrap() - 2;
    assert_eq!((counts.conversations, counts.outbox_open, counts.outbox_failed), (2, open, 1));
    let mut stored = 0;
    for id in [1, 2] {
        stored += rig.read.messages(ConversationId(id), 0, true, 100).await.unwrap().len();
    }
    assert_eq!(counts.messages, i64::try_from(stored).unwrap());
    rig.end().await;
}
