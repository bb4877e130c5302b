//! S111, I17: somebody is erased from the built program, and nothing of them is found any more: not by the API, by search,
//! in the export, in the database's files, among the attachments, in the desk room. What the platform sends once more does
//! not bring it back; what they write afterwards is new.
//!
//! Not here: single tables (the store's suite), single shelves (the adapters).

use std::path::{Path, PathBuf};
use std::time::Duration;

use deskbridge_platforms::telegram::{Post, User};
use serde_json::{Value, json};

use super::bridge::{Base, Way, client};
use super::talk::{BOB, Talk, UNPACED};
use super::widget::visitor::{ORIGIN, Visitor};

/// In everything that is said, and in every name.
const CANARY: &str = "zebrafinch";
const EVA: i64 = 770_055_003;

const TINY_PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0,
    1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];

#[tokio::test]
async fn s111_somebody_is_erased_sqlite() {
    erased(Base::Sqlite).await;
}

#[tokio::test]
async fn pg_s111_somebody_is_erased() {
    erased(Base::Postgres).await;
}

async fn erased(base: Base) {
    let Some(mut talk) = Talk::set_up(Way::Polling, base).await else { return };
    talk.bridge.configure(|text| {
        format!("{text}\n[channels.widget]\nadapter = \"widget\"\norigins = [\"{ORIGIN}\"]\n")
    });
    let token = talk.bridge.token().await;
    talk.bridge.start_as(&UNPACED).await;
    let first = talk.fake.last_update_id() + 1;
    let topic = helped(&talk).await;
    let mut visitor = Visitor::arrive(talk.bridge.port).await;
    visitor.say(&format!("the {CANARY} is on the page, too")).await;
    let nonsense = json!({ "message": { "message_id": "no number", "from": { "id": EVA }, "text": CANARY } });
    talk.fake.raw_update(nonsense);
    let requester = known(&talk, &token).await;
    assert!(found(&talk, &token).await > 0, "else nothing would be proved");
    assert!(!files(&talk.bridge.folder.path().join("blobs")).is_empty(), "the files are copied");

    let (good, _, said) = talk.bridge.run(&["erase", &format!("telegram:{EVA}"), "--yes"]).await;
    assert!(good && said.contains("Erased: 1 conversations"), "{said}\n{}", talk.bridge.log());
    assert!(said.contains("What stays:") && said.contains("Telegram (telegram)"), "{said}");
    let (good, _, said) = talk.bridge.run(&["erase", &format!("telegram:{EVA}"), "--yes"]).await;
    assert!(!good && said.contains("there is no requester"), "{said}");
    erase_by_the_api(&talk, &token, &requester).await;
    nothing_is_found(&talk, &token).await;
    gone_from_the_desk(&talk, topic).await;

    // What the platform sends again: the same update, the same message in another, an edit of it.
    let old = json!({ "message": { "message_id": 1, "date": 1_700_000_000,
        "chat": { "id": EVA, "type": "private", "first_name": CANARY },
        "from": { "id": EVA, "is_bot": false, "first_name": CANARY }, "text": CANARY } });
    talk.fake.redeliver(first);
    talk.fake.raw_update(old);
    talk.say("somebody else after them");
    talk.sees(None, "").await;
    nothing_is_found(&talk, &token).await;

    assert!(talk.bridge.stop().await.success(), "{}", talk.bridge.log());
    let (good, export, err) = talk.bridge.run(&["export"]).await;
    assert!(good, "{err}");
    for word in [CANARY, &EVA.to_string()] {
        let lines: Vec<&str> = export.lines().filter(|line| line.to_lowercase().contains(word)).collect();
        assert_eq!(lines, Vec::<&str>::new(), "{word} in the export");
        assert_eq!(holding(talk.bridge.folder.path(), word), Vec::<PathBuf>::new(), "{word}");
    }
    let replay = talk.bridge.run(&["replay", "1"]).await;
    assert!(replay.0, "the log still leads to the state: {} {}", replay.1, replay.2);
    starts_anew(&mut talk, &token).await;
}

