//! The app's manifest: everything that Slack has to be told of deskbridge, in one file that a person pastes or follows.
//!
//! Not here: whether an installed app agrees with it (`doctor.rs`).

use std::net::IpAddr;

use deskbridge_contract::ChannelName;
use serde_json::{Map, Value, json};
use url::Url;

/// Where a new app is made from a manifest ("Configuring apps with app manifests").
const NEW_APP: &str = "https://api.slack.com/apps?new_app=1";

/// A bot scope, what it is for, and whether everything else works without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub name: &'static str,
    pub purpose: &'static str,
    pub optional: bool,
}

const fn needed(name: &'static str, purpose: &'static str) -> Scope {
    Scope { name, purpose, optional: false }
}

const fn extra(name: &'static str, purpose: &'static str) -> Scope {
    Scope { name, purpose, optional: true }
}

/// Every bot scope that is asked for, and why.
pub(crate) const SCOPES: [Scope; 21] = [
    needed("app_mentions:read", "hears @mentions in channels"),
    extra("assistant:write", "has a place in Slack's top bar, and suggests what to ask"),
    needed("channels:history", "reads messages and threads of public channels it is in"),
    extra("channels:join", "joins a public desk channel by itself"),
    needed("channels:read", "knows public channels by name, and whether it is in them"),
    needed("chat:write", "posts, edits and deletes its own messages"),
    needed("chat:write.customize", "shows requesters' words under their own names"),
    needed("commands", "takes /desk and the shortcuts"),
    needed("files:read", "brings files from Slack to the other side"),
    needed("files:write", "brings files to Slack"),
    needed("groups:history", "reads messages and threads of private channels it is in"),
    needed("groups:read", "knows private channels it is in"),
    needed("im:history", "reads direct messages to it"),
    extra("im:read", "finds who wrote for the first time while it could not be reached"),
    needed("im:write", "opens direct messages"),
    extra("links:read", "sees links to conversations and tickets"),
    extra("links:write", "unfolds those links"),
    needed("reactions:read", "hears reactions on cards"),
    needed("reactions:write", "marks messages as delivered, seen, kept internal"),
    needed("users:read", "knows people's names, and guests from colleagues"),
    needed("users:read.email", "finds technicians by their e-mail"),
];

/// Events of the Events API, and whether everything else works without them.
const EVENTS: [(&str, bool); 23] = [
    ("app_home_opened", false),
    ("app_mention", false),
    ("app_uninstalled", false),
    ("channel_archive", false),
    ("channel_deleted", false),
    ("channel_id_changed", false),
    ("channel_left", false),
    ("channel_rename", false),
    ("channel_unarchive", false),
    ("group_archive", false),
    ("group_deleted", false),
    ("group_left", false),
    ("group_rename", false),
    ("group_unarchive", false),
    ("link_shared", true),
    ("member_joined_channel", false),
    ("member_left_channel", false),
    ("message.channels", false),
    ("message.groups", false),
    ("message.im", false),
    ("reaction_added", false),
    ("reaction_removed", false),
    ("tokens_revoked", false),
];

/// What the manifest is for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Events come by HTTP to this address, `https://desk.example/hooks/slack`; without one, by Socket Mode.
    pub request_url: Option<Url>,
    /// Without what is only comfort: 16 scopes instead of 21.
    pub minimal: bool,
    /// Whose links are unfolded: the host of deskbridge's own public address.
    pub link_domain: Option<String>,
}

impl Wish {
    /// `http`: deskbridge's public address, where events are to come to it; `public_url`: the same, where it is known but
    /// events come by Socket Mode.
    ///
    /// # Errors
    /// In words, when `http` is no address to which Slack would bring events.
    pub fn new(
        http: Option<&str>,
        channel: &ChannelName,
        public_url: Option<&str>,
        minimal: bool,
    ) -> Result<Wish, String> {
        let request_url = match http {
            None => None,
            Some(text) => {
                let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
                let hook = url.and_then(|url| crate::hook(url, channel));
                Some(hook.ok_or(
                    "Slack brings events to https only; give deskbridge's public address, https://…",
                )?)
            }
        };
        let own = request_url.clone().or_else(|| Url::parse(public_url?).ok());
        Ok(Wish { link_domain: own.as_ref().and_then(domain), request_url, minimal })
    }
}

/// Slack unfolds links of real domains only.
fn domain(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    (host.contains('.') && host.parse::<IpAddr>().is_err()).then(|| host.to_owned())
}

/// The manifest, and the address that brings it into Slack's form for new apps.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub json: Value,
    pub link: Url,
}

impl Manifest {
    pub fn new(wish: &Wish) -> Manifest {
        let json = json(wish);
        // The constant is an address, and stays one with a query more.
        let mut link = Url::parse(NEW_APP).unwrap_or_else(|_| unreachable!("a constant"));
        link.query_pairs_mut().append_pair("manifest_json", &json.to_string());
        Manifest { json, link }
    }
}

