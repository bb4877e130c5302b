//! Words of messages and of queries, cut the same way for every backend, and the snippet around a match.
//!
//! Not here: the indexes themselves (`sqlite/`, `postgres/`), the knowledge base's search (services).

use deskbridge_contract::Content;
use deskbridge_conversation::Audience;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longer words are cut: nobody searches for them, and base64 would fill the index.
const LONGEST_WORD: usize = 48;
/// A query with more words is cut.
const MOST_TERMS: usize = 12;
const SNIPPET_CHARS: usize = 160;

/// What of a message is found: its text and the names of its files.
pub fn text_of(content: &Content) -> String {
    let mut text = content.text.clone();
    for attachment in &content.attachments {
        text.push(' ');
        text.push_str(&attachment.name);
    }
    text
}

/// The requester must not learn of the others (S68).
pub fn visible_to_requester(audience: Audience) -> bool {
    match audience {
        Audience::Public | Audience::Requester => true,
        Audience::Internal | Audience::Private => false,
    }
}

/// Words in order: letters and digits, lower case, without accents. Where a script puts no spaces between words, each
/// character is a word.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        let alone = is_unspaced(letter);
        if (alone || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if alone {
            words.push(letter.to_string());
        } else if letter.is_alphanumeric() && word.len() < LONGEST_WORD {
            word.push(letter);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Chinese characters and Japanese syllables.
fn is_unspaced(letter: char) -> bool {
    matches!(u32::from(letter), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3134F)
}

/// Words between blanks, for a column in which beginnings of words are looked for.
pub fn found_by(texts: &[&str]) -> String {
    let mut column = " ".to_owned();
    for word in texts.iter().flat_map(|text| words(text)) {
        column.push_str(&word);
        column.push(' ');
    }
    column
}

/// A query for such a column: all of these must occur as the beginning of a word.
pub fn beginnings(query: &str) -> Vec<String> {
    let mut all = words(query);
    all.truncate(MOST_TERMS);
    all
}

/// A query, cut into words: all must occur, the last one as the beginning of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub whole: Vec<String>,
    pub prefix: String,
}

impl Terms {
    /// `None`: no words in it, so nothing is found.
    pub fn parse(query: &str) -> Option<Terms> {
        let mut whole = words(query);
        whole.truncate(MOST_TERMS);
        let prefix = whole.pop()?;
        Some(Terms { whole, prefix })
    }

    /// For backends without an index, and for tests.
    pub fn match_words(&self, words: &[String]) -> bool {
        self.whole.iter().all(|term| words.contains(term))
            && words.iter().any(|word| word.starts_with(&self.prefix))
    }

    /// For FTS5: every word a quoted string, so there is no syntax to get wrong.
    pub fn fts5(&self) -> String {
        let mut query: String = self.whole.iter().map(|term| format!("\"{term}\" ")).collect();
        query.push_str(&format!("\"{}\" *", self.prefix));
        query
    }

    /// For PostgreSQL: a `tsquery` in text form. Words hold letters and digits only, so quotes suffice.
    pub fn tsquery(&self) -> String {
        let mut query: String = self.whole.iter().map(|term| format!("'{term}' & ")).collect();
        query.push_str(&format!("'{}':*", self.prefix));
        query
    }

    fn matches_word(&self, word: &str) -> bool {
        word.starts_with(&self.prefix) || self.whole.iter().any(|term| term == word)
    }
}

/// A piece of the text around the first match, on one line; plain text.
pub fn snippet(text: &str, terms: &Terms) -> String {
    let flat: Vec<&str> = text.split_whitespace().collect();
    let hit =
        flat.iter().position(|piece| words(piece).iter().any(|word| terms.matches_word(word))).unwrap_or(0);
    let mut first = hit;
    let mut before = 0;
    while first > 0 && before + flat[first - 1].chars().count() < SNIPPET_CHARS / 3 {
        first -= 1;
        before += flat[first].chars().count() + 1;
    }
    let mut out = String::new();
    if first > 0 {
        out.push('…');
    }
    let mut rest = flat[first..].join(" ");
    if let Some((cut, _)) = rest.char_indices().nth(SNIPPET_CHARS) {
        rest.truncate(cut);
        rest.push('…');
    }
    out.push_str(&rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded() {
        assert_eq!(words("Não IMPRIME, *kaputt*: printer-07"), ["nao", "imprime", "kaputt", "printer", "07"]);
        assert_eq!(words("打印机 broken"), ["打", "印", "机", "broken"]);
        assert_eq!(words("“”…!"), Vec::<String>::new());
        assert_eq!(words(&"x".repeat(400)), ["x".repeat(LONGEST_WORD)]);
    }

    #[test]
    fn columns_are_found_by_beginnings() {
        let column = found_by(&["María-José Núñez", "T-000042 42"]);
        assert_eq!(column, " maria jose nunez t 000042 42 ");
        let found = |query: &str| beginnings(query).iter().all(|word| column.contains(&format!(" {word}")));
        assert!(found("NUÑ mar") && found("t-42") && found("JOSÉ") && !found("ose") && !found("maria x"));
    }

    #[test]
    fn queries_have_no_syntax() {
        let terms = Terms::parse("print\" OR (NEAR * ana:").unwrap();
        assert_eq!(terms.fts5(), "\"print\" \"or\" \"near\" \"ana\" *");
        assert_eq!(terms.tsquery(), "'print' & 'or' & 'near' & 'ana':*");
        assert_eq!(Terms::parse("\"'*"), None);
    }

    #[test]
    fn snippets_show_the_match() {
        let text = format!("{} the printer\nis broken {}", "before ".repeat(60), "after ".repeat(60));
        let cut = snippet(&text, &Terms::parse("PRINT").unwrap());
        assert!(cut.starts_with('…') && cut.ends_with('…') && cut.contains("the printer is broken"), "{cut}");
        assert_eq!(snippet("short one", &Terms::parse("one").unwrap()), "short one");
    }
}
