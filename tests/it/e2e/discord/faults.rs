//! What goes wrong between the built program and Discord, and that people see what they must.
//!
//! Not here: sessions that are lost, outages of the database (`life`), forged requests (`doors`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deskbridge_platforms::discord::{Fault, FaultKind, Scope, World};
use serde_json::Value;

use super::super::bridge::{Base, client};
use super::Talk;

async fn talk() -> Talk {
    Talk::start(false, Base::Sqlite).await.expect("SQLite is always there")
}

/// The same words reach the post once, whatever befell their first sending, and what was said after them comes after them.
async fn arrives_once(
    talk: &Talk,
    post: deskbridge_platforms::discord::Snowflake,
    text: &str,
    fault: FaultKind,
) {
    talk.fake.fault(Fault::on("execute_webhook", fault));
    talk.ask(text);
    let after = format!("and after {text}");
    talk.ask(after.as_str());
    talk.sees(post, &after).await;
    let said = talk.fake.read(|world| {
        let own = talk.own(world, post).into_iter().map(|message| message.said());
        own.filter(|said| said.contains(text)).collect::<Vec<_>>()
    });
    assert_eq!(said.len(), 2, "{text}: {said:#?}");
    assert!(said[1].contains("and after"), "{said:#?}");
}

/// F11: limits of the bot, of the resource, of everything; with odd figures, and with none.
#[tokio::test]
async fn discord_f11_too_many_requests() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let odd = |retry_after: Option<Value>, header: Option<&str>| FaultKind::RateLimit {
        scope: Scope::User,
        retry_after,
        header: header.map(str::to_owned),
    };
    arrives_once(&talk, post, "one second", FaultKind::rate_limit(Scope::User, 1.0)).await;
    let calls = talk.fake.requests("execute_webhook");
    let at = calls.iter().position(|call| call.status == Some(429)).expect("the planned refusal");
    let told = calls[at].answered_at.expect("answered");
    assert!(calls[at + 1].at >= told + Duration::from_secs(1), "earlier than told");
    arrives_once(&talk, post, "everything waits", FaultKind::rate_limit(Scope::Global, 0.5)).await;
    arrives_once(&talk, post, "shared with others", FaultKind::rate_limit(Scope::Shared, 0.5)).await;
    arrives_once(&talk, post, "no figure", odd(None, None)).await;
    arrives_once(&talk, post, "no number", odd(Some("abc".into()), Some("abc"))).await;
    arrives_once(&talk, post, "less than nothing", odd(Some((-5).into()), Some("-5"))).await;
    talk.nothing_amiss();
}