fn json(wish: &Wish) -> Value {
    let scopes: Vec<&str> =
        SCOPES.iter().filter(|scope| !(wish.minimal && scope.optional)).map(|scope| scope.name).collect();
    json!({
        "_metadata": { "major_version": 2 },
        "display_information": {
            "name": "IT Desk",
            "description": "Chat with IT, from anywhere",
            "background_color": "#1f2937",
        },
        "features": features(wish),
        "oauth_config": { "scopes": { "bot": scopes } },
        "settings": settings(wish),
    })
}

fn features(wish: &Wish) -> Value {
    let shortcut = |name: &str, kind: &str, id: &str, description: &str| json!({ "name": name, "type": kind, "callback_id": id, "description": description });
    let mut command = json!({
        "command": "/desk",
        "description": "Ask IT, see status, go on/off duty",
        "usage_hint": "[question|status|on|off]",
        "should_escape": true,
    });
    if let Some(url) = &wish.request_url {
        command["url"] = url.as_str().into();
    }
    let mut features = json!({
        "bot_user": { "display_name": "IT Desk", "always_online": true },
        "app_home": {
            "home_tab_enabled": true,
            "messages_tab_enabled": true,
            "messages_tab_read_only_enabled": false,
        },
        "slash_commands": [command],
        "shortcuts": [
            shortcut("Ask IT", "global", "ask", "Start a request"),
            shortcut("Create ticket", "message", "ticket", "Turn this message into a ticket"),
            shortcut("Summarise thread", "message", "summary", "Summary only you can see"),
        ],
    });
    if !wish.minimal {
        let prompt = |title: &str, message: &str| json!({ "title": title, "message": message });
        features["agent_view"] = json!({
            "agent_description": "Ask IT. AI answers first, a technician takes over when needed.",
            "suggested_prompts": [
                prompt("VPN does not connect", "My VPN does not connect"),
                prompt("Reset my password", "I need a password reset"),
                prompt("Talk to a technician", "Talk to a technician"),
            ],
        });
        if let Some(domain) = &wish.link_domain {
            features["unfurl_domains"] = json!([domain]);
        }
    }
    features
}

fn settings(wish: &Wish) -> Value {
    let events: Vec<&str> =
        EVENTS.iter().filter(|(_, extra)| !(wish.minimal && *extra)).map(|(name, _)| *name).collect();
    let mut subscriptions = Map::new();
    let mut interactivity = Map::new();
    interactivity.insert("is_enabled".into(), true.into());
    if let Some(url) = &wish.request_url {
        subscriptions.insert("request_url".into(), url.as_str().into());
        interactivity.insert("request_url".into(), url.as_str().into());
    }
    subscriptions.insert("bot_events".into(), json!(events));
    json!({
        "socket_mode_enabled": wish.request_url.is_none(),
        "interactivity": interactivity,
        "event_subscriptions": subscriptions,
        "org_deploy_enabled": false,
        "token_rotation_enabled": false,
    })
}

/// In what an app's manifest falls short of ours, in words; empty where it has everything.
pub(crate) fn drift(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    let lists = [
        ("scope", "/oauth_config/scopes/bot", ""),
        ("event", "/settings/event_subscriptions/bot_events", ""),
        ("command", "/features/slash_commands", "command"),
        ("shortcut", "/features/shortcuts", "callback_id"),
    ];
    for (what, at, key) in lists {
        let there = names(theirs, at, key);
        missing.extend(
            names(ours, at, key).into_iter().filter(|n| !there.contains(n)).map(|n| format!("{what} {n}")),
        );
    }
    let switches = [
        ("Socket Mode", "/settings/socket_mode_enabled"),
        ("interactivity", "/settings/interactivity/is_enabled"),
        ("the Home tab", "/features/app_home/home_tab_enabled"),
        ("the Messages tab", "/features/app_home/messages_tab_enabled"),
    ];
    for (what, at) in switches {
        if ours.pointer(at) == Some(&Value::Bool(true)) && theirs.pointer(at) != Some(&Value::Bool(true)) {
            missing.push(format!("{what} is off"));
        }
    }
    if theirs.pointer("/features/app_home/messages_tab_read_only_enabled") == Some(&Value::Bool(true)) {
        missing.push("the Messages tab is read-only".into());
    }
    if ours.pointer("/settings/socket_mode_enabled") == Some(&Value::Bool(false)) {
        let url =
            |manifest: &Value, at: &str| manifest.pointer(at).and_then(Value::as_str).map(str::to_owned);
        for at in ["/settings/event_subscriptions/request_url", "/settings/interactivity/request_url"] {
            if url(ours, at) != url(theirs, at) {
                missing.push(format!("another {}", at.trim_start_matches("/settings/").replace('/', ".")));
            }
        }
    }
    missing
}

