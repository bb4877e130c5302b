//! SQLite: the file, its lock, its schema; and every table against the memory store.

use deskbridge_contract::{ChannelName, RemoteMessageId, RoomId};
use deskbridge_conversation::ConversationId;

use super::everything::{conversation, first, id, row, second, token};
use super::*;
use crate::Memory;
use crate::job::{RemoteRef, StoreError};
use crate::rows::DeliveryState;
use crate::sql::On;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("bridge.db")
    }
    fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }
    async fn open(&self) -> Opened {
        open(&self.url(), OpenOptions::default()).await.unwrap()
    }
    async fn refused(&self, options: OpenOptions) -> StoreError {
        open(&self.url(), options).await.map(|_| ()).unwrap_err()
    }
    async fn tell(&self, text: &'static str) {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.path());
        On::Sqlite(&mut options.connect().await.unwrap()).plain(text).await.unwrap();
    }
}

#[tokio::test]
async fn migrations_are_applied_once() {
    let place = Place::new();
    assert!(
        matches!(status(&place.url()).await, Err(StoreError::Unavailable(_))),
        "no file, and none is made"
    );
    let refused = place.refused(OpenOptions { migrate: false, ..OpenOptions::default() }).await;
    assert!(refused.to_string().contains("deskbridge migrate"), "{refused}");
    let before = status(&place.url()).await.unwrap();
    assert_eq!((before.applied.as_slice(), before.pending.first()), ([].as_slice(), Some(&1)));
    let done = migrate(&place.url()).await.unwrap();
    assert!(done.applied.contains(&1) && done.pending.is_empty() && done.newer.is_empty());
    assert_eq!(migrate(&place.url()).await.unwrap(), done);
    assert_eq!(status(&place.url()).await.unwrap(), done);
    drop(place.open().await);
    drop(open(&place.url(), OpenOptions { migrate: false, ..OpenOptions::default() }).await.unwrap());
}

#[tokio::test]
async fn s115_a_newer_schema_is_refused() {
    let place = Place::new();
    migrate(&place.url()).await.unwrap();
    place
        .tell("insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'x', 1, x'00', 0)")
        .await;
    assert_eq!(status(&place.url()).await.unwrap().newer, [9999]);
    for migrate in [true, false] {
        let refused = place.refused(OpenOptions { migrate, ..OpenOptions::default() }).await;
        assert!(refused.to_string().contains("newer deskbridge (migration 9999"), "{refused}");
    }
    let refused = migrate(&place.url()).await.unwrap_err();
    assert!(refused.to_string().contains("newer deskbridge"), "{refused}");
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let place = Place::new();
    let opened = place.open().await;
    let refused = place.refused(OpenOptions::default()).await;
    assert!(
        matches!(&refused, StoreError::Unavailable(said) if said.contains("in use by another")),
        "{refused}"
    );
    assert!(matches!(migrate(&place.url()).await, Err(StoreError::Unavailable(_))));
    // Looking is allowed.
    assert!(status(&place.url()).await.is_ok());
    drop(opened);
    drop(place.open().await);
}

/// What the command line does while another process serves.
#[tokio::test]
async fn short_writes_beside_the_one_that_serves() {
    let place = Place::new();
    assert!(open_beside(&place.url()).await.is_err(), "no file, and none is made");
    assert!(!place.path().exists());
    let mut served = place.open().await;
    let mut beside = open_beside(&place.url()).await.unwrap();
    let act = |act: &str| Changes {
        audit: vec![(deskbridge_contract::Timestamp(7), None, act.to_owned(), None)],
        ..Changes::default()
    };
    // In turns: each has to see what the other wrote since its own last.
    for n in 0..3 {
        store(served.backend.as_mut(), &act(&format!("served {n}"))).await;
        let made = Changes { tokens: vec![token(&format!("t{n}"))], ..act(&format!("beside {n}")) };
        store(beside.backend.as_mut(), &made).await;
    }
    store(served.backend.as_mut(), &act("served at the end")).await;
    let (read, export) = crate::open::look(&place.url()).await.unwrap();
    let mut rows = read.audit(100).await.unwrap();
    rows.reverse();
    assert_eq!(rows.len(), 7);
    assert_eq!(crate::audit::verify(crate::audit::GENESIS, &rows), Ok(()), "{rows:?}");
    assert_eq!(served.read.tokens().await.unwrap().len(), 3, "seen by the one that serves");
    assert!(exported(&export).await.contains("served at the end"));
    // Numbers go on.
    store(served.backend.as_mut(), &first()).await;
    place.refused(OpenOptions::default()).await;
    drop((served, beside));
    drop(place.open().await);
}