/// The program ends amid it, at one moment or another; the next one finishes it without being asked, or was asked for nothing.
#[tokio::test]
async fn s111_a_killed_erasure_is_finished() {
    for wait in [2, 12, 40] {
        let Some(mut talk) = Talk::set_up(Way::Polling, Base::Sqlite).await else { return };
        let token = talk.bridge.token().await;
        talk.bridge.start_as(&UNPACED).await;
        let topic = helped(&talk).await;
        settled(&talk, &token).await;
        let url = talk.bridge.url(&format!("/api/v1/requesters/telegram:{EVA}/erase"));
        let asking = {
            let (url, token) = (url.clone(), token.clone());
            tokio::spawn(async move {
                let asked = client().post(&url).bearer_auth(&token).json(&json!({})).send().await;
                asked.map(|answer| answer.status().as_u16())
            })
        };
        // The one wait by the clock: its length is the moment.
        tokio::time::sleep(Duration::from_millis(wait)).await;
        talk.bridge.kill().await;
        let _ = asking.await;
        talk.bridge.start_as(&UNPACED).await;
        // Not begun: done now. Begun: it goes on. Done: nobody is known by that name.
        let answer = client().post(&url).bearer_auth(&token).json(&json!({})).send().await.expect("answered");
        assert!([200, 404].contains(&answer.status().as_u16()), "after {wait} ms: {}", answer.status());
        gone_from_the_desk(&talk, topic).await;
        assert_eq!(found(&talk, &token).await, 0, "after {wait} ms");
        assert_eq!(files(&talk.bridge.folder.path().join("blobs")), Vec::<PathBuf>::new(), "after {wait} ms");
        assert!(talk.bridge.stop().await.success(), "{}", talk.bridge.log());
        let (good, export, err) = talk.bridge.run(&["export"]).await;
        assert!(good && !export.to_lowercase().contains(CANARY), "after {wait} ms: {err}{export}");
        assert!(export.contains("erased a requester"), "after {wait} ms: it stands in the audit trail");
        for word in [CANARY, &EVA.to_string()] {
            assert_eq!(holding(talk.bridge.folder.path(), word), Vec::<PathBuf>::new(), "after {wait} ms");
        }
    }
}

