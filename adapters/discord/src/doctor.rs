//! Live checks of everything that is known to go wrong, and what can be set up from here: commands, tags.
//!
//! Not here: how checks are shown (the program).

use deskbridge_contract::check::Check;
use deskbridge_contract::{RoomId, SendError};
use serde_json::{Value, json};
use serenity::all::Permissions;

use crate::api::Fault;
use crate::config::Config;
use crate::invite::{self, NEEDED};
use crate::send::forums::{FORUM, Forum, MEDIA};
use crate::send::{Me, Sending};
use crate::{cards, forms, ids};

/// "Application Flags": Message Content Intent, for many servers or for few.
const READS: u64 = (1 << 18) | (1 << 19);
/// "Guild Forum": most tags.
const MOST_TAGS: usize = 20;

pub(crate) fn may_read(flags: u64) -> bool {
    flags & READS != 0
}

/// "Bulk Overwrite Global Application Commands": what is there already stays as it is.
pub(crate) async fn publish(sending: &Sending, me: &Me) -> Result<(), SendError> {
    let route = format!("applications/{}/commands", me.application);
    let done = sending.api.put(route, Value::Array(forms::commands())).await;
    done.map(|_| ()).map_err(Fault::harmless)
}

pub(crate) async fn examine(sending: &Sending, config: &Config, desks: &[RoomId]) -> Vec<Check> {
    let me = match sending.meet().await {
        Ok(me) => me,
        Err(error) => return vec![no_token(&error)],
    };
    let mut checks =
        vec![Check::pass("discord.token", format!("bot {} of application {}", me.name, me.application))];
    checks.push(content(&me, !desks.is_empty()));
    checks.push(gateway(sending).await);
    checks.push(endpoint(sending, config).await);
    checks.push(commands(sending, &me).await);
    if desks.is_empty() {
        checks.push(Check::skip("discord.desk", "no forum is configured; technicians use the console"));
    }
    for desk in desks {
        checks.extend(forum(sending, &me, desk.as_str()).await);
    }
    checks
}

fn no_token(error: &SendError) -> Check {
    Check::fail(
        "discord.token",
        error.to_string(),
        "nothing can be received or sent",
        "copy the token from the developer portal, under Bot (Reset Token makes another)",
    )
}

fn content(me: &Me, desks: bool) -> Check {
    const ID: &str = "discord.intents";
    if may_read(me.flags) {
        Check::pass(ID, "Message Content Intent is on")
    } else if desks {
        let why = "technicians' words in the forum come without their text, and the gateway closes with 4014";
        Check::fail(
            ID,
            "Message Content Intent is off",
            why,
            "switch it on in the developer portal, under Bot",
        )
    } else {
        Check::pass(ID, "Message Content Intent is off, and direct messages need none")
    }
}

async fn gateway(sending: &Sending) -> Check {
    const ID: &str = "discord.gateway";
    let answer = match sending.api.get("gateway/bot".into(), &[]).await {
        Ok(answer) => answer,
        Err(fault) => {
            return Check::fail(ID, fault.error.to_string(), "nothing is received", "try again in a minute");
        }
    };
    let limit = &answer["session_start_limit"];
    let (remaining, total) = (limit["remaining"].as_u64().unwrap_or(0), limit["total"].as_u64().unwrap_or(0));
    let shards = answer["shards"].as_u64().unwrap_or(1);
    if remaining < 50 && total > 0 {
        let why = "when none is left, Discord resets the token";
        return Check::warn(
            ID,
            format!("{remaining} of {total} new sessions left today"),
            why,
            "find out what restarts",
        );
    }
    if shards > 1 {
        let why = "one connection does not carry that many servers";
        return Check::warn(
            ID,
            format!("Discord recommends {shards} shards"),
            why,
            "use a bot of its own for the desk",
        );
    }
    Check::pass(ID, format!("{remaining} of {total} new sessions left today"))
}

/// Where interactions go: a wrong address takes every button away.
async fn endpoint(sending: &Sending, config: &Config) -> Check {
    const ID: &str = "discord.interactions";
    let application = match sending.api.get("applications/@me".into(), &[]).await {
        Ok(application) => application,
        Err(fault) => return Check::skip(ID, fault.error.to_string()),
    };
    let url = application["interactions_endpoint_url"].as_str().unwrap_or_default();
    let hook = config.public_url.clone().and_then(|url| crate::hook(url, sending.api.channel()));
    match (url.is_empty(), &config.public_key, hook) {
        (true, _, _) => Check::pass(ID, "they come over the gateway"),
        (false, None, _) => Check::fail(
            ID,
            format!("they go to {url}"),
            "buttons, commands and forms do not come here: no public_key is configured",
            "set public_key, or empty Interactions Endpoint URL in the developer portal",
        ),
        (false, Some(_), Some(hook)) if hook.as_str().trim_end_matches('/') != url.trim_end_matches('/') => {
            Check::fail(
                ID,
                format!("they go to {url}"),
                "buttons, commands and forms do not come here",
                format!("set Interactions Endpoint URL to {hook}"),
            )
        }
        (false, Some(_), _) => Check::pass(ID, format!("they come by HTTP to {url}")),
    }
}

