//! `deskbridge init`: a configuration to start from, with its secrets in files of their own.
//!
//! Not here: the text of the configuration (`config/example.rs`), what an adapter needs (its kit).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::failure::{Failure, Outcome};
use super::out;
use super::setting::environment;
use crate::config::Config;
use crate::config::example::{self, Start, quoted};
use crate::kits::{self, Answer, Ask, KITS, Kit};

const FILE: &str = "deskbridge.toml";
const SECRETS: &str = "secrets";
/// Seals what is secret in the database.
const STORE_KEY: &str = "store-key";
const PUBLIC_URL: &str = "server.public_url";

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The folder to write to
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// Ask nothing: take the answers from --set and --from-env, and defaults for the rest
    #[arg(long)]
    non_interactive: bool,
    /// Take answers, secrets too, from variables like DESKBRIDGE__CHANNELS__WIDGET__ORIGINS
    #[arg(long)]
    from_env: bool,
    /// A channel to enable; may be given several times [default: every one that nothing is missing for]
    #[arg(long = "channel", value_name = "NAME", value_parser = channel)]
    channels: Vec<&'static str>,
    /// An answer that is no secret, like widget.origins=https://portal.example.com
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = answer)]
    answers: Vec<(String, String)>,
    /// Write over what is there; keys that were made before are kept
    #[arg(long)]
    force: bool,
    /// Say what was written as JSON
    #[arg(long)]
    json: bool,
}

/// What was done, for programs. Nothing of a secret but where it is.
#[derive(Serialize)]
struct Report {
    config: PathBuf,
    channels: Vec<&'static str>,
    secrets: Vec<Written>,
}

#[derive(Serialize)]
struct Written {
    path: PathBuf,
    /// It was there, and another one would lock people out.
    kept: bool,
}

fn channel(name: &str) -> Result<&'static str, String> {
    let known = || KITS.iter().map(|kit| kit.name).collect::<Vec<_>>().join(", ");
    KITS.iter().find(|kit| kit.name == name).map(|kit| kit.name).ok_or_else(|| format!("known: {}", known()))
}

fn answer(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    if key == PUBLIC_URL {
        return Ok((key.to_owned(), value.to_owned()));
    }
    let ask = key
        .split_once('.')
        .and_then(|(kit, key)| kits::find(kit).and_then(|kit| kit.asks.iter().find(|ask| ask.key == key)));
    match ask.map(|ask| ask.answer) {
        Some(Answer::Optional | Answer::Several(_)) => Ok((key.to_owned(), value.to_owned())),
        Some(Answer::Secret | Answer::Random) => {
            Err("a secret, which others could read on the command line; use --from-env, or answer when asked"
                .into())
        }
        None => Err("unknown key".into()),
    }
}

/// What is known, by `<channel>.<key>`.
type Known = BTreeMap<String, String>;

/// A file with one secret.
struct Kept {
    name: String,
    value: SecretString,
    /// Nobody could type it again.
    random: bool,
}

pub fn run(args: &Args) -> Outcome {
    let taken = args.dir.join(FILE);
    if taken.exists() && !args.force {
        return Err(already(&taken));
    }
    let mut known: Known = if args.from_env { from_environment()? } else { Known::new() };
    known.extend(args.answers.iter().cloned());
    let mut chosen = args.channels.clone();
    if args.non_interactive {
        if chosen.is_empty() {
            chosen = KITS.iter().filter(|kit| missing(kit, &known).is_none()).map(|kit| kit.name).collect();
        }
    } else {
        ask_all(&mut known, &mut chosen)?;
    }
    for kit in KITS.iter().filter(|kit| chosen.contains(&kit.name)) {
        if let Some(ask) = missing(kit, &known) {
            let variable = variable(kit.name, ask.key);
            let next = format!(
                "set {variable} or {variable}_FILE, then: deskbridge init --non-interactive --from-env"
            );
            return Err(Failure::usage(format!("{} needs {}", kit.name, ask.key), ask.says, next));
        }
    }
    let (start, secrets) = composed(&known, &chosen)?;
    prove(&start, &secrets)?;
    write(args, &start, &secrets)
}

/// What cannot be left out and is not known.
fn missing(kit: &Kit, known: &Known) -> Option<&'static Ask> {
    let lacks = |ask: &&Ask| matches!(ask.answer, Answer::Secret) && !known.contains_key(&named(kit, ask));
    kit.asks.iter().find(lacks)
}

fn named(kit: &Kit, ask: &Ask) -> String {
    format!("{}.{}", kit.name, ask.key)
}

fn variable(channel: &str, key: &str) -> String {
    format!("DESKBRIDGE__CHANNELS__{channel}__{}", key.replace('.', "__")).to_uppercase()
}

