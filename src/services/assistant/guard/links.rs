//! Addresses in plain text: where they are, and whether they lead to a known host.
//!
//! Not here: CommonMark's own links (`markdown.rs`).

use std::ops::Range;

use super::Hosts;

/// The host of a web address, lower case; `None` for anything that a browser could read in another way.
pub(super) fn host(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_host = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && port.bytes().all(|b| b.is_ascii_digit());
    is_host.then(|| host.trim_end_matches('.').to_ascii_lowercase())
}

pub(super) fn is_known(address: &str, hosts: &Hosts) -> bool {
    let is_plain = address.chars().all(|c| !c.is_whitespace() && !c.is_control());
    is_plain && host(address).is_some_and(|host| hosts.contains(&host))
}

/// Hosts of all web addresses in a text that we vouch for: an article.
pub(in crate::assistant) fn hosts_in(text: &str) -> impl Iterator<Item = String> {
    found(text).filter_map(|place| host(&text[place]))
}

/// Where programs would see an address and make a link of it: `scheme://…`, and `name.tld` with or without a path.
pub(super) fn found(text: &str) -> impl Iterator<Item = Range<usize>> {
    words(text).filter_map(|word| {
        let shown = &text[word.clone()];
        // A scheme may stand behind an opening bracket or quote that a word of ours does not end at.
        let is_address = shown.contains("://") || is_bare(shown);
        is_address.then_some(word)
    })
}

/// Words as link finders see them: without the brackets, quotes and points around.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    const AROUND: &str = "()[]{}<>\"'`*_~|,;!“”„«»‘’";
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_gap = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`' | '*' | '|');
        let start = at + text[at..].find(|c: char| !is_gap(c))?;
        let end = start + text[start..].find(is_gap).unwrap_or(text.len() - start);
        at = end;
        let word =
            text[start..end].trim_end_matches(|c: char| AROUND.contains(c) || matches!(c, '.' | ':' | '?'));
        let lead = word.len() - word.trim_start_matches(|c: char| AROUND.contains(c)).len();
        Some(start + lead..start + word.len())
    })
}

/// `evil.example`, `www.evil.example/path`. Mail addresses are none: nothing is fetched for them.
fn is_bare(word: &str) -> bool {
    let name = word.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    let top = labels.last().copied().unwrap_or_default();
    labels.len() >= 2
        && labels.iter().all(is_label)
        && top.chars().count() >= 2
        && top.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_only_what_every_browser_reads_alike() {
        for (address, expected) in [
            ("https://Portal.example.com/x?y", Some("portal.example.com")),
            ("http://a.example:8080", Some("a.example")),
            ("https://portal.example.com@evil.example/", None),
            ("https://portal.example.com\\@evil.example/", None),
            ("https://portal.example.com%2eevil.example", None),
            ("https:///x", None),
            ("javascript://portal.example.com/%0aalert(1)", None),
            ("//portal.example.com", None),
            ("https://pörtal.example.com", None),
        ] {
            assert_eq!(host(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn addresses_are_found_where_link_finders_find_them() {
        let text = "See (https://a.example/x), evil.example. Or www.b.example/y?z! Mail a@b.example, e.g. 1.5 GB, \"http://c\"";
        let shown: Vec<&str> = found(text).map(|place| &text[place]).collect();
        assert_eq!(shown, ["https://a.example/x", "evil.example", "www.b.example/y?z", "http://c"]);
        assert_eq!(found("").count() + found("…🦀 . .. :// a.b").count(), 1);
    }
}
