use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{KEY, fingerprint};
use crate::api::fake::{Call, Fake, Memory, NOW, Reply, TOKEN};
use crate::send::Sending;

const HOUR: i64 = 3600;

fn keys() -> Value {
    json!({ "client_id": "1.2", "client_secret": "planted-client", "refresh_token": "xoxe-first" })
}

/// Gives pairs with the next number, each for the refresh token of the one before, and knows which tokens are good.
async fn slack() -> Fake {
    let given = AtomicUsize::new(0);
    Fake::start(move |call: &Call| {
        if call.method != "oauth.v2.access" {
            return Reply::Yes(json!({ "team_id": "T1" }));
        }
        let form: std::collections::BTreeMap<String, String> =
            url::form_urlencoded::parse(&call.body).into_owned().collect();
        let nth = given.load(Ordering::SeqCst);
        let expected = if nth == 0 { "xoxe-first".to_owned() } else { format!("xoxe-{nth}") };
        if form.get("refresh_token") != Some(&expected) || form["grant_type"] != "refresh_token" {
            return Reply::No("invalid_refresh_token");
        }
        given.store(nth + 1, Ordering::SeqCst);
        let nth = nth + 1;
        Reply::Yes(json!({
            "access_token": format!("xoxb-{nth}"), "refresh_token": format!("xoxe-{nth}"), "expires_in": 43_200,
        }))
    })
    .await
}

fn start(fake: &Fake, memory: &Arc<Memory>) -> Arc<Sending> {
    let sending = fake.sending_with(keys());
    sending.keep_on(memory.shelf());
    sending
}

async fn bearer(sending: &Sending) -> String {
    sending.api.tokens().bearer().await.expose_secret().to_owned()
}

fn renewals(fake: &Fake) -> usize {
    fake.methods().iter().filter(|method| *method == "oauth.v2.access").count()
}

fn at(fake: &Fake, seconds: i64) {
    fake.clock.store(NOW + seconds, Ordering::Relaxed);
}

#[tokio::test]
async fn without_rotation_the_configured_token_is_all() {
    let fake = slack().await;
    let sending = fake.sending();
    sending.keep_on(Arc::new(Memory::default()).shelf());
    assert_eq!(bearer(&sending).await, TOKEN);
    assert_eq!(renewals(&fake), 0);
}

/// A pair that cannot be kept would be lost with the process, and its refresh token with it: `doctor` renews nothing.
#[tokio::test]
async fn without_a_shelf_nothing_is_renewed() {
    let fake = slack().await;
    let sending = fake.sending_with(keys());
    assert_eq!(bearer(&sending).await, TOKEN);
    assert_eq!(renewals(&fake), 0);
    assert!(!sending.api.tokens().rotates() && sending.api.tokens().expires());
}

/// "Token rotation": 12 h; renewed between half and three quarters of it.
#[tokio::test]
async fn renewed_in_the_third_quarter_of_its_life() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    let sending = start(&fake, &memory);
    assert_eq!(bearer(&sending).await, "xoxb-1");
    let authorization = fake.calls()[0].header("authorization").unwrap().to_owned();
    assert!(authorization.starts_with("Basic "), "{authorization}");
    at(&fake, 6 * HOUR - 1);
    assert_eq!(bearer(&sending).await, "xoxb-1");
    at(&fake, 9 * HOUR + 1);
    assert_eq!(bearer(&sending).await, "xoxb-2");
    assert_eq!(renewals(&fake), 2);
}

#[tokio::test]
async fn kept_over_a_restart_and_forgotten_with_the_configuration() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    assert_eq!(bearer(&start(&fake, &memory)).await, "xoxb-1");
    assert_eq!(bearer(&start(&fake, &memory)).await, "xoxb-1");
    assert_eq!(renewals(&fake), 1);
    // The app was installed again: the new pair counts, and what lies on the shelf is of the old one.
    let mut kept: Value = serde_json::from_str(&memory.kept.lock().unwrap()[KEY]).unwrap();
    kept["origin"] = json!(fingerprint("xoxe-of-another-installation"));
    memory.kept.lock().unwrap().insert(KEY.into(), kept.to_string());
    let again = start(&fake, &memory);
    assert_eq!(
        bearer(&again).await,
        TOKEN,
        "the configured refresh token is spent here, so the token is all there is"
    );
    assert_eq!(renewals(&fake), 2);
}

/// node-slack-sdk#2504: renewals at the same time give two pairs of which one is dead.
#[tokio::test]
async fn there_is_one_refresher() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    let sending = start(&fake, &memory);
    let all: Vec<_> = (0..50)
        .map(|_| {
            let sending = sending.clone();
            tokio::spawn(async move { bearer(&sending).await })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap(), "xoxb-1");
    }
    assert_eq!(renewals(&fake), 1);
}

