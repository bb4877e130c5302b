//! What a channel cannot carry, and what becomes of it.

mod names;
mod property;

use deskbridge_contract::{AttachmentKind, BlobId, Card, CardState, Mention, Support, ThreadStyle};

use super::*;

fn caps(max_text: usize, max_caption: usize, max_attachments: usize, max_actions: usize) -> Capabilities {
    Capabilities {
        max_text,
        max_caption,
        max_upload_bytes: 1 << 20,
        max_download_bytes: 1 << 20,
        max_attachments,
        max_actions,
        threads: ThreadStyle::Separate,
        formatting: Support::Native,
        replies: Support::Native,
        edits: Support::Native,
        deletes: Support::Native,
        reactions: Support::Native,
        marks: Support::Native,
        typing: Support::Native,
        whisper: Support::Native,
        persona: Support::Native,
        hears_edits: true,
        hears_deletes: true,
        hears_reactions: true,
        hears_reads: true,
    }
}

fn file(name: &str) -> Attachment {
    Attachment {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        size: 1,
        kind: AttachmentKind::Image,
        source: AttachmentSource::Blob { id: BlobId::from(name), sha256: String::new() },
    }
}

fn parts(text: &str, limit: usize) -> Vec<String> {
    let parts = fit(&Content::text(text), &caps(limit, limit, 10, 5));
    for part in &parts {
        assert!(units(&part.text) <= limit, "{} > {limit}: {:?}", units(&part.text), part.text);
    }
    parts.into_iter().map(|part| part.text).collect()
}

#[test]
fn what_fits_is_left_alone() {
    let content = Content {
        text: "Hello  \n  *there*\n\n```rust\nfn x() {}\n```".to_owned(),
        attachments: vec![file("a.png")],
        actions: vec![Action::new("yes", "Yes")],
        card: None,
        mentions: vec![Mention { who: "ana".to_owned(), name: "Ana".to_owned(), user: None }],
        album: None,
    };
    assert_eq!(fit(&content, &caps(4096, 1024, 10, 5)), [content]);
    assert!(fit(&Content::default(), &caps(10, 10, 10, 5)).is_empty());
    assert!(fit(&Content::text(" \n\t\n "), &caps(10, 10, 10, 5)).is_empty());
}

