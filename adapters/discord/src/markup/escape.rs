//! What a character, a line or an address would mean to Discord, and how to say that it does not.
//!
//! Not here: CommonMark (`write.rs`).

use url::Url;

use super::{PIPE, WORD_JOINER, ZERO_WIDTH_SPACE};

/// Words of ours or of a name, all of which mean themselves, within a line.
pub(crate) fn literal(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(one_line.len());
    plain(&one_line, None, &mut out);
    out
}

/// One line of words, every sign of which means itself. Addresses stay as they are: Discord reads them first.
pub(super) fn plain(line: &str, mut before: Option<char>, out: &mut String) {
    let mut rest = line;
    // What comes before may have ended with half of a sign.
    let mention = before == Some('<') && begins_mention(rest);
    if mention || (before == Some('@') && begins_everybody(rest)) {
        out.push(WORD_JOINER);
    }
    while let Some(c) = rest.chars().next() {
        if c == 'h' && !before.is_some_and(char::is_alphanumeric) {
            let length = bare_address(rest);
            if length > 0 {
                out.push_str(&rest[..length]);
                before = rest[..length].chars().last();
                rest = &rest[length..];
                continue;
            }
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' | '*' | '_' | '~' | '`' | '[' | ']' | '|' => out.extend(['\\', c]),
            '<' if begins_mention(rest) => out.extend([c, WORD_JOINER]),
            '@' if begins_everybody(rest) => out.extend([c, WORD_JOINER]),
            c => out.push(c),
        }
        before = Some(c);
    }
}

/// Mentions, times, custom emoji, commands, and addresses without a preview.
fn begins_mention(text: &str) -> bool {
    text.starts_with(['@', '#', ':', '/', 'a', 't', 'i', 'h'])
}

fn begins_everybody(text: &str) -> bool {
    ["everyone", "here"].iter().any(|word| text.starts_with(word))
}

/// Where an address ends for Discord, whose spaces are JavaScript's: the mark of byte order is one.
fn ends_address(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}' || c == '<' || c == PIPE || c == '`'
}

/// Bytes of an address at the front, as Discord finds it; 0 when there is none.
fn bare_address(text: &str) -> usize {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme));
    let Some(scheme) = scheme else { return 0 };
    let end = text.find(ends_address).unwrap_or(text.len());
    // A bracket or a sign of the sentence at its end is not part of it.
    let found = text[..end].trim_end_matches(|c: char| ".,:;\"')]*_~|\\!?>".contains(c));
    if found.len() > scheme.len() { found.len() } else { 0 }
}

/// What would begin a block at the front of a line is escaped.
pub(super) fn guard(out: &mut String, from: usize) {
    let line: Vec<char> = out[from..].chars().take_while(|c| *c != '\n').collect();
    let lead = line.iter().take_while(|c| c.is_whitespace()).count();
    let rest = &line[lead..];
    let blank = |at: usize| rest.get(at).is_none_or(|c| c.is_whitespace());
    let at = match rest.first() {
        Some('>') => Some(0),
        Some('#') => {
            let signs = rest.iter().take_while(|c| **c == '#').count();
            (signs <= 3 && blank(signs)).then_some(0)
        }
        Some('-') if blank(1) || (rest.get(1) == Some(&'#') && blank(2)) => Some(0),
        Some('+') if blank(1) => Some(0),
        Some('0'..='9') => {
            let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
            (rest.get(digits) == Some(&'.') && blank(digits + 1)).then_some(digits)
        }
        _ => None,
    };
    if let Some(at) = at {
        let bytes: usize = line[..lead + at].iter().map(|c| c.len_utf8()).sum();
        out.insert(from + bytes, '\\');
    }
}

pub(super) fn code_span(text: &str) -> String {
    let text = text.replace('\n', " ");
    if !text.contains('`') {
        return if text.trim().is_empty() { text } else { format!("`{text}`") };
    }
    // Discord knows one and two of them.
    let text = text.replace("``", &format!("`{ZERO_WIDTH_SPACE}`"));
    let text = text.replace("``", &format!("`{ZERO_WIDTH_SPACE}`"));
    let front = if text.starts_with('`') { " " } else { "" };
    let back = if text.ends_with('`') { " " } else { "" };
    format!("``{front}{text}{back}``")
}

/// An address that ends nowhere but at its end.
pub(super) fn address(url: &Url) -> String {
    let mut out = String::new();
    for c in url.as_str().chars() {
        match c {
            '<' | '>' | '(' | ')' | '\\' | '`' | '|' | '*' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_whitespace() || c.is_control() || c == PIPE => {}
            c => out.push(c),
        }
    }
    out
}

/// Bars that were written as a spoiler's are one where they stand in pairs with something between, in one paragraph.
pub(super) fn pair_spoilers(text: &str) -> String {
    let bars = format!("{PIPE}{PIPE}");
    let mut out = String::with_capacity(text.len());
    for (nth, paragraph) in text.split("\n\n").enumerate() {
        if nth > 0 {
            out.push_str("\n\n");
        }
        let parts: Vec<&str> = paragraph.split(bars.as_str()).collect();
        let mut open = false;
        for (at, part) in parts.iter().enumerate() {
            out.push_str(part);
            if at + 1 == parts.len() {
                break;
            }
            let closes = open;
            let begins = !open
                && parts.get(at + 1).is_some_and(|next| !next.trim().is_empty())
                && at + 2 < parts.len();
            if closes || begins {
                out.push_str("||");
                open = begins;
            } else {
                out.push_str("\\|\\|");
            }
        }
    }
    out.replace(PIPE, "\\|")
}
