//! Turns text into comparable words: folded, split, stop words marked, stems and padded trigrams.
//! Not here: weights and scores (`index.rs`); what a word means in a conversation (`talk.rs`).

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A longer run of letters is a token, a key or noise; its beginning is enough.
const MAX_WORD_CHARS: usize = 40;

/// Elided articles: `l'imprimante`, `d'accès`. `can't` and `I'm` stay one word.
const ELISIONS: [&str; 9] = ["l", "d", "j", "n", "s", "m", "c", "t", "qu"];

/// Function words of English, German, Spanish and French. A word that carries meaning in one of the others is
/// left out (`son` is French for sound).
const STOP_WORDS: &str = "\
a about after all also am an and any are arent as at be because been before being but by can cant \
cannot could couldnt did didnt do does doesnt doing dont for from get gets getting go goes going got \
had has hasnt have havent having he her here him his how i id if ill im in into is isnt it its ive \
just let like make me might my never no nor not of on once only or our ours out over own she should \
so some such than that thats the their them then there these they this those through to too under \
until up us very was wasnt we were what when where which while who whom why will with wont would \
wouldnt you your yours \
aber als am an auch auf aus bei beim bin bis bitte da damit dann das dass \
dein dem den denn der des die dies diese diesem diesen dieser doch du durch ein eine einem einen \
einer eines er es euch fur habe haben hat hatte ich ihm ihn ihr im immer ins ist ja jetzt kann \
kannst kein keine keinen konnen man mehr mein meine meinem meinen meiner meins mich mir mit muss \
nach nicht noch nur ob oder ohne schon sehr sein seine seit sich sie sind so soll uber um und uns \
vom von vor was weil wenn wer werden wie wieder will wir wird wo zu zum zur \
al como con cual de del \
desde donde el ella ellos en entre era es esa ese eso esta este esto fue ha hay la las le les lo los \
mas me mi mis muy nos o para pero por porque puede puedo que se ser si sin sobre soy su sus tengo \
tiene todo tu un una uno ya y yo \
ai au aux avec avoir ce ces cette comme dans depuis des du elle \
elles en est et eu il ils j je l leur leurs lui ma mais me mes moi mon n ne notre nous on ont ou par \
pas peut peux plus pour qu quand que quel quelle qui sa sans ses sont sur ta te tes toi ton tous \
tout tres tu un une votre vous c d s t m";

/// What people write around their problem; it says nothing about which article fits.
const FILLER: &str = "\
actually again already anymore anyone anything appears ask asked asking asks automatically back bit \
bring broke broken came cause come comes constantly day days done eight error errors even ever \
everytime explain fail failed failing fails fault find five fix fixed four give gives guys happen \
happened happening happens hello help helped hey hi hopefully hour hours idea issue issues keep \
keeps kindly know last longer look looks many matter maybe minutes moment month months morning much \
need needs new nine nothing now ok okay people please pls possible problem problems properly \
question quick really right said say saying says seem seems seven show shows since six somebody \
someone something somehow still stop stopped stops strange suddenly support team tell tells ten \
thank thanks thing things think three thx time times today told tried tries trouble try trying two \
urgent urgently use used using want wants week weeks weird well went whenever wondering work worked \
working works wrong year years yesterday \
danke dringend fehler fehlermeldung funktioniert geht guten \
hallo heute hilfe hilft hilfst kaputt klappt leider morgen problem tag \
ayuda buenas buenos dias \
error favor funciona gracias hola hoy problema urgente \
aide aidez aujourdhui bonjour erreur \
fonctionne marche merci probleme salut svp";

static STOP: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());
static FILL: LazyLock<HashSet<&str>> = LazyLock::new(|| FILLER.split_whitespace().collect());

