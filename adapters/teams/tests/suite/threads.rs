//! Whose a thread of a channel is: a requester's who called the bot, a desk's, or nobody's; also after a restart.
//!
//! Not here: what the bridge makes of it.

use std::sync::Arc;

use deskbridge_contract::suite::Recorder;
use deskbridge_contract::{Adapter as _, Inbound, InboundEvent};
use serde_json::{Value, json};

use super::subject::{Bench, DESK, MARIA};

/// A thread of a channel that is no desk.
const CALLED: &str = "19:it@thread.tacv2;messageid=1";

async fn bring(bench: &Bench, recorder: &Arc<Recorder>, activity: Value) -> Inbound {
    let before = recorder.pushed().len();
    bench.taken(&bench.fake.deliver(&bench.hook, activity)).await;
    let pushed = recorder.pushed();
    assert_eq!(pushed.len(), before + 1);
    pushed.into_iter().next_back().unwrap()
}

fn words(event: &Inbound) -> &str {
    match &event.event {
        InboundEvent::Posted { content, .. } => &content.text,
        other => panic!("{other:?}"),
    }
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

/// In a thread of people, a sentence that begins like one of the technicians' verbs is what it says.
#[tokio::test]
async fn a_sentence_that_begins_like_a_verb_is_a_request() {
    let (bench, recorder) = Bench::recording().await;
    for (nth, said) in ["help my VPN is broken", "on monday it worked", "ticket please", "help", "resolve"]
        .into_iter()
        .enumerate()
    {
        let thread = format!("19:it@thread.tacv2;messageid={}", nth + 10);
        let event = bring(&bench, &recorder, bench.fake.call(MARIA, &thread, said)).await;
        assert_eq!(words(&event), said);
        assert!(bench.adapter.takes_requesters(&event.address), "{said}");
    }
}

/// A post of its own in the desk's channel is said to the room, though Teams names a thread for it.
#[tokio::test]
async fn a_new_post_in_the_desk_is_said_to_the_room() {
    let (bench, recorder) = Bench::recording().await;
    for (said, read) in [("off", "!off"), ("On", "!On"), ("lunch?", "lunch?")] {
        let mut post = bench.fake.call(MARIA, DESK, said);
        post["conversation"]["id"] = json!(format!("{DESK};messageid={}", post["id"].as_str().unwrap()));
        let event = bring(&bench, &recorder, post).await;
        assert_eq!((words(&event), event.address.thread.as_ref()), (read, None));
    }
    // Under somebody's post it is said in that thread.
    let event = bring(&bench, &recorder, bench.fake.call(MARIA, &format!("{DESK};messageid=5"), "off")).await;
    assert_eq!(event.address.thread.as_ref().map(|root| root.as_str()), Some("5"));
}

/// After a restart, whatever comes first in a called thread belongs to it: words, a change, a deletion, a button, a reaction.
#[tokio::test]
async fn a_called_thread_is_known_after_a_restart() {
    let (mut bench, recorder) = Bench::recording().await;
    let called = bench.fake.call(MARIA, CALLED, "my VPN is broken");
    bring(&bench, &recorder, called.clone()).await;
    let edit = json!({ "id": called["id"], "text": "x", "channelData": { "eventType": "editMessage" } });
    let deletion = json!({ "id": called["id"], "channelData": { "eventType": "softDeleteMessage" } });
    let reaction = json!({ "replyToId": "77", "reactionsAdded": [{ "type": "like" }] });
    for activity in [
        bench.fake.say(MARIA, CALLED, "since monday"),
        bench.fake.activity("messageUpdate", MARIA, CALLED, &edit),
        bench.fake.activity("messageDelete", MARIA, CALLED, &deletion),
        bench.fake.press(MARIA, CALLED, "77", "req:human", &json!({})),
        bench.fake.activity("messageReaction", MARIA, CALLED, &reaction),
    ] {
        bench.restart(&recorder);
        let kind = activity["type"].clone();
        let event = bring(&bench, &recorder, activity).await;
        assert!(bench.adapter.takes_requesters(&event.address), "{kind}");
    }
    // And a thread of nobody is nobody's.
    let other =
        bring(&bench, &recorder, bench.fake.say(MARIA, "19:it@thread.tacv2;messageid=2", "lunch?")).await;
    assert!(!bench.adapter.takes_requesters(&other.address));
}