#[test]
fn cut_where_it_hurts_least() {
    for (why, text, limit, expected) in [
        (
            "paragraph",
            "One two three.\n\nFour five.\nSix seven.",
            26,
            vec!["One two three.", "Four five.\nSix seven."],
        ),
        ("line", "One two three\nfour five six\nseven", 28, vec!["One two three\nfour five six", "seven"]),
        ("sentence", "One two three. Four five six seven", 24, vec!["One two three.", "Four five six seven"]),
        ("word", "alpha beta gamma delta", 12, vec!["alpha beta", "gamma delta"]),
        ("sign", "abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
        (
            "a small paragraph does not leave the message empty",
            "Hi\n\nalpha beta gamma delta",
            16,
            vec!["Hi\n\nalpha beta", "gamma delta"],
        ),
        ("indentation of lists stays", "- one\n  - two\n  - three", 14, vec!["- one\n  - two", "  - three"]),
        ("blank lines at a border go", "one\n\n\n\n\ntwo", 5, vec!["one", "two"]),
        ("surrogate pairs", "😀😀😀", 4, vec!["😀😀", "😀"]),
        ("an odd limit", "😀😀", 3, vec!["😀", "😀"]),
        ("flags", "🇩🇪🇫🇷🇪🇸", 10, vec!["🇩🇪🇫🇷", "🇪🇸"]),
        ("families", "👨‍👩‍👧👨‍👩‍👧", 10, vec!["👨‍👩‍👧", "👨‍👩‍👧"]),
        ("skin", "👍🏽👍🏽", 6, vec!["👍🏽", "👍🏽"]),
        ("accents", "e\u{301}e\u{301}e\u{301}", 3, vec!["e\u{301}", "e\u{301}", "e\u{301}"]),
        ("a sign longer than the limit", "👨‍👩‍👧", 3, vec!["👨\u{200d}", "👩\u{200d}", "👧"]),
        ("no limit to speak of", "ab", 0, vec!["ab"]),
    ] {
        let found: Vec<String> =
            fit(&Content::text(text), &caps(limit, limit, 1, 1)).into_iter().map(|p| p.text).collect();
        assert_eq!(found, expected, "{why}");
    }
}

#[test]
fn code_stays_code() {
    let code = "Try this:\n\n```sh\necho one\necho two\necho three\necho four\n```\n\nDone.";
    assert_eq!(
        parts(code, 40),
        ["Try this:\n\n```sh\necho one\necho two\n```", "```sh\necho three\necho four\n```\n\nDone."],
        "a block that must be cut is closed and opened again"
    );
    assert_eq!(
        parts("A first paragraph of some words.\n\n```\none\ntwo\n```\nEnd.", 40),
        ["A first paragraph of some words.", "```\none\ntwo\n```\nEnd."],
        "a block that fits stays whole"
    );
    let quoted = "> ~~~ python\n> print(1)\n> print(2)\n> print(3)\n> ~~~";
    assert_eq!(
        parts(quoted, 50),
        ["> ~~~ python\n> print(1)\n> print(2)\n> ~~~", "> ~~~ python\n> print(3)\n> ~~~"]
    );
    let long_line = format!("```\n{}\n```", "x".repeat(50));
    assert!(parts(&long_line, 30).iter().all(|part| part.starts_with("```\nx") && part.ends_with("\n```")));
    let indented = "1. do\n   ```sh\n   one two three four\n   five six seven\n   ```";
    assert_eq!(
        parts(indented, 40),
        ["1. do\n   ```sh\n   one two three four\n```", "```sh\n   five six seven\n   ```"]
    );
}

#[test]
fn files_are_spread_and_captions_are_short() {
    let names = |parts: &[Content]| -> Vec<(String, Vec<String>)> {
        parts
            .iter()
            .map(|p| (p.text.clone(), p.attachments.iter().map(|a| a.name.clone()).collect()))
            .collect()
    };
    let five: Vec<Attachment> = ["a", "b", "c", "d", "e"].map(file).into();
    let content = Content { text: "See these".to_owned(), attachments: five.clone(), ..Content::default() };
    let expected = [("See these", vec!["a", "b"]), ("", vec!["c", "d"]), ("", vec!["e"])];
    let expected =
        expected.map(|(text, names)| (text.to_owned(), names.into_iter().map(str::to_owned).collect()));
    assert_eq!(names(&fit(&content, &caps(100, 20, 2, 1))), expected);
    let parts = fit(&content, &caps(100, 5, 10, 1));
    assert_eq!(names(&parts)[0], ("See these".to_owned(), vec![]), "too long beside files: goes before them");
    assert_eq!(parts[1].attachments, five);
    let none = fit(&content, &caps(1000, 5, 0, 1));
    assert_eq!(none.len(), 1);
    assert!(none[0].text.starts_with("See these\n\n📎 a: ") && none[0].attachments.is_empty());
    let missing =
        Attachment { source: AttachmentSource::Missing { why: "too big".to_owned() }, ..file("log_1.txt") };
    let content = Content { attachments: vec![missing, file("b")], ..Content::default() };
    let parts = fit(&content, &caps(100, 100, 2, 1));
    assert_eq!(parts[0].text, "📎 log\\_1.txt: not available, too big");
    assert_eq!(parts[0].attachments, [file("b")]);
}

#[test]
fn buttons_stand_under_the_last_part_or_become_a_list() {
    let actions: Vec<Action> = (1..=4).map(|n| Action::new(format!("rate:{n}"), format!("{n} *"))).collect();
    let content = Content::text("Is it fine? ".repeat(4)).with_actions(actions.clone());
    let parts = fit(&content, &caps(30, 30, 1, 5));
    assert!(parts.len() > 1 && parts[..parts.len() - 1].iter().all(|part| part.actions.is_empty()));
    assert_eq!(parts[parts.len() - 1].actions, actions);
    let listed = fit(&Content::text("Fine?").with_actions(actions.clone()), &caps(100, 100, 1, 0));
    assert_eq!(listed, [Content::text("Fine?\n\n1. 1 \\*\n2. 2 \\*\n3. 3 \\*\n4. 4 \\*")]);
    let some = fit(&Content::text("Fine?").with_actions(actions.clone()), &caps(100, 100, 1, 3));
    assert_eq!(some, [Content::text("Fine?\n\n4. 4 \\*").with_actions(actions[..3].to_vec())]);
    let only = fit(&Content::default().with_actions(actions.clone()), &caps(100, 100, 1, 5));
    assert_eq!(only, [Content::default().with_actions(actions)]);
}

#[test]
fn a_card_is_not_touched() {
    let card = Card {
        reference: "#1".to_owned(),
        title: "t".repeat(100),
        state: CardState::Waiting,
        status: String::new(),
        requester: String::new(),
        facts: Vec::new(),
        summary: "s ".repeat(100),
        hint: String::new(),
    };
    let content = Content { card: Some(Box::new(card)), ..Content::default() };
    assert_eq!(fit(&content, &caps(10, 10, 0, 0)), [content]);
}

#[test]
fn s43_too_much_is_cut_with_a_notice() {
    for (text, limit) in [
        ("a".repeat(1_000_000), 4096),
        ("🙂".repeat(50_000), 4096),
        ("line\n".repeat(20_000), 2000),
        (format!("```\n{}", "code\n".repeat(20_000)), 2000),
    ] {
        let parts = parts(&text, limit);
        let last = &parts[parts.len() - 1];
        assert!(last.ends_with(CUT), "{last}");
        assert!(parts.iter().map(|part| units(part)).sum::<usize>() < LONGEST_TEXT + 2_000);
        assert!(parts.len() <= 2 + 2 * LONGEST_TEXT / limit);
        assert!(!text.starts_with("```") || parts.iter().all(|part| part.matches("```").count() % 2 == 0));
    }
    assert_eq!(parts(&"line\n".repeat(10_000), 60_000).len(), 1, "exactly as long as allowed");
}

#[test]
fn s43_towers_of_marks_are_trimmed() {
    let zalgo: String = "help"
        .chars()
        .flat_map(|c| std::iter::once(c).chain(std::iter::repeat_n('\u{0316}', 1000)))
        .collect();
    let parts = parts(&zalgo, 4096);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].chars().count(), 4 * (1 + MOST_MARKS));
    assert_eq!(tidy("Việt Nam 👍🏽 ก็ नमस्ते e\u{301}"), "Việt Nam 👍🏽 ก็ नमस्ते e\u{301}");
}

/// S43: a part and its number fit together; what fits without a number has none.
#[test]
fn s43_numbers_have_room() {
    for limit in [200, 2_000, 3_500] {
        let caps = caps(limit, 10, 0, 0);
        let whole = "x".repeat(limit);
        assert_eq!(fit_numbered(&Content::text(whole.clone()), &caps), [Content::text(whole)], "it fits");
        let text = "word ".repeat(9_900);
        let parts = fit_numbered(&Content::text(text.clone()), &caps);
        assert!(parts.len() > 1);
        let said: Vec<&str> = parts.iter().flat_map(|part| part.text.split_whitespace()).collect();
        assert_eq!(said, text.split_whitespace().collect::<Vec<_>>());
        for (nth, part) in (1..).zip(&parts) {
            let shown = numbered(&part.text, nth, parts.len());
            assert!(
                units(&shown) <= limit && shown.ends_with(&format!("({nth}/{})*", parts.len())),
                "{shown}"
            );
        }
    }
}
