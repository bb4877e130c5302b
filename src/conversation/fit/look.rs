//! What a name looks like, whatever letters it is made of.
//!
//! Not here: all of Unicode's confusables; the scripts and disguises that are used against Latin names.

use crate::gist::fold::fold;

/// The name's words as they look. Words that show nothing are left out.
pub(super) fn words_look(name: &str) -> Vec<String> {
    let plain: String = name.chars().map(undisguise).collect();
    let words = fold(&plain);
    let words = words.split(|c: char| !c.is_alphanumeric() && !STANDS_FOR_LETTER.contains(c));
    words.map(look).filter(|word| !word.is_empty()).collect()
}

/// The whole name as it looks, without blanks.
pub(super) fn skeleton(name: &str) -> String {
    words_look(name).concat()
}

const STANDS_FOR_LETTER: &str = "@$|!";

fn look(word: &str) -> String {
    let word: String = word.trim_matches(|c| STANDS_FOR_LETTER.contains(c)).chars().map(like).collect();
    word.replace("rn", "m").replace("vv", "w")
}

/// Full width, circled, squared, mathematical: the same letter in a costume.
fn undisguise(c: char) -> char {
    let code = u32::from(c);
    let letter = match code {
        0xff01..=0xff5e => return char::from_u32(code - 0xfee0).unwrap_or(c),
        0x24b6..=0x24cf => code - 0x24b6,
        0x24d0..=0x24e9 => code - 0x24d0,
        0x1d400..=0x1d6a3 => (code - 0x1d400) % 26,
        0x1f110..=0x1f129 => code - 0x1f110,
        0x1f130..=0x1f149 => code - 0x1f130,
        0x1f150..=0x1f169 => code - 0x1f150,
        0x1f170..=0x1f189 => code - 0x1f170,
        0x1d7ce..=0x1d7ff => return char::from_digit((code - 0x1d7ce) % 10, 10).unwrap_or(c),
        _ => return c,
    };
    char::from_u32('a' as u32 + letter).unwrap_or(c)
}

/// Letters of Cyrillic, Greek and others, digits and signs that pass for a Latin letter; after folding to lower case.
fn like(c: char) -> char {
    match c {
        'а' | 'α' | 'ɑ' | '@' | '4' | 'ᴀ' => 'a',
        'в' | 'β' | 'ь' | '8' | 'ʙ' => 'b',
        'с' | 'ϲ' | 'ᴄ' | 'ⅽ' => 'c',
        'ԁ' | 'ⅾ' | 'ᴅ' => 'd',
        'е' | 'ё' | 'ε' | 'є' | '3' | 'ҽ' | 'ᴇ' => 'e',
        'ɡ' | 'ց' | 'ɢ' => 'g',
        'н' | 'һ' | 'հ' | 'η' | 'ʜ' => 'h',
        'і' | 'ї' | 'ι' | 'ӏ' | '1' | '|' | '!' | 'l' | 'ⅰ' | 'ⅼ' | 'ı' | 'ɪ' | 'ʟ' => 'i',
        'ј' | 'ϳ' | 'ᴊ' => 'j',
        'к' | 'κ' | 'ᴋ' => 'k',
        'м' | 'μ' | 'ⅿ' | 'ᴍ' => 'm',
        'п' | 'ո' | 'ν' | 'ɴ' => 'n',
        'о' | 'ο' | 'σ' | '0' | 'օ' | 'ᴏ' => 'o',
        'р' | 'ρ' | 'ᴘ' => 'p',
        'ԛ' => 'q',
        'г' | 'ʀ' => 'r',
        'ѕ' | '5' | '$' | 'ꜱ' => 's',
        'т' | 'τ' | '7' | 'ᴛ' => 't',
        'υ' | 'ս' | 'ᴜ' => 'u',
        'ѵ' | 'ᴠ' | 'ⅴ' => 'v',
        'ԝ' | 'ω' | 'ᴡ' => 'w',
        'х' | 'χ' | 'ⅹ' => 'x',
        'у' | 'γ' | 'ү' | 'ʏ' => 'y',
        'ᴢ' | '2' => 'z',
        other => other,
    }
}
