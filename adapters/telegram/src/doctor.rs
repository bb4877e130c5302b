//! Live checks of a Telegram channel, one per known set-up failure, and what can be put right from here.
//!
//! Not here: how results are shown; the commands menus (`doctor/menus.rs`).

pub(crate) mod menus;

#[cfg(test)]
mod tests;

use deskbridge_contract::check::{Check, Outcome};
use deskbridge_contract::{RoomId, SendError};
use serde::Deserialize;
use teloxide_core::payloads::{DeleteWebhook, GetChat, GetChatMember};
use teloxide_core::types::{ChatId, UserId};

use crate::Telegram;
use crate::config::Receive;
use crate::receive::{ALLOWED_UPDATES, WebhookInfo};

/// Updates beyond which somebody should look why they are not fetched.
const MANY: u64 = 100;

const TOKEN: &str = "telegram.token";
const WEBHOOK: &str = "telegram.webhook";
const TOPICS: &str = "telegram.topics";
const COMMANDS: &str = "telegram.commands";
const SETUP: &str = "deskbridge telegram setup";
const REACH: &str = "check the network, a proxy, and api_base";

pub(crate) async fn examine(telegram: &Telegram, desks: &[RoomId]) -> Vec<Check> {
    let token = token(telegram).await;
    if token.outcome == Outcome::Fail {
        // Everything else would fail for the same reason.
        return vec![token];
    }
    let mut checks = vec![token, webhook(telegram).await];
    for desk in desks {
        checks.push(topics(telegram, desk).await);
    }
    checks
}

async fn token(telegram: &Telegram) -> Check {
    match telegram.meet().await {
        Ok(me) => {
            let name = me.username.unwrap_or_default();
            Check::pass(TOKEN, format!("bot @{name}, id {}", telegram.config.bot))
        }
        Err(SendError::Unauthorized { why }) => Check::fail(
            TOKEN,
            why,
            "Telegram does not know this token: it was revoked, mistyped, or api_base is not a Bot API server",
            "@BotFather: /mybots, the bot, API Token; put it into the channel's token",
        ),
        Err(error) => Check::fail(TOKEN, error.to_string(), "Telegram cannot be reached from here", REACH),
    }
}

async fn webhook(telegram: &Telegram) -> Check {
    let info = match telegram.webhook_info().await {
        Ok(info) => info,
        Err(error) => {
            return Check::fail(WEBHOOK, error.to_string(), "Telegram cannot be reached from here", REACH);
        }
    };
    let waiting = info.pending_update_count;
    match &telegram.config.receive {
        Receive::Polling if !info.url.is_empty() => Check::warn(
            WEBHOOK,
            "a webhook is set, but receive = \"polling\"",
            "while it is set, every poll is refused with 409; serve removes it, another program may set it again",
            "deskbridge telegram setup, or give the other program a bot of its own",
        ),
        // Another poller would show as 409, but asking would throw our own running poll out: only the count is looked at.
        Receive::Polling if waiting > MANY => Check::warn(
            WEBHOOK,
            format!("{waiting} updates wait to be fetched"),
            "nobody is polling, or updates are fetched more slowly than they come; after 24 h they are lost",
            "deskbridge serve, and look at the channel's health",
        ),
        Receive::Polling => Check::pass(WEBHOOK, format!("none, as polling needs; {waiting} updates wait")),
        Receive::Webhook { .. } => pushed(telegram, &info),
    }
}

fn pushed(telegram: &Telegram, info: &WebhookInfo) -> Check {
    let expected = telegram.hook();
    if info.url.is_empty() {
        return Check::fail(WEBHOOK, "no webhook is set", "Telegram has nowhere to bring messages to", SETUP);
    }
    if let Some(expected) = expected.filter(|expected| expected.as_str() != info.url) {
        let why = "messages go to another address; after a move, or because another program uses this bot";
        return Check::fail(WEBHOOK, format!("set to another address than {expected}"), why, SETUP);
    }
    if let Some(error) = &info.last_error_message {
        let waiting = info.pending_update_count;
        let when = info.last_error_date.and_then(|at| jiff::Timestamp::from_second(at).ok());
        let when = when.map(|at| format!(" at {at}")).unwrap_or_default();
        let detail = format!("last delivery failed{when}: {error}; {waiting} updates wait");
        let (why, fix) = blame(error);
        return if waiting > 0 {
            Check::fail(WEBHOOK, detail, why, fix)
        } else {
            Check::warn(WEBHOOK, detail, why, fix)
        };
    }
    let missing = ALLOWED_UPDATES.iter().any(|kind| !info.brings(kind));
    if missing {
        let why = "some kinds of updates, such as pressed buttons, are not brought";
        return Check::warn(WEBHOOK, "set up by another program or version", why, SETUP);
    }
    Check::pass(WEBHOOK, format!("set; {} updates wait", info.pending_update_count))
}

