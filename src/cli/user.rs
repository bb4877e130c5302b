//! `deskbridge user`: who can sign in to the console, and a one-time link for those who cannot (any more).
//!
//! Not here: signing in (`http`), who is a technician (the configuration).

use deskbridge_conversation::TechnicianId;
use deskbridge_store::rows::AccountRow;
use deskbridge_store::{Admin, Opened};
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::out;
use super::setting::{self, Common};
use crate::app::settings::Settings;
use crate::config::{Config, nearest};
use crate::http::api::{bound, first_link, forget_factors as forget_factors_of, link_for};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// List the technicians and their accounts
    List(List),
    /// Print a one-time link by which a password is chosen; it ends nothing until it is used
    LoginLink(LoginLink),
    /// Give up all second factors, because the key that they are sealed with is lost; stop `serve` first
    ForgetFactors(ForgetFactors),
}

#[derive(clap::Args, Debug)]
pub struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
pub struct LoginLink {
    /// The technician's id; without one: the link that makes the first admin
    technician: Option<String>,
}

#[derive(clap::Args, Debug)]
pub struct ForgetFactors {
    /// Do it
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    role: String,
    login: Option<String>,
    account: &'static str,
}

pub async fn run(common: &Common, command: &Command) -> Outcome {
    let config = common.load()?;
    match command {
        Command::List(args) => list(&config, args).await,
        Command::LoginLink(args) => login_link(&config, args).await,
        Command::ForgetFactors(args) => forget_factors(&config, args).await,
    }
}

/// With the technicians that the console has added.
async fn opened(config: &Config) -> Result<(Opened, std::sync::Arc<Config>), Failure> {
    let opened = setting::beside(config).await?;
    let settings =
        Settings::open(config, opened.read.as_ref()).await.map_err(|error| setting::failed(&error))?;
    Ok((opened, settings.current()))
}

async fn list(config: &Config, args: &List) -> Outcome {
    let (Opened { read, .. }, config) = opened(config).await?;
    let accounts = read.accounts().await.map_err(|error| setting::failed(&error))?;
    let bound = match config.oidc {
        Some(_) => bound(read.as_ref()).await.map_err(|error| setting::failed(&error))?,
        None => Vec::new(),
    };
    let listed: Vec<Listed> = config
        .technicians
        .iter()
        .map(|one| {
            let account = accounts.iter().find(|account| account.technician == one.id);
            let role = format!("{:?}", one.role).to_lowercase();
            let login = account.map(|account| account.login.clone());
            Listed {
                id: one.id.0.clone(),
                name: one.name.clone(),
                role,
                login,
                account: state(account, bound.contains(&one.id)),
            }
        })
        .collect();
    if args.json {
        out::json(&listed);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = listed
        .into_iter()
        .map(|one| {
            vec![one.id, one.name, one.role, one.login.unwrap_or_else(|| "–".into()), one.account.into()]
        })
        .collect();
    out::data(&out::table(&["ID", "NAME", "ROLE", "SIGNS IN AS", "ACCOUNT"], &rows));
    Ok(())
}

/// `is_bound`: signs in by the company's provider.
fn state(account: Option<&AccountRow>, is_bound: bool) -> &'static str {
    match account {
        None => "none",
        Some(account) if account.disabled => "disabled",
        Some(account) if account.password.is_none() && !is_bound => "invited",
        Some(_) => "active",
    }
}

async fn login_link(config: &Config, args: &LoginLink) -> Outcome {
    let (opened, live) = opened(config).await?;
    let technician = args.technician.as_deref().map(|id| known(&live, id)).transpose()?;
    let read = opened.read.clone();
    let writer = setting::writer(opened, config);
    let made = match &technician {
        Some(technician) => link_for(&writer, setting::now(), technician.clone()).await.map(Some),
        None => {
            let policy = live.oidc.as_ref().map(|_| live.policy());
            first_link(read.as_ref(), &writer, setting::now(), policy.as_ref()).await
        }
    };
    let whose = technician.as_ref().map_or("the first admin", TechnicianId::as_str);
    let act = format!("one-time link for {whose} made on the command line");
    let audited = writer.admin(Admin::Audit { by: None, act, conversation: None }).await;
    writer.close().await;
    let link = made.map_err(|error| setting::failed(&error))?;
    audited.map_err(|error| setting::failed(&error))?;
    let Some(link) = link else {
        let why = "somebody can sign in already";
        return Err(Failure::runtime(
            "there is no first admin to make",
            why,
            "deskbridge user login-link ID",
        ));
    };
    let at = config.server.public_url.clone().unwrap_or_else(|| format!("http://{}", config.server.listen));
    out::line(&format!("{at}{link}"));
    out::note("Good once. Open it while deskbridge serve runs.");
    Ok(())
}

/// Everybody signs in with the password alone from then on, until they set up another.
async fn forget_factors(config: &Config, args: &ForgetFactors) -> Outcome {
    if !args.yes {
        let why = "everybody would sign in with the password alone, until they set up another";
        return Err(Failure::usage("nothing was forgotten", why, "deskbridge user forget-factors --yes"));
    }
    let (opened, _) = opened(config).await?;
    let read = opened.read.clone();
    let writer = setting::writer(opened, config);
    let forgotten = forget_factors_of(read.as_ref(), &writer).await;
    writer.close().await;
    let forgotten = forgotten.map_err(|error| setting::failed(&error))?;
    out::note(&format!(
        "Second factors taken away: {}. The next start takes the key that is there.",
        forgotten.len()
    ));
    Ok(())
}

fn known(config: &Config, id: &str) -> Result<TechnicianId, Failure> {
    let all = || config.technicians.iter().map(|technician| technician.id.as_str());
    if all().any(|one| one == id) {
        return Ok(TechnicianId::from(id));
    }
    let next = nearest(id, all())
        .map_or_else(|| "deskbridge user list".into(), |near| format!("deskbridge user login-link {near}"));
    Err(Failure::usage(format!("there is no technician {id:?}"), "nobody has this id", next))
}
