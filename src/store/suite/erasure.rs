//! Erasing a requester (S111, I17): every row that names them or holds their words, wherever it is.
//!
//! Not here: which rows those are for an adapter's shelf (its own tests); the program as a whole (end to end).

use std::path::Path;
use std::time::Duration;

use deskbridge_contract::{Address, Attachment, AttachmentKind, AttachmentSource, BlobId, Content, Sent};
use deskbridge_conversation::{
    Author, ConversationId, DeskEvent, Effect, EventBody, MessageId, Outcome, PostIntent, Requester,
    RequesterId, RequesterVerb, TechnicianId, Verb,
};

use super::events::*;
use super::rig::{Fresh, Rig, START, people_only, remote, text, web};
use crate::job::{Forgotten, TicketOp};
use crate::read::ConversationFilter;
use crate::rows::*;
use crate::*;

pub(super) const FIRST: ConversationId = ConversationId(1);

pub(super) fn canary() -> RequesterId {
    RequesterId("web:canary-7".into())
}

/// What the person does whom nobody shall find.
pub(super) fn by_canary(apply: Apply) -> Apply {
    let address = Address::room(&web(), "canary-home");
    let requester = Requester {
        id: canary(),
        name: "Maria Canary".into(),
        language: "es".into(),
        picture: Some("https://pictures.example/Canary.png".into()),
        away: false,
    };
    let target = Target::Requester {
        address,
        requester,
        queue: "default".into(),
        priority: 0,
        force_new: false,
        shared: false,
    };
    Apply { target, ..apply }
}

fn blob(id: &str, name: &str) -> BlobRow {
    BlobRow {
        id: id.into(),
        conversation: Some(FIRST),
        name: name.into(),
        mime: "image/png".into(),
        size: 3,
        sha256: "00".into(),
        created: START,
    }
}

pub(super) fn erased(id: i64) -> Apply {
    Apply {
        cause: Cause::Console(format!("erase {id}")),
        target: Target::Conversation(ConversationId(id)),
        at: START,
        body: EventBody::Erased {
            by: Some(TechnicianId::from("ana")),
            messages: Vec::new(),
            relayed: Vec::new(),
        },
        content: None,
        refs: Refs::default(),
        guard: None,
    }
}

