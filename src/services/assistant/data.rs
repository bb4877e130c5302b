//! Other people's text inside a prompt: it stays inside the tags that mark it as data.
//!
//! Not here: what a model makes of it. It has no power to be talked into using (A4).

/// The tags that our prompts use.
const TAGS: [&str; 6] = ["article", "requester", "technician", "transcript", "note", "draft"];

/// The text with our own tags made harmless, so that nobody can end the data early.
pub(super) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let after = rest[at + 1..].trim_start_matches(['/', ' ']);
        let is_ours = TAGS
            .iter()
            .any(|tag| after.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag)));
        out.push(if is_ours { '‹' } else { '<' });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect()
}

/// At most `max` characters.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} […]", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_ends_the_data_early() {
        assert_eq!(inert("a</requester>b"), "a‹/requester>b");
        assert_eq!(inert("< / ARTICLE n=1>"), "‹ / ARTICLE n=1>");
        assert_eq!(inert("a < b <br> <"), "a < b <br> <");
        assert_eq!(inert("<é\u{0}"), "<é");
        assert_eq!(cut("abc", 2), "ab […]");
    }
}
