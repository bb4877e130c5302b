//! A bare Slack app: calls methods, and takes what the fake posts, answering as a plan says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use deskbridge_platforms::http::{self, Hangup, Server};
use deskbridge_platforms::slack::{FakeSlack, Installed, Workspace};
use deskbridge_platforms::{Outage, slack};
use serde_json::{Value, json};

use crate::client::http as client;

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Status, headers and JSON of a call with a JSON body.
pub async fn call(app: &Installed, method: &str, params: Value) -> (u16, HeaderMap, Value) {
    let url = format!("{}/{method}", app.workspace.fake.api_url());
    let answer =
        client().post(url).bearer_auth(&app.bot_token).json(&params).send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    (status, headers, answer.json().await.unwrap_or(Value::Null))
}

/// A reading method: its parameters go into the query.
pub async fn ask(app: &Installed, method: &str, params: &[(&str, &str)]) -> Value {
    let query = encoded(params);
    let url = format!("{}/{method}?{query}", app.workspace.fake.api_url());
    let answer = client().get(url).bearer_auth(&app.bot_token).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

pub fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[track_caller]
fn good(method: &str, body: &Value) {
    assert_eq!(body["ok"], true, "{method}: {body}");
}

pub async fn ok(app: &Installed, method: &str, params: Value) -> Value {
    let (status, _, body) = call(app, method, params).await;
    assert_eq!(status, 200, "{method}: {body}");
    good(method, &body);
    body
}

/// The name of a refusal.
pub async fn refused(app: &Installed, method: &str, params: Value) -> String {
    let (_, _, body) = call(app, method, params).await;
    assert_eq!(body["ok"], false, "{method} was not refused: {body}");
    body["error"].as_str().unwrap_or_default().to_owned()
}

/// What came to the app's URL.
#[derive(Debug, Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The JSON of an event, or what a form's `payload` holds.
    pub fn json(&self) -> Value {
        if let Ok(json) = serde_json::from_str(&self.body) {
            return json;
        }
        let pairs = url::form_urlencoded::parse(self.body.as_bytes());
        let payload = pairs.into_iter().find(|(name, _)| name == "payload");
        payload.and_then(|(_, text)| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
    }

    /// One field of a command.
    pub fn field(&self, name: &str) -> String {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    pub fn event(&self) -> Value {
        self.json()["event"].clone()
    }
}

#[derive(Debug, Clone)]
pub enum Reply {
    /// Status, body, and perhaps a header.
    Say(u16, String, Option<(&'static str, &'static str)>),
    Hang(Duration),
    Drop,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Self {
        Reply::Say(200, body.into(), None)
    }

    pub fn status(status: u16) -> Self {
        Reply::Say(status, String::new(), None)
    }
}

/// Everything arrives here; the plan's next line is the answer, 200 when there is none.
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<Got>>>,
    plan: Arc<Mutex<VecDeque<Reply>>>,
    _server: Server,
}

impl Receiver {
    pub async fn start() -> Self {
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let plan: Arc<Mutex<VecDeque<Reply>>> = Arc::default();
        let (seen, next) = (got.clone(), plan.clone());
        let server = Server::start(([127, 0, 0, 1], 0).into(), Outage::default(), move |request| {
            let (seen, next) = (seen.clone(), next.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(Body::new(body), 1 << 24).await.map_err(|_| Hangup)?;
                let body = String::from_utf8_lossy(&body).into_owned();
                seen.lock().expect("unpoisoned").push(Got { headers: parts.headers, body });
                let reply = next.lock().expect("unpoisoned").pop_front();
                match reply.unwrap_or(Reply::status(200)) {
                    Reply::Say(status, body, header) => {
                        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
                        let mut response = http::text(status, kind, body);
                        if let Some((name, value)) = header {
                            response.headers_mut().insert(name, value.parse().expect("a header"));
                        }
                        Ok(response)
                    }
                    Reply::Hang(wait) => {
                        tokio::time::sleep(wait).await;
                        Ok(http::text(200, "text/plain", ""))
                    }
                    Reply::Drop => Err(Hangup),
                }
            }
        });
        let server = server.await.expect("a port");
        Receiver { url: format!("http://{}/slack", server.address()), got, plan, _server: server }
    }

    pub fn plan(&self, replies: impl IntoIterator<Item = Reply>) {
        self.plan.lock().expect("unpoisoned").extend(replies);
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().expect("unpoisoned").clone()
    }

    /// What of events arrived, by type.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        self.got().iter().map(Got::event).filter(|event| event["type"] == kind).collect()
    }
}

/// A workspace with an app that listens, two people, and a channel where all are.
pub struct Scene {
    pub fake: FakeSlack,
    pub acme: Workspace,
    pub app: Installed,
    pub receiver: Receiver,
    pub ana: String,
    pub bob: String,
    pub help: String,
}

impl Scene {
    pub async fn set(settings: slack::Settings) -> Self {
        let fake = FakeSlack::with(settings).await;
        let acme = fake.workspace("Acme");
        let app = acme.install("IT Desk");
        let receiver = Receiver::start().await;
        app.post_to(&receiver.url);
        let (ana, bob) = (acme.user("Ana"), acme.user("Bob"));
        let help = acme.channel("help", &[&ana, &bob, &app.bot_user]);
        Scene { fake, acme, app, receiver, ana, bob, help }
    }

    /// Retries come soon.
    pub async fn hurried() -> Self {
        Scene::set(slack::Settings { time_scale: 0.001, ..slack::Settings::default() }).await
    }

    /// Until everything that is to go out has gone or failed for good.
    pub async fn quiet(&self) {
        self.fake.wait_until(PATIENCE, |world| world.outstanding() == 0).await.expect("quiet");
    }

    pub async fn post(&self, channel: &str, text: &str) -> String {
        let sent = ok(&self.app, "chat.postMessage", json!({ "channel": channel, "text": text })).await;
        sent["ts"].as_str().expect("a ts").to_owned()
    }
}
