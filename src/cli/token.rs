//! `deskbridge token`: keys to the API. A token is shown once; only its SHA-256 is stored.
//!
//! Not here: what a scope allows (`http`).

use clap::builder::PossibleValuesParser;
use deskbridge_conversation::TechnicianId;
use deskbridge_conversation::policy::Role;
use deskbridge_store::Admin;
use deskbridge_store::rows::TokenRow;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::failure::{Failure, Outcome};
use super::out;
use super::setting::{self, Common};
use crate::config::{Config, Technician, nearest, parse_time};
use crate::http::Scope;

/// What every token begins with, so that people and scanners know one.
pub const PREFIX: &str = "dbp_";

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Make a token and print it; it cannot be shown again
    Create(Create),
    /// List tokens, without what they are
    List(List),
    /// Make a token worthless at once
    Revoke(Revoke),
}

#[derive(clap::Args, Debug)]
pub struct Create {
    /// What it is for, so that it can be told from others
    #[arg(long)]
    name: String,
    /// What it allows; may be given several times
    #[arg(long = "scope", required = true, value_parser = scopes())]
    scopes: Vec<String>,
    /// The technician on whose behalf it acts
    #[arg(long, value_name = "ID")]
    technician: Option<String>,
    /// How long it is good for, like 90d [default: until revoked]
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<std::time::Duration>,
}

#[derive(clap::Args, Debug)]
pub struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Revoke {
    /// The id that `token list` shows
    id: String,
}

/// A token as listed; its hash is nobody's business either.
#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    scopes: Vec<String>,
    technician: Option<String>,
    created: String,
    expires: Option<String>,
    state: &'static str,
}

pub async fn run(common: &Common, command: &Command) -> Outcome {
    let config = common.load()?;
    match command {
        Command::Create(args) => create(&config, args).await,
        Command::List(args) => list(&config, args).await,
        Command::Revoke(args) => revoke(&config, args).await,
    }
}

fn scopes() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.map(Scope::name))
}

fn time(text: &str) -> Result<std::time::Duration, String> {
    parse_time(text).filter(|time| !time.is_zero()).ok_or_else(|| "expected a time like 90d or 12h".into())
}

async fn create(config: &Config, args: &Create) -> Outcome {
    let technician = args.technician.as_deref().map(|id| known(config, id)).transpose()?;
    let technician = technician.map(|technician| allowed(technician, &args.scopes)).transpose()?;
    let (token, id) = (format!("{PREFIX}{}", random::<24>()?), random::<4>()?);
    let now = setting::now();
    let row = TokenRow {
        id: id.clone(),
        name: args.name.clone(),
        sha256: hash(&token),
        scopes: args.scopes.clone(),
        technician,
        created: now,
        expires: args.expires.map(|time| now + time),
        revoked: false,
    };
    let writer = setting::writer(setting::beside(config).await?, config);
    let done = writer.admin(Admin::CreateToken(row)).await;
    let act = format!("token {id} ({}) created on the command line", args.name);
    let audited = writer.admin(Admin::Audit { by: None, act, conversation: None }).await;
    writer.close().await;
    done.and(audited).map_err(|error| setting::failed(&error))?;
    out::line(&token);
    out::note(&format!(
        "Token {id} ({}). It is not shown again; to undo: deskbridge token revoke {id}",
        args.name
    ));
    Ok(())
}

/// The technician, if the configuration has them.
fn known<'c>(config: &'c Config, id: &str) -> Result<&'c Technician, Failure> {
    if let Some(technician) = config.technicians.iter().find(|technician| technician.id.as_str() == id) {
        return Ok(technician);
    }
    let near = nearest(id, config.technicians.iter().map(|technician| technician.id.as_str()));
    let next =
        near.map_or_else(|| "add them under [[technicians]]".into(), |near| format!("--technician {near}"));
    Err(Failure::usage(
        format!("there is no technician {id:?}"),
        "the configuration names none with this id",
        next,
    ))
}

/// The API gives nobody more than their role (S73); a token that could never be used is not made.
fn allowed(technician: &Technician, scopes: &[String]) -> Result<TechnicianId, Failure> {
    if technician.role != Role::Admin && scopes.iter().any(|scope| scope == Scope::Admin.name()) {
        let what = format!("{} cannot have a token for admin", technician.name);
        let next = "set role = \"admin\" for them, or leave --technician out";
        return Err(Failure::usage(what, "a token gives nobody more than their role", next));
    }
    Ok(technician.id.clone())
}

/// What is stored of a token.
pub(super) fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// `BYTES` random bytes in hexadecimal, from the system.
pub(super) fn random<const BYTES: usize>() -> Result<String, Failure> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::runtime("the system gives no random numbers", error, ""))?;
    Ok(hex::encode(bytes))
}

async fn list(config: &Config, args: &List) -> Outcome {
    let (read, _) = setting::look(config).await?;
    let tokens = read.tokens().await.map_err(|error| setting::failed(&error))?;
    let listed: Vec<Listed> = tokens.into_iter().map(listed).collect();
    if args.json {
        out::json(&listed);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = listed
        .into_iter()
        .map(|one| {
            let technician = one.technician.unwrap_or_else(|| "–".into());
            let expires = one.expires.unwrap_or_else(|| "–".into());
            vec![one.id, one.name, one.scopes.join(" "), technician, one.created, expires, one.state.into()]
        })
        .collect();
    out::data(&out::table(&["ID", "NAME", "SCOPES", "TECHNICIAN", "CREATED", "EXPIRES", "STATE"], &rows));
    Ok(())
}

fn listed(row: TokenRow) -> Listed {
    let date = |at: deskbridge_contract::Timestamp| {
        jiff::Timestamp::from_microsecond(at.0)
            .map(|at| at.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default()
    };
    let state = match row.expires {
        _ if row.revoked => "revoked",
        Some(at) if at <= setting::now() => "expired",
        Some(_) | None => "good",
    };
    Listed {
        id: row.id,
        name: row.name,
        scopes: row.scopes,
        technician: row.technician.map(|technician| technician.0),
        created: date(row.created),
        expires: row.expires.map(date),
        state,
    }
}

async fn revoke(config: &Config, args: &Revoke) -> Outcome {
    let opened = setting::beside(config).await?;
    let tokens = opened.read.tokens().await.map_err(|error| setting::failed(&error))?;
    if !tokens.iter().any(|token| token.id == args.id) {
        let why = "no token has this id";
        return Err(Failure::runtime(
            format!("there is no token {:?}", args.id),
            why,
            "deskbridge token list",
        ));
    }
    let writer = setting::writer(opened, config);
    let done = writer.admin(Admin::RevokeToken { id: args.id.clone() }).await;
    let act = format!("token {} revoked on the command line", args.id);
    let audited = writer.admin(Admin::Audit { by: None, act, conversation: None }).await;
    writer.close().await;
    done.and(audited).map_err(|error| setting::failed(&error))?;
    out::note(&format!("Token {} is worthless now.", args.id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert!(time("90d").is_ok() && time("0").is_err() && time("soon").is_err());
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (a, b) = (random::<24>().unwrap(), random::<24>().unwrap());
        assert_eq!(a.len(), 48);
        assert_ne!(a, b);
        assert_eq!(crate::telemetry::redact(&format!("{PREFIX}{a}")), "(secret)");
    }
}
