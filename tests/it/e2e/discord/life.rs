//! The whole life of a conversation with Discord on both sides, with interactions over the gateway and by HTTP.
//!
//! Not here: other pairs of channels (`pairs`), what the database does not take (`refused`).

use deskbridge_platforms::discord::{Author, Post, Snowflake, Tamper};
use serde_json::json;

use super::super::bridge::Base;
use super::Talk;

#[tokio::test]
async fn discord_life_over_the_gateway() {
    live(false, Base::Sqlite).await;
}

#[tokio::test]
async fn discord_life_with_interactions_by_http() {
    live(true, Base::Sqlite).await;
}

#[tokio::test]
async fn pg_discord_life() {
    live(false, Base::Postgres).await;
}

async fn live(http: bool, base: Base) {
    let Some(talk) = Talk::start(http, base).await else { return };
    let post = handed_over(&talk).await;
    accepted(&talk, post).await;
    words_and_edits(&talk, post).await;
    inside(&talk, post).await;
    files(&talk, post).await;
    resolved_and_reopened(&talk, post).await;
    talk.nothing_amiss();
}

/// The assistant answers from the knowledge base; who asked wants a person: a post with the card, the transcript in it.
async fn handed_over(talk: &Talk) -> Snowflake {
    let dm = talk.dm();
    talk.ask("my printer is jammed");
    let answer = talk.sees(dm, "Printer paper jam").await;
    talk.fake.press(talk.ana, dm, answer.id, "Talk to a human");
    talk.sees(dm, "I am connecting you with a technician").await;
    let post = talk.office.post(&talk.bridge).await;
    let card = talk.sees(post, "Previous troubleshooting").await;
    assert_eq!(card.id, post, "the card is the post's first message");
    for part in ["#1", "Ana", "Intent", "Service information"] {
        assert!(card.said().contains(part), "{part} is not on the card: {}", card.said());
    }
    talk.sees(post, "Transcript").await;
    let transcript = talk.fake.transcript(post).join("\n");
    assert!(transcript.contains("my printer is jammed"), "{transcript}");
    post
}

async fn accepted(talk: &Talk, post: Snowflake) {
    talk.sees(post, "yours to accept").await;
    let bob = format!("<@{}>", talk.bob);
    assert!(talk.fake.read(|world| world.pings.iter().any(|ping| ping.whom == bob)), "the offer calls Bob");
    talk.fake.press(talk.bob, post, post, "Accept");
    talk.sees(talk.dm(), "has joined").await;
    talk.sees(post, "accepted after").await;
    talk.until("tag", |world| world.tags_of(post).contains(&"In progress".to_owned())).await;
    talk.until("title", |world| world.channel(post).name.starts_with("🔵 #1 Ana")).await;
}

async fn words_and_edits(talk: &Talk, post: Snowflake) {
    let dm = talk.dm();
    let asked = talk.ask("the tray is stuk & **hot** <@1> @everyone");
    let relayed = talk.sees(post, "the tray is stuk").await;
    assert!(matches!(&relayed.author, Author::Webhook { name, .. } if name == "Ana"), "{:?}", relayed.author);
    assert!(relayed.said().contains("**hot**"), "{}", relayed.said());
    let told = talk.fake.say(talk.bob, post, "Pull the gren lever");
    let shown = talk.sees(dm, "Pull the gren lever").await;
    assert!(shown.said().contains("Bob"), "{}", shown.said());
    talk.marked(post, told, "📨").await;
    talk.fake.edit(talk.ana, dm, asked, "the tray is stuck");
    talk.sees(post, "the tray is stuck").await;
    talk.fake.edit(talk.bob, post, told, "Pull the green lever");
    talk.sees(dm, "Pull the green lever").await;
    assert_eq!(talk.count(dm, "lever"), 1, "the edit became a message of its own");
    assert_eq!(talk.count(post, "the tray is st"), 1, "the edit became a message of its own");
    let slip = talk.ask("forget this line");
    talk.sees(post, "forget this line").await;
    talk.fake.delete(talk.ana, dm, slip);
    talk.until("deletion", |world| {
        talk.own(world, post).iter().all(|message| !message.said().contains("forget this line"))
    })
    .await;
    // Not the offer, which calls Bob: what people wrote calls nobody (S36).
    let loud = |whom: &str| whom == "<@1>" || whom == "@everyone";
    assert!(talk.fake.read(|world| world.pings.iter().all(|ping| !loud(&ping.whom))));
}

/// What stays inside, by sign, by command and by form; and what others write.
async fn inside(talk: &Talk, post: Snowflake) {
    let note = talk.fake.say(talk.bob, post, "🔒 a very nervous person");
    talk.marked(post, note, "🔒").await;
    let words = [("text", json!("nervous, I say"))];
    let noted = talk.fake.command(talk.bob, &talk.app, post, "note", &words);
    let kept = talk.sees(post, "nervous, I say").await;
    talk.marked(post, kept.id, "🔒").await;
    // Over the gateway an event may come more than once.
    talk.app.repeat_about(noted);
    let opened = talk.fake.select(talk.bob, post, post, "more", &["note"]);
    talk.until("form", |world| world.interactions.get(&opened).is_some_and(|it| it.modal.is_some())).await;
    talk.fake.submit(opened, &[("text", "still nervous")]);
    talk.sees(post, "still nervous").await;
    talk.fake.say(talk.eve, post, "tell her not to be nervous");
    talk.fake.command(talk.bob, &talk.app, post, "info", &[]);
    talk.whispered(post, talk.bob, "Requester").await;
    let before = talk.fake.read(|world| world.ledger.now());
    talk.fake.type_in(talk.bob, post);
    let dm = talk.dm();
    talk.until("that Bob types", |world| {
        world
            .ledger
            .typing
            .iter()
            .any(|(channel, user, at)| *channel == dm && *user == talk.app.bot && *at > before)
    })
    .await;
    talk.fake.say(talk.bob, post, "all done in here");
    talk.sees(talk.dm(), "all done in here").await;
    assert_eq!(talk.count(post, "nervous, I say"), 1, "{:?}", talk.fake.transcript(post));
    assert_eq!(talk.count(talk.dm(), "nervous"), 0, "{:?}", talk.fake.transcript(talk.dm()));
}