/// Irregular English forms that tickets are full of.
const IRREGULAR: [(&str, &str); 16] = [
    ("froze", "freez"),
    ("frozen", "freez"),
    ("stole", "steal"),
    ("stolen", "steal"),
    ("lost", "lose"),
    ("losing", "lose"),
    ("forgot", "forget"),
    ("forgotten", "forget"),
    ("stuck", "stick"),
    ("sent", "send"),
    ("bought", "buy"),
    ("heard", "hear"),
    ("left", "leav"),
    ("ran", "run"),
    ("mice", "mous"),
    ("people", "person"),
];

/// Lower case, compatibility forms decomposed, accents and invisible characters removed.
fn fold(c: char, out: &mut String) {
    for c in std::iter::once(c).nfkd() {
        if is_combining_mark(c)
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
        {
            continue;
        }
        for c in c.to_lowercase() {
            match c {
                'ß' => out.push_str("ss"),
                'æ' => out.push_str("ae"),
                'œ' => out.push_str("oe"),
                'ø' => out.push('o'),
                'ł' => out.push('l'),
                'đ' | 'ð' => out.push('d'),
                'ı' => out.push('i'),
                c if is_combining_mark(c) => {}
                c => out.push(c),
            }
        }
    }
}

/// The folded words of `text` in order, function words included.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| fold(c, &mut folded));
    let mut out = Vec::new();
    let mut word = String::new();
    let mut is_after_hyphen = false;
    let mut chars = folded.chars().peekable();
    while let Some(c) = chars.next() {
        let is_inside = !word.is_empty() && chars.peek().is_some_and(|next| next.is_alphanumeric());
        match c {
            c if c.is_alphanumeric() => word.push(c),
            '\'' | '’' | 'ʼ' | '`' if is_inside && !ELISIONS.contains(&word.as_str()) => {}
            // `wi-fi` and `e-mail` are one word, `docking-station` is two, `plug-in-card` three.
            '-' | '‐' | '‑' if is_inside && !is_after_hyphen && is_short_prefix(&word) => {}
            c => {
                push_word(&mut out, &mut word);
                is_after_hyphen = matches!(c, '-' | '‐' | '‑');
            }
        }
    }
    push_word(&mut out, &mut word);
    out
}

fn is_short_prefix(word: &str) -> bool {
    word.len() <= 2 && word.bytes().all(|b| b.is_ascii_lowercase())
}

fn push_word(out: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        out.push(word.chars().take(MAX_WORD_CHARS).collect());
        word.clear();
    }
}

/// A function word: it joins words and names nothing.
pub(super) fn is_stop_word(token: &str) -> bool {
    STOP.contains(token)
}

/// A word that tells one article from another.
pub(super) fn is_content(token: &str) -> bool {
    let is_letter = token.chars().count() == 1 && !token.chars().all(|c| c.is_ascii_digit());
    !is_letter && !is_stop_word(token) && !FILL.contains(token)
}

/// Words that name something, without repetition, at most `max`.
pub(super) fn content(text: &str, max: usize) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut out: Vec<String> = Vec::new();
    for token in tokens(text) {
        if out.len() == max {
            break;
        }
        if is_content(&token) && seen.insert(token.clone()) {
            out.push(token);
        }
    }
    out
}

/// Beginnings of the words that name something, for a search in other people's words: without endings where what is left
/// still begins the word.
pub fn telling(text: &str, max: usize) -> Vec<String> {
    let begun = |word: String| match stem(&word) {
        short if short.len() >= 3 && word.starts_with(&short) => short,
        _ => word,
    };
    let mut seen = HashSet::new();
    content(text, max).into_iter().map(begun).filter(|word| seen.insert(word.clone())).collect()
}

/// One spelling for the English forms of a word: `printing`, `printed`, `prints` -> `print`. Other words pass
/// unharmed often enough.
pub(super) fn stem(word: &str) -> String {
    if let Some((_, stem)) = IRREGULAR.iter().find(|(form, _)| *form == word) {
        return (*stem).to_owned();
    }
    if word.len() < 4 || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let word = without_plural(word);
    let word = without_verb_ending(&word);
    let word = ["ation", "ion"]
        .iter()
        .find_map(|suffix| word.strip_suffix(suffix).filter(|rest| rest.len() >= 5))
        .unwrap_or(&word);
    let word = word.strip_suffix('e').filter(|rest| rest.len() >= 3).unwrap_or(word);
    match word.strip_suffix('y') {
        Some(rest) if rest.len() >= 3 => format!("{rest}i"),
        _ => word.to_owned(),
    }
}

