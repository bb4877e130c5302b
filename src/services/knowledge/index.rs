//! Two inverted indexes over the same chunks: word stems (BM25 with field boosts) and surface words reached by trigrams.
//! Not here: grouping by article, the sum of both scores and the reasons shown (`search.rs`).

use std::collections::HashMap;

use serde::Serialize;

use super::article::Article;
use super::words::{self, Trigram};

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

/// Below this likeness two words are different words.
const MIN_LIKENESS: f32 = 0.4;

/// A word that no article knows weighs this share of the rarest known word: it lowers the score, since the question is
/// about something else, but less than a known word would, since people also tell stories.
const UNKNOWN_WEIGHT: f32 = 0.7;

#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    pub(super) chunk: u32,
    /// Saturated frequency over all fields, 0..1.
    strength: f32,
    field: Field,
}

/// One query word found in one chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Position of the query word.
    pub(super) term: usize,
    /// The word in the index.
    pub(super) word: u32,
    pub(super) field: Field,
    /// Weighted part of the raw score.
    pub(super) gain: f32,
}

/// What one index says about a query.
pub(super) struct Scores {
    /// What a perfect chunk would gain; the divisor that brings scores to 0..1.
    pub(super) best: f32,
    pub(super) by_chunk: HashMap<u32, Vec<Found>>,
}

pub(super) struct Index {
    chunks: usize,
    stems: Lexicon,
    surface: Lexicon,
    grams: HashMap<Trigram, Vec<u32>>,
    gram_counts: Vec<u32>,
}

impl Index {
    /// `articles` in a fixed order; chunk numbers count through them.
    pub(super) fn build<'a>(articles: impl Iterator<Item = &'a Article> + Clone) -> Self {
        let stems = Lexicon::build(articles.clone(), words::stem);
        let surface = Lexicon::build(articles.clone(), str::to_owned);
        let mut grams: HashMap<Trigram, Vec<u32>> = HashMap::new();
        let mut gram_counts = Vec::with_capacity(surface.words.len());
        for (word, id) in surface.words.iter().zip(0..) {
            let of_word = words::trigrams(word);
            gram_counts.push(of_word.len() as u32);
            for gram in of_word {
                grams.entry(gram).or_default().push(id);
            }
        }
        let chunks = articles.map(|article| article.chunks.len()).sum();
        Self { chunks, stems, surface, grams, gram_counts }
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.surface.ids.contains_key(word)
    }

    pub(super) fn stem_word(&self, id: u32) -> &str {
        self.stems.word(id)
    }

    pub(super) fn surface_word(&self, id: u32) -> &str {
        self.surface.word(id)
    }

    pub(super) fn by_words(&self, terms: &[String]) -> Scores {
        let mut scores = Tally::default();
        for (term, word) in terms.iter().enumerate() {
            let Some(&id) = self.stems.ids.get(words::stem(word).as_str()) else {
                scores.expect(self.stems.unknown_weight());
                continue;
            };
            let weight = self.stems.weight(id);
            scores.expect(weight);
            for posting in self.stems.postings(id) {
                let gain = weight * posting.strength;
                scores.add(posting.chunk, Found { term, word: id, field: posting.field, gain });
            }
        }
        scores.finish()
    }

    pub(super) fn by_trigrams(&self, terms: &[String]) -> Scores {
        let mut scores = Tally::default();
        for (term, word) in terms.iter().enumerate() {
            let alike = self.alike(word);
            let nearest = alike.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
            scores.expect(nearest.map_or(self.surface.unknown_weight(), |(id, _)| self.surface.weight(id)));
            let mut best: HashMap<u32, Found> = HashMap::new();
            for (id, likeness) in alike {
                let weight = self.surface.weight(id) * likeness * likeness;
                for posting in self.surface.postings(id) {
                    let found = Found { term, word: id, field: posting.field, gain: weight * posting.strength };
                    let held = best.entry(posting.chunk).or_insert(found);
                    if found.gain > held.gain {
                        *held = found;
                    }
                }
            }
            let mut best: Vec<_> = best.into_iter().collect();
            best.sort_unstable_by_key(|(chunk, _)| *chunk);
            best.into_iter().for_each(|(chunk, found)| scores.add(chunk, found));
        }
        scores.finish()
    }

    /// Known words whose trigrams overlap with those of `word` (Dice coefficient), in the order of their ids.
    fn alike(&self, word: &str) -> Vec<(u32, f32)> {
        // 691 and 619 are different errors, however alike they look.
        if word.bytes().any(|b| b.is_ascii_digit()) {
            return self.surface.ids.get(word).map(|id| vec![(*id, 1.0)]).unwrap_or_default();
        }
        let grams = words::trigrams(word);
        let mut shared: HashMap<u32, u32> = HashMap::new();
        for id in grams.iter().filter_map(|gram| self.grams.get(gram)).flatten() {
            *shared.entry(*id).or_default() += 1;
        }
        let mut alike: Vec<(u32, f32)> = shared
            .into_iter()
            .map(|(id, shared)| {
                let total = grams.len() as f32 + self.gram_counts[id as usize] as f32;
                (id, 2.0 * shared as f32 / total)
            })
            .filter(|(_, likeness)| *likeness >= MIN_LIKENESS)
            .collect();
        alike.sort_unstable_by_key(|(id, _)| *id);
        alike
    }
}

