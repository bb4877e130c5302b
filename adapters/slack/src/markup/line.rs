//! One line of CommonMark: where marks begin and end, what is escaped.
//!
//! Not here: blocks, and which characters mean something (the contract).

use deskbridge_contract::commonmark::is_special;

use super::commonmark::Level;
use super::doc::{BOLD, CODE, ITALIC, Look, Run, STRIKE};

/// A character and what covers it; the link by its number plus one, 0 for none.
#[derive(Clone, Copy)]
struct Glyph {
    c: char,
    look: Look,
    link: usize,
}

/// One mark around text, from the outermost kind to the innermost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Link(usize),
    Look(Look, &'static str),
}

pub(super) struct Line<'a> {
    glyphs: Vec<Glyph>,
    chars: Vec<char>,
    links: Vec<&'a str>,
    level: Level,
    /// The character that would start a block.
    guard: Option<usize>,
}

impl<'a> Line<'a> {
    pub(super) fn new(runs: &'a [Run], level: Level, guard: Option<usize>) -> Self {
        let mut line = Line { glyphs: Vec::new(), chars: Vec::new(), links: Vec::new(), level, guard };
        for run in runs {
            let link = match &run.link {
                Some(link) if level > Level::Text => {
                    if line.links.last() != Some(&link.as_str()) {
                        line.links.push(link);
                    }
                    line.links.len()
                }
                _ => 0,
            };
            let glyph = |c| Glyph { c, look: run.look, link };
            line.glyphs.extend(run.text.chars().map(glyph));
        }
        while line.glyphs.last().is_some_and(|glyph| glyph.c.is_whitespace()) {
            line.glyphs.pop();
        }
        line.chars = line.glyphs.iter().map(|glyph| glyph.c).collect();
        line
    }

    pub(super) fn write(&self) -> String {
        let indent = self.glyphs.iter().take_while(|glyph| glyph.c.is_whitespace()).count();
        // CommonMark strips leading spaces or makes code of them; a hard space is neither.
        let mut out: String = self.glyphs[..indent]
            .iter()
            .map(|glyph| if glyph.c == '\t' { "\u{a0}\u{a0}\u{a0}\u{a0}" } else { "\u{a0}" })
            .collect();
        let mut open: Vec<Open> = Vec::new();
        let mut at = indent;
        while at < self.glyphs.len() {
            self.turn(&mut open, at, indent, &mut out);
            at = self.piece(at, &open, &mut out);
        }
        self.close(&mut open, 0, &mut out);
        out
    }

    /// Closes and opens marks for the character at `at`.
    fn turn(&self, open: &mut Vec<Open>, at: usize, first: usize, out: &mut String) {
        if self.glyphs[at].c.is_whitespace() && at > first {
            // Marks must not touch spaces: they end before one unless what follows goes on with them.
            // A row of spaces is not looked through again and again (S118).
            let end = self.glyphs.len().min(at + 64);
            let next = (at..end).find(|i| !self.glyphs[*i].c.is_whitespace()).unwrap_or(at);
            let keep = self.common(open, next);
            let here = self.common(open, at);
            self.close(open, keep.min(here), out);
            return;
        }
        let wanted = self.wanted(open, at);
        let keep = open.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
        self.close(open, keep, out);
        for mark in &wanted[keep..] {
            out.push_str(match mark {
                Open::Link(_) => "[",
                Open::Look(_, sign) => sign,
            });
            open.push(*mark);
        }
    }

    fn common(&self, open: &[Open], at: usize) -> usize {
        let wanted = self.wanted(open, at);
        open.iter().zip(&wanted).take_while(|(a, b)| a == b).count()
    }

    fn wanted(&self, open: &[Open], at: usize) -> Vec<Open> {
        let glyph = self.glyphs[at];
        let mut wanted = Vec::new();
        if glyph.link != 0 && self.autolink(at).is_none() {
            wanted.push(Open::Link(glyph.link));
        }
        if self.level == Level::All {
            for (look, sign) in [(STRIKE, "~~"), (BOLD, "**"), (ITALIC, "_")] {
                if glyph.look.has(look) {
                    let going_on = open.iter().find(|mark| matches!(mark, Open::Look(l, _) if *l == look));
                    let fresh = || Open::Look(look, if look == ITALIC { self.italic(at) } else { sign });
                    wanted.push(going_on.copied().unwrap_or_else(fresh));
                }
            }
        }
        wanted
    }

