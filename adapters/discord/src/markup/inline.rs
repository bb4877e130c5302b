//! One stretch of Discord's Markdown as a tree, by the order in which its client looks for signs. Total.
//!
//! Not here: blocks (`read.rs`), writing the tree as CommonMark (`read.rs`).

use super::read::Names;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Bold,
    Italic,
    Strike,
    Spoiler,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    Code(String),
    Styled(Style, Vec<Node>),
    Link(Vec<Node>, String),
    Address(String),
}

/// Deeper signs are text: nobody writes them, and what comes from the network may be nested without end.
const MAX_DEPTH: usize = 8;

/// What stands before and after a sign is looked at; so many characters of a style are looked through for its end.
const MAX_REACH: usize = 4_000;

const STYLES: [(&str, Style); 7] = [
    ("***", Style::Bold),
    ("**", Style::Bold),
    ("__", Style::Italic),
    ("~~", Style::Strike),
    ("||", Style::Spoiler),
    ("*", Style::Italic),
    ("_", Style::Italic),
];

pub(super) fn parse(text: &str, names: &dyn Names) -> Vec<Node> {
    nodes(text, names, 0)
}

fn nodes(text: &str, names: &dyn Names, depth: usize) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(c) = rest.chars().next() {
        if let Some((node, length)) = sign(rest, before, names, depth) {
            match (out.last_mut(), node) {
                (Some(Node::Text(known)), Node::Text(more)) => known.push_str(&more),
                (_, node) => out.push(node),
            }
            before = rest[..length].chars().last();
            rest = &rest[length..];
            continue;
        }
        match out.last_mut() {
            Some(Node::Text(known)) => known.push(c),
            _ => out.push(Node::Text(c.to_string())),
        }
        before = Some(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// What begins here, and how many bytes of the text it is.
fn sign(rest: &str, before: Option<char>, names: &dyn Names, depth: usize) -> Option<(Node, usize)> {
    match rest.as_bytes().first()? {
        b'\\' => {
            let next = rest[1..].chars().next()?;
            let meant = !next.is_alphanumeric() && !next.is_whitespace();
            meant.then(|| (Node::Text(next.to_string()), 1 + next.len_utf8()))
        }
        b'`' => code(rest),
        b'<' => angle(rest, names),
        b'h' if !before.is_some_and(char::is_alphanumeric) => address(rest),
        b'[' if depth < MAX_DEPTH => link(rest, names, depth),
        b'*' | b'_' | b'~' | b'|' if depth < MAX_DEPTH => styled(rest, before, names, depth),
        _ => None,
    }
}

/// "(`+)(…)\1", not followed by another tick.
fn code(rest: &str) -> Option<(Node, usize)> {
    let ticks = rest.bytes().take_while(|b| *b == b'`').count();
    let mut at = ticks;
    while let Some(found) = rest[at..].find('`') {
        let start = at + found;
        let run = rest[start..].bytes().take_while(|b| *b == b'`').count();
        if run == ticks {
            let inner = &rest[ticks..start];
            let inner = if ticks > 1 { inner.trim_matches(' ') } else { inner };
            let end = start + run;
            let node = if inner.trim().is_empty() {
                Node::Text(rest[..end].to_owned())
            } else {
                Node::Code(inner.to_owned())
            };
            return Some((node, end));
        }
        at = start + run;
    }
    Some((Node::Text(rest[..ticks].to_owned()), ticks))
}

/// Mentions, custom emoji, times and addresses without a preview.
fn angle(rest: &str, names: &dyn Names) -> Option<(Node, usize)> {
    let end = rest.find('>').filter(|end| *end < 2_100)?;
    let inner = &rest[1..end];
    if inner.contains(['\n', '<']) {
        return None;
    }
    let node = if inner.starts_with("https://") || inner.starts_with("http://") {
        if inner.contains(char::is_whitespace) {
            return None;
        }
        Node::Address(inner.to_owned())
    } else {
        Node::Text(meant(inner, names)?)
    };
    Some((node, end + 1))
}

fn meant(inner: &str, names: &dyn Names) -> Option<String> {
    let id = |text: &str| crate::ids::is_snowflake(text).then(|| text.to_owned());
    if let Some(role) = inner.strip_prefix("@&") {
        return Some(format!("@{}", names.role(&id(role)?).unwrap_or_else(|| "role".into())));
    }
    if let Some(user) = inner.strip_prefix("@!").or_else(|| inner.strip_prefix('@')) {
        return Some(format!("@{}", names.person(&id(user)?).unwrap_or_else(|| user.to_owned())));
    }
    if let Some(channel) = inner.strip_prefix('#') {
        return Some(format!("#{}", names.channel(&id(channel)?).unwrap_or_else(|| "channel".into())));
    }
    if let Some(moment) = inner.strip_prefix("t:") {
        return time(moment);
    }
    if let Some(command) = inner.strip_prefix('/') {
        let (name, command_id) = command.rsplit_once(':')?;
        id(command_id)?;
        return Some(format!("/{name}"));
    }
    let emoji = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':'))?;
    let (name, emoji_id) = emoji.split_once(':')?;
    id(emoji_id)?;
    let sound = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    sound.then(|| format!(":{name}:"))
}