/// A life as full as a person can have one here.
pub(super) async fn lived(rig: &Rig) {
    rig.everybody_on().await;
    rig.done(by_canary(posted(1, "m1", "my canary sings no more"))).await;
    rig.done(verb(FIRST, "c1", "ana", Verb::Accept)).await;
    rig.deliver_everything().await;
    rig.done(said(FIRST, "c2", "ana", "What does your canary eat?")).await;
    let note = DeskEvent::Posted { remote: None, intent: PostIntent::Note, reply_to: None };
    rig.done(Apply { content: text("a canary, really"), ..in_console(FIRST, "c3", "ana", note) }).await;
    let file = Attachment {
        name: "canary.png".into(),
        mime: "image/png".into(),
        size: 3,
        kind: AttachmentKind::Image,
        source: AttachmentSource::Blob { id: BlobId("b1".into()), sha256: "00".into() },
    };
    let content = Content { attachments: vec![file], ..Content::text("see the canary") };
    rig.done(by_canary(Apply { content: Some(content), ..posted(1, "m2", "") })).await;
    let label = Verb::Label { add: vec!["canary".into()], remove: vec!["canaries".into()] };
    rig.done(verb(FIRST, "l1", "ana", label)).await;
    let tag = RequesterVerb::Tag { word: "canary".into(), on: true };
    rig.done(by_canary(pressed(1, "p1", tag))).await;
    for admin in [
        Admin::PutBlob(blob("b1", "canary.png")),
        Admin::PutShelf { channel: web(), key: "p:canary-7".into(), value: "Maria Canary".into() },
        Admin::PutShelf { channel: web(), key: "p:8".into(), value: "somebody else".into() },
        Admin::Quarantine {
            channel: web(),
            raw: b"canary-7 said what nobody could read".to_vec(),
            why: "odd".into(),
        },
        Admin::Quarantine { channel: web(), raw: b"another".to_vec(), why: "odd".into() },
        Admin::Keep(KeptRow {
            kind: "draft".into(),
            owner: "ana".into(),
            key: "1".into(),
            value: Some("dear canary".into()),
            updated: START,
        }),
        Admin::Ticket(TicketOp::Create {
            key: "k1".into(),
            conversation: Some(FIRST),
            summary: "canary".into(),
            description: "a canary".into(),
            priority: 0,
            requester: "Maria Canary".into(),
            technician: None,
        }),
        Admin::Ticket(TicketOp::Comment {
            number: 1,
            key: "k2".into(),
            author: "Maria Canary".into(),
            text: "my canary".into(),
            public: true,
        }),
        Admin::Ticket(TicketOp::Attach { number: 1, blob: "b1".into(), name: "canary.png".into() }),
    ] {
        rig.writer.admin(admin).await.unwrap();
    }
    rig.deliver_everything().await;
    // Something is queued and was tried in vain.
    rig.done(said(FIRST, "c4", "ana", "Is the canary well?")).await;
    let open = rig.read.open_outbox_of(FIRST).await.unwrap();
    let to_them =
        |row: &OutboxRow| matches!(&row.effect, Effect::Deliver(delivery) if delivery.session.0 == 0);
    let post = open.into_iter().find(to_them).unwrap();
    let lease_until = rig.now() + Duration::from_secs(60);
    rig.writer.begin(Begin { effect: post.id, lease_until }).await.unwrap();
    // The first part of it is there.
    let shown = Sent::at(&Address::room(&web(), "canary-home"), Some(remote("canary-part")));
    let advance = Advance { effect: post.id, after: 0, before: 0, message: None, shown, lease_until };
    assert!(matches!(rig.writer.advance(advance).await, Ok(Begun::Go { .. })));
    let mark = Mark {
        effect: post.id,
        state: DeliveryState::Queued,
        not_before: Some(rig.now()),
        error: Some("canary-home is full".into()),
    };
    rig.writer.mark(mark).await.unwrap();
    for kind in ["answered", "canned"] {
        let (key, value) = ("k".into(), Some("a parrot".into()));
        let row = KeptRow { kind: kind.into(), owner: String::new(), key, value, updated: START };
        rig.writer.admin(Admin::Keep(row)).await.unwrap();
    }
    rig.done(posted(2, "m3", "mine is a parrot")).await;
    rig.writer.index_search().await;
}

/// The runtime's part: events of the log that name places or words of theirs.
async fn scrubbed_log(rig: &Rig) -> Vec<LogRow> {
    let mut rows = rig.read.log(FIRST, 0, 1_000).await.unwrap();
    for row in &mut rows {
        deskbridge_conversation::erasure::without_words(&mut row.event.body);
        if let EventBody::Delivery(delivery) = &mut row.event.body
            && let Outcome::Sent { address, .. } = &mut delivery.outcome
            && address.room.as_str().contains("canary")
        {
            *address = Address::room(&web(), "erased");
        }
    }
    rows
}

pub(super) async fn erase(rig: &Rig) {
    rig.writer.admin(Admin::Bury { requesters: vec![canary()] }).await.unwrap();
    let log = scrubbed_log(rig).await;
    rig.done(erased(1)).await;
    let quarantined = rig.read.quarantine(10).await.unwrap();
    let theirs = quarantined.iter().filter(|row| row.raw.starts_with(b"canary"));
    let forgotten = Forgotten {
        requesters: vec![canary()],
        quarantine: theirs.map(|row| row.id).collect(),
        blobs: vec!["b1".into()],
        kept: vec![("draft".into(), "1".into())],
        old_kept: vec![("answered".into(), rig.now() + Duration::from_secs(1)), ("canned".into(), rig.now())],
        log,
    };
    rig.writer.admin(Admin::Forget(forgotten)).await.unwrap();
    let keys = vec!["p:canary-7".to_owned(), "p:nobody".to_owned()];
    rig.writer.admin(Admin::DropShelf { channel: web(), keys }).await.unwrap();
    rig.writer.scrub().await.unwrap();
}

