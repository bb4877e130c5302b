//! `users.*` and `bots.info`.
//! Who people are is in `team`.

use serde_json::{Value, json};

use super::{Caller, page};
use crate::slack::error::{Answer, ApiError};
use crate::slack::params::Params;
use crate::slack::team::User;
use crate::slack::world::World;

fn sees_email(caller: &Caller) -> bool {
    caller.scopes.iter().any(|scope| scope == "users:read.email")
}

fn known<'w>(world: &'w World, caller: &Caller, params: &Params) -> Result<&'w User, ApiError> {
    let id = params.text("user").unwrap_or_default();
    world.known(&caller.team)?.users.get(&id).ok_or_else(|| ApiError::new("user_not_found"))
}

pub(super) fn info(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let user = known(world, caller, params)?;
    let mut shown = user.json(&caller.team, sees_email(caller));
    if !params.flag("include_locale")
        && let Some(fields) = shown.as_object_mut()
    {
        fields.remove("locale");
    }
    Ok(json!({ "user": shown }))
}

pub(super) fn by_email(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let email = params.need("email")?;
    let users = world.known(&caller.team)?.users.values();
    let same = |user: &&User| {
        !user.deleted && user.email.as_ref().is_some_and(|kept| kept.eq_ignore_ascii_case(&email))
    };
    let user =
        users.filter(|user| !user.is_bot()).find(same).ok_or_else(|| ApiError::new("users_not_found"))?;
    Ok(json!({ "user": user.json(&caller.team, true) }))
}

pub(super) fn list(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let users = world.known(&caller.team)?.users.values();
    let shown: Vec<Value> = users.map(|user| user.json(&caller.team, sees_email(caller))).collect();
    page(shown, params, "members")
}

pub(super) fn presence(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let active = known(world, caller, params)?.active;
    Ok(json!({ "presence": if active { "active" } else { "away" } }))
}

pub(super) fn bot_info(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let id = params.text("bot").unwrap_or_default();
    let app = world.known(&caller.team)?.apps.values().find(|app| app.bot_id == id);
    let app = app.ok_or_else(|| ApiError::new("bot_not_found"))?;
    Ok(json!({ "bot": {
        "id": app.bot_id, "deleted": false, "name": app.name, "updated": 1_700_000_000, "app_id": app.id,
        "user_id": app.bot_user, "icons": {},
    } }))
}
