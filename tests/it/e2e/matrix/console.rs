//! The console in the matrix: a technician by the API that the page uses.
//!
//! Not here: the conversation, the page (`browser`, `console_browser`).

use std::cell::RefCell;

use async_trait::async_trait;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::super::bridge::{Bridge, client};
use super::{Desk, Said};

#[derive(Default)]
pub struct Console {
    token: RefCell<String>,
    base: RefCell<String>,
}

impl Console {
    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.base.borrow());
        client().request(method, url).bearer_auth(self.token.borrow())
    }

    async fn read(&self, path: &str) -> Value {
        answered(self.call(Method::GET, path)).await.expect("found")
    }

    /// The latest conversation's number.
    async fn latest(&self) -> Option<u64> {
        self.read("/conversations").await["data"][0]["id"].as_u64()
    }

    async fn path(&self, rest: &str) -> String {
        format!("/conversations/{}{rest}", self.latest().await.expect("a conversation"))
    }

    async fn messages(&self) -> Vec<Value> {
        if self.latest().await.is_none() {
            return Vec::new();
        }
        let path = self.path("/messages?limit=100").await;
        let page = self.read(&path).await;
        page["data"].as_array().expect("messages").clone()
    }

    async fn posts(&self, body: Value) -> Said {
        let path = self.path("/messages").await;
        let posted = answered(self.call(Method::POST, &path).json(&body)).await;
        let posted = posted.unwrap_or_else(|why| panic!("refused: {why}"));
        posted["data"]["message"]["id"].as_str().unwrap_or_else(|| panic!("no message: {posted}")).to_owned()
    }
}

/// What was answered; the problem where it was refused.
async fn answered(request: RequestBuilder) -> Result<Value, Value> {
    let answer = request.send().await.expect("answered");
    let good = answer.status().is_success();
    let text = answer.text().await.expect("read");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    if good { Ok(body) } else { Err(body) }
}

#[async_trait(?Send)]
impl Desk for Console {
    fn section(&self) -> String {
        String::new()
    }

    fn desk(&self) -> String {
        String::new()
    }

    fn identity(&self) -> Option<String> {
        None
    }

    async fn prepare(&self, bridge: &Bridge) {
        let args = ["--technician", "bob", "--scope", "chats:read", "--scope", "chats:write"];
        *self.token.borrow_mut() = bridge.token_with(&args).await;
    }

    async fn connect(&self, bridge: &Bridge) {
        *self.base.borrow_mut() = bridge.url("/api/v1");
    }

    async fn accepts(&self) -> bool {
        if self.latest().await.is_none() {
            return false;
        }
        let path = self.path("").await;
        if self.read(&path).await["data"]["offer"]["to"] != "bob" {
            return false;
        }
        let path = self.path("/actions/accept").await;
        answered(self.call(Method::POST, &path).json(&json!({}))).await.is_ok()
    }

    async fn says(&self, text: &str) -> Said {
        self.posts(json!({ "text": text })).await
    }

    async fn corrects(&self, said: &Said, text: &str) {
        let path = self.path(&format!("/messages/{said}")).await;
        let edited = answered(self.call(Method::PUT, &path).json(&json!({ "text": text }))).await;
        assert!(edited.is_ok(), "{edited:?}");
    }

    async fn attaches(&self, text: &str) -> Vec<u8> {
        let manual = b"%PDF-1.4 how to pull a lever\n".repeat(2_000);
        let path = self.path("/files?name=manual.pdf").await;
        let request = self.call(Method::POST, &path).header("content-type", "application/pdf");
        let uploaded = answered(request.body(manual.clone())).await.expect("uploaded");
        self.posts(json!({ "text": text, "attachments": [uploaded["data"]["id"]] })).await;
        manual
    }

    async fn resolves(&self) {
        let path = self.path("/actions/resolve").await;
        let resolved = answered(self.call(Method::POST, &path).json(&json!({}))).await;
        assert!(resolved.is_ok(), "{resolved:?}");
    }

    async fn shown(&self) -> Vec<String> {
        let own = |message: &Value| message["author"]["kind"] == "technician";
        let all = self.messages().await.into_iter().filter(|message| !own(message));
        all.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn files(&self) -> Vec<Vec<u8>> {
        let all = self.messages().await;
        let attached = all.iter().flat_map(|message| message["attachments"].as_array().into_iter().flatten());
        let urls: Vec<&str> = attached.filter_map(|file| file["url"].as_str()).collect();
        let mut files = Vec::new();
        for url in urls {
            let url = url.strip_prefix("/api/v1").expect("within the API");
            let answer = self.call(Method::GET, url).send().await.expect("answered");
            assert!(answer.status().is_success(), "{url}: {}", answer.status());
            files.push(answer.bytes().await.expect("read").to_vec());
        }
        files
    }

    fn violations(&self) -> Vec<String> {
        Vec::new()
    }
}
