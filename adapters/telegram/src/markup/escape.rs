//! What a character or a line would mean in CommonMark, and how to say that it does not.
//!
//! Not here: where the entities of a message are.

pub(super) fn code_span(text: &str) -> String {
    let ticks = "`".repeat(backticks(text) + 1);
    let pad = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    if pad { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}

pub(super) fn is_autolink(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>')
}

/// Whether a character would be more than itself in CommonMark.
pub(super) fn needs_escape(
    c: char,
    before: Option<char>,
    after: Option<char>,
    rest: &[char],
    in_link: bool,
) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        '`' | '*' | '[' | '~' => true,
        ']' => in_link,
        '_' => !(word(before) && word(after)),
        '\\' => after.is_none_or(|c| c.is_ascii_punctuation()),
        // Tags, comments, and addresses, which may begin with nearly anything.
        '<' => after.is_some_and(|c| !c.is_whitespace()),
        '|' => before == Some('|') || after == Some('|'),
        '&' => {
            let end = rest.iter().take(40).position(|c| !(c.is_ascii_alphanumeric() || *c == '#'));
            end.is_some_and(|end| end > 0 && rest[end] == ';')
        }
        _ => false,
    }
}

/// The character of a line that would start a block (a heading, a list, a quote, a rule, a table), if any.
pub(super) fn block_start(line: &[char]) -> Option<usize> {
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

/// The longest run of backticks.
pub(super) fn backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
