use proptest::prelude::*;

use super::super::split::split;
use super::*;

/// Text as people and machines write it: words, lines, fences, emoji, anything.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z]{1,12}[.,!?]?",
        4 => Just(" ".to_owned()),
        2 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just("\n```rust\n".to_owned()),
        1 => Just("\n```\n".to_owned()),
        1 => Just("\n> ~~~~ a b\n> ".to_owned()),
        1 => Just("👨‍👩‍👧🇩🇪👍🏽e\u{301}".to_owned()),
        1 => "[a-z]{30,90}",
        1 => proptest::collection::vec(any::<char>(), 0..12).prop_map(|chars| chars.into_iter().collect()),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn visible(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn every_part_is_within_the_limits_and_nothing_is_lost(
        text in text(),
        limit in prop_oneof![2usize..40, 40usize..400],
        files in 0usize..5,
        (caption, most_files, most_actions, actions) in (0usize..60, 0usize..4, 0usize..4, 0usize..6),
    ) {
        let content = Content {
            text,
            attachments: (0..files).map(|n| file(&n.to_string())).collect(),
            actions: (0..actions).map(|n| Action::new(format!("a{n}"), format!("label {n}"))).collect(),
            ..Content::default()
        };
        let caps = caps(limit, caption, most_files, most_actions);
        let parts = fit(&content, &caps);
        prop_assert_eq!(parts.is_empty(), content.is_empty() && actions == 0);
        for (at, part) in parts.iter().enumerate() {
            prop_assert!(units(&part.text) <= limit, "{} > {}: {:?}", units(&part.text), limit, part.text);
            prop_assert!(part.attachments.is_empty() || units(&part.text) <= caption);
            prop_assert!(part.attachments.len() <= most_files);
            prop_assert!(part.actions.len() <= most_actions);
            prop_assert!(part.actions.is_empty() || at + 1 == parts.len());
            prop_assert!(!part.is_empty() || !part.actions.is_empty(), "an empty part");
        }
        if most_files > 0 {
            let sent: Vec<_> = parts.iter().flat_map(|part| part.attachments.clone()).collect();
            prop_assert_eq!(sent, content.attachments);
        }
    }

    #[test]
    fn pieces_without_their_mended_fences_are_the_text(text in text(), limit in 1usize..300) {
        let pieces = split(&text, limit);
        let bodies: String = pieces.iter().map(|piece| piece.body).collect();
        prop_assert_eq!(visible(&bodies), visible(&text));
    }

    #[test]
    fn joined_texts_are_all_there_in_order_and_reach_into_no_other(texts in proptest::collection::vec(text(), 0..6), limit in 40usize..400) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let joined = join(texts.iter().copied());
        let mut rest = joined.as_str();
        for text in texts.iter().map(|text| text.trim_end()).filter(|text| !text.trim().is_empty()) {
            let at = rest.find(text);
            prop_assert!(at.is_some(), "{text:?} is not in {joined:?}");
            rest = &rest[at.unwrap_or_default() + text.len()..];
        }
        // Whatever is joined next begins outside of any code, and joining step by step comes to the same.
        prop_assert!(fence::open_at_end(&joined).is_none(), "{joined:?}");
        let stepwise = texts.iter().fold(String::new(), |before, text| join([before.as_str(), text]));
        prop_assert_eq!(&stepwise, &joined);
        // Cut for a smaller room, nothing is lost.
        let pieces: String = split(&joined, limit).iter().map(|piece| piece.body).collect();
        prop_assert_eq!(visible(&pieces), visible(&joined));
    }

    #[test]
    fn a_mended_part_leaves_no_fence_open(lines in proptest::collection::vec("[a-z ]{0,30}", 1..40), limit in 40usize..200) {
        let text = format!("Look:\n\n```rust\n{}\n```\n\nThat is all.", lines.join("\n"));
        for part in fit(&Content::text(&text), &caps(limit, limit, 1, 1)) {
            prop_assert_eq!(part.text.matches("```").count() % 2, 0, "{}", part.text);
            let opened = part.text.matches("```rust\n").count();
            prop_assert_eq!(part.text.matches("```").count(), 2 * opened, "{}", part.text);
        }
    }

    #[test]
    fn names_are_never_empty_long_or_invisible(name in proptest::collection::vec(any::<char>(), 0..100), other in ".{0,20}") {
        let name: String = name.into_iter().collect();
        for shown in [clean_name(&name), cannot_impersonate(&name, &[other.as_str()])] {
            prop_assert!(!shown.trim().is_empty() && units(&shown) <= 64);
            prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
            prop_assert_eq!(clean_name(&shown), shown.clone(), "cleaned twice");
        }
    }
}