    /// `_` does not work inside words, `*` runs together with bold's.
    fn italic(&self, at: usize) -> &'static str {
        let run = self.glyphs[at..].iter().take_while(|glyph| glyph.look.has(ITALIC)).count();
        let word = |i: usize| self.glyphs.get(i).is_some_and(|glyph| glyph.c.is_alphanumeric());
        if (at > 0 && word(at - 1)) || word(at + run) { "*" } else { "_" }
    }

    fn close(&self, open: &mut Vec<Open>, keep: usize, out: &mut String) {
        while open.len() > keep {
            match open.pop() {
                Some(Open::Link(nth)) => out.push_str(&format!("]({})", self.links[nth - 1])),
                Some(Open::Look(_, sign)) => out.push_str(sign),
                None => {}
            }
        }
    }

    /// An address that is its own text, and where it ends: written without a label. Only asked at its beginning or inside.
    fn autolink(&self, at: usize) -> Option<(String, usize)> {
        let nth = self.glyphs[at].link;
        let target = *self.links.get(nth.checked_sub(1)?)?;
        // Addresses are at most a few hundred characters; longer ones are links with a label.
        let begins = |at: usize| at == 0 || self.glyphs[at - 1].link != nth;
        let start = (at.saturating_sub(MAX_AUTOLINK)..=at).rev().find(|at| begins(*at))?;
        let shown = target.strip_prefix("mailto:").unwrap_or(target);
        let length = shown.chars().count();
        let end =
            start.checked_add(length).filter(|end| length <= MAX_AUTOLINK && *end <= self.glyphs.len())?;
        let same = self.glyphs[start..end].iter().map(|glyph| glyph.c).eq(shown.chars())
            && self.glyphs[start..end].iter().all(|glyph| glyph.link == nth)
            && self.glyphs.get(end).is_none_or(|glyph| glyph.link != nth);
        (same && !shown.contains(|c: char| c.is_whitespace() || c.is_control() || "<>".contains(c)))
            .then(|| (shown.to_owned(), end))
    }

    /// Writes the code span, the address or the character at `at`; returns what comes after it.
    fn piece(&self, at: usize, open: &[Open], out: &mut String) -> usize {
        let glyph = self.glyphs[at];
        if let Some((address, end)) = self.autolink(at) {
            out.push_str(&format!("<{address}>"));
            return end;
        }
        if self.level > Level::Text && glyph.look.has(CODE) {
            let like = |other: &Glyph| other.look == glyph.look && other.link == glyph.link;
            let length = self.glyphs[at..].iter().take_while(|glyph| like(glyph)).count();
            let text: String = self.glyphs[at..at + length].iter().map(|glyph| glyph.c).collect();
            if !text.trim().is_empty() {
                out.push_str(&code_span(&text));
                return at + length;
            }
        }
        let in_link = open.iter().any(|mark| matches!(mark, Open::Link(_)));
        let before = at.checked_sub(1).map(|at| self.chars[at]);
        let before_link = glyph.c == '!' && self.glyphs.get(at + 1).is_some_and(|next| next.link != 0);
        if self.guard == Some(at)
            || before_link
            || needs_escape(glyph.c, before, &self.chars[at + 1..], in_link)
        {
            out.push('\\');
        }
        out.push(glyph.c);
        at + 1
    }
}

const MAX_AUTOLINK: usize = 300;

/// Whether a character would be more than itself in CommonMark; two bars make a spoiler to some readers of ours.
fn needs_escape(c: char, before: Option<char>, after: &[char], in_link: bool) -> bool {
    match c {
        ']' => in_link,
        '|' => before == Some('|') || after.first() == Some(&'|'),
        _ => is_special(c, before, after),
    }
}

fn code_span(text: &str) -> String {
    let ticks = "`".repeat(text.split(|c| c != '`').map(str::len).max().unwrap_or(0) + 1);
    let pad = text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    if pad { format!("{ticks} {text} {ticks}") } else { format!("{ticks}{text}{ticks}") }
}
