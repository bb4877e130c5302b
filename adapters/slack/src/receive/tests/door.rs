//! What is let in: signatures, sizes, times, copies.

use super::*;

async fn refused(bench: &Bench, time: &str, signature: &str) {
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    let (status, _) = bench.send(bench.request(&body, time, signature)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{time} {signature:.80}");
    assert_eq!(*bench.sink.pushes.lock().unwrap(), 0);
    assert!(bench.sink.quarantined.lock().unwrap().is_empty());
}

#[tokio::test]
async fn s1_without_signature_or_time_nothing_is_stored() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    let time = NOW.to_string();
    let signature = sign(SECRET, &time, body.as_bytes());
    for (name, value) in [("x-slack-signature", &signature), ("x-slack-request-timestamp", &time)] {
        let request = Request::post("/").header(name, value).body(Body::from(body.clone())).unwrap();
        assert_eq!(bench.send(request).await.0, StatusCode::UNAUTHORIZED);
    }
    let bare = Request::post("/").body(Body::from(body)).unwrap();
    assert_eq!(bench.send(bare).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(*bench.sink.pushes.lock().unwrap(), 0);
}

#[tokio::test]
async fn s2_bad_signatures_of_every_kind() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    let time = NOW.to_string();
    let right = sign(SECRET, &time, body.as_bytes());
    let mut flipped = right.clone();
    let last = if flipped.pop() == Some('0') { '1' } else { '0' };
    flipped.push(last);
    let bad = [
        flipped,
        sign("another-secret-of-another-app", &time, body.as_bytes()),
        right.replace("v0=", "v1="),
        right.to_uppercase().replace("V0=", "v0="),
        String::new(),
        "v0=".into(),
        right[..right.len() - 1].to_owned(),
        format!("{right}0"),
        format!("v0={}", "a".repeat(10_000)),
        sign(SECRET, &time, format!("{body} ").as_bytes()),
        sign(SECRET, &(NOW + 1).to_string(), body.as_bytes()),
    ];
    for signature in bad {
        refused(&bench, &time, &signature).await;
    }
    assert_eq!(bench.send(bench.request(&body, &time, &right)).await.0, StatusCode::OK);
}

#[tokio::test]
async fn s3_times_beyond_five_minutes_and_times_that_are_none() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    for time in [
        &(NOW - 301).to_string(),
        &(NOW + 301).to_string(),
        "abc",
        "-1",
        "1e9",
        "",
        "17900000001790000000",
        " 1790000000",
        "+1790000000",
    ] {
        refused(&bench, time, &sign(SECRET, time, body.as_bytes())).await;
    }
    let time = NOW.to_string();
    let mut twice = bench.request(&body, &time, &sign(SECRET, &time, body.as_bytes()));
    twice.headers_mut().append("x-slack-request-timestamp", time.parse().unwrap());
    assert_eq!(bench.send(twice).await.0, StatusCode::UNAUTHORIZED);
    for time in [(NOW - 300).to_string(), (NOW + 300).to_string()] {
        let request = bench.request(&body, &time, &sign(SECRET, &time, body.as_bytes()));
        assert_eq!(bench.send(request).await.0, StatusCode::OK, "{time}");
    }
}

#[tokio::test]
async fn s4_a_replay_within_five_minutes_changes_nothing() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    for _ in 0..5 {
        assert_eq!(bench.bring(&body).await.0, StatusCode::OK);
    }
    assert_eq!(bench.sink.texts(), ["hello"]);
}

