//! Reads what a technician wrote in a desk room: a verb, a note, a reply, or plain text.
//!
//! Not here: what becomes of plain text (the airlock). Nothing a requester writes is ever read by this (S44).

use std::time::Duration;

use super::names::{Names, unescape};
use super::{TransferTo, Verb, label};

/// What a technician's text turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    Verb(Verb),
    /// Stays internal. The text is without its marker, and empty when only files were marked.
    Note {
        text: String,
    },
    /// Meant for the requester, said explicitly. The text is without its marker.
    Reply {
        text: String,
    },
    /// Meant as a verb, but not usable as it stands; `why` is plain text for the person who wrote it.
    Bad {
        verb: &'static str,
        why: String,
    },
}

/// The words that somebody may have meant when a word is unknown.
const WORDS: [&str; 26] = [
    "accept", "decline", "reply", "note", "transfer", "invite", "leave", "snooze", "ticket", "summary",
    "suggest", "handback", "resolve", "reopen", "csat", "info", "help", "undo", "takeover", "on", "busy",
    "off", "label", "priority", "backup", "join",
];

/// Words of other tools: never obeyed, but answered with ours.
const ELSEWHERE: [(&str, &str); 13] = [
    ("close", "resolve"),
    ("done", "resolve"),
    ("solve", "resolve"),
    ("solved", "resolve"),
    ("resolved", "resolve"),
    ("claim", "accept"),
    ("take", "takeover"),
    ("assign", "transfer"),
    ("escalate", "transfer"),
    ("reject", "decline"),
    ("internal", "note"),
    ("away", "busy"),
    ("tag", "label"),
];

const LOCKS: [&str; 2] = ["🔒", ":lock:"];
const NOTE_PREFIXES: [&str; 3] = ["note:", "private:", ";;"];
const DEFAULT_SNOOZE: Duration = Duration::from_secs(3600);
const LONGEST_SNOOZE: Duration = Duration::from_secs(30 * 24 * 3600);

/// `None`: plain text without a verb.
pub fn parse(text: &str, names: &Names) -> Option<Parsed> {
    let text = trim(text);
    if let Some(text) = marked_note(text) {
        return Some(Parsed::Note { text });
    }
    let after = text.strip_prefix('\\').unwrap_or(text).strip_prefix(['!', '/'])?;
    let (word, rest) = split_word(after)?;
    understand(&word, rest, names).or_else(|| near(&word))
}

/// For rooms in [`crate::policy::ReplyMode::Explicit`]: `reply …` without a sign is a reply as well.
pub fn parse_explicit(text: &str, names: &Names) -> Option<Parsed> {
    parse(text, names).or_else(|| {
        let (word, rest) = split_word(trim(text))?;
        (word == "reply").then(|| Parsed::Reply { text: rest.to_owned() })
    })
}

/// What a known word with its arguments means; `None` when the word is unknown.
pub(super) fn understand(word: &str, rest: &str, names: &Names) -> Option<Parsed> {
    let verb = match word {
        "note" => return Some(Parsed::Note { text: rest.to_owned() }),
        "reply" | "r" => return Some(Parsed::Reply { text: rest.to_owned() }),
        "transfer" => return Some(settle("transfer", transfer(rest, names))),
        "invite" => return Some(settle("invite", names.technician(rest).map(|who| Verb::Invite { who }))),
        "snooze" => return Some(settle("snooze", period(rest).map(|period| Verb::Snooze { period }))),
        "resolve" => return Some(settle("resolve", resolve(rest))),
        "send" => return Some(settle("send", send(rest))),
        "priority" => return Some(settle("priority", label::priority(rest))),
        "label" => return Some(settle("label", label::labels(rest))),
        "accept" => Verb::Accept,
        "decline" => Verb::Decline,
        "leave" => Verb::Leave,
        "backup" => Verb::Backup,
        "join" => Verb::Join,
        "ticket" => Verb::Ticket,
        "summary" => Verb::Summary,
        "suggest" => Verb::Suggest,
        "handback" => Verb::Handback,
        "reopen" => Verb::Reopen,
        "csat" => Verb::Csat,
        "info" => Verb::Info,
        "help" => Verb::Help,
        "undo" => Verb::Undo,
        "takeover" => Verb::TakeOver,
        "on" => Verb::On,
        "busy" => Verb::Busy,
        "off" => Verb::Off,
        _ => return None,
    };
    if rest.is_empty() {
        return Some(Parsed::Verb(verb));
    }
    // A sentence that happens to start like a verb must not vanish behind it.
    let verb = verb.name();
    Some(Parsed::Bad { verb, why: "nothing may follow this verb; your text was not sent".to_owned() })
}

fn settle(verb: &'static str, read: Result<Verb, String>) -> Parsed {
    match read {
        Ok(verb) => Parsed::Verb(verb),
        Err(why) => Parsed::Bad { verb, why },
    }
}