async fn commands(sending: &Sending, me: &Me) -> Check {
    const ID: &str = "discord.commands";
    let there = match sending.api.get(format!("applications/{}/commands", me.application), &[]).await {
        Ok(there) => there,
        Err(fault) => return Check::skip(ID, fault.error.to_string()),
    };
    let there: Vec<&str> =
        there.as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    let ours = forms::commands();
    let missing =
        ours.iter().filter_map(|one| one["name"].as_str()).filter(|name| !there.contains(name)).count();
    if missing == 0 {
        Check::pass(ID, format!("{} commands are published", ours.len()))
    } else {
        let why = "people do not find /ask, technicians not their verbs";
        Check::warn(ID, format!("{missing} commands are not published"), why, "deskbridge discord setup")
    }
}

async fn forum(sending: &Sending, me: &Me, desk: &str) -> Vec<Check> {
    const ID: &str = "discord.forum";
    if !ids::is_snowflake(desk) {
        let fix = "switch on Developer Mode, then Copy Channel ID of the forum";
        return vec![Check::fail(ID, format!("{desk} is no id"), "there is no such forum", fix)];
    }
    let channel = match sending.api.get(format!("channels/{desk}"), &[]).await {
        Ok(channel) => channel,
        Err(fault) => {
            let fix = "let the bot in with deskbridge discord invite, and let it see the forum";
            return vec![Check::fail(ID, fault.error.to_string(), "no request can be shown there", fix)];
        }
    };
    let forum = Forum::read(&channel);
    if !matches!(forum.kind, FORUM | MEDIA) {
        let why = "every conversation is a post, which only forums have";
        let fix = "make a forum channel (the server must be a Community), and set its id as room";
        return vec![Check::fail(ID, format!("#{} is no forum", forum.name), why, fix)];
    }
    let mut checks = vec![Check::pass(ID, format!("#{} is a forum", forum.name))];
    checks.push(rights(sending, me, &channel, &forum).await);
    checks.push(tags(&forum));
    checks
}

fn tags(forum: &Forum) -> Check {
    const ID: &str = "discord.tags";
    let missing: Vec<&str> = wanted(forum);
    if missing.is_empty() {
        Check::pass(ID, format!("#{} has a tag for every state", forum.name))
    } else {
        let why = "posts cannot be filtered by how they stand";
        Check::warn(
            ID,
            format!("#{} has no tag {}", forum.name, missing.join(", ")),
            why,
            "deskbridge discord setup",
        )
    }
}

fn wanted(forum: &Forum) -> Vec<&'static str> {
    let names = cards::TAGS.iter().map(|(_, name)| *name).chain([cards::PRIORITY]);
    names.filter(|name| !forum.tags.iter().any(|(tag, _)| tag.eq_ignore_ascii_case(name))).collect()
}

/// What the bot may do in the forum: its roles, then what the channel changes ("Permissions › Permission Overwrites").
async fn rights(sending: &Sending, me: &Me, channel: &Value, forum: &Forum) -> Check {
    const ID: &str = "discord.permissions";
    let route = |what: &str| format!("guilds/{}/{what}", forum.guild);
    let member = sending.api.get(route(&format!("members/{}", me.user)), &[]).await;
    let roles = sending.api.get(route("roles"), &[]).await;
    let (Ok(member), Ok(roles)) = (member, roles) else {
        return Check::skip(ID, "the server does not say which roles the bot has");
    };
    let mine: Vec<&str> =
        member["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let has = effective(&roles, channel, &forum.guild, &mine, &me.user);
    if has.contains(Permissions::ADMINISTRATOR) {
        let why = "it is more than is used";
        return Check::warn(
            ID,
            "the bot is an administrator",
            why,
            "deskbridge discord invite asks for exactly what is used",
        );
    }
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(one, ..)| !has.contains(*one)).map(|(_, name, _)| *name).collect();
    if missing.is_empty() {
        return Check::pass(ID, format!("the bot has what it needs in #{}", forum.name));
    }
    let what = format!("missing in #{}: {}", forum.name, missing.join(", "));
    let only_hooks = has.contains(invite::permissions() - Permissions::MANAGE_WEBHOOKS);
    if only_hooks {
        let why = "requesters' words appear as the bot's, with their names in front";
        return Check::warn(ID, what, why, "deskbridge discord invite");
    }
    Check::fail(
        ID,
        what,
        "posts cannot be opened or kept in step",
        "deskbridge discord invite, or the forum's permissions",
    )
}

