//! What becomes several messages loses nothing and shows nothing twice, whatever comes in between (D33, S43): in virtual
//! time, on platforms of every class of resending.
//!
//! Not here: where texts are split (the core's `fit`), real platforms' answers (`e2e`).

mod pair;
mod under_way;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::{Content, Mark, OperationKind, OutboundOp};
use deskbridge_conversation::{Answer, TechnicianId};
use deskbridge_services::assistant::{Assistant, Progress, Reply, Request};
use deskbridge_sim::{Fault, World};

use pair::{Pair, WORDS, assert_whole, long_text, words};

/// A platform that shows the same id once, one that can be read, and one that does neither.
const CLASSES: [&str; 3] = ["discord", "slack-home", "telegram"];

/// The fault of the first attempt of one part.
fn fail_part(world: &World, part: usize, fault: Fault) {
    let (ending, mut left) = (format!("#{part}"), Some(fault));
    world.fail_by(move |out, _| {
        let is_it = out.op.kind() == OperationKind::Post && out.id.0.ends_with(&ending);
        left.take_if(|_| is_it)
    });
}

/// The same for the first part, whose id has no ending: the first post that is long.
fn fail_first_part(world: &World, fault: Fault) {
    let mut left = Some(fault);
    world.fail_by(move |out, _| match &out.op {
        OutboundOp::Post { content, .. } if content.text.contains("w0000") => left.take(),
        _ => None,
    });
}

#[tokio::test(start_paused = true)]
async fn s43_a_pause_between_parts_loses_nothing() {
    for channel in CLASSES {
        for after in [None, Some(Duration::from_secs(7))] {
            let pair = Pair::assigned(channel).await;
            fail_part(pair.home(), 1, Fault::Retry { after });
            pair.answer(&long_text()).await;
            pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
            assert_whole(channel, &pair.answered());
            assert_eq!(pair.notices("⚠️"), 0, "{channel}: there is nothing to tell");
        }
    }
}

/// A part that timed out: what the platform can say of it decides.
#[tokio::test(start_paused = true)]
async fn s43_a_part_without_an_answer() {
    for channel in CLASSES {
        for effect in [false, true] {
            for part in [0, 1] {
                let pair = Pair::assigned(channel).await;
                let fault = Fault::Ambiguous { effect };
                match part {
                    0 => fail_first_part(pair.home(), fault),
                    _ => fail_part(pair.home(), part, fault),
                }
                pair.answer(&long_text()).await;
                pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
                pair.at_rest().await;
                let (what, mut parts) = (format!("{channel}, part {part}, {effect}"), pair.answered());
                let blind = channel == "telegram";
                if blind && effect {
                    assert_eq!(parts[part], parts[part + 1], "{what}: the one that nobody knows of");
                    parts.remove(part);
                }
                assert_whole(&what, &parts);
                assert_eq!(pair.notices("twice"), usize::from(blind), "{what}: it is told where it may be");
            }
        }
    }
}

/// The program ends while one part is on its way.
#[tokio::test(start_paused = true)]
async fn s43_a_crash_between_parts() {
    for channel in CLASSES {
        for effect in [false, true] {
            for part in [0, 1, 2] {
                let mut pair = Pair::assigned(channel).await;
                let fault = Fault::Hang { effect };
                match part {
                    0 => fail_first_part(pair.home(), fault),
                    _ => fail_part(pair.home(), part, fault),
                }
                pair.answer(&long_text()).await;
                pair.until("one is on its way", |pair| pair.home().held() == 1).await;
                pair.crash().await;
                pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
                pair.at_rest().await;
                let (what, mut parts) = (format!("{channel}, part {part}, {effect}"), pair.answered());
                if channel == "telegram" && effect {
                    assert_eq!(parts[part], parts[part + 1], "{what}: the one that nobody knows of");
                    parts.remove(part);
                }
                assert_whole(&what, &parts);
            }
        }
    }
}

