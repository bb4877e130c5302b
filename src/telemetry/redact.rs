//! Takes whatever looks like a secret out of a text, before it is logged or shown (S105).
//!
//! Not here: the reason why secrets should not get that far, which is that they live in `SecretString`. This is the net below.

use std::borrow::Cow;

const HIDDEN: &str = "(secret)";

/// Prefixes of tokens, and how many characters after them make one.
const PREFIXES: [(&str, usize); 9] = [
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("xoxa-", 8),
    ("xoxe-", 8),
    ("xoxe.xox", 8),
    ("xapp-", 8),
    ("dbp_", 8),
    ("sk-", 16),
    ("eyJ", 20),
];

/// Names whose value after `=`, or in JSON after `":`, is a secret.
const NAMES: [&str; 7] = ["token", "secret", "password", "api_key", "apikey", "authorization", "sig"];

/// The text with `(secret)` in place of tokens, passwords in addresses and the like. Unchanged where there is none.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        if !text.is_char_boundary(at) {
            at += 1;
            continue;
        }
        match secret_at(text, at) {
            Some((from, until)) => {
                out.push_str(&text[copied..from]);
                out.push_str(HIDDEN);
                copied = until;
                at = until;
            }
            None => at += 1,
        }
    }
    if out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// A secret that begins here: from where to where it is hidden.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text[..at].bytes().next_back();
    let rest = &text[at..];
    bot_token(rest, before)
        .or_else(|| prefixed(rest, before))
        .or_else(|| scheme(rest))
        .or_else(|| user_info(rest))
        .or_else(|| named(text, at))
        .map(|(from, until)| (at + from, at + until))
}

/// `123456789:AAE…`; the number before the colon is the bot's id and no secret.
fn bot_token(rest: &str, before: Option<u8>) -> Option<(usize, usize)> {
    if before.is_some_and(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = run(rest, |b| b.is_ascii_digit());
    let colon = [":", "%3A", "%3a"].into_iter().find(|colon| rest[digits..].starts_with(colon))?;
    let from = digits + colon.len();
    let length = run(&rest[from..], is_word);
    (digits >= 4 && length >= 30).then_some((from, from + length))
}

fn prefixed(rest: &str, before: Option<u8>) -> Option<(usize, usize)> {
    if before.is_some_and(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let (prefix, least) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix))?;
    let length = run(rest, |b| is_word(b) || b == b'.');
    (length >= prefix.len() + least).then_some((0, length))
}

/// `Bearer …`, `Basic …`.
fn scheme(rest: &str) -> Option<(usize, usize)> {
    let word = ["bearer ", "basic "].into_iter().find(|word| starts_with(rest, word))?;
    let length =
        run(&rest[word.len()..], |b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b',' | b'<' | b'>'));
    (length >= 6).then_some((word.len(), word.len() + length))
}

/// `://user:password@host`.
fn user_info(rest: &str) -> Option<(usize, usize)> {
    let place = rest.strip_prefix("://")?;
    let end = run(place, |b| b.is_ascii_graphic() && !matches!(b, b'/' | b'"' | b'\'' | b'<' | b'>'));
    let user = place[..end].rfind('@')?;
    place[..user].contains(':').then_some((3, 3 + user))
}

/// `token=…` and `"token":"…"`, seen from the sign after the name.
fn named(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let sign = ["=\"", "=", "\": \"", "\":\""].into_iter().find(|sign| rest.starts_with(sign))?;
    let name = &text[..at];
    if !NAMES.iter().any(|word| ends_with(name, word)) {
        return None;
    }
    let value = &rest[sign.len()..];
    let quoted = sign.ends_with('"');
    let length = match quoted {
        true => value.find('"').unwrap_or(value.len()),
        false => value
            .find(|c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | ';' | ')'))
            .unwrap_or(value.len()),
    };
    (length > 0 && !value.starts_with(HIDDEN)).then_some((sign.len(), sign.len() + length))
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

fn run(text: &str, fits: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|b| fits(*b)).count()
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn ends_with(text: &str, word: &str) -> bool {
    text.len()
        .checked_sub(word.len())
        .and_then(|from| text.get(from..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOT: &str = "AAEplantedplantedplantedplanted_pl-1";

    #[test]
    fn planted_secrets_are_gone() {
        let texts = [
            format!("GET https://api.telegram.org/bot123456789:{BOT}/getMe failed"),
            format!("https://api.telegram.org/file/bot123456789:{BOT}/documents/a.pdf"),
            format!("https://x/bot123456789%3A{BOT}/getMe"),
            "token xoxb-planted-planted was refused".into(),
            "xapp-1-planted-planted".into(),
            "xoxe-1-planted-planted".into(),
            "xoxe.xoxb-1-planted-planted".into(),
            "dbp_plantedplantedplanted".into(),
            "Authorization: Bearer planted.planted".into(),
            "authorization: basic cGxhbnRlZA==planted".into(),
            "postgres://desk:planted@db.example.com/desk".into(),
            "sk-proj-plantedplantedplanted".into(),
            "https://x/workflows?sp=1&sig=planted&v=2".into(),
            "{\"password\":\"planted\", \"b\": 1}".into(),
            "api_key=\"planted with spaces\"".into(),
            "eyJhbGciOi.planted.planted".into(),
        ];
        for text in texts {
            let shown = redact(&text);
            assert!(!shown.contains("planted"), "{shown}");
            assert!(shown.contains(HIDDEN), "{shown}");
            assert_eq!(redact(&shown), shown, "twice is once");
        }
    }

    #[test]
    fn what_is_needed_to_understand_stays() {
        assert_eq!(
            redact(&format!("GET https://api.telegram.org/bot123456789:{BOT}/getMe: 404")),
            "GET https://api.telegram.org/bot123456789:(secret)/getMe: 404"
        );
        assert_eq!(redact("https://x/hook?a=1&sig=abc&v=2"), "https://x/hook?a=1&sig=(secret)&v=2");
        for text in [
            "",
            "12:30 printer broken",
            "queue=vpn",
            "token: missing",
            "10.0.0.1:8080",
            "2026-01-01T00:00:00Z",
            "ünïcödé ✓",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC{0,80}") {
            redact(&text);
        }

        #[test]
        fn a_bot_token_never_survives(id in 10_000_u64..99_999_999_999, secret in "[A-Za-z0-9_-]{30,40}", around in "[ a-z/.?&=\"]{0,10}") {
            let token = format!("{id}:{secret}");
            let text = format!("{around}{token}{around}");
            prop_assert!(!redact(&text).contains(&secret));
        }
    }
}
