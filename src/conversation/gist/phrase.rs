//! Text as clauses of folded words, and phrases looked up in them.
//!
//! Not here: which phrases mean what (one file per language).

use super::fold::fold;

/// The words between two marks of punctuation.
pub(super) type Clause = Vec<String>;

/// Words after which a comma separates nothing: "Ich möchte nicht, dass …".
const AFTER_COMMA: [&str; 15] = [
    "dass", "um", "que", "che", "dat", "bitte", "please", "pls", "por", "per", "s", "svp", "stp", "aub", "to",
];

/// Apostrophes and hyphens separate words, punctuation and lines separate clauses.
pub(super) fn clauses(text: &str) -> Vec<Clause> {
    let folded = fold(text);
    let mut clauses: Vec<Clause> = vec![Vec::new()];
    let mut word = String::new();
    let mut comma = false;
    for c in folded.chars().chain(std::iter::once('\n')) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            if std::mem::take(&mut comma) && !AFTER_COMMA.contains(&word.as_str()) {
                clauses.push(Vec::new());
            }
            if let Some(clause) = clauses.last_mut() {
                clause.push(std::mem::take(&mut word));
            }
        }
        match c {
            ',' | '،' => comma = true,
            '.' | '!' | '?' | ';' | ':' | '(' | ')' | '"' | '“' | '”' | '„' | '«' | '»' | '…' | '–' | '—'
            | '¿' | '¡' | '؟' | '؛' | '\n' | '\r' => {
                comma = false;
                if clauses.last().is_some_and(|clause| !clause.is_empty()) {
                    clauses.push(Vec::new());
                }
            }
            _ => {}
        }
    }
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

/// Phrases of one or more words, separated by `,` where they are written down.
pub(super) struct Phrases(Vec<Vec<&'static str>>);

impl Phrases {
    pub(super) fn new(written: &'static str) -> Self {
        let phrases = written.split(',').map(|phrase| phrase.split_whitespace().collect::<Vec<_>>());
        Phrases(phrases.filter(|phrase| !phrase.is_empty()).collect())
    }

    /// Where each phrase that begins at `at` ends; the longest first.
    pub(super) fn ends(&self, words: &[String], at: usize) -> Vec<usize> {
        let rest = words.get(at..).unwrap_or_default();
        let mut ends: Vec<usize> = self
            .0
            .iter()
            .filter(|phrase| rest.len() >= phrase.len() && phrase.iter().zip(rest).all(|(p, w)| p == w))
            .map(|phrase| at + phrase.len())
            .collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        ends
    }

    pub(super) fn begins(&self, words: &[String], at: usize) -> bool {
        !self.ends(words, at).is_empty()
    }

    pub(super) fn within(&self, words: &[String]) -> bool {
        (0..words.len()).any(|at| self.begins(words, at))
    }
}
