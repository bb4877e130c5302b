//! How a change on a platform reads, as one line.
//!
//! Not here: steps.

use std::collections::HashMap;

use deskbridge_contract::{CardState, Mark};
use deskbridge_sim::{Author, Change, Live, Message};
use tokio::sync::broadcast;

use crate::harness::Town;

pub struct Watch {
    channels: Vec<(String, broadcast::Receiver<Live>)>,
    known: HashMap<(String, String, String), Message>,
    /// Threads in the order of their appearance, per channel.
    threads: HashMap<String, Vec<String>>,
    titles: HashMap<(String, String), String>,
}

impl Watch {
    pub fn new(town: &Town) -> Self {
        Watch {
            channels: town.worlds.iter().map(|(name, world)| (name.clone(), world.subscribe())).collect(),
            known: HashMap::new(),
            threads: HashMap::new(),
            titles: HashMap::new(),
        }
    }

    /// Everything that became visible since the last call, channel by channel, in order.
    pub fn changes(&mut self, _town: &Town) -> Vec<String> {
        let mut lines = Vec::new();
        let mut channels = std::mem::take(&mut self.channels);
        for (name, live) in &mut channels {
            while let Ok(next) = live.try_recv() {
                self.read(name, next.change, &mut lines);
            }
        }
        self.channels = channels;
        lines
    }

    fn number(&mut self, channel: &str, thread: &str) -> usize {
        let threads = self.threads.entry(channel.to_owned()).or_default();
        match threads.iter().position(|known| known == thread) {
            Some(at) => at + 1,
            None => {
                threads.push(thread.to_owned());
                threads.len()
            }
        }
    }

    fn read(&mut self, channel: &str, change: Change, lines: &mut Vec<String>) {
        match change {
            Change::Message { room, message } => {
                let place = match &message.thread {
                    Some(thread) => {
                        let n = self.number(channel, thread.as_str());
                        format!("desk@{channel}#{n}")
                    }
                    None => format!("{}@{channel}", room.as_str().trim_start_matches("dm-").trim_start_matches("dm:")),
                };
                let key = (channel.to_owned(), room.0.clone(), message.id.0.clone());
                let before = self.known.insert(key, (*message).clone());
                for said in difference(before.as_ref(), &message) {
                    lines.push(format!("{place} < {said}"));
                }
            }
            Change::Thread { thread, .. } => {
                let n = self.number(channel, thread.id.as_str());
                let state = if thread.deleted { " (deleted)" } else if thread.closed { " (closed)" } else { "" };
                let title = format!("{}{state}", thread.title.text);
                let key = (channel.to_owned(), thread.id.0.clone());
                if self.titles.insert(key, title.clone()).as_ref() != Some(&title) {
                    lines.push(format!("desk@{channel}#{n} < = {title}"));
                }
            }
            Change::Whisper { whisper } => {
                let n = whisper.thread.as_ref().map_or(0, |thread| self.number(channel, thread.as_str()));
                let buttons = buttons(&whisper.content.actions);
                lines.push(format!("{}@{channel}#{n} < (whisper) {}{buttons}", whisper.to, one_line(&whisper.content.text)));
            }
            Change::Toast { toast } => lines.push(format!("{}@{channel} < (toast) {}", toast.to, one_line(&toast.text))),
            Change::Typing { .. } | Change::Room { .. } => {}
        }
    }
}

fn buttons(actions: &[deskbridge_contract::Action]) -> String {
    actions.iter().map(|action| format!("  [{}]", action.label)).collect()
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ⏎ ")
}

fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Delivered => "📨",
        Mark::Seen => "👁️",
        Mark::Internal => "🔒",
        Mark::Held => "⏳",
        Mark::Failed => "⚠️",
    }
}

fn card_state(state: CardState) -> &'static str {
    match state {
        CardState::Assisting => "assisting",
        CardState::Waiting => "waiting",
        CardState::Offered => "offered",
        CardState::Assigned => "assigned",
        CardState::Snoozed => "snoozed",
        CardState::Resolved => "resolved",
        CardState::Closed => "closed",
    }
}

fn words(message: &Message) -> String {
    let name = match &message.author {
        Author::Bridge { name: Some(_), assistant: true } => "✨ ".to_owned(),
        Author::Bridge { name: Some(name), .. } => format!("{name}: "),
        Author::Bridge { name: None, .. } | Author::Person { .. } => String::new(),
    };
    let text = match &message.content.card {
        Some(card) => {
            let summary = card.summary.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("card {} “{}” · {} · {} · {}", card.reference, card.title, card_state(card.state), card.status, one_line(summary))
        }
        None => one_line(&message.content.text),
    };
    let mentions: String = message.content.mentions.iter().map(|m| format!(" @{}", m.name)).collect();
    let files: String = message.files.iter().map(|file| format!(" 📎 {}", file.name)).collect();
    let reply = if message.reply_to.is_some() { "↩ " } else { "" };
    format!("{reply}{name}{text}{mentions}{files}{}", buttons(&message.content.actions))
}

/// What is new about a message. What people write themselves is a step already.
fn difference(before: Option<&Message>, now: &Message) -> Vec<String> {
    let mut lines = Vec::new();
    let by_bridge = now.is_by_bridge();
    match before {
        None if by_bridge => lines.push(words(now)),
        None => {}
        Some(before) => {
            if now.deleted && !before.deleted {
                if by_bridge {
                    lines.push(format!("(deleted) {}", one_line(&before.content.text)));
                }
            } else if now.content != before.content && by_bridge {
                lines.push(format!("~ {}", words(now)));
            }
        }
    }
    if let Some(shown) = now.mark.filter(|shown| before.and_then(|b| b.mark) != Some(*shown)) {
        lines.push(format!("{} on “{}”", mark(shown), one_line(&now.content.text)));
    }
    for reaction in &now.reactions {
        let new = before.is_none_or(|b| !b.reactions.contains(reaction));
        if new && reaction.by.as_str() == deskbridge_sim::BRIDGE {
            lines.push(format!("{} on “{}”", reaction.emoji, one_line(&now.content.text)));
        }
    }
    lines
}
