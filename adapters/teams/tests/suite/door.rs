//! Who is let in, and what is taken once: S9–S20 for the Connector, F22, T53 and copies of events.

use std::time::Duration;

use std::sync::Arc;

use deskbridge_contract::suite::Recorder;
use deskbridge_contract::{Adapter as _, InboundEvent, Inbox, Peer};
use deskbridge_platforms::teams::Forged;
use serde_json::json;

use super::subject::{Bench, DESK, HOME, MARIA, home};

/// S9 and what follows for the Connector: every one of the seven checks, each with a token that is right otherwise.
#[tokio::test]
async fn s9_every_check_of_a_token() {
    let (bench, recorder) = Bench::recording().await;
    for forged in Forged::ALL {
        let activity = bench.fake.say(MARIA, HOME, "forged");
        let status = bench.fake.forge(&bench.hook, &activity, forged).await.unwrap();
        let unnamed = matches!(forged, Forged::Missing | Forged::Empty | Forged::NotBearer);
        assert_eq!(status, if unnamed { 401 } else { 403 }, "{forged:?}");
    }
    let activity = bench.fake.say(MARIA, HOME, "genuine");
    assert_eq!(bench.fake.forge(&bench.hook, &activity, Forged::Nothing).await.unwrap(), 202);
    assert_eq!(recorder.pushed().len(), 1);
    assert!(recorder.quarantined().is_empty());
}

/// The key vouches for channels by name; and the token goes to no host that is not on the list.
#[tokio::test]
async fn s10_endorsements_and_hosts() {
    let (bench, recorder) = Bench::recording().await;
    for (key, value) in [
        ("channelId", json!("webchat")),
        ("channelId", json!(null)),
        ("serviceUrl", json!("https://evil.example/teams/")),
    ] {
        let mut activity = bench.fake.say(MARIA, HOME, "x");
        activity[key] = value.clone();
        let status = bench.fake.forge(&bench.hook, &activity, Forged::Nothing).await.unwrap();
        assert_eq!(status, 403, "{key} {value}");
    }
    assert!(recorder.pushed().is_empty());
}

/// F22: ten thousand unknown keys are one fetch, and the old keys go on working while the set is away.
#[tokio::test]
async fn f22_unknown_keys_do_not_fetch_again() {
    let (bench, recorder) = Bench::recording().await;
    let activity = bench.fake.say(MARIA, HOME, "genuine");
    assert_eq!(bench.fake.forge(&bench.hook, &activity, Forged::Nothing).await.unwrap(), 202);
    for _ in 0..50 {
        assert_eq!(bench.fake.forge(&bench.hook, &activity, Forged::UnknownKey).await.unwrap(), 403);
    }
    bench.fake.change(|world| world.published.clear());
    assert_eq!(bench.fake.forge(&bench.hook, &activity, Forged::UnknownKey).await.unwrap(), 403);
    let again = bench.fake.say(MARIA, HOME, "still genuine");
    assert_eq!(bench.fake.forge(&bench.hook, &again, Forged::Nothing).await.unwrap(), 202);
    assert_eq!(bench.fake.read(|world| world.key_fetches), 1);
    assert_eq!(recorder.pushed().len(), 2);
}

/// Without any keys nothing can be told from a forgery: Teams is asked to come again.
#[tokio::test]
async fn f22_without_keys_nothing_is_lost() {
    let (bench, recorder) = Bench::recording().await;
    bench.fake.change(|world| world.published.clear());
    let activity = bench.fake.say(MARIA, HOME, "early");
    assert_eq!(bench.fake.forge(&bench.hook, &activity, Forged::Nothing).await.unwrap(), 503);
    assert!(recorder.pushed().is_empty());
}

/// The same event again after 15 s, and as a copy under a new id.
#[tokio::test]
async fn copies_are_the_same_event() {
    let (bench, recorder) = Bench::recording().await;
    let handle = bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, HOME, "once"));
    bench.taken(&handle).await;
    let copy = bench.fake.copy(&bench.hook, &handle).unwrap();
    bench.taken(&copy).await;
    let pushed = recorder.pushed();
    assert_eq!(pushed.len(), 2);
    assert_eq!(pushed[0].id, pushed[1].id);
}