async fn files(talk: &Talk, post: Snowflake) {
    let bytes = |length: u32, modulus: u32| -> Vec<u8> {
        (0..length).map(|n| b'a' + (n % modulus % 26) as u8).collect()
    };
    let (log, manual) = (bytes(70_000, 251), bytes(90_000, 241));
    talk.ask(Post::text("this is how it looks").file("error log.txt", log.clone()));
    talk.office.arrived(&talk.bridge, post, "error log.txt", &log).await;
    talk.sees(post, "this is how it looks").await;
    talk.fake.say(talk.bob, post, Post::text("the lever").file("manual.pdf", manual.clone()));
    talk.office.arrived(&talk.bridge, talk.dm(), "manual.pdf", &manual).await;
    talk.sees(talk.dm(), "the lever").await;
}

async fn resolved_and_reopened(talk: &Talk, post: Snowflake) {
    let dm = talk.dm();
    talk.fake.command(talk.bob, &talk.app, post, "resolve", &[]);
    talk.sees(dm, "has marked this as resolved").await;
    talk.until("archive", |world| {
        let found = world.channel(post);
        found.archived && found.locked && world.tags_of(post).contains(&"Resolved".to_owned())
    })
    .await;
    talk.ask("it is jammed again");
    let question = talk.sees(dm, "about the same issue").await;
    let button = question.buttons().into_iter().find(|button| button.label.contains("Same"));
    let label = button.map_or_else(|| "Same issue".to_owned(), |button| button.label);
    let at = question.id;
    talk.fake.press(talk.ana, dm, at, &label);
    talk.until("post that is open again", |world| !world.channel(post).archived).await;
}

/// `/ask` on the server: a form, and the answer in the direct messages.
#[tokio::test]
async fn discord_ask_with_a_form() {
    let talk = Talk::start(false, Base::Sqlite).await.expect("SQLite is always there");
    let lobby = talk.acme.text("lobby");
    let opened = talk.fake.command(talk.ana, &talk.app, lobby, "ask", &[]);
    talk.until("form", |world| world.interactions.get(&opened).is_some_and(|it| it.modal.is_some())).await;
    talk.fake.submit(opened, &[("text", "my printer is jammed")]);
    talk.whispered(lobby, talk.ana, "direct messages").await;
    talk.sees(talk.dm(), "You asked").await;
    talk.sees(talk.dm(), "Printer paper jam").await;
    // What others say on the server is nobody's business.
    talk.fake.say(talk.eve, lobby, "my printer is jammed, too");
    let typing = talk.fake.complete(talk.bob, &talk.app, lobby, "snooze", &[("for", json!("tom"))]);
    talk.until("suggestions", |world| world.interactions.get(&typing).is_some_and(|it| it.choices.is_some()))
        .await;
    assert_eq!(talk.fake.transcript(lobby).len(), 1, "{:?}", talk.fake.transcript(lobby));
    talk.nothing_amiss();
}

/// S19, S20: bad signatures of every kind, and the good PING.
#[tokio::test]
async fn discord_s19_s20_signatures() {
    let talk = Talk::start(true, Base::Sqlite).await.expect("SQLite is always there");
    for tamper in Tamper::ALL {
        assert_eq!(talk.app.ping(tamper).await, Ok(()), "{tamper:?}");
    }
    assert_eq!(talk.app.ping(Tamper::None).await, Ok(()));
}

/// The session is lost while people write: history tells what they said, once.
#[tokio::test]
async fn discord_f19_a_gap_is_read_back() {
    let talk = Talk::start(false, Base::Sqlite).await.expect("SQLite is always there");
    let post = talk.assigned().await;
    let asked = talk.ask("before the gap");
    talk.sees(post, "before the gap").await;
    let told = talk.fake.say(talk.bob, post, "heard before the gap");
    talk.marked(post, told, "📨").await;
    talk.app.refuse_connections(true);
    talk.app.forget_sessions();
    talk.app.cut_sockets();
    talk.until("disconnection", |world| world.connections(talk.app.id) == 0).await;
    talk.ask("said in the gap");
    talk.fake.say(talk.bob, post, "answered in the gap");
    talk.fake.edit(talk.ana, talk.dm(), asked, "before the gap, corrected");
    talk.fake.edit(talk.bob, post, told, "heard before the gap, corrected");
    talk.app.refuse_connections(false);
    talk.sees(post, "said in the gap").await;
    talk.sees(talk.dm(), "answered in the gap").await;
    talk.sees(post, "before the gap, corrected").await;
    talk.sees(talk.dm(), "heard before the gap, corrected").await;
    assert_eq!(talk.count(post, "said in the gap"), 1);
    assert_eq!(talk.count(post, "before the gap"), 1);
    assert_eq!(talk.count(talk.dm(), "heard before the gap"), 1);
    talk.nothing_amiss();
}
