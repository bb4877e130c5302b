//! `[queues.X]`: who answers, when, and how long everybody may take.
//!
//! Not here: whether the technicians and queues named exist (`cross.rs`), what opening hours mean (`hours.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use deskbridge_conversation::QueueId;
use deskbridge_conversation::policy::{Allocation, AssistantMode, Timers};
use toml::Table;

use super::hours::Hours;
use super::keys;
use super::loading::Loading;
use super::section::Section;
use super::sections::{MODE, YEAR};

pub const ALLOCATION: &[&str] = &["round-robin", "load-based", "first-accept"];

/// A queue as written; its members come together in `cross.rs`.
#[derive(Clone, Debug)]
pub struct Queue {
    pub path: String,
    pub allocation: Allocation,
    /// Ids or names; `None` when the key is absent, which means everybody who names no queue.
    pub technicians: Option<Vec<String>>,
    pub hours: Hours,
    pub skills: Vec<String>,
    pub priority: u8,
    pub timers: Timers,
    pub overflow: Option<QueueId>,
    pub auto_accept: bool,
    pub mode: Option<AssistantMode>,
}

pub fn queues(load: &mut Loading, tree: &Table) -> BTreeMap<QueueId, Queue> {
    let mut queues = BTreeMap::new();
    for (name, path, table) in load.named("queues", tree.get("queues")) {
        queues.insert(QueueId(name), queue(load, path, table));
    }
    if queues.is_empty() {
        // Without any queue there is one, with everybody in it (D42).
        queues.insert(QueueId::from("default"), queue(load, "queues.default".into(), &Table::new()));
    }
    queues
}

fn queue(load: &mut Loading, path: String, table: &Table) -> Queue {
    let mut section = Section::of(load, &path, Some(table), keys::QUEUE);
    let allocation = section.choice("allocation", ALLOCATION, Allocation::default());
    let technicians = section.has("technicians").then(|| section.texts("technicians"));
    let hours = super::hours::read(&mut section);
    let skills = lower(section.texts("skills"));
    let priority = u8::try_from(section.number("priority", 0, 0..=255)).unwrap_or(u8::MAX);
    let overflow = section.name("overflow").map(QueueId);
    let auto_accept = section.flag("auto_accept", false);
    let mode = section.choice_if_set("mode", MODE);
    let timers = timers(load, &path, table);
    Queue { path, allocation, technicians, hours, skills, priority, timers, overflow, auto_accept, mode }
}

fn timers(load: &mut Loading, path: &str, table: &Table) -> Timers {
    let default = Timers::default();
    let second = Duration::from_secs(1);
    let mut section = Section::open(load, &format!("{path}.timers"), table.get("timers"), keys::TIMERS);
    let timers = Timers {
        requester_reminder: section.time("requester_reminder", default.requester_reminder, second..=YEAR),
        requester_close: section.time("requester_close", default.requester_close, second..=YEAR),
        offer: section.time("offer", default.offer, second..=YEAR),
        max_wait: section.time("max_wait", default.max_wait, second..=YEAR),
        technician_nudge: section.time("technician_nudge", default.technician_nudge, second..=YEAR),
        technician_requeue: section.time("technician_requeue", default.technician_requeue, second..=YEAR),
        offline_grace: section.time("offline_grace", default.offline_grace, Duration::ZERO..=YEAR),
    };
    let pairs = [
        ("requester_close", timers.requester_close, "requester_reminder", timers.requester_reminder),
        ("technician_requeue", timers.technician_requeue, "technician_nudge", timers.technician_nudge),
    ];
    for (late, at, early, before) in pairs {
        if at <= before {
            let got = super::duration::say(at);
            section.fault(
                late,
                format!("longer than {early}, which is {}", super::duration::say(before)),
                got,
            );
        }
    }
    timers
}

/// Skills and languages are compared without regard to capital letters.
pub fn lower(words: Vec<String>) -> Vec<String> {
    words.into_iter().map(|word| word.to_lowercase()).collect()
}