/// A transaction that waits for its turn gets it.
#[tokio::test(flavor = "multi_thread")]
async fn both_write_at_once() {
    let place = Place::new();
    let mut served = place.open().await;
    let mut beside = open_beside(&place.url()).await.unwrap();
    let writes = |mut backend: Box<dyn Backend>, who: &'static str| {
        tokio::spawn(async move {
            for n in 0..40 {
                let audit = vec![(deskbridge_contract::Timestamp(n), None, format!("{who} {n}"), None)];
                store(backend.as_mut(), &Changes { audit, ..Changes::default() }).await;
            }
            backend
        })
    };
    let idle = || Box::new(Memory::new().backend()) as Box<dyn Backend>;
    let one = writes(std::mem::replace(&mut served.backend, idle()), "served");
    let two = writes(std::mem::replace(&mut beside.backend, idle()), "beside");
    let (_one, _two) = (one.await.unwrap(), two.await.unwrap());
    let mut rows = served.read.audit(100).await.unwrap();
    rows.reverse();
    assert_eq!(rows.len(), 80);
    assert_eq!(crate::audit::verify(crate::audit::GENESIS, &rows), Ok(()));
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    std::fs::write(place.path(), "").unwrap();
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut opened = place.open().await;
    store(opened.backend.as_mut(), &first()).await;
    for entry in std::fs::read_dir(place.0.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[tokio::test]
async fn damage_is_found_after_an_unclean_end() {
    let place = Place::new();
    let mut opened = place.open().await;
    store(opened.backend.as_mut(), &first()).await;
    drop(opened);
    place.tell("pragma wal_checkpoint(truncate)").await;
    let mut bytes = std::fs::read(place.path()).unwrap();
    // Everything but the first page, which holds the schema.
    bytes[4096..].iter_mut().for_each(|byte| *byte ^= 0x55);
    std::fs::write(place.path(), bytes).unwrap();
    let _ = std::fs::remove_file(place.0.path().join("bridge.db-wal"));
    std::fs::write(place.0.path().join("bridge.db.lock"), "open\n").unwrap();
    let refused = place.refused(OpenOptions::default()).await;
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    std::fs::write(place.path(), "this is not a database, it is a poem. ".repeat(300)).unwrap();
    let refused = place.refused(OpenOptions::default()).await;
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
}

/// Every table, filled and changed, is what the memory store makes of it; and so after a restart.
pub(super) async fn compare(mut opened: Opened) -> Opened {
    let memory = Memory::new();
    let expected: Arc<dyn Export> = Arc::new(memory.clone());
    for changes in [first(), second()] {
        store(opened.backend.as_mut(), &changes).await;
        memory.backend().commit(&changes).await.unwrap();
        let (found, expected) = (exported(&opened.export).await, exported(&expected).await);
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected);
        }
        assert_eq!(found.len(), expected.len());
    }
    opened
}

