//! `deskbridge init`: what it writes, with which rights, what it refuses, and that `check` passes on it.
//!
//! Not here: the other commands (`command_line.rs`).

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const TOKEN: &str = "123456789:AAEplantedplantedplantedplantedpl";
const TOKEN_VARIABLE: &str = "DESKBRIDGE__CHANNELS__TELEGRAM__TOKEN";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program with nothing of our environment but what is named; `typed` is its input.
fn run(folder: &Path, args: &[&str], env: &[(&str, &str)], typed: &str) -> Ran {
    let mut program = Command::new(env!("CARGO_BIN_EXE_deskbridge"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused before it read anything.
    let _ = program.stdin.take().unwrap().write_all(typed.as_bytes());
    let done = program.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
}

fn unattended(folder: &Path, more: &[&str], env: &[(&str, &str)]) -> Ran {
    run(folder, &[&["init", "--non-interactive"], more].concat(), env, "")
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn mode(folder: &TempDir, name: &str) -> u32 {
    fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777
}

/// The lines that say something.
fn in_force(config: &str) -> Vec<&str> {
    config.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn sound(folder: &TempDir, channels: &str) {
    let ran = run(folder.path(), &["check"], &[], "");
    assert!(ran.code == 0 && ran.out.contains(channels), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("secrets.mode"), "{}", ran.out);
}

#[test]
fn without_any_answer_the_widget_is_ready() {
    let here = tempfile::tempdir().unwrap();
    let ran = unattended(here.path(), &[], &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("next   deskbridge check && deskbridge serve"), "{}", ran.out);
    sound(&here, "1 channel ");
    let config = read(&here, "deskbridge.toml");
    let key = read(&here, "secrets/widget-identity-key");
    assert_eq!(key.trim().len(), 64);
    assert!(!config.contains(key.trim()) && !ran.out.contains(key.trim()));
    assert!(config.contains("\nidentity_key_file = \"secrets/widget-identity-key\"\n"));
    // The other channel and every default are on offer, with their comments.
    assert!(config.contains("\n#= [channels.telegram]\n") && config.contains("\n# From @BotFather."));
    assert!(!in_force(&config).iter().any(|line| line.contains("replace")), "{config}");
    assert_eq!((mode(&here, "secrets"), mode(&here, "secrets/widget-identity-key")), (0o700, 0o600));
    // Another folder, another key.
    let there = tempfile::tempdir().unwrap();
    assert_eq!(unattended(there.path(), &[], &[]).code, 0);
    assert_ne!(read(&there, "secrets/widget-identity-key"), key);
}

#[test]
fn for_programs() {
    let here = tempfile::tempdir().unwrap();
    let told = |ran: &Ran| -> serde_json::Value {
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
        serde_json::from_str(&ran.out).unwrap()
    };
    let first = told(&unattended(here.path(), &["--json"], &[]));
    let expected = serde_json::json!({
        "config": "./deskbridge.toml",
        "channels": ["widget"],
        "secrets": [
            { "path": "./secrets/store-key", "kept": false },
            { "path": "./secrets/widget-identity-key", "kept": false },
        ],
    });
    assert_eq!(first, expected);
    sound(&here, "1 channel ");
    // What was there stays, and is said to.
    let again = unattended(here.path(), &["--json", "--force"], &[]);
    assert_eq!(told(&again)["secrets"][0]["kept"], true);
    assert!(!again.out.contains(read(&here, "secrets/widget-identity-key").trim()));
    // What is refused is said on standard error, as ever.
    let refused = unattended(here.path(), &["--json"], &[]);
    assert!(refused.code != 0 && refused.out.is_empty(), "{}", refused.out);

    let channels = told(&run(here.path(), &["channels", "--json"], &[], ""));
    let channels = channels.as_array().unwrap();
    let page = run(here.path(), &["channels"], &[], "").out;
    assert_eq!(channels.len(), page.matches("\n## ").count());
    for one in channels {
        let heading =
            format!("\n## {}, {}\n", one["channel"].as_str().unwrap(), one["place"].as_str().unwrap());
        assert!(page.contains(&heading) && one["can"]["max_text"].as_u64().unwrap() > 0, "{one}");
    }
}

#[test]
fn a_secret_of_the_environment_goes_into_its_file_alone() {
    let here = tempfile::tempdir().unwrap();
    let env = [(TOKEN_VARIABLE, TOKEN), ("DESKBRIDGE__SERVER__PUBLIC_URL", "https://desk.example.com")];
    let set = [
        "--from-env",
        "--set",
        "telegram.desk.room=-1001234567890",
        "--set",
        "widget.origins=https://a.example, https://b.example",
    ];
    let ran = unattended(here.path(), &set, &env);
    assert_eq!(ran.code, 0, "{}", ran.err);
    sound(&here, "2 channels");
    let config = read(&here, "deskbridge.toml");
    for line in [
        "public_url = \"https://desk.example.com\"",
        "token_file = \"secrets/telegram-token\"",
        "[channels.telegram.desk]",
        "room = \"-1001234567890\"",
        "origins = [\"https://a.example\", \"https://b.example\"]",
    ] {
        assert!(in_force(&config).contains(&line), "{line}");
    }
    assert_eq!(
        (read(&here, "secrets/telegram-token").trim(), mode(&here, "secrets/telegram-token")),
        (TOKEN, 0o600)
    );
    assert!(!(config + &ran.out + &ran.err).contains("planted"));
    // The file that a variable names will do as well.
    fs::write(here.path().join("given"), format!("{TOKEN}\n")).unwrap();
    let args = ["--from-env", "--channel", "telegram", "--dir", "below/it"];
    let ran = unattended(here.path(), &args, &[("DESKBRIDGE__CHANNELS__TELEGRAM__TOKEN_FILE", "given")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("cd below/it && deskbridge check"), "{}", ran.out);
    assert_eq!(read(&here, "below/it/secrets/telegram-token").trim(), TOKEN);
    let ran = run(&here.path().join("below/it"), &["check"], &[], "");
    assert!(ran.code == 0 && ran.out.contains("1 channel "), "{}", ran.out);
}

#[test]
fn what_is_there_is_not_written_over_without_force() {
    let here = tempfile::tempdir().unwrap();
    fs::write(here.path().join("deskbridge.toml"), "# mine\n").unwrap();
    let ran = unattended(here.path(), &[], &[]);
    assert!(ran.code == 2 && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(read(&here, "deskbridge.toml"), "# mine\n");
    assert!(!here.path().join("secrets").exists());
    // A secret alone is reason enough.
    let there = tempfile::tempdir().unwrap();
    fs::create_dir(there.path().join("secrets")).unwrap();
    fs::write(there.path().join("secrets/widget-identity-key"), "mine, and long enough to be a key of 32\n")
        .unwrap();
    assert_eq!(unattended(there.path(), &[], &[]).code, 2);
    assert!(!there.path().join("deskbridge.toml").exists());
    // With --force a key that pages sign with stays, and is closed to others.
    let ran = unattended(there.path(), &["--force"], &[]);
    assert!(ran.code == 0 && ran.out.contains("kept   "), "{}{}", ran.out, ran.err);
    assert!(read(&there, "secrets/widget-identity-key").starts_with("mine"));
    assert_eq!(mode(&there, "secrets/widget-identity-key"), 0o600);
    sound(&there, "1 channel ");
    assert_eq!(unattended(here.path(), &["--force"], &[]).code, 0);
    sound(&here, "1 channel ");
}

#[test]
fn answers_that_do_not_fit_write_nothing() {
    let here = tempfile::tempdir().unwrap();
    type Told<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let told: [Told<'_>; 5] = [
        (&["--channel", "telegram"], &[], TOKEN_VARIABLE),
        (&["--set", "telegram.token=planted"], &[], "command line"),
        (&["--set", "widget.origins=portal.example.com"], &[], "exact origin"),
        (&["--channel", "telegrm"], &[], "slack, telegram, teams, teams-webhook, widget"),
        (&["--from-env"], &[(TOKEN_VARIABLE, "planted")], "channels.telegram.token"),
    ];
    for (more, env, said) in told {
        let ran = unattended(here.path(), more, env);
        assert!(ran.code == 2 && ran.err.contains(said), "{more:?}: {} {}", ran.code, ran.err);
        if !env.is_empty() {
            assert!(!ran.err.contains("planted"), "{}", ran.err);
        }
        assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0, "{more:?}");
    }
}

#[test]
fn a_person_is_asked() {
    let here = tempfile::tempdir().unwrap();
    let typed =
        format!("https://desk.example.com\nyes\nhttps://portal.example.com\n\n\ny\n{TOKEN}\n\nno\nno\n");
    let ran = run(here.path(), &["init"], &[], &typed);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for question in [
        "https address",
        "Enable widget",
        "origins",
        "Enable teams-webhook",
        "Enable teams?",
        "Enable telegram",
        "BotFather",
        "group",
        "Enable slack",
        "Enable discord",
    ] {
        assert!(ran.err.contains(question), "{question} in {}", ran.err);
    }
    assert!(!ran.err.contains("planted") && !ran.out.contains("planted"));
    sound(&here, "2 channels");
    let config = read(&here, "deskbridge.toml");
    assert!(in_force(&config).contains(&"origins = [\"https://portal.example.com\"]"));
    assert!(config.contains("\n#= [channels.telegram.desk]\n"));
    // Enter takes what is usual: the widget, and nothing that lacks a secret.
    let there = tempfile::tempdir().unwrap();
    assert_eq!(run(there.path(), &["init"], &[], "\n\n\n\n\n\n\n\n").code, 0);
    sound(&there, "1 channel ");
    // An answer that never comes writes nothing.
    let nowhere = tempfile::tempdir().unwrap();
    let ran = run(nowhere.path(), &["init"], &[], "\n");
    assert!(ran.code == 2 && ran.err.contains("--non-interactive"), "{}", ran.err);
    assert_eq!(fs::read_dir(nowhere.path()).unwrap().count(), 0);
}
