//! Plays a talk and writes it anew with what was seen.
//!
//! Not here: what people do (`acts`), what happens to them (`orders`), how a change reads (`seen`).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_services::assistant::Assistant;

use super::puppet::Puppet;
use super::seen::Watch;
use super::{acts, orders};
use crate::harness::Town;

/// Long enough for a burst, an answer and the undo window.
const SETTLE: Duration = Duration::from_secs(8);

/// A town with somebody who watches it, and the assistant's strings where it is a puppet.
pub struct Play {
    pub town: Town,
    pub puppet: Puppet,
    watch: Watch,
}

/// The talk with everything that was seen in it now.
pub fn run(text: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(play(text))
}

/// The lines that differ, each with its number.
pub fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&str], sign: char| -> String {
        lines
            .iter()
            .enumerate()
            .skip(same)
            .take(14)
            .map(|(n, line)| format!("{sign}{:>4} {line}\n", n + 1))
            .collect()
    };
    format!("{}{}", show(&old, '-'), show(&new, '+'))
}

impl Play {
    /// `head`: the configuration. Without knowledge in it, the assistant is a puppet.
    pub async fn begin(head: &str) -> Play {
        let puppet = Puppet::default();
        let knowledge = crate::harness::knowledge();
        let config = head.replace("KNOWLEDGE", &knowledge.display().to_string());
        let engine: Option<Arc<dyn Assistant>> =
            (!head.contains("KNOWLEDGE")).then(|| Arc::new(puppet.clone()) as _);
        let town = Town::build_with(&config, engine).await;
        let watch = Watch::new(&town);
        Play { town, puppet, watch }
    }

    /// Carries out one step and says what became visible by it.
    pub async fn step(&mut self, step: &str) -> Vec<String> {
        let mut shown = Vec::new();
        if let Some(time) = step.strip_prefix("...") {
            tokio::time::sleep(orders::time(time.trim())).await;
        } else if let Some((who, said)) = step.split_once(" >> ") {
            // At once: the next step does not wait for what comes of this one.
            acts::act(&self.town, who.trim(), said.trim()).await;
            return shown;
        } else if let Some((who, said)) = step.split_once(" > ") {
            acts::act(&self.town, who.trim(), said.trim()).await;
            tokio::time::sleep(SETTLE).await;
        } else {
            shown = orders::carry_out(self, step).await;
            tokio::time::sleep(SETTLE).await;
        }
        self.watch.typing = step.ends_with("> types");
        let mut seen = self.watch.changes();
        seen.append(&mut shown);
        seen
    }

    pub async fn end(self) {
        if let Some(running) = &self.town.running {
            running.bridge.shutdown().await;
        }
    }
}

async fn play(text: &str) -> String {
    let (head, body) = split(text);
    let mut play = Play::begin(&format!("{head}\n")).await;
    let mut out = String::new();
    if text.starts_with("---") {
        out.push_str("---\n");
        out.push_str(&head);
        out.push_str("---\n");
    }
    for line in body.lines() {
        let step = line.trim();
        if is_seen(step) {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if step.is_empty() || step.starts_with('#') {
            continue;
        }
        for seen in play.step(step).await {
            out.push_str(&seen);
            out.push('\n');
        }
    }
    play.end().await;
    out
}

fn split(text: &str) -> (String, String) {
    match text.strip_prefix("---\n").and_then(|rest| rest.split_once("---\n")) {
        Some((head, body)) => (head.to_owned(), body.to_owned()),
        None => (String::new(), text.to_owned()),
    }
}

fn is_seen(step: &str) -> bool {
    !step.starts_with('#')
        && step.split_once(" < ").is_some_and(|(place, _)| place.contains('@') && !place.contains('>'))
}
