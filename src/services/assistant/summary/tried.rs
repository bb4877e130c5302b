//! What was tried and what came of it, read from the transcript.
//!
//! Not here: judging it; the requester's own words stand beside every step.

use super::{is_thanks, list as bullets, quoted, unmarked};
use crate::assistant::{Line, Request, Speaker};
use crate::knowledge::Knowledge;

/// Answers and own attempts that are listed.
const MOST: usize = 8;
/// Steps of one answer that are named.
const STEPS: usize = 4;

pub(super) fn list(request: &Request, knowledge: &Knowledge) -> String {
    let mut items = Vec::new();
    for (at, line) in request.lines.iter().enumerate() {
        match line.by {
            Speaker::Assistant => {
                let after = &request.lines[at + 1..];
                items.extend(proposed(line, knowledge, || outcome(after, &request.language)));
            }
            Speaker::Requester => items.extend(own_attempts(line)),
            Speaker::Technician | Speaker::Bystander | Speaker::Note => {}
        }
    }
    let left_out = items.len().saturating_sub(MOST);
    if left_out > 0 {
        items.truncate(MOST);
        items.push(format!("… and {left_out} more"));
    }
    if items.is_empty() { "Nothing yet.".to_owned() } else { bullets(items) }
}

/// The steps that an answer proposed, and what was said to it. `None` when it proposed none, or only asked which article
/// it is.
fn proposed(line: &Line, knowledge: &Knowledge, outcome: impl Fn() -> String) -> Option<String> {
    let steps: Vec<String> = line.text.lines().filter_map(step).map(unmarked).collect();
    let is_title =
        |step: &String| knowledge.articles().iter().any(|article| unmarked(&article.title) == *step);
    if steps.iter().all(is_title) {
        return None;
    }
    let more =
        if steps.len() > STEPS { format!("; and {} more", steps.len() - STEPS) } else { String::new() };
    let shown: Vec<String> =
        steps.iter().take(STEPS).map(|step| quoted(step.trim_end_matches('.'), 80)).collect();
    let from = source(&line.text).map(|title| format!(", from *{}*", quoted(&title, 80))).unwrap_or_default();
    Some(format!("Assistant{from}: {}{more} → {}", shown.join("; "), outcome()))
}

/// `Restart it` of `1. Restart it`.
fn step(line: &str) -> Option<&str> {
    let (number, rest) = line.trim_start().split_once(['.', ')'])?;
    let is_number = !number.is_empty() && number.len() <= 2 && number.bytes().all(|b| b.is_ascii_digit());
    (is_number && rest.starts_with(' ')).then(|| rest.trim())
}

/// The title in the answer's last line of the form `Source: *Title*`.
fn source(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| line.contains(": *") && line.trim_end().ends_with('*'))?;
    let (_, title) = line.split_once(": *")?;
    Some(unmarked(title.trim_end().trim_end_matches('*')))
}

/// What the requester said next, in their own words.
fn outcome(after: &[Line], language: &str) -> String {
    let says = |line: &&Line| !matches!(line.by, Speaker::Bystander | Speaker::Note);
    let Some(next) = after.iter().find(says) else {
        return "no word from the requester".to_owned();
    };
    if next.by != Speaker::Requester || next.text.trim().is_empty() {
        return "outcome not said".to_owned();
    }
    let said = quoted(&next.text, 100);
    if failed(&next.text) {
        format!("did not help: “{said}”")
    } else if is_thanks(&next.text, language) {
        format!("helped: “{said}”")
    } else {
        format!("requester: “{said}”")
    }
}

fn holds(text: &str, phrases: &[&str]) -> bool {
    let words: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '\'' { c } else { ' ' })
        .filter(|c| *c != '\'')
        .collect();
    let words = format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
    phrases.iter().any(|phrase| words.contains(&format!(" {phrase} ")))
}

fn failed(text: &str) -> bool {
    const FAILED: [&str; 32] = [
        "no",
        "not",
        "still",
        "same",
        "didnt",
        "doesnt",
        "isnt",
        "wont",
        "cant",
        "nothing",
        "no luck",
        "nein",
        "nicht",
        "immer noch",
        "gleiche",
        "gleicher",
        "selbe",
        "nichts",
        "sigue",
        "mismo",
        "misma",
        "tampoco",
        "nada",
        "no funciona",
        "non",
        "pas",
        "toujours",
        "meme",
        "même",
        "rien",
        "encore",
        "leider",
    ];
    holds(text, &FAILED)
}

/// Sentences in which the requester tells what they did themselves.
fn own_attempts(line: &Line) -> Vec<String> {
    const DID: [&str; 34] = [
        "tried",
        "restarted",
        "rebooted",
        "reinstalled",
        "reset it",
        "unplugged",
        "plugged",
        "replaced",
        "updated",
        "checked",
        "logged out",
        "logged off",
        "turned it off",
        "switched it off",
        "power cycled",
        "cleared the cache",
        "neu gestartet",
        "neugestartet",
        "probiert",
        "versucht",
        "ausgeschaltet",
        "neu installiert",
        "abgemeldet",
        "reiniciado",
        "reinicié",
        "he probado",
        "probé",
        "intenté",
        "redémarré",
        "redemarre",
        "j ai essayé",
        "essayé",
        "réinstallé",
        "débranché",
    ];
    let sentences = line.text.split(['.', '!', '?', '\n', ';']).filter(|sentence| holds(sentence, &DID));
    sentences.map(|sentence| format!("Requester on their own: “{}”", quoted(sentence, 120))).take(3).collect()
}
