//! `deskbridge erase`: a person who wrote to the desk is erased for good, by the deskbridge that serves.
//!
//! Not here: erasing (`runtime/erasure.rs`). The running program does it, because it holds what is not in the database.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use deskbridge_store::rows::TokenRow;
use deskbridge_store::{Admin, Writer};
use serde_json::Value;

use super::doctor::network::{cause, client_waiting};
use super::failure::{Failure, Outcome};
use super::token::{PREFIX, hash, random};
use super::{out, setting};
use crate::config::Config;
use crate::http::Scope;
use setting::Common;

/// How long a large database may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Who: `<channel>:<user id>`, as the console and `deskbridge export` show it
    requester: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(common: &Common, args: &Args) -> Outcome {
    let config = common.load()?;
    if !args.requester.contains(':') {
        let why = "a requester is called <channel>:<user id>";
        return Err(Failure::usage(
            format!("there is no requester {:?}", args.requester),
            why,
            "deskbridge erase slack:U123",
        ));
    }
    if !args.yes && !agreed(&args.requester)? {
        return Err(Failure::usage("nothing was erased", "it was not confirmed", "deskbridge erase … --yes"));
    }
    let secret = format!("{PREFIX}{}", random::<24>()?);
    let (id, now) = (random::<4>()?, setting::now());
    let row = TokenRow {
        id: id.clone(),
        name: "deskbridge erase".into(),
        sha256: hash(&secret),
        scopes: vec![Scope::Admin.name().into()],
        technician: None,
        created: now,
        expires: Some(now + PATIENCE),
        revoked: false,
    };
    let writer = setting::writer(setting::beside(&config).await?, &config);
    writer.admin(Admin::CreateToken(row)).await.map_err(|error| setting::failed(&error))?;
    let asked = ask(&config, &args.requester, &secret).await;
    revoke(&writer, id).await;
    let erased = asked?;
    if args.json {
        out::json(&erased);
        return Ok(());
    }
    let number = |name: &str| erased.get(name).and_then(Value::as_u64).unwrap_or_default();
    out::note(&format!(
        "Erased: {} conversations, {} messages, {} files.",
        number("conversations"),
        number("messages"),
        number("files")
    ));
    let stays = erased.get("stays").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !stays.is_empty() {
        out::note("What stays:");
        stays.iter().filter_map(Value::as_str).for_each(|what| out::note(&format!("- {what}")));
    }
    Ok(())
}

/// The token was for this alone. Where revoking fails, it is worthless in ten minutes.
async fn revoke(writer: &Writer, id: String) {
    if let Err(error) = writer.admin(Admin::RevokeToken { id }).await {
        tracing::warn!(%error, "the token for this command could not be revoked; it ends by itself");
    }
    writer.close().await;
}

fn agreed(requester: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let failed = |error| Failure::runtime("the terminal cannot be used", error, "deskbridge erase … --yes");
    eprint!("Erase everything of {requester}? It cannot be taken back. Type yes: ");
    std::io::stderr().flush().map_err(failed)?;
    let mut said = String::new();
    std::io::stdin().lock().read_line(&mut said).map_err(failed)?;
    Ok(said.trim() == "yes")
}

async fn ask(config: &Config, requester: &str, secret: &str) -> Result<Value, Failure> {
    let client = client_waiting(PATIENCE).map_err(|error| {
        Failure::runtime("the program cannot use the network", error, "deskbridge doctor")
    })?;
    let mut at = config.server.listen;
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let url = format!("http://{at}/api/v1/requesters/{}/erase", encoded(requester));
    let answer =
        client.post(url).bearer_auth(secret).json(&serde_json::json!({})).send().await.map_err(|error| {
            let what = format!("no deskbridge answers at {}", config.server.listen);
            Failure::unreachable(
                what,
                cause(&error),
                "start deskbridge serve with this configuration, then again",
            )
        })?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body.get("data").cloned().unwrap_or_default());
    }
    if status.as_u16() == 404 {
        let why = "nobody who wrote to the desk is called that";
        return Err(Failure::runtime(
            format!("there is no requester {requester:?}"),
            why,
            "look for them in the console",
        ));
    }
    let why = body
        .get("detail")
        .or_else(|| body.get("code"))
        .and_then(Value::as_str)
        .unwrap_or("no reason was given");
    Err(Failure::runtime(
        format!("not erased: {status}"),
        why,
        "look at the log of deskbridge serve, then again",
    ))
}

/// As one part of a path.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let part = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(encoded("slack:U1/../x é"), "slack%3AU1%2F..%2Fx%20%C3%A9");
    }
}
