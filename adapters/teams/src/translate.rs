//! Activities of Teams as events of the bridge. Pure and total.
//!
//! Not here: whether an activity is genuine (`jwt.rs`), what it says (`translate/content.rs`), whose a thread is
//! (`references.rs`).

mod content;

#[cfg(test)]
mod tests;

use deskbridge_contract::{
    Address, ChannelName, Inbound, InboundEvent, Interaction, RemoteEventId, RemoteMessageId, RemoteUserId,
    Sender, SenderKind, Timestamp, TranslateError,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::extension::{self, Wish};
use crate::references::{Change, Sign};
use crate::{cards, ids, markup};

/// Longest id of a message or action that is taken.
const MAX_ID: usize = 512;

/// What translation has to know beside the activity.
pub(crate) struct View<'a> {
    pub channel: &'a ChannelName,
    pub app_id: &'a str,
    pub tenant: &'a str,
    /// Now, for what has no time of its own.
    pub received: Timestamp,
}

/// What one activity came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub address: Address,
    pub events: Vec<Inbound>,
    /// The person's name in the directory, and the one by which the bot may write to them.
    pub person: Option<(String, String)>,
    /// The app was installed or removed, in the conversation or in its whole team.
    pub change: Change,
    /// The team that the conversation is in, as the activity says.
    pub team: Option<String>,
    pub at: Timestamp,
    /// The bot was called in it.
    pub called: bool,
    /// `@Desk accept` as a verb of the bridge: `!accept`. Meant in desks only.
    pub verb: Option<String>,
    /// Something that is answered and is no event.
    pub asked: Option<Asked>,
}

impl Heard {
    pub(crate) fn sign<'a>(&'a self, service: &'a str) -> Sign<'a> {
        Sign { service, team: self.team.as_deref(), change: self.change, at: self.at }
    }
}

/// What somebody's client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The card as this person may see it.
    Look { reference: String, user: RemoteUserId },
    /// A form, which this is.
    Form(Value),
    /// The form was sent.
    Wish(Box<Wish>),
}

pub(crate) fn malformed(what: &str) -> TranslateError {
    TranslateError::Malformed(what.to_owned())
}

pub(crate) fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

/// The id of the team that an activity comes from.
pub(crate) fn team(activity: &Value) -> Option<&str> {
    text(activity, "/channelData/team/id").filter(|id| !id.is_empty() && id.len() <= MAX_ID)
}

pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn translate(view: &View<'_>, activity: &Value) -> Result<Heard, TranslateError> {
    let kind = text(activity, "/type").ok_or_else(|| malformed("type"))?;
    let conversation = text(activity, "/conversation/id").ok_or_else(|| malformed("conversation.id"))?;
    let address = ids::address(view.channel, conversation).ok_or_else(|| malformed("conversation.id"))?;
    let activity = Activity { view, activity, address };
    if activity.is_own() {
        return Ok(activity.heard(Vec::new()));
    }
    match kind {
        "message" => activity.posted(),
        "messageUpdate" => activity.updated(),
        "messageDelete" => activity.deleted(),
        "messageReaction" => activity.reacted(),
        "conversationUpdate" => activity.members(),
        "installationUpdate" => activity.installed(),
        "typing" => activity.one("typing", InboundEvent::Typing),
        "invoke" => activity.invoked(),
        "event" => activity.told(),
        other => Err(TranslateError::Unknown(other.chars().take(60).collect())),
    }
}

struct Activity<'a> {
    view: &'a View<'a>,
    activity: &'a Value,
    address: Address,
}

