//! What is told of desk channels that changed.
//!
//! Not here: what comes of messages to them (the core).

use super::*;

fn info(name: &'static str, archived: bool, member: bool) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
    move |call| match call.method.as_str() {
        "conversations.info" => Reply::Yes(json!({ "channel": {
            "id": "C0DESK", "name": name, "is_archived": archived, "is_member": member } })),
        _ => web_api(call),
    }
}

async fn looked(bench: &Bench) {
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    // It is kept after it was looked at.
    until("a look", || bench.sink.shelf.lock().unwrap().contains_key("desk-name:C0DESK")).await;
    connection.abort();
}

fn renamed(room: &str, name: &str) -> Value {
    json!({ "type": "channel_rename", "event_ts": "1789999400.000100",
        "channel": { "id": room, "name": name, "created": 1 } })
}

#[tokio::test]
async fn another_name_is_told_for_a_week() {
    let bench = Bench::with(info("it-desk", false, true)).await;
    looked(&bench).await;
    assert!(bench.adapter.warnings().is_empty());
    bench.event(renamed("C0DESK", "help")).await;
    bench.event(renamed("C1ALL", "elsewhere")).await;
    let told = ["the desk C0DESK is called #help now, before #it-desk: it goes on"];
    assert_eq!(bench.adapter.warnings(), told);
    bench.event(renamed("C0DESK", "help")).await;
    bench.fake.clock.fetch_add(6 * 24 * 3600, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(bench.adapter.warnings(), told);
    bench.fake.clock.fetch_add(24 * 3600, std::sync::atomic::Ordering::Relaxed);
    assert!(bench.adapter.warnings().is_empty());
}

/// The event did not come: the next start sees it by the name that was kept, and tells of it after another start, too.
#[tokio::test]
async fn another_name_of_an_outage_is_seen() {
    let bench = Bench::with(info("help", false, true)).await;
    bench.sink.shelf.lock().unwrap().insert("desk-name:C0DESK".into(), "{\"now\":\"it-desk\"}".into());
    let connection = tokio::spawn(bench.adapter.clone().intake(bench.sink.inbox()).connect.unwrap());
    until("the new name", || bench.adapter.warnings().iter().any(|told| told.contains("#help"))).await;
    connection.abort();
    let kept = || bench.sink.shelf.lock().unwrap()["desk-name:C0DESK"].clone();
    until("that it is kept", || kept().contains("\"help\"")).await;
    let again = Bench::with(info("help", false, true)).await;
    again.sink.shelf.lock().unwrap().insert("desk-name:C0DESK".into(), kept());
    let connection = tokio::spawn(again.adapter.clone().intake(again.sink.inbox()).connect.unwrap());
    until("the news", || !again.adapter.warnings().is_empty()).await;
    connection.abort();
    assert!(again.adapter.warnings()[0].contains("before #it-desk"));
}

#[tokio::test]
async fn a_channel_that_was_archived_meanwhile_is_told_at_the_start() {
    for (archived, member, why) in [
        (true, true, "it is archived"),
        (true, false, "it is archived"),
        (false, false, "the app is not in it"),
    ] {
        let bench = Bench::with(info("it-desk", archived, member)).await;
        looked(&bench).await;
        assert_eq!(bench.adapter.warnings(), [format!("the desk C0DESK takes no messages: {why}")]);
    }
}

#[tokio::test]
async fn what_happens_to_a_channel_is_told_until_it_is_undone() {
    let bench = Bench::with(info("it-desk", false, true)).await;
    looked(&bench).await;
    let about = |kind: &str, room: &str, user: &str| json!({ "type": kind, "channel": room, "user": user, "event_ts": "1789999400.000100" });
    let pairs = [
        ("channel_archive", "channel_unarchive", "it is archived"),
        ("group_archive", "group_unarchive", "it is archived"),
        ("channel_deleted", "channel_unarchive", "it was deleted"),
        ("channel_left", "member_joined_channel", "the app is not in it"),
        ("member_left_channel", "member_joined_channel", "the app is not in it"),
    ];
    for (kind, back, why) in pairs {
        bench.event(about(kind, "C1ALL", "U0BOT")).await;
        assert!(bench.adapter.warnings().is_empty(), "{kind} elsewhere");
        bench.event(about(kind, "C0DESK", "U0BOT")).await;
        assert_eq!(bench.adapter.warnings(), [format!("the desk C0DESK takes no messages: {why}")]);
        bench.event(about(back, "C0DESK", "U0BOT")).await;
        assert!(bench.adapter.warnings().is_empty(), "{back}");
    }
    // Somebody else went.
    bench.event(about("member_left_channel", "C0DESK", "U1ANA")).await;
    assert!(bench.adapter.warnings().is_empty());
}