/// What Telegram's error about our address most likely means.
fn blame(error: &str) -> (&'static str, &'static str) {
    let error = error.to_lowercase();
    if error.contains("401") {
        ("our route refused the secret: it was changed after the webhook was set", SETUP)
    } else if error.contains("403") || error.contains("404") || error.contains("30") {
        (
            "a proxy in front answers instead of deskbridge",
            "pass /hooks/ on unchanged, then deskbridge telegram setup",
        )
    } else if error.contains("ssl") || error.contains("certificate") {
        (
            "Telegram does not trust the certificate",
            "serve the full chain of a public authority on 443, 80, 88 or 8443",
        )
    } else if error.contains("503") {
        ("the store could not be written at that time", "deskbridge doctor db")
    } else {
        (
            "Telegram cannot reach server.public_url",
            "open 443, 80, 88 or 8443 for 149.154.160.0/20 and 91.108.4.0/22",
        )
    }
}

#[derive(Deserialize)]
struct Chat {
    #[serde(rename = "type")]
    kind: String,
    title: Option<String>,
    #[serde(default)]
    is_forum: bool,
}

#[derive(Deserialize)]
struct Member {
    status: String,
    #[serde(default)]
    can_manage_topics: bool,
}

async fn topics(telegram: &Telegram, desk: &RoomId) -> Check {
    let bot = telegram.username().unwrap_or_default();
    let Ok(id) = desk.as_str().parse::<i64>() else {
        let why = "a desk is named by the group's number, such as -1001234567890";
        return Check::fail(
            TOPICS,
            format!("{desk} is not a group's id"),
            why,
            "the number in the group's address on web.telegram.org, with -100 in front",
        );
    };
    let chat: Chat = match telegram.sending.api.call(&GetChat::new(ChatId(id))).await {
        Ok(chat) => chat,
        Err(fault) => {
            let fix =
                format!("group {desk}: Add Members, @{bot}; a group that became a supergroup has a new id");
            return Check::fail(
                TOPICS,
                SendError::from(fault).to_string(),
                "the bot is not in the desk's group",
                &fix,
            );
        }
    };
    let title = chat.title.unwrap_or_default();
    if chat.kind != "supergroup" || !chat.is_forum {
        let why = "each conversation needs a topic of its own";
        let fix = format!("group \"{title}\": Manage Group, Topics, on");
        return Check::fail(TOPICS, format!("\"{title}\" has no topics"), why, &fix);
    }
    let member = GetChatMember::new(ChatId(id), UserId(telegram.config.bot));
    let member: Member = match telegram.sending.api.call(&member).await {
        Ok(member) => member,
        Err(fault) => {
            return Check::fail(
                TOPICS,
                SendError::from(fault).to_string(),
                "the bot's rights cannot be read",
                REACH,
            );
        }
    };
    let rights = member.status == "creator" || (member.status == "administrator" && member.can_manage_topics);
    if !rights {
        let why = "the bot cannot open topics, and as no administrator it hears only commands (privacy mode)";
        let fix = format!("group \"{title}\": Administrators, Add Admin, @{bot}, Manage Topics on");
        return Check::fail(TOPICS, format!("the bot is {} in \"{title}\"", member.status), why, &fix);
    }
    Check::pass(TOPICS, format!("\"{title}\": topics on, the bot manages them"))
}

pub(crate) async fn setup(telegram: &Telegram) -> Vec<Check> {
    let token = token(telegram).await;
    if token.outcome == Outcome::Fail {
        return vec![token];
    }
    vec![token, set_receiving(telegram).await, set_menus(telegram).await]
}

async fn set_receiving(telegram: &Telegram) -> Check {
    let result = match (&telegram.config.receive, telegram.hook()) {
        (Receive::Polling, _) => telegram
            .sending
            .api
            .call::<_, bool>(&DeleteWebhook::new())
            .await
            .map_err(SendError::from)
            .map(|_| "no webhook, as polling needs".to_owned()),
        (Receive::Webhook { .. }, None) => {
            let why = "Telegram must be told an address that it can reach";
            return Check::fail(
                WEBHOOK,
                "server.public_url is not set",
                why,
                "set server.public_url = \"https://…\"",
            );
        }
        (Receive::Webhook { secret }, Some(url)) => {
            telegram.set_webhook(url.clone(), secret).await.map(|()| format!("set to {url}"))
        }
    };
    match result {
        Ok(detail) => Check::pass(WEBHOOK, detail),
        Err(error) => Check::fail(
            WEBHOOK,
            error.to_string(),
            "Telegram refused: it wants https with a public host on port 443, 80, 88 or 8443",
            "correct server.public_url",
        ),
    }
}

async fn set_menus(telegram: &Telegram) -> Check {
    match menus::publish(telegram).await {
        Ok(count) => Check::pass(COMMANDS, format!("{count} menus for private chats and groups")),
        Err(error) => {
            Check::warn(COMMANDS, error.to_string(), "people see no menu of commands; all else works", SETUP)
        }
    }
}
