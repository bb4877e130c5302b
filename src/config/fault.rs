//! One thing that is wrong with the configuration, said so that it can be mended without looking anything up.
//!
//! Not here: finding faults (the sections do), or a failed start for other reasons.

use std::fmt;

use serde::Serialize;

/// What is wrong, where, and what is nearest to it. Never holds a secret: values of secret keys are not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `queues.network.timers.offer`; empty for the file as a whole.
    pub path: String,
    /// `deskbridge.toml:12`, or the environment variable; empty when the key is nowhere.
    pub from: String,
    pub expected: String,
    pub got: String,
    /// The known name that the writer may have meant.
    pub nearest: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the configuration" } else { &self.path };
        write!(f, "{path}")?;
        if !self.from.is_empty() {
            write!(f, "   ({})", self.from)?;
        }
        write!(f, "\n    expected  {}", self.expected)?;
        if !self.got.is_empty() {
            write!(f, "\n    got       {}", self.got)?;
        }
        match &self.nearest {
            Some(nearest) => write!(f, "\n    nearest   {nearest}"),
            None => Ok(()),
        }
    }
}

/// The candidate that `word` most likely was meant to be, if any is close enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let allowed = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("offer", "ofer", 1), ("lsiten", "listen", 1), ("ab", "cd", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_name_is_a_likely_one() {
        let known = ["listen", "public_url", "trusted_proxies"];
        assert_eq!(nearest("lsiten", known), Some("listen"));
        assert_eq!(nearest("Listen", known), Some("listen"));
        assert_eq!(nearest("public-url", known), Some("public_url"));
        assert_eq!(nearest("publicurl", known), Some("public_url"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("ab", ["id"]), None);
    }

    #[test]
    fn a_fault_says_all() {
        let fault = Fault {
            path: "server.lsiten".into(),
            from: "deskbridge.toml:3".into(),
            expected: "one of: listen".into(),
            got: "an unknown key".into(),
            nearest: Some("listen".into()),
        };
        let said = fault.to_string();
        assert_eq!(
            said,
            "server.lsiten   (deskbridge.toml:3)\n    expected  one of: listen\n    got       an unknown key\n    nearest   listen"
        );
    }
}
