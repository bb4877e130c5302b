//! Who sent something.
//!
//! Not here: whether a person is a technician; that goes by id, in the core.

use deskbridge_contract::names::clean;
use deskbridge_contract::{RemoteUserId, Sender, SenderKind, TranslateError};
use serde_json::Value;

use super::{integer, malformed, text};
use crate::ids::ANONYMOUS_ADMIN;

/// The sender of a message. Somebody who writes as a group or channel has no identity here (D25).
pub(super) fn sender(message: &Value) -> Result<Sender, TranslateError> {
    if let Some(chat) = message.get("sender_chat") {
        return self::chat(chat);
    }
    user(message.get("from").ok_or_else(|| malformed("from"))?)
}

pub(super) fn chat(chat: &Value) -> Result<Sender, TranslateError> {
    let name = text(chat, "title").or_else(|| text(chat, "username"));
    Ok(Sender {
        id: RemoteUserId(integer(chat, &["id"])?.to_string()),
        display_name: name.and_then(clean),
        email: None,
        email_verified: false,
        picture: None,
        language: None,
        kind: SenderKind::External,
    })
}

pub(super) fn user(user: &Value) -> Result<Sender, TranslateError> {
    let id = integer(user, &["id"])?;
    let kind = match user.get("is_bot").and_then(Value::as_bool) {
        _ if id == ANONYMOUS_ADMIN => SenderKind::External,
        Some(true) => SenderKind::Bot,
        _ => SenderKind::Human,
    };
    let names = [text(user, "first_name"), text(user, "last_name")];
    let full = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(Sender {
        id: RemoteUserId(id.to_string()),
        display_name: clean(&full).or_else(|| clean(text(user, "username")?)),
        email: None,
        email_verified: false,
        picture: None,
        language: text(user, "language_code").map(str::to_owned),
        kind,
    })
}
