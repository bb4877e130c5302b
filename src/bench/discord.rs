//! Discord in the relay's measure: messages over a gateway, and a REST side that takes everything.
//!
//! Not here: the gateway (`discord/gateway.rs`), any of Discord's limits or refusals (`tests/platforms` has those).

pub(super) mod gateway;

use axum::extract::{FromRequestParts as _, Request, State, WebSocketUpgrade};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::fake::Fake;
use super::kept::Order;

/// The application, its bot, their server, the forum that is the desk, and the forum's webhook.
const APPLICATION: &str = "2";
const GUILD: &str = "3";
const DESK: &str = "4";
const HOOK: &str = "5";
/// "Application Flags": Message Content Intent, for few servers.
const MAY_READ: u64 = 1 << 19;
/// "Channel Types": a post, and the forum that it lies in.
const POST: u64 = 11;
const FORUM: u64 = 15;
/// Behind a person's number, so that no direct message has the number of a message.
const DIRECT: usize = 1_000_000_000;
/// Before which no number is given out here: messages that come in have numbers of their own.
const GIVEN: i64 = 5_000_000_000;
/// Longest body that is read: a card with all its buttons has some 10 KB.
const LONGEST: usize = 1 << 20;

pub(super) fn channel(api: &str) -> String {
    format!(
        r#"
[channels.discord]
adapter = "discord"
token = "MjAw.bench.bench"
api_base = "{api}/discord/v10/"
[channels.discord.desk]
room = "{DESK}"
"#
    )
}

/// What the gateway says of one message in a person's chat with the bot; the same number gives the same bytes.
pub(super) fn message(number: usize, user: usize, text: &str) -> String {
    let at = i64::try_from(1_700_000_000 + number / 1_000).unwrap_or_default();
    let time = jiff::Timestamp::from_second(at).unwrap_or_default();
    let time = format!("{}.{:03}000+00:00", time.strftime("%Y-%m-%dT%H:%M:%S"), number % 1_000);
    json!({
        "id": number.to_string(), "type": 0, "channel_id": (DIRECT + user).to_string(), "channel_type": 1,
        "author": {
            "id": user.to_string(), "username": format!("r{user}"), "global_name": format!("R{user}"),
            "discriminator": "0", "avatar": null, "public_flags": 0, "clan": null, "primary_guild": null,
            "avatar_decoration_data": null,
        },
        "content": text, "timestamp": time, "edited_timestamp": null, "tts": false, "mention_everyone": false,
        "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "components": [], "pinned": false,
        "flags": 0, "nonce": number.to_string(),
    })
    .to_string()
}

/// One call of the REST API.
pub(super) async fn rest(State(fake): State<Fake>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LONGEST).await.unwrap_or_default();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = head.uri.path().strip_prefix("/discord/v10/").unwrap_or_default();
    let (method, query) = (head.method.as_str(), head.uri.query().unwrap_or_default());
    if let ("GET", Some(channel)) =
        (method, path.strip_prefix("channels/").and_then(|rest| rest.strip_suffix("/messages")))
    {
        let after = asked(query, "after").and_then(|id| id.parse().ok()).unwrap_or_default();
        let messages = fake.kept().after(channel, after, Order::NewestFirst);
        return ([(CONTENT_TYPE, "application/json")], format!("[{messages}]")).into_response();
    }
    let id = GIVEN + fake.called(&body);
    let (answer, message) = answer(method, path, id, host);
    if message {
        fake.note(&body);
        if let Some((channel, message)) = posted(path, query, id, &body) {
            fake.kept().keep(channel, id, message.to_string());
        }
    }
    axum::Json(answer).into_response()
}

fn asked<'q>(query: &'q str, key: &str) -> Option<&'q str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
}

/// A new message as it is read back, and in which channel: the bot's own, or a webhook's under somebody's name.
fn posted(path: &str, query: &str, id: i64, body: &[u8]) -> Option<(String, Value)> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    let parts: Vec<&str> = path.split('/').collect();
    let channel = match parts.as_slice() {
        ["channels", channel, ..] => {
            message["author"] = json!({ "id": APPLICATION, "username": "desk", "bot": true });
            (*channel).to_owned()
        }
        _ => {
            message["webhook_id"] = HOOK.into();
            message["author"] = json!({ "id": HOOK, "username": message["username"], "bot": true });
            asked(query, "thread_id").unwrap_or(DESK).to_owned()
        }
    };
    message["id"] = id.to_string().into();
    message["channel_id"] = channel.as_str().into();
    Some((channel, message))
}

