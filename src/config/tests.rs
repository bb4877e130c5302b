//! Loading as a whole: what is read, and which faults there are.
//!
//! Not here: secrets (`tests/secrets.rs`), hours (`hours/tests.rs`).

mod oidc;
mod secrets;

use super::*;
use deskbridge_contract::Timestamp;
use deskbridge_conversation::policy::{Allocation, Confirm, ReplyMode, Role};
use std::time::Duration;

fn load_with(text: &str, env: &[(&str, &str)]) -> Result<Config, Vec<Fault>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deskbridge.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn load(text: &str) -> Config {
    load_with(text, &[]).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn faults(text: &str) -> Vec<Fault> {
    load_with(text, &[]).err().unwrap_or_default()
}

fn paths(text: &str) -> Vec<String> {
    faults(text).into_iter().map(|fault| fault.path).collect()
}

const TOKEN: &str = "123456789:AAEplantedplantedplantedplantedpl";

#[test]
fn nothing_at_all_is_a_configuration() {
    let config = Config::load(None, std::iter::empty()).unwrap();
    assert_eq!(config.policy(), Policy::default());
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store.url.shown(), "sqlite:data/deskbridge.db");
    assert!(config.hours(&QueueId::from("default")).open_now(Timestamp(0)));
}

#[test]
fn a_whole_desk() {
    let config = load(&format!(
        r#"
        [server]
        public_url = "https://desk.example.com/"
        [channels.telegram]
        token = "{TOKEN}"
        [channels.telegram.desk]
        room = -1001234567890
        reply_mode = "direct"
        [channels.second]
        adapter = "telegram"
        bot_token = "{TOKEN}"
        requesters = false
        queue = "vpn"
        [[channels.second.desks]]
        room = "-1"
        queues = ["vpn"]
        [[channels.second.desks]]
        room = "-2"
        [queues.default]
        [queues.vpn]
        allocation = "load-based"
        technicians = ["Bob Stone"]
        overflow = "default"
        timers.offer = "30s"
        [handover]
        confirm = "never"
        [[technicians]]
        name = "Ana López"
        identities = ["telegram:1"]
        [[technicians]]
        name = "Bob Stone"
        role = "admin"
        [[technicians]]
        name = "Cem"
        queues = ["vpn"]
        "#
    ));
    let policy = config.policy();
    assert_eq!(policy.confirm, Confirm::Never);
    let vpn = policy.queue(&"vpn".into());
    assert_eq!(vpn.allocation, Allocation::LoadBased);
    assert_eq!(vpn.technicians, ["bob-stone".into(), "cem".into()]);
    assert_eq!(vpn.timers.offer, Duration::from_secs(30));
    assert_eq!(policy.queue(&"default".into()).technicians, ["ana-lopez".into(), "bob-stone".into()]);
    assert_eq!(policy.role(&"bob-stone".into()), Role::Admin);
    let desk = &policy.channels[&"telegram".into()].desks[0];
    assert_eq!((desk.room.as_str(), desk.reply_mode), ("-1001234567890", ReplyMode::Direct));
    assert_eq!(policy.channels[&"second".into()].desks.len(), 2);
    let own = config.channels[&"second".into()].own.reveal();
    assert_eq!(own["token"], TOKEN);
    assert_eq!(own["public_url"], "https://desk.example.com");
    assert!(own.get("bot_token").is_none() && own.get("queue").is_none());
}

#[test]
fn all_faults_at_once_with_the_nearest_name() {
    let text = r#"
        [server]
        lsiten = ":80"
        [channels.telegram]
        tokn = "planted"
        token = "123456789:AAEplantedplantedplantedplantedpl"
        [queues.network]
        alocation = "x"
        allocation = "load-base"
        timers.offr = "1s"
        timers.max_wait = "soon"
        [assistant]
        reopen_window = "7d"
        max_turns = 0
        [quues]
    "#;
    let mut found: Vec<(String, Option<String>)> =
        faults(text).into_iter().map(|f| (f.path, f.nearest)).collect();
    found.sort();
    let near = |path: &str, nearest: &str| (path.to_owned(), Some(nearest.to_owned()));
    assert_eq!(
        found,
        [
            ("assistant.max_turns".to_owned(), None),
            near("assistant.reopen_window", "sessions.reopen_window"),
            near("channels.telegram.tokn", "token"),
            near("queues.network.allocation", "load-based"),
            near("queues.network.alocation", "allocation"),
            ("queues.network.timers.max_wait".to_owned(), None),
            near("queues.network.timers.offr", "offer"),
            near("quues", "queues"),
            near("server.lsiten", "listen"),
        ]
    );
    for fault in faults(text) {
        assert!(fault.from.contains("deskbridge.toml:"), "{fault}");
    }
}

