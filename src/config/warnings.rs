//! What is allowed but deserves a second look before it is relied on.
//!
//! Not here: faults, which keep the program from starting; live checks (`cli/doctor`).

use std::path::Path;

use serde::Serialize;

use super::Config;
use super::sections::Engine;

/// Something to look at: what, why it matters, what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    pub id: &'static str,
    pub what: String,
    pub why: &'static str,
    pub fix: String,
}

pub fn find(config: &Config) -> Vec<Warning> {
    let mut found = Vec::new();
    found.extend(modes(config));
    found.extend(addresses(config));
    found.extend(people(config));
    found.extend(channels(config));
    found.extend(assistant(config));
    found
}

fn modes(config: &Config) -> Vec<Warning> {
    let inside = config.file.iter().filter(|_| config.secrets_inside);
    let files = inside.chain(&config.secret_files).filter(|path| is_open(path));
    files
        .map(|path| Warning {
            id: "secrets.mode",
            what: format!("{} holds a secret and every user of this machine can read it", path.display()),
            why: "whoever reads it can write to your requesters in the bridge's name",
            fix: format!("chmod 600 {}", path.display()),
        })
        .collect()
}

/// Readable for all users of the machine.
#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open(_path: &Path) -> bool {
    false
}

fn addresses(config: &Config) -> Vec<Warning> {
    let server = &config.server;
    let mut found = Vec::new();
    if !server.listen.ip().is_loopback() && server.public_url.is_none() {
        found.push(Warning {
            id: "server.public_url",
            what: format!("listening on {} without server.public_url", server.listen),
            why: "links that are sent to people would lead nowhere",
            fix: "set server.public_url to the address that people use, or listen on 127.0.0.1".into(),
        });
    }
    if server.public_url.as_deref().is_some_and(|url| url.starts_with("http://") && !is_local(url)) {
        found.push(Warning {
            id: "server.public_url",
            what: "server.public_url is not https".into(),
            why: "platforms refuse to deliver to it, and tokens would travel in the open",
            fix: "put a proxy with a certificate in front, and set server.public_url to its https address"
                .into(),
        });
    }
    if server.trusted_proxies.iter().any(|network| network.bits == 0) {
        found.push(Warning {
            id: "server.trusted_proxies",
            what: "server.trusted_proxies holds every address".into(),
            why: "anybody can claim any address, so limits per address hold nobody back",
            fix: "list only your proxies".into(),
        });
    }
    found
}

fn is_local(url: &str) -> bool {
    let host = url.trim_start_matches("http://").split(['/', ':']).next().unwrap_or_default();
    matches!(host, "localhost" | "127.0.0.1" | "[")
}

fn people(config: &Config) -> Vec<Warning> {
    let mut found = Vec::new();
    for (name, members) in &config.members {
        if members.is_empty() {
            found.push(Warning {
                id: "queues.members",
                what: format!("nobody is in the queue {name}"),
                why: "its conversations wait until max_wait and nobody is asked",
                fix: format!("add `queues = [\"{name}\"]` to a technician, or `technicians` to the queue"),
            });
        }
    }
    for (name, queue) in &config.queues {
        let skilled = |skill: &String| config.technicians.iter().any(|t| t.skills.contains(skill));
        for skill in queue.skills.iter().filter(|skill| !skilled(skill)) {
            found.push(Warning {
                id: "queues.skills",
                what: format!("nobody has the skill {skill:?} that the queue {name} asks for"),
                why: "no conversation of this queue can be offered to anybody",
                fix: format!("add it to a technician's `skills`, or take it from queues.{name}.skills"),
            });
        }
        if !queue.hours.is_always() && !config.is_set(&queue.path, "timezone") {
            found.push(Warning {
                id: "queues.timezone",
                what: format!("the queue {name} has hours but no timezone"),
                why: "they are taken as UTC",
                fix: format!("set queues.{name}.timezone, like \"Europe/Lisbon\""),
            });
        }
    }
    found
}

fn channels(config: &Config) -> Vec<Warning> {
    let idle = config.channels.iter().filter(|(_, channel)| !channel.requesters && channel.desks.is_empty());
    idle.map(|(name, channel)| Warning {
        id: "channels.idle",
        what: format!("the channel {name} carries neither requesters nor a desk"),
        why: "whatever is written there is ignored",
        fix: format!("set {0}.requesters = true, or add [{0}.desk]", channel.path),
    })
    .collect()
}

fn assistant(config: &Config) -> Vec<Warning> {
    let assistant = &config.assistant;
    let mut found = Vec::new();
    if assistant.engine == Engine::Knowledge && !assistant.knowledge.is_dir() {
        found.push(Warning {
            id: "assistant.knowledge",
            what: format!("there is no folder {}", assistant.knowledge.display()),
            why: "the assistant has nothing to answer from and hands everything over",
            fix: "set assistant.knowledge to a folder of Markdown articles, or assistant.engine = \"off\""
                .into(),
        });
    }
    if assistant.engine == Engine::Off && config.queues.values().any(|queue| queue.mode.is_some()) {
        found.push(Warning {
            id: "assistant.engine",
            what: "assistant.engine is \"off\", but a queue has a mode".into(),
            why: "the queue's mode has no effect",
            fix: "remove the queue's mode, or choose an engine".into(),
        });
    }
    found
}
