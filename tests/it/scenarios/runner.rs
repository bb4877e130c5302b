//! Plays a talk and writes it anew with what was seen.
//!
//! Not here: how a change on a platform reads (`seen`).

use std::time::Duration;

use deskbridge_contract::{Address, Content, ThreadId};
use deskbridge_conversation::{Presence, TechnicianId};
use deskbridge_sim::World;

use super::seen::Watch;
use crate::harness::Town;

/// Long enough for a burst, an answer and the undo window.
const SETTLE: Duration = Duration::from_secs(8);

/// The talk with everything that was seen in it now.
pub fn run(text: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(play(text))
}

/// The lines that differ, each with its number.
pub fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let show = |lines: &[&str], sign: char| -> String {
        lines.iter().enumerate().skip(same).take(14).map(|(n, line)| format!("{sign}{:>4} {line}\n", n + 1)).collect()
    };
    format!("{}{}", show(&old, '-'), show(&new, '+'))
}

async fn play(text: &str) -> String {
    let (head, body) = split(text);
    let knowledge = crate::harness::knowledge();
    let config = format!("{head}\n").replace("KNOWLEDGE", &knowledge.display().to_string());
    let mut town = Town::build(&config).await;
    let mut watch = Watch::new(&town);
    let mut out = String::new();
    if text.starts_with("---") {
        out.push_str("---\n");
        out.push_str(&head);
        out.push_str("---\n");
    }
    for line in body.lines() {
        let step = line.trim();
        if step.contains(" < ") && !step.starts_with('#') && is_seen(step) {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        if step.is_empty() || step.starts_with('#') {
            continue;
        }
        act(&mut town, step).await;
        for seen in watch.changes(&town) {
            out.push_str(&seen);
            out.push('\n');
        }
    }
    if let Some(running) = &town.running {
        running.bridge.shutdown().await;
    }
    out
}

fn split(text: &str) -> (String, String) {
    match text.strip_prefix("---\n").and_then(|rest| rest.split_once("---\n")) {
        Some((head, body)) => (head.to_owned(), body.to_owned()),
        None => (String::new(), text.to_owned()),
    }
}

fn is_seen(step: &str) -> bool {
    step.split_once(" < ").is_some_and(|(place, _)| place.contains('@') && !place.contains('>'))
}

/// Carries out one step, then lets the bridge settle.
async fn act(town: &mut Town, step: &str) {
    if let Some(time) = step.strip_prefix("...") {
        tokio::time::sleep(parse_time(time.trim())).await;
        return;
    }
    if let Some((who, said)) = step.split_once(" > ") {
        speak(town, who.trim(), said.trim()).await;
    } else {
        command(town, step).await;
    }
    tokio::time::sleep(SETTLE).await;
}

fn parse_time(text: &str) -> Duration {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: f64 = number.trim().parse().unwrap_or_else(|_| panic!("a time like 90s, 10m, 2h, 3d, not {text}"));
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        other => panic!("unknown unit {other}"),
    };
    Duration::from_secs_f64(number * seconds)
}

/// `bob@slack#1`: a person, a channel, and the n-th thread of its desk room.
fn place<'t>(town: &'t Town, who: &str) -> (String, &'t World, Address) {
    let (person, at) = who.split_once('@').unwrap_or_else(|| panic!("somebody@channel, not {who}"));
    let (channel, thread) = match at.split_once('#') {
        Some((channel, thread)) => (channel, Some(thread)),
        None => (at, None),
    };
    let world = town.world(channel);
    let address = match thread {
        Some("0") => world.room("desk"),
        Some(n) => {
            let n: usize = n.parse().expect("a thread number");
            let room = world.room("desk");
            let threads = world.threads(&room);
            let thread = threads.get(n - 1).unwrap_or_else(|| panic!("there is no thread {n} on {channel} yet"));
            Address { thread: Some(ThreadId(thread.id.0.clone())), ..room }
        }
        None => world.direct(person),
    };
    (person.to_owned(), world, address)
}