/// It ends while the next part waits for its turn: no doubt about any.
#[tokio::test(start_paused = true)]
async fn s43_a_crash_while_the_rest_waits() {
    for channel in CLASSES {
        let mut pair = Pair::assigned(channel).await;
        fail_part(pair.home(), 1, Fault::Retry { after: Some(Duration::from_secs(60)) });
        pair.answer(&long_text()).await;
        pair.until("the first is there", |pair| pair.answered().len() == 1).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        pair.crash().await;
        pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
        assert_whole(channel, &pair.answered());
        assert_eq!(pair.notices("⚠️"), 0, "{channel}: there is nothing to tell");
    }
}

/// Parts keep the pace of the room, as messages do.
#[tokio::test(start_paused = true)]
async fn s43_parts_keep_the_pace() {
    let pair = Pair::assigned("telegram-paced").await;
    pair.answer(&long_text()).await;
    pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
    assert_whole("paced", &pair.answered());
    let said = pair.home().messages(&pair.ana());
    let at: Vec<_> = said.iter().filter(|m| m.content.text.contains("/3)*")).map(|m| m.at).collect();
    let pauses: Vec<Duration> = at.windows(2).map(|two| two[1].since(two[0])).collect();
    assert!(pauses.len() == 2 && pauses.iter().all(|pause| *pause >= Duration::from_secs(1)), "{pauses:?}");
    let refused =
        pair.home().attempts().iter().filter(|attempt| matches!(attempt.outcome, Some(Err(_)))).count();
    assert_eq!(refused, 0, "the platform had to ask for no pause");
}

/// What is there stays, and whoever wrote it is told that the rest is not.
#[tokio::test(start_paused = true)]
async fn s43_a_refused_part_is_told_to_its_author() {
    for channel in CLASSES {
        for fault in [Fault::Rejected { fixable: false }, Fault::Gone] {
            let pair = Pair::assigned(channel).await;
            fail_part(pair.home(), 1, fault.clone());
            pair.answer(&long_text()).await;
            pair.until("Bob is told", |pair| pair.notices("Only the first part") == 1).await;
            pair.at_rest().await;
            assert_eq!(pair.answered().len(), 1, "{channel}, {fault:?}");
            assert_eq!(pair.mark(), Some(Mark::Failed), "{channel}, {fault:?}");
            assert_eq!(pair.notices("Delivered"), 0, "{channel}, {fault:?}: it is not delivered");
        }
    }
}

/// The other direction: the room that shows only a part says so.
#[tokio::test(start_paused = true)]
async fn s43_a_desk_shows_all_or_says_so() {
    let pair = Pair::assigned("telegram").await;
    fail_part(pair.desk(), 1, Fault::Retry { after: Some(Duration::from_secs(9)) });
    pair.ask(&long_text()).await;
    pair.at_rest().await;
    assert_whole("a question", &pair.parts(&pair.thread(), pair.desk()));
    assert_eq!(pair.notices("⚠️"), 0);
    let pair = Pair::assigned("telegram").await;
    fail_part(pair.desk(), 1, Fault::Rejected { fixable: false });
    pair.ask(&long_text()).await;
    pair.until("the desk is told", |pair| pair.notices("the console has all of it") == 1).await;
    pair.at_rest().await;
    assert_eq!(pair.parts(&pair.thread(), pair.desk()).len(), 1);
}

