//! Measures the search on the shipped articles: 150 labelled questions, and questions that no article answers.
//! Not here: unit tests of the parts, which are beside the code.

use std::path::Path;

use super::search::{Blend, Knowledge};

const QUERIES: &str = include_str!("fixtures/queries.tsv");

struct Labelled {
    kind: &'static str,
    expected: &'static str,
    query: &'static str,
}

fn labelled() -> Vec<Labelled> {
    QUERIES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut parts = line.splitn(3, '\t');
            Some(Labelled { kind: parts.next()?, expected: parts.next()?, query: parts.next()? })
        })
        .collect()
}

pub(super) fn shipped() -> Knowledge {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
    let (knowledge, problems) = Knowledge::load(&folder);
    assert!(problems.is_empty(), "{problems:?}");
    knowledge
}

#[test]
#[allow(clippy::print_stdout)]
fn measure() {
    let knowledge = shipped();
    for (name, blend) in [("words", Blend{words:1.0,trigrams:0.0}),("tri", Blend{words:0.0,trigrams:1.0}),("sum", Blend::SUM)] {
        let (mut h1, mut h3, mut n) = (0,0,0);
        let mut fails = vec![];
        for l in labelled().iter().filter(|l| l.expected != "-") {
            n += 1;
            let hits = knowledge.search_blended(l.query, 3, blend);
            let at = hits.iter().position(|h| h.article.id.as_str() == l.expected);
            if at == Some(0) { h1 += 1 } else { fails.push(format!("   {:10} {:60} want {} got {:?}", l.kind, l.query, l.expected, hits.iter().map(|h| format!("{} {:.2}", h.article.id, h.score)).collect::<Vec<_>>())); }
            if at.is_some() { h3 += 1 }
        }
        println!("{name} hit@1 {h1}/{n} = {:.3} hit@3 {:.3}", h1 as f32/n as f32, h3 as f32/n as f32);
        if name != "words" { for f in fails { println!("{f}"); } }
    }
    let mut scores: Vec<(f32, &str, &str)> = vec![];
    for l in labelled() {
        let hits = knowledge.search(l.query, 1);
        scores.push((hits.first().map_or(0.0, |h| h.score), l.expected, l.query));
    }
    scores.sort_by(|a,b| a.0.total_cmp(&b.0));
    for s in scores.iter().take(60) { println!("{:.2} {} {}", s.0, s.1, s.2); }
    for s in scores.iter().filter(|s| s.1 == "-") { println!("NONE {:.2} {} {:?}", s.0, s.2, knowledge.search(s.2, 1).first().map(|h| (h.article.id.clone(), h.matched.iter().map(|m| (m.term.clone(), m.found.clone())).collect::<Vec<_>>()))); }
}
