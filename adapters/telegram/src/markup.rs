//! Formatted text as Telegram has it: a plain string and entities whose offsets count UTF-16 units.
//!
//! Not here: reading people's entities (`markup/read.rs`) and writing CommonMark as entities (`markup/write.rs`).
//! No parse mode is ever used: text stays what it is, whatever characters are in it (S39).

mod escape;
mod read;
mod write;

#[cfg(test)]
mod tests;

use teloxide_core::types::{MessageEntity, MessageEntityKind};

pub(crate) use read::{Span, Style, to_commonmark};
pub(crate) use write::from_commonmark;

/// Longest text of a message, in UTF-16 units ("sendMessage").
pub(crate) const MAX_TEXT: usize = 4096;
/// Longest caption of a file, in UTF-16 units ("sendPhoto").
pub(crate) const MAX_CAPTION: usize = 1024;
/// Entities beyond this many are ignored by Telegram.
const MAX_ENTITIES: usize = 100;

/// Put after `@` so that relayed text cannot ping: Telegram finds mentions in plain text by itself.
const WORD_JOINER: char = '\u{2060}';

/// Marks a `|` of the source that may be half of a spoiler's `||`. A noncharacter: never in real text.
const PIPE: char = '\u{fdd0}';

/// Text ready to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub text: String,
    pub entities: Vec<MessageEntity>,
}

impl Formatted {
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn length(&self) -> usize {
        utf16_len(&self.text)
    }

    /// The text in pieces of at most `limit` units, broken at the last empty line, line or word where there is one.
    pub(crate) fn split(self, limit: usize) -> Vec<Formatted> {
        let mut rest = self;
        let mut pieces = Vec::new();
        while rest.length() > limit {
            let at = break_point(&rest.text, limit);
            let start = at + rest.text[at..].len() - rest.text[at..].trim_start().len();
            pieces.push(rest.slice(0, at));
            rest = rest.slice(start, rest.text.len());
        }
        pieces.push(rest);
        pieces.retain(|piece| !piece.text.trim().is_empty());
        pieces
    }

    /// At most `limit` units, with an ellipsis where something was left out.
    pub(crate) fn cut(self, limit: usize) -> Formatted {
        if self.length() <= limit {
            return self;
        }
        let at = break_point(&self.text, limit.saturating_sub(1));
        let mut kept = self.slice(0, at);
        kept.text.push('…');
        kept
    }

    /// The same text with `/words` that cannot be tapped: in a group, whoever taps one says it, and relayed text must
    /// not put words into a technician's mouth (S44).
    pub(crate) fn without_commands(self) -> Formatted {
        let chars: Vec<char> = self.text.chars().collect();
        let mut out = String::with_capacity(self.text.len() + 8);
        let mut inserted = Vec::new();
        let mut unit = 0;
        for (at, c) in chars.iter().enumerate() {
            out.push(*c);
            unit += c.len_utf16();
            let covers =
                |e: &MessageEntity| is_code(&e.kind) && (e.offset..e.offset + e.length).contains(&(unit - 1));
            if *c == '/' && is_command(&chars, at) && !self.entities.iter().any(covers) {
                out.push(WORD_JOINER);
                inserted.push(unit);
            }
        }
        let moved = |unit: usize| unit + inserted.partition_point(|at| *at < unit);
        let entities = self.entities.into_iter().map(|entity| {
            let (start, end) = (moved(entity.offset), moved(entity.offset + entity.length));
            MessageEntity::new(entity.kind, start, end - start)
        });
        Formatted { entities: entities.collect(), text: out }
    }

    /// The part between two byte positions, with the entities that reach into it.
    fn slice(&self, from: usize, to: usize) -> Formatted {
        let text = self.text[from..to].trim_end();
        let start = utf16_len(&self.text[..from]);
        let end = start + utf16_len(text);
        let inside = |entity: &MessageEntity| {
            let a = entity.offset.clamp(start, end);
            let b = (entity.offset + entity.length).clamp(start, end);
            (a < b).then(|| MessageEntity::new(entity.kind.clone(), a - start, b - a))
        };
        Formatted { text: text.to_owned(), entities: self.entities.iter().filter_map(inside).collect() }
    }
}

pub(crate) fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The byte position of the best place to break within `limit` units; never 0 for a text that has characters.
fn break_point(text: &str, limit: usize) -> usize {
    let mut units = 0;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > limit.max(2) {
            end = at;
            break;
        }
    }
    let window = &text[..end];
    // A break in the first third would make a stump; a hard cut is better then.
    let good = |at: &usize| *at > end / 3;
    ["\n\n", "\n", " "].iter().find_map(|mark| window.rfind(mark).filter(good)).unwrap_or(end)
}