fn names(manifest: &Value, at: &str, key: &str) -> Vec<String> {
    let all = manifest.pointer(at).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |one: &Value| if key.is_empty() { one.as_str() } else { one[key].as_str() }.map(str::to_owned);
    all.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot_scopes(manifest: &Value) -> Vec<String> {
        names(manifest, "/oauth_config/scopes/bot", "")
    }

    #[test]
    fn socket_mode() {
        let manifest = Manifest::new(&Wish::default());
        assert_eq!(manifest.json["settings"]["socket_mode_enabled"], true);
        assert_eq!(bot_scopes(&manifest.json).len(), 21);
        assert!(!manifest.json.to_string().contains("request_url"));
        insta::assert_json_snapshot!(manifest.json);
    }

    #[test]
    fn wishes() {
        let wish = |http, public| Wish::new(http, &"slack-acme".into(), public, false);
        let http = wish(Some("https://desk.example/x/?a#b"), None).unwrap();
        assert_eq!(http.request_url.unwrap().as_str(), "https://desk.example/x/hooks/slack-acme");
        assert_eq!(http.link_domain.as_deref(), Some("desk.example"));
        let socket = wish(None, Some("https://desk.example")).unwrap();
        assert_eq!((socket.request_url, socket.link_domain.as_deref()), (None, Some("desk.example")));
        let features =
            Manifest::new(&wish(None, Some("https://desk.example")).unwrap()).json["features"].clone();
        assert_eq!(features["unfurl_domains"], json!(["desk.example"]));
        for here in ["http://localhost:8080", "http://127.0.0.1:8080", "", "http://[::1]"] {
            assert_eq!(wish(None, Some(here)).unwrap().link_domain, None, "{here}");
        }
        for bad in ["http://desk.example", "desk.example", "ftp://desk.example", "", "data:x"] {
            assert!(wish(Some(bad), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn by_http() {
        let request_url = Some(Url::parse("https://desk.example/hooks/slack").unwrap());
        let manifest = Manifest::new(&Wish { request_url, ..Wish::default() }).json;
        let hook = "https://desk.example/hooks/slack";
        assert_eq!(manifest["settings"]["socket_mode_enabled"], false);
        assert_eq!(manifest["settings"]["event_subscriptions"]["request_url"], hook);
        assert_eq!(manifest["settings"]["interactivity"]["request_url"], hook);
        assert_eq!(manifest["features"]["slash_commands"][0]["url"], hook);
    }

    #[test]
    fn minimal() {
        let manifest = Manifest::new(&Wish { minimal: true, ..Wish::default() }).json;
        assert_eq!(bot_scopes(&manifest).len(), 16);
        let text = manifest.to_string();
        for gone in ["assistant:write", "channels:join", "links:", "link_shared", "agent_view", "unfurl"] {
            assert!(!text.contains(gone), "{gone}");
        }
    }

    /// An address that a browser and a mail program still take.
    #[test]
    fn the_link_brings_the_manifest() {
        let manifest = Manifest::new(&Wish::default());
        let carried = manifest.link.query_pairs().find(|(key, _)| key == "manifest_json").unwrap().1;
        assert_eq!(serde_json::from_str::<Value>(&carried).unwrap(), manifest.json);
        assert!(manifest.link.as_str().len() < 4000, "{}", manifest.link.as_str().len());
        assert!(manifest.link.as_str().starts_with("https://api.slack.com/apps?new_app=1&manifest_json="));
    }

    /// What ends the channel is heard of, also by the smallest app.
    #[test]
    fn the_end_is_told() {
        for minimal in [false, true] {
            let manifest = Manifest::new(&Wish { minimal, ..Wish::default() }).json;
            let events = names(&manifest, "/settings/event_subscriptions/bot_events", "");
            for end in ["app_uninstalled", "tokens_revoked"] {
                assert!(events.iter().any(|event| event == end), "{end}, minimal: {minimal}");
            }
        }
    }

    #[test]
    fn drifting_apart() {
        let ours = Manifest::new(&Wish::default()).json;
        assert_eq!(drift(&ours, &ours), Vec::<String>::new());
        let mut theirs = ours.clone();
        theirs["oauth_config"]["scopes"]["bot"].as_array_mut().unwrap().retain(|s| s != "files:read");
        theirs["settings"]["event_subscriptions"]["bot_events"]
            .as_array_mut()
            .unwrap()
            .retain(|event| event != "app_home_opened" && event != "tokens_revoked");
        theirs["settings"]["socket_mode_enabled"] = false.into();
        theirs["features"]["app_home"]["messages_tab_read_only_enabled"] = true.into();
        theirs["features"].as_object_mut().unwrap().remove("slash_commands");
        assert_eq!(
            drift(&ours, &theirs),
            [
                "scope files:read",
                "event app_home_opened",
                "event tokens_revoked",
                "command /desk",
                "Socket Mode is off",
                "the Messages tab is read-only"
            ]
        );
        assert_eq!(drift(&ours, &Value::Null).len(), 21 + 23 + 1 + 3 + 4);
        let request_url = Some(Url::parse("https://desk.example/hooks/slack").unwrap());
        let http = Manifest::new(&Wish { request_url, ..Wish::default() }).json;
        assert_eq!(
            drift(&http, &ours),
            ["another event_subscriptions.request_url", "another interactivity.request_url"]
        );
    }

    /// What Slack wants of every method that is called anywhere in this adapter ("Methods", each page's Scopes).
    const METHODS: [(&str, &[&str]); 32] = [
        ("apps.connections.open", &[]),
        ("apps.manifest.export", &[]),
        ("assistant.threads.setStatus", &["assistant:write"]),
        ("assistant.threads.setSuggestedPrompts", &["assistant:write"]),
        ("auth.test", &[]),
        ("bots.info", &["users:read"]),
        ("chat.appendStream", &["chat:write"]),
        ("chat.delete", &["chat:write"]),
        ("chat.postEphemeral", &["chat:write"]),
        ("chat.postMessage", &["chat:write", "chat:write.customize"]),
        ("chat.startStream", &["chat:write"]),
        ("chat.stopStream", &["chat:write"]),
        ("chat.unfurl", &["links:write", "links:read"]),
        ("chat.update", &["chat:write"]),
        ("conversations.history", &["channels:history", "groups:history", "im:history"]),
        ("conversations.info", &["channels:read", "groups:read"]),
        ("conversations.join", &["channels:join"]),
        ("conversations.open", &["im:write"]),
        ("conversations.replies", &["channels:history", "groups:history", "im:history"]),
        ("files.completeUploadExternal", &["files:write"]),
        ("files.getUploadURLExternal", &["files:write"]),
        ("files.info", &["files:read"]),
        ("oauth.v2.access", &[]),
        ("reactions.add", &["reactions:write"]),
        ("reactions.get", &["reactions:read"]),
        ("reactions.remove", &["reactions:write"]),
        ("users.conversations", &["channels:read", "groups:read", "im:read"]),
        ("users.getPresence", &["users:read"]),
        ("users.info", &["users:read"]),
        ("views.open", &[]),
        ("views.update", &[]),
        ("views.publish", &[]),
    ];

    /// Method names in the sources, found by their look: a family, a dot, and a name in camel case.
    fn called() -> Vec<String> {
        fn walk(folder: &std::path::Path, text: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, text);
                } else if path.extension().is_some_and(|ending| ending == "rs")
                    && !path.to_string_lossy().contains("tests")
                    && path.file_name().is_some_and(|name| name != "manifest.rs")
                {
                    let source = std::fs::read_to_string(path).unwrap();
                    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
                    text.extend(code.flat_map(|line| [line, "\n"]));
                }
            }
        }
        let mut text = String::new();
        walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        let families = [
            "apps",
            "assistant",
            "auth",
            "bots",
            "chat",
            "conversations",
            "files",
            "oauth",
            "reactions",
            "team",
            "users",
            "views",
        ];
        let mut found: Vec<String> = text
            .split('"')
            .filter(|word| {
                families.iter().any(|family| word.strip_prefix(family).is_some_and(|r| r.starts_with('.')))
            })
            .filter(|word| word.len() < 48 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.'))
            .map(str::to_owned)
            .collect();
        found.sort();
        found.dedup();
        found
    }

    #[test]
    fn every_scope_that_a_call_needs_is_asked_for() {
        let called = called();
        assert!(called.len() > 20, "{called:?}");
        for method in &called {
            let Some((_, scopes)) = METHODS.iter().find(|(known, _)| known == method) else {
                panic!("{method} is called, and nobody said which scopes it needs");
            };
            for scope in *scopes {
                assert!(SCOPES.iter().any(|known| known.name == *scope), "{method} needs {scope}");
            }
        }
        // What a minimal app does without must be refused gracefully where it is called: these are the ones.
        let optional: Vec<&str> = METHODS
            .iter()
            .filter(|(_, scopes)| scopes.iter().any(|s| SCOPES.iter().any(|k| k.name == *s && k.optional)))
            .map(|(method, _)| *method)
            .collect();
        assert_eq!(
            optional,
            [
                "assistant.threads.setStatus",
                "assistant.threads.setSuggestedPrompts",
                "chat.unfurl",
                "conversations.join",
                "users.conversations"
            ]
        );
    }
}
