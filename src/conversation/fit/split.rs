//! Cuts a text where it hurts least: between paragraphs, lines, sentences, words, and only then within one.
//!
//! Not here: files and buttons. A code fence that must be cut is closed and opened again.

use super::fence::{Fence, after_line};
use super::marks::{is_flag, may_part};
use super::units;

/// A part of the text, and what keeps its code fences whole.
pub(super) struct Piece<'a> {
    pub head: String,
    pub body: &'a str,
    pub tail: String,
}

impl Piece<'_> {
    pub(super) fn into_text(self) -> String {
        format!("{}{}{}", self.head, self.body, self.tail)
    }
}

/// No piece is blank, and each is at most `limit` units long; a limit below 2 counts as 2, which any character fits into.
pub(super) fn split(text: &str, limit: usize) -> Vec<Piece<'_>> {
    let limit = limit.max(2);
    let mut pieces = Vec::new();
    let mut rest = skip_blank_lines(text.trim_end());
    let mut left = units(rest);
    let mut open: Option<Fence> = None;
    while !rest.is_empty() {
        let mended = open.as_ref().and_then(|fence| mend(fence, limit));
        let head = mended.map(|fence| fence.opening()).unwrap_or_default();
        let budget = limit - units(&head);
        if left <= budget {
            pieces.push(Piece { head, body: rest, tail: String::new() });
            break;
        }
        let cut = Cutter::new(budget, limit).cut(rest, open.clone());
        let body = &rest[..cut.at];
        let tail = cut
            .open
            .as_ref()
            .and_then(|fence| mend(fence, limit))
            .map(|fence| fence.closing())
            .unwrap_or_default();
        let shown =
            if cut.open.is_some() { body.strip_suffix('\n').unwrap_or(body) } else { body.trim_end() };
        if !shown.trim().is_empty() {
            pieces.push(Piece { head, body: shown, tail });
        }
        let next = &rest[cut.at..];
        let next = if cut.open.is_some() { next } else { skip_blank_lines(next) };
        left -= units(&rest[..rest.len() - next.len()]);
        rest = next;
        open = cut.open;
    }
    pieces
}

/// The end of the longest beginning of `text` that has at most `limit` units and tears no sign apart.
pub(super) fn within(text: &str, limit: usize) -> usize {
    let mut best = (0, 0);
    for place in places(text) {
        if place.units > limit {
            break;
        }
        best.0 = place.at;
        if place.whole {
            best.1 = place.at;
        }
    }
    if best.1 > 0 { best.1 } else { best.0 }
}

/// The fence as it is opened again, if it leaves half of the message for the code itself.
fn mend(fence: &Fence, limit: usize) -> Option<Fence> {
    let fits = |fence: &Fence| units(&fence.opening()) + units(&fence.closing()) <= limit / 2;
    Some(fence.clone()).filter(fits).or_else(|| Some(fence.without_info()).filter(fits))
}

fn skip_blank_lines(text: &str) -> &str {
    let blank = text.len() - text.trim_start().len();
    match text[..blank].rfind('\n') {
        Some(line) => &text[line + 1..],
        None => text,
    }
}

struct Cut {
    at: usize,
    /// The fence that is open there.
    open: Option<Fence>,
}

/// In the order of preference.
#[derive(Clone, Copy)]
enum Kind {
    Paragraph,
    Line,
    CodeLine,
    Sentence,
    Word,
    Sign,
}

struct Cutter {
    budget: usize,
    limit: usize,
    /// The last cut of each kind, with the units before it.
    found: [Option<(usize, Cut)>; 6],
}

impl Cutter {
    fn new(budget: usize, limit: usize) -> Self {
        Cutter { budget, limit, found: [const { None }; 6] }
    }

    fn cut(mut self, text: &str, open: Option<Fence>) -> Cut {
        let (start, used, state) = self.between_lines(text, open);
        self.within_line(&text[start..], start, used, &state);
        // A cut of a better kind counts only when it does not leave most of the message empty.
        let enough = self.budget / 3;
        let good = self.found.iter().position(|cut| cut.as_ref().is_some_and(|(units, _)| *units >= enough));
        let any = good.or_else(|| self.found.iter().position(Option::is_some));
        match any.and_then(|kind| self.found[kind].take()) {
            Some((_, cut)) => cut,
            None => Cut { at: text.chars().next().map_or(0, char::len_utf8), open: state },
        }
    }