/// Another look: the batch's look-ups and the readers', one by one against the memory store's.
pub(super) async fn look(opened: &mut Opened) {
    let read = &opened.read;
    let mut revoked = token("t1");
    revoked.revoked = true;
    assert_eq!(read.tokens().await.unwrap(), [revoked.clone(), token("t2")]);
    assert_eq!(read.token_by_hash("hash of t1").await.unwrap(), Some(revoked));
    assert_eq!(read.audit(10).await.unwrap().len(), 3);
    assert_eq!(read.recent_waits(Default::default(), 9).await.unwrap(), [("default".into(), 3)]);
    let remote = |remote: &str| RemoteRef {
        channel: ChannelName("sim".into()),
        room: RoomId("desk".into()),
        remote: RemoteMessageId(remote.into()),
    };
    let keys = Keys {
        causes: vec!["nothing".into(), "fx:1.1.0".into()],
        conversations: vec![ConversationId(3), ConversationId(99)],
        addresses: vec!["sim\u{1f}elsewhere".into(), "sim\u{1f}nowhere".into(), "sim\u{1f}2".into()],
        remotes: vec![remote("r0"), remote("r9")],
        effects: vec![id(1, 1, 0), id(1, 99, 0)],
        roster: true,
        ticket_keys: vec!["k3".into(), "k9".into()],
        requesters: vec!["sim:1".into()],
        shelf: vec![("sim".into(), "nothing".into())],
        messages: vec![deskbridge_conversation::MessageId { conversation: ConversationId(1), seq: 1, n: 0 }],
        ..Keys::default()
    };
    let loaded = opened.backend.load(&keys).await.unwrap();
    opened.backend.rollback().await;
    assert_eq!(loaded.causes, ["fx:1.1.0"]);
    let mut conversations: Vec<_> =
        loaded.conversations.values().map(|state| (state.id.0, state.seq)).collect();
    conversations.sort_unstable();
    assert_eq!(conversations, [(1, 4), (2, 4), (3, 1)]);
    assert_eq!(loaded.addresses.len(), 2);
    assert_eq!(loaded.addresses["sim\u{1f}elsewhere"], ConversationId(1));
    let hit = &loaded.remotes[&remote("r0")];
    assert_eq!((hit.message, hit.content.as_ref().unwrap().text.as_str()), (Some(id(1, 1, 2)), "copied"));
    assert_eq!(loaded.effects.len(), 1);
    assert_eq!(loaded.effects[&id(1, 1, 0)].state, DeliveryState::Cancelled);
    assert_eq!(loaded.technicians.len(), 2);
    assert_eq!((loaded.last_conversation, loaded.last_ticket), (3, 3));
    assert_eq!(loaded.tickets, [("k3".to_owned(), 3)].into());
}

#[tokio::test]
async fn every_table_comes_back() {
    let place = Place::new();
    let mut opened = compare(place.open().await).await;
    look(&mut opened).await;
    let before = exported(&opened.export).await;
    drop(opened);
    let mut opened = place.open().await;
    assert_eq!(exported(&opened.export).await, before);
    look(&mut opened).await;
}

/// A batch that fails leaves nothing behind, neither in the file nor in what the backend remembers.
pub(super) async fn failures_leave_nothing(mut opened: Opened) {
    store(opened.backend.as_mut(), &first()).await;
    let before = exported(&opened.export).await;
    let mut bad = second();
    bad.causes = first().causes;
    let keys = Keys { conversations: vec![ConversationId(1)], roster: true, ..Keys::default() };
    opened.backend.load(&keys).await.unwrap();
    assert!(matches!(opened.backend.commit(&bad).await, Err(StoreError::Conflict(_))));
    // The caller may say it twice.
    opened.backend.rollback().await;
    assert_eq!(exported(&opened.export).await, before);
    let loaded = opened.backend.load(&keys).await.unwrap();
    assert_eq!(loaded.conversations[&ConversationId(1)].seq, 1);
    assert_eq!(loaded.technicians[&"ana".into()].load, 1);
    assert_eq!((loaded.last_conversation, loaded.last_ticket), (3, 2));
    // Given up in the middle: the next one begins anew.
    opened.backend.load(&keys).await.unwrap();
    opened.backend.commit(&second()).await.unwrap();
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing() {
    failures_leave_nothing(Place::new().open().await).await;
}

/// PostgreSQL keeps no NUL in texts; both databases replace it alike, and keys are found all the same.
pub(super) async fn nul_is_replaced(mut opened: Opened) {
    let mut state = conversation(1);
    state.requester.name = "a\0b".into();
    let changes = Changes {
        causes: vec![("in:sim:\0".into(), 1, Default::default())],
        conversations: vec![row(&state)],
        loaded_seqs: vec![0],
        audit: vec![(Default::default(), None, "a\0b".into(), None)],
        ..Changes::default()
    };
    store(opened.backend.as_mut(), &changes).await;
    let keys = Keys { causes: vec!["in:sim:\0".into()], ..Keys::default() };
    let loaded = opened.backend.load(&keys).await.unwrap();
    opened.backend.rollback().await;
    assert_eq!(loaded.causes, keys.causes);
    assert_eq!(opened.read.conversation(ConversationId(1)).await.unwrap().unwrap().requester.name, "a\0b");
    let mut audit = opened.read.audit(9).await.unwrap();
    audit.reverse();
    assert_eq!(crate::audit::verify(crate::audit::GENESIS, &audit), Ok(()));
}

#[tokio::test]
async fn nul_is_replaced_in_texts() {
    nul_is_replaced(Place::new().open().await).await;
}
