//! Two inverted indexes over the same chunks: word stems (BM25 with field boosts) and surface words reached
//! by trigrams.
//! Not here: postings and weights (`lexicon.rs`); grouping by article, the sum of both scores and the reasons
//! shown (`search.rs`).

use std::collections::HashMap;

use super::article::Article;
use super::lexicon::{FieldWords, Found, Lexicon, Reading, Scores};
use super::words::{self, Trigram};

/// Below this likeness two words are different words.
const MIN_LIKENESS: f32 = 0.35;

/// The same for words of up to four letters, of which two trigrams are already half: `joke` is not `job`.
const MIN_LIKENESS_SHORT: f32 = 0.45;

/// The likeness of words that only differ in the order of their letters.
const SWAPPED: f32 = 0.7;

/// Known words that one word of a query can stand for.
const MAX_ALIKE: usize = 24;

pub(super) struct Index {
    chunks: usize,
    stems: Lexicon,
    surface: Lexicon,
    grams: HashMap<Trigram, Vec<u32>>,
    gram_counts: Vec<u32>,
    /// Words by their sorted letters.
    letters: HashMap<String, Vec<u32>>,
}

impl Index {
    /// `articles` in a fixed order; chunk numbers count through them.
    pub(super) fn build<'a>(articles: impl Iterator<Item = &'a Article>) -> Self {
        let articles: Vec<FieldWords> = articles.map(FieldWords::of).collect();
        let stems = Lexicon::build(&articles, words::stem);
        let surface = Lexicon::build(&articles, str::to_owned);
        let mut grams: HashMap<Trigram, Vec<u32>> = HashMap::new();
        let mut gram_counts = Vec::with_capacity(surface.words().len());
        let mut letters: HashMap<String, Vec<u32>> = HashMap::new();
        for (word, id) in surface.words().iter().zip(0..) {
            letters.entry(words::letters(word)).or_default().push(id);
            let of_word = words::trigrams(word);
            gram_counts.push(of_word.len() as u32);
            for gram in of_word {
                grams.entry(gram).or_default().push(id);
            }
        }
        let chunks = articles.iter().map(|article| article.chunks.len()).sum();
        Self { chunks, stems, surface, grams, gram_counts, letters }
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.surface.find(word).is_some()
    }

    /// Scores every chunk by word stems and by trigrams.
    pub(super) fn score(&self, terms: &[String]) -> [Scores; 2] {
        let alike = self.alike(terms);
        let by_words = terms.iter().zip(&alike).map(|(term, alike)| self.read_word(term, alike)).collect();
        let by_trigrams = alike.into_iter().map(|alike| self.read_alike(alike)).collect();
        [self.stems.tally(by_words, self.chunks), self.surface.tally(by_trigrams, self.chunks)]
    }

    /// Why `chunk` gained what it gained, in the order of the query: by stems, by trigrams.
    pub(super) fn reasons(&self, scores: &[Scores; 2], chunk: u32) -> [Vec<Found<'_>>; 2] {
        [self.stems.reasons(&scores[0], chunk), self.surface.reasons(&scores[1], chunk)]
    }

    fn read_word(&self, term: &str, alike: &[(u32, f32)]) -> Reading {
        match self.stems.find(&words::stem(term)) {
            Some(id) => {
                let weight = self.stems.weight(id);
                Reading { expected: weight, as_words: vec![(id, weight)] }
            }
            None if alike.is_empty() => {
                Reading { expected: self.stems.unknown_weight(), as_words: Vec::new() }
            }
            // A misspelling is the other index's business; only a word that neither knows counts against.
            None => Reading { expected: 0.0, as_words: Vec::new() },
        }
    }

    fn read_alike(&self, mut alike: Vec<(u32, f32)>) -> Reading {
        // The word means its nearest relative: a rarer one that looks a little alike must not count for more.
        let nearest = alike.first().map(|(id, _)| self.surface.weight(*id));
        let expected = nearest.unwrap_or_else(|| self.surface.unknown_weight());
        alike.iter_mut().for_each(|(_, likeness)| *likeness *= expected);
        Reading { expected, as_words: alike }
    }

    /// For each term the known words whose trigrams overlap with its own (Dice coefficient), nearest first.
    fn alike(&self, terms: &[String]) -> Vec<Vec<(u32, f32)>> {
        let mut shared = vec![0_u32; self.gram_counts.len()];
        let mut touched: Vec<u32> = Vec::new();
        let mut out = Vec::with_capacity(terms.len());
        for term in terms {
            // 691 and 619 are different errors, however alike they look.
            if term.bytes().any(|b| b.is_ascii_digit()) {
                out.push(self.surface.find(term).map(|id| vec![(id, 1.0)]).unwrap_or_default());
                continue;
            }
            let grams = words::trigrams(term);
            for &id in grams.iter().filter_map(|gram| self.grams.get(gram)).flatten() {
                let count = &mut shared[id as usize];
                if *count == 0 {
                    touched.push(id);
                }
                *count += 1;
            }
            let swapped = self.letters.get(&words::letters(term)).map(Vec::as_slice).unwrap_or_default();
            let mut near: Vec<(u32, f32)> = swapped.iter().map(|id| (*id, SWAPPED)).collect();
            let least = if grams.len() <= 5 { MIN_LIKENESS_SHORT } else { MIN_LIKENESS };
            for id in touched.drain(..) {
                let both = std::mem::take(&mut shared[id as usize]) as f32;
                let likeness = 2.0 * both / (grams.len() as f32 + self.gram_counts[id as usize] as f32);
                match near.iter_mut().find(|(other, _)| *other == id) {
                    Some((_, held)) => *held = held.max(likeness),
                    None if likeness >= least => near.push((id, likeness)),
                    None => {}
                }
            }
            near.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            near.truncate(MAX_ALIKE);
            out.push(near);
        }
        out
    }
}
