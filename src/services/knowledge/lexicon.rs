//! Words and where they stand in the articles: weighted postings, and the scores that a reading of a query
//! gains from them.
//! Not here: how a query word is read, by stem or by trigrams (`index.rs`).

use std::collections::HashMap;

use serde::Serialize;

use super::article::Article;
use super::words;

/// Where in an article a word stands, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    Title,
    Keyword,
    Heading,
    Tag,
    Text,
}

impl Field {
    const ALL: [Self; 5] = [Self::Title, Self::Keyword, Self::Heading, Self::Tag, Self::Text];

    fn boost(self) -> f32 {
        match self {
            Self::Title => 4.0,
            Self::Keyword => 3.0,
            Self::Heading => 2.5,
            Self::Tag => 2.0,
            Self::Text => 1.0,
        }
    }

    /// How much a long field dilutes a word (the `b` of BM25). Titles and tags are short by nature.
    fn length_penalty(self) -> f32 {
        match self {
            Self::Keyword => 0.25,
            Self::Text => 0.6,
            Self::Title | Self::Heading | Self::Tag => 0.0,
        }
    }
}

/// Saturation: how fast more occurrences stop to count.
const K1: f32 = 1.2;

/// How many words of a query a perfect chunk is expected to hold. A long story must not push a good match
/// down.
const EXPECTED_TERMS: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Posting {
    chunk: u32,
    /// Saturated frequency over all fields, 0..1.
    strength: f32,
    /// The same without what all sections of the article share.
    own_strength: f32,
    field: Field,
}

/// How one word of a query is understood: as which known words, each with the weight it would bring.
pub(super) struct Reading {
    pub(super) expected: f32,
    pub(super) as_words: Vec<(u32, f32)>,
}

/// What one index says about a query.
pub(super) struct Scores {
    /// What a perfect chunk would gain; the divisor that brings scores to 0..1.
    pub(super) best: f32,
    gained: Vec<f32>,
    readings: Vec<Reading>,
}

impl Scores {
    pub(super) fn gained(&self, chunk: usize) -> f32 {
        self.gained.get(chunk).copied().unwrap_or_default()
    }
}

/// One query word found in one chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Position of the query word.
    pub(super) term: usize,
    /// The word in the index.
    pub(super) word: &'a str,
    pub(super) field: Field,
    /// Weighted part of what the chunk gained.
    pub(super) gain: f32,
    /// The same from the heading and text of this section only.
    pub(super) own_gain: f32,
}

/// Words and where they stand.
#[derive(Default)]
pub(super) struct Lexicon {
    ids: HashMap<Box<str>, u32>,
    words: Vec<Box<str>>,
    postings: Vec<Vec<Posting>>,
    weights: Vec<f32>,
    articles: usize,
}

impl Lexicon {
    /// `form` brings a word to the form in which it is kept.
    pub(super) fn build(articles: &[FieldWords], form: fn(&str) -> String) -> Self {
        let mut lexicon = Self::default();
        let averages = average_lengths(articles);
        let mut chunk_number = 0;
        let mut article_counts: Vec<u32> = Vec::new();
        for article in articles {
            lexicon.articles += 1;
            let mut in_article: Vec<u32> = Vec::new();
            for chunk in &article.chunks {
                let mut strengths: HashMap<u32, (f32, f32, Field)> = HashMap::new();
                for (field, average) in Field::ALL.into_iter().zip(averages) {
                    let found = article.words(chunk, field);
                    let length = found.len() as f32 / average;
                    let each =
                        field.boost() / (1.0 - field.length_penalty() + field.length_penalty() * length);
                    for word in found {
                        let id = lexicon.id(form(word));
                        let held = strengths.entry(id).or_insert((0.0, 0.0, field));
                        held.0 += each;
                        held.1 += if matches!(field, Field::Heading | Field::Text) { each } else { 0.0 };
                    }
                }
                let mut strengths: Vec<_> = strengths.into_iter().collect();
                strengths.sort_unstable_by_key(|(id, _)| *id);
                for (id, (raw, own, field)) in strengths {
                    in_article.push(id);
                    lexicon.postings[id as usize].push(Posting {
                        chunk: chunk_number,
                        strength: raw / (K1 + raw),
                        own_strength: own / (K1 + own),
                        field,
                    });
                }
                chunk_number += 1;
            }
            in_article.sort_unstable();
            in_article.dedup();
            article_counts.resize(lexicon.words.len(), 0);
            in_article.into_iter().for_each(|id| article_counts[id as usize] += 1);
        }
        lexicon.weights = article_counts.iter().map(|count| lexicon.rarity(*count as f32)).collect();
        lexicon
    }

