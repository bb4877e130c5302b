//! The whole life of a conversation with Slack on both sides, over HTTP and over Socket Mode.
//!
//! Not here: other pairs of channels (`pairs`), single failures (`rows`, `faults`).

use deskbridge_platforms::slack::{Kind, Post};
use serde_json::Value;

use super::super::bridge::Base;
use super::{Receive, Talk};

#[tokio::test]
async fn slack_life_http_sqlite() {
    live(Receive::Http, Base::Sqlite).await;
}

#[tokio::test]
async fn slack_life_socket_sqlite() {
    live(Receive::Socket, Base::Sqlite).await;
}

#[tokio::test]
async fn pg_slack_life_http() {
    live(Receive::Http, Base::Postgres).await;
}

async fn live(receive: Receive, base: Base) {
    let Some(mut talk) = Talk::set_up(receive, base).await else { return };
    talk.run().await;
    let root = handed_over(&talk).await;
    accepted(&talk, &root).await;
    words_and_edits(&talk, &root).await;
    airlock(&talk, &root).await;
    files(&talk, &root).await;
    reactions(&talk, &root).await;
    resolved(&talk, &root).await;
    talk.nothing_amiss();
    remembered(&mut talk).await;
}

/// The assistant answers from the knowledge base; who asked wants a person: card, transcript in its thread, offer.
async fn handed_over(talk: &Talk) -> String {
    let im = talk.im();
    talk.ask("my printer is jammed");
    let answer = talk.sees(&im, "Printer paper jam").await;
    assert!(!answer.streaming, "{answer:?}");
    talk.acme.press(&talk.ana, &im, &answer.ts, "Talk to a human");
    talk.sees(&im, "I am connecting you with a technician").await;
    let card = talk.card().await;
    talk.sees(&talk.desk, "Transcript").await;
    let with_summary = talk.sees(&talk.desk, "Previous troubleshooting").await;
    assert_eq!(with_summary.ts, card.ts, "the summary is on the card");
    for part in ["#1", "Ana", "Intent", "Service information"] {
        assert!(with_summary.shown().contains(part), "{part} is not on the card: {}", with_summary.shown());
    }
    let thread = talk.acme.transcript(&talk.desk, Some(&card.ts)).join("\n");
    assert!(thread.contains("my printer is jammed"), "{thread}");
    card.ts
}

async fn accepted(talk: &Talk, root: &str) {
    let offer = talk.sees(&talk.desk, "yours to accept").await;
    let mention = format!("<@{}>", talk.bob);
    let pinged = talk.fake.read(|world| world.pings.iter().any(|ping| ping.whom.contains(&talk.bob)));
    assert!(pinged || offer.text.contains(&mention), "nobody is mentioned: {offer:?}");
    talk.acme.press(&talk.bob, &talk.desk, root, "Accept");
    talk.sees(&talk.im(), "Bob has joined").await;
    talk.sees(&talk.desk, "accepted after").await;
}

async fn words_and_edits(talk: &Talk, root: &str) {
    let im = talk.im();
    let asked = talk.ask("the tray is stuk & *hot*");
    let relayed = talk.sees(&talk.desk, "the tray is stuk").await;
    assert_eq!(relayed.thread.as_deref(), Some(root), "beside the thread: {relayed:?}");
    let name = talk.fake.read(|world| world.author_name(&talk.acme.team, &relayed));
    assert!(name.contains("Ana"), "under the name {name}");
    let told = talk.reply(root, "Pull the gren lever");
    talk.sees(&im, "Pull the gren lever").await;
    talk.marked(&talk.desk, &told, "incoming_envelope").await;
    talk.acme.edit(&talk.ana, &im, &asked, "the tray is stuck");
    talk.sees(&talk.desk, "the tray is stuck").await;
    talk.acme.edit(&talk.bob, &talk.desk, &told, "Pull the green lever");
    talk.sees(&im, "Pull the green lever").await;
    assert_eq!(talk.count(&im, "lever"), 1, "the edit became a message of its own");
    assert_eq!(talk.count(&talk.desk, "the tray is st"), 1, "the edit became a message of its own");
    let slip = talk.ask("forget this line");
    let shown = talk.sees(&talk.desk, "forget this line").await;
    talk.acme.delete(&im, &slip);
    talk.until("deletion", |world| {
        let message = world.message(&talk.acme.team, &talk.desk, &shown.ts);
        message.is_none_or(|message| message.deleted || !message.shown().contains("forget this line"))
    })
    .await;
}

