//! What happens on Discord while the database takes nothing.
//!
//! Not here: what goes wrong on Discord's side (`faults`), sessions that are lost while all is well (`life`).

use deskbridge_platforms::discord::{GatewayEntry, World};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::super::bridge::{Base, PATIENCE};
use super::super::talk::UNPACED;
use super::Talk;

impl Talk {
    /// From now on nobody else can write, until this connection is let go.
    async fn lock(&self) -> SqliteConnection {
        let options = sqlx::sqlite::SqliteConnectOptions::new();
        let options = options.filename(self.bridge.folder.path().join("deskbridge.db"));
        let mut other = options.connect().await.expect("opened");
        sqlx::raw_sql("begin immediate").execute(&mut other).await.expect("locked");
        other
    }

    /// Something could not be stored: the connection is left, so that it comes again.
    async fn refused(&self) {
        let resumed = |entry: &GatewayEntry| matches!(entry, GatewayEntry::Resumed { .. });
        let is_there = |world: &World| world.ledger.gateway.iter().any(|line| resumed(&line.entry));
        // The store itself tries for more than a minute.
        let found = self.fake.wait_for(2 * PATIENCE, |world| is_there(world).then_some(())).await;
        if let Err(story) = found {
            panic!("no resume: {story}\nthe log:\n{}", self.bridge.log());
        }
    }
}

async fn unlock(mut other: SqliteConnection) {
    sqlx::raw_sql("rollback").execute(&mut other).await.expect("unlocked");
    other.close().await.expect("closed");
}

/// F07, F19: the database takes nothing, and then the session is over as well. What was said meanwhile is not lost, not even
/// the first words of somebody of whom nothing was known.
#[tokio::test]
async fn discord_f07_f19_an_outage_of_the_database_and_a_lost_session() {
    let talk = Talk::start(false, Base::Sqlite).await.expect("SQLite is always there");
    let post = talk.assigned().await;
    let eve = talk.fake.dm(talk.eve, &talk.app);
    let locked = talk.lock().await;
    talk.ask("said in the outage");
    talk.fake.say(talk.eve, eve, "my printer is jammed");
    talk.refused().await;
    talk.app.forget_sessions();
    talk.app.cut_sockets();
    talk.until("disconnection", |world| world.connections(talk.app.id) == 0).await;
    unlock(locked).await;
    talk.sees(post, "said in the outage").await;
    talk.sees(eve, "Printer paper jam").await;
    talk.fake.say(talk.bob, post, "and after it");
    talk.sees(talk.dm(), "and after it").await;
    assert_eq!(talk.count(post, "said in the outage"), 1);
    assert_eq!(talk.count(eve, "Printer paper jam"), 1);
    talk.nothing_amiss();
}

/// F07: the database takes nothing, and deskbridge is killed before it does. While the session lasts Discord tells all of it
/// again, also what no history tells: an edit, a reaction that is a verb.
#[tokio::test]
async fn discord_f07_what_was_refused_outlives_the_process() {
    let mut talk = Talk::start(false, Base::Sqlite).await.expect("SQLite is always there");
    let (post, dm) = (talk.assigned().await, talk.dm());
    let asked = talk.ask("my prnter is jammed");
    talk.sees(post, "my prnter is jammed").await;
    let locked = talk.lock().await;
    talk.fake.edit(talk.ana, dm, asked, "my printer is jammed");
    talk.fake.react(talk.bob, post, post, "✅");
    talk.refused().await;
    talk.bridge.kill().await;
    unlock(locked).await;
    talk.bridge.start_as(&UNPACED).await;
    talk.sees(post, "my printer is jammed").await;
    talk.sees(dm, "has marked this as resolved").await;
    assert_eq!(talk.count(post, "prnter"), 0, "{:?}", talk.fake.transcript(post));
    assert_eq!(talk.count(dm, "has marked this as resolved"), 1);
    talk.nothing_amiss();
}