    fn id(&mut self, word: String) -> u32 {
        if let Some(id) = self.ids.get(word.as_str()) {
            return *id;
        }
        let id = self.words.len() as u32;
        self.words.push(word.clone().into());
        self.ids.insert(word.into(), id);
        self.postings.push(Vec::new());
        id
    }

    /// Counted in articles, not chunks: titles and keywords stand in every chunk of theirs.
    fn rarity(&self, articles_with: f32) -> f32 {
        let all = self.articles as f32;
        (1.0 + (all - articles_with + 0.5).max(0.0) / (articles_with + 0.5)).ln()
    }

    /// A word that no article knows weighs as much as the rarest known one: the question is about something
    /// else.
    pub(super) fn unknown_weight(&self) -> f32 {
        self.rarity(1.0)
    }

    pub(super) fn weight(&self, id: u32) -> f32 {
        self.weights.get(id as usize).copied().unwrap_or_default()
    }

    pub(super) fn tally(&self, readings: Vec<Reading>, chunks: usize) -> Scores {
        let mut gained = vec![0.0_f32; chunks];
        let mut of_term = vec![0.0_f32; chunks];
        let mut touched: Vec<u32> = Vec::new();
        for reading in &readings {
            for &(id, weight) in &reading.as_words {
                for posting in self.postings(id) {
                    let best = &mut of_term[posting.chunk as usize];
                    if *best == 0.0 {
                        touched.push(posting.chunk);
                    }
                    *best = best.max(weight * posting.strength);
                }
            }
            for chunk in touched.drain(..) {
                gained[chunk as usize] += std::mem::take(&mut of_term[chunk as usize]);
            }
        }
        let mut expected: Vec<f32> = readings.iter().map(|reading| reading.expected).collect();
        expected.sort_unstable_by(|a, b| b.total_cmp(a));
        Scores { best: expected.iter().take(EXPECTED_TERMS).sum(), gained, readings }
    }

    pub(super) fn reasons(&self, scores: &Scores, chunk: u32) -> Vec<Found<'_>> {
        let mut reasons = Vec::new();
        for (term, reading) in scores.readings.iter().enumerate() {
            let mut best: Option<Found<'_>> = None;
            for &(id, weight) in &reading.as_words {
                let postings = self.postings(id);
                let Ok(at) = postings.binary_search_by_key(&chunk, |posting| posting.chunk) else { continue };
                let posting = postings[at];
                let gain = weight * posting.strength;
                if best.is_none_or(|held| gain > held.gain) {
                    let own_gain = weight * posting.own_strength;
                    best = Some(Found { term, word: self.word(id), field: posting.field, gain, own_gain });
                }
            }
            reasons.extend(best);
        }
        reasons
    }

    /// The number of a word, if an article holds it.
    pub(super) fn find(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }

    pub(super) fn words(&self) -> &[Box<str>] {
        &self.words
    }

    fn postings(&self, id: u32) -> &[Posting] {
        self.postings.get(id as usize).map(Vec::as_slice).unwrap_or_default()
    }

    fn word(&self, id: u32) -> &str {
        self.words.get(id as usize).map(|word| &**word).unwrap_or_default()
    }
}

/// The content words of an article, field by field.
pub(super) struct FieldWords {
    title: Vec<String>,
    keywords: Vec<String>,
    tags: Vec<String>,
    /// Heading and text of each chunk.
    pub(super) chunks: Vec<[Vec<String>; 2]>,
}

impl FieldWords {
    pub(super) fn of(article: &Article) -> Self {
        let read = |source: &str| {
            let mut found = words::tokens(source);
            found.retain(|word| words::is_content(word));
            found
        };
        Self {
            title: read(&article.title),
            keywords: read(&article.keywords.join("\n")),
            tags: read(&format!(
                "{}\n{}",
                article.tags.join("\n"),
                article.service.as_deref().unwrap_or_default()
            )),
            chunks: article
                .chunks
                .iter()
                .map(|chunk| [read(&chunk.heading.join("\n")), read(&chunk.text)])
                .collect(),
        }
    }

    fn words<'a>(&'a self, [heading, text]: &'a [Vec<String>; 2], field: Field) -> &'a [String] {
        match field {
            Field::Title => &self.title,
            Field::Keyword => &self.keywords,
            Field::Tag => &self.tags,
            Field::Heading => heading,
            Field::Text => text,
        }
    }
}

/// Mean number of content words per chunk and field, at least one.
fn average_lengths(articles: &[FieldWords]) -> [f32; 5] {
    let mut sums = [0.0_f32; 5];
    let mut chunks = 0.0_f32;
    for article in articles {
        for chunk in &article.chunks {
            chunks += 1.0;
            for (sum, field) in sums.iter_mut().zip(Field::ALL) {
                *sum += article.words(chunk, field).len() as f32;
            }
        }
    }
    sums.map(|sum| (sum / chunks.max(1.0)).max(1.0))
}
