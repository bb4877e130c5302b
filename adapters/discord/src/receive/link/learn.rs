//! What the gateway tells of servers, channels and roles; and which events have nothing for a conversation.
//!
//! Not here: what the others mean (`receive::take`).

use serde_json::Value;

use crate::Discord;
use crate::send::forums::Lies;
use crate::translate::text;

/// What is only to be known. True: there is nothing in it for a conversation.
pub(super) fn learn(discord: &Discord, kind: &str, d: &Value) -> bool {
    let forums = &discord.sending.forums;
    let all = |key: &str| d[key].as_array().into_iter().flatten();
    match kind {
        "GUILD_CREATE" => {
            all("channels").chain(all("threads")).for_each(|channel| forums.learn(channel));
            all("roles").for_each(|role| forums.learn_role(role));
            for thread in all("threads") {
                if let Some(id) = text(thread, "id") {
                    let closed = thread["thread_metadata"]["archived"] == Value::Bool(true);
                    discord.sending.threads.saw(id, closed);
                }
            }
        }
        "THREAD_LIST_SYNC" => all("threads").for_each(|thread| forums.learn(thread)),
        "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" => forums.learn_role(&d["role"]),
        "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" => forums.learn(d),
        // All of a server are told, and most of them are nobody's business.
        "TYPING_START" => return !is_near(discord, d),
        "THREAD_UPDATE" => {
            forums.learn(d);
            return false;
        }
        "MESSAGE_CREATE"
        | "MESSAGE_UPDATE"
        | "MESSAGE_DELETE"
        | "MESSAGE_DELETE_BULK"
        | "MESSAGE_REACTION_ADD"
        | "MESSAGE_REACTION_REMOVE"
        | "THREAD_DELETE"
        | "INTERACTION_CREATE" => return false,
        _ => {}
    }
    true
}

/// In a direct message, or in a post of a desk.
fn is_near(discord: &Discord, d: &Value) -> bool {
    let sending = &discord.sending;
    let place = text(d, "channel_id").and_then(|channel| sending.forums.place_of(channel));
    text(d, "guild_id").is_none() || matches!(place, Some(Lies::In(forum)) if sending.desks.contains(&forum))
}
