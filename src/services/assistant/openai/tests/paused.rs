//! The true lengths of all waits, on a wire without sockets and with the clock of the test.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::time::sleep;

use super::super::wire::Answered;
use super::*;
use crate::assistant::Unwatched;

/// One answer: after a wait the head, then pieces, each after its own wait.
struct Act {
    head: Duration,
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    pieces: Vec<(Duration, String)>,
    /// The connection stays open and silent.
    hangs: bool,
}

const NOW: Duration = Duration::ZERO;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Act {
    fn status(status: u16) -> Self {
        Act { head: NOW, status, headers: Vec::new(), pieces: Vec::new(), hangs: false }
    }

    fn says(words: &[(Duration, &str)]) -> Self {
        let piece = |text: &str| {
            let chunk = serde_json::json!({ "choices": [{ "delta": { "content": text } }] });
            format!("data: {chunk}\n\n")
        };
        let pieces = words.iter().map(|(wait, text)| (*wait, piece(text))).collect();
        Act { pieces, ..Act::status(200) }
    }

    fn done(mut self) -> Self {
        self.pieces.push((
            NOW,
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n".to_owned(),
        ));
        self
    }

    fn hangs(mut self) -> Self {
        self.hangs = true;
        self
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

#[derive(Clone, Default)]
struct Stage(Arc<Mutex<Play>>);

#[derive(Default)]
struct Play {
    acts: VecDeque<Act>,
    /// When each request came.
    asked: Vec<Instant>,
}

#[async_trait]
impl Wire for Stage {
    async fn post(&self, _request: &CreateChatCompletionRequest) -> Result<Answered, Failure> {
        let act = {
            let mut play = self.0.lock().expect("not poisoned");
            play.asked.push(Instant::now());
            play.acts.pop_front()
        };
        let Some(act) = act else { return Err(Failure::connection("nobody there")) };
        sleep(act.head).await;
        let headers: HeaderMap = act
            .headers
            .iter()
            .map(|(name, value)| {
                (reqwest::header::HeaderName::from_static(name), HeaderValue::from_static(value))
            })
            .collect();
        let pieces = stream::iter(act.pieces).then(|(wait, text)| async move {
            sleep(wait).await;
            Ok(Bytes::from(text))
        });
        let body = if act.hangs { pieces.chain(stream::pending()).boxed() } else { pieces.boxed() };
        Ok(Answered { status: act.status, headers, body })
    }
}

fn play(acts: Vec<Act>) -> (OpenAiEngine, Stage) {
    let stage = Stage::default();
    stage.0.lock().expect("not poisoned").acts = acts.into();
    let settings = OpenAiSettings::new("http://127.0.0.1:1/v1", "m");
    (OpenAiEngine::over(Box::new(stage.clone()), settings, base()), stage)
}

/// The reply, and how long it took.
async fn timed(acts: Vec<Act>) -> (Reply, Duration, Vec<Duration>) {
    let (engine, stage) = play(acts);
    let start = Instant::now();
    let reply = engine.answer(&request("Hello there, printer"), &Unwatched).await;
    let asked =
        stage.0.lock().expect("not poisoned").asked.iter().map(|at| at.duration_since(start)).collect();
    (reply, start.elapsed(), asked)
}

#[tokio::test(start_paused = true)]
async fn the_first_token_has_twenty_seconds() {
    let (reply, took, asked) = timed(vec![Act::status(200).hangs()]).await;
    assert_eq!((failed(&reply), took.as_secs(), asked.len()), (Some("no answer in time"), 20, 1));
    let head = Act { head: seconds(40), ..Act::says(&[(NOW, "x")]) };
    let (reply, took, _) = timed(vec![head]).await;
    assert_eq!((failed(&reply), took.as_secs()), (Some("no answer in time"), 20));
    let (reply, took, _) = timed(vec![Act::says(&[(seconds(19), "Just in time.")]).done()]).await;
    assert_eq!((text(&reply), took.as_secs()), ("Just in time.", 19));
}

/// Comments keep the connection, and do not make an answer.
#[tokio::test(start_paused = true)]
async fn keep_alive_is_no_token() {
    let mut act = Act::status(200).hangs();
    act.pieces = (0..40).map(|_| (seconds(1), ": PROCESSING\n\n".to_owned())).collect();
    let (reply, took, _) = timed(vec![act]).await;
    assert_eq!((failed(&reply), took.as_secs()), (Some("no answer in time"), 20));
    let mut thinking = Act::says(&[]);
    let thought = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
    thinking.pieces = (0..3).map(|_| (seconds(12), thought.to_owned())).collect();
    thinking.pieces.extend(Act::says(&[(seconds(1), "Thought about it.")]).done().pieces);
    let (reply, took, _) = timed(vec![thinking]).await;
    assert_eq!((text(&reply), took.as_secs()), ("Thought about it.", 37));
}

#[tokio::test(start_paused = true)]
async fn between_pieces_fifteen_seconds_pass_at_most() {
    let (reply, took, asked) =
        timed(vec![Act::says(&[(seconds(2), "Well,"), (seconds(16), " no.")]).done()]).await;
    assert_eq!((failed(&reply), took.as_secs(), asked.len()), (Some("the answer stopped half-way"), 17, 1));
    let (reply, took, _) =
        timed(vec![Act::says(&[(seconds(14), "Well,"), (seconds(14), " yes.")]).done()]).await;
    assert_eq!((text(&reply), took.as_secs()), ("Well, yes.", 28));
}

/// F34: an endless stream, slow enough for every other limit.
#[tokio::test(start_paused = true)]
async fn f34_a_turn_is_over_before_the_core_gives_it_up() {
    let words: Vec<(Duration, &str)> = (0..100).map(|_| (seconds(3), "word ")).collect();
    let (reply, took, _) = timed(vec![Act::says(&words).hangs()]).await;
    assert!(failed(&reply).is_some(), "{reply:?}");
    assert_eq!(took.as_secs(), 55);
}

#[tokio::test(start_paused = true)]
async fn retries_back_off() {
    let (reply, took, asked) = timed(vec![Act::status(500), Act::status(503), Act::status(500)]).await;
    assert!(failed(&reply).is_some());
    assert_eq!(asked.len(), 3);
    let waits = [asked[1] - asked[0], asked[2] - asked[1]];
    assert!((375..=500).contains(&waits[0].as_millis()), "{waits:?}");
    assert!((750..=1_000).contains(&waits[1].as_millis()), "{waits:?}");
    assert!(took < seconds(2));
}

#[tokio::test(start_paused = true)]
async fn the_servers_word_counts_up_to_the_end_of_the_turn() {
    let busy = |name, value| Act::status(429).header(name, value);
    let fine = || Act::says(&[(NOW, "Fine.")]).done();
    for (name, value, expected) in
        [("retry-after-ms", "1500", 1_500), ("retry-after", "7", 7_000), ("retry-after", "50", 50_000)]
    {
        let (reply, took, _) = timed(vec![busy(name, value), fine()]).await;
        assert_eq!((text(&reply), took.as_millis()), ("Fine.", expected), "{name} {value}");
    }
    // Waiting past the end would only waste the requester's time.
    for value in ["56", "119", "86400"] {
        let (reply, took, asked) = timed(vec![busy("retry-after", value), fine()]).await;
        assert!(failed(&reply).is_some() && took < seconds(1) && asked.len() == 1, "{value}: {took:?}");
    }
}

/// The requester never waits on a dead model: five dead turns, then none for half a minute, then one trial.
#[tokio::test(start_paused = true)]
async fn five_failures_open_the_circuit() {
    let (engine, stage) = play((0..15).map(|_| Act::status(500)).collect());
    let asked = || stage.0.lock().expect("not poisoned").asked.len();
    let turn = async || engine.answer(&request("Hello there, printer"), &Unwatched).await;
    for _ in 0..5 {
        assert!(failed(&turn().await).is_some());
    }
    assert_eq!(asked(), 15);
    let start = Instant::now();
    for _ in 0..20 {
        assert!(failed(&turn().await).is_some_and(|why| why.contains("too often")));
    }
    assert_eq!((asked(), start.elapsed()), (15, NOW));
    sleep(seconds(30)).await;
    stage.0.lock().expect("not poisoned").acts.push_back(Act::says(&[(NOW, "Back.")]).done());
    assert_eq!(text(&turn().await), "Back.");
    assert_eq!(asked(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_summary_waits_fifteen_seconds_at_most() {
    let words: Vec<(Duration, &str)> = (0..100).map(|_| (seconds(3), "word ")).collect();
    let (engine, _) = play(vec![Act::says(&words).done()]);
    let start = Instant::now();
    let said = engine.summarise(&request("VPN error 691")).await;
    assert_eq!(start.elapsed().as_secs(), 15);
    assert!(said.contains("**Open questions**"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_body_after_the_end_is_not_waited_for() {
    let (reply, took, _) = timed(vec![Act::says(&[(NOW, "Done.")]).done().hangs()]).await;
    assert_eq!(text(&reply), "Done.");
    assert!(took <= Duration::from_millis(100));
}
