//! A text as Slack can show it: paragraphs, quotes, list items with an indent, code. Slack nests nothing but lists.
//!
//! Not here: how either of Slack's forms is written.

use super::doc::{self, Block, Doc, Run};
use super::{WORD_JOINER, ZERO_WIDTH_SPACE};

/// Deeper items are shown at this depth.
pub(crate) const MAX_INDENT: usize = 8;

/// What stands one below the other, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow(pub Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text { quote: bool, runs: Vec<Run> },
    Item { depth: usize, sign: Sign, runs: Vec<Run> },
    Code { language: Option<String>, text: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Bullet,
    Number(u64),
    /// The rest of an item that was split.
    None,
}

impl Sign {
    pub(crate) fn text(self, depth: usize) -> String {
        match self {
            Sign::Bullet if depth == 0 => "• ".to_owned(),
            Sign::Bullet => "◦ ".to_owned(),
            Sign::Number(number) => format!("{number}. "),
            Sign::None => String::new(),
        }
    }
}

impl Flow {
    pub(crate) fn of(doc: Doc) -> Flow {
        let mut flow = Flow::default();
        flow.blocks(doc.0, false);
        flow
    }

    /// Nothing that can be seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.bare().is_empty()
    }

    fn blocks(&mut self, blocks: Vec<Block>, quote: bool) {
        for block in blocks {
            match block {
                Block::Text(runs) => self.0.push(Piece::Text { quote, runs }),
                Block::Code { language, text } => self.0.push(Piece::Code { language, text }),
                Block::Quote(blocks) => self.blocks(blocks, true),
                Block::List { first, items } => self.list(first, items, 0, quote),
            }
        }
    }

    fn list(&mut self, first: Option<u64>, items: Vec<Vec<Block>>, depth: usize, quote: bool) {
        for (nth, blocks) in (0u64..).zip(items) {
            let sign = first.map_or(Sign::Bullet, |first| Sign::Number(first.saturating_add(nth)));
            self.item(sign, blocks, depth, quote);
        }
    }

    fn item(&mut self, sign: Sign, blocks: Vec<Block>, depth: usize, quote: bool) {
        let mut sign = Some(sign);
        // Where the item's own words may still be added to.
        let mut open = None;
        let starts_with_text = matches!(blocks.first(), Some(Block::Text(_)));
        if !starts_with_text {
            self.line(sign.take().unwrap_or(Sign::None), vec![Run::plain("\u{a0}")], depth, quote);
        }
        for block in blocks {
            match block {
                Block::Text(runs) => match (sign.take(), open) {
                    (None, Some(at)) => self.extend(at, runs),
                    (sign, _) => {
                        self.line(sign.unwrap_or(Sign::None), runs, depth, quote);
                        open = Some(self.0.len() - 1);
                        continue;
                    }
                },
                Block::Code { language, text } => self.0.push(Piece::Code { language, text }),
                Block::Quote(blocks) => self.blocks(blocks, true),
                Block::List { first, items } => {
                    self.list(first, items, (depth + 1).min(MAX_INDENT), quote);
                }
            }
            if open.is_some_and(|at| at + 1 != self.0.len()) {
                open = None;
            }
        }
    }

    fn line(&mut self, sign: Sign, runs: Vec<Run>, depth: usize, quote: bool) {
        if !quote {
            self.0.push(Piece::Item { depth, sign, runs });
            return;
        }
        // A quote holds no lists: its items are lines of it.
        let mut line = vec![Run::plain(format!("{}{}", "    ".repeat(depth), sign.text(depth)))];
        runs.into_iter().for_each(|run| doc::push(&mut line, run));
        match self.0.last_mut() {
            Some(Piece::Text { quote: true, runs }) => {
                doc::push(runs, Run::plain("\n"));
                line.into_iter().for_each(|run| doc::push(runs, run));
            }
            _ => self.0.push(Piece::Text { quote: true, runs: line }),
        }
    }

    /// A further paragraph of the item at `at`.
    fn extend(&mut self, at: usize, more: Vec<Run>) {
        if let Some(Piece::Item { runs, .. } | Piece::Text { runs, .. }) = self.0.get_mut(at) {
            doc::push(runs, Run::plain("\n"));
            more.into_iter().for_each(|run| doc::push(runs, run));
        }
    }

    /// Without any formatting, for places that have none.
    pub(crate) fn plain(&self) -> String {
        let mut out = String::new();
        let mut before: Option<&Piece> = None;
        for piece in &self.0 {
            if let Some(before) = before {
                out.push_str(gap(before, piece));
            }
            match piece {
                Piece::Text { runs, .. } => runs.iter().for_each(|run| out.push_str(&run.text)),
                Piece::Item { depth, sign, runs } => {
                    out.push_str(&"    ".repeat(*depth));
                    out.push_str(&sign.text(*depth));
                    runs.iter().for_each(|run| out.push_str(&run.text));
                }
                Piece::Code { text, .. } => out.push_str(text),
            }
            before = Some(piece);
        }
        out
    }

    /// The characters that must survive every way through: spacing may change, and what is not seen may come and go.
    pub(crate) fn bare(&self) -> String {
        let shown = |c: &char| !c.is_whitespace() && ![WORD_JOINER, ZERO_WIDTH_SPACE].contains(c);
        // How deep an item stands may be lost behind code, which ends lists in Slack.
        self.plain().chars().filter(shown).map(|c| if c == '◦' { '•' } else { c }).collect()
    }
}

/// What stands between two pieces: code and quotes are set off by themselves.
pub(super) fn gap(before: &Piece, after: &Piece) -> &'static str {
    match (before, after) {
        (Piece::Text { quote: a, .. }, Piece::Text { quote: b, .. }) if a == b => "\n\n",
        (Piece::Item { .. }, Piece::Text { quote: false, .. }) => "\n\n",
        _ => "\n",
    }
}
