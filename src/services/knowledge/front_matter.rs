//! Reads the front matter of an article: the small part of YAML that people write there.
//! Not here: full YAML; what is not understood is reported and skipped, never fatal.

use super::article::Policy;

/// Longer lists are cut: keywords are repeated in every chunk's index entry.
const MAX_LIST: usize = 200;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FrontMatter {
    pub(super) title: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) service: Option<String>,
    pub(super) keywords: Vec<String>,
    pub(super) policy: Policy,
    /// What was wrong, in words for the person who edits the file.
    pub(super) faults: Vec<String>,
}

/// Splits `text` into front matter and body. Without a front matter the body is the whole text.
pub(super) fn split(text: &str) -> (FrontMatter, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some((first, rest)) = text.split_once('\n') else { return (FrontMatter::default(), text) };
    if first.trim_end() != "---" {
        return (FrontMatter::default(), text);
    }
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return (parse(&rest[..at]), &rest[at + line.len()..]);
        }
        at += line.len();
    }
    let faults = vec!["front matter is not closed: a line with only --- is missing".to_owned()];
    (FrontMatter { faults, ..FrontMatter::default() }, rest)
}

fn parse(block: &str) -> FrontMatter {
    let mut front = FrontMatter::default();
    let mut list: Option<String> = None;
    for line in block.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(item) = trimmed.strip_prefix("- ").or((trimmed == "-").then_some("")) {
            match &list {
                Some(key) => set(&mut front, key, vec![unquote(item)]),
                None => fault(&mut front, format!("a list item without a key: {}", short(trimmed))),
            }
            continue;
        }
        let Some((key, value)) = trimmed.split_once(':') else {
            fault(&mut front, format!("not a `key: value` line: {}", short(trimmed)));
            continue;
        };
        let (key, value) = (key.trim().to_lowercase(), value.trim());
        list = value.is_empty().then(|| key.clone());
        if !value.is_empty() {
            set(&mut front, &key, values(&key, value));
        }
    }
    front
}

/// A title may contain commas and brackets; lists may be `[a, b]` or `a, b`.
fn values(key: &str, value: &str) -> Vec<String> {
    if !matches!(key, "tags" | "keywords") {
        return vec![unquote(value)];
    }
    let inner = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
    inner.split(',').map(unquote).collect()
}

fn set(front: &mut FrontMatter, key: &str, mut values: Vec<String>) {
    values.retain(|value| !value.is_empty());
    let last = values.last().cloned();
    match key {
        "title" => front.title = last.or(front.title.take()),
        "service" => front.service = last.or(front.service.take()),
        "tags" => extend(&mut front.tags, values),
        "keywords" | "aliases" | "also-known-as" => extend(&mut front.keywords, values),
        "policy" => match last.as_deref().map(str::to_lowercase).as_deref() {
            Some("handover") => front.policy = Policy::Handover,
            Some("answer") | None => {}
            // Reported because a misspelt policy would let the assistant answer alone.
            Some(other) => {
                fault(front, format!("unknown policy `{}`; known: handover, answer", short(other)))
            }
        },
        _ => {}
    }
}

fn extend(list: &mut Vec<String>, values: Vec<String>) {
    let room = MAX_LIST.saturating_sub(list.len());
    list.extend(values.into_iter().take(room));
}

fn fault(front: &mut FrontMatter, what: String) {
    if front.faults.len() < 5 {
        front.faults.push(what);
    }
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    value.to_owned()
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_scalars_and_both_kinds_of_list() {
        let (front, body) = split(
            "---\r\ntitle: \"VPN: error, 691\"\r\ntags: [vpn, 'remote access']\r\nkeywords:\r\n  - error 691\r\n  - l'erreur 691\r\npolicy: Handover\r\n---\r\nBody",
        );
        assert_eq!(front.title.as_deref(), Some("VPN: error, 691"));
        assert_eq!(front.tags, ["vpn", "remote access"]);
        assert_eq!(front.keywords, ["error 691", "l'erreur 691"]);
        assert_eq!(front.policy, Policy::Handover);
        assert_eq!(front.faults, Vec::<String>::new());
        assert_eq!(body, "Body");
    }

    #[test]
    fn broken_front_matter_is_reported_and_survived() {
        let (front, body) = split("---\ntitle: Half\n# Heading\n\ntext");
        assert_eq!((front.title, front.faults.len()), (None, 1));
        assert!(body.contains("# Heading"));
        let (front, _) = split("---\n- stray\nnonsense\npolicy: hand-over\ntitle:\n---\nx");
        assert_eq!(front.faults.len(), 3);
        assert_eq!(front.policy, Policy::Answer);
        assert_eq!(split("# No front matter").0, FrontMatter::default());
        assert_eq!(split("---").1, "---");
        assert_eq!(split("").1, "");
    }
}