#[derive(Default)]
struct Tally {
    expected: Vec<f32>,
    by_chunk: HashMap<u32, Vec<Found>>,
}

impl Tally {
    fn expect(&mut self, weight: f32) {
        self.expected.push(weight);
    }

    fn add(&mut self, chunk: u32, found: Found) {
        self.by_chunk.entry(chunk).or_default().push(found);
    }

    fn finish(mut self) -> Scores {
        // A long story must not push a good match below the threshold: only the weightiest words are expected.
        self.expected.sort_unstable_by(|a, b| b.total_cmp(a));
        let best = self.expected.iter().take(EXPECTED_TERMS).sum();
        Scores { best, by_chunk: self.by_chunk }
    }
}

/// How many words of a query a perfect chunk is expected to hold.
const EXPECTED_TERMS: usize = 5;

/// Words and where they stand.
#[derive(Default)]
struct Lexicon {
    ids: HashMap<Box<str>, u32>,
    words: Vec<Box<str>>,
    postings: Vec<Vec<Posting>>,
    weights: Vec<f32>,
    articles: usize,
}

impl Lexicon {
    fn build<'a>(articles: impl Iterator<Item = &'a Article> + Clone, form: fn(&str) -> String) -> Self {
        let mut lexicon = Self::default();
        let averages = average_lengths(articles.clone());
        let mut chunk_number = 0;
        let mut article_counts: Vec<u32> = Vec::new();
        for article in articles {
            lexicon.articles += 1;
            let mut in_article: Vec<u32> = Vec::new();
            for chunk in &article.chunks {
                let mut strengths: HashMap<u32, (f32, Field)> = HashMap::new();
                for (field, average) in Field::ALL.into_iter().zip(averages) {
                    let found = field_words(article, &chunk.heading, &chunk.text, field);
                    let length = found.len() as f32 / average;
                    let each = field.boost() / (1.0 - field.length_penalty() + field.length_penalty() * length);
                    for word in found {
                        let id = lexicon.id(form(&word));
                        strengths.entry(id).or_insert((0.0, field)).0 += each;
                    }
                }
                let mut strengths: Vec<_> = strengths.into_iter().collect();
                strengths.sort_unstable_by_key(|(id, _)| *id);
                for (id, (raw, field)) in strengths {
                    in_article.push(id);
                    let strength = raw / (K1 + raw);
                    lexicon.postings[id as usize].push(Posting { chunk: chunk_number, strength, field });
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

    fn unknown_weight(&self) -> f32 {
        UNKNOWN_WEIGHT * self.rarity(1.0)
    }

    fn weight(&self, id: u32) -> f32 {
        self.weights.get(id as usize).copied().unwrap_or_default()
    }

    fn postings(&self, id: u32) -> &[Posting] {
        self.postings.get(id as usize).map(Vec::as_slice).unwrap_or_default()
    }

    fn word(&self, id: u32) -> &str {
        self.words.get(id as usize).map(|word| &**word).unwrap_or_default()
    }
}

fn field_words(article: &Article, heading: &[String], text: &str, field: Field) -> Vec<String> {
    let source = match field {
        Field::Title => article.title.clone(),
        Field::Keyword => article.keywords.join("\n"),
        Field::Heading => heading.join("\n"),
        Field::Tag => format!("{}\n{}", article.tags.join("\n"), article.service.as_deref().unwrap_or_default()),
        Field::Text => text.to_owned(),
    };
    let mut found = words::tokens(&source);
    found.retain(|word| words::is_content(word));
    found
}

/// Mean number of content words per chunk and field, at least one.
fn average_lengths<'a>(articles: impl Iterator<Item = &'a Article>) -> [f32; 5] {
    let mut sums = [0.0_f32; 5];
    let mut chunks = 0.0_f32;
    for article in articles {
        for chunk in &article.chunks {
            chunks += 1.0;
            for (sum, field) in sums.iter_mut().zip(Field::ALL) {
                *sum += field_words(article, &chunk.heading, &chunk.text, field).len() as f32;
            }
        }
    }
    sums.map(|sum| (sum / chunks.max(1.0)).max(1.0))
}
