//! A text by its parts: what CommonMark and Slack's two forms have in common.
//!
//! Not here: reading and writing any of them.

/// Blocks in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doc(pub Vec<Block>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Lines of text; an empty line among them separates paragraphs.
    Text(Vec<Run>),
    Code {
        language: Option<String>,
        text: String,
    },
    Quote(Vec<Block>),
    /// `first`: the first item's number; `None` for bullets.
    List {
        first: Option<u64>,
        items: Vec<Vec<Block>>,
    },
}

/// A stretch of text that looks the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub text: String,
    pub look: Look,
    /// Where it leads. Only addresses that may be relayed ([`address`]).
    pub link: Option<String>,
}

/// A set of [`BOLD`], [`ITALIC`], [`STRIKE`], [`CODE`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look(pub u8);

pub(crate) const BOLD: Look = Look(1);
pub(crate) const ITALIC: Look = Look(2);
pub(crate) const STRIKE: Look = Look(4);
pub(crate) const CODE: Look = Look(8);

impl Block {
    /// Without characters that would end lines in some readers only, or are nothing.
    pub(crate) fn code(language: Option<String>, text: &str) -> Block {
        let text = text.replace("\r\n", "\n").replace('\r', " ").replace('\0', "\u{fffd}");
        Block::Code { language, text }
    }
}

impl Look {
    pub(crate) fn has(self, other: Look) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn with(self, other: Look) -> Look {
        Look(self.0 | other.0)
    }
}

impl Run {
    pub(crate) fn plain(text: impl Into<String>) -> Run {
        Run { text: text.into(), ..Run::default() }
    }

    pub(crate) fn looking(text: impl Into<String>, look: Look) -> Run {
        Run { text: text.into(), look, link: None }
    }

    fn is_like(&self, other: &Run) -> bool {
        self.look == other.look && self.link == other.link
    }
}

/// Appends, and joins what looks alike. Characters that end lines on some platforms only, or nothing at all, become plain.
pub(crate) fn push(runs: &mut Vec<Run>, run: Run) {
    if run.text.is_empty() {
        return;
    }
    let text = run.text.replace('\r', " ").replace('\0', "\u{fffd}");
    match runs.last_mut() {
        Some(last) if last.is_like(&run) => last.text.push_str(&text),
        _ => runs.push(Run { text, ..run }),
    }
}

/// Without blank lines and spaces around it; empty when there is nothing else.
pub(crate) fn trimmed(mut runs: Vec<Run>) -> Vec<Run> {
    while let Some(first) = runs.first_mut() {
        let kept = first.text.trim_start_matches(['\n', ' ', '\t']).len();
        // The first line keeps its indent when it has text.
        let cut = first.text.len() - kept;
        let indent = first.text[..cut].rfind('\n').map_or(0, |at| at + 1);
        if kept == 0 {
            runs.remove(0);
            continue;
        }
        first.text.drain(..indent);
        break;
    }
    while let Some(last) = runs.last_mut() {
        let kept = last.text.trim_end_matches(['\n', ' ', '\t']).len();
        last.text.truncate(kept);
        if kept == 0 {
            runs.pop();
            continue;
        }
        break;
    }
    runs
}

/// The lines of some runs.
pub(crate) fn lines(runs: &[Run]) -> Vec<Vec<Run>> {
    let mut lines = vec![Vec::new()];
    for run in runs {
        for (nth, part) in run.text.split('\n').enumerate() {
            if nth > 0 {
                lines.push(Vec::new());
            }
            if !part.is_empty()
                && let Some(line) = lines.last_mut()
            {
                line.push(Run { text: part.to_owned(), ..run.clone() });
            }
        }
    }
    lines
}

/// An address that may be relayed, made safe for every form it is written in: web and mail, nothing that opens programs
/// or mentions people. `None` for all others: their label stays, as text.
pub(crate) fn address(target: &str) -> Option<String> {
    let target = target.trim();
    let scheme = target.get(..target.find(':')?)?.to_ascii_lowercase();
    let sound = match scheme.as_str() {
        "http" | "https" => url::Url::parse(target).is_ok_and(|url| url.has_host()),
        "mailto" => target.contains('@'),
        _ => false,
    };
    if !sound {
        return None;
    }
    let mut safe = String::with_capacity(target.len());
    for c in target.chars() {
        match c {
            '<' | '>' | '|' | '\\' | '(' | ')' | '"' | '`' => {
                safe.push_str(&format!("%{:02X}", u32::from(c)))
            }
            c if c.is_whitespace() || c.is_control() => safe.push_str("%20"),
            c => safe.push(c),
        }
    }
    Some(safe)
}