/// Refresh tokens are good once: whoever is not the first of two processes takes the first one's pair.
#[tokio::test]
async fn there_is_one_refresher_of_two_processes() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    let both = [start(&fake, &memory), start(&fake, &memory)];
    let ask = || {
        let all: Vec<_> = (0..20)
            .map(|number| {
                let sending = both[number % 2].clone();
                tokio::spawn(async move { bearer(&sending).await })
            })
            .collect();
        futures_util::future::join_all(all)
    };
    assert!(ask().await.into_iter().all(|token| token.unwrap() == "xoxb-1"));
    assert_eq!(renewals(&fake), 1);
    // Due: it lives, so nobody waits for the other one.
    at(&fake, 10 * HOUR);
    assert!(ask().await.into_iter().all(|token| ["xoxb-1", "xoxb-2"].contains(&token.unwrap().as_str())));
    at(&fake, 10 * HOUR + 61);
    assert!(ask().await.into_iter().all(|token| token.unwrap() == "xoxb-2"));
    assert_eq!(renewals(&fake), 2);
    // Over: both need the same new one.
    at(&fake, 23 * HOUR);
    assert!(ask().await.into_iter().all(|token| token.unwrap() == "xoxb-3"));
    // And so they do when Slack says so before its time.
    let old = secrecy::SecretString::from("xoxb-3");
    let renewed = both.each_ref().map(|sending| sending.api.tokens().renewed(&old));
    for token in futures_util::future::join_all(renewed).await {
        assert_eq!(token.unwrap().expose_secret(), "xoxb-4");
    }
    assert_eq!(renewals(&fake), 4);
}

/// A process that ended while it renewed keeps nobody from it for long.
#[tokio::test]
async fn a_renewal_that_came_to_nothing_is_taken_over() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    let lease = |ends: i64| format!("{} somebody", (NOW + ends) * 1_000_000);
    memory.kept.lock().unwrap().insert("lease:tokens".into(), lease(-1));
    let sending = start(&fake, &memory);
    assert_eq!(bearer(&sending).await, "xoxb-1");
    // One that is under way is left alone while the token lives.
    at(&fake, 10 * HOUR);
    memory.kept.lock().unwrap().insert("lease:tokens".into(), lease(10 * HOUR + 30));
    assert_eq!(bearer(&sending).await, "xoxb-1");
    at(&fake, 10 * HOUR + 61);
    assert_eq!(bearer(&sending).await, "xoxb-2");
    assert_eq!(renewals(&fake), 2);
}

/// Written down before anybody uses it; the old one serves until then, and the pair in hand is not thrown away.
#[tokio::test]
async fn write_then_use() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    let sending = start(&fake, &memory);
    assert_eq!(bearer(&sending).await, "xoxb-1");
    *memory.broken.lock().unwrap() = true;
    at(&fake, 10 * HOUR);
    assert_eq!(bearer(&sending).await, "xoxb-1");
    // Not again for every call.
    assert_eq!(bearer(&sending).await, "xoxb-1");
    *memory.broken.lock().unwrap() = false;
    at(&fake, 10 * HOUR + 61);
    assert_eq!(bearer(&sending).await, "xoxb-2");
    assert_eq!(renewals(&fake), 2);
    assert!(memory.kept.lock().unwrap()[KEY].contains("xoxe-2"));
}

/// Whoever asked may be gone before Slack answers; the pair is written down all the same.
#[tokio::test]
async fn a_dropped_call_loses_no_pair() {
    let (fake, memory) = (slack().await, Arc::new(Memory::default()));
    let sending = start(&fake, &memory);
    let asking = {
        let sending = sending.clone();
        tokio::spawn(async move { bearer(&sending).await })
    };
    while fake.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    asking.abort();
    for _ in 0..200 {
        if memory.kept.lock().unwrap().contains_key(KEY) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(bearer(&sending).await, "xoxb-1");
    assert_eq!(renewals(&fake), 1);
}

/// A token that Slack calls expired is renewed once, and the call made again; with nothing to renew it, it is refused.
#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let fake = Fake::start(|call| match (call.method.as_str(), call.header("authorization")) {
        ("oauth.v2.access", _) => {
            Reply::Yes(json!({ "access_token": "xoxb-2", "refresh_token": "xoxe-2", "expires_in": 43_200 }))
        }
        (_, Some("Bearer xoxb-2")) => Reply::Yes(json!({ "team_id": "T1" })),
        _ => Reply::No("token_expired"),
    })
    .await;
    let memory = Arc::new(Memory::default());
    let origin = fingerprint("xoxe-first");
    let old = json!({ "access": "xoxb-1", "refresh": "xoxe-1", "issued": NOW, "expires": NOW + 43_200, "origin": origin });
    memory.kept.lock().unwrap().insert(KEY.into(), old.to_string());
    let sending = start(&fake, &memory);
    assert_eq!(sending.meet().await.unwrap().team_id, "T1");
    assert_eq!(fake.methods(), ["auth.test", "oauth.v2.access", "auth.test"]);
    let plain = fake.sending();
    plain.keep_on(memory.shelf());
    fake.forget();
    assert!(plain.meet().await.unwrap_err().to_string().contains("token_expired"));
    assert_eq!(fake.methods(), ["auth.test"]);
}

#[tokio::test]
async fn no_secret_is_in_an_address_or_an_error() {
    let fake = Fake::saying(|| Reply::No("invalid_refresh_token")).await;
    let memory = Arc::new(Memory::default());
    let sending = start(&fake, &memory);
    let error = sending.api.tokens().renewed(&TOKEN.into()).await.unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(
        said.contains("install the app again") && !said.contains("xoxe-") && !said.contains("planted"),
        "{said}"
    );
    assert!(fake.calls().iter().all(|call| !call.path.contains("xoxe")));
}