async fn speak(town: &Town, who: &str, said: &str) {
    let (person, world, at) = place(town, who);
    let result = if let Some(label) = said.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        press(world, &person, &at, label).await
    } else if let Some(text) = said.strip_prefix("edit: ") {
        let own = own_last(world, &person, &at);
        world.edit(&person, &at, &own, text).await
    } else if said == "delete" {
        let own = own_last(world, &person, &at);
        world.delete(&person, &at, &own).await
    } else if let Some(emoji) = said.strip_prefix("react ") {
        let last = world.messages(&at).into_iter().rfind(|m| m.is_by_bridge() && !m.deleted).expect("a message");
        world.react(&person, &at, &last.id, emoji, true).await
    } else if let Some(emoji) = said.strip_prefix("react-card ") {
        let card = world.messages(&at).into_iter().find(|m| m.content.card.is_some()).expect("a card");
        world.react(&person, &at, &card.id, emoji, true).await
    } else if let Some(rest) = said.strip_prefix("file ") {
        let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let attachment = world.upload(name, "text/plain", format!("content of {name}"));
        let content = Content { text: text.to_owned(), attachments: vec![attachment], ..Content::default() };
        world.post(&person, &at, content, None).await
    } else if said == "/start" {
        world.start(&person, None).await
    } else {
        world.say(&person, &at, said).await
    };
    if let Err(error) = result {
        panic!("{who} > {said}: {error:?}");
    }
}

fn own_last(world: &World, person: &str, at: &Address) -> deskbridge_contract::RemoteMessageId {
    let own = world.messages(at).into_iter().rfind(|message| match &message.author {
        deskbridge_sim::Author::Person { id, .. } => id.as_str() == person,
        deskbridge_sim::Author::Bridge { .. } => false,
    });
    own.unwrap_or_else(|| panic!("{person} has written nothing at {at:?}")).id
}

/// The newest button with this label: under a whisper to the person, or under a message.
async fn press(world: &World, person: &str, at: &Address, label: &str) -> Result<deskbridge_sim::Pushed, deskbridge_sim::SimError> {
    let whispers = world.whispers(person);
    let whispered = whispers.iter().rev().find_map(|whisper| {
        let action = whisper.content.actions.iter().find(|action| action.label == label)?;
        (whisper.thread == at.thread).then(|| (whisper.number, action.id.clone()))
    });
    if let Some((number, action)) = whispered {
        return world.press_whisper(person, number, &action).await;
    }
    let Some((message, action)) = world.find_button(at, label) else {
        panic!("{person} sees no button “{label}” at {at:?}");
    };
    world.press(person, at, &message, &action.id).await
}

async fn command(town: &mut Town, step: &str) {
    let words: Vec<&str> = step.split_whitespace().collect();
    match words.as_slice() {
        ["presence", who, state] => {
            let presence = match *state {
                "on" => Presence::Available,
                "busy" => Presence::Busy,
                "away" => Presence::Away,
                "off" => Presence::Offline,
                other => panic!("unknown presence {other}"),
            };
            let technician = TechnicianId::from(*who);
            town.running().bridge.set_presence(&technician, presence).await.expect("stored");
        }
        ["redeliver", channel] => {
            let world = town.world(channel);
            let last = world.events().last().map(|event| event.number).expect("an event");
            world.redeliver(last).await.expect("redelivered");
        }
        ["block", who] => {
            let (person, world, at) = place(town, who);
            world.leave(&person, &at).await.expect("left");
        }
        ["unblock", who] => {
            let (person, world, at) = place(town, who);
            world.come_back(&person, &at).await.expect("back");
        }
        ["restart"] => {
            let running = town.running.take().expect("it runs");
            running.bridge.shutdown().await;
            town.start().await;
        }
        other => panic!("unknown step {other:?}"),
    }
}
