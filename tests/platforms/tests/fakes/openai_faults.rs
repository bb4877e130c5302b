use std::time::{Duration, Instant};

use deskbridge_platforms::openai::{Answer, FakeOpenAi, Reply};
use serde_json::{Value, json};

use crate::client::http;
use crate::openai::{ask, payloads, question, said};

#[tokio::test]
async fn refusals_carry_their_headers() {
    let fake = FakeOpenAi::start().await;
    fake.next(Answer::rate_limited().header("retry-after", "7").header("x-should-retry", "false"));
    fake.next(Answer::rate_limited().header("retry-after-ms", "150"));
    fake.next(Answer::insufficient_quota());
    fake.next(Answer::error_in_ok("out of memory"));
    let first = ask(&fake, &question(false)).await;
    assert_eq!(
        (first.status().as_u16(), &first.headers()["retry-after"]),
        (429, &"7".parse().expect("a value"))
    );
    assert!(first.headers().contains_key("x-request-id"));
    assert_eq!(ask(&fake, &question(false)).await.headers()["retry-after-ms"], "150");
    let quota: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
    assert_eq!(quota["error"]["code"], "insufficient_quota");
    let odd = ask(&fake, &question(true)).await;
    assert_eq!(odd.status(), 200);
    assert_eq!(odd.json::<Value>().await.expect("JSON")["error"]["message"], "out of memory");
}

#[tokio::test]
async fn a_stream_can_be_cut_after_any_chunk() {
    let fake = FakeOpenAi::start().await;
    for cut in 0..4 {
        fake.next(Reply::chunks(["a", "b", "c"]).cut_after(cut));
        let mut response = ask(&fake, &question(true)).await;
        let mut text = String::new();
        let broke = loop {
            match response.chunk().await {
                Ok(Some(piece)) => text.push_str(std::str::from_utf8(&piece).expect("UTF-8")),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broke, "cut {cut}");
        assert_eq!(payloads(&text).len(), cut);
        assert!(!fake.asked()[cut].abandoned);
    }
}

#[tokio::test]
async fn streams_differ_from_server_to_server() {
    let fake = FakeOpenAi::start().await;
    fake.next(Reply::text("ok then").without_done().with_comments().crlf());
    let text = ask(&fake, &question(true)).await.text().await.expect("text");
    assert!(text.starts_with(": ") && text.contains("\r\n\r\n") && !text.contains("[DONE]"));
    assert_eq!(said(&payloads(&text)), "ok then");
    fake.next(Reply::text("grüße 😀").wire_piece(3));
    let text = ask(&fake, &question(true)).await.text().await.expect("text");
    assert_eq!(said(&payloads(&text)), "grüße 😀");
    for reason in [Some("eos_token"), Some(""), Some("length"), None] {
        fake.next(Reply::text("x").finish_reason(reason));
        let whole: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
        assert_eq!(whole["choices"][0]["finish_reason"], json!(reason));
    }
    fake.next(Reply::text("x").malformed_at(1));
    let text = ask(&fake, &question(true)).await.text().await.expect("text");
    assert!(serde_json::from_str::<Value>(&payloads(&text)[1]).is_err());
    fake.next(Reply::text("x").error_at(1));
    assert!(ask(&fake, &question(true)).await.text().await.expect("text").contains(r#"data: {"error""#));
}

#[tokio::test]
async fn pauses_come_where_they_are_put() {
    let fake = FakeOpenAi::start().await;
    let wait = Duration::from_millis(30);
    fake.next(Reply::text("x").first_delay(wait).stall(1, wait));
    let began = Instant::now();
    ask(&fake, &question(true)).await.text().await.expect("text");
    assert!(began.elapsed() >= wait * 2);
}

#[tokio::test]
async fn answers_that_are_none() {
    let fake = FakeOpenAi::start().await;
    fake.next(Answer::Html);
    assert!(ask(&fake, &question(false)).await.text().await.expect("text").starts_with("<!DOCTYPE"));
    fake.next(Reply::empty());
    let empty: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
    assert_eq!(empty["choices"][0]["message"]["content"], "");
    fake.next(Reply::huge(10 << 20));
    assert!(ask(&fake, &question(false)).await.bytes().await.expect("a body").len() > 10 << 20);
    fake.next(Answer::Close);
    let url = format!("{}/chat/completions", fake.base_url());
    let closed = http().post(&url).bearer_auth(fake.key()).json(&question(false)).send().await;
    assert!(closed.is_err());
    fake.next(Answer::Endless);
    let mut endless = ask(&fake, &question(false)).await;
    let mut read = 0;
    while read < 1 << 20 {
        read += endless.chunk().await.expect("a chunk").map_or(0, |piece| piece.len());
    }
    fake.outage(true);
    assert!(http().post(&url).json(&question(false)).send().await.is_err());
}

#[tokio::test]
async fn a_model_can_loop_on_its_tool() {
    let fake = FakeOpenAi::start().await;
    fake.loop_on_tool("search", json!({ "q": "x" }));
    for _ in 0..3 {
        let whole: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
        assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    }
}