impl Activity<'_> {
    fn text(&self, path: &str) -> Option<&str> {
        text(self.activity, path)
    }

    fn is_own(&self) -> bool {
        let Some(from) = self.text("/from/id") else { return false };
        from == format!("28:{}", self.view.app_id) || self.text("/recipient/id") == Some(from)
    }

    fn sender(&self) -> Result<Sender, TranslateError> {
        let id = self.text("/from/aadObjectId").or_else(|| self.text("/from/id")).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| malformed("from.id"))?;
        let tenant = self.text("/channelData/tenant/id").or_else(|| self.text("/conversation/tenantId"));
        let kind = if self.text("/from/role") == Some("bot") || id.starts_with("28:") {
            SenderKind::Bot
        } else if tenant.is_some_and(|tenant| tenant != self.view.tenant)
            || self.text("/from/aadObjectId").is_none()
        {
            // Guests of federated organisations, and whoever has no name in the directory.
            SenderKind::External
        } else {
            SenderKind::Human
        };
        Ok(Sender {
            id: RemoteUserId::new(id),
            display_name: self.text("/from/name").map(str::to_owned),
            email: None,
            email_verified: false,
            picture: None,
            language: self.text("/locale").map(str::to_owned),
            kind,
        })
    }

    fn at(&self) -> Timestamp {
        let at = self.text("/timestamp").and_then(|at| at.parse::<jiff::Timestamp>().ok());
        at.map_or(self.view.received, |at| Timestamp(at.as_microsecond()))
    }

    /// One name for the activity and for its copies: Teams sends an activity again after 15 s with the same id, and now
    /// and then a copy under a new one, in which who, where, when and what are the same (msteams-docs#6084). Attachments
    /// are left out: the addresses of their files may be made anew.
    fn id(&self, what: &str) -> Result<RemoteEventId, TranslateError> {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            digest.update(bytes.len().to_le_bytes());
            digest.update(bytes);
        };
        part(what.as_bytes());
        part(ids::conversation(&self.address).as_bytes());
        part(self.text("/from/id").unwrap_or_default().as_bytes());
        match self.text("/timestamp") {
            Some(at) => {
                part(at.as_bytes());
                let said = ["/text", "/replyToId", "/value", "/action", "/channelData/eventType"];
                let more = ["/reactionsAdded", "/reactionsRemoved", "/membersAdded", "/membersRemoved"];
                for path in said.into_iter().chain(more) {
                    let value = self.activity.pointer(path).map(ToString::to_string);
                    part(value.unwrap_or_default().as_bytes());
                }
            }
            None => part(self.text("/id").ok_or_else(|| malformed("id"))?.as_bytes()),
        }
        let digest = digest.finalize();
        Ok(RemoteEventId(format!("{what}:{}", hex::encode(&digest[..16]))))
    }

    fn message(&self, path: &str) -> Result<RemoteMessageId, TranslateError> {
        let id = self.text(path).filter(|id| !id.is_empty() && id.len() <= MAX_ID);
        Ok(RemoteMessageId::new(id.ok_or_else(|| malformed(path.trim_start_matches('/')))?))
    }

    fn event(&self, what: &str, event: InboundEvent) -> Result<Inbound, TranslateError> {
        Ok(Inbound {
            id: self.id(what)?,
            at: self.at(),
            from: self.sender()?,
            address: self.address.clone(),
            event,
            interaction: None,
        })
    }

    fn heard(&self, events: Vec<Inbound>) -> Heard {
        let person = self.text("/from/aadObjectId").zip(self.text("/from/id"));
        Heard {
            address: self.address.clone(),
            events,
            person: person.map(|(user, id)| (user.to_owned(), id.to_owned())),
            change: Change::None,
            team: team(self.activity).map(str::to_owned),
            at: self.at(),
            called: false,
            verb: None,
            asked: None,
        }
    }

    fn one(&self, what: &str, event: InboundEvent) -> Result<Heard, TranslateError> {
        Ok(self.heard(vec![self.event(what, event)?]))
    }

    fn posted(&self) -> Result<Heard, TranslateError> {
        let said = content::read(self.activity);
        let message = self.message("/id")?;
        let reply_to = self.text("/replyToId").map(RemoteMessageId::new);
        let (called, verb) = (said.called, said.verb);
        let event = InboundEvent::Posted { message, content: said.content, reply_to };
        // Calling the bot and saying nothing is a call for help.
        let heard = self.one("message", event)?;
        Ok(Heard { called, verb, ..heard })
    }

    fn updated(&self) -> Result<Heard, TranslateError> {
        let said = content::read(self.activity);
        let message = self.message("/id")?;
        match self.text("/channelData/eventType") {
            Some("editMessage") | None => {
                self.one("edit", InboundEvent::Edited { message, content: said.content })
            }
            // Taken back deletions show the message again, as it was.
            Some("undeleteMessage") => {
                self.one("undelete", InboundEvent::Edited { message, content: said.content })
            }
            Some(other) => Err(TranslateError::Unknown(format!("messageUpdate {}", shorten(other)))),
        }
    }

    fn deleted(&self) -> Result<Heard, TranslateError> {
        let message = self.message("/id")?;
        self.one("delete", InboundEvent::Deleted { message })
    }

    fn reacted(&self) -> Result<Heard, TranslateError> {
        let message = self.message("/replyToId")?;
        let mut events = Vec::new();
        for (path, added) in [("/reactionsRemoved", false), ("/reactionsAdded", true)] {
            for (nth, reaction) in list(self.activity, path).iter().take(20).enumerate() {
                let Some(emoji) = text(reaction, "/type").and_then(emoji) else { continue };
                let what = format!("reaction-{added}-{nth}");
                events.push(
                    self.event(&what, InboundEvent::Reacted { message: message.clone(), emoji, added })?,
                );
            }
        }
        Ok(self.heard(events))
    }

    fn members(&self) -> Result<Heard, TranslateError> {
        let bot = self.text("/recipient/id").ok_or_else(|| malformed("recipient.id"))?;
        let has = |path| list(self.activity, path).iter().any(|member| text(member, "/id") == Some(bot));
        if has("/membersRemoved") {
            return Ok(Heard { change: Change::Removed, ..self.one("removed", InboundEvent::Left)? });
        }
        match self.text("/channelData/eventType") {
            Some("teamDeleted" | "teamHardDeleted") => {
                return Ok(Heard { change: Change::Removed, ..self.heard(Vec::new()) });
            }
            Some("teamRestored") => return Ok(Heard { change: Change::Added, ..self.heard(Vec::new()) }),
            _ => {}
        }
        let change = if has("/membersAdded") { Change::Added } else { Change::None };
        // The bot is added to a personal chat when the person opens it first; in rooms there is nobody to be greeted.
        if has("/membersAdded") && ids::kind(self.address.room.as_str()) == ids::Kind::Personal {
            return Ok(Heard { change, ..self.one("started", InboundEvent::Started { payload: None })? });
        }
        Ok(Heard { change, ..self.heard(Vec::new()) })
    }

    fn installed(&self) -> Result<Heard, TranslateError> {
        match self.text("/action") {
            Some("remove" | "remove-upgrade") => {
                Ok(Heard { change: Change::Removed, ..self.one("uninstalled", InboundEvent::Left)? })
            }
            Some("add" | "add-upgrade") => {
                Ok(Heard { change: Change::Added, ..self.one("installed", InboundEvent::Returned)? })
            }
            _ => Err(malformed("action")),
        }
    }

    /// Read marks of personal chats, where the permission for them was given.
    fn told(&self) -> Result<Heard, TranslateError> {
        match self.text("/name") {
            Some("application/vnd.microsoft.readReceipt") => {
                let up_to = self.message("/value/lastReadMessageId")?;
                self.one("read", InboundEvent::Read { up_to })
            }
            other => Err(TranslateError::Unknown(format!("event {}", shorten(other.unwrap_or_default())))),
        }
    }

    fn invoked(&self) -> Result<Heard, TranslateError> {
        match self.text("/name") {
            Some("adaptiveCard/action") => {}
            Some("composeExtension/fetchTask") => {
                let asked = Some(Asked::Form(extension::form(self.activity)?));
                return Ok(Heard { asked, ..self.heard(Vec::new()) });
            }
            Some("composeExtension/submitAction") => return self.wished(),
            other => {
                return Err(TranslateError::Unknown(format!(
                    "invoke {}",
                    shorten(other.unwrap_or_default())
                )));
            }
        }
        let verb = self.text("/value/action/verb").filter(|verb| !verb.is_empty() && verb.len() <= MAX_ID);
        let verb = verb.ok_or_else(|| malformed("value.action.verb"))?;
        let card = self.message("/replyToId").ok();
        let id = self.id("invoke")?;
        if verb == cards::LOOK {
            let reference =
                self.text("/value/action/data/reference").ok_or_else(|| malformed("reference"))?;
            let asked = Asked::Look { reference: shorten(reference), user: self.sender()?.id };
            return Ok(Heard { asked: Some(asked), ..self.heard(Vec::new()) });
        }
        let event = if verb == cards::SAY || verb == cards::NOTE {
            let said = self.text(&format!("/value/action/data/{}", cards::SAID)).unwrap_or_default();
            if said.trim().is_empty() {
                return Ok(self.heard(Vec::new()));
            }
            // It is on no message of its own; the name is only for us.
            let message = RemoteMessageId(id.to_string());
            let kept = if verb == cards::NOTE { "🔒 " } else { "" };
            let content = deskbridge_contract::Content::text(format!("{kept}{}", markup::from_plain(said)));
            InboundEvent::Posted { message, content, reply_to: None }
        } else {
            let value = self.text("/value/action/data/value").map(str::to_owned);
            InboundEvent::Invoked { action: verb.to_owned(), value, message: card }
        };
        let mut event = self.event("invoke", event)?;
        event.interaction = Some(Interaction { id: id.to_string() });
        Ok(self.heard(vec![event]))
    }
}

impl Activity<'_> {
    fn wished(&self) -> Result<Heard, TranslateError> {
        let text = extension::typed(self.activity)?;
        let wish = Wish { id: self.id("wish")?, at: self.at(), from: self.sender()?, text };
        Ok(Heard { asked: Some(Asked::Wish(Box::new(wish))), ..self.heard(Vec::new()) })
    }
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// The emoji of a reaction: six old names, and newer ones that begin with their code points: `1f440_eyes`.
fn emoji(kind: &str) -> Option<String> {
    let known = match kind {
        "like" => "👍",
        "heart" => "❤️",
        "laugh" => "😆",
        "surprised" => "😮",
        "sad" => "😢",
        "angry" => "😡",
        other => {
            let codes = other.split('_').next()?;
            let letters: Option<String> = codes
                .split('-')
                .map(|code| u32::from_str_radix(code, 16).ok().and_then(char::from_u32))
                .collect();
            return letters.filter(|letters| !letters.is_empty() && !letters.is_ascii());
        }
    };
    Some(known.to_owned())
}
