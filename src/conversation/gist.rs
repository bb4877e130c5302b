//! What a requester's text plainly asks for, read before the core sees the event. The core never looks at text.
//!
//! Not here: what follows from it (the stages). Only plain, whole wishes count; everything finer is the assistant's.

mod ar;
mod de;
mod en;
mod es;
pub(crate) mod fold;
mod fr;
mod it;
mod nl;
mod phrase;
mod pt;
mod short;
#[cfg(test)]
mod tests;
mod tongue;

use serde::{Deserialize, Serialize};

/// The classified content of a requester's message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gist {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
    /// No words at all: emoji, a sticker.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wordless: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// "I want to talk to a person", in any supported language.
    Human,
    Yes,
    No,
    Thanks,
    /// A platform command of the requester's menu.
    Command(Command),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    New,
    Status,
    Human,
    Close,
    Help,
}

/// Wishes stand at the beginning; a pasted log is not searched to its end.
const LOOKED_AT: usize = 2_000;

/// Reads a requester's text. `language` decides first where words of several languages collide; people also write in
/// another language than their account says, so all languages are tried.
pub fn read(text: &str, language: &str) -> Gist {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(end, _)| end);
    let start = text[..end].trim();
    if let Some(command) = command(start) {
        return Gist { wish: Some(Wish::Command(command)), wordless: false };
    }
    if short::is_wordless(start) {
        return Gist { wish: short::thankful(start).then_some(Wish::Thanks), wordless: true };
    }
    let clauses = phrase::clauses(start);
    // What was cut off may have taken it back; a whole message that is one word is never that long.
    let whole = if end == text.len() { short::whole(&clauses) } else { None };
    let wish = whole.or_else(|| tongue::asks_for_human(&clauses, language).then_some(Wish::Human));
    Gist { wish, wordless: false }
}

/// A command of the menu, with or without the bot's name; what follows it is not looked at.
fn command(text: &str) -> Option<Command> {
    let first = text.strip_prefix('/')?.split_whitespace().next()?;
    let word = first.split('@').next()?.to_ascii_lowercase();
    Some(match word.as_str() {
        "new" => Command::New,
        "status" => Command::Status,
        "human" => Command::Human,
        "close" | "stop" => Command::Close,
        "help" => Command::Help,
        _ => return None,
    })
}