fn effective(roles: &Value, channel: &Value, guild: &str, mine: &[&str], user: &str) -> Permissions {
    let bits = |value: &Value, key: &str| {
        let text = value[key].as_str().and_then(|text| text.parse().ok());
        Permissions::from_bits_truncate(text.or_else(|| value[key].as_u64()).unwrap_or(0))
    };
    let everybody = |id: &str| id == guild;
    let ours = |id: &str| mine.contains(&id);
    let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
    let all = roles.as_array().into_iter().flatten();
    let mut has = all
        .filter(|role| everybody(&id(role)) || ours(&id(role)))
        .fold(Permissions::empty(), |has, role| has | bits(role, "permissions"));
    if has.contains(Permissions::ADMINISTRATOR) {
        return has;
    }
    let overwrites: Vec<&Value> = channel["permission_overwrites"].as_array().into_iter().flatten().collect();
    let mut apply = |wanted: &dyn Fn(&str) -> bool| {
        let found: Vec<&&Value> = overwrites.iter().filter(|one| wanted(&id(one))).collect();
        let deny = found.iter().fold(Permissions::empty(), |all, one| all | bits(one, "deny"));
        let allow = found.iter().fold(Permissions::empty(), |all, one| all | bits(one, "allow"));
        has = (has - deny) | allow;
    };
    apply(&everybody);
    apply(&|id| ours(id) && !everybody(id));
    apply(&|id| id == user);
    has
}

/// Publishes the commands, and gives each forum the tags of the states where the bot may.
pub(crate) async fn setup(sending: &Sending, desks: &[RoomId]) -> Vec<Check> {
    let me = match sending.meet().await {
        Ok(me) => me,
        Err(error) => return vec![no_token(&error)],
    };
    let mut checks = vec![match publish(sending, &me).await {
        Ok(()) => {
            Check::pass("discord.commands", format!("{} commands are published", forms::commands().len()))
        }
        Err(error) => {
            Check::fail("discord.commands", error.to_string(), "people do not find /ask", "try again")
        }
    }];
    for desk in desks {
        checks.push(add_tags(sending, desk.as_str()).await);
    }
    checks
}

async fn add_tags(sending: &Sending, desk: &str) -> Check {
    const ID: &str = "discord.tags";
    let route = format!("channels/{desk}");
    let channel = match sending.api.get(route.clone(), &[]).await {
        Ok(channel) => channel,
        Err(fault) => {
            return Check::fail(
                ID,
                fault.error.to_string(),
                "the forum cannot be seen",
                "deskbridge doctor discord",
            );
        }
    };
    let forum = Forum::read(&channel);
    let missing = wanted(&forum);
    if missing.is_empty() {
        return Check::pass(ID, format!("#{} has a tag for every state", forum.name));
    }
    let mut tags = channel["available_tags"].as_array().cloned().unwrap_or_default();
    let room = MOST_TAGS.saturating_sub(tags.len());
    let emoji = |name: &str| {
        let state = cards::TAGS.iter().find(|(_, known)| *known == name).map(|(state, _)| state.sign());
        state.unwrap_or("❗")
    };
    for name in missing.iter().take(room) {
        tags.push(json!({ "name": name, "moderated": false, "emoji_id": null, "emoji_name": emoji(name) }));
    }
    match sending.api.patch(route, json!({ "available_tags": tags })).await {
        Ok(_) => Check::pass(ID, format!("#{} has got the tags {}", forum.name, missing.join(", "))),
        Err(fault) => Check::warn(
            ID,
            fault.error.to_string(),
            "posts cannot be filtered by how they stand",
            format!(
                "let the bot manage the forum for this once, or make them by hand: {}",
                missing.join(", ")
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_as_discord_reckons_them() {
        let roles = json!([
            { "id": "1", "permissions": "1024" },
            { "id": "2", "permissions": "2048" },
            { "id": "3", "permissions": "8" },
        ]);
        let channel = json!({ "permission_overwrites": [
            { "id": "1", "deny": "1024", "allow": "0" },
            { "id": "2", "deny": "0", "allow": "64" },
            { "id": "9", "deny": "2048", "allow": "1024" },
        ] });
        let has = effective(&roles, &channel, "1", &["2"], "9");
        assert_eq!(has, Permissions::VIEW_CHANNEL | Permissions::ADD_REACTIONS);
        assert!(effective(&roles, &channel, "1", &["3"], "9").contains(Permissions::ADMINISTRATOR));
    }
}
