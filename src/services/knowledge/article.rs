//! What an article is: its sections as chunks, each with an anchor, plain text and CommonMark blocks.
//! Not here: how Markdown becomes an article (`markdown.rs`) and where files come from (`sources.rs`).

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Name of an article inside its folder: the relative path without `.md`, lower case, `-` for anything odd.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ArticleId(String);

impl ArticleId {
    pub fn new(slug: impl Into<String>) -> Self {
        Self(slug.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the assistant may do with an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The requester may follow the steps alone.
    #[default]
    Answer,
    /// A technician has to do it; the assistant only gives the first safe advice.
    Handover,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Article {
    pub id: ArticleId,
    /// Relative to the knowledge folder.
    pub path: PathBuf,
    pub title: String,
    pub tags: Vec<String>,
    pub service: Option<String>,
    /// Other words and phrases people use for the same thing.
    pub keywords: Vec<String>,
    pub policy: Policy,
    /// In document order; the text before the first heading, if any, comes first. Never empty.
    pub chunks: Vec<Arc<Chunk>>,
}

/// One section of an article: the unit that is indexed and answered with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chunk {
    pub article: ArticleId,
    /// Unique in the article; empty for the text before the first heading.
    pub anchor: String,
    /// Heading path, outermost first; the article's own title is not part of it.
    pub heading: Vec<String>,
    /// Plain words for the index, without mark-up and addresses.
    pub text: String,
    pub blocks: Vec<Block>,
    pub role: Role,
}

/// A piece of a section, as CommonMark without raw HTML and without images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    Prose(String),
    /// The items of an ordered list, without their numbers.
    Steps(Vec<String>),
}

/// When a section is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Main,
    /// "If that did not help": only after the main section was tried.
    Fallback,
}

impl Chunk {
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.blocks
            .iter()
            .flat_map(|block| match block {
                Block::Steps(steps) => steps.as_slice(),
                Block::Prose(_) => &[],
            })
            .map(String::as_str)
    }

    pub fn has_steps(&self) -> bool {
        self.steps().next().is_some()
    }

    /// `Outer › Inner`; empty for the text before the first heading.
    pub fn heading_path(&self) -> String {
        self.heading.join(" › ")
    }

    /// CommonMark of the section, cut between steps and paragraphs when longer than `max_chars`.
    pub fn to_markdown(&self, max_chars: usize) -> String {
        let mut out = String::new();
        let mut left = max_chars;
        for block in &self.blocks {
            let whole = match block {
                Block::Prose(prose) => push_piece(&mut out, &mut left, prose, "\n\n"),
                Block::Steps(steps) => push_steps(&mut out, &mut left, steps),
            };
            if !whole {
                out.push_str(if out.is_empty() { "…" } else { "\n\n…" });
                break;
            }
        }
        out
    }
}

fn push_steps(out: &mut String, left: &mut usize, steps: &[String]) -> bool {
    for (at, step) in steps.iter().enumerate() {
        let number = format!("{}. ", at + 1);
        let indent = " ".repeat(number.len());
        let mut lines = step.lines();
        let mut piece = format!("{number}{}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = write!(piece, "\n{}{line}", if line.is_empty() { "" } else { &indent });
        }
        if !push_piece(out, left, &piece, if at == 0 { "\n\n" } else { "\n" }) {
            return false;
        }
    }
    true
}

fn push_piece(out: &mut String, left: &mut usize, piece: &str, gap: &str) -> bool {
    let chars = piece.chars().count();
    if chars > *left {
        return false;
    }
    *left -= chars;
    if !out.is_empty() {
        out.push_str(gap);
    }
    out.push_str(piece);
    true
}
