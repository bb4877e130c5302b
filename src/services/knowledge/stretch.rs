//! Reads the turns of the current stretch: what was asked, answered, offered and already used.
//! Not here: what to reply now (`answer.rs`).

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::article::{Article, ArticleId, Chunk, Role};
use super::search::Knowledge;
use super::talk;

/// More of one requester's turn is not read.
const MAX_TURN_CHARS: usize = 2_000;

/// How far back a follow-up is completed from what was asked before.
const MAX_EARLIER: usize = 4;

const ASKED: &str = "ask:";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Requester,
    Assistant,
    Technician,
}

/// One message of the current stretch, oldest first in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub by: By,
    pub text: String,
    /// For the assistant's own turns what `Decision::cites` gave; unknown strings are ignored.
    #[serde(default)]
    pub cites: Vec<String>,
}

/// The section that an answer comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Citation {
    pub slug: ArticleId,
    pub title: String,
    /// Heading path; empty for the text before the first heading.
    pub heading: String,
    /// Unique section name in the article.
    pub anchor: String,
}

impl Citation {
    pub(super) fn of(article: &Article, chunk: &Chunk) -> Self {
        Self {
            slug: article.id.clone(),
            title: article.title.clone(),
            heading: chunk.heading_path(),
            anchor: chunk.anchor.clone(),
        }
    }

    /// `slug`, or `slug#section`: the form in which a citation is stored with a message and given back in
    /// `Turn::cites`.
    pub fn key(&self) -> String {
        key(&self.slug, &self.anchor)
    }
}

pub(super) fn key(slug: &ArticleId, anchor: &str) -> String {
    if anchor.is_empty() { slug.to_string() } else { format!("{slug}#{anchor}") }
}

/// The stored form of one option of a question between articles.
pub(super) fn asked_key(slug: &ArticleId) -> String {
    format!("{ASKED}{slug}")
}

/// What the requester is looking at when writing the latest words.
pub(super) enum Pending {
    Nothing,
    /// An answer that ended with "Did this help?".
    DidThisHelp,
    /// A question between these articles.
    Choice(Vec<ArticleId>),
}

pub(super) struct Stretch<'a> {
    /// What the requester wrote since the assistant's last turn.
    pub(super) latest: String,
    /// What the requester asked before, newest first; only turns with a topic.
    earlier: Vec<String>,
    pub(super) pending: Pending,
    /// The article of the newest answer.
    pub(super) answered: Option<ArticleId>,
    used: HashSet<String>,
    used_articles: HashSet<String>,
    asked: HashSet<Vec<String>>,
    texts: HashSet<&'a str>,
}

impl<'a> Stretch<'a> {
    pub(super) fn read(knowledge: &Knowledge, turns: &'a [Turn], already: &[String]) -> Self {
        let tail = turns.iter().rev().take_while(|turn| turn.by == By::Requester).count();
        let (before, now) = turns.split_at(turns.len() - tail);
        let mut stretch = Self {
            latest: joined(now),
            earlier: Vec::new(),
            pending: Pending::Nothing,
            answered: None,
            used: HashSet::new(),
            used_articles: HashSet::new(),
            asked: HashSet::new(),
            texts: HashSet::new(),
        };
        for cite in already {
            stretch.note_cite(knowledge, cite);
        }
        for turn in before.iter().filter(|turn| turn.by == By::Assistant) {
            stretch.note_assistant(knowledge, turn);
        }
        for block in before.chunk_by(|a, b| a.by == b.by).rev() {
            if block[0].by == By::Requester && stretch.earlier.len() < MAX_EARLIER {
                let text = joined(block);
                if !talk::topic(&text).is_empty() {
                    stretch.earlier.push(text);
                }
            }
        }
        stretch
    }

    fn note_assistant(&mut self, knowledge: &Knowledge, turn: &'a Turn) {
        self.texts.insert(turn.text.trim());
        let mut options: Vec<ArticleId> = turn
            .cites
            .iter()
            .filter_map(|cite| cite.strip_prefix(ASKED))
            .filter_map(|slug| knowledge.article(slug))
            .map(|article| article.id.clone())
            .collect();
        self.pending = Pending::Nothing;
        for cite in &turn.cites {
            if let Some(article) = self.note_cite(knowledge, cite) {
                self.answered = Some(article);
                self.pending = Pending::DidThisHelp;
            }
        }
        if options.is_empty() {
            return;
        }
        self.pending = Pending::Choice(options.clone());
        options.sort();
        self.asked.insert(options.iter().map(ToString::to_string).collect());
    }

    /// Marks what a stored citation names as used.
    fn note_cite(&mut self, knowledge: &Knowledge, cite: &str) -> Option<ArticleId> {
        let (slug, anchor) = cite.split_once('#').unwrap_or((cite, ""));
        let article = knowledge.article(slug)?;
        self.used.insert(cite.to_owned());
        self.used_articles.insert(slug.to_owned());
        if anchor.is_empty() {
            // A bare article name means its first answer.
            let first = first_with_steps(article).or(article.chunks.first());
            self.used.extend(first.map(|chunk| key(&article.id, &chunk.anchor)));
        }
        Some(article.id.clone())
    }

    pub(super) fn was_used(&self, chunk: &Chunk) -> bool {
        self.used.contains(&key(&chunk.article, &chunk.anchor))
    }

    pub(super) fn was_article_used(&self, id: &ArticleId) -> bool {
        self.used_articles.contains(id.as_str())
    }

    pub(super) fn was_asked(&self, options: &[&Article]) -> bool {
        let mut slugs: Vec<String> = options.iter().map(|article| article.id.to_string()).collect();
        slugs.sort();
        self.asked.contains(&slugs)
    }

    pub(super) fn was_said(&self, text: &str) -> bool {
        self.texts.contains(text.trim())
    }

    /// The first wording not yet used; the last one when all were.
    pub(super) fn fresh(&self, wordings: [&'static str; 2]) -> &'static str {
        let [first, second] = wordings;
        if self.texts.iter().any(|text| text.contains(first)) { second } else { first }
    }

    /// The latest words completed with what was asked before, until two words name something.
    pub(super) fn completed(&self) -> String {
        let mut text = String::new();
        for earlier in &self.earlier {
            text = format!("{earlier}\n{text}");
            if talk::topic(&text).len() >= 2 {
                break;
            }
        }
        text.push_str(&self.latest);
        text
    }

    pub(super) fn has_earlier(&self) -> bool {
        !self.earlier.is_empty()
    }
}

/// The first ordinary section that a requester can act on.
pub(super) fn first_with_steps(article: &Article) -> Option<&Arc<Chunk>> {
    article.chunks.iter().find(|chunk| chunk.role == Role::Main && chunk.has_steps())
}

fn joined(turns: &[Turn]) -> String {
    let mut text = String::new();
    for turn in turns {
        text.push_str(&turn.text);
        text.push('\n');
    }
    text.chars().take(MAX_TURN_CHARS).collect()
}
