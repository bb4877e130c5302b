//! Live checks of what is known to go wrong with a bot in Teams. Changes nothing there.
//!
//! Not here: the keys' form (`config.rs`).

use deskbridge_contract::check::{Check, Outcome};
use deskbridge_contract::{Address, RoomId, SendError};
use reqwest::Method;
use url::Url;

use crate::{Teams, config, ids, keys, package};

pub(crate) async fn examine(teams: &Teams, desks: &[RoomId]) -> Vec<Check> {
    let mut checks = vec![address(teams)];
    if let Some(hook) = hook(teams) {
        checks.push(endpoint(teams, &hook).await);
    }
    checks.extend([keys(teams).await, zip(teams), reading()]);
    let credentials = credentials(teams).await;
    let usable = credentials.outcome == Outcome::Pass;
    checks.push(credentials);
    for desk in desks.iter().filter(|_| usable) {
        checks.push(room(teams, desk).await);
    }
    checks
}

fn address(teams: &Teams) -> Check {
    let id = "teams.address";
    let config = &teams.api.config;
    if config.development {
        let why = "unsigned events are taken from this machine";
        return Check::warn(id, "development is on", why, "remove `development` before people use it");
    }
    let fix =
        "set server.public_url to an https address and the bot's messaging endpoint to …/hooks/<channel>";
    match &config.public_url {
        Some(url) if url.scheme() == "https" && !config::is_loopback(url) => {
            let hook = hook(teams).map(String::from).unwrap_or_default();
            Check::pass(id, format!("the bot's messaging endpoint must be {hook}"))
        }
        Some(_) => Check::fail(id, "server.public_url is not public https", "Teams cannot reach it", fix),
        None => Check::warn(id, "server.public_url is not set", "files can only be named", fix),
    }
}

/// Where Teams brings events.
fn hook(teams: &Teams) -> Option<Url> {
    let mut hook = teams.api.config.public_url.clone()?;
    hook.path_segments_mut().ok()?.pop_if_empty().push("hooks").push(teams.channel.as_str());
    Some(hook)
}

/// Whether it is deskbridge that answers there. Seen from this machine: Teams comes from elsewhere.
async fn endpoint(teams: &Teams, hook: &Url) -> Check {
    let id = "teams.endpoint";
    let why = "what people write does not arrive";
    if teams.api.config.development {
        return Check::skip(id, "not looked at: development is on");
    }
    match teams.api.knock(hook).await {
        Ok(401 | 403) => Check::pass(id, format!("{hook} answers, and refuses what is not signed")),
        Ok(status) => {
            let fix = "let the proxy pass /hooks/ on to deskbridge, and start it (`deskbridge serve`)";
            Check::warn(id, format!("{hook} answers {status} to a call without a token, not 401"), why, fix)
        }
        Err(error) => {
            let fix = "start deskbridge, and open its https address; seen from inside this may be no fault";
            Check::warn(id, format!("{hook} was not reached from this machine: {error}"), why, fix)
        }
    }
}

/// Teams tells nobody which rights an installed app was given: that shows when a message comes without a call.
fn reading() -> Check {
    let seen = "whether threads are read without a call (RSC) shows in the channel's health, once somebody wrote in one";
    Check::skip("teams.reading", seen)
}

async fn keys(teams: &Teams) -> Check {
    let id = "teams.keys";
    match keys::fetch(&teams.api).await {
        Ok(keys) if keys.iter().any(|key| key.endorsements.iter().any(|channel| channel == "msteams")) => {
            Check::pass(id, format!("{} keys of the Bot Connector", keys.len()))
        }
        Ok(_) => {
            let why = "every event would be refused";
            Check::fail(id, "no key is endorsed for Teams", why, "look at openid_url and jwks_url")
        }
        Err(error) => {
            let why = "events cannot be told from forgeries, and are not taken";
            Check::fail(id, error.to_string(), why, "let this machine reach login.botframework.com")
        }
    }
}

async fn credentials(teams: &Teams) -> Check {
    let id = "teams.credentials";
    match teams.api.token(None).await {
        Ok(_) => Check::pass(id, "Entra ID gives a token"),
        Err(SendError::Unauthorized { why }) => {
            let fix = "check app_id and tenant, and make a new client secret in Entra ID";
            Check::fail(id, why, "nothing can be sent", fix)
        }
        Err(error) => {
            let fix = "let this machine reach login.microsoftonline.com";
            Check::fail(id, error.to_string(), "nothing can be sent", fix)
        }
    }
}

fn zip(teams: &Teams) -> Check {
    let id = "teams.package";
    let config = &teams.api.config;
    match package::package(&config.app_id, "IT Desk", config.public_url.as_ref().map(Url::as_str), true) {
        Ok(zip) => Check::pass(id, format!("the app package can be made ({} bytes)", zip.len())),
        Err(error) => {
            let fix = "app_id must be the bot's application id";
            Check::warn(id, error.to_string(), "the app cannot be uploaded to Teams", fix)
        }
    }
}

/// Whether the app is installed in the desk's team.
async fn room(teams: &Teams, desk: &RoomId) -> Check {
    let id = "teams.desk";
    if ids::kind(desk.as_str()) != ids::Kind::Channel {
        let why = "a desk needs threads";
        let fix = "copy the link of a standard channel: its id is the part 19:…@thread.tacv2";
        return Check::fail(id, format!("{desk} is not a channel"), why, fix);
    }
    let at = Address::room(&teams.channel, desk.as_str());
    let url = match teams.conversations(&at, &[desk.as_str(), "members"]).await {
        Ok(url) => url,
        Err(error) => return Check::fail(id, error.to_string(), "technicians see nothing", ""),
    };
    match teams.api.call(Method::GET, url, None).await {
        Ok(members) => Check::pass(id, format!("{desk}: {} members", members.as_array().map_or(0, Vec::len))),
        Err(SendError::Gone { why }) => {
            let fix = "install the app in the team (`deskbridge teams package`), in a standard channel";
            Check::fail(id, format!("{desk}: {why}"), "technicians see nothing", fix)
        }
        Err(error) => Check::warn(id, format!("{desk}: {error}"), "the desk could not be looked at", ""),
    }
}
