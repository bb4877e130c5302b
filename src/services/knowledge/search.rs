//! The knowledge base in memory: load, search with reasons, reload while others read.
//! Not here: what to say with the hits (`answer.rs`).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;

use super::article::{Article, Chunk};
use super::index::Index;
use super::inventory::{Changes, Inventory};
use super::lexicon::{Field, Scores};
use super::sources::{self, Limits, LoadFault, LoadProblem, Stamp};
use super::words;

/// More of a query is not read: nobody describes one problem in more, and scoring stays linear in a bounded
/// input.
const MAX_QUERY_CHARS: usize = 2_000;
const MAX_QUERY_TERMS: usize = 200;

/// Which index found a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchedBy {
    Words,
    Trigrams,
}

/// One reason for a hit: a word of the query, the word of the article that it met, where, and its part of the
/// score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matched {
    pub term: String,
    pub found: String,
    pub by: MatchedBy,
    pub field: Field,
    /// Part of `Hit::score`.
    pub share: f32,
}

/// One article that fits a query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    pub article: Arc<Article>,
    /// The section that fits best.
    pub chunk: Arc<Chunk>,
    /// 0..1, comparable between queries: the sum of the next two, at most 1.
    pub score: f32,
    pub word_score: f32,
    pub trigram_score: f32,
    /// Why, strongest first.
    pub matched: Vec<Matched>,
    /// Every section that matched, in document order, with the part of its score that comes from its own
    /// heading and text.
    pub sections: Vec<(Arc<Chunk>, f32)>,
}

/// How much each index counts. The product uses `SUM`; the others exist to show that the sum is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Blend {
    pub(super) words: f32,
    pub(super) trigrams: f32,
}

impl Blend {
    pub(super) const SUM: Self = Self { words: 0.5, trigrams: 0.5 };
}

/// An immutable, indexed set of articles.
pub struct Knowledge {
    articles: Vec<Arc<Article>>,
    /// Chunk number -> position of the article, position of the chunk in it.
    places: Vec<(usize, usize)>,
    index: Index,
}

impl Knowledge {
    /// Reads and indexes `folder`. An unreadable folder gives an empty knowledge base and a problem.
    pub fn load(folder: &Path) -> (Self, Vec<LoadProblem>) {
        let (articles, problems) = sources::read_folder(folder, Limits::default());
        (Self::from_articles(articles), problems)
    }

    pub fn from_articles(articles: Vec<Article>) -> Self {
        let mut articles: Vec<Arc<Article>> = articles.into_iter().map(Arc::new).collect();
        articles.sort_by(|a, b| a.id.cmp(&b.id));
        articles.dedup_by(|a, b| a.id == b.id);
        let places = articles
            .iter()
            .enumerate()
            .flat_map(|(at, article)| (0..article.chunks.len()).map(move |chunk| (at, chunk)))
            .collect();
        let index = Index::build(articles.iter().map(Arc::as_ref));
        Self { articles, places, index }
    }

    pub fn articles(&self) -> &[Arc<Article>] {
        &self.articles
    }

    pub fn article(&self, id: &str) -> Option<&Arc<Article>> {
        let at = self.articles.binary_search_by(|article| article.id.as_str().cmp(id)).ok()?;
        self.articles.get(at)
    }

    /// Number of indexed sections.
    pub fn chunks(&self) -> usize {
        self.index.chunks()
    }

