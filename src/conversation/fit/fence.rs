//! Code fences of CommonMark: where one is open, and how it is closed and opened again.
//!
//! Not here: where a text is cut.

/// An open fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// `> ` of a quotation around it.
    prefix: String,
    /// Its run of backticks or tildes.
    run: String,
    /// The info string: a language.
    info: String,
}

impl Fence {
    pub(super) fn opening(&self) -> String {
        format!("{}{}{}\n", self.prefix, self.run, self.info)
    }

    pub(super) fn closing(&self) -> String {
        format!("\n{}{}", self.prefix, self.run)
    }

    pub(super) fn without_info(&self) -> Fence {
        Fence { info: String::new(), ..self.clone() }
    }

    fn opens(line: &str) -> Option<Fence> {
        let (prefix, rest) = prefix(line);
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let info = rest.trim_start_matches(mark);
        let run = &rest[..rest.len() - info.len()];
        let info = info.trim_end();
        if run.len() < 3 || (mark == '`' && info.contains('`')) {
            return None;
        }
        Some(Fence { prefix: prefix.to_owned(), run: run.to_owned(), info: info.to_owned() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let (_, rest) = prefix(line);
        let mark = self.run.chars().next().unwrap_or('`');
        let after = rest.trim_start_matches(mark);
        rest.len() - after.len() >= self.run.len() && after.trim().is_empty()
    }
}

/// The fence that is open after a line, if it was `open` before it.
pub(super) fn after_line(open: Option<Fence>, line: &str) -> Option<Fence> {
    match open {
        Some(fence) if fence.is_closed_by(line) => None,
        Some(fence) => Some(fence),
        None => Fence::opens(line),
    }
}

pub(super) fn open_at_end(text: &str) -> Option<Fence> {
    text.split_inclusive('\n').fold(None, after_line)
}

/// The signs of a quotation, and the line behind them and its indentation.
fn prefix(line: &str) -> (&str, &str) {
    let rest = line.trim_start_matches([' ', '\t', '>']);
    let before = &line[..line.len() - rest.len()];
    (if before.contains('>') { before } else { "" }, rest)
}
