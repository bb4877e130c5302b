use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::blocks::units;
use crate::markup::tests::any_text;

/// Without spacing and the numbers of the parts.
fn bare(parts: &[Flow]) -> String {
    let of = parts.len();
    let mut out = String::new();
    for (nth, part) in (1..).zip(parts) {
        let text = part.bare();
        let number = format!("({nth}/{of})");
        out.push_str(if of > 1 { text.strip_suffix(&number).expect("numbered") } else { &text });
    }
    out
}

fn texts(source: &str, limit: usize) -> Vec<String> {
    split(Flow::read(source), limit).iter().map(Flow::mrkdwn).collect()
}

#[test]
fn short_texts_stay_whole() {
    assert_eq!(texts("", 500), Vec::<String>::new());
    assert_eq!(texts("a\n\nb", 500), ["a\n\nb"]);
}

#[test]
fn parts_end_with_paragraphs() {
    let paragraph = |word: &str| format!("{word} ").repeat(40).trim().to_owned();
    let source = ["one", "two", "three", "four"].map(paragraph).join("\n\n");
    let parts = texts(&source, 500);
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert!(parts[0].starts_with("one") && parts[0].ends_with("two two\n\n_(1/2)_"), "{parts:?}");
    assert!(parts[1].starts_with("three") && parts[1].ends_with("four four\n\n_(2/2)_"), "{parts:?}");
}

#[test]
fn code_is_closed_and_opened_again() {
    let line = "    let x = call(a, b);\n";
    let source = format!("before\n\n```rust\n{}```\nafter", line.repeat(60));
    let parts = split(Flow::read(&source), 500);
    assert!(parts.len() > 2);
    let mut lines = Vec::new();
    for part in &parts {
        let written = part.mrkdwn();
        assert_eq!(written.matches("```").count() % 2, 0, "{written}");
        for piece in &part.0 {
            let Piece::Code { language, text } = piece else { continue };
            assert_eq!(language.as_deref(), Some("rust"));
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    assert_eq!(lines, vec![line.trim_end().to_owned(); 60]);
}

#[test]
fn an_item_goes_on_without_a_sign() {
    let source = format!("1. {}\n2. next", "word ".repeat(150));
    let parts = split(Flow::read(&source), 400);
    let numbers = |text: &str| (text.matches("1. ").count(), text.matches("2. ").count());
    let all: Vec<_> = parts.iter().map(|part| numbers(&part.mrkdwn())).collect();
    assert_eq!(all.iter().fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1)), (1, 1), "{all:?}");
}

#[test]
fn links_and_looks_go_on() {
    let source = format!("**[{}](https://a.example/x)**", "label ".repeat(100).trim());
    for part in split(Flow::read(&source), 400) {
        assert!(part.mrkdwn().starts_with("*<https://a.example/x|label"), "{}", part.mrkdwn());
    }
    // An address that leaves no room for anything else is shown, and nothing of it is lost.
    let long = format!("https://a.example/{}", "x".repeat(1200));
    let parts = split(Flow::read(&format!("see [this]({long}) now")), 400);
    assert!(bare(&parts).contains(&long));
    assert!(parts.iter().all(|part| units(&part.mrkdwn()) <= 400));
}

#[test]
fn what_belongs_together_stays_together() {
    let source = "👍🏽".repeat(400);
    let parts = split(Flow::read(&source), 300);
    for part in &parts {
        assert!(!part.plain().starts_with('🏽'), "{}", part.plain());
    }
    assert_eq!(bare(&parts), source);
    // Unless there is nothing else.
    let source = format!("a{}", "\u{301}".repeat(2000));
    assert_eq!(bare(&split(Flow::read(&source), 300)), source);
}

#[test]
fn cutting() {
    let short = Flow::read("short **text**");
    assert_eq!(cut(short.clone(), 300), short);
    let long = cut(Flow::read(&"word ".repeat(1000)), 300);
    assert!(long.mrkdwn().ends_with("word…") && units(&long.mrkdwn()) <= 300, "{}", long.mrkdwn());
    let code = cut(Flow::read(&format!("```\n{}\n```", "x\n".repeat(1000))), 300);
    assert!(code.mrkdwn().ends_with("```\n…") && units(&code.mrkdwn()) <= 300, "{}", code.mrkdwn());
}

/// How long this thread has worked, however busy the machine is: its time on a processor where the system tells, else
/// since `start`.
fn worked(start: std::time::Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// S43: a third of a million characters is split in reasonable time.
#[test]
fn large_texts() {
    for piece in ["word ", "🙂", "a\n\n", "&", "- x\n", "> q\n"] {
        let source = piece.repeat(300_000 / piece.len());
        let start = std::time::Instant::now();
        let before = worked(start);
        let parts = split(Flow::read(&source), MAX_TEXT);
        assert!(parts.len() > 15 || piece == "- x\n" || piece == "> q\n", "{piece:?}: {}", parts.len());
        let took = worked(start).saturating_sub(before);
        assert!(took.as_secs() < 30, "{piece:?} took {took:?}");
    }
}

fn long_text() -> impl Strategy<Value = String> {
    prop::collection::vec((any_text(), 1usize..60), 1..8)
        .prop_map(|pieces| pieces.into_iter().map(|(text, times)| text.repeat(times)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_part_fits_and_nothing_is_lost(source in long_text(), limit in 300usize..4000) {
        let flow = Flow::read(&source);
        let parts = split(flow.clone(), limit);
        for part in &parts {
            let written = part.mrkdwn();
            prop_assert!(units(&written) <= limit, "{} of {}: {}", units(&written), limit, written);
            prop_assert!(!part.bare().is_empty());
        }
        // Numbers have no place of their own when addresses are shown that were links.
        let whole = flow.bare();
        let all = bare(&parts);
        let mut rest = all.chars();
        prop_assert!(whole.chars().all(|c| rest.any(|other| other == c)), "{} became {}", whole, all);
        prop_assert!(units(&cut(flow, limit).mrkdwn()) <= limit);
    }
}