/// A text under construction. Offsets are kept in UTF-16 units; [`Draft::finish`] makes it safe and tidy.
#[derive(Default)]
pub(crate) struct Draft {
    text: String,
    units: usize,
    marks: Vec<Mark>,
}

struct Mark {
    kind: MessageEntityKind,
    start: usize,
    end: usize,
}

impl Draft {
    pub(crate) fn push(&mut self, text: &str) {
        for c in text.chars() {
            self.put(if c == PIPE { char::REPLACEMENT_CHARACTER } else { c });
        }
    }

    pub(crate) fn styled(&mut self, kind: MessageEntityKind, text: &str) {
        let start = self.units;
        self.push(text);
        self.mark(kind, start);
    }

    pub(crate) fn append(&mut self, piece: &Formatted) {
        let shift = self.units;
        self.push(&piece.text);
        for entity in &piece.entities {
            let start = shift + entity.offset;
            self.marks.push(Mark { kind: entity.kind.clone(), start, end: start + entity.length });
        }
    }

    /// Gives a name in the text an entity; a name that is nowhere outside of code is written on a line of its own.
    pub(crate) fn call(&mut self, name: &str, kind: MessageEntityKind) {
        let code = Ranges::of_code(&self.marks);
        let found = self.text.match_indices(name).find_map(|(at, _)| {
            let start = utf16_len(&self.text[..at]);
            let end = start + utf16_len(name);
            code.within(start, end).is_empty().then_some((start, end))
        });
        match found {
            Some((start, end)) => self.marks.push(Mark { kind, start, end }),
            None => {
                self.push(if self.is_empty() { "🔔 " } else { "\n🔔 " });
                self.styled(kind, name);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn put(&mut self, c: char) {
        self.text.push(c);
        self.units += c.len_utf16();
    }

    /// Takes back a line end that was just written.
    fn unbreak(&mut self) {
        if self.text.ends_with('\n') {
            self.text.pop();
            self.units -= 1;
        }
    }

    fn mark(&mut self, kind: MessageEntityKind, start: usize) {
        self.marks.push(Mark { kind, start, end: self.units });
    }

    /// Pairs the spoiler bars, keeps `@name` from pinging, trims, and brings the entities into Telegram's rules.
    pub(crate) fn finish(self) -> Formatted {
        let Draft { text, units, mut marks } = self;
        let code = Ranges::of_code(&marks);
        let (spoilers, bars) = pair_spoilers(&text, &code);
        let mut moved = Vec::with_capacity(units + 1);
        let mut out = String::with_capacity(text.len() + 8);
        let (mut old, mut new) = (0, 0);
        let mut before = ' ';
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            moved.extend(std::iter::repeat_n(new, c.len_utf16()));
            if bars.binary_search(&old).is_err() {
                let shown = if c == PIPE { '|' } else { c };
                out.push(shown);
                new += shown.len_utf16();
                if c == '@' && pings(before, chars.peek().copied()) && code.within(old, old + 1).is_empty() {
                    out.push(WORD_JOINER);
                    new += 1;
                }
                before = shown;
            }
            old += c.len_utf16();
        }
        moved.push(new);
        marks.extend(spoilers.into_iter().map(|(start, end)| Mark {
            kind: MessageEntityKind::Spoiler,
            start,
            end,
        }));
        for mark in &mut marks {
            mark.start = moved[mark.start.min(units)];
            mark.end = moved[mark.end.min(units)];
        }
        tidy(&out, marks)
    }
}

/// Telegram links `/word` between neighbours that are neither words nor `/`, `<`, `>` (server source,
/// `match_bot_commands`): `/etc` alone is a command to it, `/etc/hosts` is not.
fn is_command(chars: &[char], slash: usize) -> bool {
    let joins = |c: &char| c.is_ascii_alphanumeric() || "_/<>".contains(*c);
    let before = slash.checked_sub(1).and_then(|at| chars.get(at));
    let word = chars[slash + 1..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
    let after = chars.get(slash + 1 + word);
    word > 0 && !before.is_some_and(joins) && !after.is_some_and(joins)
}

/// Telegram links `@name` when no word character stands before it (server source, `match_mentions`); ASCII is enough
/// to tell an e-mail address, and anything else is kept from pinging.
fn pings(before: char, after: Option<char>) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !word(before) && after.is_some_and(word)
}

/// Ranges of units, in order and apart.
struct Ranges(Vec<(usize, usize)>);

impl Ranges {
    fn of_code(marks: &[Mark]) -> Ranges {
        let mut ranges: Vec<_> =
            marks.iter().filter(|mark| is_code(&mark.kind)).map(|mark| (mark.start, mark.end)).collect();
        ranges.sort_unstable();
        Ranges(ranges)
    }

    /// Those that share a unit with `start..end`.
    fn within(&self, start: usize, end: usize) -> &[(usize, usize)] {
        let first = self.0.partition_point(|(_, to)| *to <= start);
        let last = self.0.partition_point(|(from, _)| *from < end);
        self.0.get(first..last).unwrap_or(&[])
    }
}

fn is_code(kind: &MessageEntityKind) -> bool {
    matches!(kind, MessageEntityKind::Code | MessageEntityKind::Pre { .. })
}

/// Ranges between paired `||` of one paragraph, and the positions of the bars that vanish.
fn pair_spoilers(text: &str, code: &Ranges) -> (Vec<(usize, usize)>, Vec<usize>) {
    let units: Vec<(usize, char)> = {
        let ends = text.chars().scan(0, |at, c| {
            *at += c.len_utf16();
            Some((*at - c.len_utf16(), c))
        });
        ends.collect()
    };
    let (mut spoilers, mut bars) = (Vec::new(), Vec::new());
    let mut open: Option<usize> = None;
    let mut i = 0;
    while i + 1 < units.len() {
        let (at, c) = units[i];
        let next = units[i + 1].1;
        if c == '\n' && next == '\n' {
            open = None;
        } else if c == PIPE && next == PIPE {
            let before = if i == 0 { ' ' } else { units[i - 1].1 };
            let after = units.get(i + 2).map_or(' ', |unit| unit.1);
            match open {
                // Bars that stand free, as in `a || b`, are not a spoiler's.
                None if !after.is_whitespace() && after != PIPE => open = Some(at),
                Some(start) if !before.is_whitespace() && at > start + 2 => {
                    if code.within(start, at).is_empty() {
                        spoilers.push((start + 2, at));
                        bars.extend([start, start + 1, at, at + 1]);
                    }
                    open = None;
                }
                _ => {}
            }
            i += 1;
        }
        i += 1;
    }
    (spoilers, bars)
}

/// Telegram's rules ("MessageEntity", "Formatting options"): nothing inside code, no nested quotes, no empty or blank
/// entity, offsets on character borders, at most 100.
fn tidy(text: &str, marks: Vec<Mark>) -> Formatted {
    let text = text.trim_end();
    let lead = utf16_len(text) - utf16_len(text.trim_start());
    let text = text.trim_start();
    let units: Vec<char> = text.chars().flat_map(|c| std::iter::repeat_n(c, c.len_utf16())).collect();
    let code = Ranges::of_code(&marks);
    let mut entities = Vec::new();
    let mut quoted = 0;
    for mark in &marks {
        let pieces = match mark.kind {
            MessageEntityKind::Blockquote if mark.start < quoted => Vec::new(),
            MessageEntityKind::Blockquote => vec![(mark.start, mark.end)],
            ref kind if is_code(kind) => vec![(mark.start, mark.end)],
            _ => without(mark.start, mark.end, &code),
        };
        if mark.kind == MessageEntityKind::Blockquote {
            quoted = quoted.max(mark.end);
        }
        for (start, end) in pieces {
            let mut start = start.saturating_sub(lead).min(units.len());
            let mut end = end.saturating_sub(lead).min(units.len());
            if !is_code(&mark.kind) {
                while start < end && units[start].is_whitespace() {
                    start += 1;
                }
                while start < end && units[end - 1].is_whitespace() {
                    end -= 1;
                }
            }
            if start < end {
                entities.push(MessageEntity::new(mark.kind.clone(), start, end - start));
            }
        }
    }
    entities.sort_by_key(|entity| (entity.offset, std::cmp::Reverse(entity.length)));
    entities.truncate(MAX_ENTITIES);
    Formatted { text: text.to_owned(), entities }
}

/// `start..end` without the ranges of `holes`.
fn without(start: usize, end: usize, holes: &Ranges) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut from = start;
    for (hole, after) in holes.within(start, end) {
        pieces.push((from, (*hole).max(from)));
        from = (*after).max(from);
    }
    pieces.push((from, end.max(from)));
    pieces
}

/// The text under an entity, for tests.
#[cfg(test)]
pub(crate) fn covered(text: &Formatted, entity: &MessageEntity) -> String {
    let units: Vec<u16> = text.text.encode_utf16().collect();
    String::from_utf16(&units[entity.offset..entity.offset + entity.length]).unwrap()
}
