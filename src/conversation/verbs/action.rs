//! Buttons and platform commands: their ids, in both directions.
//!
//! Not here: labels (the notices and cards), how ids are packed into a platform's callback data.

use std::time::Duration;

use super::names::Names;
use super::parse::{Parsed, understand};
use super::{RequesterVerb, TransferTo, Verb, label};

/// What a technician's button or command means: `accept`, `snooze:1h`, `send:1042.7.0`, `transfer` with the value
/// `#network`. `None` when the id is not a technician's.
pub fn from_action(id: &str, value: Option<&str>, names: &Names) -> Option<Parsed> {
    let (word, bound) = id.split_once(':').unwrap_or((id, ""));
    let value = value.map(str::trim).unwrap_or_default();
    let rest = if bound.is_empty() { value } else { bound };
    // A card's button may carry a value of the platform's own; verbs without arguments take none.
    let rest = match word {
        "transfer" | "invite" | "snooze" | "resolve" | "send" | "note" | "reply" | "r" | "priority"
        | "label" => rest,
        _ => "",
    };
    understand(word, rest, names)
}

impl Verb {
    /// The id of this verb's button.
    pub fn action_id(&self) -> String {
        match self {
            Verb::Transfer { to: TransferTo::Technician { who, .. } } => format!("transfer:@{who}"),
            Verb::Transfer { to: TransferTo::Queue(queue) } => format!("transfer:#{queue}"),
            Verb::Invite { who } => format!("invite:@{who}"),
            Verb::Snooze { period } => format!("snooze:{}", short(*period)),
            Verb::Resolve { silently: true } => "resolve:silently".to_owned(),
            Verb::Send { message } => format!("send:{message}"),
            Verb::Priority { level } => format!("priority:{level}"),
            Verb::Label { add, remove } => {
                let off = remove.iter().map(|label| format!("-{label}"));
                let all: Vec<String> = add.iter().cloned().chain(off).collect();
                format!("label:{}", all.join(","))
            }
            Verb::Accept
            | Verb::Decline
            | Verb::Leave
            | Verb::Backup
            | Verb::Join
            | Verb::Ticket
            | Verb::Summary
            | Verb::Suggest
            | Verb::Handback
            | Verb::Resolve { silently: false }
            | Verb::Reopen
            | Verb::Csat
            | Verb::Info
            | Verb::Help
            | Verb::Undo
            | Verb::TakeOver
            | Verb::On
            | Verb::Busy
            | Verb::Off => self.name().to_owned(),
        }
    }
}

/// `2h`, `30m`, `1d`: the largest unit that says it exactly; seconds are dropped.
fn short(period: Duration) -> String {
    let minutes = period.as_secs() / 60;
    match minutes {
        m if m > 0 && m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
        m if m > 0 && m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{}m", m.max(1)),
    }
}

impl RequesterVerb {
    /// What a requester's button means; `None` when the id is not a requester's.
    pub fn from_action(id: &str) -> Option<RequesterVerb> {
        Some(match id {
            "human" => RequesterVerb::Human,
            "keep" => RequesterVerb::KeepAssistant,
            "yes" => RequesterVerb::Yes,
            "no" => RequesterVerb::No,
            "same" => RequesterVerb::SameIssue,
            "new" => RequesterVerb::NewRequest,
            "over" => RequesterVerb::StartOver,
            "status" => RequesterVerb::Status,
            "close" => RequesterVerb::Close,
            _ => return bound(id),
        })
    }

    /// The id of this verb's button.
    pub fn action_id(&self) -> String {
        match self {
            RequesterVerb::Human => "human".to_owned(),
            RequesterVerb::KeepAssistant => "keep".to_owned(),
            RequesterVerb::Yes => "yes".to_owned(),
            RequesterVerb::No => "no".to_owned(),
            RequesterVerb::SameIssue => "same".to_owned(),
            RequesterVerb::NewRequest => "new".to_owned(),
            RequesterVerb::StartOver => "over".to_owned(),
            RequesterVerb::Status => "status".to_owned(),
            RequesterVerb::Close => "close".to_owned(),
            RequesterVerb::Rate { score } => format!("rate:{score}"),
            RequesterVerb::Feedback { message, helpful: true } => format!("fb:up:{message}"),
            RequesterVerb::Feedback { message, helpful: false } => format!("fb:down:{message}"),
            RequesterVerb::Tag { word, on: true } => format!("tag:{word}"),
            RequesterVerb::Tag { word, on: false } => format!("tag:-{word}"),
        }
    }
}

fn bound(id: &str) -> Option<RequesterVerb> {
    if let Some(word) = id.strip_prefix("tag:") {
        let (on, word) = word.strip_prefix('-').map_or((true, word), |word| (false, word));
        return Some(RequesterVerb::Tag { word: label(word)?, on });
    }
    if let Some(score) = id.strip_prefix("rate:") {
        let score = score.parse().ok().filter(|score| (1..=5).contains(score))?;
        return Some(RequesterVerb::Rate { score });
    }
    let (helpful, message) = match id.strip_prefix("fb:up:") {
        Some(message) => (true, message),
        None => (false, id.strip_prefix("fb:down:")?),
    };
    Some(RequesterVerb::Feedback { message: message.parse().ok()?, helpful })
}
