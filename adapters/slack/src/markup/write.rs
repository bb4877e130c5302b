//! A text in Slack's `mrkdwn`, for places that take nothing better: notifications, sections, context lines.
//!
//! Not here: what has a form of its own ([`super::rich`]). `mrkdwn` has no escape for its own signs, so those that a
//! person wrote get a joiner that is not seen; `&`, `<` and `>` are escaped, so nothing a person wrote can mention anybody
//! ("Formatting text for app surfaces", S37).

use super::doc::{BOLD, CODE, ITALIC, Look, Run, STRIKE};
use super::flow::{Flow, Piece, gap};
use super::{NoNames, WORD_JOINER, ZERO_WIDTH_SPACE, emoji, mrkdwn};

/// The three characters that Slack asks to escape, and no other.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| escape_char(c, &mut out));
    out
}

fn escape_char(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        c => out.push(c),
    }
}

/// Somebody's words as `mrkdwn` that shows them letter by letter.
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (nth, line) in text.split('\n').enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        let chars: Vec<char> = line.chars().collect();
        put_literal(&chars, true, &mut out);
    }
    out
}

impl Flow {
    /// What these signs cannot say is left out, piece by piece, before a letter of the text is.
    pub(crate) fn mrkdwn(&self) -> String {
        let read_back = |written: &str| Flow::of(mrkdwn::read(written, &NoNames)).bare();
        let written: Vec<(String, bool)> = self
            .0
            .iter()
            .map(|piece| {
                let full = write(piece, true);
                let kept = read_back(&full) == Flow(vec![piece.clone()]).bare();
                if kept { (full, true) } else { (write(piece, false), false) }
            })
            .collect();
        let mut out = String::new();
        for (nth, (text, formatted)) in written.iter().enumerate() {
            if nth > 0 {
                out.push_str(self.gap_before(nth, *formatted));
            }
            out.push_str(text);
        }
        // Pieces that are sound by themselves may still read differently beside each other.
        if read_back(&out) == self.bare() { out } else { literal(&self.plain()) }
    }

    fn gap_before(&self, nth: usize, formatted: bool) -> &'static str {
        let gap = gap(&self.0[nth - 1], &self.0[nth]);
        let quote = matches!(self.0[nth], Piece::Text { quote: true, .. });
        if gap.len() == 2 && quote && formatted { "\n>\n" } else { gap }
    }
}

fn write(piece: &Piece, formatted: bool) -> String {
    let mut out = String::new();
    match piece {
        Piece::Text { quote, runs } => {
            let before = if *quote && formatted { "> " } else { "" };
            lines(runs, before, before, formatted, &mut out);
        }
        Piece::Item { depth, sign, runs } => {
            let indent = "    ".repeat(*depth);
            lines(
                runs,
                &format!("{indent}{}", sign.text(*depth)),
                &format!("{indent}  "),
                formatted,
                &mut out,
            );
        }
        Piece::Code { text, .. } => code(text, formatted, &mut out),
    }
    out
}

fn code(text: &str, formatted: bool, out: &mut String) {
    if !formatted {
        out.push_str(&literal(text));
        return;
    }
    out.push_str("```\n");
    let mut ticks = 0;
    for c in text.chars() {
        // Three in a row would end the block.
        ticks = if c == '`' { ticks + 1 } else { 0 };
        if ticks > 1 {
            out.push(WORD_JOINER);
        }
        escape_char(c, out);
    }
    out.push_str(if text.ends_with('`') { "\u{2060}\n```" } else { "\n```" });
}

/// Lines, with `first` before the first and `further` before the others.
fn lines(runs: &[Run], first: &str, further: &str, formatted: bool, out: &mut String) {
    for (nth, line) in super::doc::lines(runs).iter().enumerate() {
        if nth > 0 {
            out.push('\n');
        }
        out.push_str(if nth > 0 { further } else { first });
        if formatted {
            Line { out, start: true }.write(line);
        } else {
            let text: String = line.iter().map(|run| run.text.as_str()).collect();
            put_literal(&text.chars().collect::<Vec<_>>(), true, out);
        }
    }
}

/// Escapes a line and takes the meaning from what `mrkdwn` would read into it.
fn put_literal(chars: &[char], start: bool, out: &mut String) {
    let word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
    let mut blank = start;
    for (at, c) in chars.iter().enumerate() {
        let disarm = match c {
            // Inside a word they mean nothing: `snake_case` can be copied as it is.
            '*' | '_' | '~' => !(word(at.checked_sub(1)) && word(Some(at + 1))),
            '`' => true,
            // Quotes begin with it, escaped or not.
            '>' => blank,
            _ => false,
        };
        if disarm {
            out.push(WORD_JOINER);
        }
        escape_char(*c, out);
        if *c == ':' && emoji::at(&chars[at + 1..]).is_some() {
            out.push(WORD_JOINER);
        }
        blank = blank && c.is_whitespace();
    }
}

const SIGNS: [(Look, char); 3] = [(BOLD, '*'), (ITALIC, '_'), (STRIKE, '~')];

struct Line<'a> {
    out: &'a mut String,
    start: bool,
}

impl Line<'_> {
    fn write(mut self, runs: &[Run]) {
        let mut open = false;
        for run in runs {
            // Signs must not touch spaces on their inner side.
            let text = run.text.trim();
            let lead = &run.text[..run.text.len() - run.text.trim_start().len()];
            self.literal(lead);
            if text.is_empty() {
                continue;
            }
            let signs: Vec<char> =
                SIGNS.iter().filter(|(look, _)| run.look.has(*look)).map(|(_, sign)| *sign).collect();
            let code = run.look.has(CODE) && run.link.is_none() && !text.contains('`');
            let begins = !signs.is_empty() || code;
            let goes_on = open && lead.is_empty() && text.starts_with(char::is_alphanumeric);
            if begins || goes_on {
                self.border();
            }
            self.out.extend(signs.iter());
            match &run.link {
                Some(link) => self.link(link, text),
                None if code => self.out.push_str(&format!("`{}`", escape(text))),
                None => self.literal(text),
            }
            self.out.extend(signs.iter().rev());
            self.start = false;
            open = !signs.is_empty() || code;
            self.literal(&run.text[lead.len() + text.len()..]);
        }
    }

    /// Signs count only at the border of a word; this one takes no place.
    fn border(&mut self) {
        if self.out.chars().next_back().is_some_and(|c| c.is_alphanumeric() || "*_~`".contains(c)) {
            self.out.push(ZERO_WIDTH_SPACE);
        }
    }

    fn literal(&mut self, text: &str) {
        if !text.is_empty() {
            let chars: Vec<char> = text.chars().collect();
            put_literal(&chars, self.start, self.out);
            self.start = self.start && text.trim().is_empty();
        }
    }

    fn link(&mut self, link: &str, label: &str) {
        self.out.push('<');
        self.out.push_str(&escape(link));
        if link != label || link.starts_with("mailto:") {
            self.out.push('|');
            let label: Vec<char> = label.chars().collect();
            put_literal(&label, false, self.out);
        }
        self.out.push('>');
    }
}

/// CommonMark in `mrkdwn`.
pub(crate) fn to_mrkdwn(source: &str) -> String {
    Flow::of(super::parse::parse(source)).mrkdwn()
}
