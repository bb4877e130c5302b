//! PostgreSQL: the search index while another node changes, deletes or erases what is being indexed.
//!
//! Not here: one node, whose writer does one thing after another.

use std::time::Duration;

use deskbridge_contract::Content;
use deskbridge_conversation::MessageId;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _, SqlSafeStr as _};

use super::erasure::{FIRST, by_canary, erased};
use super::events::{edited, posted};
use super::places;
use super::rig::{Fresh, Rig, people_only};
use crate::Backend;

async fn tell(conn: &mut PgConnection, text: String) {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(text).into_sql_str())).await.unwrap();
}

async fn number(conn: &mut PgConnection, text: &'static str) -> i64 {
    sqlx::query(text).fetch_one(conn).await.unwrap().get(0)
}

/// Sessions of this database that wait for somebody.
async fn waiting(conn: &mut PgConnection) -> i64 {
    let text = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    number(conn, text).await
}

/// One message that is indexed, and due once more; and another node that indexes.
struct Scene {
    rig: Rig,
    place: Fresh,
    message: MessageId,
    node: Box<dyn Backend>,
    hand: PgConnection,
    eye: PgConnection,
}

impl Scene {
    async fn set() -> Option<Scene> {
        let place = places::postgres().await?;
        let rig = Rig::start_with(&place, people_only()).await;
        rig.done(by_canary(posted(1, "m1", "my canary sings"))).await;
        rig.writer.index_search().await;
        let message = rig.read.messages(FIRST, 0, true, 10).await.unwrap()[0].id;
        let (mut hand, eye) = (place.raw().await.unwrap(), place.raw().await.unwrap());
        tell(&mut hand, format!("insert into search_queue (conversation, seq, n) values ({})", key(message)))
            .await;
        let node = place.open().await.backend;
        Some(Scene { rig, place, message, node, hand, eye })
    }

    async fn found(&self, word: &str) -> usize {
        self.rig.read.search(word, true, None, 10).await.unwrap().len()
    }

    async fn end(self) {
        let Scene { rig, place, node, hand, eye, .. } = self;
        rig.end().await;
        drop((node, hand, eye));
        drop(place);
    }
}

fn key(message: MessageId) -> String {
    format!("{}, {}, {}", message.conversation.0, message.seq, message.n)
}

fn of(message: MessageId) -> String {
    format!("(conversation, seq, n) = ({})", key(message))
}

/// An edit that is not committed yet when the message is due: the words of after it are found, those of before are not.
#[tokio::test]
async fn pg_an_edit_under_way_is_not_lost_to_search() {
    let Some(mut scene) = Scene::set().await else { return };
    let words = serde_json::to_string(&Content::text("my parrot talks")).unwrap();
    tell(&mut scene.hand, "begin".into()).await;
    let edit = format!("update messages set content = '{words}' where {}", of(scene.message));
    tell(&mut scene.hand, edit).await;
    let due = format!(
        "insert into search_queue (conversation, seq, n) values ({}) on conflict do nothing",
        key(scene.message)
    );
    tell(&mut scene.hand, due).await;
    scene.node.index_search(10).await.unwrap();
    tell(&mut scene.hand, "commit".into()).await;
    scene.node.index_search(10).await.unwrap();
    assert_eq!((scene.found("parrot").await, scene.found("canary").await), (1, 0));
    assert_eq!(number(&mut scene.eye, "select count(*) from search_queue").await, 0);
    scene.end().await;
}

/// The other node has read the words, and writes them into the index when they are erased: none of them stay there.
#[tokio::test]
async fn pg_words_that_are_being_indexed_are_erased() {
    let Some(mut scene) = Scene::set().await else { return };
    // Whoever writes this row of the index waits until the hand is taken away.
    tell(&mut scene.hand, "delete from search".into()).await;
    tell(&mut scene.hand, "begin".into()).await;
    let held = format!(
        "insert into search (conversation, seq, n, now, words) values ({}, 0, '')",
        key(scene.message)
    );
    tell(&mut scene.hand, held).await;
    let Scene { rig, place, message, mut node, mut hand, mut eye } = scene;
    let indexing = tokio::spawn(async move { (node.index_search(10).await, node) });
    while waiting(&mut eye).await < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let writer = rig.writer.clone();
    let erasing = tokio::spawn(async move { writer.apply(erased(1)).await });
    while !erasing.is_finished() && waiting(&mut eye).await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tell(&mut hand, "rollback".into()).await;
    let (indexed, node) = indexing.await.unwrap();
    indexed.unwrap();
    assert!(matches!(erasing.await.unwrap(), Ok(crate::Applied::Done { .. })));
    assert!(rig.state(FIRST).await.is_erased());
    assert_eq!(number(&mut eye, "select count(*) from search where words <> ''").await, 0);
    Scene { rig, place, message, node, hand, eye }.end().await;
}

/// Many edits by one node while another indexes all the time: in the end the last words are found, and no others.
#[tokio::test]
async fn pg_the_last_words_are_found() {
    let Some(scene) = Scene::set().await else { return };
    let Scene { rig, place, message, mut node, hand, eye } = scene;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let indexing = tokio::spawn(async move {
        let mut stopped = stopped;
        while stopped.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
            node.index_search(10).await.unwrap();
        }
        node
    });
    for n in 0..60 {
        let mut edit = by_canary(edited(1, &format!("e{n}"), "m1", &format!("word{n}")));
        if let Some(target) = &mut edit.refs.target {
            target.room = "canary-home".into();
        }
        rig.done(edit).await;
    }
    stop.send(()).unwrap();
    let node = indexing.await.unwrap();
    rig.writer.index_search().await;
    let scene = Scene { rig, place, message, node, hand, eye };
    assert_eq!((scene.found("word59").await, scene.found("word5").await), (1, 1), "the last begins like it");
    for n in [0, 7, 33, 58] {
        assert_eq!(scene.found(&format!("word{n}")).await, 0, "{n}");
    }
    scene.end().await;
}
