//! The Web API: who calls, what they may, and which function carries a method out.
//! What the methods do is in the files beside this one.

mod assistant;
mod chat;
mod conversations;
mod files;
mod oauth;
mod reactions;
mod stream;
mod users;
mod views;

use std::time::Instant;

use serde_json::{Value, json};

use super::error::{Answer, ApiError, refuse};
use super::params::Params;
use super::team::{App, AppId, ChannelKind, TeamId};
use super::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Bot,
    /// `xapp-…`
    App,
}

/// Who calls.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub team: TeamId,
    pub app: AppId,
    pub bot_user: String,
    pub kind: TokenKind,
    pub scopes: Vec<String>,
}

type Method = fn(&mut World, &Caller, &Params) -> Answer;

/// Needed scopes; of several any will do. `*` stands for the family of the channel's kind.
struct Entry {
    name: &'static str,
    scopes: &'static [&'static str],
    /// Takes a JSON body; reading methods take forms and queries only.
    json: bool,
    run: Method,
}

const fn entry(name: &'static str, scopes: &'static [&'static str], json: bool, run: Method) -> Entry {
    Entry { name, scopes, json, run }
}

const METHODS: [Entry; 42] = [
    entry("api.test", &[], true, |_, _, params| Ok(json!({ "args": params.values }))),
    entry("auth.test", &[], true, auth_test),
    entry("apps.connections.open", &["connections:write"], true, open_connection),
    entry("assistant.threads.setStatus", &["assistant:write", "chat:write"], true, assistant::set_status),
    entry("assistant.threads.setSuggestedPrompts", &["assistant:write"], true, assistant::set_prompts),
    entry("assistant.threads.setTitle", &["assistant:write"], true, assistant::set_title),
    entry("bots.info", &["users:read"], false, users::bot_info),
    entry("chat.appendStream", &["chat:write"], true, stream::append),
    entry("chat.delete", &["chat:write"], true, chat::delete),
    entry("chat.getPermalink", &[], false, chat::permalink),
    entry("chat.postEphemeral", &["chat:write"], true, chat::post_ephemeral),
    entry("chat.postMessage", &["chat:write"], true, chat::post_message),
    entry("chat.startStream", &["chat:write"], true, stream::start),
    entry("chat.stopStream", &["chat:write"], true, stream::stop),
    entry("chat.unfurl", &["links:write"], true, chat::unfurl),
    entry("chat.update", &["chat:write"], true, chat::update),
    entry("conversations.history", &["*:history"], false, conversations::history),
    entry("conversations.info", &["*:read"], false, conversations::info),
    entry("conversations.join", &["channels:join"], true, conversations::join),
    entry("conversations.leave", &["channels:write"], true, conversations::leave),
    entry("conversations.list", &["channels:read", "groups:read", "im:read"], false, conversations::list),
    entry("conversations.members", &["*:read"], false, conversations::members),
    entry("conversations.open", &["im:write"], true, conversations::open),
    entry("conversations.replies", &["*:history"], false, conversations::replies),
    entry("files.completeUploadExternal", &["files:write"], true, files::complete),
    entry("files.delete", &["files:write"], true, files::delete),
    entry("files.getUploadURLExternal", &["files:write"], false, files::upload_url),
    entry("files.info", &["files:read"], false, files::info),
    entry("reactions.add", &["reactions:write"], true, reactions::add),
    entry("reactions.get", &["reactions:read"], false, reactions::get),
    entry("reactions.remove", &["reactions:write"], true, reactions::remove),
    entry("team.info", &["team:read"], false, team_info),
    entry("users.conversations", &["channels:read", "groups:read"], false, conversations::of_bot),
    entry("users.getPresence", &["users:read"], false, users::presence),
    entry("users.info", &["users:read"], false, users::info),
    entry("users.list", &["users:read"], false, users::list),
    entry("users.lookupByEmail", &["users:read.email"], false, users::by_email),
    entry("views.open", &[], true, views::open),
    entry("views.publish", &[], true, views::publish),
    entry("views.push", &[], true, views::push),
    entry("views.update", &[], true, views::update),
    entry("auth.revoke", &[], false, oauth::revoke),
];

/// Does the method take a JSON body?
pub(super) fn takes_json(method: &str) -> bool {
    method == "oauth.v2.access" || METHODS.iter().any(|entry| entry.name == method && entry.json)
}

pub(super) fn is_known(method: &str) -> bool {
    method == "oauth.v2.access" || METHODS.iter().any(|entry| entry.name == method)
}

/// Carries a method out; also who called, where that is known.
pub(super) fn call(world: &mut World, method: &str, params: &Params) -> (Option<Caller>, Answer) {
    if method == "oauth.v2.access" {
        return (None, oauth::access(world, params));
    }
    let Some(entry) = METHODS.iter().find(|entry| entry.name == method) else {
        return (None, refuse("unknown_method"));
    };
    let caller = match caller(world, params) {
        Ok(caller) => caller,
        Err(error) => return (None, Err(error)),
    };
    let answer = permitted(world, entry, &caller, params).and_then(|()| (entry.run)(world, &caller, params));
    (Some(caller), answer)
}

/// Whose token it is.
pub(super) fn caller(world: &World, params: &Params) -> Result<Caller, ApiError> {
    let Some(token) = &params.token else { return refuse("not_authed") };
    for team in world.teams.values() {
        for app in team.apps.values() {
            if let Some(kind) = kind_of(app, token)? {
                return Ok(Caller {
                    team: team.id.clone(),
                    app: app.id.clone(),
                    bot_user: app.bot_user.clone(),
                    kind,
                    scopes: if kind == TokenKind::Bot { app.scopes.clone() } else { app.app_scopes.clone() },
                });
            }
        }
    }
    refuse("invalid_auth")
}

fn kind_of(app: &App, token: &str) -> Result<Option<TokenKind>, ApiError> {
    if app.app_token == token {
        return if app.uninstalled { refuse("account_inactive") } else { Ok(Some(TokenKind::App)) };
    }
    if app.revoked.iter().any(|revoked| revoked == token) {
        return refuse(if app.uninstalled { "account_inactive" } else { "token_revoked" });
    }
    match app.tokens.iter().find(|(kept, _)| kept == token) {
        None => Ok(None),
        Some((_, Some(until))) if *until < Instant::now() => refuse("token_expired"),
        Some(_) => Ok(Some(TokenKind::Bot)),
    }
}

fn permitted(world: &World, entry: &Entry, caller: &Caller, params: &Params) -> Result<(), ApiError> {
    let for_app = entry.name == "apps.connections.open";
    let anybody = entry.name == "auth.test" || entry.name == "api.test";
    if !anybody && for_app != (caller.kind == TokenKind::App) {
        return refuse("not_allowed_token_type");
    }
    let has = |scope: &str| caller.scopes.iter().any(|kept| kept == scope);
    let needed: Vec<String> =
        entry.scopes.iter().map(|scope| of_channel(world, caller, params, scope)).collect();
    match needed.first() {
        Some(first) if !needed.iter().any(|scope| has(scope)) => {
            Err(ApiError::missing_scope(first, &caller.scopes))
        }
        _ => Ok(()),
    }
}

/// `*:history` for a direct message is `im:history`.
fn of_channel(world: &World, caller: &Caller, params: &Params, scope: &str) -> String {
    let Some(what) = scope.strip_prefix('*') else { return scope.to_owned() };
    let id = params.text("channel").unwrap_or_default();
    let channel = world.teams.get(&caller.team).and_then(|team| team.channels.get(&id));
    let kind = channel.map_or(ChannelKind::Public, |channel| channel.kind);
    format!("{}{what}", kind.scope())
}

/// The headers of every answer to a token.
pub(super) fn accepted_scopes(method: &str) -> String {
    let entry = METHODS.iter().find(|entry| entry.name == method);
    entry.map(|entry| entry.scopes.join(",")).unwrap_or_default()
}

fn auth_test(world: &mut World, caller: &Caller, _: &Params) -> Answer {
    let team = world.known(&caller.team)?;
    let app = world.app(&caller.team, &caller.app);
    let url = format!("https://{}.slack.com/", team.domain());
    if caller.kind == TokenKind::App {
        return Ok(json!({ "app_name": app.name, "app_id": app.id }));
    }
    Ok(json!({
        "url": url, "team": team.name, "user": app.name.to_lowercase(), "team_id": team.id,
        "user_id": app.bot_user, "bot_id": app.bot_id, "is_enterprise_install": false,
    }))
}

fn open_connection(world: &mut World, caller: &Caller, _: &Params) -> Answer {
    if !world.app(&caller.team, &caller.app).socket_mode {
        return refuse("socket_mode_not_enabled");
    }
    Ok(json!({ "url": world.socket_url(&caller.team, &caller.app) }))
}

fn team_info(world: &mut World, caller: &Caller, _: &Params) -> Answer {
    let team = world.known(&caller.team)?;
    Ok(
        json!({ "team": { "id": team.id, "name": team.name, "domain": team.domain(), "email_domain": "", "icon": {} } }),
    )
}

/// A page of a list that is walked with `cursor` and `limit`.
fn page(items: Vec<Value>, params: &Params, field: &str) -> Answer {
    let limit = match params.int("limit") {
        None | Some(0) => 100,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| *limit <= 1000)
            .ok_or_else(|| ApiError::new("invalid_limit"))?,
    };
    let from: usize = match params.text("cursor") {
        None => 0,
        Some(cursor) => {
            let number = cursor.strip_prefix("next:").and_then(|number| number.parse().ok());
            number.ok_or_else(|| ApiError::new("invalid_cursor"))?
        }
    };
    let more = items.len() > from + limit;
    let shown: Vec<Value> = items.into_iter().skip(from).take(limit).collect();
    let next = if more { format!("next:{}", from + limit) } else { String::new() };
    Ok(json!({ field: shown, "has_more": more, "response_metadata": { "next_cursor": next } }))
}