fn without_plural(word: &str) -> String {
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() >= 2) {
        return format!("{rest}y");
    }
    if ["sses", "xes", "ches", "shes", "zes"].iter().any(|end| word.ends_with(end)) {
        return word[..word.len() - 2].to_owned();
    }
    if word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        return word[..word.len() - 1].to_owned();
    }
    word.to_owned()
}

fn without_verb_ending(word: &str) -> String {
    let has_vowel = |rest: &str| rest.len() >= 3 && rest.bytes().any(|b| b"aeiouy".contains(&b));
    let Some(rest) =
        ["ing", "ed"].iter().find_map(|end| word.strip_suffix(end)).filter(|rest| has_vowel(rest))
    else {
        return word.to_owned();
    };
    let tail = rest.as_bytes();
    let is_doubled = tail.len() >= 4
        && tail[tail.len() - 1] == tail[tail.len() - 2]
        && !b"lsz".contains(&tail[tail.len() - 1]);
    if is_doubled { rest[..rest.len() - 1].to_owned() } else { rest.to_owned() }
}

pub(super) type Trigram = [char; 3];

/// The set of three-letter pieces of a word, with two blanks before and one after it: beginnings count more
/// than ends.
pub(super) fn trigrams(word: &str) -> Vec<Trigram> {
    let padded: Vec<char> = "  ".chars().chain(word.chars()).chain(" ".chars()).collect();
    let mut grams: Vec<Trigram> = padded.windows(3).map(|w| [w[0], w[1], w[2]]).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// The letters of a word in order, the same for `mail` and `mial`: swapped letters leave few trigrams of a
/// short word.
pub(super) fn letters(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}

/// `If that did not help!` -> `if-that-did-not-help`.
pub(super) fn slug(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    text.chars().for_each(|c| fold(c, &mut folded));
    folded.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_split() {
        assert_eq!(
            tokens("Wi‑Fi, E-Mail: ＶＰＮ d'accès can't ZURÜCKSETZEN straße"),
            ["wifi", "email", "vpn", "d", "acces", "cant", "zurucksetzen", "strasse"]
        );
        assert_eq!(
            tokens("pass\u{200b}word docking-station l'imprimante PRT-0417"),
            ["password", "docking", "station", "l", "imprimante", "prt", "0417"]
        );
        assert_eq!(tokens("🖨️ … \u{0}"), Vec::<String>::new());
        assert_eq!(tokens(&"x".repeat(5000))[0].len(), MAX_WORD_CHARS);
    }

    #[test]
    fn english_forms_share_a_stem() {
        for (one, other) in [
            ("printing", "printed"),
            ("prints", "print"),
            ("jammed", "jam"),
            ("freezing", "frozen"),
            ("freezes", "freeze"),
            ("connecting", "connection"),
            ("connects", "connected"),
            ("installation", "installing"),
            ("licences", "licence"),
            ("batteries", "battery"),
            ("dropping", "drops"),
            ("syncing", "sync"),
            ("expired", "expires"),
            ("stolen", "steal"),
            ("docked", "docking"),
        ] {
            assert_eq!(stem(one), stem(other), "{one} / {other}");
        }
        for word in ["bus", "access", "vpn", "691", "thing", "red", "this"] {
            assert!(!stem(word).is_empty());
        }
        assert_ne!(stem("printer"), stem("print"), "a device is not the act");
    }

    #[test]
    fn only_words_that_name_something_are_content() {
        assert_eq!(
            content("Hi, can you please help me? My printer does not work, the PRINTER!", 9),
            ["printer"]
        );
        assert_eq!(content("mein Drucker geht nicht", 9), ["drucker"]);
        assert_eq!(content("a b c 7", 9), ["7"]);
    }
}
