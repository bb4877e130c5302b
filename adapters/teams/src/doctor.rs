//! Live checks of what is known to go wrong with a bot in Teams. Changes nothing there.
//!
//! Not here: the keys' form (`config.rs`).

use deskbridge_contract::check::{Check, Outcome};
use deskbridge_contract::{Address, RoomId, SendError};
use reqwest::Method;
use url::Url;

use crate::{Teams, config, ids, keys, package, rights};

pub(crate) async fn examine(teams: &Teams, desks: &[RoomId]) -> Vec<Check> {
    let mut checks = vec![address(teams)];
    checks.extend(endpoint(teams).await);
    checks.extend([keys(teams).await, zip(teams)]);
    let credentials = credentials(teams).await;
    let usable = credentials.outcome == Outcome::Pass;
    checks.push(credentials);
    for desk in desks.iter().filter(|_| usable) {
        checks.push(room(teams, desk).await);
        checks.push(rights::check(teams, desk).await);
    }
    if desks.is_empty() {
        let why = "there is no desk in Teams: no right to read a channel (RSC) is needed";
        checks.push(Check::skip("teams.rsc", why));
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
            Check::pass(id, format!("the bot's messaging endpoint must be {}", hook(teams, url)))
        }
        Some(_) => Check::fail(id, "server.public_url is not public https", "Teams cannot reach it", fix),
        None => Check::warn(id, "server.public_url is not set", "files can only be named", fix),
    }
}

fn hook(teams: &Teams, public_url: &Url) -> Url {
    let mut hook = public_url.clone();
    if let Ok(mut segments) = hook.path_segments_mut() {
        segments.pop_if_empty().push("hooks").push(teams.channel.as_str());
    }
    hook
}

/// Whether the messaging endpoint is this deskbridge's: it refuses what has no token.
async fn endpoint(teams: &Teams) -> Option<Check> {
    let id = "teams.endpoint";
    let hook = hook(teams, teams.api.config.public_url.as_ref()?);
    let why = "Teams would get no further either";
    Some(match teams.api.knock(&hook).await {
        Ok(401) => Check::pass(id, format!("{hook} answers, and refuses what has no token")),
        // Development takes what comes from here, and finds nothing in it.
        Ok(200..=299) if teams.api.config.development => Check::pass(id, format!("{hook} answers")),
        Ok(404) => {
            let fix = "start deskbridge with this channel, and let the proxy pass /hooks/ on to it";
            Check::fail(id, format!("{hook} is not found"), why, fix)
        }
        Ok(status) => {
            let fix =
                "let the proxy pass /hooks/ on to deskbridge, as it is and without a sign-in of its own";
            Check::fail(id, format!("{hook} answers {status}, and not as deskbridge does"), why, fix)
        }
        Err(error) => {
            let fix = "start deskbridge, and look at the name, the certificate and the proxy of server.public_url; \
                some networks let nobody reach their own public address from inside";
            Check::warn(id, format!("{hook} cannot be reached from here: {error}"), why, fix)
        }
    })
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
    let fix = "app_id must be the bot's application id, and server.public_url an https address";
    let why = "the app cannot be uploaded to Teams";
    let rights = package::Rights { channels: true, receipts: true };
    let site = config.public_url.as_ref().map(Url::as_str);
    let made = package::package(&config.app_id, "IT Desk", site, rights);
    match made.map_err(|error| vec![error.to_string()]).and_then(|zip| package::examine(&zip)) {
        Ok(contents) => {
            let asks = contents.permissions.join(", ");
            Check::pass(
                id,
                format!("the app package is good, for app {}; at most it asks for {asks}", contents.app_id),
            )
        }
        Err(faults) => Check::warn(id, faults.join("; "), why, fix),
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
