//! The built program by its command line: exit codes, what goes to which stream, and that no secret is printed.
//!
//! Not here: serving (`end to end`), the rules of single commands (unit tests beside them).

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json as value};
use tempfile::TempDir;

const TOKEN: &str = "123456789:AAEplantedplantedplantedplantedpl";

struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program in a folder of its own, with nothing of our environment but what is named.
fn run(folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let done = Command::new(env!("CARGO_BIN_EXE_deskbridge"))
        .args(args)
        .current_dir(folder)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
}

fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("deskbridge.toml"), config).unwrap();
    folder
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn an_invalid_configuration_is_78_and_every_fault_is_said() {
    let bad =
        folder("[server]\nlsiten = 1\n[queues.a]\noverflow = \"b\"\n[assistant]\nengine = \"openai\"\n");
    for args in [&["serve"][..], &["doctor"], &["token", "list"], &["migrate", "up"]] {
        let ran = run(bad.path(), args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (78, ""), "{args:?}");
        for said in [
            "3 faults",
            "server.lsiten",
            "nearest   listen",
            "queues.a.overflow",
            "assistant.model",
            "deskbridge check",
        ] {
            assert!(ran.err.contains(said), "{said} in {}", ran.err);
        }
    }
    let ran = run(bad.path(), &["check"], &[]);
    assert_eq!((ran.code, ran.err.as_str()), (78, ""));
    assert!(ran.out.contains("3 faults"));
    let ran = run(bad.path(), &["check", "--format", "json"], &[]);
    assert_eq!(ran.code, 78);
    assert_eq!(json(&ran)["faults"].as_array().unwrap().len(), 3);
    assert_eq!(json(&ran)["faults"][0]["nearest"], "listen");
}

#[test]
fn a_valid_one_is_0() {
    let good = folder("");
    assert_eq!(run(good.path(), &["check"], &[]).code, 0);
    assert_eq!(json(&run(good.path(), &["check", "--json"], &[]))["valid"], true);
    let ran = run(good.path(), &["check", "--config", "another.toml"], &[]);
    assert_eq!(ran.code, 78);
    assert!(ran.out.contains("no such file"));
    assert_eq!(run(good.path(), &["check"], &[("DESKBRIDGE__SERVER__LISTEN", "nowhere")]).code, 78);
}

#[test]
fn usage_is_2() {
    let here = folder("");
    for args in
        [&[][..], &["serv"], &["replay", "x"], &["doctor", "databse"], &["token", "create", "--name", "x"]]
    {
        let ran = run(here.path(), args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn the_example_lacks_only_secrets() {
    let here = tempfile::tempdir().unwrap();
    let example = run(here.path(), &["config", "example"], &[]);
    assert_eq!(example.code, 0);
    std::fs::write(here.path().join("deskbridge.toml"), &example.out).unwrap();
    let faults = json(&run(here.path(), &["check", "--json"], &[]))["faults"].clone();
    let mut paths: Vec<&str> =
        faults.as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "channels.slack.app_token",
            "channels.slack.bot_token",
            "channels.teams.app_password",
            "channels.telegram.token"
        ]
    );
    let secrets = [
        ("DESKBRIDGE__CHANNELS__TELEGRAM__TOKEN", TOKEN),
        ("DESKBRIDGE__CHANNELS__SLACK__BOT_TOKEN", "xoxb-planted"),
        ("DESKBRIDGE__CHANNELS__SLACK__APP_TOKEN", "xapp-planted"),
        ("DESKBRIDGE__CHANNELS__TEAMS__APP_PASSWORD", "mine"),
    ];
    assert_eq!(run(here.path(), &["check"], &secrets).code, 0);
}

/// It is the first thing that somebody runs: without a configuration, the manifest on standard output and nothing else.
#[test]
fn a_manifest_needs_no_configuration() {
    let here = tempfile::tempdir().unwrap();
    let ran = run(here.path(), &["slack", "manifest"], &[]);
    let manifest: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &manifest["settings"]["socket_mode_enabled"]), (0, &true.into()));
    assert!(ran.err.contains("https://api.slack.com/apps?new_app=1&manifest_json="), "{}", ran.err);
    let http =
        ["slack", "manifest", "--minimal", "--http", "https://desk.example", "--channel", "slack-acme"];
    let ran = run(here.path(), &http, &[]);
    let manifest: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let hook = &manifest["settings"]["event_subscriptions"]["request_url"];
    assert_eq!(hook, "https://desk.example/hooks/slack-acme");
    assert!(manifest["features"].get("agent_view").is_none());
    let ran = run(here.path(), &["slack", "manifest", "--http", "http://desk.example"], &[]);
    assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains("https only"), "{}", ran.err);
    assert_eq!(run(here.path(), &["telegram", "manifest"], &[]).code, 2);
}

