//! Writing to standard output and standard error, with colours only where a person looks.
//!
//! Not here: logs (`telemetry`).

use std::io::{self, IsTerminal, Write};
use std::process;

use serde::Serialize;

use crate::kits::Outcome;
use crate::telemetry::no_colour;

/// Writes data to standard output. A reader that has seen enough (`| head`) ends the program quietly.
pub fn data(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = written {
        if error.kind() == io::ErrorKind::BrokenPipe {
            process::exit(0);
        }
        note(&format!("error: standard output cannot be written: {error}"));
        process::exit(1);
    }
}

/// Writes a line of data.
pub fn line(text: &str) {
    data(&format!("{text}\n"));
}

/// Writes one value as JSON, for programs.
pub fn json(value: &impl Serialize) {
    // Our own types have string keys only, so this cannot fail.
    line(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Says something on standard output that nobody need read: a program that runs on does not end with its reader.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says something to the person, on standard error.
pub fn note(text: &str) {
    // Nobody is left to tell when this fails.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// The mark of a check: ✓ ! ✗ –
pub fn mark(outcome: Outcome) -> &'static str {
    let coloured = io::stdout().is_terminal() && !no_colour();
    match (outcome, coloured) {
        (Outcome::Pass, false) => "✓",
        (Outcome::Warn, false) => "!",
        (Outcome::Fail, false) => "✗",
        (Outcome::Pass, true) => "\x1b[32m✓\x1b[0m",
        (Outcome::Warn, true) => "\x1b[33m!\x1b[0m",
        (Outcome::Fail, true) => "\x1b[31m✗\x1b[0m",
        (Outcome::Skip, _) => "–",
    }
}

/// Rows under their headings, columns as wide as needed.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let headings: Vec<String> = headings.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    for row in std::iter::once(&headings).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["a".to_owned(), "länger".to_owned()], vec!["bb".to_owned(), String::new()]];
        assert_eq!(table(&["ID", "NAME"], &rows), "ID  NAME\na   länger\nbb\n");
    }
}
