//! What a model's text must pass before a person sees it (A4): length, no pictures, known links only, nobody called.
//!
//! Not here: what a model may do (`tools.rs`); a text never does anything, whatever it says.

mod links;
mod markdown;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub(super) use links::hosts_in;

/// Hosts that links may lead to, lower case, without ports.
pub(super) type Hosts = BTreeSet<String>;

/// The text as it may be shown: at most `max` characters, pictures as their description, links only to `hosts` (others
/// as text), no HTML, mentioning nobody, without invisible characters. The same again for the same text.
pub(super) fn clean(text: &str, hosts: &Hosts, max: usize) -> String {
    let text = shorten(&visible(text), max);
    markdown::tame(&text, hosts)
}

/// Without control characters, invisible tags and marks that turn the reading direction around. Letters of any script
/// and joined emoji stay.
fn visible(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars()
        .filter(|c| match c {
            '\n' | '\t' => true,
            '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{00AD}' => false,
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' => false,
            '\u{E0000}'..='\u{E0FFF}' | '\u{FFF9}'..='\u{FFFB}' => false,
            c => !c.is_control(),
        })
        .collect()
}

/// At most `max` characters, ended where a sentence ends.
pub(super) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => last_sentence(&text[..end]),
    }
}

/// What is whole of a text that was broken off: up to its last sentence, or its last word and an ellipsis.
pub(super) fn last_sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', '。', '！', '？']) {
        return text.to_owned();
    }
    let mut ends = text.char_indices().filter_map(|(at, c)| {
        let after = at + c.len_utf8();
        let is_end = matches!(c, '\n' | '。' | '！' | '？')
            || (matches!(c, '.' | '!' | '?') && text[after..].starts_with(char::is_whitespace));
        // The point of `1.` ends no sentence.
        let is_number = c == '.' && text[..at].ends_with(|c: char| c.is_ascii_digit());
        (is_end && !is_number).then_some(after)
    });
    // Half of it should stay; a long sentence is cut inside.
    match ends.next_back().filter(|end| *end * 2 >= text.len()) {
        Some(end) => text[..end].trim_end().to_owned(),
        None => {
            let end =
                text.rfind(char::is_whitespace).filter(|end| *end * 2 >= text.len()).unwrap_or(text.len());
            format!("{}…", text[..end].trim_end())
        }
    }
}

/// Whether a text sounds as if a person had been called or a ticket made (T20). No text can know that.
pub(super) fn claims_an_act(text: &str) -> bool {
    const CLAIMS: [&str; 38] = [
        "connecting you",
        "connect you now",
        "i will connect you",
        "i'll connect you",
        "i have connected you",
        "i've connected you",
        "transferring you",
        "transfer you now",
        "i'll transfer you",
        "i will transfer you",
        "have transferred you",
        "i have notified",
        "i've notified",
        "has been notified",
        "i have escalated",
        "i've escalated",
        "has been escalated",
        "i have created a ticket",
        "i've created a ticket",
        "i have opened a ticket",
        "i've opened a ticket",
        "ticket has been created",
        "ticket has been opened",
        "will contact you shortly",
        "technician is on the way",
        "ich verbinde sie",
        "ich verbinde dich",
        "habe sie weitergeleitet",
        "wurde weitergeleitet",
        "habe ein ticket",
        "ticket wurde erstellt",
        "le conecto con",
        "te conecto con",
        "le transfiero",
        "he creado un ticket",
        "je vous mets en relation",
        "je vous transfère",
        "j'ai créé un ticket",
    ];
    let text = text.to_lowercase().replace('’', "'");
    CLAIMS.iter().any(|claim| text.contains(claim))
}
