//! The Connector's keys while they change, are withdrawn, or cannot be had: S15, F22, D41.
//!
//! Not here: what is signed with them (`door.rs`).

use std::time::Duration;

use deskbridge_contract::Peer;
use deskbridge_platforms::teams::Forged;
use serde_json::json;

use super::subject::{Bench, HOME, MARIA};

const HOUR: Duration = Duration::from_secs(3600);

/// S15: ten thousand unknown keys are one fetch in five minutes, and the old keys go on working while the set is away
/// (F22). A new key is found as soon as the time has passed.
#[tokio::test]
async fn s15_unknown_keys_fetch_once_in_five_minutes() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (bench, recorder) = Bench::recording().await;
    let genuine = bench.fake.say(MARIA, HOME, "genuine");
    assert_eq!(bench.fake.forge(&bench.hook, &genuine, Forged::Nothing).await.unwrap(), 202);
    let fetches = || bench.fake.read(|world| world.key_fetches);
    let ask = |n: usize| {
        let header =
            URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256", "kid": format!("key-{n}x") }).to_string());
        let request = axum::http::Request::post("/").header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {header}.e30.AAAA"));
        bench.ask(request.extension(Peer::at([127, 0, 0, 1].into())).body("{}".into()).unwrap())
    };
    for n in 0..10_000 {
        assert_eq!(ask(n).await, 403, "{n}");
    }
    assert_eq!(fetches(), 1);
    bench.fake.change(|world| world.published.clear());
    bench.pass(Duration::from_secs(301));
    assert_eq!(ask(0).await, 403);
    assert_eq!(fetches(), 2);
    let again = bench.fake.say(MARIA, HOME, "still genuine");
    assert_eq!(bench.fake.forge(&bench.hook, &again, Forged::Nothing).await.unwrap(), 202);
    // The key of that name is another now; the old one is believed until the new set is there.
    bench.fake.change(|world| world.published = vec!["key-nobody-knows".into()]);
    let rotated = bench.fake.say(MARIA, HOME, "by a new key");
    assert_eq!(bench.fake.forge(&bench.hook, &rotated, Forged::UnknownKey).await.unwrap(), 403);
    bench.pass(Duration::from_secs(301));
    assert_eq!(bench.fake.forge(&bench.hook, &rotated, Forged::UnknownKey).await.unwrap(), 202);
    assert_eq!((fetches(), recorder.pushed().len()), (3, 3));
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

/// One request with a good token by the fake's own key.
async fn genuine(bench: &Bench) -> u16 {
    let activity = bench.fake.say(MARIA, HOME, "genuine");
    // The token is made for the bench's clock, which goes on while the fake's stands.
    bench.fake.forge_at(&bench.hook, &activity, Forged::Nothing, bench.seconds()).await.unwrap()
}

/// … and with a token by a key that was not published at first.
async fn rotated(bench: &Bench) -> u16 {
    let activity = bench.fake.say(MARIA, HOME, "by a new key");
    bench.fake.forge_at(&bench.hook, &activity, Forged::UnknownKey, bench.seconds()).await.unwrap()
}

async fn until(what: &str, look: impl Fn() -> bool) {
    for _ in 0..4000 {
        if look() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what} never happened");
}

/// Whoever makes us fetch the keys and hangs up has not stopped anything: the fetch ends, and the new key is known. Meanwhile
/// events by known keys go on.
#[tokio::test]
async fn a_hang_up_does_not_stop_the_fetch() {
    let (bench, _recorder) = Bench::recording().await;
    assert_eq!(genuine(&bench).await, 202);
    bench.pass(Duration::from_secs(301));
    bench.fake.change(|world| {
        world.published = vec!["key-1".into(), "key-nobody-knows".into()];
        world.held.insert("/keys");
    });
    let fetches = || bench.fake.read(|world| world.key_fetches);
    let activity = bench.fake.say(MARIA, HOME, "hung up");
    let asked = bench.fake.forge_at(&bench.hook, &activity, Forged::UnknownKey, bench.seconds());
    tokio::select! {
        status = asked => panic!("answered {status:?} without the keys"),
        () = until("the fetch", || fetches() == 2) => {}
    }
    // The one who asked is gone by now. A known key waits for nothing.
    assert_eq!(genuine(&bench).await, 202);
    bench.fake.change(|world| world.held.clear());
    // Within the five minutes: no other fetch can have brought the key.
    let mut status = rotated(&bench).await;
    for _ in 0..1000 {
        if status == 202 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        status = rotated(&bench).await;
    }
    assert_eq!((status, fetches()), (202, 2));
}

/// Many unknown keys at once are one fetch, for which all of them wait.
#[tokio::test]
async fn one_fetch_for_all_who_wait() {
    let (bench, _recorder) = Bench::recording().await;
    bench.fake.change(|world| world.held.extend(["/keys"]));
    let ask = |n: usize| {
        let activity = bench.fake.say(MARIA, HOME, &format!("{n}"));
        let (fake, hook, at) = (&bench.fake, &bench.hook, bench.seconds());
        async move { fake.forge_at(hook, &activity, Forged::Nothing, at).await.unwrap() }
    };
    let all = futures_util::future::join_all((0..20).map(ask));
    let letting_go = async {
        until("the fetch", || bench.fake.read(|world| world.key_fetches == 1)).await;
        bench.fake.change(|world| world.held.clear());
    };
    let (statuses, ()) = tokio::join!(all, letting_go);
    assert_eq!(statuses, vec![202; 20]);
    assert_eq!(bench.fake.read(|world| world.key_fetches), 1);
}

/// A key that is not in the set of today is believed no more from the fetch on that says so.
#[tokio::test]
async fn a_withdrawn_key_is_not_believed_once_more() {
    let (bench, recorder) = Bench::recording().await;
    assert_eq!(genuine(&bench).await, 202);
    bench.fake.change(|world| world.published = vec!["key-nobody-knows".into()]);
    bench.pass(24 * HOUR);
    assert_eq!(genuine(&bench).await, 403);
    assert_eq!(genuine(&bench).await, 403);
    assert_eq!((recorder.pushed().len(), bench.fake.read(|world| world.key_fetches)), (1, 2));
    assert_eq!(rotated(&bench).await, 202);
}

/// F22: while the set is away, the old keys work for a day after they should have been fetched again, and no longer; and it is
/// asked for once in five minutes.
#[tokio::test]
async fn f22_old_keys_live_a_day_without_the_set() {
    let (bench, _recorder) = Bench::recording().await;
    assert_eq!(genuine(&bench).await, 202);
    bench.fake.change(|world| world.published.clear());
    let fetches = || bench.fake.read(|world| world.key_fetches);
    bench.pass(24 * HOUR);
    for nth in 2..5 {
        assert_eq!(genuine(&bench).await, 202);
        assert_eq!(genuine(&bench).await, 202);
        assert_eq!(fetches(), nth);
        bench.pass(Duration::from_secs(300));
    }
    bench.pass(23 * HOUR);
    assert_eq!(genuine(&bench).await, 202);
    bench.pass(HOUR);
    // Not refused: Teams brings it again, and it is taken when the set is back.
    assert_eq!(genuine(&bench).await, 503);
    bench.fake.change(|world| world.published = vec!["key-1".into()]);
    bench.pass(Duration::from_secs(301));
    assert_eq!(genuine(&bench).await, 202);
}
