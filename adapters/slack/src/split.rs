//! Long texts in several messages: on paragraph borders, never inside a code block without closing it and opening it again.
//!
//! Not here: what a message may carry besides its text. Lengths are UTF-16 units of the text as `mrkdwn`, from above:
//! what `rich_text` holds is never longer.

#[cfg(test)]
mod tests;

use crate::markup::{Flow, ITALIC, Look, Piece, Run, Sign};

/// Slack cuts at 40 000 and advises 4 000; its clients fold longer messages, and blocks have a total of their own.
pub(crate) const MAX_TEXT: usize = 3500;

/// Kept free for the number of a part.
const NUMBER: usize = 24;

/// The text in parts of at most `limit` units, each numbered "(1/3)" when there are several. No part is empty.
pub(crate) fn split(flow: Flow, limit: usize) -> Vec<Flow> {
    if flow.is_empty() {
        return Vec::new();
    }
    let total: usize = flow.0.iter().map(weight).sum();
    if total <= limit {
        return vec![flow];
    }
    let mut parts = pack(flow, limit.saturating_sub(NUMBER).max(SMALLEST));
    let of = parts.len();
    if of > 1 {
        for (nth, part) in (1..).zip(&mut parts) {
            let runs = vec![Run::looking(format!("({nth}/{of})"), ITALIC)];
            part.0.push(Piece::Text { quote: false, runs });
        }
    }
    parts
}

/// One part of at most `limit` units, with an ellipsis where something was left out.
pub(crate) fn cut(flow: Flow, limit: usize) -> Flow {
    let total: usize = flow.0.iter().map(weight).sum();
    if total <= limit {
        return flow;
    }
    let mut first = pack(flow, limit.saturating_sub(4).max(SMALLEST)).into_iter().next().unwrap_or_default();
    match first.0.last_mut() {
        Some(Piece::Text { runs, .. } | Piece::Item { runs, .. }) => runs.push(Run::plain("…")),
        _ => first.0.push(Piece::Text { quote: false, runs: vec![Run::plain("…")] }),
    }
    first
}

/// Less has no room for a link and its label.
const SMALLEST: usize = 200;

