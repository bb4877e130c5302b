//! `views.*`: modals and Home tabs.
//! What people do with them is in `people`.

use serde_json::{Value, json};

use super::Caller;
use crate::slack::blocks;
use crate::slack::error::{Answer, ApiError, refuse};
use crate::slack::params::Params;
use crate::slack::world::World;

fn given(world: &mut World, params: &Params, kind: &str) -> Result<Value, ApiError> {
    let view = params.structured("view", "invalid_arguments")?.ok_or_else(|| ApiError::missing("view"))?;
    let view = blocks::accept_view(view, &mut world.serial)?;
    if view["type"] == kind {
        return Ok(view);
    }
    let message = format!("[ERROR] must be of type {kind} [json-pointer:/view/type]");
    Err(ApiError::explained("invalid_arguments", &[message]))
}

fn bot_id(world: &World, caller: &Caller) -> String {
    world.app(&caller.team, &caller.app).bot_id.clone()
}

pub(super) fn open(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let view = given(world, params, "modal")?;
    let user = world.take_trigger(&params.need("trigger_id")?, &caller.app)?;
    let shown = world.show_view(&caller.team, &caller.app, &user, view, None);
    Ok(json!({ "view": shown.json(&bot_id(world, caller), json!({})) }))
}

pub(super) fn push(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let view = given(world, params, "modal")?;
    let user = world.take_trigger(&params.need("trigger_id")?, &caller.app)?;
    let mine =
        world.views.values().filter(|view| view.user == user && view.app == caller.app && !view.closed);
    let open: Vec<String> = mine.map(|view| view.id.clone()).collect();
    let Some(top) = open.last() else { return refuse("not_found") };
    if open.len() >= 3 {
        return refuse("push_limit_reached");
    }
    let shown = world.show_view(&caller.team, &caller.app, &user, view, Some(top));
    Ok(json!({ "view": shown.json(&bot_id(world, caller), json!({})) }))
}

pub(super) fn update(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let view = given(world, params, "modal")?;
    let external = params.text("external_id");
    let id = params.text("view_id").or_else(|| {
        let same = world.views.values().find(|view| view.view["external_id"].as_str() == external.as_deref());
        external.as_ref().and(same.map(|view| view.id.clone()))
    });
    let hash = world.fresh("h");
    let bot_id = bot_id(world, caller);
    let found =
        id.and_then(|id| world.views.get_mut(&id)).filter(|view| view.app == caller.app && !view.closed);
    let Some(open) = found else { return refuse("not_found") };
    if params.text("hash").is_some_and(|given| given != open.hash) {
        return refuse("hash_conflict");
    }
    (open.view, open.hash) = (view, hash);
    Ok(json!({ "view": open.json(&bot_id, json!({})) }))
}

pub(super) fn publish(world: &mut World, caller: &Caller, params: &Params) -> Answer {
    let user = params.need("user_id")?;
    let view = given(world, params, "home")?;
    if !world.known(&caller.team)?.users.contains_key(&user) {
        return refuse("user_not_found");
    }
    let key = (caller.team.clone(), caller.app.clone(), user);
    let old = world.homes.get(&key).and_then(|home| home["hash"].as_str()).map(str::to_owned);
    if params.text("hash").is_some_and(|given| old.is_some_and(|old| old != given)) {
        return refuse("hash_conflict");
    }
    let mut home = view;
    home["id"] = json!(world.fresh("V"));
    home["hash"] = json!(world.fresh("h"));
    home["bot_id"] = json!(bot_id(world, caller));
    home["app_id"] = json!(caller.app);
    home["team_id"] = json!(caller.team);
    world.homes.insert(key, home.clone());
    Ok(json!({ "view": home }))
}