/// The same variables that set the keys of a running bridge, and files that they name.
fn from_environment() -> Result<Known, Failure> {
    let all: BTreeMap<String, String> = environment().collect();
    let look = |variable: &str| -> Result<Option<String>, Failure> {
        if let Some(value) = all.get(variable) {
            return Ok(Some(value.trim().to_owned()));
        }
        let Some(file) = all.get(&format!("{variable}_FILE")) else { return Ok(None) };
        let read = fs::read_to_string(file).map(|text| Some(text.trim().to_owned()));
        read.map_err(|error| {
            Failure::usage(format!("{variable}_FILE cannot be read"), error, format!("ls -l {file}"))
        })
    };
    let mut known = Known::new();
    if let Some(url) = look("DESKBRIDGE__SERVER__PUBLIC_URL")? {
        known.insert(PUBLIC_URL.into(), url);
    }
    for kit in KITS {
        for ask in kit.asks {
            if let Some(value) = look(&variable(kit.name, ask.key))?.filter(|value| !value.is_empty()) {
                known.insert(named(kit, ask), value);
            }
        }
    }
    Ok(known)
}

/// Asks the person what is not known yet.
fn ask_all(known: &mut Known, chosen: &mut Vec<&'static str>) -> Outcome {
    out::note("A few questions; Enter takes what stands in brackets.\n");
    if !known.contains_key(PUBLIC_URL) {
        let url = ask("The https address that people reach this server by (empty: only this machine)", "")?;
        if !url.is_empty() {
            known.insert(PUBLIC_URL.into(), url);
        }
    }
    let all = chosen.is_empty();
    for kit in KITS.iter().rev() {
        if all {
            let usual = if missing(kit, known).is_none() { "yes" } else { "no" };
            let said = ask(&format!("Enable {}? yes or no", kit.name), usual)?;
            if !matches!(said.to_lowercase().as_str(), "y" | "yes") {
                continue;
            }
            chosen.push(kit.name);
        } else if !chosen.contains(&kit.name) {
            continue;
        }
        for asked in kit.asks.iter().filter(|ask| !matches!(ask.answer, Answer::Random)) {
            let key = named(kit, asked);
            if known.contains_key(&key) {
                continue;
            }
            let said = match asked.answer {
                Answer::Secret => ask_secret(asked.says)?,
                Answer::Several(usual) => ask(asked.says, usual)?,
                Answer::Optional | Answer::Random => ask(asked.says, "")?,
            };
            if !said.is_empty() {
                known.insert(key, said);
            }
        }
    }
    Ok(())
}

fn ask(question: &str, usual: &str) -> Result<String, Failure> {
    let hint = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    prompt(&format!("{question}{hint}: "));
    let said = answered()?;
    Ok(if said.is_empty() { usual.to_owned() } else { said })
}

/// Not shown while it is typed.
fn ask_secret(question: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return ask(question, "");
    }
    let said = rpassword::prompt_password(format!("{question} (not shown): "));
    said.map(|said| said.trim().to_owned()).map_err(unanswered)
}

/// Questions are no data, so they go to standard error.
fn prompt(text: &str) {
    let mut err = io::stderr().lock();
    // Nobody is left to ask when this fails; then no answer comes either.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

fn answered() -> Result<String, Failure> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err(unanswered("the input is at its end")),
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) => Err(unanswered(error)),
    }
}

fn unanswered(why: impl std::fmt::Display) -> Failure {
    Failure::usage(
        "a question was not answered; nothing is written",
        why,
        "deskbridge init --non-interactive",
    )
}

/// The configuration, and what goes into files of its own.
fn composed(known: &Known, chosen: &[&'static str]) -> Result<(Start, Vec<Kept>), Failure> {
    let key = Kept { name: STORE_KEY.into(), value: made()?.into(), random: true };
    let mut secrets = vec![key];
    let mut start = Start { public_url: known.get(PUBLIC_URL).cloned(), ..Start::default() };
    for kit in KITS.iter().filter(|kit| chosen.contains(&kit.name)) {
        let mut keys = Vec::new();
        for ask in kit.asks {
            let value = known.get(&named(kit, ask)).map(String::as_str);
            let random = match (ask.answer, value) {
                (Answer::Several(usual), value) => {
                    let listed = value.unwrap_or(usual).split(',').map(|one| quoted(one.trim()));
                    keys.push((ask.key.to_owned(), format!("[{}]", listed.collect::<Vec<_>>().join(", "))));
                    continue;
                }
                (Answer::Optional, Some(value)) => {
                    keys.push((ask.key.to_owned(), quoted(value)));
                    continue;
                }
                (Answer::Optional, None) => continue,
                (Answer::Secret | Answer::Random, value) => value.is_none(),
            };
            let value = value.map_or_else(made, |value| Ok(value.to_owned()))?;
            let name = format!("{}-{}", kit.name, ask.key.replace('_', "-"));
            secrets.push(Kept { name, value: value.into(), random });
        }
        start.channels.insert(kit.name, keys);
    }
    Ok((start, secrets))
}

/// 256 bits from the system.
fn made() -> Result<String, Failure> {
    let mut bytes = [0u8; 32];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(hex::encode(bytes)),
        Err(error) => Err(Failure::runtime("no key can be made", error, "deskbridge init")),
    }
}

