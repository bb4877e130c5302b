//! Whom a written name means: `@ana`, `Ana Lopez`, an e-mail, a platform's own id.
//!
//! Not here: whether that person may be asked (the permission check), how platforms spell mentions.

use crate::gist::fold::fold;
use crate::ids::{QueueId, TechnicianId};
use crate::policy::{Policy, TechnicianPolicy};

/// The people and queues of the policy, and who of them is available right now.
pub struct Names<'a> {
    policy: &'a Policy,
    available: &'a dyn Fn(&TechnicianId) -> bool,
}

impl<'a> Names<'a> {
    pub fn new(policy: &'a Policy, available: &'a dyn Fn(&TechnicianId) -> bool) -> Self {
        Names { policy, available }
    }

    pub fn is_available(&self, technician: &TechnicianId) -> bool {
        (self.available)(technician)
    }

    /// The one technician that is meant, or why there is none, in words for the person who wrote it.
    pub fn technician(&self, written: &str) -> Result<TechnicianId, String> {
        let bare = bare(written, '@');
        if bare.is_empty() {
            return Err("say who, for example @ana".to_owned());
        }
        let wanted = Wanted::new(&bare);
        for how in [Wanted::is_named_exactly, Wanted::is_known_as, Wanted::is_called] {
            let mut found = self.policy.technicians.iter().filter(|(id, t)| how(&wanted, id, t));
            match (found.next(), found.next()) {
                (None, _) => {}
                (Some((id, _)), None) => return Ok(id.clone()),
                (Some((one, _)), Some((other, _))) => {
                    return Err(format!("“{}” may be @{one} or @{other}: say which", brief(&bare)));
                }
            }
        }
        Err(format!("nobody here is called “{}”", brief(&bare)))
    }

    /// The queue that is meant, or why there is none.
    pub fn queue(&self, written: &str) -> Result<QueueId, String> {
        let bare = bare(written, '#');
        let wanted = slug(&bare);
        if wanted.is_empty() {
            return Err("say which queue, for example #network".to_owned());
        }
        match self.policy.queues.keys().find(|queue| slug(queue.as_str()) == wanted) {
            Some(queue) => Ok(queue.clone()),
            None => {
                let known: Vec<String> = self.policy.queues.keys().take(8).map(|q| format!("#{q}")).collect();
                Err(format!("there is no queue “{}”; there are {}", brief(&bare), known.join(", ")))
            }
        }
    }
}

struct Wanted {
    exact: String,
    slug: String,
}

impl Wanted {
    fn new(bare: &str) -> Self {
        Wanted { exact: fold(bare), slug: slug(bare) }
    }

    /// Id, e-mail or `<channel>:<remote id>`: unique by configuration.
    fn is_named_exactly(&self, id: &TechnicianId, technician: &TechnicianPolicy) -> bool {
        fold(id.as_str()) == self.exact
            || technician.email.as_deref().is_some_and(|email| fold(email) == self.exact)
            || technician.identities.iter().any(|identity| fold(identity) == self.exact)
    }

    /// The whole name in any spelling, or the platform's own id.
    fn is_known_as(&self, id: &TechnicianId, technician: &TechnicianPolicy) -> bool {
        (!self.slug.is_empty() && (slug(id.as_str()) == self.slug || slug(&technician.name) == self.slug))
            || technician.identities.iter().any(|identity| {
                identity.split_once(':').is_some_and(|(_, remote)| fold(remote) == self.exact)
            })
    }

    /// The first name.
    fn is_called(&self, _: &TechnicianId, technician: &TechnicianPolicy) -> bool {
        technician
            .name
            .split_whitespace()
            .next()
            .is_some_and(|first| !self.slug.is_empty() && slug(first) == self.slug)
    }
}

/// Without the sign, brackets of mentions, escapes and the full stop of a sentence.
fn bare(written: &str, sign: char) -> String {
    let text: String = unescape(written.trim());
    let text = text.trim_start_matches('<').trim_end_matches('>');
    let text = text.strip_prefix(sign).unwrap_or(text).trim_start_matches('!');
    text.trim_end_matches(['.', ',', '!', '?', ';', ':']).trim().to_owned()
}

/// Adapters hand in CommonMark, where `ana_lopez` may be written `ana\_lopez`.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(char::is_ascii_punctuation) {
            continue;
        }
        out.push(c);
    }
    out
}

/// `Ana  López`, `ana_lopez` and `ana.lopez` are the same.
fn slug(text: &str) -> String {
    let folded = fold(text);
    let words: Vec<&str> =
        folded.split(|c: char| c.is_whitespace() || "-_.".contains(c)).filter(|w| !w.is_empty()).collect();
    words.join("-")
}

fn brief(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
