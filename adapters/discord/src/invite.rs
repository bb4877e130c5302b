//! The link by which a server lets the bot in, with exactly the permissions that are used ("OAuth2 › Bot Authorization").
//!
//! Not here: whether it has them (`doctor.rs`).

use secrecy::ExposeSecret as _;
use serenity::all::Permissions;
use url::Url;

use crate::{Config, ids};

const PAGE: &str = "https://discord.com/oauth2/authorize";

/// Each permission with what it is for.
pub(crate) const NEEDED: [(Permissions, &str, &str); 9] = [
    (Permissions::VIEW_CHANNEL, "View Channels", "to see the forum"),
    (Permissions::SEND_MESSAGES, "Send Messages", "to open posts"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Posts", "to write in posts"),
    (Permissions::MANAGE_THREADS, "Manage Posts", "to name, tag, archive and lock posts"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History", "to read on after a gap"),
    (Permissions::ADD_REACTIONS, "Add Reactions", "to mark what was delivered"),
    (Permissions::EMBED_LINKS, "Embed Links", "to show the card"),
    (Permissions::ATTACH_FILES, "Attach Files", "to carry files"),
    (Permissions::MANAGE_WEBHOOKS, "Manage Webhooks", "to show requesters under their own names"),
];

pub(crate) fn permissions() -> Permissions {
    NEEDED.iter().fold(Permissions::empty(), |all, (one, ..)| all | *one)
}

/// What has to be opened in a browser by somebody who manages the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub link: String,
    /// Each permission, and what it is for.
    pub permissions: Vec<(&'static str, &'static str)>,
}

impl Invite {
    /// # Errors
    /// In words: the id is none.
    pub fn new(application: &str) -> Result<Invite, String> {
        if !ids::is_snowflake(application) {
            return Err("the application's id is a number: it is under General Information".into());
        }
        let mut url = Url::parse(PAGE).map_err(|error| error.to_string())?;
        url.query_pairs_mut()
            .append_pair("client_id", application)
            .append_pair("scope", "bot applications.commands")
            .append_pair("permissions", &permissions().bits().to_string());
        let permissions = NEEDED.iter().map(|(_, name, what)| (*name, *what)).collect();
        Ok(Invite { link: url.into(), permissions })
    }

    /// Of the application that a configuration is of.
    ///
    /// # Errors
    /// In words: neither the key nor the token says it.
    pub fn of(config: &Config) -> Result<Invite, String> {
        let named = config.application_id.clone();
        let id = named.or_else(|| in_token(config.token.expose_secret()));
        Invite::new(&id.ok_or("the token does not say the application's id: set application_id")?)
    }
}

/// The first part of a token is the bot's id, by base64: the application's, too, for all but the oldest bots.
fn in_token(token: &str) -> Option<String> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut id = String::new();
    for letter in token.split('.').next()?.trim_end_matches('=').bytes() {
        let letter = match letter {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        };
        let value = LETTERS.iter().position(|known| *known == letter)?;
        held = ((held << 6) | u32::try_from(value).ok()?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            id.push(char::from(u8::try_from((held >> bits) & 0xff).ok()?));
        }
    }
    ids::is_snowflake(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_with_exactly_what_is_used() {
        let invite = Invite::new("123456789012345678").unwrap();
        insta::assert_snapshot!(invite.link);
        assert!(Invite::new("me").is_err());
        assert!(!permissions().contains(Permissions::ADMINISTRATOR));
        assert_eq!(invite.permissions.len(), NEEDED.len());
    }

    #[test]
    fn the_id_in_a_token() {
        assert_eq!(in_token("MTIzNDU2Nzg5MDEyMzQ1Njc4.x.y").as_deref(), Some("123456789012345678"));
        for odd in ["", ".x.y", "!!!.x.y", "aGVsbG8.x.y"] {
            assert_eq!(in_token(odd), None, "{odd}");
        }
    }
}