/// The handshake of a connection to the gateway.
pub(super) async fn connect(State(fake): State<Fake>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let address = address(host);
    match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
        Ok(upgrade) => {
            let gateway = fake.gateway();
            upgrade.on_upgrade(move |socket| async move { gateway.serve(socket, &address).await })
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn address(host: &str) -> String {
    format!("ws://{host}/discord/gateway")
}

/// What Discord answers; and whether it was a new message in a channel.
fn answer(method: &str, path: &str, id: i64, host: &str) -> (Value, bool) {
    let id = id.to_string();
    let parts: Vec<&str> = path.split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["applications", "@me"]) => {
            (json!({ "id": APPLICATION, "name": "Desk", "flags": MAY_READ }), false)
        }
        ("GET", ["users", "@me"]) => (json!({ "id": APPLICATION, "username": "desk", "bot": true }), false),
        ("GET", ["gateway", "bot"]) => {
            let left = json!({ "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1 });
            (json!({ "url": address(host), "shards": 1, "session_start_limit": left }), false)
        }
        ("POST", ["users", "@me", "channels"]) => (json!({ "id": id, "type": 1 }), false),
        ("GET", ["channels", DESK]) => {
            let forum =
                json!({ "id": DESK, "type": FORUM, "guild_id": GUILD, "name": "desk", "available_tags": [] });
            (forum, false)
        }
        ("GET", ["channels", _, "webhooks"]) => (json!([]), false),
        ("POST", ["channels", _, "webhooks"]) => {
            (json!({ "id": HOOK, "type": 1, "token": "bench", "application_id": APPLICATION }), false)
        }
        ("GET", ["channels", post]) => {
            (json!({ "id": post, "type": POST, "parent_id": DESK, "applied_tags": [] }), false)
        }
        ("POST", ["channels", _, "threads"]) => {
            (json!({ "id": id, "type": POST, "guild_id": GUILD, "parent_id": DESK }), false)
        }
        ("POST", ["channels", channel, "messages"] | ["webhooks", channel, _]) => {
            (json!({ "id": id, "channel_id": channel }), true)
        }
        // Commands, edits, reactions, typing.
        _ => (json!({}), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_are_read_back_where_they_are() {
        let body = br#"{"content":"hi","username":"Ana"}"#;
        let (channel, message) = posted("webhooks/5/bench", "wait=true&thread_id=9", 7, body).unwrap();
        assert_eq!((channel.as_str(), &message["webhook_id"]), ("9", &json!(HOOK)));
        assert_eq!((&message["author"]["username"], &message["content"]), (&json!("Ana"), &json!("hi")));
        let (channel, message) = posted("channels/8/messages", "", 7, body).unwrap();
        assert_eq!((channel.as_str(), &message["author"]["id"]), ("8", &json!(APPLICATION)));
        assert_eq!((&message["id"], &message["channel_id"]), (&json!("7"), &json!("8")));
        assert!(posted("channels/8/messages", "", 7, b"--multipart").is_none());
    }

    #[test]
    fn events_and_answers_are_of_use() {
        let text = "the printer does not print ".repeat(20);
        let event = message(10_000_123, 100_999, &text);
        assert!((900..1_300).contains(&event.len()), "{}", event.len());
        assert_eq!(event, message(10_000_123, 100_999, &text));
        let tree: toml::Table = channel("http://127.0.0.1:4000").parse().unwrap();
        let mut section = serde_json::to_value(&tree["channels"]["discord"]).unwrap();
        for generic in ["adapter", "desk"] {
            section.as_object_mut().unwrap().remove(generic);
        }
        let kit = crate::kits::find("discord").unwrap();
        assert_eq!((kit.check)(section), []);
        for (method, path, counts) in [
            ("POST", "webhooks/5/bench", true),
            ("POST", "channels/9/messages", true),
            ("POST", "channels/4/threads", false),
            ("POST", "channels/4/webhooks", false),
            ("PATCH", "webhooks/5/bench/messages/7", false),
            ("PATCH", "channels/9/messages/7", false),
        ] {
            assert_eq!(answer(method, path, 7, "").1, counts, "{method} {path}");
        }
    }
}