/// F11: half a minute, a date, and an hour. Nothing is sent earlier, whoever else writes is answered meanwhile, and what waits
/// for an hour is shown where people look.
#[tokio::test]
async fn discord_f11_long_waits() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let eve = talk.fake.dm(talk.eve, &talk.app);
    let refused =
        |world: &World| world.requests("execute_webhook").last().is_some_and(|it| it.status == Some(429));
    let goes_on = async |count: usize| {
        talk.fake.say(talk.eve, eve, format!("my printer is jammed, the {count}. time").as_str());
        talk.until("answer to somebody else", |world| talk.own(world, eve).len() >= count).await;
    };
    let in_four = (SystemTime::now() + Duration::from_secs(5)).duration_since(UNIX_EPOCH).expect("a clock");
    let date = jiff::Timestamp::from_second(in_four.as_secs().cast_signed()).expect("a date");
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let by_date = FaultKind::RateLimit { scope: Scope::User, retry_after: None, header: Some(date) };
    let half_a_minute = FaultKind::rate_limit(Scope::User, 30.0);
    for (nth, (text, fault, least)) in
        [("by a date", by_date, 2), ("half a minute", half_a_minute, 30)].into_iter().enumerate()
    {
        talk.fake.fault(Fault::on("execute_webhook", fault));
        talk.ask(text);
        talk.until("refusal", refused).await;
        goes_on(nth + 1).await;
        talk.sees(post, text).await;
        let calls = talk.fake.requests("execute_webhook");
        let at = calls.iter().rposition(|call| call.status == Some(429)).expect("the planned refusal");
        let told = calls[at].answered_at.expect("answered");
        assert!(calls[at + 1].at >= told + Duration::from_secs(least), "{text}: earlier than told");
        assert_eq!(talk.count(post, text), 1);
    }
    talk.fake.fault(Fault::on("execute_webhook", FaultKind::rate_limit(Scope::User, 3600.0)));
    talk.ask("in an hour");
    talk.until("refusal", refused).await;
    let detail = async || {
        let answer = client().get(talk.bridge.url("/readyz?verbose")).send().await.expect("answered");
        let ready: Value = serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
        ready["channels"]["discord"].to_string()
    };
    let shown = tokio::time::timeout(super::PATIENCE, async {
        while !detail().await.contains("for up to 60 minutes") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(shown.await.is_ok(), "not shown: {}", detail().await);
    goes_on(3).await;
    assert!(talk.fake.read(refused), "sent again before the hour was over");
    assert_eq!(talk.count(post, "in an hour"), 0);
    talk.nothing_amiss();
}

/// F12, F14, I4: sent or not? It is looked for before it is sent again.
#[tokio::test]
async fn discord_f12_f14_an_answer_that_got_lost_makes_no_copy() {
    let talk = talk().await;
    let post = talk.assigned().await;
    arrives_once(&talk, post, "dropped after it", FaultKind::CloseAfterEffect).await;
    arrives_once(&talk, post, "dropped before it", FaultKind::CloseBeforeReading).await;
    arrives_once(&talk, post, "a gateway after it", FaultKind::Status { code: 502, effect: true }).await;
    arrives_once(&talk, post, "a gateway before it", FaultKind::Status { code: 503, effect: false }).await;
    arrives_once(&talk, post, "an answer in pieces", FaultKind::CutShort).await;
    arrives_once(&talk, post, "a page", FaultKind::Html { effect: true }).await;
    talk.nothing_amiss();
}

/// The same on the requester's side, where the nonce makes a second one the first (D40).
#[tokio::test]
async fn discord_i4_an_answer_that_got_lost_in_a_direct_message() {
    let talk = talk().await;
    let post = talk.assigned().await;
    let dm = talk.dm();
    for (text, fault) in [
        ("lost after it", FaultKind::CloseAfterEffect),
        ("lost before it", FaultKind::CloseBeforeReading),
        ("a server error after it", FaultKind::Status { code: 500, effect: true }),
    ] {
        talk.fake.fault(Fault::on("create_message", fault).in_channel(&dm.to_string()));
        let told = talk.fake.say(talk.bob, post, text);
        talk.marked(post, told, "📨").await;
        assert_eq!(talk.count(dm, text), 1, "{:?}", talk.fake.transcript(dm));
    }
    talk.nothing_amiss();
}

/// F15: the same event a hundred times, at once and later, has one effect.
#[tokio::test]
async fn discord_f15_repeated_events_have_one_effect() {
    let mut talk = talk().await;
    let post = talk.assigned().await;
    let asked = talk.ask("my printer is jammed");
    for _ in 0..100 {
        assert!(talk.app.repeat_about(asked) > 0);
    }
    talk.sees(post, "my printer is jammed").await;
    let told = talk.fake.say(talk.bob, post, "one of each");
    talk.sees(talk.dm(), "one of each").await;
    talk.app.repeat_about(asked);
    talk.app.repeat_about(told);
    talk.ask("and another");
    talk.sees(post, "and another").await;
    talk.fake.say(talk.bob, post, "the end");
    talk.sees(talk.dm(), "the end").await;
    assert_eq!((talk.count(post, "is jammed"), talk.count(talk.dm(), "one of each")), (1, 1));
    let rows = talk.bridge.rows("messages").await;
    assert_eq!(rows.iter().filter(|row| row["content"]["text"] == "my printer is jammed").count(), 1);
}

/// F18, D34: a token that was replaced is noticed, shown, and asked with no more; the queue is kept.
#[tokio::test]
async fn discord_f18_a_revoked_token_is_noticed_and_asked_no_more() {
    let talk = talk().await;
    talk.assigned().await;
    talk.app.reset_token();
    talk.ask("hello?");
    let state = async || {
        let answer = client().get(talk.bridge.url("/readyz?verbose")).send().await.expect("answered");
        let ready: Value = serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
        ready["channels"]["discord"]["state"].clone()
    };
    talk.until("refused call", |world| world.ledger.calls.iter().any(|call| call.status == Some(401))).await;
    let seen = tokio::time::timeout(super::PATIENCE, async {
        loop {
            let now = state().await;
            if now == "down" || now == "paused" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(seen.await.is_ok(), "not shown: {}", talk.bridge.log());
    let refused =
        talk.fake.read(|world| world.ledger.calls.iter().filter(|call| call.status == Some(401)).count());
    assert!(refused < 20, "asked {refused} times with a dead token");
}

/// F41: a post that was deleted is opened again with everything in it (D22); a webhook that was deleted is made again.
#[tokio::test]
async fn discord_f41_deleted_posts_and_webhooks() {
    let talk = talk().await;
    let post = talk.assigned().await;
    talk.ask("before it");
    talk.sees(post, "before it").await;
    talk.fake.change(|world| world.webhooks.clear());
    talk.ask("without the webhook");
    talk.sees(post, "without the webhook").await;
    talk.fake.delete_channel(post);
    talk.ask("are you there?");
    let again = talk
        .office
        .wait(&talk.bridge, "another post", |world| {
            world.threads_of(talk.forum).last().map(|found| found.id).filter(|id| *id != post)
        })
        .await;
    talk.sees(again, "Transcript").await;
    talk.sees(again, "are you there?").await;
    talk.fake.say(talk.bob, again, "I am, in a new post");
    talk.sees(talk.dm(), "I am, in a new post").await;
}

/// F19: everything else of Discord's answers, and nothing comes in: the channel's health says so, and since when, until it is
/// mended.
#[tokio::test]
async fn discord_f19_a_gateway_that_is_gone_shows_in_the_channels_health() {
    let talk = talk().await;
    let post = talk.assigned().await;
    talk.shows(|told| !told.contains("nothing is received")).await;
    talk.app.refuse_connections(true);
    talk.app.cut_sockets();
    talk.shows(|told| told.contains("\"state\":\"up\"") && told.contains("nothing is received since")).await;
    talk.app.refuse_connections(false);
    talk.shows(|told| told.contains("\"state\":\"up\"") && !told.contains("nothing is received")).await;
    talk.ask("are you back?");
    talk.sees(post, "are you back?").await;
    talk.nothing_amiss();
}

impl Talk {
    /// The channel's health comes to be like this.
    async fn shows(&self, wanted: impl Fn(&str) -> bool) {
        let told = std::cell::RefCell::new(String::new());
        let shown = tokio::time::timeout(super::PATIENCE, async {
            loop {
                let answer = client().get(self.bridge.url("/readyz?verbose")).send().await.expect("answered");
                let ready: Value = serde_json::from_str(&answer.text().await.expect("read")).expect("JSON");
                let now = ready["channels"]["discord"].to_string();
                if wanted(&now) {
                    return;
                }
                *told.borrow_mut() = now;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        assert!(shown.await.is_ok(), "{}\n{}", told.borrow(), self.bridge.log());
    }
}
