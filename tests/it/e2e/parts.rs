//! Answers that need several messages on Telegram, which does not tell what arrived: nothing is lost, and what may be there
//! twice is one part, which is said (S43, D33).
//!
//! Not here: every class of platform and every moment (`crate::parts`, in virtual time); Slack (`slack::parts`).

use deskbridge_platforms::telegram::{Fault, FaultKind, World};

use super::bridge::{Base, Way};
use super::talk::{BOB, MARIA, Talk, UNPACED};

/// Words of six characters each.
pub(super) fn long_text(count: usize) -> String {
    let words: Vec<String> = (0..count).map(|n| format!("w{n:04}")).collect();
    words.chunks(40).map(|chunk| chunk.join(" ")).collect::<Vec<_>>().join("\n\n")
}

fn number(word: &str) -> Option<usize> {
    let digits = word.strip_prefix('w').filter(|digits| digits.len() == 4)?;
    digits.parse().ok()
}

/// Which words of a long answer are in these messages.
pub(super) fn words(parts: &[String]) -> Vec<usize> {
    parts.iter().flat_map(|part| part.split_whitespace()).filter_map(number).collect()
}

/// Every word once and in order, in parts that say which of how many they are.
#[track_caller]
pub(super) fn assert_whole(count: usize, parts: &[String]) {
    assert_eq!(words(parts), (0..count).collect::<Vec<_>>());
    assert!(parts.len() > 1, "it should need several messages");
    for (nth, part) in parts.iter().enumerate() {
        let number = format!("({}/{})", nth + 1, parts.len());
        assert_eq!(part.lines().last().map(|line| line.trim_matches(['_', '*'])), Some(&*number), "{part}");
    }
}

/// As long as Telegram takes a message of a person; beside a name it needs two.
const LONG: usize = 680;

async fn polled() -> Talk {
    let mut talk = Talk::set_up(Way::Polling, Base::Sqlite).await.expect("SQLite is always there");
    talk.bridge.start_as(&UNPACED).await;
    talk
}

/// The parts of the long message that Maria was shown, in order.
fn arrived(talk: &Talk) -> Vec<String> {
    let bot = talk.fake.bot_id();
    let own = talk.fake.messages_in(MARIA, None).into_iter().filter(|message| message.is_from(bot));
    let texts = own.map(|message| message.text().to_owned());
    texts.filter(|text| !words(std::slice::from_ref(text)).is_empty()).collect()
}

async fn marked(talk: &Talk, said: i64, mark: &str) {
    let bot = talk.fake.bot_id();
    talk.until(mark, |world| world.reactions(talk.desk, said, bot).iter().any(|emoji| emoji == mark)).await;
}

#[tokio::test]
async fn s43_a_pause_between_parts() {
    let talk = polled().await;
    let topic = talk.assigned().await;
    talk.fake.fault(Fault::on("sendMessage", FaultKind::rate_limit(1)).in_chat(MARIA).after(1));
    let said = talk.reply(topic, long_text(LONG).as_str());
    marked(&talk, said, "👌").await;
    assert_whole(LONG, &arrived(&talk));
    assert_eq!(talk.count(Some(topic), "twice") + talk.count(Some(topic), "Only the first part"), 0);
    talk.nothing_amiss();
}

#[tokio::test]
async fn s43_the_answer_to_a_part_is_lost() {
    for part in [0, 1] {
        let talk = polled().await;
        let topic = talk.assigned().await;
        let lost = Fault::on("sendMessage", FaultKind::CloseAfterEffect);
        talk.fake.fault(lost.in_chat(MARIA).after(part));
        let said = talk.reply(topic, long_text(LONG).as_str());
        marked(&talk, said, "👌").await;
        let mut parts = arrived(&talk);
        assert_eq!(parts.len(), 3, "the one that nobody knows of is there twice: {parts:#?}");
        assert_eq!(parts[part as usize], parts[part as usize + 1]);
        parts.remove(part as usize);
        assert_whole(LONG, &parts);
        talk.sees(Some(topic), "twice").await;
        talk.nothing_amiss();
    }
}

/// `kill -9` while the second part is on its way.
#[tokio::test]
async fn s43_killed_between_parts() {
    let mut talk = polled().await;
    let topic = talk.assigned().await;
    let stall = FaultKind::Stall { wait_ms: 3_600_000, effect: false };
    talk.fake.fault(Fault::on("sendMessage", stall).in_chat(MARIA).after(1));
    let calls = |world: &World| {
        let to = |call: &&deskbridge_platforms::telegram::Call| {
            call.method == "sendMessage" && call.chat() == Some(MARIA)
        };
        world.ledger.calls.iter().filter(to).count()
    };
    let before = talk.fake.read(calls);
    let said = talk.fake.topic_message(BOB, talk.desk, topic, long_text(LONG).as_str());
    talk.until("the second part on its way", |world| calls(world) == before + 2).await;
    talk.bridge.kill().await;
    talk.bridge.start_as(&UNPACED).await;
    marked(&talk, said, "👌").await;
    assert_whole(LONG, &arrived(&talk));
    talk.sees(Some(topic), "twice").await;
    talk.nothing_amiss();
}