/// "Message Formatting › Timestamps": everybody sees it in their own zone; here it is in UTC.
fn time(moment: &str) -> Option<String> {
    let (seconds, style) = moment.split_once(':').unwrap_or((moment, "f"));
    let at = jiff::Timestamp::from_second(seconds.parse().ok()?).ok()?;
    let form = match style {
        "d" | "D" => "%Y-%m-%d",
        "t" => "%H:%M UTC",
        "T" => "%H:%M:%S UTC",
        "f" | "F" | "R" | "s" | "S" => "%Y-%m-%d %H:%M UTC",
        _ => return None,
    };
    Some(at.strftime(form).to_string())
}

fn address(rest: &str) -> Option<(Node, usize)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme))?;
    let end = rest.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(rest.len());
    let mut found = rest[..end].trim_end_matches(|c: char| ".,:;\"']*_~|!?".contains(c));
    // A closing bracket belongs to it where it was opened in it.
    while found.ends_with(')') && found.matches(')').count() > found.matches('(').count() {
        found = found[..found.len() - 1].trim_end_matches(|c: char| ".,:;\"']*_~|!?".contains(c));
    }
    (found.len() > scheme.len()).then(|| (Node::Address(found.to_owned()), found.len()))
}

/// A masked link: `[words](address)`, the address perhaps in angle brackets and with a title.
fn link(rest: &str, names: &dyn Names, depth: usize) -> Option<(Node, usize)> {
    let close = matching(rest)?;
    let after = rest[close + 1..].strip_prefix('(')?;
    let end = after.find(')')?;
    let inside = after[..end].trim();
    let target = inside.split_whitespace().next()?;
    let target = target.trim_start_matches('<').trim_end_matches('>');
    let web = target.starts_with("https://") || target.starts_with("http://");
    let words = &rest[1..close];
    if !web || words.trim().is_empty() || inside.contains('\n') {
        return None;
    }
    let node = Node::Link(nodes(words, names, depth + 1), target.to_owned());
    Some((node, close + 1 + 1 + end + 1))
}

/// The bracket that closes the one at the front.
fn matching(rest: &str) -> Option<usize> {
    let (mut open, mut escaped) = (0_usize, false);
    for (at, c) in rest.char_indices().take(MAX_REACH) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => open += 1,
            ']' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn styled(rest: &str, before: Option<char>, names: &dyn Names, depth: usize) -> Option<(Node, usize)> {
    let (mark, style) = STYLES.into_iter().find(|(mark, _)| rest.starts_with(mark))?;
    let inside = &rest[mark.len()..];
    let close = closing(inside, mark)?;
    let inner = &inside[..close];
    let end = mark.len() + close + mark.len();
    let blank_edge = inner.starts_with(char::is_whitespace) || inner.ends_with(char::is_whitespace);
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match mark {
        // "\b_…_\b": not within words. `*` does not touch blanks.
        "_" if in_word(before) || in_word(rest[end..].chars().next()) => return None,
        "_" | "*" if blank_edge => return None,
        _ if inner.trim().is_empty() => return None,
        _ => {}
    }
    let inner = nodes(inner, names, depth + 1);
    let inner = if mark == "***" { vec![Node::Styled(Style::Italic, inner)] } else { inner };
    Some((Node::Styled(style, inner), end))
}

/// Where the style ends, in bytes from the front of what is in it.
fn closing(inside: &str, mark: &str) -> Option<usize> {
    let sign = mark.chars().next()?;
    let mut at = 0;
    while at < inside.len().min(MAX_REACH * 4) {
        let rest = &inside[at..];
        let c = rest.chars().next()?;
        if c == '\\' {
            let next = rest[1..].chars().next().map_or(0, char::len_utf8);
            at += 1 + next;
        } else if c == '`' {
            at += code(rest).map_or(1, |(_, length)| length);
        } else if c == sign {
            let run = rest.chars().take_while(|c| *c == sign).count();
            if run == mark.len() && at > 0 {
                return Some(at);
            }
            // `**a *b***`: the inner one ends first, this one with the rest.
            if run > mark.len() && at > 0 {
                return Some(at + run - mark.len());
            }
            at += run;
        } else {
            at += c.len_utf8();
        }
    }
    None
}