/// The files of a zip whose files are stored as they are, from its beginning.
fn unzipped(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let number = |at: usize, bytes: usize| {
        zip[at..at + bytes].iter().rev().fold(0_usize, |number, byte| (number << 8) | usize::from(*byte))
    };
    let (mut files, mut at) = (Vec::new(), 0);
    while zip[at..].starts_with(b"PK\x03\x04") {
        assert_eq!(number(at + 8, 2), 0, "stored");
        let (size, name) = (number(at + 22, 4), number(at + 26, 2));
        let start = at + 30 + name + number(at + 28, 2);
        let name = String::from_utf8(zip[at + 30..at + 30 + name].to_vec()).unwrap();
        files.push((name, zip[start..start + size].to_vec()));
        at = start + size;
    }
    assert!(zip[at..].starts_with(b"PK\x01\x02"), "the directory follows");
    files
}

#[test]
fn a_package_for_teams() {
    let id = "ABCDEFAB-1111-2222-3333-444444444444";
    let config = folder(&format!(
        "[server]\npublic_url = \"https://desk.example.org\"\n[channels.teams]\napp_id = \"{id}\"\n\
         tenant = \"{id}\"\napp_password = \"planted\"\n"
    ));
    let png = |bytes: &[u8]| (bytes[..8] == *b"\x89PNG\r\n\x1a\n").then(|| bytes[16..24].to_vec());
    for (flag, right) in [
        (None, None),
        (Some("--read-channels"), Some("ChannelMessage.Read.Group")),
        (Some("--read-receipts"), Some("ChatMessageReadReceipt.Read.Chat")),
    ] {
        let mut args = vec!["teams", "package", "-o", "teams.zip", "--name", "Help"];
        args.extend(flag);
        let ran = run(config.path(), &args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
        let files = unzipped(&std::fs::read(config.path().join("teams.zip")).unwrap());
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["manifest.json", "color.png", "outline.png"]);
        let manifest: Value = serde_json::from_slice(&files[0].1).unwrap();
        assert_eq!(manifest["id"], id.to_lowercase());
        assert_eq!(
            (&manifest["name"]["short"], &manifest["validDomains"][0]),
            (&value!("Help"), &value!("desk.example.org"))
        );
        let asked = manifest["authorization"]["permissions"]["resourceSpecific"].as_array();
        let asked: Vec<&str> = asked.into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(asked, Vec::from_iter(right), "nothing is asked for that was not wished");
        assert_eq!(png(&files[1].1), Some([0, 0, 0, 192, 0, 0, 0, 192].to_vec()));
        assert_eq!(png(&files[2].1), Some([0, 0, 0, 32, 0, 0, 0, 32].to_vec()));
    }
    let ran = run(config.path(), &["teams", "package", "-o", "no/such/folder/x.zip"], &[]);
    assert!(ran.code != 0 && ran.err.contains("cannot be written"), "{}", ran.err);
}

#[test]
fn migrations() {
    let here = folder("");
    let ran = run(here.path(), &["migrate", "status"], &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("next  deskbridge migrate up"), "{}", ran.err);
    assert_eq!(run(here.path(), &["migrate", "up"], &[]).code, 0);
    let ran = run(here.path(), &["migrate", "status", "--json"], &[]);
    assert_eq!((ran.code, json(&ran)["pending"].as_array().map(Vec::len)), (0, Some(0)));
    assert_eq!(run(here.path(), &["doctor", "database"], &[]).code, 0);
}