/// T53: after the app was removed, sends are answered 200 and seen by nobody; they are not made.
#[tokio::test]
async fn t53_a_removed_app_sends_nothing() {
    use deskbridge_contract::{Content, DeliveryId, Outbound, OutboundOp, SendError};
    let (bench, _recorder) = Bench::recording().await;
    let op =
        OutboundOp::Post { content: Content::text("hello"), files: vec![], persona: None, reply_to: None };
    let out = Outbound { id: DeliveryId::new("d1"), to: home(), op };
    let gone = bench.fake.activity("installationUpdate", MARIA, HOME, &json!({ "action": "remove" }));
    bench.taken(&bench.fake.deliver(&bench.hook, gone)).await;
    assert!(matches!(bench.adapter.send(&out).await, Err(SendError::Gone { .. })));
    assert_eq!(bench.fake.read(|world| world.requests()), 0);
    let back = bench.fake.activity("installationUpdate", MARIA, HOME, &json!({ "action": "add" }));
    bench.taken(&bench.fake.deliver(&bench.hook, back)).await;
    assert!(bench.adapter.send(&out).await.is_ok());
}

/// Calling the bot in a channel makes the thread a conversation; whatever else is said there is nobody's request.
#[tokio::test]
async fn only_called_threads_are_requests() {
    let (bench, recorder) = Bench::recording().await;
    let (called, other) = ("19:it@thread.tacv2;messageid=1", "19:it@thread.tacv2;messageid=2");
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.call(MARIA, called, "my VPN is broken"))).await;
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, called, "since monday"))).await;
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, other, "lunch?"))).await;
    let pushed = recorder.pushed();
    let takes: Vec<bool> =
        pushed.iter().map(|event| bench.adapter.takes_requesters(&event.address)).collect();
    assert_eq!(takes, [true, true, false]);
    // In a group chat, what is not said to the bot does not even come in.
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, "19:g@thread.v2", "lunch?"))).await;
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.call(MARIA, "19:g@thread.v2", "help"))).await;
    assert_eq!(recorder.pushed().len(), 4);
}

/// `@Desk accept` in a thread of the desk is the verb; the card's text box is a message in the thread.
#[tokio::test]
async fn verbs_and_the_cards_text_box() {
    let (bench, recorder) = Bench::recording().await;
    let thread = format!("{DESK};messageid=77");
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.call(MARIA, &thread, "accept"))).await;
    let inputs = json!({ "teams_text": "On my *way*" });
    let press = bench.fake.press(MARIA, &thread, "77", "teams:say", &inputs);
    bench.taken(&bench.fake.deliver(&bench.hook, press)).await;
    let words: Vec<String> = recorder
        .pushed()
        .into_iter()
        .map(|event| match event.event {
            InboundEvent::Posted { content, .. } => content.text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(words, ["!accept", "On my \\*way\\*"]);
    // The press was answered in the same response, with words for the person.
    let answers = bench.fake.read(|world| world.answers.clone());
    assert_eq!(answers[0]["type"], "application/vnd.microsoft.activity.message");
}

/// A whisper that answers a press is shown over the card, to that person alone.
#[tokio::test]
async fn a_whisper_answers_the_press() {
    use deskbridge_contract::{Content, DeliveryId, Outbound, OutboundOp};
    let (bench, recorder) = Bench::recording().await;
    let thread = format!("{DESK};messageid=77");
    let press = bench.fake.press(MARIA, &thread, "77", "desk:summary", &json!({}));
    let handle = bench.fake.deliver(&bench.hook, press);
    let event = loop {
        match recorder.pushed().pop() {
            Some(event) => break event,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let content = Content::text("**Problem:** VPN");
    let op =
        OutboundOp::Whisper { to: event.from.id.clone(), content, interaction: event.interaction.clone() };
    let out = Outbound { id: DeliveryId::new("w1"), to: event.address.clone(), op };
    bench.adapter.send(&out).await.unwrap();
    bench.taken(&handle).await;
    assert_eq!(bench.fake.read(|world| world.answers[0]["value"].clone()), "Problem: VPN");
    assert_eq!(bench.fake.read(|world| world.requests()), 0);
}

/// Development: without a token from this machine, and from no other, whatever it shows.
#[tokio::test]
async fn development_is_for_this_machine() {
    for (peer, status) in [([127, 0, 0, 1], 202), ([192, 0, 2, 7], 403)] {
        let bench = Bench::with(json!({ "development": true }), Peer(peer.into())).await;
        let recorder = Arc::new(Recorder::default());
        bench.open(Inbox::new("teams".into(), recorder.clone(), recorder.clone()));
        let activity = bench.fake.say(MARIA, HOME, "emulated");
        for forged in [Forged::Missing, Forged::Nothing] {
            assert_eq!(bench.fake.forge(&bench.hook, &activity, forged).await.unwrap(), status, "{peer:?}");
        }
        assert_eq!(recorder.pushed().is_empty(), status == 403);
    }
}