/// The text in parts of at most `limit` units, without numbers. No part is empty.
pub(crate) fn pack(flow: Flow, limit: usize) -> Vec<Flow> {
    let mut parts = vec![Flow::default()];
    let mut used = 0;
    for piece in flow.0.into_iter().flat_map(|piece| shorter(piece, limit)) {
        let size = weight(&piece);
        if used + size > limit && used > 0 {
            parts.push(Flow::default());
            used = 0;
        }
        used += size;
        if let Some(part) = parts.last_mut() {
            part.0.push(piece);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The piece in pieces that fit.
fn shorter(piece: Piece, limit: usize) -> Vec<Piece> {
    if weight(&piece) <= limit {
        return vec![piece];
    }
    let mut pieces = Vec::new();
    let (_, around) = overhead(&piece);
    let mut rest = shown(piece, limit.saturating_sub(around) / 2);
    while weight(&rest) > limit {
        let (line, around) = overhead(&rest);
        let room = limit.saturating_sub(around).max(1);
        rest = match rest {
            Piece::Text { quote, runs } => {
                let (head, tail) = cut_runs(runs, room, line);
                pieces.push(Piece::Text { quote, runs: head });
                Piece::Text { quote, runs: tail }
            }
            Piece::Item { depth, sign, runs } => {
                let (head, tail) = cut_runs(runs, room, line);
                pieces.push(Piece::Item { depth, sign, runs: head });
                Piece::Item { depth, sign: Sign::None, runs: tail }
            }
            Piece::Code { language, text } => {
                let (head, tail) = cut_code(text, room);
                pieces.push(Piece::Code { language: language.clone(), text: head });
                Piece::Code { language, text: tail }
            }
        };
    }
    pieces.push(rest);
    let blank = |runs: &[Run]| runs.iter().all(|run| run.text.trim().is_empty());
    pieces.retain(|piece| match piece {
        Piece::Text { runs, .. } | Piece::Item { runs, .. } => !blank(runs),
        Piece::Code { text, .. } => !text.trim().is_empty(),
    });
    pieces
}

/// Shows addresses that are too long to be a link in so little room, so that they can be split like any other text.
fn shown(piece: Piece, room: usize) -> Piece {
    let unlinked = |runs: Vec<Run>| {
        let mut out: Vec<Run> = Vec::with_capacity(runs.len());
        let mut rest = runs.into_iter().peekable();
        while let Some(mut run) = rest.next() {
            let long = signs(&run) > room;
            let link = run.link.take_if(|_| long);
            let ends = link.is_some() && rest.peek().is_none_or(|next| next.link != link);
            let own = link.as_ref() == Some(&run.text);
            out.push(run);
            if let Some(link) = link.filter(|_| ends && !own) {
                out.push(Run::plain(format!(" ({link})")));
            }
        }
        out
    };
    match piece {
        Piece::Text { quote, runs } => Piece::Text { quote, runs: unlinked(runs) },
        Piece::Item { depth, sign, runs } => Piece::Item { depth, sign, runs: unlinked(runs) },
        code @ Piece::Code { .. } => code,
    }
}

/// Units before each further line, and around the whole.
fn overhead(piece: &Piece) -> (usize, usize) {
    match piece {
        Piece::Text { quote: false, .. } => (1, 2),
        Piece::Text { quote: true, .. } => (3, 6),
        Piece::Item { depth, sign, .. } => (4 * depth + 3, 4 * depth + sign.text(*depth).len() + 4),
        Piece::Code { .. } => (1, 12),
    }
}

/// Never less than what the piece takes in either form.
fn weight(piece: &Piece) -> usize {
    let (line, around) = overhead(piece);
    let inside = match piece {
        Piece::Text { runs, .. } | Piece::Item { runs, .. } => runs
            .iter()
            .map(|run| signs(run) + run.text.chars().map(|c| unit(c, run, line)).sum::<usize>())
            .sum(),
        Piece::Code { text, .. } => {
            text.chars().map(|c| if c == '\n' { 1 } else { letter(c) }).sum::<usize>()
        }
    };
    around + inside
}

/// What the look and the link of a run take, on each of its lines.
fn signs(run: &Run) -> usize {
    let link = run.link.as_ref().map_or(0, |link| 3 + link.chars().map(letter).sum::<usize>());
    // Three signs on both sides, a code's two, and borders.
    link + if run.look == Look::default() && run.link.is_none() { 1 } else { 12 }
}

fn unit(c: char, run: &Run, line: usize) -> usize {
    if c == '\n' { line + signs(run) } else { letter(c) }
}

/// Escaped, or with a joiner.
fn letter(c: char) -> usize {
    match c {
        '&' | '>' => 5,
        '<' => 4,
        '*' | '_' | '~' | '`' | ':' => 2,
        c => c.len_utf16(),
    }
}

/// Splits at the best place within `room`: an empty line, a line's end, a space; in the first third of it only the
/// room's end counts.
fn cut_runs(runs: Vec<Run>, room: usize, line: usize) -> (Vec<Run>, Vec<Run>) {
    let mut best = Best::default();
    let mut used = 0;
    let mut before = ['\0'; 2];
    'all: for (nth, run) in runs.iter().enumerate() {
        used += signs(run);
        for (at, c) in run.text.char_indices() {
            used += unit(c, run, line);
            if used > room && best.forced.is_some() {
                break 'all;
            }
            best.offer((nth, at), before, c, used * 3 > room);
            before = [before[1], c];
        }
    }
    let (nth, at) = best.place();
    let mut head = runs;
    let mut tail = head.split_off(nth);
    if let Some(first) = tail.first_mut()
        && at > 0
    {
        let rest = first.text.split_off(at);
        head.push(Run { text: rest, ..first.clone() });
        if let Some(last) = head.last_mut() {
            std::mem::swap(&mut last.text, &mut first.text);
        }
    }
    if let Some(first) = tail.first_mut() {
        let kept = first.text.trim_start_matches(['\n', ' ']).len();
        first.text.drain(..first.text.len() - kept);
    }
    if let Some(last) = head.last_mut() {
        last.text.truncate(last.text.trim_end_matches(['\n', ' ']).len());
    }
    (head, tail)
}

fn cut_code(text: String, room: usize) -> (String, String) {
    let mut best = Best::default();
    let mut used = 0;
    let mut before = ['\0'; 2];
    for (at, c) in text.char_indices() {
        used += if c == '\n' { 1 } else { letter(c) };
        if used > room && best.forced.is_some() {
            break;
        }
        best.offer((0, at), before, c, used * 3 > room);
        before = [before[1], c];
    }
    let (_, at) = best.place();
    let (head, tail) = text.split_at(at.min(text.len()));
    // Only the line's end goes: what follows keeps its indent.
    (head.to_owned(), tail.strip_prefix('\n').unwrap_or(tail).to_owned())
}

type Place = (usize, usize);

/// The last place of each kind seen so far: before the character of that run and byte.
#[derive(Default)]
struct Best {
    paragraph: Option<Place>,
    line: Option<Place>,
    space: Option<Place>,
    hard: Option<Place>,
    /// Between characters that belong together, when there are no others.
    forced: Option<Place>,
}

impl Best {
    fn offer(&mut self, place: Place, before: [char; 2], c: char, late: bool) {
        if place == (0, 0) {
            return;
        }
        if late && c == '\n' {
            self.line = Some(place);
        }
        if late && before[1] == '\n' && c == '\n' {
            self.paragraph = Some(place);
        }
        if late && c == ' ' {
            self.space = Some(place);
        }
        self.forced = Some(place);
        if late && !joins(before[1], c) {
            self.hard = Some(place);
        }
    }

    fn place(&self) -> Place {
        self.paragraph.or(self.line).or(self.space).or(self.hard).or(self.forced).unwrap_or_default()
    }
}

/// Whether two characters are seen as one, as far as it is cheap to say.
fn joins(before: char, c: char) -> bool {
    let hangs = matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20d0}'..='\u{20ff}');
    hangs || before == '\u{200d}'
}
