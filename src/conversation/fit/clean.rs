//! Names that cannot deceive (S41).
//!
//! Not here: what looks like what (`look`), tagging names with their channel (whoever shows them).

pub(crate) use deskbridge_contract::names::is_invisible;

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
    // A mark has nothing to stand on there, and what was behind it must not begin with a gap.
    let bare = kept.trim_start_matches(|c: char| super::marks::is_mark(c) || c.is_whitespace());
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
