//! Measures the search on the shipped articles: labelled questions, questions that no article answers, and
//! misspelt ones.
//! Not here: unit tests of the parts, which are beside the code; conversations (`answer_tests.rs`).

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::answer::GOOD;
use super::search::{Blend, Hit, Knowledge, KnowledgeBase, MatchedBy};
use super::sources::LoadFault;

const QUERIES: &str = include_str!("fixtures/queries.tsv");

const WORDS: Blend = Blend { words: 1.0, trigrams: 0.0 };
const TRIGRAMS: Blend = Blend { words: 0.0, trigrams: 1.0 };

/// A line of `fixtures/queries.tsv`.
pub(super) struct Labelled {
    pub(super) kind: &'static str,
    pub(super) expected: &'static str,
    pub(super) query: &'static str,
}

pub(super) fn labelled() -> Vec<Labelled> {
    QUERIES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut parts = line.splitn(3, '\t');
            Some(Labelled { kind: parts.next()?, expected: parts.next()?, query: parts.next()? })
        })
        .collect()
}

fn answerable() -> Vec<Labelled> {
    labelled().into_iter().filter(|line| line.expected != "-").collect()
}

pub(super) fn shipped() -> &'static Knowledge {
    static SHIPPED: LazyLock<Knowledge> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
        let (knowledge, problems) = Knowledge::load(&folder);
        assert!(problems.is_empty(), "{problems:?}");
        knowledge
    });
    &SHIPPED
}

/// The same articles indexed anew: no result may depend on the order of a hash map.
fn indexed_again() -> &'static Knowledge {
    static AGAIN: LazyLock<Knowledge> = LazyLock::new(|| {
        Knowledge::from_articles(
            shipped().articles().iter().rev().map(|article| (**article).clone()).collect(),
        )
    });
    &AGAIN
}

/// Share of `lines` whose article is among the first `depth` hits, the query changed by `change`.
fn hit_rate(
    knowledge: &Knowledge,
    lines: &[Labelled],
    blend: Blend,
    depth: usize,
    change: impl Fn(&str) -> String,
) -> f64 {
    let hits = lines.iter().filter(|line| {
        let hits = knowledge.search_blended(&change(line.query), depth, blend);
        hits.iter().any(|hit| hit.article.id.as_str() == line.expected)
    });
    hits.count() as f64 / lines.len() as f64
}

