//! Live checks of what is known to go wrong with webhooks. Posts nothing.
//!
//! Not here: the keys' form (`config.rs`), the bot's own checks (`crate::doctor`).

use deskbridge_contract::RoomId;
use deskbridge_contract::check::Check;

use super::Webhook;
use crate::{config, ids};

pub(super) async fn examine(webhook: &Webhook, desks: &[RoomId]) -> Vec<Check> {
    let mut checks = Vec::new();
    if webhook.config.security.is_some() {
        checks.push(address(webhook));
        checks.push(later(webhook));
    }
    if let Some(flow) = &webhook.flow {
        let id = "teams-webhook.flow";
        checks.push(match flow.reach().await {
            Ok(()) => Check::pass(
                id,
                "the flow's host answers (whether the flow posts is seen with the first notice)",
            ),
            Err(error) => Check::fail(
                id,
                error.to_string(),
                "notices cannot be posted",
                "let this machine reach that host",
            ),
        });
    }
    for desk in desks {
        checks.push(room(webhook, desk));
    }
    if let Some(bot) = &webhook.bot {
        checks.extend(
            crate::doctor::examine(bot, &[])
                .await
                .into_iter()
                .filter(|check| check.id == "teams.credentials"),
        );
    }
    checks
}

fn address(webhook: &Webhook) -> Check {
    let id = "teams-webhook.address";
    let fix =
        "set server.public_url to an https address, and the webhook's callback URL to …/hooks/<channel>";
    match &webhook.config.public_url {
        Some(url) if url.scheme() == "https" && !config::is_loopback(url) => {
            let mut hook = url.clone();
            if let Ok(mut segments) = hook.path_segments_mut() {
                segments.pop_if_empty().push("hooks").push(webhook.channel.as_str());
            }
            Check::pass(id, format!("the outgoing webhook's callback URL must be {hook}"))
        }
        Some(_) => Check::fail(id, "server.public_url is not public https", "Teams cannot reach it", fix),
        None => Check::warn(id, "server.public_url is not set", "files can only be named", fix),
    }
}

fn later(webhook: &Webhook) -> Check {
    let id = "teams-webhook.later";
    match (&webhook.bot, &webhook.flow) {
        (Some(_), _) => Check::pass(id, "later words are written by the bot"),
        (None, Some(_)) => Check::pass(id, "later words come by Workflows, outside of the thread"),
        (None, None) => Check::warn(
            id,
            "nothing can be written after the response",
            "people get one answer within five seconds, and no technician's reply",
            "set webhook_url, or the bot's keys",
        ),
    }
}

fn room(webhook: &Webhook, desk: &RoomId) -> Check {
    let id = "teams-webhook.desk";
    if ids::kind(desk.as_str()) == ids::Kind::Channel {
        let fix = "give the room a name of your own; technicians who answer in Teams need the adapter teams";
        return Check::fail(id, format!("{desk} is a channel"), "a webhook cannot open threads in it", fix);
    }
    match &webhook.flow {
        Some(_) => Check::pass(id, format!("{desk}: notices")),
        None => {
            Check::fail(id, format!("{desk}: there is no flow"), "no notice is posted", "set webhook_url")
        }
    }
}