#[test]
fn names_that_do_not_exist() {
    let text = format!(
        r#"
        [channels.telegram]
        token = "{TOKEN}"
        queue = "netwrok"
        desk = {{ room = 1, queues = ["nowhere"] }}
        [queues.network]
        technicians = ["Anna"]
        overflow = "networks"
        [[technicians]]
        name = "Ana"
        queues = ["network", "vpn"]
        identities = ["telegarm:1", "telegram", "telegram:"]
        "#
    );
    let mut found = paths(&text);
    found.sort();
    assert_eq!(
        found,
        [
            "channels.telegram.desk.queues",
            "channels.telegram.queue",
            "queues.network.overflow",
            "queues.network.technicians[0]",
            "technicians[0].identities[0]",
            "technicians[0].identities[1]",
            "technicians[0].identities[2]",
            "technicians[0].queues[1]",
        ]
    );
    assert!(faults(&text).iter().any(|fault| fault.nearest.as_deref() == Some("ana")));
}

#[test]
fn what_may_be_there_once() {
    let text = format!(
        r#"
        [channels.telegram]
        token = "{TOKEN}"
        [[channels.telegram.desks]]
        room = "1"
        [[channels.telegram.desks]]
        room = 1
        [[technicians]]
        name = "Ana"
        email = "A@example.com"
        identities = ["telegram:1"]
        [[technicians]]
        name = "ana"
        email = "a@example.com"
        identities = ["telegram:1"]
        "#
    );
    let mut found = paths(&text);
    found.sort();
    assert_eq!(
        found,
        [
            "channels.telegram.desks[1].room",
            "technicians[1].email",
            "technicians[1].id",
            "technicians[1].identities[0]"
        ]
    );
    assert_eq!(
        paths(&format!("[channels.telegram]\ntoken=\"{TOKEN}\"\ndesk={{room=1}}\ndesks=[]")),
        ["channels.telegram.desks"]
    );
}

/// What nobody signed is taken from this machine alone: not on an address that others reach.
#[test]
fn unsigned_events_need_a_loopback_address() {
    let id = "00000000-1111-2222-3333-444444444444";
    let at = |listen: &str| {
        format!(
            "[server]\nlisten = \"{listen}\"\n[channels.teams]\napp_id = \"{id}\"\ntenant = \"{id}\"\n\
             app_password = \"x\"\ndevelopment = true\n"
        )
    };
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.7:8080"] {
        assert_eq!(paths(&at(listen)), ["channels.teams.development"], "{listen}");
    }
    for listen in ["127.0.0.1:8080", "[::1]:8080"] {
        assert_eq!(paths(&at(listen)), Vec::<String>::new(), "{listen}");
    }
    let config = load(&at("127.0.0.1:8080"));
    assert!(
        config.refuses_to_listen("0.0.0.0:1".parse().unwrap()).is_some_and(|why| why.contains("development"))
    );
    assert_eq!(config.refuses_to_listen("127.0.0.1:1".parse().unwrap()), None);
}

#[test]
fn keys_that_need_another() {
    assert_eq!(paths("[assistant]\nengine = \"openai\""), ["assistant.model"]);
    let webhook = format!("[channels.telegram]\ntoken = \"{TOKEN}\"\nreceive = \"webhook\"\n");
    assert!(paths(&webhook).contains(&"server.public_url".to_owned()));
    assert!(paths(&webhook).contains(&"channels.telegram.webhook_secret".to_owned()));
    assert_eq!(paths("[channels.desk]"), ["channels.desk.adapter"]);
    assert_eq!(paths("[channels.slack]"), ["channels.slack.bot_token", "channels.slack.app_token"]);
    assert_eq!(paths("[channels.telegram]"), ["channels.telegram.token"]);
    assert_eq!(paths("[queues.Bad_Name]"), ["queues.Bad_Name"]);
    assert_eq!(
        paths("[queues.a.timers]\nrequester_reminder = \"30min\""),
        ["queues.a.timers.requester_close"]
    );
    assert_eq!(paths("[bus]\nurl = \"nats://x\""), ["bus.url"]);
    assert_eq!(paths("[[technicians]]\nemail = \"a@example.com\""), ["technicians[0].name"]);
    assert_eq!(paths("[[technicians]]\nname = \"李雷\""), ["technicians[0].id"]);
}

#[test]
fn overflow_may_not_go_in_circles() {
    assert_eq!(paths("[queues.a]\noverflow = \"a\""), ["queues.a.overflow"]);
    assert_eq!(
        paths("[queues.a]\noverflow = \"b\"\n[queues.b]\noverflow = \"c\"\n[queues.c]\noverflow = \"b\""),
        ["queues.b.overflow", "queues.c.overflow"]
    );
}