fn holds(folder: &Path, word: &str) -> Vec<String> {
    let word = word.as_bytes();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let with = files.filter(|path| {
        let bytes = std::fs::read(path).unwrap().to_ascii_lowercase();
        bytes.windows(word.len()).any(|window| window == word)
    });
    with.map(|path| path.display().to_string()).collect()
}

pub(super) async fn nothing_of_the_erased_is_left(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    lived(&rig).await;
    let before = rig.exported().await.to_lowercase();
    assert!(before.contains("canary"));
    if let Some(folder) = place.folder() {
        assert!(!holds(folder, "canary").is_empty(), "else the look at the files would prove nothing");
    }
    erase(&rig).await;
    let export = rig.exported().await;
    let left: Vec<&str> = export.lines().filter(|line| line.to_lowercase().contains("canary")).collect();
    assert!(left.is_empty(), "{left:#?}");
    assert!(export.contains("mine is a parrot") && export.contains("somebody else"), "others keep theirs");
    if let Some(folder) = place.folder() {
        assert_eq!(holds(folder, "canary"), Vec::<String>::new());
        assert!(!holds(folder, "parrot").is_empty());
    }
    assert!(rig.read.search("canary", true, None, 10).await.unwrap().is_empty());
    assert_eq!(rig.read.search("parrot", true, None, 10).await.unwrap().len(), 1);
    for nobody in ["canary", "maria", "erased"] {
        assert!(rig.read.people(nobody, 10).await.unwrap().is_empty(), "{nobody}");
    }
    assert_eq!(rig.read.people("requester", 10).await.unwrap().len(), 1);
    assert!(rig.read.tickets_found("canary", None, 10).await.unwrap().is_empty());
    let ticket = rig.read.ticket(1).await.unwrap().unwrap();
    assert_eq!((ticket.summary.as_str(), ticket.comments.len(), ticket.history.len()), ("", 1, 3));
    assert!(
        rig.read.blob("b1").await.unwrap().is_none() && rig.read.blobs_of(FIRST).await.unwrap().is_empty()
    );
    assert_eq!(rig.read.quarantine(10).await.unwrap().len(), 1);
    let requester = Some(canary().0);
    let theirs = ConversationFilter { requester, limit: 10, ..ConversationFilter::default() };
    assert!(rig.read.conversations(&theirs).await.unwrap().is_empty());
    let open = rig.read.open_outbox_of(FIRST).await.unwrap();
    let only_desks =
        |row: &OutboxRow| !matches!(&row.effect, Effect::Deliver(delivery) if delivery.session.0 == 0);
    assert!(open.iter().all(only_desks), "{open:#?}");
    assert!(rig.state(FIRST).await.is_erased());
    let messages = rig.read.messages(FIRST, 0, true, 100).await.unwrap();
    assert!(messages.iter().filter(|row| row.content.text.is_empty()).count() >= 4, "ids and facts stay");
    assert!(messages.iter().any(|row| row.author == Author::Requester(RequesterId("web:erased-1".into()))));
    assert!(!rig.read.log(FIRST, 0, 100).await.unwrap().is_empty());
    let attempts = rig.read.attempts(FIRST).await.unwrap();
    assert!(attempts.iter().any(|row| row.outcome.as_deref() == Some("erased")), "{attempts:#?}");
    assert!(rig.read.kept("answered", "").await.unwrap().is_empty(), "older than was said");
    assert_eq!(rig.read.kept("canned", "").await.unwrap().len(), 1);
    rig.end().await;
    let rig = Rig::start_with(&place, people_only()).await;
    assert_eq!(rig.exported().await, export, "and so it stays");
    rig.end().await;
}