/// Longer addresses are shown instead of linked, so that they can be split like any other text.
const MAX_LINK: usize = 1500;

/// Makes labels that hide where they lead show it: a link that reads as one address and leads to another loses the link
/// and is followed by the address (S49).
pub(crate) fn honest(runs: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    let mut rest = runs.into_iter().peekable();
    while let Some(first) = rest.next() {
        let Some(link) = first.link.clone() else {
            push(&mut out, first);
            continue;
        };
        let mut whole = vec![first];
        while let Some(next) = rest.next_if(|run| run.link.as_ref() == Some(&link)) {
            whole.push(next);
        }
        let label: String = whole.iter().map(|run| run.text.as_str()).collect();
        // Each `&` takes five characters in Slack.
        let long = link.len() + 4 * link.matches('&').count() > MAX_LINK;
        if !hides(&label, &link) && !long {
            whole.into_iter().for_each(|run| push(&mut out, run));
            continue;
        }
        let same = label == link;
        whole.into_iter().for_each(|run| push(&mut out, Run { link: None, ..run }));
        if !same {
            push(&mut out, Run::plain(" ("));
            push(&mut out, Run { text: link.clone(), look: Look::default(), link: (!long).then_some(link) });
            push(&mut out, Run::plain(")"));
        }
    }
    out
}

/// Whether a label reads as an address, and as another than it leads to.
fn hides(label: &str, link: &str) -> bool {
    let label = label.trim();
    if address(label).as_deref() == Some(link) {
        return false;
    }
    let bare = |text: &str| {
        let text = text.to_lowercase();
        let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
        let text = text.strip_prefix("mailto:").unwrap_or(text);
        text.strip_prefix("www.").unwrap_or(text).trim_end_matches('/').to_owned()
    };
    let reads_as_address = |text: &str| {
        let lower = text.to_lowercase();
        let host = bare(text);
        let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let ending = host.rsplit('.').next().unwrap_or_default();
        let dotted = host.contains('.') && ending.len() >= 2 && ending.chars().all(char::is_alphabetic);
        !text.contains(char::is_whitespace) && (lower.contains("://") || lower.starts_with("www.") || dotted)
    };
    // Any word of it may be what is believed.
    label.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| "()[]<>\"'“”.,;!?".contains(c));
        reads_as_address(word) && bare(word) != bare(link) && !link_begins(&bare(link), &bare(word))
    })
}

/// A shortened label (`example.org` for `example.org/a/b`) is honest.
fn link_begins(link: &str, label: &str) -> bool {
    let label = label.trim_end_matches('…');
    link.strip_prefix(label)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']) || label.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_lie() {
        let link = "https://evil.example/x";
        for label in [
            "https://bank.example",
            "bank.example",
            "www.bank.example/login",
            "see bank.example now",
            "me@bank.example",
        ] {
            assert!(hides(label, link), "{label}");
        }
        for label in [
            "here",
            "evil.example",
            "https://evil.example",
            "https://evil.example/x/",
            "read it now",
            "v1.2",
            "evil.example/…",
        ] {
            assert!(!hides(label, link), "{label}");
        }
        assert!(!hides("ana@a.example", "mailto:ana@a.example"));
        // The name of the site must end where the label ends.
        assert!(hides("https://bank.exam", "https://bank.example.evil.example"));
        assert!(hides("bank.example", "https://bank.example:x@evil.example"));
        assert!(hides("bank.example", "https://bank.example@evil.example"));
        let runs = vec![Run { text: "bank.example".into(), look: BOLD, link: Some(link.into()) }];
        let text: String = honest(runs).into_iter().map(|run| run.text).collect();
        assert_eq!(text, "bank.example (https://evil.example/x)");
    }

    #[test]
    fn addresses() {
        for bad in [
            "",
            "x",
            "javascript:alert(1)",
            "data:text/html,x",
            "slack://open",
            "https://",
            "mailto:x",
            "tel:1",
            "/x",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
        assert_eq!(
            address(" https://a.example/(b)|<c> d "),
            Some("https://a.example/%28b%29%7C%3Cc%3E%20d".into())
        );
        assert_eq!(address("mailto:a@b.example"), Some("mailto:a@b.example".into()));
    }

    #[test]
    fn edges_are_trimmed_and_the_indent_kept() {
        let runs = |texts: &[&str]| texts.iter().map(|t| Run::plain(*t)).collect::<Vec<_>>();
        assert_eq!(trimmed(runs(&["\n\n  a\n"])), runs(&["  a"]));
        assert_eq!(trimmed(runs(&["\n", " ", "\n"])), []);
    }
}
