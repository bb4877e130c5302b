//! Names that cannot deceive (S41).
//!
//! Not here: what looks like what (`look`), tagging names with their channel (whoever shows them).

use super::look::{skeleton, words_look};
use super::split::within;
use super::tidy;

/// The longest name that is shown, in UTF-16 code units.
const LONGEST_NAME: usize = 64;
const NAMELESS: &str = "Someone";
const SUFFIX: &str = " (requester)";

/// Words that a requester has no business calling themselves, in the languages of the notices and a few more.
const ROLES: [&str; 36] = [
    "admin",
    "admins",
    "administrator",
    "administrador",
    "administrateur",
    "amministratore",
    "root",
    "sysadmin",
    "support",
    "itsupport",
    "techsupport",
    "soporte",
    "suporte",
    "supporto",
    "helpdesk",
    "servicedesk",
    "service desk",
    "help desk",
    "it support",
    "it helpdesk",
    "it desk",
    "technician",
    "techniker",
    "tecnico",
    "technicien",
    "moderator",
    "moderador",
    "staff",
    "official",
    "system",
    "security team",
    "assistant",
    "chatbot",
    "deskbridge",
    "operator",
    "supervisor",
];

/// A name as people may see it: one line, nothing invisible, at most 64 units; `Someone` when nothing is left.
pub fn clean_name(name: &str) -> String {
    let visible: String =
        name.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
    let tidied = tidy(&visible);
    let words: Vec<&str> = tidied.split_whitespace().collect();
    let line = words.join(" ");
    let kept = line[..within(&line, LONGEST_NAME)].trim_end();
    let bare = kept.trim_start_matches(super::marks::is_mark);
    if bare.is_empty() { NAMELESS.to_owned() } else { bare.to_owned() }
}

/// A requester's name, marked as such when it equals a technician's, looks like one, or claims a role.
pub fn cannot_impersonate<S: AsRef<str>>(name: &str, technicians: &[S]) -> String {
    let name = clean_name(name);
    if name.ends_with(SUFFIX) {
        return name;
    }
    let looks = words_look(&name);
    let bare = skeleton(&name);
    let claims = |known: &str| {
        let parts = words_look(known);
        // One word must be the whole name, or every Ana would be suspicious; several may stand anywhere in it.
        bare == skeleton(known) || (parts.len() > 1 && looks.windows(parts.len()).any(|words| words == parts))
    };
    let role = ROLES
        .iter()
        .map(|role| words_look(role))
        .any(|role| looks.windows(role.len()).any(|words| words == role));
    if !role && !technicians.iter().any(|technician| claims(technician.as_ref())) {
        return name;
    }
    let kept = name[..within(&name, LONGEST_NAME - SUFFIX.len())].trim_end();
    format!("{kept}{SUFFIX}")
}

/// Characters that are not seen but change what is: zero width, direction controls, byte order marks, fillers.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}
