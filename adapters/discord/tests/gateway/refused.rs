//! Events that the store does not take for a while: none is lost, whatever becomes of the session and of the process, and
//! nothing is done twice.
//!
//! Not here: sessions that are lost while all is well (`main.rs`).

use super::*;

/// Nothing is resumed past an event that could not be stored.
#[tokio::test]
async fn a_refused_event_comes_again() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.store.refusing.store(true, Ordering::SeqCst);
    office.say("while the store is away");
    office.lines("resume", resumed, 1).await;
    office.store.refusing.store(false, Ordering::SeqCst);
    let heard = async {
        while !running.is_finished() && !office.store.texts.borrow().iter().any(|text| text.contains("away"))
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, heard).await.expect("an end");
    // After some losses it is the supervisor that starts it again.
    let running = if running.is_finished() { office.start() } else { running };
    office.heard("while the store is away").await;
    running.abort();
}

/// Nobody sends again what could not be stored when its session is over: neither words in a direct message of which nothing
/// was known, nor an edit, of which no history tells, nor what was said after them.
#[tokio::test]
async fn a_refused_event_outlives_its_session() {
    let office = Office::open(Settings::default()).await;
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    office.app.connected(SOON).await.expect("connected");
    let eve = office.acme.user("Eve");
    let room = office.fake.dm(eve, &office.app);
    let typo = office.fake.say(eve, room, "my prnter");
    office.heard("my prnter").await;
    office.refuse(true);
    office.say("the first words of all");
    office.fake.edit(eve, room, typo, "my printer");
    office.say("the second");
    office.lines("resume", resumed, 1).await;
    office.app.forget_sessions();
    office.app.cut_sockets();
    office.lines("another session", identified, 2).await;
    office.say("the third");
    office.refuse(false);
    let all = ["the first words of all", "edited: my printer", "the second", "the third"];
    let running = office.heard_at_last(&adapter, running, &all).await;
    let texts = office.store.texts.borrow().clone();
    let ana: Vec<&String> = texts.iter().filter(|text| text.starts_with("the ")).collect();
    assert_eq!(ana, ["the first words of all", "the second", "the third"], "once each, and in their order");
    running.abort();
}

/// The same when the process ends as well: the next one reads the room of which nothing was known.
#[tokio::test]
async fn a_refused_message_outlives_its_session_and_its_process() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    office.refuse(true);
    office.say("the first words of all");
    office.lines("resume", resumed, 1).await;
    office.app.refuse_connections(true);
    office.app.forget_sessions();
    office.app.cut_sockets();
    running.abort();
    let _ = running.await;
    office.refuse(false);
    office.app.refuse_connections(false);
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    let running = office.heard_at_last(&adapter, running, &["the first words of all"]).await;
    running.abort();
}

/// A note of a command stands in its post once, however often its interaction comes: after refusals, and after an end of the
/// process between its post and its commit.
#[tokio::test]
async fn a_note_is_put_into_its_post_once() {
    let settings = Settings { interaction_deadline: SOON, ..Settings::default() };
    let office = Office::open(settings).await;
    let thread = office.acme.thread(office.ana, office.forum, "printer");
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    let published = office.fake.wait_until(SOON, |world| {
        world.app(office.app.id).commands.values().any(|commands| !commands.is_empty())
    });
    published.await.expect("commands");
    let there = || {
        let all = office.fake.messages_in(thread);
        all.iter().filter(|message| message.said().contains("very nervous")).count()
    };
    office.refuse(true);
    let words = [("text", json!("very nervous"))];
    let note = office.fake.command(office.ana, &office.app, thread, "note", &words);
    // Refused, come again, and refused again.
    office.lines("second resume", resumed, 2).await;
    assert_eq!(there(), 1, "{}", office.fake.report());
    running.abort();
    let _ = running.await;
    // As if the process had ended before it knew that the note is there.
    {
        let mut shelf = office.store.shelf.lock().expect("whole");
        let kept = shelf.get_mut("notes").expect("noted before it was put there");
        assert!(kept.contains("there") && kept.contains(&note.to_string()), "{kept}");
        *kept = json!({ note.to_string(): "begun" }).to_string();
    }
    office.refuse(false);
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    let running = office.heard_at_last(&adapter, running, &["🔒 very nervous"]).await;
    office.say("something after it");
    let running = office.heard_at_last(&adapter, running, &["something after it"]).await;
    assert_eq!(there(), 1, "{}", office.fake.report());
    running.abort();
}
