//! What a requester's text plainly asks for, read before the core sees the event. The core never looks at text.

pub(crate) mod fold;

use serde::{Deserialize, Serialize};

/// The classified content of a requester's message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gist {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
    /// No words at all: emoji, a sticker.
    #[serde(default)]
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
