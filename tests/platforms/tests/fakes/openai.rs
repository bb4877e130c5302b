use std::time::Duration;

use deskbridge_platforms::openai::{Answer, FakeOpenAi, Reply, ToolCall, Usage};
use serde_json::{Value, json};

use crate::client::http;

pub fn question(stream: bool) -> Value {
    json!({ "model": "fake-small", "stream": stream, "messages": [{ "role": "user", "content": "printer broken" }] })
}

pub async fn ask(fake: &FakeOpenAi, body: &Value) -> reqwest::Response {
    let url = format!("{}/chat/completions", fake.base_url());
    http().post(url).bearer_auth(fake.key()).json(body).send().await.expect("an answer")
}

/// The payloads of a stream, without comments.
pub fn payloads(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| data.trim_end().to_owned())
        .collect()
}

pub fn said(payloads: &[String]) -> String {
    let parsed = payloads.iter().filter_map(|payload| serde_json::from_str::<Value>(payload).ok());
    parsed.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn without_a_script_it_repeats() {
    let fake = FakeOpenAi::start().await;
    let whole: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
    assert_eq!(whole["choices"][0]["message"]["content"], "You said: printer broken");
    assert_eq!(whole["choices"][0]["finish_reason"], "stop");
    assert!(whole["usage"]["total_tokens"].is_u64());
    let text = ask(&fake, &question(true)).await.text().await.expect("text");
    let payloads = payloads(&text);
    assert_eq!(said(&payloads), "You said: printer broken");
    assert_eq!(payloads.last().map(String::as_str), Some("[DONE]"));
    let asked = fake.chats();
    assert!(
        asked
            .iter()
            .all(|asked| asked.authorized && asked.finished && asked.header("authorization").is_none())
    );
    assert_eq!(asked[1].last("user").as_deref(), Some("printer broken"));
}

#[tokio::test]
async fn the_script_comes_first_then_the_rule() {
    let fake = FakeOpenAi::start().await;
    fake.rule(|body| Answer::Reply(Reply::text(body["model"].as_str().unwrap_or_default())));
    fake.next("scripted");
    fake.next(Answer::server_error(503));
    let content = |body: Value| body["choices"][0]["message"]["content"].clone();
    assert_eq!(content(ask(&fake, &question(false)).await.json().await.expect("JSON")), "scripted");
    assert_eq!(ask(&fake, &question(false)).await.status(), 503);
    assert_eq!(content(ask(&fake, &question(false)).await.json().await.expect("JSON")), "fake-small");
}

#[tokio::test]
async fn tool_calls_come_in_fragments_by_index() {
    let fake = FakeOpenAi::start().await;
    let calls = vec![
        ToolCall::new("call_a", "find_article", &json!({ "query": "printer" })),
        ToolCall::new("call_b", "hand_over", &json!({ "why": "angry" })),
    ];
    fake.next_times(2, Reply::tool_calls(calls));
    let whole: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
    assert_eq!(
        whole["choices"][0]["message"]["tool_calls"][1]["function"]["arguments"],
        r#"{"why":"angry"}"#
    );
    assert_eq!(whole["choices"][0]["message"]["content"], Value::Null);
    let text = ask(&fake, &question(true)).await.text().await.expect("text");
    let mut arguments = [String::new(), String::new()];
    let mut ids = 0;
    for payload in payloads(&text) {
        let chunk: Value = serde_json::from_str(&payload).unwrap_or_default();
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        if let Some(index) = call["index"].as_u64() {
            ids += usize::from(call["id"].is_string());
            arguments[index as usize].push_str(call["function"]["arguments"].as_str().expect("a fragment"));
        }
    }
    assert_eq!(arguments, [r#"{"query":"printer"}"#, r#"{"why":"angry"}"#]);
    assert_eq!(ids, 2);
    assert!(text.contains(r#""finish_reason":"tool_calls""#));
}

#[tokio::test]
async fn an_answer_to_tools_must_be_complete() {
    let fake = FakeOpenAi::start().await;
    let call = json!({ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } });
    let with = |tail: Value| {
        let mut messages = vec![json!({ "role": "user", "content": "x" })];
        messages.extend(tail.as_array().cloned().unwrap_or_default());
        json!({ "model": "m", "messages": messages })
    };
    let assistant = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
    let tool = json!({ "role": "tool", "tool_call_id": "c1", "content": "ok" });
    assert_eq!(ask(&fake, &with(json!([assistant, tool]))).await.status(), 200);
    assert_eq!(ask(&fake, &with(json!([assistant]))).await.status(), 400);
    assert_eq!(ask(&fake, &with(json!([tool]))).await.status(), 400);
    assert_eq!(ask(&fake, &json!({ "model": "m", "messages": [] })).await.status(), 400);
}

#[tokio::test]
async fn usage_comes_as_asked_or_oddly() {
    let fake = FakeOpenAi::start().await;
    let mut with_usage = question(true);
    with_usage["stream_options"] = json!({ "include_usage": true });
    assert!(!ask(&fake, &question(true)).await.text().await.expect("text").contains("usage"));
    assert!(ask(&fake, &with_usage).await.text().await.expect("text").contains(r#""choices":[]"#));
    fake.next(Reply::text("x").usage(Usage::Missing));
    assert!(!ask(&fake, &with_usage).await.text().await.expect("text").contains("usage"));
    fake.next(Reply::text("x").usage(Usage::Raw("NaN".into())));
    assert!(ask(&fake, &question(false)).await.text().await.expect("text").contains(r#""usage":NaN"#));
    fake.next(Reply::text("x").usage(Usage::Odd(json!({}))).extra("service_tier", json!("on_demand")));
    let odd: Value = ask(&fake, &question(false)).await.json().await.expect("JSON");
    assert_eq!((&odd["usage"], &odd["service_tier"]), (&json!({}), &json!("on_demand")));
}

#[tokio::test]
async fn models_embeddings_and_keys() {
    let fake = FakeOpenAi::start().await;
    let get = |path: &str| http().get(format!("{}/{path}", fake.base_url()));
    assert_eq!(get("models").send().await.expect("an answer").status(), 401);
    let models: Value =
        get("models").bearer_auth(fake.key()).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(models["data"][0]["id"], "fake-small");
    fake.require_key(false);
    let url = format!("{}/embeddings", fake.base_url());
    let body = json!({ "model": "e", "input": ["printer jam", "printer jam", "vpn"] });
    let vectors: Value =
        http().post(url).json(&body).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(vectors["data"][0]["embedding"], vectors["data"][1]["embedding"]);
    assert_ne!(vectors["data"][0]["embedding"], vectors["data"][2]["embedding"]);
    assert!(!fake.asked()[0].authorized);
}

#[tokio::test]
async fn a_caller_who_leaves_is_noticed() {
    let fake = FakeOpenAi::start().await;
    fake.next(Reply::text("one two three").stall(2, Duration::from_secs(60)));
    let mut response = ask(&fake, &question(true)).await;
    assert!(response.chunk().await.expect("a chunk").is_some());
    drop(response);
    let left =
        |asked: &[deskbridge_platforms::openai::Asked]| asked[0].abandoned.then_some(asked[0].chunks_sent);
    let sent = fake.wait_for(Duration::from_secs(5), left).await.expect("noticed");
    assert!(sent <= 2);
}
