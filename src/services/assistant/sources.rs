//! The articles that a model was given in one turn, and which of them its answer rests on.
//!
//! Not here: finding articles (`knowledge/`).

use std::fmt::Write as _;

use deskbridge_conversation::notices::plain;

use super::guard::{Hosts, hosts_in};
use super::words::Words;
use super::{data, suggest};
use crate::knowledge::{Hit, Knowledge, Policy};

/// Below this score an article only distracts.
const WORTH_SHOWING: f32 = 0.2;
/// Articles of one turn, whatever a model searches for.
const MOST: usize = 8;
/// Characters of one article.
const LENGTH: usize = 2_500;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    slug: String,
    anchor: String,
    title: String,
}

impl Given {
    /// As the knowledge base stores a citation.
    fn key(&self) -> String {
        if self.anchor.is_empty() { self.slug.clone() } else { format!("{}#{}", self.slug, self.anchor) }
    }
}

/// Numbered from 1, as the model sees them.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    given: Vec<Given>,
    /// Hosts that the given articles link to: people may be sent there.
    pub(super) hosts: Hosts,
}

impl Sources {
    /// Adds what was found, and gives it as text for the model. A section that it has already is only named again.
    pub(super) fn add(&mut self, hits: &[Hit]) -> String {
        let mut text = String::new();
        for hit in hits.iter().filter(|hit| hit.score >= WORTH_SHOWING) {
            let given = Given {
                slug: hit.article.id.to_string(),
                anchor: hit.chunk.anchor.clone(),
                title: hit.article.title.clone(),
            };
            if let Some(at) = self.given.iter().position(|known| *known == given) {
                let _ = writeln!(text, "Article {} fits; you have it already.", at + 1);
                continue;
            }
            if self.given.len() >= MOST {
                break;
            }
            self.given.push(given);
            let body = hit.chunk.to_markdown(LENGTH);
            self.hosts.extend(hosts_in(&body));
            let policy = match hit.article.policy {
                Policy::Answer => "",
                Policy::Handover => {
                    " policy=\"a technician has to do this: give only the first safe advice, then call hand_over\""
                }
            };
            let _ = writeln!(
                text,
                "<article n=\"{}\" title=\"{}\"{policy}>\n{}\n</article>",
                self.given.len(),
                data::inert(&hit.article.title).replace('"', "'"),
                data::inert(&body),
            );
        }
        text
    }

    /// Takes the model's marks (`[2]`) out of its answer and gives what it rests on: what is marked, else what it
    /// plainly repeats.
    pub(super) fn cited(&self, answer: &str, knowledge: &Knowledge) -> (String, Vec<usize>) {
        let (text, mut marked) = self.unmark(answer);
        if marked.is_empty() && !self.given.is_empty() {
            let hits = knowledge.search(&text, self.given.len());
            let repeated = hits.iter().filter(|hit| hit.score >= suggest::GOOD);
            marked = repeated
                .filter_map(|hit| self.given.iter().position(|given| given.slug == hit.article.id.as_str()))
                .take(1)
                .collect();
        }
        (text, marked)
    }

    fn unmark(&self, answer: &str) -> (String, Vec<usize>) {
        let mut out = String::with_capacity(answer.len());
        let mut marked = Vec::new();
        let mut rest = answer;
        while let Some(start) = rest.find('[') {
            let inner = rest[start + 1..].split(']').next().unwrap_or_default();
            let number: Option<usize> = inner.trim().parse().ok();
            let end = start + 1 + inner.len() + 1;
            // `[1](…)` is a link, and a number that no article has is the model's own text.
            let is_link = rest.get(end..).is_some_and(|after| after.starts_with(['(', '[', ':']));
            match number
                .and_then(|number| number.checked_sub(1))
                .filter(|at| *at < self.given.len() && !is_link)
            {
                Some(at) if end <= rest.len() => {
                    out.push_str(rest[..start].trim_end_matches(' '));
                    if !marked.contains(&at) {
                        marked.push(at);
                    }
                    rest = &rest[end..];
                }
                _ => {
                    out.push_str(&rest[..=start]);
                    rest = &rest[start + 1..];
                }
            }
        }
        out.push_str(rest);
        (out.trim().to_owned(), marked)
    }

    pub(super) fn keys(&self, cited: &[usize]) -> Vec<String> {
        cited.iter().filter_map(|at| self.given.get(*at)).map(Given::key).collect()
    }

    /// `Source: *Title*`; empty when nothing was cited.
    pub(super) fn line(&self, cited: &[usize], words: &Words) -> String {
        let mut titles: Vec<String> = Vec::new();
        for given in cited.iter().filter_map(|at| self.given.get(*at)) {
            let title = format!("*{}*", plain(&given.title));
            if !titles.contains(&title) {
                titles.push(title);
            }
        }
        match titles.len() {
            0 => String::new(),
            1 => format!("\n\n{}: {}", words.source, titles[0]),
            _ => format!("\n\n{}: {}", words.sources, titles.join(", ")),
        }
    }
}