    /// The articles that fit `query`, best first, at most `limit`. Total, deterministic, and linear in the
    /// length of the query up to a bound.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        self.search_blended(query, limit, Blend::SUM)
    }

    pub(super) fn search_blended(&self, query: &str, limit: usize, blend: Blend) -> Vec<Hit> {
        let terms = self.terms(query);
        let scores = self.index.score(&terms);
        let total = blend.words * scores[0].best + blend.trigrams * scores[1].best;
        let mut ranked: Vec<(usize, Vec<Scored>)> = Vec::new();
        for (number, &(article, chunk)) in self.places.iter().enumerate() {
            let words = share(blend.words * scores[0].gained(number), total);
            let trigrams = share(blend.trigrams * scores[1].gained(number), total);
            if words + trigrams <= 0.0 {
                continue;
            }
            let scored = Scored { number, chunk, words, trigrams };
            match ranked.last_mut() {
                Some((last, sections)) if *last == article => sections.push(scored),
                _ => ranked.push((article, vec![scored])),
            }
        }
        // Ties keep the order of the names: the sort is stable.
        ranked.sort_by(|a, b| best(&b.1).total_cmp(&best(&a.1)));
        ranked.truncate(limit);
        let weights = [share(blend.words, total), share(blend.trigrams, total)];
        ranked
            .into_iter()
            .filter_map(|(at, sections)| self.hit(at, &sections, &terms, &scores, weights))
            .collect()
    }

    fn hit(
        &self,
        at: usize,
        sections: &[Scored],
        terms: &[String],
        scores: &[Scores; 2],
        weights: [f32; 2],
    ) -> Option<Hit> {
        let article = self.articles.get(at)?;
        let top = sections.iter().fold(None, |top: Option<&Scored>, next| match top {
            Some(top) if top.score() >= next.score() => Some(top),
            _ => Some(next),
        })?;
        let mut matched = Vec::new();
        let reasons = self.index.reasons(scores, top.number as u32);
        for ((by, found), weight) in
            [MatchedBy::Words, MatchedBy::Trigrams].into_iter().zip(reasons).zip(weights)
        {
            matched.extend(found.into_iter().map(|found| Matched {
                term: terms.get(found.term).cloned().unwrap_or_default(),
                found: found.word.to_owned(),
                by,
                field: found.field,
                share: weight * found.gain,
            }));
        }
        matched.sort_by(|a, b| b.share.total_cmp(&a.share));
        let own = |section: &Scored| {
            let reasons = self.index.reasons(scores, section.number as u32).into_iter().zip(weights);
            let own = reasons
                .map(|(found, weight)| weight * found.iter().map(|found| found.own_gain).sum::<f32>())
                .sum();
            Some((Arc::clone(article.chunks.get(section.chunk)?), own))
        };
        Some(Hit {
            article: Arc::clone(article),
            chunk: Arc::clone(article.chunks.get(top.chunk)?),
            score: top.score(),
            word_score: top.words,
            trigram_score: top.trigrams,
            matched,
            sections: sections.iter().filter_map(own).collect(),
        })
    }

    /// Content words of the query; two that the articles write as one (`pass word`, `out look`) are joined.
    fn terms(&self, query: &str) -> Vec<String> {
        let short: String = query.chars().take(MAX_QUERY_CHARS).collect();
        let tokens = words::tokens(&short);
        let mut terms: Vec<String> = Vec::new();
        let mut at = 0;
        while at < tokens.len() && terms.len() < MAX_QUERY_TERMS {
            let joined = tokens.get(at + 1).map(|next| format!("{}{next}", tokens[at]));
            let (term, width) = match joined.filter(|joined| joined.len() > 3 && self.index.knows(joined)) {
                Some(joined) => (joined, 2),
                None => (tokens[at].clone(), 1),
            };
            if words::is_content(&term) && !terms.contains(&term) {
                terms.push(term);
            }
            at += width;
        }
        terms
    }
}

struct Scored {
    number: usize,
    chunk: usize,
    words: f32,
    trigrams: f32,
}

impl Scored {
    fn score(&self) -> f32 {
        (self.words + self.trigrams).min(1.0)
    }
}

fn best(sections: &[Scored]) -> f32 {
    sections.iter().map(Scored::score).fold(0.0, f32::max)
}

fn share(gain: f32, best: f32) -> f32 {
    if best > 0.0 { gain / best } else { 0.0 }
}

/// A knowledge base that can be read while it is loaded again.
pub struct KnowledgeBase {
    folder: PathBuf,
    current: RwLock<Arc<Knowledge>>,
    /// The folder as it was just before it was last read.
    stamp: Mutex<Option<Stamp>>,
}

/// What a reload came to.
#[derive(Debug)]
pub struct Reloaded {
    pub changes: Changes,
    pub articles: usize,
    pub problems: Vec<LoadProblem>,
}

impl KnowledgeBase {
    pub fn open(folder: impl Into<PathBuf>) -> (Self, Vec<LoadProblem>) {
        let folder = folder.into();
        // Looked at first: what is written while it is read shows at the next look.
        let stamp = Mutex::new(Stamp::of(&folder, Limits::default()));
        let (knowledge, problems) = Knowledge::load(&folder);
        (Self { folder, current: RwLock::new(Arc::new(knowledge)), stamp }, problems)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The knowledge as of now; a reload does not change what the caller holds.
    pub fn current(&self) -> Arc<Knowledge> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the folder again. If the folder itself cannot be read, what is known stays. Blocks on the disk:
    /// call it off the async threads.
    pub fn reload(&self) -> Reloaded {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        *stamp = Stamp::of(&self.folder, Limits::default());
        self.read_again()
    }

    /// As `reload`, but only when the folder does not look as it did: a look costs no reading. Blocks on the disk.
    pub fn reload_if_changed(&self) -> Option<Reloaded> {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Stamp::of(&self.folder, Limits::default());
        if *stamp == now {
            return None;
        }
        *stamp = now;
        Some(self.read_again())
    }

    fn read_again(&self) -> Reloaded {
        let (knowledge, problems) = Knowledge::load(&self.folder);
        let before = self.current();
        if problems.iter().any(|problem| matches!(problem.fault, LoadFault::NoFolder(_))) {
            let changes = Changes { unchanged: before.articles().len(), ..Changes::default() };
            return Reloaded { changes, articles: before.articles().len(), problems };
        }
        let changes = Inventory::of(&knowledge).since(&Inventory::of(&before));
        let articles = knowledge.articles().len();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(knowledge);
        Reloaded { changes, articles, problems }
    }
}
