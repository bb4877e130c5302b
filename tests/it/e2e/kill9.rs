//! `kill -9` at random moments under load: what was acknowledged is there once, what is shown is shown at most twice.
//!
//! Not here: the end by SIGTERM (`faults`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deskbridge_platforms::telegram::World;

use super::bridge::{Base, Way};
use super::talk::{BOB, Talk, UNPACED};

/// Of each of the four: fifty on each database.
const KILLS: usize = 25;
/// Of the one whose words share posts.
const CROWDED_KILLS: usize = 8;
const REQUESTERS: [i64; 3] = [301, 302, 303];

// Most of the time is the half minute after an attempt whose outcome nobody knows (D33): two of them share it.
#[tokio::test]
async fn kill9_sqlite() {
    tokio::join!(
        killed(Way::Polling, Base::Sqlite, Group::Roomy),
        killed(Way::Webhook, Base::Sqlite, Group::Roomy),
        killed(Way::Polling, Base::Sqlite, Group::Crowded)
    );
}

#[tokio::test]
async fn kill9_postgres() {
    tokio::join!(
        killed(Way::Polling, Base::Postgres, Group::Roomy),
        killed(Way::Webhook, Base::Postgres, Group::Roomy)
    );
}

/// xorshift; the seed is printed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Whether the group's pace is lifted, or so tight that words share posts (D23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Roomy,
    Crowded,
}

async fn killed(way: Way, base: Base, group: Group) {
    let Some(mut talk) = Talk::set_up(way, base).await else { return };
    let (serve, kills): (&[&str], _) = match group {
        Group::Roomy => (&UNPACED, KILLS),
        Group::Crowded => (&["serve"], CROWDED_KILLS),
    };
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64 | 1);
    println!("{way:?}, {base:?}, {group:?}: seed {seed}");
    let mut chance = Chance(seed);
    talk.bridge.start_as(serve).await;
    let mut topics = Vec::new();
    for id in REQUESTERS {
        topics.push(assigned(&talk, id).await);
    }
    let mut said: Vec<Vec<String>> = vec![Vec::new(); REQUESTERS.len()];
    let mut replied = said.clone();
    if group == Group::Crowded {
        // Four in six seconds.
        talk.fake.settings(|settings| (settings.group_pace, settings.enforce_rate_limits) = (4, true));
    }
    for _ in 0..kills {
        for _ in 0..4 {
            let who = chance.below(3) as usize;
            let text = format!("word {}-{}.", REQUESTERS[who], said[who].len());
            talk.fake.private_message(REQUESTERS[who], text.as_str());
            said[who].push(text);
        }
        let who = chance.below(3) as usize;
        let text = format!("reply {}-{}.", REQUESTERS[who], replied[who].len());
        talk.fake.topic_message(BOB, talk.desk, topics[who], text.as_str());
        replied[who].push(text);
        // The one wait by the clock here: its length is the random moment.
        tokio::time::sleep(Duration::from_millis(chance.below(120))).await;
        talk.bridge.kill().await;
        talk.bridge.start_as(serve).await;
    }
    talk.until("everything taken", |world| world.pending_updates() == 0).await;
    for (who, topic) in topics.iter().enumerate() {
        shown(&talk, talk.desk, Some(*topic), &said[who]).await;
        shown(&talk, REQUESTERS[who], None, &replied[who]).await;
    }
    assert_eq!(talk.fake.violations(), Vec::<String>::new());
    let rows = talk.bridge.rows("messages").await;
    if group == Group::Crowded {
        assert!(!talk.bridge.rows("joints").await.is_empty(), "no words shared a post (seed {seed})");
    }
    for text in said.iter().chain(&replied).flatten() {
        let stored = rows.iter().filter(|row| row["content"]["text"] == *text).count();
        assert_eq!(stored, 1, "{text} is stored {stored} times (seed {seed})");
    }
}

/// The requester asks for a person, and Bob accepts; returns the topic.
async fn assigned(talk: &Talk, id: i64) -> i64 {
    talk.fake.user(id, &format!("Requester {id}"));
    let known: Vec<i64> =
        talk.fake.read(|world| world.topics(talk.desk).iter().map(|topic| topic.id).collect());
    talk.fake.private_message(id, "I want to talk to a human");
    let topic = talk
        .wait("topic", |world| {
            world.topics(talk.desk).iter().map(|topic| topic.id).find(|id| !known.contains(id))
        })
        .await;
    let offer = talk.sees(Some(topic), "yours to accept").await;
    talk.fake.press(BOB, talk.desk, offer.id, "Accept");
    talk.sees_in(id, None, "has joined").await;
    topic
}

/// Every text is there, at most twice, and first seen in the order in which it was written.
async fn shown(talk: &Talk, chat: i64, topic: Option<i64>, texts: &[String]) {
    let bot = talk.fake.bot_id();
    let all = |world: &World| -> String {
        let messages = world.messages_in(chat, topic);
        messages
            .iter()
            .filter(|message| message.is_from(bot))
            .map(|message| message.text())
            .collect::<Vec<_>>()
            .join("\n")
    };
    talk.until("everything shown", |world| {
        let shown = all(world);
        texts.iter().all(|text| shown.contains(text))
    })
    .await;
    let shown = talk.fake.read(all);
    for text in texts {
        let times = shown.matches(text.as_str()).count();
        assert!(times <= 2, "{text} is shown {times} times");
    }
    let places: Vec<_> = texts.iter().map(|text| shown.find(text.as_str())).collect();
    assert!(places.is_sorted(), "out of order in {chat}: {shown}");
}
