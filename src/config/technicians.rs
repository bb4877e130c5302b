//! `[[technicians]]`: the people who help.
//!
//! Not here: their queues' other members (`cross.rs`), whether they are at their desks (the store knows).

use deskbridge_conversation::policy::Role;
use deskbridge_conversation::{Presence, QueueId, TechnicianId};
use toml::Table;

use super::keys;
use super::loading::{Loading, is_name, quoted};
use super::queues::lower;
use super::section::Section;

pub const ROLE: &[&str] = &["technician", "supervisor", "admin"];
pub const PRESENCE: &[&str] = &["available", "busy", "away", "offline"];

#[derive(Clone, Debug)]
pub struct Technician {
    pub path: String,
    pub id: TechnicianId,
    pub name: String,
    pub email: Option<String>,
    /// `<channel>:<remote id>` (D26).
    pub identities: Vec<String>,
    pub capacity: u32,
    pub skills: Vec<String>,
    pub languages: Vec<String>,
    pub role: Role,
    /// Empty: every queue that names no technicians.
    pub queues: Vec<QueueId>,
    /// When they are new to the store; afterwards what they set themselves holds.
    pub presence: Presence,
}

pub fn technicians(load: &mut Loading, tree: &Table) -> Vec<Technician> {
    let mut technicians = Vec::new();
    for (path, table) in load.items("technicians", tree.get("technicians")) {
        technicians.extend(technician(load, path, table));
    }
    technicians
}

fn technician(load: &mut Loading, path: String, table: &Table) -> Option<Technician> {
    let mut section = Section::of(load, &path, Some(table), keys::TECHNICIAN);
    let name = section.text("name");
    if name.is_none() && !section.has("name") {
        section.fault("name", "the name that requesters see", "nothing");
    }
    let id = id(&mut section, name.as_deref());
    let email = section.text("email");
    if let Some(email) = &email
        && !email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
    {
        section.fault("email", "an e-mail address", quoted(email));
    }
    let identities = section.texts("identities");
    let capacity = section.number("capacity", 4, 1..=1000);
    let skills = lower(section.texts("skills"));
    let languages = lower(section.texts("languages"));
    let role = section.choice("role", ROLE, Role::default());
    let queues = section.texts("queues").into_iter().map(QueueId).collect();
    let presence = section.choice("presence", PRESENCE, Presence::Available);
    Some(Technician {
        id: id?,
        name: name?,
        path,
        email: email.map(|email| email.to_lowercase()),
        identities,
        capacity,
        skills,
        languages,
        role,
        queues,
        presence,
    })
}

fn id(section: &mut Section<'_, '_>, name: Option<&str>) -> Option<TechnicianId> {
    if section.has("id") {
        return section.name("id").map(TechnicianId);
    }
    let slug = slug(name?);
    if is_name(&slug) {
        section.note("id", slug.clone());
        return Some(TechnicianId(slug));
    }
    section.fault(
        "id",
        "an id of the characters a-z, 0-9 and -, because the name has none of them",
        "nothing",
    );
    None
}

/// `Ana López` to `ana-lopez`.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match plain(c) {
            Some(letters) => slug.push_str(letters),
            None if c.is_ascii_alphanumeric() => slug.push(c),
            None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            None => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The letters of European names without their marks.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' | 'ģ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ł' | 'ľ' | 'ļ' | 'ĺ' => "l",
        'ñ' | 'ń' | 'ň' | 'ņ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'ŕ' | 'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        // İ in small letters is an i and this mark.
        '\u{307}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        let cases = [
            ("Ana López", "ana-lopez"),
            ("  Łukasz  Żak ", "lukasz-zak"),
            ("Jürgen Groß", "juergen-gross"),
            ("O'Brien, Pat", "o-brien-pat"),
            ("İpek", "ipek"),
            ("李雷", ""),
            ("R2-D2", "r2-d2"),
        ];
        for (name, expected) in cases {
            assert_eq!(slug(name), expected, "{name}");
        }
    }
}