#[test]
fn kinds_are_checked_everywhere() {
    for text in [
        "server = 1",
        "channels = 1",
        "queues = []",
        "technicians = {}",
        "[queues]\na = 1",
        "technicians = [1]",
        "[channels]\ntelegram = true",
        "[queues.a]\ntimers = 1",
        "[queues.a]\nhours = 1",
        "[queues.a]\nhours = [\"x\"]",
        "[queues.a]\nholidays = [\"25.12.2026\"]",
        "[queues.a]\ntimezone = \"Lisbon\"",
        "[queues.a]\nskills = [1]",
        "[server]\nlisten = \"here\"",
        "[server]\npublic_url = \"desk\"",
        "[server]\ntrusted_proxies = [\"10/8\"]",
        "[store]\nurl = \"mysql://x\"",
        "[log]\nlevel = \"a=b=c\"",
        "[log]\nformat = \"xml\"",
        "[tickets]\ndesk = \"x\"",
    ] {
        assert_eq!(faults(text).len(), 1, "{text}: {:#?}", faults(text));
    }
}

#[test]
fn print_says_where_values_come_from_and_loads_again() {
    let config = load_with(
        "[queues.vpn]\npriority = 3\nhours = { mon = \"08:00-18:00\" }\n[[technicians]]\nname = \"Ana\"\nemail = \"a@example.com\"\n",
        &[("DESKBRIDGE__SERVER__LISTEN", ":9000")],
    )
    .unwrap();
    let short = config.print(Show::default());
    assert!(short.contains("listen = \":9000\"   # DESKBRIDGE__SERVER__LISTEN"), "{short}");
    assert!(short.contains("priority = 3   # ") && short.contains("deskbridge.toml:2"), "{short}");
    assert!(!short.contains("default"), "{short}");
    let full = config.print(Show { defaults: true, redact: false });
    assert!(
        full.contains("hours = { ")
            && full.contains("[queues.vpn.timers]\nrequester_reminder = \"10min\"   # default"),
        "{full}"
    );
    assert_eq!(load(&full).policy(), config.policy());
    let redacted = config.print(Show { defaults: true, redact: true });
    assert!(!redacted.contains("Ana") && !redacted.contains("a@example.com"), "{redacted}");
}

#[test]
fn the_hash_names_the_numbers() {
    let hash = |text: &str| load(text).policy_hash();
    assert_eq!(hash(""), hash("[server]\nlisten = \":1\""));
    assert_ne!(hash(""), hash("[desk]\nundo_window = 0"));
    assert_eq!(hash("").len(), 16);
}

#[test]
fn warnings_are_no_faults() {
    let config = load(
        "[server]\nlisten = \":80\"\ntrusted_proxies = [\"0.0.0.0/0\"]\n[queues.vpn]\nhours = \"daily 08:00-18:00\"\nskills = [\"vpn\"]\n[assistant]\nknowledge = \"/nowhere\"",
    );
    let ids: Vec<&str> = config.warnings().iter().map(|warning| warning.id).collect();
    assert_eq!(
        ids,
        [
            "server.public_url",
            "server.trusted_proxies",
            "queues.members",
            "queues.skills",
            "queues.timezone",
            "assistant.knowledge",
        ]
    );
}

#[test]
fn the_example_is_sound_in_short_and_in_full() {
    let with_secrets = |text: String| {
        text.replace("123456789:replace-me", TOKEN)
            .replace("replace-me", "mine")
            .replace("replace-with-", "my-own-")
    };
    assert_eq!(
        paths(&example::assemble()),
        [
            "channels.slack.app_token",
            "channels.slack.bot_token",
            "channels.teams.app_password",
            "channels.telegram.token"
        ],
        "as it is, only its secrets are refused"
    );
    load(&with_secrets(example::assemble()));
    let full = load(&with_secrets(example::in_full()));
    let policy = full.policy();
    assert_eq!(policy.queues.len(), 2);
    assert_eq!(policy.technicians.len(), 1);
    // What it offers as defaults are the defaults.
    let default = Policy::default();
    assert_eq!(policy.queue(&"network".into()).timers, default.queue(&"default".into()).timers);
    assert_eq!((policy.assistant, policy.tickets), (default.assistant, default.tickets));
    assert_eq!((policy.reopen_window, policy.undo_window), (default.reopen_window, default.undo_window));
}

#[test]
fn the_example_has_every_key() {
    let example = example::assemble();
    let offered = |key: &str| {
        example.lines().map(|line| line.trim_start_matches("#= ")).any(|line| {
            line.starts_with(&format!("{key} = "))
                || (line.starts_with('[') && line.trim_matches(['[', ']']).ends_with(&format!(".{key}")))
        })
    };
    for (section, keys) in keys::ALL {
        for key in keys.iter().filter(|key| !matches!(**key, "desks" | "url_file")) {
            assert!(offered(key), "{section}.{key} is not in the example");
        }
    }
    assert!(example.contains("[[channels.telegram.desks]]") && example.contains("url_file"));
    for kit in crate::kits::KITS {
        for key in kit.keys {
            assert!(offered(key), "{} of {} is not in the example", key, kit.name);
        }
    }
}

#[test]
fn the_committed_example_is_current() {
    let committed = include_str!("../../config.example.toml");
    assert_eq!(committed, example::assemble(), "run: cargo xtask generated --write");
}