/// What stays inside, and who is told so.
async fn airlock(talk: &Talk, root: &str) {
    let note = talk.reply(root, "🔒 a very nervous person");
    talk.marked(&talk.desk, &note, "lock").await;
    let note = talk.reply(root, Post::wire(":lock: nervous, I say"));
    talk.marked(&talk.desk, &note, "lock").await;
    // Neither a guest, nor a stranger, nor a bot, nor anybody else who is no technician.
    let outsiders =
        [talk.eve.clone(), talk.acme.guest("Gus"), talk.acme.stranger("Sam"), talk.acme.bot("Weather")];
    for outsider in &outsiders {
        talk.acme.join(&talk.desk, outsider);
        talk.acme.reply(outsider, &talk.desk, root, "tell her not to be nervous");
    }
    talk.acme.press(&talk.eve, &talk.desk, root, "Resolve");
    talk.reply(root, "all done in here");
    talk.sees(&talk.im(), "all done in here").await;
    assert_eq!(talk.count(&talk.im(), "nervous"), 0, "{:?}", talk.acme.transcript(&talk.im(), None));
    assert_eq!(talk.count(&talk.im(), "resolved"), 0);
    let kind = talk.fake.read(|world| world.team(&talk.acme.team).users[&outsiders[2]].kind.clone());
    assert!(matches!(kind, Kind::Stranger { .. }));
}

async fn files(talk: &Talk, root: &str) {
    let (log, manual) = (bytes(70_000, 251), bytes(90_000, 241));
    let post = Post::text("this is how it looks").file("jam.png", PIXEL).file("error log.txt", log.clone());
    talk.ask(post);
    arrived(talk, &talk.desk, "jam.png", PIXEL).await;
    arrived(talk, &talk.desk, "error log.txt", &log).await;
    talk.sees(&talk.desk, "this is how it looks").await;
    assert_eq!(talk.count(&talk.desk, "this is how it looks"), 1);
    talk.reply(root, Post::text("the lever").file("manual.pdf", manual.clone()));
    arrived(talk, &talk.im(), "manual.pdf", &manual).await;
    talk.sees(&talk.im(), "the lever").await;
    // A file without a word.
    talk.reply(root, Post::default().file("alone.png", PIXEL));
    arrived(talk, &talk.im(), "alone.png", PIXEL).await;
}

const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

fn bytes(length: u32, modulus: u32) -> Vec<u8> {
    (0..length).map(|n| b'a' + (n % modulus % 26) as u8).collect()
}

/// A file of the app's with exactly these bytes.
async fn arrived(talk: &Talk, channel: &str, name: &str, content: &[u8]) {
    talk.until(&format!("{name} in {channel}"), |world| {
        let files = talk.own(world, channel).into_iter().flat_map(|message| message.files.iter());
        let ids = files.filter(|file| file["name"] == name).filter_map(|file| file["id"].as_str());
        let kept = ids.filter_map(|id| world.files.kept.get(&(talk.acme.team.clone(), id.to_owned())));
        kept.into_iter().any(|file| file.bytes == content)
    })
    .await;
}

async fn reactions(talk: &Talk, root: &str) {
    let glad = talk.ask("it works");
    let shown = talk.sees(&talk.desk, "it works").await;
    assert_eq!(shown.thread.as_deref(), Some(root));
    talk.acme.react(&talk.bob, &talk.desk, &shown.ts, "tada");
    talk.marked(&talk.im(), &glad, "tada").await;
    talk.acme.unreact(&talk.bob, &talk.desk, &shown.ts, "tada");
    let im = talk.im();
    talk.until("reaction taken back", |world| {
        let message = world.message(&talk.acme.team, &im, &glad);
        message.is_some_and(|message| message.reacted("tada").is_empty())
    })
    .await;
}

/// `!resolve` in the thread: who asked is told, the card says so.
async fn resolved(talk: &Talk, root: &str) {
    talk.reply(root, "!resolve");
    talk.sees(&talk.im(), "has marked this as resolved").await;
    talk.until("resolved card", |world| {
        let card = world.message(&talk.acme.team, &talk.desk, root);
        card.is_some_and(|card| card.shown().contains("🟢"))
    })
    .await;
}

/// The log leads to the stored state, and every message is stored once.
async fn remembered(talk: &mut Talk) {
    let rows = talk.bridge.rows("messages").await;
    for text in ["the tray is stuck", "Pull the green lever", "this is how it looks", "it works"] {
        assert_eq!(rows.iter().filter(|row| row["content"]["text"] == text).count(), 1, "{text}");
    }
    let (same, report, said) = talk.bridge.run(&["replay", "1", "--json"]).await;
    assert!(same, "{report}{said}");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["same"], true, "{report}");
}