    fn find(&mut self, kind: Kind, units: usize, at: usize, open: Option<Fence>) {
        if at > 0 && units <= self.room(open.as_ref()) {
            self.found[kind as usize] = Some((units, Cut { at, open }));
        }
    }

    /// What fits when this fence must be closed behind it.
    fn room(&self, open: Option<&Fence>) -> usize {
        let closing =
            open.and_then(|fence| mend(fence, self.limit)).map_or(0, |fence| units(&fence.closing()));
        self.budget.saturating_sub(closing)
    }

    /// Looks at the lines that fit. Says where the first one begins that does not, after how many units, in which fence.
    fn between_lines(&mut self, text: &str, open: Option<Fence>) -> (usize, usize, Option<Fence>) {
        let (mut at, mut used, mut state) = (0, 0, open);
        let mut lines = text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            let size = units(line);
            let after = after_line(state.clone(), line);
            if used + size > self.budget + 1 || (!line.ends_with('\n') && used + size > self.budget) {
                break;
            }
            let next = lines.peek().copied().unwrap_or_default();
            let end = used + units(line.trim_end_matches('\n'));
            let (before, state_next) = (state, after_line(after.clone(), next));
            match (&before, &after) {
                // An empty block at the end of one message, or at the beginning of the next, is no code.
                (None, Some(_)) => {}
                (Some(_), Some(_)) if state_next.is_none() => {}
                (Some(_), Some(_)) => self.find(Kind::CodeLine, end, at + line.len(), after.clone()),
                (Some(_), None) => self.find(Kind::Paragraph, end, at + line.len(), None),
                (None, None) if line.trim().is_empty() || next.trim().is_empty() || state_next.is_some() => {
                    self.find(Kind::Paragraph, end, at + line.len(), None);
                }
                (None, None) => self.find(Kind::Line, end, at + line.len(), None),
            }
            (at, used, state) = (at + line.len(), used + size, after);
        }
        (at, used, state)
    }

    /// Looks at the line that does not fit.
    fn within_line(&mut self, rest: &str, start: usize, used: usize, open: &Option<Fence>) {
        let room = self.room(open.as_ref());
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        let mut torn = None;
        for place in places(line) {
            let end = used + place.units;
            if end > room {
                break;
            }
            let kind = match (place.blank, place.sentence && open.is_none()) {
                (true, true) => Kind::Sentence,
                (true, false) => Kind::Word,
                (false, _) if place.whole => Kind::Sign,
                (false, _) => {
                    torn = Some((end, place.at));
                    continue;
                }
            };
            self.find(kind, end, start + place.at, open.clone());
        }
        if let (None, Some((end, at))) = (&self.found[Kind::Sign as usize], torn) {
            self.find(Kind::Sign, end, start + at, open.clone());
        }
    }
}

/// A place between two characters.
struct Place {
    at: usize,
    /// Units before it.
    units: usize,
    /// No sign is torn apart here.
    whole: bool,
    /// The last blank of a row of them is before it.
    blank: bool,
    /// The end of a sentence is before the blank.
    sentence: bool,
}

/// Every place behind a character of `text`, in order.
fn places(text: &str) -> impl Iterator<Item = Place> {
    let mut chars = text.char_indices().peekable();
    let (mut units, mut flags, mut ended) = (0, 0, false);
    std::iter::from_fn(move || {
        let (start, c) = chars.next()?;
        units += c.len_utf16();
        flags = if is_flag(c) { flags + 1 } else { 0 };
        let next = chars.peek().map(|(_, next)| *next);
        let blank = c.is_whitespace() && !next.is_some_and(char::is_whitespace);
        let ideographic = matches!(c, '。' | '！' | '？' | '；');
        if !c.is_whitespace() {
            ended = ideographic
                || matches!(c, '.' | '!' | '?' | '…' | ':' | ';')
                || (ended && matches!(c, ')' | '"' | '”' | '»'));
        }
        Some(Place {
            at: start + c.len_utf8(),
            units,
            whole: next.is_none_or(|next| may_part(c, next, flags)),
            blank: blank || ideographic,
            sentence: ended,
        })
    })
}
