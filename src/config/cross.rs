//! What can only be checked once all sections are read: names that must exist, things that must be there once.
//!
//! Not here: faults of a single key.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use deskbridge_contract::ChannelName;
use deskbridge_conversation::{QueueId, TechnicianId};

use super::channels::Channel;
use super::fault::nearest;
use super::loading::{Loading, is_name};
use super::queues::Queue;
use super::technicians::{Technician, slug};

/// Queue to members, in the order of allocation.
pub type Members = BTreeMap<QueueId, Vec<TechnicianId>>;

/// Everything that other sections point at.
pub struct Everything<'a> {
    pub channels: &'a BTreeMap<ChannelName, Channel>,
    pub queues: &'a BTreeMap<QueueId, Queue>,
    pub technicians: &'a [Technician],
    pub public_url: bool,
    pub listen: SocketAddr,
}

/// Adds a fault for everything that does not fit together, and brings queues and technicians together.
pub fn check(load: &mut Loading, all: &Everything<'_>) -> Members {
    channels(load, all);
    overflows(load, all);
    unique(load, all);
    identities(load, all);
    members(load, all)
}

fn channels(load: &mut Loading, all: &Everything<'_>) {
    let mut rooms = BTreeSet::new();
    for (name, channel) in all.channels {
        if let Some(queue) = &channel.queue {
            queue_exists(load, all, format!("{}.queue", channel.path), queue);
        }
        if channel.webhook && !all.public_url && !channel.own.has("public_url") {
            let how = channel.own.text("receive").unwrap_or_default();
            let expected = format!("an https address, because {}.receive = {how:?}", channel.path);
            load.fault("server.public_url", expected, "nothing");
        }
        if let Some((path, what)) = unsigned(channel, all.listen) {
            load.fault(path, what, "true");
        }
        for (path, desk) in &channel.desks {
            for queue in &desk.queues {
                queue_exists(load, all, format!("{path}.queues"), queue);
            }
            if !rooms.insert((name, &desk.room)) {
                load.fault(
                    format!("{path}.room"),
                    "a room that is no other desk of this channel",
                    "the same room twice",
                );
            }
        }
    }
}

/// A channel that takes what nobody signed, where others than this machine could bring it: its key, and what is expected.
pub fn unsigned(channel: &Channel, listen: SocketAddr) -> Option<(String, String)> {
    let key = channel.unsigned.filter(|_| !listen.ip().to_canonical().is_loopback())?;
    let what = format!(
        "false: events are taken without a signature, and server.listen = \"{listen}\" is reachable by others; \
         listen on 127.0.0.1 for it"
    );
    Some((format!("{}.{key}", channel.path), what))
}

fn queue_exists(load: &mut Loading, all: &Everything<'_>, path: String, queue: &QueueId) {
    if all.queues.contains_key(queue) {
        return;
    }
    let names: Vec<&str> = all.queues.keys().map(QueueId::as_str).collect();
    let near = nearest(queue.as_str(), names.iter().copied());
    load.fault_near(
        path,
        format!("a queue that exists: {}", names.join(", ")),
        format!("{:?}", queue.as_str()),
        near,
    );
}

fn overflows(load: &mut Loading, all: &Everything<'_>) {
    for (name, queue) in all.queues {
        let Some(overflow) = &queue.overflow else { continue };
        let path = format!("{}.overflow", queue.path);
        queue_exists(load, all, path.clone(), overflow);
        // Whoever waits too long would go round for ever.
        let mut at = overflow;
        for _ in 0..all.queues.len() {
            if at == name {
                load.fault(path, "a queue that does not lead back here", format!("{:?}", overflow.as_str()));
                break;
            }
            match all.queues.get(at).and_then(|queue| queue.overflow.as_ref()) {
                Some(next) => at = next,
                None => break,
            }
        }
    }
}

/// Ids, e-mail addresses and identities belong to one technician.
fn unique(load: &mut Loading, all: &Everything<'_>) {
    let mut ids = BTreeSet::new();
    let mut emails = BTreeSet::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for technician in all.technicians {
        if !ids.insert(&technician.id) {
            let expected = "an id of their own; without `id` it is made from the name";
            load.fault(
                format!("{}.id", technician.path),
                expected,
                format!("{:?} again", technician.id.as_str()),
            );
        }
        if let Some(email) = &technician.email
            && !emails.insert(email)
        {
            load.fault(
                format!("{}.email", technician.path),
                "an address that no other technician has",
                "the same again",
            );
        }
        for (n, identity) in technician.identities.iter().enumerate() {
            if let Some(owner) = owners.insert(identity, &technician.name) {
                let path = format!("{}.identities[{n}]", technician.path);
                load.fault(path, "an identity that nobody else has", format!("the same as of {owner}"));
            }
        }
    }
}

fn identities(load: &mut Loading, all: &Everything<'_>) {
    let names: Vec<&str> = all.channels.keys().map(ChannelName::as_str).collect();
    for technician in all.technicians {
        for (n, identity) in technician.identities.iter().enumerate() {
            let path = format!("{}.identities[{n}]", technician.path);
            let expected = "`<channel>:<id on that platform>`, like \"telegram:123456789\"";
            match identity.split_once(':') {
                Some((channel, id)) if !id.trim().is_empty() && is_name(channel) => {
                    // A channel with faults of its own is not in the list; its users' identities are no faults.
                    let written =
                        load.tree.table.get("channels").and_then(|channels| channels.get(channel)).is_some();
                    if !names.contains(&channel) && !written {
                        let near = nearest(channel, names.iter().copied());
                        load.fault_near(
                            path,
                            "the name of a channel before the `:`",
                            format!("{channel:?}"),
                            near,
                        );
                    }
                }
                _ => load.fault(path, expected, format!("{identity:?}")),
            }
        }
    }
}

/// A queue's members: whom it names, who names it, and, when it names nobody, everybody who names no queue.
fn members(load: &mut Loading, all: &Everything<'_>) -> Members {
    let mut members: Members = all.queues.keys().map(|queue| (queue.clone(), Vec::new())).collect();
    for (name, queue) in all.queues {
        let here = members.entry(name.clone()).or_default();
        for (n, written) in queue.technicians.iter().flatten().enumerate() {
            match find(all.technicians, written) {
                Some(technician) => join(here, &technician.id),
                None => {
                    let path = format!("{}.technicians[{n}]", queue.path);
                    let known = all.technicians.iter().flat_map(|t| [t.id.as_str(), t.name.as_str()]);
                    let near = nearest(written, known);
                    load.fault_near(path, "the id or the name of a technician", format!("{written:?}"), near);
                }
            }
        }
        if queue.technicians.is_none() {
            for technician in all.technicians.iter().filter(|technician| technician.queues.is_empty()) {
                join(here, &technician.id);
            }
        }
    }
    for technician in all.technicians {
        for (n, queue) in technician.queues.iter().enumerate() {
            match members.get_mut(queue) {
                Some(here) => join(here, &technician.id),
                None => queue_exists(load, all, format!("{}.queues[{n}]", technician.path), queue),
            }
        }
    }
    members
}

fn join(members: &mut Vec<TechnicianId>, technician: &TechnicianId) {
    if !members.contains(technician) {
        members.push(technician.clone());
    }
}

fn find<'a>(technicians: &'a [Technician], written: &str) -> Option<&'a Technician> {
    let by_id = technicians.iter().find(|technician| technician.id.as_str() == written);
    by_id.or_else(|| {
        let slug = slug(written);
        technicians.iter().find(|technician| {
            technician.name.to_lowercase() == written.to_lowercase() || technician.id.as_str() == slug
        })
    })
}
