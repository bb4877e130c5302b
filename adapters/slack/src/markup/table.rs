//! Tables: Slack's messages have none that every client shows, so they become aligned text.
//!
//! Not here: finding them.

use super::doc::{self, Block, Run};

/// Wider tables would wrap in a code block and read worse than lines.
const MAX_WIDTH: usize = 72;

#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<Vec<Run>>>,
}

impl Table {
    pub(super) fn row(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn cell(&mut self, runs: Vec<Run>) {
        if let Some(row) = self.rows.last_mut() {
            row.push(runs);
        }
    }

    /// A small table of words is a code block, whose columns stand under each other; one with links, or a wide one, is
    /// lines of text.
    pub(super) fn into_block(self) -> Block {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let words = |cell: &[Run]| cell.iter().map(|run| run.text.as_str()).collect::<String>();
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| words(cell).chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let total: usize = widths.iter().map(|width| width + 3).sum();
        let links = self.rows.iter().flatten().flatten().any(|run| run.link.is_some());
        if links || total > MAX_WIDTH {
            return Block::Text(self.into_lines());
        }
        let line = |row: &Vec<Vec<Run>>| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| {
                    let text = words(cell);
                    let pad = width.saturating_sub(text.chars().count());
                    format!("{text}{}", " ".repeat(pad))
                })
                .collect();
            cells.join(" | ").trim_end().to_owned()
        };
        let lines: Vec<String> = self.rows.iter().map(line).collect();
        Block::code(None, &lines.join("\n"))
    }

    fn into_lines(self) -> Vec<Run> {
        let mut runs = Vec::new();
        for (nth, row) in self.rows.into_iter().enumerate() {
            if nth > 0 {
                doc::push(&mut runs, Run::plain("\n"));
            }
            for (nth, cell) in row.into_iter().enumerate() {
                if nth > 0 {
                    doc::push(&mut runs, Run::plain(" | "));
                }
                cell.into_iter().for_each(|run| doc::push(&mut runs, run));
            }
        }
        doc::trimmed(runs)
    }
}