/// A typing mistake in every word of five letters or more, drawn from `seed`.
fn misspelt(query: &str, seed: u64) -> String {
    let mut state = (seed + query.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let words = query.split(' ').map(|word| {
        let mut chars: Vec<char> = word.chars().collect();
        if chars.len() < 5 {
            return word.to_owned();
        }
        let at = 1 + draw(chars.len() - 2);
        match draw(4) {
            0 => chars.swap(at, at + 1),
            1 => drop(chars.remove(at)),
            2 => chars.insert(at, chars[at]),
            _ => chars[at] = neighbour(chars[at]),
        }
        chars.into_iter().collect()
    });
    words.collect::<Vec<String>>().join(" ")
}

/// The key beside `c`.
fn neighbour(c: char) -> char {
    let keys = "qwertyuiopoasdfghjklkzxcvbnmn";
    keys.find(c.to_ascii_lowercase()).and_then(|at| keys[at + 1..].chars().next()).unwrap_or('x')
}

#[test]
fn the_sum_beats_words_alone_and_trigrams_alone() {
    let (knowledge, lines) = (shipped(), answerable());
    assert!(lines.len() >= 200, "only {} questions", lines.len());
    let rate = |blend, depth| hit_rate(knowledge, &lines, blend, depth, str::to_owned);
    let [words, trigrams, sum] = [WORDS, TRIGRAMS, Blend::SUM].map(|blend| rate(blend, 1));
    let in_three = rate(Blend::SUM, 3);
    let figures =
        format!("hit@1 words {words:.3}, trigrams {trigrams:.3}, sum {sum:.3}; hit@3 sum {in_three:.3}");
    assert!(sum > words && sum > trigrams, "{figures}");
    assert!(sum >= 0.95 && in_three >= 0.98, "{figures}");
}

/// Where each index is weak alone, and that the sum is not.
#[test]
fn words_are_weak_on_misspelt_questions_and_trigrams_on_well_spelt_ones() {
    let knowledge = shipped();
    let mut lines = answerable();
    lines.retain(|line| matches!(line.kind, "clean" | "form" | "colloquial" | "story"));
    let rates = |change: &dyn Fn(&str) -> String| {
        [WORDS, TRIGRAMS, Blend::SUM].map(|blend| hit_rate(knowledge, &lines, blend, 1, change))
    };
    let [_, trigrams, sum] = rates(&str::to_owned);
    assert!(sum > trigrams, "well spelt: trigrams {trigrams:.3}, sum {sum:.3}");
    let [words, trigrams, sum] =
        (0..8).map(|seed| rates(&|query| misspelt(query, seed))).fold([0.0; 3], |total, next| {
            [total[0] + next[0] / 8.0, total[1] + next[1] / 8.0, total[2] + next[2] / 8.0]
        });
    let figures = format!("misspelt: words {words:.3}, trigrams {trigrams:.3}, sum {sum:.3}");
    assert!(words < 0.5 && sum > 0.85 && sum > trigrams - 0.02, "{figures}");
}

#[test]
fn one_threshold_separates_answerable_questions_from_others() {
    let knowledge = shipped();
    let is_good =
        |line: &&Labelled| knowledge.search(line.query, 1).first().is_some_and(|hit| hit.score >= GOOD);
    let (others, answerable): (Vec<_>, Vec<_>) =
        labelled().into_iter().partition(|line| line.expected == "-");
    let kept = answerable.iter().filter(is_good).count() as f64 / answerable.len() as f64;
    let stopped = 1.0 - others.iter().filter(is_good).count() as f64 / others.len() as f64;
    assert!(
        kept >= 0.94 && stopped >= 0.80,
        "kept {kept:.3} of the answerable, stopped {stopped:.3} of the others"
    );
}

#[test]
fn a_hit_says_why() {
    let hits = shipped().search("pasword rejected by the VPN, 691", 3);
    let hit = &hits[0];
    assert_eq!(hit.article.id.as_str(), "vpn-error-691");
    assert!((hit.word_score + hit.trigram_score - hit.score).abs() < 1e-5);
    let by = |by, term: &str| hit.matched.iter().any(|matched| matched.by == by && matched.term == term);
    assert!(by(MatchedBy::Words, "691") && by(MatchedBy::Trigrams, "pasword"), "{:?}", hit.matched);
    let total: f32 = hit.matched.iter().map(|matched| matched.share).sum();
    assert!((total - hit.score).abs() < 1e-4, "the reasons add up to the score");
}

#[test]
fn words_written_apart_or_with_a_hyphen_are_found() {
    let knowledge = shipped();
    for (query, expected) in [
        ("out look does not sync", "outlook-mail"),
        ("wi fi password", "wifi"),
        ("WI-FI", "wifi"),
        ("pass word forgotten", "password-reset"),
        ("Ｐａｓｓｗｏｒｄ vergessen", "password-reset"),
        ("pass\u{200b}word expired", "password-reset"),
    ] {
        let hits = knowledge.search(query, 1);
        assert_eq!(hits.first().map(|hit| hit.article.id.as_str()), Some(expected), "{query}");
    }
}

#[test]
fn only_the_beginning_of_a_long_query_is_read() {
    let knowledge = shipped();
    let head = "printer jam ".repeat(200).chars().take(2_000).collect::<String>();
    let long = head.clone() + &"vpn 691 outlook ".repeat(4_096);
    assert!(long.len() > 64 * 1024);
    assert_eq!(knowledge.search(&long, 3), knowledge.search(&head, 3));
}

#[test]
fn an_empty_knowledge_base_finds_nothing() {
    let knowledge = Knowledge::from_articles(Vec::new());
    assert_eq!(knowledge.search("printer", 5), Vec::<Hit>::new());
    assert!(shipped().search("", 5).is_empty() && shipped().search("the and of", 5).is_empty());
    assert!(shipped().search("printer", 0).is_empty());
}

#[test]
fn a_reload_shows_new_articles_and_survives_a_lost_folder() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("a.md"), "# Coffee machine\n\n1. Descale it.\n")?;
    let (base, problems) = KnowledgeBase::open(folder.path());
    assert!(problems.is_empty());
    let before = base.current();
    fs::write(folder.path().join("b.md"), "# Dishwasher\n\n1. Add salt.\n")?;
    assert!(base.reload().problems.is_empty());
    assert_eq!((before.articles().len(), base.current().articles().len()), (1, 2));
    assert_eq!(base.current().search("dishwasher", 1)[0].article.title, "Dishwasher");
    fs::remove_dir_all(folder.path())?;
    assert!(matches!(base.reload().problems[0].fault, LoadFault::NoFolder(_)));
    assert_eq!(base.current().articles().len(), 2, "what was known stays");
    assert!(Arc::ptr_eq(&base.current(), &base.current()));
    Ok(())
}

proptest! {
    #[test]
    fn search_is_total_and_repeatable(query in "\\PC{0,200}|(printer|vpn |pasword|691|mail| |-|\\PC){0,60}", limit in 0_usize..20) {
        let hits = shipped().search(&query, limit);
        prop_assert!(hits.len() <= limit);
        prop_assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
        prop_assert!(hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)));
        prop_assert_eq!(&hits, &shipped().search(&query, limit));
        prop_assert_eq!(&hits, &indexed_again().search(&query, limit));
    }

    #[test]
    fn any_text_becomes_an_article(text in "(?s).{0,400}|(---\n|title: |- |# |1. |!\\[|<!--|\\PC{0,8}|\n){0,60}") {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("x.md"), &text)?;
        let (knowledge, _) = Knowledge::load(folder.path());
        let article = &knowledge.articles()[0];
        prop_assert!(!article.chunks.is_empty());
        for chunk in &article.chunks {
            let gaps = 2 * chunk.blocks.len() + chunk.steps().count() + "\n\n…".len();
            prop_assert!(chunk.to_markdown(100).chars().count() <= 100 + gaps);
        }
        knowledge.search(&text, 3);
    }
}