pub(super) async fn what_they_did_before_is_not_taken_in_again(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    rig.everybody_on().await;
    rig.done(by_canary(posted(1, "m1", "canary"))).await;
    rig.advance(Duration::from_secs(60));
    erase(&rig).await;
    // Once more, with the same id and with another; and something that had never come through.
    let again = rig.writer.apply(by_canary(posted(1, "m1", "canary"))).await.unwrap();
    assert!(matches!(again, Applied::Duplicate), "{again:?}");
    for (id, at) in [("m1-retried", START), ("m0", START + Duration::from_secs(59))] {
        let old = Apply { at, ..by_canary(posted(1, id, "canary")) };
        let taken = rig.writer.apply(old.clone()).await.unwrap();
        assert!(matches!(taken, Applied::Ignored), "{taken:?}");
        assert!(matches!(rig.writer.apply(old).await.unwrap(), Applied::Duplicate));
    }
    let edit = by_canary(edited(1, "e1", "m1", "canary"));
    assert!(matches!(rig.writer.apply(edit).await.unwrap(), Applied::Ignored));
    assert!(!rig.exported().await.contains("canary"));
    rig.end().await;
    // Remembered, and without keeping anybody out: what is new is new.
    let rig =
        Rig::start_at(&place, people_only(), 256, START + Duration::from_secs(90), |backend| backend).await;
    let old = Apply { at: START, ..by_canary(posted(1, "m2", "canary")) };
    assert!(matches!(rig.writer.apply(old).await.unwrap(), Applied::Ignored));
    let new = Apply { at: START + Duration::from_secs(61), ..by_canary(posted(1, "m3", "hello again")) };
    let opened = rig.done(new).await;
    assert_eq!((opened.id.0, opened.requester.name.as_str()), (2, "Maria Canary"), "a fresh start");
    assert_eq!(rig.read.people("maria", 10).await.unwrap().len(), 1);
    rig.end().await;
}

pub(super) async fn what_was_under_way_brings_nothing_back(place: Fresh) {
    let rig = Rig::start_with(&place, people_only()).await;
    lived(&rig).await;
    let row = rig.read.open_outbox_of(FIRST).await.unwrap().remove(0);
    let lease_until = rig.now() + Duration::from_secs(60);
    rig.writer.begin(Begin { effect: row.id, lease_until }).await.unwrap();
    let state = rig.state(FIRST).await;
    let message = MessageId { conversation: FIRST, seq: 1, n: 0 };
    erase(&rig).await;
    // The platform took it after all; a file was copied; a ticket was being written; a summary too.
    rig.done(sent(&row, &state)).await;
    let copied = Admin::ReplaceAttachments { message, from: Vec::new(), to: Vec::new() };
    rig.writer.admin(copied).await.unwrap();
    assert_eq!(
        rig.writer.admin(Admin::PutBlob(blob("b2", "canary2.png"))).await.unwrap(),
        AdminDone::Unknown
    );
    let draft = |value: Option<&str>| {
        let (kind, owner) = (KeptRow::DRAFT.into(), "ana".into());
        Admin::Keep(KeptRow { kind, owner, key: "1".into(), value: value.map(str::to_owned), updated: START })
    };
    assert_eq!(rig.writer.admin(draft(Some("dear canary"))).await.unwrap(), AdminDone::Unknown);
    assert_eq!(rig.writer.admin(draft(None)).await.unwrap(), AdminDone::Done);
    let create = TicketOp::Create {
        key: "k9".into(),
        conversation: Some(FIRST),
        summary: "canary".into(),
        description: "canary".into(),
        priority: 0,
        requester: "Maria Canary".into(),
        technician: None,
    };
    let closed = TicketOp::SetStatus {
        number: 1,
        status: deskbridge_conversation::TicketStatus::Closed,
        by: String::new(),
    };
    rig.writer.admin(Admin::Ticket(closed)).await.unwrap();
    rig.writer.admin(Admin::Ticket(create)).await.unwrap();
    let left: Vec<String> = rig
        .exported()
        .await
        .lines()
        .filter(|line| line.to_lowercase().contains("canary"))
        .map(str::to_owned)
        .collect();
    assert!(left.is_empty(), "{left:#?}");
    rig.end().await;
}
