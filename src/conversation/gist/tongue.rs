//! "I want to talk to a human": patterns over a language's words.
//!
//! Not here: the words (one file per language). A pattern is a row of items, separated by blanks:
//! `a|b` one of these words · `<wish>` a phrase that asks · `<want>` a phrase that asks for a thing or a person ·
//! `<np>` a person, with articles and adjectives · `<any>` the same, or "someone", "support" · `*` up to four words ·
//! `^` and `$` the ends of the clause.

use std::sync::LazyLock;

use super::phrase::{Clause, Phrases};
use super::{ar, de, en, es, fr, it, nl, pt};

/// A language as it is written down.
pub(super) struct Written {
    pub code: &'static str,
    pub wish: &'static str,
    pub want: &'static str,
    /// Articles and adjectives before a person.
    pub fill: &'static str,
    pub people: &'static str,
    /// Those that count only where talking to them is said.
    pub loose: &'static str,
    /// What may follow a person that ends a pattern. Anything else makes it part of another word: "human resources".
    pub follow: &'static str,
    pub follow_loose: &'static str,
    /// Denials, conditions, questions whether it must be: right before the pattern or within it they turn it round.
    pub denial: &'static str,
    /// Words that begin a thought of its own, so that denials before them do not count.
    pub link: &'static str,
    pub patterns: &'static [&'static str],
    /// Whole messages.
    pub whole: &'static str,
}

enum Item {
    Words(Vec<&'static str>),
    Wish,
    Want,
    Person,
    Anybody,
    Gap,
    Start,
    End,
}

pub(super) struct Tongue {
    code: &'static str,
    wish: Phrases,
    want: Phrases,
    fill: Phrases,
    people: Phrases,
    loose: Phrases,
    follow: Phrases,
    follow_loose: Phrases,
    denial: Phrases,
    link: Phrases,
    patterns: Vec<Vec<Item>>,
    whole: Phrases,
}

static TONGUES: LazyLock<Vec<Tongue>> = LazyLock::new(|| {
    [
        &en::WRITTEN,
        &de::WRITTEN,
        &es::WRITTEN,
        &fr::WRITTEN,
        &pt::WRITTEN,
        &it::WRITTEN,
        &nl::WRITTEN,
        &ar::WRITTEN,
    ]
    .into_iter()
    .map(Tongue::new)
    .collect()
});

const LONGEST_GAP: usize = 4;
const MOST_FILL: usize = 6;
/// How far before a pattern a denial still belongs to it.
const DENIAL_REACH: usize = 3;

/// Whether any clause plainly asks for a human, in any language; `language` is tried first.
pub(super) fn asks_for_human(clauses: &[Clause], language: &str) -> bool {
    let own = TONGUES.iter().filter(|tongue| language.starts_with(tongue.code));
    let others = TONGUES.iter().filter(|tongue| !language.starts_with(tongue.code));
    own.chain(others)
        .any(|tongue| tongue.is_whole(clauses) || clauses.iter().any(|clause| tongue.asks(clause)))
}

impl Tongue {
    fn new(written: &'static Written) -> Self {
        Tongue {
            code: written.code,
            wish: Phrases::new(written.wish),
            want: Phrases::new(written.want),
            fill: Phrases::new(written.fill),
            people: Phrases::new(written.people),
            loose: Phrases::new(written.loose),
            follow: Phrases::new(written.follow),
            follow_loose: Phrases::new(written.follow_loose),
            denial: Phrases::new(written.denial),
            link: Phrases::new(written.link),
            patterns: written.patterns.iter().map(|pattern| compile(pattern)).collect(),
            whole: Phrases::new(written.whole),
        }
    }

    fn is_whole(&self, clauses: &[Clause]) -> bool {
        let words: Clause = clauses.iter().flatten().take(8).cloned().collect();
        let all = clauses.iter().map(Vec::len).sum::<usize>();
        self.whole.ends(&words, 0).contains(&all)
    }

    fn asks(&self, clause: &Clause) -> bool {
        if !self.people.within(clause) && !self.loose.within(clause) {
            return false;
        }
        let mut start = 0;
        while start < clause.len() {
            match self.patterns.iter().find_map(|pattern| self.end(pattern, clause, start)) {
                // What is denied as a whole is not asked for by its second half.
                Some(end) if self.is_denied(clause, start, end) => start = end.max(start + 1),
                Some(_) => return true,
                None => start += 1,
            }
        }
        false
    }

    /// Where the pattern ends if it begins at `at`.
    fn end(&self, pattern: &[Item], words: &[String], at: usize) -> Option<usize> {
        let Some((item, rest)) = pattern.split_first() else { return Some(at) };
        let first = |ends: Vec<usize>| ends.into_iter().find_map(|end| self.end(rest, words, end));
        match item {
            Item::Start => (at == 0).then(|| self.end(rest, words, at)).flatten(),
            Item::End => (at == words.len()).then(|| self.end(rest, words, at)).flatten(),
            Item::Words(any) => {
                any.contains(&words.get(at)?.as_str()).then(|| self.end(rest, words, at + 1)).flatten()
            }
            Item::Wish => first(self.wish.ends(words, at)),
            Item::Want => first(self.want.ends(words, at)),
            Item::Gap => {
                let last = words.len().min(at + LONGEST_GAP);
                (at..=last).find_map(|next| self.end(rest, words, next))
            }
            Item::Person => first(self.nouns(&self.people, &self.follow, words, at, rest.is_empty())),
            Item::Anybody => {
                let strict = self.nouns(&self.people, &self.follow, words, at, rest.is_empty());
                let loose = self.nouns(&self.loose, &self.follow_loose, words, at, rest.is_empty());
                first(strict).or_else(|| first(loose))
            }
        }
    }

    /// Where a person that begins at `at` may end; at the end of a pattern only where nothing else can be meant.
    fn nouns(
        &self,
        nouns: &Phrases,
        follow: &Phrases,
        words: &[String],
        at: usize,
        last: bool,
    ) -> Vec<usize> {
        let mut found = Vec::new();
        let mut noun = at;
        for _ in 0..=MOST_FILL {
            found.extend(nouns.ends(words, noun));
            match self.fill.ends(words, noun).first() {
                Some(next) => noun = *next,
                None => break,
            }
        }
        if last {
            found.retain(|end| *end == words.len() || follow.begins(words, *end));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }

    fn is_denied(&self, words: &[String], start: usize, end: usize) -> bool {
        let mut from = start;
        while from > 0 && start - from < DENIAL_REACH && !self.link.begins(words, from - 1) {
            from -= 1;
        }
        self.denial.within(&words[from..end])
    }
}

fn compile(pattern: &'static str) -> Vec<Item> {
    pattern
        .split_whitespace()
        .map(|item| match item {
            "<wish>" => Item::Wish,
            "<want>" => Item::Want,
            "<np>" => Item::Person,
            "<any>" => Item::Anybody,
            "*" => Item::Gap,
            "^" => Item::Start,
            "$" => Item::End,
            words => Item::Words(words.split('|').collect()),
        })
        .collect()
}
