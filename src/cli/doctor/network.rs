//! The network: does our public address lead here, and does our clock agree with the platforms'?
//!
//! Not here: whether tokens work (the adapters' doctors).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::config::Config;
use crate::kits::{self, Check};

const PATIENCE: Duration = Duration::from_secs(5);
/// Beyond this, signed requests are refused; a second or two is nothing.
const SKEW: i64 = 60;
const SLIGHT: i64 = 5;

pub async fn checks(config: &Config) -> Vec<Check> {
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            return vec![Check::fail(
                "net.client",
                error.to_string(),
                "nothing can be reached",
                "report this",
            )];
        }
    };
    let mut checks = vec![public(config, &client).await];
    checks.extend(skew(config, &client).await);
    checks
}

pub fn client() -> reqwest::Result<reqwest::Client> {
    client_waiting(PATIENCE)
}

pub fn client_waiting(patience: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().timeout(patience).redirect(reqwest::redirect::Policy::none()).build()
}

async fn public(config: &Config, client: &reqwest::Client) -> Check {
    const ID: &str = "net.public_url";
    let Some(url) = &config.server.public_url else {
        return Check::skip(ID, "server.public_url is not set; polling needs none");
    };
    match client.get(format!("{url}/healthz")).send().await {
        Ok(answer) if answer.status().is_success() => Check::pass(ID, format!("{url} leads to deskbridge")),
        Ok(answer) => Check::warn(
            ID,
            format!("{url}/healthz answered {}", answer.status()),
            "something else answers there; webhooks and links lead to it",
            "start deskbridge serve, and pass everything below this address on to it",
        ),
        Err(error) => Check::warn(
            ID,
            format!("{url} cannot be reached from here: {}", cause(&error)),
            "webhooks and links lead there",
            "start deskbridge serve, and check DNS, the certificate and the proxy",
        ),
    }
}

/// The last cause says most, and holds no address.
pub fn cause(error: &reqwest::Error) -> String {
    let mut said: &dyn std::error::Error = error;
    while let Some(below) = said.source() {
        said = below;
    }
    crate::telemetry::redact(&said.to_string()).into_owned()
}

/// Our clock against the first platform that says the time.
async fn skew(config: &Config, client: &reqwest::Client) -> Option<Check> {
    const ID: &str = "clock.skew";
    let channel = config.channels.values().next()?;
    let base =
        channel.own.text("api_base").or_else(|| kits::find(channel.adapter).map(|kit| kit.api_base))?;
    let before = Timestamp::now();
    let answer = client.head(base).send().await.ok();
    let date = answer.as_ref().and_then(|answer| answer.headers().get(reqwest::header::DATE)?.to_str().ok());
    let Some(theirs) = date.and_then(|date| rfc2822::parse(date).ok()) else {
        return Some(Check::skip(ID, format!("{base} does not say the time, or cannot be reached")));
    };
    let took = before.duration_until(Timestamp::now());
    let behind = before.duration_until(theirs.timestamp()).as_secs();
    // Their clock is of some moment while we waited, cut to seconds.
    let off = if behind > 0 { (behind - took.as_secs()).max(0) } else { behind };
    let said = format!("{} s {} {base}", off.abs(), if off > 0 { "behind" } else { "ahead of" });
    let fix = "let the system set the clock: timedatectl set-ntp true";
    Some(match off.abs() {
        off if off > SKEW => Check::fail(ID, said, "signatures and certificates are refused", fix),
        off if off > SLIGHT => Check::warn(ID, said, "beyond 60 s signatures are refused", fix),
        _ => Check::pass(ID, format!("agrees with {base}")),
    })
}