fn transfer(rest: &str, names: &Names) -> Result<Verb, String> {
    let plain = unescape(rest);
    let to = if rest.is_empty() {
        return Err("say to whom: @ana or #network".to_owned());
    } else if plain.starts_with('#') {
        TransferTo::Queue(names.queue(rest)?)
    } else if plain.starts_with('@') || plain.starts_with('<') {
        technician(rest, names)?
    } else {
        match (technician(rest, names), names.queue(rest)) {
            (Ok(technician), Err(_)) => technician,
            (Err(_), Ok(queue)) => TransferTo::Queue(queue),
            (Ok(_), Ok(queue)) => {
                return Err(format!("say @{queue} for the person or #{queue} for the queue"));
            }
            (Err(why), Err(_)) => return Err(why),
        }
    };
    Ok(Verb::Transfer { to })
}

fn technician(rest: &str, names: &Names) -> Result<TransferTo, String> {
    let who = names.technician(rest)?;
    let available = names.is_available(&who);
    Ok(TransferTo::Technician { who, available })
}

fn resolve(rest: &str) -> Result<Verb, String> {
    match rest.to_lowercase().as_str() {
        "" => Ok(Verb::Resolve { silently: false }),
        "silently" | "silent" | "quietly" => Ok(Verb::Resolve { silently: true }),
        _ => Err("only the word “silently” may follow; your text was not sent".to_owned()),
    }
}

fn send(rest: &str) -> Result<Verb, String> {
    match rest.parse() {
        Ok(message) => Ok(Verb::Send { message }),
        Err(_) => {
            Err("only the button under a kept message can do this; to write to the requester, use !reply"
                .to_owned())
        }
    }
}

/// `2h`, `30m`, `1d`, `90 min`, `1h 30m`, `tomorrow`; nothing means an hour.
pub(super) fn period(rest: &str) -> Result<Duration, String> {
    let text = rest.trim().to_lowercase();
    let text = text.strip_prefix("for ").or_else(|| text.strip_prefix("in ")).unwrap_or(&text).trim();
    if text.is_empty() {
        return Ok(DEFAULT_SNOOZE);
    }
    if text == "tomorrow" {
        return Ok(Duration::from_secs(24 * 3600));
    }
    let how = || "say how long, for example 30m, 2h, 1d or tomorrow".to_owned();
    let mut total: u64 = 0;
    let mut left = text;
    while !left.is_empty() {
        let digits = left.len() - left.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: u64 = left[..digits].parse().map_err(|_| how())?;
        let after = left[digits..].trim_start();
        let letters = after.len() - after.trim_start_matches(char::is_alphabetic).len();
        let seconds = match &after[..letters] {
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 24 * 3600,
            "w" | "week" | "weeks" => 7 * 24 * 3600,
            _ => return Err(how()),
        };
        total = total.saturating_add(number.saturating_mul(seconds));
        left = after[letters..].trim_start();
    }
    match Duration::from_secs(total) {
        Duration::ZERO => Err(how()),
        period if period > LONGEST_SNOOZE => Err("at most 30 days".to_owned()),
        period => Ok(period),
    }
}

/// Blank and invisible characters at the ends hide no marker.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || crate::fit::is_invisible(c))
}

/// The text without its marker, when it is marked as internal. Fails safe: emphasis around the lock does not hide it.
fn marked_note(text: &str) -> Option<String> {
    let emphasis = |c: char| matches!(c, '*' | '_' | '~' | '\\');
    let opening = text.len() - text.trim_start_matches(emphasis).len();
    let closing = text.trim_end_matches(emphasis).len();
    for lock in LOCKS {
        if let Some(rest) = text[opening..].strip_prefix(lock) {
            let rest = rest.trim_start_matches('\u{fe0f}').trim_start();
            return Some(format!("{}{rest}", text[..opening].replace('\\', "")));
        }
        let shown = text[..closing].trim_end_matches('\u{fe0f}');
        if let Some(rest) = shown.strip_suffix(lock) {
            return Some(format!("{}{}", rest.trim_end(), &text[closing..]));
        }
    }
    let start = text.strip_prefix('\\').unwrap_or(text);
    NOTE_PREFIXES.iter().find_map(|prefix| {
        let head = start.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| start[prefix.len()..].trim_start().to_owned())
    })
}

/// The word, in lower case, and what follows it. `None` when it is not a word by itself (`/var/log`, `!=`).
fn split_word(text: &str) -> Option<(String, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, mut rest) = text.split_at(end);
    if word.is_empty() || word.len() > 16 {
        return None;
    }
    if let Some(bot) = rest.strip_prefix('@') {
        rest = bot.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return None;
    }
    Some((word.to_ascii_lowercase(), rest.trim()))
}

/// A slip of the fingers is answered instead of being taken for text.
fn near(word: &str) -> Option<Parsed> {
    let meant = match ELSEWHERE.iter().find(|(theirs, _)| *theirs == word) {
        Some((_, ours)) => ours,
        None => WORDS
            .iter()
            .filter(|known| distance(word, known) <= (known.len() / 3).min(2))
            .min_by_key(|known| distance(word, known))?,
    };
    Some(Parsed::Bad { verb: meant, why: format!("“{word}” is not a verb here; did you mean !{meant}?") })
}

/// Letters to change, add, drop or swap. Words are short: both at most 16 letters.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
