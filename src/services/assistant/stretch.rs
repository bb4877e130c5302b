//! Reads a request as the knowledge base wants it: who spoke, and which citation belongs to which answer.
//!
//! Not here: what is said to it (the engines).

use super::{Line, Request, Speaker};
use crate::knowledge::{By, Knowledge, Policy, Turn};

/// How the stored form of an option of a question between articles begins.
const ASKED: &str = "ask:";

/// The stretch with its citations put back to the answers that they came with. What fits no answer is left over: it was
/// used, nobody knows where.
pub(super) struct Stretch {
    pub(super) turns: Vec<Turn>,
    pub(super) left: Vec<String>,
}

impl Stretch {
    /// Notes of technicians are left out: they are not for the requester (A5, T61). So are others in the same thread: the
    /// question is the requester's.
    pub(super) fn read(knowledge: &Knowledge, request: &Request) -> Self {
        let mut cites = Cites { knowledge, waiting: request.cited.clone() };
        let turns = request.lines.iter().filter_map(|line| {
            let by = match line.by {
                Speaker::Requester => By::Requester,
                Speaker::Assistant => By::Assistant,
                Speaker::Technician => By::Technician,
                Speaker::Bystander | Speaker::Note => return None,
            };
            let cites = if by == By::Assistant { cites.of(&line.text) } else { Vec::new() };
            Some(Turn { by, text: line.text.clone(), cites })
        });
        let turns = turns.collect();
        Self { turns, left: cites.waiting }
    }
}

/// Citations that were not met in an answer yet, in the order in which they were given.
struct Cites<'k> {
    knowledge: &'k Knowledge,
    waiting: Vec<String>,
}

impl Cites<'_> {
    /// The host keeps citations per stretch, not per message, so an answer is known by the title that it shows.
    fn of(&mut self, text: &str) -> Vec<String> {
        let text = text.replace('\\', "");
        let is_shown = |cite: &String| self.shows(&text, cite);
        let Some(start) = self.waiting.iter().position(is_shown) else { return self.unkept(&text) };
        let count = self.waiting[start..].iter().take_while(|cite| self.shows(&text, cite)).count();
        self.waiting.drain(start..start + count).collect()
    }

    fn shows(&self, text: &str, cite: &str) -> bool {
        let asked = cite.strip_prefix(ASKED);
        let slug = asked.unwrap_or(cite).split('#').next().unwrap_or_default();
        let Some(article) = self.knowledge.article(slug) else { return false };
        match asked {
            Some(_) => text.lines().any(|line| option(line) == Some(article.title.as_str())),
            None => text.contains(&format!("*{}*", article.title)),
        }
    }

    /// The core keeps no citations of an offer of people, but its advice must not come twice either.
    fn unkept(&self, text: &str) -> Vec<String> {
        let articles = self.knowledge.articles().iter();
        let mut shown = articles.filter(|article| {
            article.policy == Policy::Handover && text.contains(&format!(": *{}*", article.title))
        });
        shown.next().map(|article| article.id.to_string()).into_iter().collect()
    }
}

/// `Title` of `2. Title`.
fn option(line: &str) -> Option<&str> {
    let (number, title) = line.trim().split_once(". ")?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(title)
}

/// What the requester said since anybody else spoke.
pub(super) fn latest(request: &Request) -> &[Line] {
    let aside = |line: &Line| matches!(line.by, Speaker::Requester | Speaker::Bystander | Speaker::Note);
    let shown = request.lines.iter().rposition(|line| !aside(line));
    &request.lines[shown.map_or(0, |at| at + 1)..]
}

/// Files came, and no words with them.
pub(super) fn has_only_files(request: &Request) -> bool {
    let mut latest = latest(request).iter().filter(|line| line.by == Speaker::Requester).peekable();
    latest.peek().is_some()
        && latest.clone().all(|line| line.text.trim().is_empty())
        && latest.any(|line| !line.files.is_empty())
}
