//! What a character or a line that a person typed would mean in CommonMark, which is what [`crate::Content`] is written in.
//!
//! Not here: platforms' own markup (each adapter's `markup`), what people may look like (the core).

/// Whether a character would be more than itself within a line. Not asked here: `|`, which means something to some
/// readers only, and `]`, which does within a link.
pub fn is_special(c: char, before: Option<char>, after: &[char]) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let next = after.first().copied();
    match c {
        '`' | '*' | '[' | '~' => true,
        '_' => !(word(before) && word(next)),
        // Before the end of a line it would break it, and blanks there may not last.
        '\\' => {
            let ends = after.iter().take_while(|c| **c != '\n').all(|c| c.is_whitespace());
            ends || next.is_some_and(|c| c.is_ascii_punctuation())
        }
        // Tags, comments, and addresses, which may begin with nearly anything.
        '<' => next.is_some_and(|c| !c.is_whitespace()),
        '&' => {
            let end = after.iter().take(40).position(|c| !(c.is_ascii_alphanumeric() || *c == '#'));
            end.is_some_and(|end| end > 0 && after[end] == ';')
        }
        _ => false,
    }
}

/// The character of a line that would start a block (a heading, a list, a quote, a rule, a table), if any.
pub fn block_start(line: &[char]) -> Option<usize> {
    let blank = |at: usize| line.get(at).is_none_or(|c| c.is_whitespace());
    match line.first()? {
        '>' => return Some(0),
        '#' => {
            let signs = line.iter().take_while(|c| **c == '#').count();
            if signs <= 6 && blank(signs) {
                return Some(0);
            }
        }
        '-' | '+' if blank(1) => return Some(0),
        '0'..='9' => {
            let digits = line.iter().take_while(|c| c.is_ascii_digit()).count();
            if digits <= 9 && matches!(line.get(digits), Some('.' | ')')) && blank(digits + 1) {
                return Some(digits);
            }
        }
        _ => {}
    }
    // An underline makes a heading of the line above, a row of dashes a table.
    line.iter().all(|c| "-=|: \t".contains(*c)).then_some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters() {
        let special = |text: &str, at: usize| {
            let chars: Vec<char> = text.chars().collect();
            is_special(chars[at], at.checked_sub(1).map(|at| chars[at]), &chars[at + 1..])
        };
        for (text, at, expected) in [
            ("a*b", 1, true),
            ("snake_case", 5, false),
            ("_so_", 0, true),
            ("a < b", 2, false),
            ("<b", 0, true),
            ("&amp; x", 0, true),
            ("a & b;", 2, false),
            ("&;", 0, false),
            ("c:\\dir", 2, false),
            ("\\*", 0, true),
            ("end\\", 3, true),
            ("end\\ ", 3, true),
            ("end\\ \nnext", 3, true),
            ("c:\\ dir", 2, false),
        ] {
            assert_eq!(special(text, at), expected, "{text:?} at {at}");
        }
    }

    #[test]
    fn lines() {
        for (text, expected) in [
            ("# head", Some(0)),
            ("#hash", None),
            ("- item", Some(0)),
            ("-5 degrees", None),
            ("12. item", Some(2)),
            ("12.5", None),
            ("> quote", Some(0)),
            ("---", Some(0)),
            ("words", None),
            ("", None),
        ] {
            let line: Vec<char> = text.chars().collect();
            assert_eq!(block_start(&line), expected, "{text:?}");
        }
    }
}
