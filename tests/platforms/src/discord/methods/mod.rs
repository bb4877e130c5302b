//! The HTTP API by its operations, named as in the published description: which there are, and who may call them.
//! What they do is in the files beside this one; how calls come in is in `serve`.

mod channels;
mod commands;
mod gateway;
mod guilds;
mod interactions;
mod messages;
mod reactions;
mod threads;
mod users;
mod webhooks;

use super::error::{Answer, ApiError};
use super::params::{Params, PathParts};
use super::snowflake::Snowflake;
use super::world::World;

/// Whose token it is; of a call that needs none, nobody's.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Caller {
    pub app: Snowflake,
    pub bot: Snowflake,
}

type Act = fn(&mut World, Caller, &Params) -> Answer;

/// One line of the table of operations.
pub(super) struct Method {
    verb: &'static str,
    path: &'static str,
    pub operation: &'static str,
    act: Act,
}

impl Method {
    /// A secret in the path stands for a token.
    fn is_open(&self) -> bool {
        self.path.contains("_token}")
    }
}

const fn method(verb: &'static str, path: &'static str, operation: &'static str, act: Act) -> Method {
    Method { verb, path, operation, act }
}

const GROUPS: [&[Method]; 10] = [
    messages::METHODS,
    threads::METHODS,
    channels::METHODS,
    guilds::METHODS,
    users::METHODS,
    gateway::METHODS,
    reactions::METHODS,
    webhooks::METHODS,
    interactions::METHODS,
    commands::METHODS,
];

/// Verb, path and name of every operation that the fake knows.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    GROUPS.into_iter().flatten().map(|method| (method.verb, method.path, method.operation))
}

/// The parts of a path that vary, when it is of this form.
fn fit(form: &'static str, path: &str) -> Option<PathParts> {
    let (mut wanted, mut given) = (form.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(parts),
            (Some(step), Some(text)) => match step.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                // `@me` and the like are other operations.
                Some(name) if !text.is_empty() && (!text.starts_with('@') || name == "emoji_name") => {
                    parts.push((name, text.to_owned()));
                }
                None if step == text => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// What a request means; `None` with `true` when the path is known under another verb.
pub(super) fn find(verb: &str, path: &str) -> Result<(&'static Method, PathParts), bool> {
    let mut known = false;
    for method in GROUPS.into_iter().flatten() {
        if let Some(parts) = fit(method.path, path) {
            if method.verb == verb {
                return Ok((method, parts));
            }
            known = true;
        }
    }
    Err(known)
}

/// Carries a call out.
pub(super) fn call(world: &mut World, method: &Method, params: &Params) -> Answer {
    let caller = if method.is_open() { Caller::default() } else { caller(world, params)? };
    (method.act)(world, caller, params)
}

/// # Errors
/// 401 for a token that is none.
pub(super) fn caller(world: &World, params: &Params) -> Result<Caller, ApiError> {
    let token = params.token.as_deref();
    let app = world.apps.values().find(|app| Some(app.token.as_str()) == token);
    app.map(|app| Caller { app: app.id, bot: app.bot }).ok_or_else(ApiError::unauthorized)
}

/// What a call's bucket is told apart by: channel, server, or webhook with its token.
pub(super) fn major(params: &Params) -> String {
    let names = ["channel_id", "guild_id", "webhook_id", "webhook_token"];
    names.map(|name| params.at(name)).join("/")
}
