//! Whether a desk's team lets the app read what is said in its channels without a call (RSC): as Graph tells it to an app that
//! may ask, else by what came in so far. What neither tells is not known, and said to be so.
//!
//! Not here: asking for the right (`package.rs`), noting what comes in (`references.rs`).

use deskbridge_contract::check::Check;
use deskbridge_contract::{Address, RoomId, SendError, Timestamp};
use reqwest::Method;
use serde_json::Value;

use crate::{Teams, ids};

const ID: &str = "teams.rsc";
/// "RSC permissions for Teams": all messages of the team's channels.
const READS: &str = "ChannelMessage.Read.Group";
const WITHOUT: &str =
    "technicians' words in a thread come in only with @IT Desk in front, or by the card's text box";

/// What technicians' own words in a thread of this desk depend on.
pub(crate) async fn check(teams: &Teams, desk: &RoomId) -> Check {
    match granted(teams, desk).await {
        Ok(true) => Check::pass(ID, format!("{desk}: its team gave the app the right {READS} (RSC)")),
        Ok(false) => {
            let fix = "install a package made with `deskbridge teams package --read-channels` in the team";
            Check::warn(ID, format!("{desk}: its team did not give the right {READS} (RSC)"), WITHOUT, fix)
        }
        Err(why) => match teams.references.overheard_at(desk).await {
            Ok(Some(at)) => {
                let day = day(at);
                Check::pass(
                    ID,
                    format!("{desk}: words without a call came in from its team, last on {day} (RSC)"),
                )
            }
            Ok(None) | Err(_) => Check::skip(
                ID,
                format!(
                    "{desk}: not known whether its team lets the app read its channels (RSC). {why}; and no words without a call \
                     came in so far. Write in a conversation's thread without calling the bot: where nothing comes of it, \
                     {WITHOUT}, or install a package made with --read-channels"
                ),
            ),
        },
    }
}

/// As a date.
fn day(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// The error says why it cannot be told, for people.
async fn granted(teams: &Teams, desk: &RoomId) -> Result<bool, String> {
    if ids::kind(desk.as_str()) != ids::Kind::Channel {
        return Err("It is not a channel".to_owned());
    }
    let group = group(teams, desk).await?;
    let url = teams.api.graph(&["teams", &group, "permissionGrants"]).map_err(|error| error.to_string())?;
    let told = teams.api.ask_graph(url).await.map_err(|error| {
        format!(
            "Microsoft Graph does not say it to this app ({error}); it does where an administrator gave the app's registration \
             TeamsAppInstallation.ReadForTeam.All"
        )
    })?;
    let grants = told.get("value").and_then(Value::as_array).ok_or("Microsoft Graph's answer is no list")?;
    let is_ours = |grant: &&Value| {
        let of = |key: &str| {
            grant.get(key).and_then(Value::as_str).is_some_and(|app| app == teams.api.config.app_id)
        };
        of("clientAppId") || of("clientId")
    };
    let given = grants
        .iter()
        .filter(is_ours)
        .any(|grant| grant.get("permission").and_then(Value::as_str) == Some(READS));
    match told.get("@odata.nextLink") {
        Some(_) if !given => Err("Microsoft Graph lists more rights than are looked at".to_owned()),
        _ => Ok(given),
    }
}

/// The team's group in Entra ID, by which Graph knows it; the Connector tells it ("Get the team's details").
async fn group(teams: &Teams, desk: &RoomId) -> Result<String, String> {
    let known = teams.references.room(desk).await.map_err(|error| error.to_string())?;
    // The first channel of a team has the team's own id.
    let team = known.and_then(|known| known.team).unwrap_or_else(|| desk.to_string());
    let at = Address::room(&teams.channel, desk.as_str());
    let url = teams.team(&at, &team).await.map_err(|error| error.to_string())?;
    let told = teams.api.call(Method::GET, url, None).await;
    let told = told.map_err(|error: SendError| format!("Its team could not be looked up ({error})"))?;
    let group = told.get("aadGroupId").and_then(Value::as_str).filter(|group| crate::config::is_guid(group));
    group.map(str::to_owned).ok_or_else(|| "Teams does not say which team it is of".to_owned())
}
