//! What was said to an outgoing webhook, as an event of the bridge. Pure and total. Source: "Create Outgoing Webhooks".
//!
//! Not here: whether it is genuine (`door.rs`).

use std::time::Duration;

use deskbridge_contract::{
    ChannelName, Content, Inbound, InboundEvent, Interaction, RemoteEventId, RemoteMessageId, RemoteUserId,
    Sender, SenderKind, Timestamp, TranslateError,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::translate::{list, malformed, text};
use crate::{ids, markup};

/// The scheme has no nonce: what is older than this, or so far ahead, is not taken (platform-contracts §2.1).
pub(crate) const FRESH: Duration = Duration::from_secs(600);
/// Longest id that is taken.
const MAX_ID: usize = 512;

/// When it was said, by the signed body itself.
pub(crate) fn time(activity: &Value) -> Option<Timestamp> {
    let at: jiff::Timestamp = text(activity, "/timestamp")?.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

pub(crate) fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    at.since(now) <= FRESH && now.since(at) <= FRESH
}

pub(crate) fn translate(
    channel: &ChannelName,
    activity: &Value,
    at: Timestamp,
) -> Result<Inbound, TranslateError> {
    match text(activity, "/type") {
        Some("message") => {}
        Some(other) => return Err(TranslateError::Unknown(other.chars().take(60).collect())),
        None => return Err(malformed("type")),
    }
    let conversation = text(activity, "/conversation/id").ok_or_else(|| malformed("conversation.id"))?;
    let room = ids::address(channel, conversation).ok_or_else(|| malformed("conversation.id"))?;
    if ids::kind(room.room.as_str()) != ids::Kind::Channel {
        return Err(malformed("conversation.id: not a channel"));
    }
    let short = |id: &&str| !id.is_empty() && id.len() <= MAX_ID;
    let message = text(activity, "/id").filter(short).ok_or_else(|| malformed("id"))?;
    // What is not said in a thread opens one.
    let address = if room.thread.is_some() { room } else { room.thread(message) };
    let id = RemoteEventId(event_id(conversation, message));
    Ok(Inbound {
        at,
        from: sender(activity)?,
        address,
        event: InboundEvent::Posted {
            message: RemoteMessageId::new(message),
            content: Content::text(words(activity)),
            reply_to: None,
        },
        // The answer belongs into the response.
        interaction: Some(Interaction { id: id.to_string() }),
        id,
    })
}

/// The same for a repeat: by (conversation, activity).
fn event_id(conversation: &str, message: &str) -> String {
    let mut digest = Sha256::new();
    for part in [conversation, message] {
        digest.update(part.len().to_le_bytes());
        digest.update(part.as_bytes());
    }
    format!("message:{}", hex::encode(&digest.finalize()[..16]))
}

fn sender(activity: &Value) -> Result<Sender, TranslateError> {
    let directory = text(activity, "/from/aadObjectId").filter(|id| !id.is_empty());
    let id =
        directory.or_else(|| text(activity, "/from/id")).filter(|id| !id.is_empty() && id.len() <= MAX_ID);
    let id = id.ok_or_else(|| malformed("from.id"))?;
    Ok(Sender {
        id: RemoteUserId::new(id),
        display_name: text(activity, "/from/name").map(str::to_owned),
        email: None,
        email_verified: false,
        picture: None,
        language: text(activity, "/locale").map(str::to_owned),
        kind: if directory.is_some() { SenderKind::Human } else { SenderKind::External },
    })
}

/// Without the call itself; nothing but the call is a call for help.
fn words(activity: &Value) -> String {
    let raw = text(activity, "/text").unwrap_or_default();
    let said = markup::from_html(without_call(activity, raw).trim(), None);
    if said.trim().is_empty() { "/help".into() } else { said }
}

/// The name of the webhook, once: as the entities say, else what is called first.
fn without_call<'a>(activity: &Value, raw: &'a str) -> std::borrow::Cow<'a, str> {
    let named = list(activity, "/entities")
        .iter()
        .filter(|entity| text(entity, "/type") == Some("mention"))
        .find_map(|entity| text(entity, "/text").filter(|call| !call.is_empty() && raw.contains(call)));
    if let Some(call) = named {
        return raw.replacen(call, "", 1).into();
    }
    let Some(start) = raw.find("<at") else { return raw.into() };
    let Some(end) = raw[start..].find("</at>").map(|end| start + end + "</at>".len()) else {
        return raw.into();
    };
    format!("{}{}", &raw[..start], &raw[end..]).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn said(text: &str, entities: &Value) -> String {
        words(&json!({ "text": text, "entities": entities }))
    }

    #[test]
    fn the_call_is_not_part_of_what_was_said() {
        let call = json!([{ "type": "mention", "text": "<at>Help Desk</at>" }]);
        for (text, entities, expected) in [
            ("<at>Help Desk</at> my&nbsp;VPN <b>is</b> dead\n", &call, "my VPN **is** dead"),
            ("<at>Help Desk</at>&nbsp;", &call, "/help"),
            ("<at>Help Desk</at> ask <at>Ana</at>", &call, "ask @Ana"),
            ("please <at>Help Desk</at> 1 &lt; 2", &json!(null), "please 1 < 2"),
            ("no call at all", &json!([]), "no call at all"),
        ] {
            assert_eq!(said(text, entities), expected, "{text}");
        }
    }

    #[test]
    fn fresh_is_ten_minutes_either_way() {
        let now = Timestamp::from_seconds(1_790_000_000);
        for (away, fresh) in [(0, true), (600, true), (601, false)] {
            let away = Duration::from_secs(away);
            assert_eq!(is_fresh(now + away, now), fresh);
            assert_eq!(is_fresh(now, now + away), fresh);
        }
    }

    proptest! {
        #[test]
        fn reading_is_total(text in ".{0,80}", call in "(<at.{0,10}>|</at>|.{0,5}){0,3}") {
            let activity = json!({
                "type": "message", "id": text, "text": format!("{call}{text}"), "from": { "id": call },
                "conversation": { "id": format!("19:{text}@thread.tacv2") },
                "entities": [{ "type": "mention", "text": call }],
            });
            let _ = translate(&"teams".into(), &activity, Timestamp::EPOCH);
        }
    }
}
