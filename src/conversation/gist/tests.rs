//! Samples per language: what is a wish for a human and what only sounds like one; yes, no, thanks, commands.

mod de;
mod en;
mod es;
mod fr;
mod others;
mod short;
mod tried;

use super::*;

/// Every sample must be a wish, whatever language the account says.
fn wishes(language: &str, samples: &[&str]) {
    let missed: Vec<_> =
        samples.iter().filter(|text| read(text, language).wish != Some(Wish::Human)).collect();
    assert!(missed.is_empty(), "not taken for a wish: {missed:#?}");
    let missed: Vec<_> = samples.iter().filter(|text| read(text, "xx").wish != Some(Wish::Human)).collect();
    assert!(missed.is_empty(), "only found by language: {missed:#?}");
}

fn no_wishes(language: &str, samples: &[&str]) {
    let taken: Vec<_> =
        samples.iter().filter(|text| read(text, language).wish == Some(Wish::Human)).collect();
    assert!(taken.is_empty(), "taken for a wish: {taken:#?}");
}

#[test]
fn long_texts_are_read_in_linear_time_and_only_at_their_beginning() {
    let mut long = "I want to talk to a human. ".to_owned();
    long.push_str(&"the the human of the want to talk with a ".repeat(1_600));
    assert!(long.len() > 64_000);
    assert_eq!(read(&long, "en").wish, Some(Wish::Human));
    let late = format!("{}. I want to talk to a human", "log line ".repeat(7_000));
    assert_eq!(read(&late, "en").wish, None);
    for piece in ["a human ", "i want ", "* ", "🙏", "é", "ich mochte mit ", "talk to ", ", ", "مع موظف "]
    {
        let _ = read(&piece.repeat(64 * 1024 / piece.len()), "en");
    }
}

proptest::proptest! {
    #[test]
    fn reading_is_total(text in "\\PC{0,300}", language in "[a-z]{0,3}") {
        let _ = read(&text, &language);
    }

    #[test]
    fn reading_any_unicode_is_total(text in proptest::collection::vec(proptest::char::any(), 0..200)) {
        let text: String = text.into_iter().collect();
        let gist = read(&text, "en");
        proptest::prop_assert!(!gist.wordless || !text.chars().any(char::is_alphanumeric) || text.len() < 4);
    }
}
