//! How a change on a platform reads, as one line.
//!
//! Not here: steps; what can only be asked for (`shown`).

use std::collections::HashMap;

use deskbridge_contract::{CardState, Mark, ThreadId};
use deskbridge_sim::{Author, Change, Live, Message};
use tokio::sync::broadcast;

use crate::harness::Town;

/// Longer lines are cut: a talk is read for who sees what, not for the articles.
const LINE: usize = 170;

pub struct Watch {
    channels: Vec<(String, broadcast::Receiver<Live>)>,
    known: HashMap<(String, String, String), Message>,
    /// Threads in the order of their appearance, per channel and room.
    threads: HashMap<(String, String), Vec<ThreadId>>,
    titles: HashMap<(String, String, ThreadId), String>,
    /// Whether it is said who is shown that somebody types.
    pub typing: bool,
}

impl Watch {
    pub fn new(town: &Town) -> Self {
        Watch {
            channels: town.worlds.iter().map(|(name, world)| (name.clone(), world.subscribe())).collect(),
            known: HashMap::new(),
            threads: HashMap::new(),
            titles: HashMap::new(),
            typing: false,
        }
    }

    /// Everything that became visible since the last call, channel by channel, in order.
    pub fn changes(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut channels = std::mem::take(&mut self.channels);
        for (name, live) in &mut channels {
            loop {
                match live.try_recv() {
                    Ok(next) => self.read(name, next.change, &mut lines),
                    Err(broadcast::error::TryRecvError::Lagged(n)) => {
                        lines.push(format!("?@{name} < {n} missed"))
                    }
                    Err(_) => break,
                }
            }
        }
        self.channels = channels;
        lines.iter().map(|line| cut(line)).collect()
    }

    /// `desk@slack#1`: a room and the n-th thread that was seen there; `ana@telegram`: a private room.
    fn place(&mut self, channel: &str, room: &str, thread: Option<&ThreadId>) -> String {
        let person = room.trim_start_matches("dm-");
        let Some(thread) = thread else { return format!("{person}@{channel}") };
        let threads = self.threads.entry((channel.to_owned(), room.to_owned())).or_default();
        let n = match threads.iter().position(|known| known == thread) {
            Some(at) => at + 1,
            None => {
                threads.push(thread.clone());
                threads.len()
            }
        };
        format!("{person}@{channel}#{n}")
    }

    fn read(&mut self, channel: &str, change: Change, lines: &mut Vec<String>) {
        match change {
            Change::Message { room, message } => {
                let place = self.place(channel, room.as_str(), message.thread.as_ref());
                let key = (channel.to_owned(), room.0.clone(), message.id.0.clone());
                let before = self.known.insert(key, (*message).clone());
                for said in difference(before.as_ref(), &message) {
                    lines.push(format!("{place} < {said}"));
                }
            }
            Change::Thread { room, thread } => {
                let place = self.place(channel, room.as_str(), Some(&thread.id));
                let state = match (thread.deleted, thread.closed) {
                    (true, _) => " (deleted)",
                    (false, true) => " (closed)",
                    (false, false) => "",
                };
                let title = format!("{}{state}", thread.title.text);
                let key = (channel.to_owned(), room.0.clone(), thread.id.clone());
                if self.titles.insert(key, title.clone()).as_ref() != Some(&title) {
                    lines.push(format!("{place} < = {title}"));
                }
            }
            Change::Whisper { whisper } => {
                let place = self.place(channel, whisper.room.as_str(), whisper.thread.as_ref());
                let said =
                    format!("{}{}", one_line(&whisper.content.text), buttons(&whisper.content.actions));
                lines.push(format!("{place} < (to {} alone) {said}", whisper.to));
            }
            Change::Toast { toast } => {
                lines.push(format!("{}@{channel} < (toast) {}", toast.to, one_line(&toast.text)));
            }
            Change::Room { room, gone } => {
                let place = self.place(channel, room.as_str(), None);
                lines.push(format!("{place} < (the bridge is {} here)", if gone { "not" } else { "back" }));
            }
            // The assistant types all the time.
            Change::Typing { room, thread, .. } if self.typing => {
                let place = self.place(channel, room.as_str(), thread.as_ref());
                lines.push(format!("{place} < (somebody is typing)"));
            }
            Change::Typing { .. } => {}
        }
    }
}

fn cut(line: &str) -> String {
    if line.chars().count() <= LINE {
        return line.to_owned();
    }
    // Buttons stand at the end, and they matter.
    let (said, buttons) = line.split_once("  [").map_or((line, ""), |(said, buttons)| (said, buttons));
    let short: String = said.chars().take(LINE).collect();
    let short = if short.len() < said.len() { format!("{}…", short.trim_end()) } else { short };
    if buttons.is_empty() { short } else { format!("{short}  [{buttons}") }
}

fn buttons(actions: &[deskbridge_contract::Action]) -> String {
    actions.iter().map(|action| format!("  [{}]", action.label)).collect()
}

pub fn one_line(text: &str) -> String {
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
            let state = card_state(card.state);
            let ticket = card.facts.iter().find(|fact| matches!(fact.label.as_str(), "Ticket" | "Also open"));
            let ticket = ticket.map(|fact| format!(" · {}", fact.value)).unwrap_or_default();
            let who = &card.requester;
            format!(
                "card {} “{}” by {who} · {state} · {}{ticket} · {}",
                card.reference,
                card.title,
                card.status,
                one_line(summary)
            )
        }
        None => one_line(&message.content.text),
    };
    let mentions: String = message
        .content
        .mentions
        .iter()
        .map(|m| if m.user.is_some() { format!(" @{}", m.name) } else { format!(" ({})", m.name) })
        .collect();
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
    let said = || {
        if now.content.card.is_some() {
            "the card".to_owned()
        } else {
            format!("“{}”", one_line(&now.content.text))
        }
    };
    if let Some(shown) = now.mark.filter(|shown| before.and_then(|b| b.mark) != Some(*shown)) {
        lines.push(format!("{} on {}", mark(shown), said()));
    }
    let ours = |message: &Message| -> Vec<String> {
        let by_us =
            message.reactions.iter().filter(|reaction| reaction.by.as_str() == deskbridge_sim::BRIDGE);
        by_us.map(|reaction| reaction.emoji.clone()).collect()
    };
    let (old, new) = (before.map(ours).unwrap_or_default(), ours(now));
    for emoji in new.iter().filter(|emoji| !old.contains(emoji)) {
        lines.push(format!("{emoji} on {}", said()));
    }
    for emoji in old.iter().filter(|emoji| !new.contains(emoji)) {
        lines.push(format!("{emoji} taken off {}", said()));
    }
    lines
}
