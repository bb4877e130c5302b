//! Hands events, interactions and commands to apps: by POST to their URLs, or through their sockets; again after
//! failures, as "The Events API › Retries" says. What is queued is in `outgoing`.
//!
//! Not played: the switching off of a subscription after an hour of failures, the cap of 30 000 an hour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::task::JoinSet;

use super::ledger::{Delivery, Way};
use super::outgoing::{Envelope, Letter, Then};
use super::params;
use super::sign::signature;
use super::sockets;
use super::team::App;
use super::world::{Shared, World};

const MAX_REDIRECTS: usize = 2;

/// What came of one attempt.
pub(super) struct Outcome {
    pub way: Way,
    pub status: Option<u16>,
    pub body: String,
    /// `X-Slack-Retry-Reason` of the next attempt.
    pub reason: &'static str,
    pub no_retry: bool,
}

impl Outcome {
    pub fn failed(way: Way, reason: &'static str) -> Self {
        Outcome { way, status: None, body: String::new(), reason, no_retry: false }
    }

    fn was_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Runs as long as the fake does.
pub(super) async fn run(shared: Arc<Shared>) {
    // Plain HTTP needs no provider, but the client will not be built without one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let redirects = reqwest::redirect::Policy::limited(MAX_REDIRECTS);
    let client = reqwest::Client::builder().redirect(redirects).no_proxy().build();
    let Ok(client) = client else { return };
    let mut bell = shared.bell();
    let mut under_way = JoinSet::new();
    loop {
        let (ready, mut wake_at, shares) = shared.quietly(|world| {
            let (ready, wake_at) = world.outgoing.due(world.settings.in_order);
            let (shares, next) = world.files.due();
            let wake_at = [wake_at, next].into_iter().flatten().min();
            (ready, wake_at, shares)
        });
        if !shares.is_empty() {
            shared.change(|world| world.share(shares));
            wake_at = Some(Instant::now());
        }
        for letter in ready {
            under_way.spawn(deliver(shared.clone(), client.clone(), letter));
        }
        let wake_at = wake_at.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
        tokio::select! {
            _ = bell.changed() => {}
            () = tokio::time::sleep_until(wake_at.into()) => {}
            Some(_) = under_way.join_next() => {}
        }
    }
}

async fn deliver(shared: Arc<Shared>, client: reqwest::Client, letter: Letter) {
    let started = Instant::now();
    let (app, deadline) = shared.read(|world| {
        let app = world.teams.get(&letter.team).and_then(|team| team.apps.get(&letter.app)).cloned();
        (app, world.settings.ack_deadline)
    });
    let Some(app) = app else {
        shared.change(|world| world.outgoing.settle(letter.ticket));
        return;
    };
    let challenge = matches!(letter.then, Then::Challenge { .. });
    let outcome = if app.socket_mode && !challenge {
        sockets::deliver(&shared, &letter, deadline).await
    } else {
        post(&client, &app, &letter, deadline).await
    };
    let took = started.elapsed();
    shared.change(|world| settle(world, &letter, &outcome, took));
}

/// The bytes of a POST: JSON for events, a form for the rest.
pub(super) fn body_of(letter: &Letter) -> (String, &'static str) {
    const FORM: &str = "application/x-www-form-urlencoded";
    match letter.envelope {
        Envelope::Events => (letter.payload.to_string(), "application/json"),
        Envelope::Interactive => (params::form(&[("payload", letter.payload.to_string())]), FORM),
        Envelope::Command => {
            let fields = letter.payload.as_object().into_iter().flatten();
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let pairs: Vec<(&str, String)> =
                fields.map(|(name, value)| (name.as_str(), text(value))).collect();
            (params::form(&pairs), FORM)
        }
    }
}

async fn post(client: &reqwest::Client, app: &App, letter: &Letter, deadline: Duration) -> Outcome {
    let url = match (&letter.then, letter.envelope) {
        (Then::Challenge { .. }, _) | (_, Envelope::Events) => &app.events_url,
        (_, Envelope::Interactive) => &app.interactivity_url,
        (_, Envelope::Command) => &app.commands_url,
    };
    let Some(url) = url else { return Outcome::failed(Way::Posted, "connection_failed") };
    let (body, kind) = body_of(letter);
    let timestamp = World::stamp();
    let mut request = client
        .post(url)
        .header(CONTENT_TYPE, kind)
        .header("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
        .header("X-Slack-Request-Timestamp", &timestamp)
        .header("X-Slack-Signature", signature(&app.signing_secret, &timestamp, body.as_bytes()));
    if letter.attempts > 0 {
        request = request
            .header("X-Slack-Retry-Num", letter.attempts.to_string())
            .header("X-Slack-Retry-Reason", letter.reason);
    }
    match request.timeout(deadline).body(body).send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let no_retry =
                status != 200 && response.headers().get("X-Slack-No-Retry").is_some_and(|it| it == "1");
            let body = response.text().await.unwrap_or_default();
            Outcome { way: Way::Posted, status: Some(status), body, reason: "http_error", no_retry }
        }
        Err(error) if error.is_timeout() => Outcome::failed(Way::Posted, "http_timeout"),
        Err(error) if error.is_redirect() => Outcome::failed(Way::Posted, "too_many_redirects"),
        Err(_) => Outcome::failed(Way::Posted, "connection_failed"),
    }
}

fn settle(world: &mut World, letter: &Letter, outcome: &Outcome, took: Duration) {
    let at = world.ledger.now();
    world.ledger.deliveries.push(Delivery {
        id: letter.id.clone(),
        app: letter.app.clone(),
        kind: letter.kind.clone(),
        attempt: letter.attempts + 1,
        way: outcome.way,
        at,
        took,
        status: outcome.status,
        answer: outcome.body.clone(),
    });
    if outcome.was_taken() {
        world.outgoing.settle(letter.ticket);
        if let Then::Challenge { challenge } = &letter.then {
            world.challenged(letter, challenge, &outcome.body);
        }
        world.follow(letter, &outcome.body);
        return;
    }
    // A person's click is not repeated by the platform; an envelope that nobody acknowledged is.
    let repeated = letter.envelope == Envelope::Events || outcome.way == Way::Socket;
    let challenge = matches!(letter.then, Then::Challenge { .. });
    let again = repeated && !outcome.no_retry && !challenge;
    let scale = world.settings.time_scale;
    if !again {
        world.outgoing.settle(letter.ticket);
    }
    if !again || !world.outgoing.postpone(letter.ticket, outcome.reason, scale) {
        world.ledger.lost.push(letter.id.clone());
    }
}

impl World {
    /// The clock of signatures, Unix seconds.
    pub(super) fn stamp() -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap_or_default().as_secs().to_string()
    }

    /// `url_verification`: the body is the challenge, plain, as a form or as JSON.
    fn challenged(&mut self, letter: &Letter, challenge: &str, body: &str) {
        let given: Option<Value> = serde_json::from_str(body).ok();
        let in_json = given.is_some_and(|given| given["challenge"] == challenge);
        if in_json || body.trim() == challenge || body.trim() == format!("challenge={challenge}") {
            let url = self.app(&letter.team, &letter.app).events_url.clone().unwrap_or_default();
            self.outgoing.verified.insert((letter.app.clone(), url));
        }
    }
}
