//! T53: where the app was removed nothing is sent; in one chat, or in a whole team.
//!
//! Not here: what technicians are told of it.

use deskbridge_contract::*;
use serde_json::{Value, json};

use super::subject::{Bench, DESK, HOME, MARIA, desk, home};

/// Another channel of the desk's team; the team has the id of its first one.
const OTHER: &str = "19:other@thread.tacv2";
const TEAM: &str = "19:general@thread.tacv2";

fn hello(to: Address) -> Outbound {
    let content = Content::text("hello");
    let op = OutboundOp::Post { content, files: vec![], persona: None, reply_to: None };
    Outbound { id: DeliveryId::new("d1"), to, op }
}

/// T53: after the app was removed, sends are answered 200 and seen by nobody; they are not made.
#[tokio::test]
async fn t53_a_removed_app_sends_nothing() {
    let (bench, recorder) = Bench::recording().await;
    let out = hello(home());
    let gone = bench.fake.activity("installationUpdate", MARIA, HOME, &json!({ "action": "remove" }));
    bench.taken(&bench.fake.deliver(&bench.hook, gone)).await;
    assert!(matches!(recorder.pushed()[0].event, InboundEvent::Left));
    assert!(matches!(bench.adapter.send(&out).await, Err(SendError::Gone { .. })));
    assert_eq!(bench.fake.read(|world| world.requests()), 0);
    let back = bench.fake.activity("installationUpdate", MARIA, HOME, &json!({ "action": "add" }));
    bench.taken(&bench.fake.deliver(&bench.hook, back)).await;
    assert!(bench.adapter.send(&out).await.is_ok());
}

/// An activity in a channel of the team.
fn in_team(bench: &Bench, kind: &str, channel: &str, mut more: Value) -> Value {
    more["channelData"] = json!({ "team": { "id": TEAM }, "tenant": { "id": bench.fake.settings().tenant } });
    bench.fake.activity(kind, MARIA, channel, &more)
}

async fn bring(bench: &Bench, activity: &Value) {
    bench.taken(&bench.fake.deliver(&bench.hook, activity.clone())).await;
}

/// The event names one channel of the team, and the app is gone from all of them; the channel's health says so, also after a
/// restart. What was on its way before changes nothing.
#[tokio::test]
async fn t53_an_app_is_removed_from_a_team_as_a_whole() {
    for how in ["installationUpdate", "conversationUpdate"] {
        let (mut bench, recorder) = Bench::recording().await;
        bench.fake.install(OTHER);
        bench.fake.install(TEAM);
        let bot = format!("28:{}", bench.fake.settings().app_id);
        let event = |bench: &Bench, gone: bool| {
            let members = if gone { "membersRemoved" } else { "membersAdded" };
            let action = if gone { "remove" } else { "add" };
            let more = match how {
                "installationUpdate" => json!({ "action": action }),
                _ => json!({ members: [{ "id": bot }] }),
            };
            in_team(bench, how, TEAM, more)
        };
        let in_thread = format!("{DESK};messageid=77");
        let said = json!({ "text": "hello", "textFormat": "plain" });
        let early = in_team(&bench, "message", &in_thread, said.clone());
        bring(&bench, &early).await;
        bring(&bench, &in_team(&bench, "message", OTHER, said.clone())).await;
        assert!(bench.adapter.send(&hello(desk())).await.is_ok());
        assert_eq!(bench.adapter.warnings(), Vec::<String>::new());
        // Made before the app was removed, and brought once more afterwards.
        let late = in_team(&bench, "message", &in_thread, json!({ "text": "late", "textFormat": "plain" }));
        let gone = event(&bench, true);
        bring(&bench, &gone).await;
        bring(&bench, &late).await;
        bring(&bench, &early).await;
        let requests = bench.fake.read(|world| world.requests());
        for restarted in [false, true] {
            if restarted {
                bench.restart(&recorder);
                bench.adapter.probe().await.unwrap();
            }
            for to in [desk(), desk().thread("77"), Address::room(&"teams".into(), OTHER)] {
                let sent = bench.adapter.send(&hello(to.clone())).await;
                assert!(matches!(sent, Err(SendError::Gone { .. })), "{how} {to:?}: {sent:?}");
            }
            let warnings = bench.adapter.warnings();
            assert!(warnings.len() == 1 && warnings[0].contains(DESK), "{warnings:?}");
        }
        assert_eq!(bench.fake.read(|world| world.requests()), requests);
        // Other places are not touched; and it is back where it is installed anew, whatever comes late of before.
        assert!(bench.adapter.send(&hello(home())).await.is_ok());
        bring(&bench, &event(&bench, false)).await;
        bring(&bench, &gone).await;
        assert!(bench.adapter.send(&hello(desk())).await.is_ok(), "{how}");
        assert_eq!(bench.adapter.warnings(), Vec::<String>::new());
    }
}
