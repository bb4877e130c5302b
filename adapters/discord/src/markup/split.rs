//! Text in pieces that fit into one message, broken at paragraphs, lines or words, never inside of what would then be open.
//!
//! Not here: what the text is made of. A code block that is too long for one message is closed and opened again.

use super::escape::guard;

/// Pieces of at most `limit` characters.
pub(crate) fn split(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(64);
    let mut rest = text.trim_end().to_owned();
    let mut pieces = Vec::new();
    while rest.chars().count() > limit {
        // Room for a fence that has to be closed.
        let at = break_point(&rest, limit - 8);
        let mut piece = rest[..at].trim_end().to_owned();
        let mut next = rest[at..].trim_start_matches('\n').to_owned();
        if let Some(fence) = open_fence(&piece) {
            piece.push_str("\n```");
            next = format!("{fence}\n{next}");
        } else {
            let in_line = !next.is_empty() && !rest[at..].starts_with('\n') && !rest[..at].ends_with('\n');
            next = next.trim_start().to_owned();
            if in_line {
                // What stood within a line begins one now, and shall not begin a list or a heading with it.
                guard(&mut next, 0);
            }
        }
        if !piece.trim().is_empty() {
            pieces.push(piece);
        }
        rest = next;
    }
    if !rest.trim().is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// The line that opened the code block which is open at the end, if any.
fn open_fence(text: &str) -> Option<String> {
    let mut open = None;
    for line in text.lines() {
        let plain = line.strip_prefix("> ").unwrap_or(line);
        if plain.starts_with("```") {
            open = match open {
                None => Some(line.chars().take(30).collect::<String>()),
                Some(_) => None,
            };
        }
    }
    open
}

/// The byte position of the best place to break within `limit` characters; never 0.
fn break_point(text: &str, limit: usize) -> usize {
    let end = text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at);
    let window = &text[..end];
    // A break in the first third would make a stump; a hard cut is better then.
    let good = |at: &usize| *at > end / 3 && open_fence(&window[..*at]).is_none();
    let paragraph = window.rmatch_indices("\n\n").map(|(at, _)| at).find(good);
    let line = || window.rmatch_indices('\n').map(|(at, _)| at).find(|at| *at > end / 3);
    let word = || window.rfind(' ').filter(|at| *at > end / 3);
    let found = paragraph.or_else(line).or_else(word);
    found.unwrap_or_else(|| {
        // Never between a backslash and its sign.
        let back = window.chars().rev().take_while(|c| *c == '\\').count();
        if back % 2 == 1 && end > 1 { end - 1 } else { end }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn at_paragraphs_first() {
        let text = format!("{}\n\n{}", "a".repeat(70), "b".repeat(70));
        assert_eq!(split(&text, 100), ["a".repeat(70), "b".repeat(70)]);
        assert_eq!(split("short", 100), ["short"]);
        assert!(split(" \n", 100).is_empty());
    }

    #[test]
    fn what_stood_within_a_line_begins_nothing() {
        let text = format!("{} # no heading {}", "a".repeat(90), "b".repeat(60));
        assert_eq!(split(&text, 100)[1], format!("\\# no heading {}", "b".repeat(60)));
        let text = format!("{}\n# a heading {}", "a".repeat(90), "b".repeat(60));
        assert_eq!(split(&text, 100)[1], format!("# a heading {}", "b".repeat(60)));
    }

    #[test]
    fn a_code_block_is_closed_and_opened_again() {
        let text = format!("```rust\n{}```", "let x = 1;\n".repeat(30));
        let pieces = split(&text, 120);
        assert!(pieces.len() > 2);
        for piece in &pieces {
            assert!(piece.starts_with("```rust\n") && piece.ends_with("```"), "{piece}");
        }
    }

    proptest! {
        #[test]
        fn every_piece_fits_and_no_letter_is_lost(text in "[a-c \n`\\\\*🙂]{0,600}") {
            let pieces = split(&text, 100);
            prop_assert!(pieces.iter().all(|piece| piece.chars().count() <= 100 && !piece.trim().is_empty()));
            let letters = |text: &str| text.chars().filter(|c| "abc🙂".contains(*c)).collect::<String>();
            let all: String = pieces.iter().map(|piece| letters(piece)).collect();
            // The name of a language is said again with its fence.
            if !text.contains("```") {
                prop_assert_eq!(all, letters(&text));
            }
        }
    }
}