/// A body beyond the limit is refused before anything is read of it, whatever it says of its length.
#[tokio::test]
async fn bodies_beyond_the_limit() {
    let bench = Bench::new().await;
    let body = format!("{{\"type\":\"{}\"}}", "x".repeat(2 << 20));
    let (status, _) = bench.bring(&body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let time = NOW.to_string();
    let mut declared = bench.request("{}", &time, &sign(SECRET, &time, b"{}"));
    declared.headers_mut().insert("content-length", "99999999".parse().unwrap());
    assert_eq!(bench.send(declared).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let mut packed = bench.request("{}", &time, &sign(SECRET, &time, b"{}"));
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(bench.send(packed).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn s6_a_signature_for_another_app() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    let time = NOW.to_string();
    refused(&bench, &time, &sign("0123456789abcdef0123456789abcdef", &time, body.as_bytes())).await;
}

#[tokio::test]
async fn s7_the_challenge_is_for_slack_only() {
    let bench = Bench::new().await;
    let body = json!({ "type": "url_verification", "token": "x", "challenge": "3eZbrw1aB" }).to_string();
    let unsigned = Request::post("/").body(Body::from(body.clone())).unwrap();
    let (status, said) = bench.send(unsigned).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!said.contains("3eZbrw1aB"));
    assert_eq!(bench.bring(&body).await, (StatusCode::OK, "3eZbrw1aB".into()));
}

#[tokio::test]
async fn what_is_no_payload_is_kept_and_acknowledged() {
    let bench = Bench::new().await;
    let deep = format!("{{\"type\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    for body in ["", "{", "[]", "null", "\"x\"", "a=b&c=d", "payload=%7B", "payload=[]", &deep] {
        assert_eq!(bench.bring(body).await.0, StatusCode::OK, "{body:.40}");
    }
    assert_eq!(bench.sink.quarantined.lock().unwrap().len(), 9);
    let (fake_utf8, time) = (vec![b'{', 0xff, b'}'], NOW.to_string());
    let request = Request::post("/")
        .header("x-slack-request-timestamp", &time)
        .header("x-slack-signature", sign(SECRET, &time, &fake_utf8))
        .body(Body::from(fake_utf8))
        .unwrap();
    assert_eq!(bench.send(request).await.0, StatusCode::OK);
    assert_eq!(bench.sink.events.lock().unwrap().len(), 0);
}

/// T1: Slack brings an event up to four times; nobody is answered twice.
#[tokio::test]
async fn t1_a_redelivery_is_one_message() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    for retry in 0..4 {
        let time = (NOW + 60 * retry).to_string();
        let mut request = bench.request(&body, &time, &sign(SECRET, &time, body.as_bytes()));
        if retry > 0 {
            request.headers_mut().insert("x-slack-retry-num", retry.to_string().parse().unwrap());
            request.headers_mut().insert("x-slack-retry-reason", "http_timeout".parse().unwrap());
        }
        assert_eq!(bench.send(request).await.0, StatusCode::OK);
    }
    assert_eq!(bench.sink.texts(), ["hello"]);
}

/// T2: a retry may be the first copy that ever came.
#[tokio::test]
async fn t2_a_retry_with_an_unseen_event_is_taken() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    let time = NOW.to_string();
    let mut request = bench.request(&body, &time, &sign(SECRET, &time, body.as_bytes()));
    request.headers_mut().insert("x-slack-retry-num", "3".parse().unwrap());
    assert_eq!(bench.send(request).await.0, StatusCode::OK);
    assert_eq!(bench.sink.texts(), ["hello"]);
}

/// T4: copies in any order, by two kinds of event and under several event ids.
#[tokio::test]
async fn t4_late_copies_in_another_order() {
    let bench = Bench::new().await;
    let said =
        |n: usize| message("C1ALL", &format!("17899999{n:02}.000100"), &format!("<@U0BOT> number {n}"));
    for n in [3, 1, 2, 1, 3] {
        assert_eq!(bench.event(said(n)).await, StatusCode::OK);
        let mut mention = said(n);
        mention["type"] = "app_mention".into();
        assert_eq!(bench.event(mention).await, StatusCode::OK);
    }
    assert_eq!(bench.sink.texts(), ["number 3", "number 1", "number 2"]);
}

/// T6: nothing is acknowledged before it is stored, and what could not be stored is asked for again.
#[tokio::test]
async fn t6_an_outage_of_the_store_is_answered_503_and_the_retry_counts_once() {
    let bench = Bench::new().await;
    let body = callback(message("D1ANA", "1789999900.000100", "hello")).to_string();
    *bench.sink.fail.lock().unwrap() = Some(PushError::Unavailable);
    for _ in 0..3 {
        assert_eq!(bench.bring(&body).await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(bench.bring("{").await.0, StatusCode::SERVICE_UNAVAILABLE);
    }
    *bench.sink.fail.lock().unwrap() = None;
    for _ in 0..2 {
        assert_eq!(bench.bring(&body).await.0, StatusCode::OK);
    }
    assert_eq!(bench.sink.texts(), ["hello"]);
}

/// A thousand copies at once, in both forms, leave one effect; everybody is asked about once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_copies_at_once_are_one_effect() {
    let bench = Arc::new(Bench::new().await);
    let mut copies = Vec::new();
    for n in 0..1000 {
        let bench = bench.clone();
        copies.push(tokio::spawn(async move {
            let mut event = message("C1ALL", "1789999900.000100", "<@U0BOT> help");
            if n % 2 == 1 {
                event["type"] = "app_mention".into();
            }
            let mut body = callback(event);
            body["event_id"] = format!("Ev{n}").into();
            bench.bring(&body.to_string()).await.0
        }));
    }
    for copy in copies {
        assert_eq!(copy.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(bench.sink.texts(), ["help"]);
    let asked = bench.fake.methods().into_iter().filter(|method| method == "users.info").count();
    assert_eq!(asked, 2, "one for the writer, one for the bot that is mentioned");
}