/// What was said before the handover is one delivery, and long.
#[tokio::test(start_paused = true)]
async fn s43_a_long_transcript() {
    for (fault, whole) in [
        (Fault::Retry { after: Some(Duration::from_secs(9)) }, true),
        (Fault::Ambiguous { effect: true }, true),
        (Fault::Ambiguous { effect: false }, true),
        (Fault::Rejected { fixable: false }, false),
    ] {
        let pair = Pair::on("telegram", None).await;
        fail_part(pair.desk(), 1, fault.clone());
        // Each line of a transcript is cut.
        let all: Vec<String> = (0..WORDS).map(|n| format!("w{n:04}")).collect();
        for line in all.chunks(90) {
            pair.ask(&line.join(" ")).await;
        }
        tokio::time::sleep(Duration::from_secs(20)).await;
        pair.ask("I want to talk to a human").await;
        pair.until("there is a desk", |pair| !pair.desk().threads(&pair.desk().room("desk")).is_empty())
            .await;
        pair.at_rest().await;
        let parts = pair.parts(&pair.thread(), pair.desk());
        let told = pair.notices("the console has all of it");
        if whole {
            assert_eq!(words(&parts), (0..WORDS).collect::<Vec<_>>(), "{fault:?}");
            assert_eq!(told, 0, "{fault:?}");
        } else {
            assert_eq!((parts.len(), told), (1, 1), "{fault:?}");
        }
    }
}

/// An engine with a long answer.
struct Verbose;

#[async_trait]
impl Assistant for Verbose {
    async fn answer(&self, _request: &Request, _progress: &dyn Progress) -> Reply {
        let content = Some(Content::text(long_text()));
        Reply { answer: Answer::Said { cites: Vec::new() }, content }
    }

    async fn summarise(&self, _request: &Request) -> String {
        "A question.".to_owned()
    }

    async fn suggest(&self, _request: &Request, _to: &TechnicianId) -> Option<Content> {
        None
    }
}

/// An answer of the assistant has nobody behind it who could be told: the person who reads it is.
#[tokio::test(start_paused = true)]
async fn s43_an_answer_arrives_whole_or_says_so() {
    for channel in CLASSES {
        for (fault, whole) in [
            (Fault::Retry { after: Some(Duration::from_secs(9)) }, true),
            (Fault::Ambiguous { effect: false }, true),
            (Fault::Rejected { fixable: false }, false),
        ] {
            let pair = Pair::on(channel, Some(Arc::new(Verbose))).await;
            fail_part(pair.home(), 1, fault.clone());
            pair.ask("what is wrong?").await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            pair.at_rest().await;
            let told = pair.texts(&pair.ana(), pair.home());
            let told = told.iter().filter(|text| text.contains("could not be delivered")).count();
            let what = format!("{channel}, {fault:?}");
            if whole {
                assert_whole(&what, &pair.answered());
                assert_eq!(told, 0, "{what}");
            } else {
                assert_eq!((pair.answered().len(), told), (1, 1), "{what}");
            }
        }
    }
}

/// L6: the rest of an answer is not said any more once a person was asked for.
#[tokio::test(start_paused = true)]
async fn l6_the_rest_of_an_answer_is_not_said_after_the_handover() {
    for channel in CLASSES {
        let pair = Pair::on(channel, Some(Arc::new(Verbose))).await;
        fail_part(pair.home(), 1, Fault::Retry { after: Some(Duration::from_secs(30)) });
        pair.ask("what is wrong?").await;
        pair.until("the first part is there", |pair| pair.answered().len() == 1).await;
        pair.ask("I want to talk to a human").await;
        pair.at_rest().await;
        assert_eq!(pair.answered().len(), 1, "{channel}");
    }
}

/// What is taken back between two parts goes as a whole (D14).
#[tokio::test(start_paused = true)]
async fn d14_what_is_deleted_between_parts_goes() {
    for channel in CLASSES {
        let pair = Pair::assigned(channel).await;
        fail_part(pair.home(), 1, Fault::Retry { after: Some(Duration::from_secs(30)) });
        pair.answer(&long_text()).await;
        pair.until("the first part is there", |pair| pair.answered().len() == 1).await;
        pair.desk().delete("bob", &pair.thread(), &pair.said().id).await.expect("taken");
        pair.at_rest().await;
        assert_eq!(pair.answered(), Vec::<String>::new(), "{channel}");
    }
}

