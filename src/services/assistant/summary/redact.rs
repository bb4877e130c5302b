//! Takes passwords and keys out of text that is shown to more people than it was written for.
//!
//! Not here: personal data in general; a transcript is about a person.

const GONE: &str = "[removed]";

/// Words after which a secret comes.
const KEYWORDS: [&str; 28] = [
    "password",
    "passwd",
    "pwd",
    "pw",
    "passphrase",
    "passcode",
    "pin",
    "token",
    "secret",
    "apikey",
    "api-key",
    "api_key",
    "otp",
    "passwort",
    "kennwort",
    "zugangscode",
    "geheimwort",
    "geheimzahl",
    "contraseña",
    "contrasena",
    "clave",
    "passe",
    "mdp",
    "motdepasse",
    "credentials",
    "bearer",
    "recovery-key",
    "puk",
];

/// Words between the keyword and the secret.
const LINKS: [&str; 16] = [
    "is", "was", "ist", "war", "lautet", "es", "era", "est", "était", "key", "code", "now", "jetzt", "=",
    ":", "->",
];

/// How keys of well-known services begin.
const PREFIXES: [&str; 14] = [
    "sk-",
    "pk-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "AKIA",
    "eyJ",
    "AIza",
    "-----BEGIN",
];

/// The text with what looks like a secret replaced. Too much is better than too little, but "password reset" stays.
pub(crate) fn secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut expects = Expects::Nothing;
    for piece in pieces(text) {
        if piece.chars().all(char::is_whitespace) {
            // A secret stands on the keyword's line or right below it.
            out.push_str(piece);
            continue;
        }
        let (kept, next) = read(piece, expects);
        out.push_str(&kept);
        expects = next;
    }
    numbers(&out)
}

/// What the word before lets expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Nothing,
    /// A keyword: a secret if it looks like one.
    Perhaps,
    /// A keyword and a colon: whatever comes.
    Secret,
}

fn read(word: &str, expects: Expects) -> (String, Expects) {
    let bare = word.trim_matches(|c: char| "\"'`“”„«»()[]<>*".contains(c));
    if PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) && bare.len() >= 12 {
        return (GONE.to_owned(), Expects::Nothing);
    }
    // `password:hunter2`, `pwd=hunter2`
    if let Some((key, value)) = bare.split_once([':', '='])
        && is_keyword(key)
    {
        if value.is_empty() {
            return (word.to_owned(), Expects::Secret);
        }
        let at = word.find([':', '=']).map_or(word.len(), |at| at + 1);
        return (format!("{}{GONE}", &word[..at]), Expects::Nothing);
    }
    let lower = bare.trim_end_matches([':', ',', ';', '.', '!', '?']).to_lowercase();
    if expects != Expects::Nothing {
        if LINKS.contains(&lower.as_str()) || matches!(bare, ":" | "=" | "->") {
            let is_sure = bare.ends_with([':', '=']) || expects == Expects::Secret;
            return (word.to_owned(), if is_sure { Expects::Secret } else { Expects::Perhaps });
        }
        if expects == Expects::Secret || looks_secret(bare) {
            return (GONE.to_owned(), Expects::Nothing);
        }
    }
    let expects = match is_keyword(&lower) {
        true if bare.ends_with([':', '=']) => Expects::Secret,
        true => Expects::Perhaps,
        false => Expects::Nothing,
    };
    (word.to_owned(), expects)
}

fn is_keyword(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    KEYWORDS.contains(&word.as_str())
}

/// Not an ordinary word: digits, signs inside, or capitals inside.
fn looks_secret(word: &str) -> bool {
    let core = word.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    let inner: String = core.chars().skip(1).collect();
    let has_digit = core.chars().any(|c| c.is_ascii_digit());
    let has_sign = inner.chars().any(|c| "!#$%&*+=?@^_~/\\|".contains(c));
    let has_capital = inner.chars().any(char::is_uppercase) && core.chars().any(char::is_lowercase);
    core.chars().count() >= 4 && (has_digit || has_sign || has_capital)
}

/// Words and the white space between them, in turns.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_space = rest.chars().next()?.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != is_space).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        Some(piece)
    })
}

/// Payment cards: 13 to 19 digits with a right check digit, in groups or not.
fn numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let run = &rest[start..];
        let end = run.find(|c: char| !(c.is_ascii_digit() || c == ' ' || c == '-')).unwrap_or(run.len());
        let shown = run[..end].trim_end_matches([' ', '-']);
        let digits: Vec<u32> = shown.chars().filter_map(|c| c.to_digit(10)).collect();
        out.push_str(&rest[..start]);
        out.push_str(if (13..=19).contains(&digits.len()) && luhn(&digits) { GONE } else { shown });
        rest = &run[shown.len()..];
    }
    out.push_str(rest);
    out
}

fn luhn(digits: &[u32]) -> bool {
    let weighed = digits.iter().rev().enumerate().map(|(place, digit)| match place % 2 {
        0 => *digit,
        _ => (digit * 2) / 10 + (digit * 2) % 10,
    });
    weighed.sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, expected) in [
            ("my password: hunter2", "my password: [removed]"),
            ("Password:hunter2, thanks", "Password:[removed] thanks"),
            ("pwd=Winter2024! still wrong", "pwd=[removed] still wrong"),
            ("Das Passwort lautet Sommer2024", "Das Passwort lautet [removed]"),
            ("Kennwort : geheim", "Kennwort : [removed]"),
            ("le mot de passe est Soleil99", "le mot de passe est [removed]"),
            ("la contraseña es Perro_1", "la contraseña es [removed]"),
            ("PIN 4711", "PIN [removed]"),
            ("the api key is sk-abcdefghijklmnop", "the api key is [removed]"),
            ("token\n abcD1234", "token\n [removed]"),
            ("use xoxb-123456789012-abc for it", "use [removed] for it"),
            ("card 4111 1111 1111 1111 please", "card [removed] please"),
        ] {
            assert_eq!(secrets(text), expected, "{text}");
        }
        for text in [
            "password reset",
            "My password is wrong",
            "Mein Passwort ist abgelaufen.",
            "I forgot the PIN of my phone",
            "error 0x80070005 on NB-20931",
            "call 0049 30 1234567",
            "the secret santa list",
            "",
            " \n ",
        ] {
            assert_eq!(secrets(text), text);
        }
    }
}