/// The text, with the secrets' files in `folder`.
fn text(start: &Start, secrets: &[Kept], folder: &Path) -> String {
    let mut start = start.clone();
    start.key_file = Some(folder.join(STORE_KEY).display().to_string());
    for (kit, keys) in &mut start.channels {
        let asks = KITS.iter().filter(|one| one.name == *kit).flat_map(|kit| kit.asks);
        for ask in asks {
            let name = format!("{kit}-{}", ask.key.replace('_', "-"));
            if secrets.iter().any(|kept| kept.name == name) {
                keys.push((format!("{}_file", ask.key), quoted(&folder.join(name).display().to_string())));
            }
        }
    }
    example::start(&start)
}

/// What `check` would say to it, before anything is written where it stays.
fn prove(start: &Start, secrets: &[Kept]) -> Outcome {
    let folder = tempfile::tempdir().map_err(|error| unwritten(&std::env::temp_dir(), error))?;
    for kept in secrets {
        put(&folder.path().join(&kept.name), &kept.value)?;
    }
    let file = folder.path().join(FILE);
    fs::write(&file, text(start, secrets, folder.path())).map_err(|error| unwritten(&file, error))?;
    Config::load(Some(&file), std::iter::empty()).map(|_| ()).map_err(|faults| {
        let why: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.path, fault.expected)).collect();
        Failure::usage("the answers are not valid; nothing is written", why.join("; "), "deskbridge init")
    })
}

fn write(args: &Args, start: &Start, secrets: &[Kept]) -> Outcome {
    let folder = args.dir.join(SECRETS);
    let taken = |kept: &&Kept| folder.join(&kept.name).exists();
    if let Some(kept) = secrets.iter().filter(|_| !args.force).find(taken) {
        return Err(already(&folder.join(&kept.name)));
    }
    fs::create_dir_all(&args.dir).map_err(|error| unwritten(&args.dir, error))?;
    private(&folder)?;
    let mut written = Vec::new();
    for kept in secrets {
        let path = folder.join(&kept.name);
        // Pages sign with one, and the database's secrets are sealed with another: new ones would lock people out.
        if kept.random && path.exists() {
            close(&path)?;
            written.push(Written { path, kept: true });
            continue;
        }
        put(&path, &kept.value)?;
        written.push(Written { path, kept: false });
    }
    let file = args.dir.join(FILE);
    fs::write(&file, text(start, secrets, Path::new(SECRETS))).map_err(|error| unwritten(&file, error))?;
    let channels = start.channels.keys().copied().collect();
    say(args, &Report { config: file, channels, secrets: written });
    Ok(())
}

fn say(args: &Args, report: &Report) {
    if args.json {
        return out::json(report);
    }
    let mut said = vec![format!("wrote  {}", report.config.display())];
    for Written { path, kept } in &report.secrets {
        let path = path.display();
        said.push(if *kept {
            format!("kept   {path}")
        } else {
            format!("wrote  {path}  (only you can read it)")
        });
    }
    let here = args.dir == Path::new(".");
    let go = if here { String::new() } else { format!("cd {} && ", args.dir.display()) };
    said.push(format!("next   {go}deskbridge check && deskbridge serve"));
    out::line(&said.join("\n"));
}

/// Whole or not at all, and for nobody else from its first byte on.
fn put(path: &Path, value: &SecretString) -> Outcome {
    let fail = |error: io::Error| unwritten(path, error);
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(fail)?;
    file.write_all(format!("{}\n", value.expose_secret()).as_bytes()).map_err(fail)?;
    close(file.path())?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) -> Outcome {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| unwritten(path, error))
}

/// Elsewhere the folder's own rights hold.
#[cfg(not(unix))]
fn mode(_path: &Path, _mode: u32) -> Outcome {
    Ok(())
}

fn close(path: &Path) -> Outcome {
    mode(path, 0o600)
}

fn private(folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
    mode(folder, 0o700)
}

fn already(path: &Path) -> Failure {
    let what = format!("{} is there already; nothing is written", path.display());
    Failure::usage(what, "it may hold what you need", "deskbridge init --force, or another --dir")
}

fn unwritten(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::runtime(format!("{} cannot be written", path.display()), error, "deskbridge init --dir FOLDER")
}
