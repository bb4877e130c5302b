//! The only parser of the widget's ids: sites' visitors, conversations, messages, tokens, files.
//!
//! Not here: who may use them. Ids that the browser makes are checked for their form before anything else.

use deskbridge_contract::{Address, ChannelName, DeliveryId, RemoteMessageId, RemoteUserId, ThreadId};
use sha2::{Digest, Sha256};

/// Bytes of randomness in what names things outside (D27).
const RANDOM: usize = 16;

/// Somebody who writes: `v` and 32 digits for an unknown person, `u` and 32 digits for one that the site vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Visitor(pub String);

/// One conversation, named by the browser that began it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThreadKey(pub String);

/// A session's secret. Only its digest is kept.
#[derive(Clone)]
pub struct Token(String);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenDigest(pub String);

/// `None`: the system has no randomness, and nothing may be named.
pub fn random() -> Option<String> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex::encode(bytes))
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

impl Visitor {
    pub fn unknown() -> Option<Visitor> {
        Some(Visitor(format!("v{}", random()?)))
    }

    /// The same person on every device. The site's own id does not get out by way of ours.
    pub fn vouched(channel: &ChannelName, subject: &str) -> Visitor {
        Visitor(format!("u{}", &digest(&["visitor", channel.as_str(), subject])[..32]))
    }

    pub fn user(&self) -> RemoteUserId {
        RemoteUserId(self.0.clone())
    }

    /// For technicians, where nothing better is known.
    pub fn short(&self) -> String {
        format!("Visitor {}", self.0.get(1..5).unwrap_or_default())
    }
}

impl ThreadKey {
    /// 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<ThreadKey> {
        is_hex(text).then(|| ThreadKey(text.to_owned()))
    }

    pub fn of(at: &Address) -> Option<ThreadKey> {
        ThreadKey::parse(at.thread.as_ref()?.as_str())
    }

    pub fn address(&self, channel: &ChannelName, room: &Visitor) -> Address {
        let mut at = Address::room(channel, room.0.clone());
        at.thread = Some(ThreadId(self.0.clone()));
        at
    }

    /// A message that the visitor wrote, by the id that their browser gave it. The first ten digits keep ids of several
    /// conversations of one visitor apart.
    pub fn own_message(&self, client: &str) -> RemoteMessageId {
        RemoteMessageId(format!("{}.{client}", &self.0[..10]))
    }

    /// Whether a message has a name that this conversation's visitor gave it, and not one of ours.
    pub fn is_own(&self, message: &str) -> bool {
        let client = message.strip_prefix(&self.0[..10]).and_then(|rest| rest.strip_prefix('.'));
        client.is_some_and(is_client_id)
    }

    /// The same delivery has the same id, however often it is attempted.
    pub fn message(&self, delivery: &DeliveryId) -> RemoteMessageId {
        RemoteMessageId(format!("{}.d{}", &self.0[..10], &digest(&[delivery.as_str()])[..16]))
    }
}

fn is_hex(text: &str) -> bool {
    text.len() == 2 * RANDOM && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What a browser may call a message: a UUID, a ULID, or anything like it.
pub fn is_client_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        // Ours begin with a `d`.
        && !text.starts_with('d')
}

/// Files are named by the blob store: 32 hexadecimal digits.
pub fn is_file(text: &str) -> bool {
    is_hex(text)
}

impl Token {
    pub fn fresh() -> Option<Token> {
        Some(Token(format!("dws_{}{}", random()?, random()?)))
    }

    pub fn parse(text: &str) -> Option<Token> {
        let rest = text.strip_prefix("dws_")?;
        (rest.len() == 4 * RANDOM && rest.bytes().all(|b| b.is_ascii_hexdigit()))
            .then(|| Token(text.to_owned()))
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn digest(&self) -> TokenDigest {
        TokenDigest(digest(&["token", &self.0]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ones_own_messages_are_told_from_ours() {
        let key = ThreadKey("a1".repeat(16));
        let own = key.own_message("01J9ZQ4Z7N8W2X3Y4Z5A6B7C8D").0;
        let ours = key.message(&DeliveryId("d-1".into())).0;
        assert!(key.is_own(&own) && !key.is_own(&ours));
        assert!(!ThreadKey("b2".repeat(16)).is_own(&own) && !key.is_own("") && !key.is_own(&"a1".repeat(5)));
    }

    #[test]
    fn ids_from_browsers_are_checked() {
        assert!(
            is_client_id("3f0f6c1e-0b8e-4b6a-9d1c-0b6a9d1c3f0f")
                && is_client_id("01J9ZQ4Z7N8W2X3Y4Z5A6B7C8D")
        );
        for bad in
            ["", "short", "with space-and-more", "../../../etc/passwd", "d0123456789abcdef", "é-é-é-é-é-é"]
        {
            assert!(!is_client_id(bad), "{bad}");
        }
        assert!(ThreadKey::parse(&"a1".repeat(16)).is_some());
        for bad in ["", "A1", &"a1".repeat(17), &"g1".repeat(16)] {
            assert!(ThreadKey::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_delivery_keeps_its_message_and_a_person_their_name() {
        let thread = ThreadKey::parse(&"0f".repeat(16)).unwrap();
        assert_eq!(thread.message(&"1.2.3".into()), thread.message(&"1.2.3".into()));
        assert_ne!(thread.message(&"1.2.3".into()), thread.message(&"1.2.4".into()));
        let (one, two) = ("portal".into(), "shop".into());
        assert_eq!(Visitor::vouched(&one, "maria"), Visitor::vouched(&one, "maria"));
        assert_ne!(Visitor::vouched(&one, "maria"), Visitor::vouched(&two, "maria"));
        assert!(!Visitor::vouched(&one, "maria").0.contains("maria"));
    }
}