/// The outcome of everything that was sent is stored: what a crash makes uncertain nobody can take away, and the report says it.
async fn settled(talk: &Talk, token: &str) {
    loop {
        let all = talk.bridge.api("/conversations/1/deliveries", token).await;
        let all = all["data"].as_array().cloned().unwrap_or_default();
        let open = all.iter().filter(|one| one["state"] == "queued" || one["state"] == "attempting").count();
        // Their words, the technician's, and the picture: the note is the last.
        let said = talk.bridge.api("/conversations/1/messages", token).await.to_string();
        if open == 0 && !all.is_empty() && said.contains(&format!("{CANARY} again")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// From the first words to a technician's answer, with a file and a note.
async fn helped(talk: &Talk) -> i64 {
    let name = format!("Eva {CANARY}");
    talk.fake.add_user(User { language_code: Some("en".into()), ..User::named(EVA, name) });
    let say = |post: Post| talk.fake.private_message(EVA, post);
    say(Post::from(format!("my {CANARY} needs a human, I want to talk to a human").as_str()));
    let topic = talk.offered().await;
    let offer = talk.sees(Some(topic), "yours to accept").await;
    talk.fake.press(BOB, talk.desk, offer.id, "Accept");
    talk.sees_in(EVA, None, "has joined").await;
    talk.reply(topic, "Bob has an answer about it");
    talk.sees_in(EVA, None, "Bob has an answer").await;
    say(Post::photo(TINY_PNG).caption(format!("a picture of the {CANARY}")));
    talk.sees(Some(topic), "a picture of the").await;
    talk.reply(topic, format!("note {CANARY} again").as_str());
    topic
}

/// The widget's visitor, once everything is stored and indexed.
async fn known(talk: &Talk, token: &str) -> String {
    loop {
        let all = talk.bridge.api("/conversations", token).await;
        let all = all["data"].as_array().cloned().unwrap_or_default();
        let of_page =
            all.iter().filter_map(|one| one["requester"]["id"].as_str()).find(|id| id.starts_with("widget:"));
        let quarantined = talk.bridge.api("/quarantine", token).await["data"].as_array().map_or(0, Vec::len);
        if let (Some(id), 1, true) = (of_page, quarantined, found(talk, token).await >= 4) {
            return id.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn found(talk: &Talk, token: &str) -> usize {
    let hits = talk.bridge.api(&format!("/search?q={CANARY}"), token).await;
    hits["data"].as_array().map_or(0, Vec::len)
}

async fn erase_by_the_api(talk: &Talk, token: &str, requester: &str) {
    let url = talk.bridge.url(&format!("/api/v1/requesters/{requester}/erase"));
    let ask = async |token: &str| {
        let asked = client().post(&url).bearer_auth(token).json(&json!({})).send().await.expect("answered");
        (asked.status().as_u16(), asked.json::<Value>().await.expect("JSON"))
    };
    let (status, erased) = ask(token).await;
    assert_eq!(
        (status, &erased["data"]["conversations"], &erased["data"]["overwritten"]),
        (200, &1.into(), &true.into()),
        "{erased}"
    );
    assert_eq!(ask(token).await.0, 404, "nobody is known by that name any more");
}

async fn nothing_is_found(talk: &Talk, token: &str) {
    assert_eq!(found(talk, token).await, 0);
    let mut paths = vec![
        "/conversations".to_owned(),
        "/tickets".to_owned(),
        "/quarantine".to_owned(),
        "/audit".to_owned(),
        format!("/people?q={CANARY}"),
    ];
    for n in 1..=2 {
        for part in ["", "/messages", "/deliveries", "/timeline", "/summary", "/ticket"] {
            paths.push(format!("/conversations/{n}{part}"));
        }
    }
    for path in paths {
        let said = talk.bridge.api(&path, token).await.to_string().to_lowercase();
        assert!(!said.contains(CANARY), "{path}: {said}");
        assert!(!said.contains(&EVA.to_string()), "{path}: {said}");
    }
    assert_eq!(files(&talk.bridge.folder.path().join("blobs")), Vec::<PathBuf>::new());
    assert!(!talk.bridge.log().to_lowercase().contains(CANARY));
}

/// What the bridge posted there is taken away; what technicians wrote is theirs.
async fn gone_from_the_desk(talk: &Talk, topic: i64) {
    let (desk, bot) = (talk.desk, talk.fake.bot_id());
    talk.until("an empty thread", |world| {
        let words = world.messages_in(desk, Some(topic)).into_iter().filter(|message| message.is_from(bot));
        let left = words.filter(|message| message.text().to_lowercase().contains(CANARY)).count();
        let title =
            world.topics(desk).into_iter().find(|one| one.id == topic).map(|one| one.name.to_lowercase());
        left == 0 && title.is_some_and(|title| !title.contains(CANARY))
    })
    .await;
}

async fn starts_anew(talk: &mut Talk, token: &str) {
    talk.bridge.start_as(&UNPACED).await;
    let before = talk.bridge.api("/conversations", token).await["data"].as_array().map_or(0, Vec::len);
    talk.fake.private_message(EVA, "hello, it is me");
    loop {
        let all = talk.bridge.api("/conversations", token).await;
        let all = all["data"].as_array().cloned().unwrap_or_default();
        if all.len() == before + 1 {
            assert_eq!(all[0]["requester"]["id"], format!("telegram:{EVA}"), "{all:?}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Files of the bridge in whose bytes the word stands, in whatever letters.
fn holding(folder: &Path, word: &str) -> Vec<PathBuf> {
    let word = word.as_bytes();
    let has = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("read").to_ascii_lowercase();
        bytes.windows(word.len()).any(|window| window == word)
    };
    files(folder).into_iter().filter(has).collect()
}
