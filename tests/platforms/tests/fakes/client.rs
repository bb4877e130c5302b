//! A bare client of the Bot API: one call, its status and its JSON.

use std::sync::Once;
use std::time::Duration;

use deskbridge_platforms::telegram::FakeTelegram;
use serde_json::Value;

pub fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().expect("a client")
}

/// Status and body of a JSON call; status 0 and the error's text when there was no answer.
pub async fn call(fake: &FakeTelegram, method: &str, params: Value) -> (u16, Value) {
    let url = format!("{}/bot{}/{method}", fake.base_url(), fake.token());
    match http().post(url).json(&params).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            (status, response.json().await.unwrap_or(Value::Null))
        }
        Err(error) => (0, Value::String(error.to_string())),
    }
}

#[track_caller]
fn result(method: &str, (status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{method}: {body}");
    assert_eq!(body["ok"], true, "{method}: {body}");
    body["result"].clone()
}

pub async fn ok(fake: &FakeTelegram, method: &str, params: Value) -> Value {
    result(method, call(fake, method, params).await)
}

/// The status and description of a refusal.
pub async fn refused(fake: &FakeTelegram, method: &str, params: Value) -> (u16, String) {
    let (status, body) = call(fake, method, params).await;
    assert_eq!(body["ok"], false, "{method} was not refused: {body}");
    (status, body["description"].as_str().unwrap_or_default().to_owned())
}

pub async fn updates(fake: &FakeTelegram, offset: i64) -> Vec<Value> {
    let params = serde_json::json!({ "offset": offset, "timeout": 0 });
    ok(fake, "getUpdates", params).await.as_array().cloned().unwrap_or_default()
}

pub async fn multipart(
    fake: &FakeTelegram,
    method: &str,
    fields: &[(&'static str, &str)],
    files: Vec<(&'static str, &str, Vec<u8>)>,
) -> (u16, Value) {
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in fields {
        form = form.text(*name, (*value).to_owned());
    }
    for (field, name, bytes) in files {
        form = form.part(field, reqwest::multipart::Part::bytes(bytes).file_name(name.to_owned()));
    }
    let url = format!("{}/bot{}/{method}", fake.base_url(), fake.token());
    let response = http().post(url).multipart(form).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}
