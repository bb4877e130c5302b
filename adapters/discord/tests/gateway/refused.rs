//! Events that the store does not take for a while, or that nobody heard: none is lost, whatever becomes of the session and of the process, and
//! nothing is done twice.
//!
//! Not here: sessions that are lost while all is well (`main.rs`).

use deskbridge_contract::Action;

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

/// What no history tells outlives the process as long as its session does: the session is not noted past it.
#[tokio::test]
async fn refused_edits_reactions_and_presses_outlive_their_process() {
    let office = Office::open(Settings::default()).await;
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    office.app.connected(SOON).await.expect("connected");
    let room = office.fake.dm(office.ana, &office.app);
    let typo = office.fake.say(office.ana, room, "my prnter");
    office.heard("my prnter").await;
    let answer = Outbound {
        id: DeliveryId("d1".into()),
        to: Address::room(&"discord".into(), format!("D{room}")),
        op: OutboundOp::Post {
            content: Content::text("Did that help?")
                .with_actions(vec![Action::new("human", "Talk to a human")]),
            files: Vec::new(),
            persona: None,
            reply_to: None,
        },
    };
    adapter.send(&answer).await.expect("sent");
    let asked = office.fake.messages_in(room).last().expect("a message").id;
    office.noted().await;
    office.refuse(true);
    office.fake.edit(office.ana, room, typo, "my printer");
    office.fake.react(office.ana, room, asked, "👍");
    office.fake.press(office.ana, room, asked, "Talk to a human");
    office.lines("resume", resumed, 1).await;
    running.abort();
    let _ = running.await;
    office.refuse(false);
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    let all = ["edited: my printer", "reacted: 👍", "pressed: human"];
    let running = office.heard_at_last(&adapter, running, &all).await;
    assert_eq!(office.store.texts.borrow()[1..], all, "once each, and in their order");
    assert_eq!(office.identifies(), 1, "by the session that goes on");
    running.abort();
}

/// When the session is over as well, and not even that an edit was refused could be noted, history still tells edits: by when
/// a message was edited last.
#[tokio::test]
async fn a_refused_edit_outlives_its_session_and_its_process() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    let room = office.fake.dm(office.ana, &office.app);
    let typo = office.fake.say(office.ana, room, "my prnter");
    office.heard("my prnter").await;
    office.say("is jammed");
    office.heard("is jammed").await;
    office.noted().await;
    office.refuse(true);
    let shelf = office.store.shelf.lock().expect("whole").clone();
    office.fake.edit(office.ana, room, typo, "my printer");
    office.lines("resume", resumed, 1).await;
    office.app.forget_sessions();
    running.abort();
    let _ = running.await;
    *office.store.shelf.lock().expect("whole") = shelf;
    office.refuse(false);
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    let running = office.heard_at_last(&adapter, running, &["edited: my printer"]).await;
    assert_eq!(*office.store.texts.borrow(), ["my prnter", "is jammed", "edited: my printer"]);
    running.abort();
}

/// Nor is an edit lost that nobody was there to hear: of words from before the gap, of words that are read from it as they
/// stand by now, and of words of which only the edit was missed.
#[tokio::test]
async fn edits_of_a_gap_are_read() {
    let office = Office::open(Settings::default()).await;
    let running = office.start();
    office.app.connected(SOON).await.expect("connected");
    let room = office.fake.dm(office.ana, &office.app);
    let say = |text: &str| office.fake.say(office.ana, room, text);
    let edit = |message, text: &str| office.fake.edit(office.ana, room, message, text);
    let (left, heard) = (say("left as it is"), say("heard"));
    office.heard("heard").await;
    edit(left, "changed and heard");
    office.heard("edited: changed and heard").await;
    office.noted().await;
    let before_the_last = office.kept("seen");
    let last = say("the last");
    office.heard("the last").await;
    office.app.refuse_connections(true);
    office.app.forget_sessions();
    office.app.cut_sockets();
    edit(heard, "heard, and changed");
    edit(last, "the last, and changed");
    edit(say("missed"), "missed, and changed");
    running.abort();
    let _ = running.await;
    // As if that the last was read had not been noted any more.
    office.store.shelf.lock().expect("whole").insert("seen".into(), before_the_last);
    office.app.refuse_connections(false);
    let adapter = office.adapter();
    let running = office.start_with(&adapter);
    let all = ["edited: heard, and changed", "edited: the last, and changed", "missed, and changed"];
    let running = office.heard_at_last(&adapter, running, &all).await;
    say("the end");
    office.heard("the end").await;
    let texts = office.store.texts.borrow().clone();
    let before = ["left as it is", "heard", "edited: changed and heard", "the last"];
    assert_eq!(texts, [before.as_slice(), &all, &["the end"]].concat(), "nothing twice");
    running.abort();
}