/// And what is edited between two parts is shown as it is by then (D14).
#[tokio::test(start_paused = true)]
async fn d14_what_is_edited_between_parts_is_shown_anew() {
    for channel in CLASSES {
        for short in [true, false] {
            let pair = Pair::assigned(channel).await;
            fail_part(pair.home(), 1, Fault::Retry { after: Some(Duration::from_secs(30)) });
            pair.answer(&format!("Before: {}", long_text())).await;
            pair.until("the first part is there", |pair| pair.answered().len() == 1).await;
            let text = if short { "w0000 is all".to_owned() } else { long_text() };
            pair.desk().edit("bob", &pair.thread(), &pair.said().id, &text).await.expect("taken");
            tokio::time::sleep(Duration::from_secs(40)).await;
            pair.at_rest().await;
            if short {
                assert_eq!(words(&pair.answered()), [0], "{channel}");
            } else {
                assert_whole(channel, &pair.answered());
            }
        }
    }
}

/// A room that moves takes the rest with it; what is there already is not said again.
#[tokio::test(start_paused = true)]
async fn f24_a_room_that_moves_between_parts() {
    let pair = Pair::assigned("telegram").await;
    let elsewhere = pair.home().room("elsewhere");
    fail_part(pair.home(), 1, Fault::Moved { to: elsewhere.clone() });
    pair.answer(&long_text()).await;
    pair.until("it is delivered", |pair| pair.mark() == Some(Mark::Delivered)).await;
    let (before, after) = (pair.answered(), pair.parts(&elsewhere, pair.home()));
    assert_eq!((before.len(), after.len()), (1, 2));
    assert_whole("moved", &[before, after].concat());
}

/// A desk's thread that is lost between two parts is opened again, and the new one has all of it (D22).
#[tokio::test(start_paused = true)]
async fn d22_a_thread_that_is_lost_between_parts() {
    let pair = Pair::assigned("telegram").await;
    let before = pair.thread();
    fail_part(pair.desk(), 1, Fault::ThreadGone);
    pair.ask(&long_text()).await;
    pair.until("there is another thread", |pair| pair.thread() != before).await;
    pair.at_rest().await;
    assert_whole("the new thread", &pair.parts(&pair.thread(), pair.desk()));
    assert_eq!(pair.parts(&before, pair.desk()).len(), 1);
}

/// xorshift; the same seed plays the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What befalls the first two attempts of every part, by chance; a platform that tells nothing leaves no doubt here.
fn plan(world: &World, dice: &Arc<Mutex<Dice>>, blind: bool) {
    let dice = dice.clone();
    world.fail_by(move |out, attempt| {
        let OutboundOp::Post { content, .. } = &out.op else { return None };
        let mut dice = dice.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = dice.roll(2) == 0;
        let luck = dice.roll(8);
        if attempt > 2 || words(std::slice::from_ref(&content.text)).is_empty() {
            return None;
        }
        match luck {
            0 => Some(Fault::Retry { after: None }),
            1 => Some(Fault::Retry { after: Some(Duration::from_secs(3)) }),
            2 if !blind => Some(Fault::Ambiguous { effect }),
            3 if !blind => Some(Fault::Hang { effect }),
            _ => None,
        }
    });
}

/// Pauses, lost answers and crashes, several in one message: every word is there once.
#[tokio::test(start_paused = true)]
async fn s43_whatever_comes_in_between() {
    for channel in CLASSES {
        for seed in 1..=20_u64 {
            let mut pair = Pair::assigned(channel).await;
            let dice = Arc::new(Mutex::new(Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)));
            let blind = channel == "telegram";
            plan(pair.home(), &dice, blind);
            pair.answer(&long_text()).await;
            let mut held = 0;
            for _ in 0..20_000 {
                let chance = dice.lock().unwrap_or_else(PoisonError::into_inner).roll(200) == 0;
                if pair.home().held() > held || chance {
                    held = pair.home().held();
                    pair.crash().await;
                    plan(pair.home(), &dice, blind);
                }
                if pair.mark() == Some(Mark::Delivered) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_whole(&format!("{channel}, seed {seed}"), &pair.answered());
        }
    }
}