#[test]
fn a_token_from_its_making_to_its_end() {
    let here = folder("[[technicians]]\nname = \"Ana\"\n");
    assert_eq!(run(here.path(), &["migrate", "up"], &[]).code, 0);
    let create = ["token", "create", "--name", "ci", "--scope", "chats:read", "--technician"];
    let ran = run(here.path(), &[&create[..], &["anna"]].concat(), &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--technician ana"), "{}", ran.err);
    let ran = run(here.path(), &[&create[..], &["ana", "--scope", "admin"]].concat(), &[]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let ran = run(here.path(), &["token", "create", "--name", "x", "--scope", "chats:reed"], &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("chats:read"), "{}", ran.err);
    let ran = run(here.path(), &[&create[..], &["ana", "--expires", "90d"]].concat(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let token = ran.out.trim_end();
    assert!(token.starts_with("dbp_") && token.len() > 40 && !token.contains(char::is_whitespace));

    let listed = json(&run(here.path(), &["token", "list", "--json"], &[]));
    assert_eq!((&listed[0]["technician"], &listed[0]["state"]), (&"ana".into(), &"good".into()));
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(run(here.path(), &["token", "revoke", id], &[]).code, 0);
    assert_eq!(run(here.path(), &["token", "revoke", "nothing"], &[]).code, 1);
    assert_eq!(json(&run(here.path(), &["token", "list", "--json"], &[]))[0]["state"], "revoked");

    // The token itself is nowhere, and its hash is not exported.
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(token));
    let export = run(here.path(), &["export"], &[]);
    assert!(export.out.lines().count() >= 2 && !export.out.contains(&hash), "{}", export.out);
    let database = std::fs::read(here.path().join("data/deskbridge.db")).unwrap();
    assert!(!database.windows(token.len()).any(|part| part == token.as_bytes()));
}

#[test]
fn an_export_is_for_its_owner() {
    let here = folder("");
    assert_eq!(run(here.path(), &["migrate", "up"], &[]).code, 0);
    assert_eq!(run(here.path(), &["export", "-o", "all.jsonl"], &[]).code, 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = std::fs::metadata(here.path().join("all.jsonl")).unwrap().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    assert_eq!(run(here.path(), &["export", "-o", "nowhere/all.jsonl"], &[]).code, 1);
    let ran = run(here.path(), &["replay", "#7"], &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("there is no conversation #7"));
}

#[test]
fn doctor_says_how_bad_it_is() {
    // Nobody listens on port 9 of this machine.
    let here =
        folder(&format!("[channels.telegram]\ntoken = \"{TOKEN}\"\napi_base = \"http://127.0.0.1:9\"\n"));
    let ran = run(here.path(), &["doctor", "telegram", "--json"], &[]);
    assert_eq!(ran.code, 3);
    assert_eq!(json(&ran)["areas"][0]["checks"][0]["outcome"], "fail");
    let ran = run(here.path(), &["doctor", "config"], &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("! queues.members") && ran.out.contains("fix"), "{}", ran.out);
    assert_eq!(run(here.path(), &["doctor", "config", "--strict"], &[]).code, 4);
}

/// The whole table of the page, each code by a command that ends with it.
#[test]
fn every_exit_code() {
    let good = folder("[assistant]\nengine = \"off\"\n[server]\nlisten = \"127.0.0.1:9\"\n");
    std::fs::create_dir(good.path().join("knowledge")).unwrap();
    std::fs::write(good.path().join("knowledge/a.md"), "# A\n\nWords.\n").unwrap();
    let code = |args: &[&str]| run(good.path(), args, &[]).code;
    assert_eq!(code(&["check"]), 0);
    assert_eq!(code(&["replay", "1"]), 1, "no database yet");
    assert_eq!(code(&["migrate", "up"]), 0);
    assert_eq!(code(&["kb", "sync"]), 0);
    assert_eq!(code(&["replay", "1"]), 1);
    assert_eq!(code(&["kb", "sink"]), 2);
    let ran = run(good.path(), &["kb", "sync", "--wait"], &[]);
    assert_eq!(ran.code, 5, "nobody listens on port 9");
    assert!(ran.err.contains("no deskbridge answers on 127.0.0.1:9"), "{}", ran.err);
    assert!(ran.err.contains("next  start deskbridge serve"), "{}", ran.err);
    let down =
        folder(&format!("[channels.telegram]\ntoken = \"{TOKEN}\"\napi_base = \"http://127.0.0.1:9\"\n"));
    assert_eq!(run(down.path(), &["doctor", "telegram"], &[]).code, 3);
    assert_eq!(run(down.path(), &["telegram", "setup"], &[]).code, 3);
    assert_eq!(run(down.path(), &["doctor", "config", "--strict"], &[]).code, 4);
    let bad = folder("[server]\nlsiten = 1\n");
    assert_eq!(run(bad.path(), &["kb", "sync"], &[]).code, 78);
}

#[test]
fn a_simulated_channel_is_for_the_demo() {
    let here = folder("[channels.telegram]\nadapter = \"sim\"\n");
    for args in [&["check"][..], &["serve"]] {
        let ran = run(here.path(), args, &[]);
        assert_eq!(ran.code, 78, "{args:?}");
        let said = ran.out + &ran.err;
        for part in ["channels.telegram.adapter", "deskbridge.toml:2", "telegram", "deskbridge demo"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[test]
fn articles_are_compared_with_the_last_time() {
    let here = folder("");
    let articles = here.path().join("knowledge");
    let sync = || run(here.path(), &["kb", "sync", "--json"], &[]);
    assert_eq!(run(here.path(), &["migrate", "up"], &[]).code, 0);
    let ran = sync();
    assert_eq!(ran.code, 1, "no folder");
    assert!(ran.err.contains("assistant.knowledge"), "{}", ran.err);
    std::fs::create_dir(&articles).unwrap();
    assert_eq!(sync().code, 1, "no article");
    for name in ["a", "b", "c"] {
        std::fs::write(articles.join(format!("{name}.md")), format!("# About {name}\n\nWords of {name}.\n"))
            .unwrap();
    }
    std::fs::write(articles.join("faulty.md"), b"# \xff\xfe").unwrap();
    std::fs::write(articles.join("odd.md"), "---\npolicy: hand-over\n---\n# Odd\n\nWords.\n").unwrap();
    let first = json(&sync());
    assert_eq!(first["added"], serde_json::json!(["a.md", "b.md", "c.md", "odd.md"]));
    assert_eq!(first["faulty"].as_array().unwrap().len(), 2, "{first}");
    assert_eq!(first["faulty"][0]["file"], "faulty.md");
    assert!(first["faulty"][0]["why"].as_str().unwrap().contains("UTF-8"), "{first}");
    assert!(first["faulty"][1]["why"].as_str().unwrap().contains("policy"), "{first}");

    std::fs::write(articles.join("b.md"), "# About b\n\nOther words.\n").unwrap();
    std::fs::remove_file(articles.join("c.md")).unwrap();
    std::fs::write(articles.join("d.md"), "# About d\n\nNew.\n").unwrap();
    let ran = run(here.path(), &["kb", "sync"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for line in [
        "+ d.md",
        "~ b.md",
        "- c.md",
        "! faulty.md: is not UTF-8",
        "1 added · 1 changed · 1 removed · 2 unchanged · 2 faulty",
    ] {
        assert!(ran.out.contains(line), "{line} in {}", ran.out);
    }
    let again = json(&sync());
    assert_eq!((&again["unchanged"], &again["added"]), (&4.into(), &serde_json::json!([])));
    assert_ne!(again["revision"], first["revision"]);
}

/// S105: everything that prints, with everything logged.
#[test]
fn s105_no_secret_is_printed() {
    let config = format!(
        "[channels.telegram]\ntoken = \"{TOKEN}\"\napi_base = \"http://127.0.0.1:9\"\n[assistant]\nengine = \"openai\"\n\
         model = \"m\"\nbase_url = \"http://127.0.0.1:9\"\napi_key = \"planted\"\n"
    );
    let here = folder(&config);
    let broken = folder(&config.replace("token =", "tokn =").replace("api_key =", "api_kee ="));
    for args in [
        &["check"][..],
        &["check", "--json"],
        &["config", "print", "--effective"],
        &["config", "print", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["telegram", "setup"],
        &["migrate", "up"],
        &["export"],
        &["kb", "status"],
        &["kb", "sync"],
    ] {
        for folder in [here.path(), broken.path()] {
            for format in ["text", "json"] {
                let args = [args, &["--log-format", format]].concat();
                let ran = run(folder, &args, &[("DESKBRIDGE_LOG", "trace"), ("RUST_BACKTRACE", "1")]);
                let said = ran.out + &ran.err;
                assert!(!said.contains("planted"), "{args:?}: {said}");
                assert!(!said.contains('\x1b'), "{args:?} has colours: {said}");
            }
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough() {
    let here = folder("");
    let mut program = Command::new(env!("CARGO_BIN_EXE_deskbridge"))
        .args(["completions", "zsh"])
        .current_dir(here.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(program.stdout.take());
    let done = program.wait_with_output().unwrap();
    assert_eq!((done.status.code(), done.stderr.len()), (Some(0), 0));
}

#[test]
fn version_and_completions() {
    let here = folder("");
    let ran = run(here.path(), &["version", "--json"], &[]);
    assert_eq!(json(&ran)["version"], env!("CARGO_PKG_VERSION"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run(here.path(), &["completions", shell], &[]);
        assert!(ran.code == 0 && ran.out.contains("deskbridge") && ran.out.contains("telegram"), "{shell}");
    }
}
