//! Buttons, menus, slash commands, forms and what is suggested while somebody types ("Receiving and Responding"). Pure.
//!
//! Not here: answering, and opening a direct message (`receive/acts.rs`); how forms look (`forms.rs`).

use deskbridge_contract::{
    Address, Content, Inbound, InboundEvent, RemoteEventId, RemoteMessageId, RemoteUserId, Sender, Timestamp,
    TranslateError,
};
use serde_json::Value;

use super::content::Named;
use super::{View, id_of, malformed, person, text, unknown};
use crate::forms::{self, Form};
use crate::ids::{self, Handle, events};
use crate::{cards, markup};

/// What one interaction asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// Pushed as it stands. `command`: something has to be said in answer, even if it is little.
    Push {
        inbound: Box<Inbound>,
        command: Option<String>,
    },
    /// Somebody's own matter, wherever they asked: it belongs into the direct messages with them.
    Direct {
        direct: Box<Direct>,
        here: bool,
    },
    /// A form, at once.
    Open(Form, String),
    /// A note from a form or a command: it is put into the post, and then it is a message of its writer's. `then` follows.
    Note {
        note: Box<Note>,
        then: Option<Box<Inbound>>,
    },
    Suggest(Typing),
    /// Said to this person alone.
    Tell(&'static str),
    Pong,
}

/// Somebody types into an option of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typing {
    pub command: String,
    pub option: String,
    pub typed: String,
    /// `None`: nowhere of ours.
    pub at: Option<Address>,
    pub by: RemoteUserId,
}

/// An event that has no address yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Direct {
    pub id: RemoteEventId,
    pub at: Timestamp,
    pub from: Sender,
    pub event: InboundEvent,
    /// The words, to be shown where the answer comes: nobody wrote them there.
    pub shown: Option<String>,
}

/// A note that is not in its post yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub id: RemoteEventId,
    pub at: Timestamp,
    pub from: Sender,
    pub address: Address,
    /// CommonMark.
    pub text: String,
    /// Whether it stays in the post; else it is for the requester.
    pub internal: bool,
}

const ONLY_AT_THE_DESK: &str = "This works in the posts of the technicians' forum only.";
const EMPTY: &str = "There is nothing in it.";

pub(crate) fn act(view: &View<'_>, payload: &Value) -> Result<Act, TranslateError> {
    let kind = payload.get("type").and_then(Value::as_u64).ok_or_else(|| malformed("type"))?;
    if kind == 1 {
        return Ok(Act::Pong);
    }
    if text(payload, "application_id") != Some(view.me.application.as_str()) {
        return Err(malformed("an interaction of another application"));
    }
    let data = payload.get("data").filter(|data| data.is_object()).ok_or_else(|| malformed("data"))?;
    let asked = Asked { view, payload, data };
    match kind {
        2 => asked.command(),
        3 => asked.pressed(),
        4 => asked.suggest(),
        5 => asked.submitted(),
        other => Err(unknown(&format!("interaction {other}"))),
    }
}

/// The post that a button in the direct messages is about.
pub(crate) fn about(payload: &Value) -> Option<&str> {
    ids::about(text(payload.get("data")?, "custom_id")?).1
}

/// By what it can be answered.
pub(crate) fn handle(payload: &Value) -> Option<Handle> {
    let application = text(payload, "application_id")?.to_owned();
    Some(Handle { application, token: text(payload, "token")?.to_owned(), waits: false })
}

struct Asked<'a> {
    view: &'a View<'a>,
    payload: &'a Value,
    data: &'a Value,
}

impl Asked<'_> {
    fn pressed(&self) -> Result<Act, TranslateError> {
        let custom_id = text(self.data, "custom_id").ok_or_else(|| malformed("custom_id"))?;
        let message = self.payload.get("message").and_then(|message| text(message, "id"));
        let message = message.filter(|id| ids::is_snowflake(id)).map(RemoteMessageId::from);
        if custom_id == cards::MENU {
            let chosen = self.data.get("values").and_then(|values| values.get(0)).and_then(Value::as_str);
            let form = chosen.and_then(Form::named).ok_or_else(|| unknown("a menu that is not ours"))?;
            return Ok(Act::Open(form, String::new()));
        }
        let (custom_id, about) = ids::about(custom_id);
        let (action, value) = ids::pressed(custom_id);
        // Said in the direct messages of something in a post: there it counts, and is answered here.
        let (address, message) = match about {
            Some(post) => (self.view.post_at(post), None),
            None => (self.view.address(self.payload)?, message),
        };
        let Some(address) = address else { return Ok(Act::Tell(ONLY_AT_THE_DESK)) };
        let event = InboundEvent::Invoked { action, value, message };
        self.push(address, event, None)
    }

    fn suggest(&self) -> Result<Act, TranslateError> {
        let options = self.data.get("options").and_then(Value::as_array).into_iter().flatten();
        let focused = options.into_iter().find(|option| option.get("focused") == Some(&Value::Bool(true)));
        let of = |key: &str| focused.and_then(|option| text(option, key)).unwrap_or_default().to_owned();
        Ok(Act::Suggest(Typing {
            command: text(self.data, "name").unwrap_or_default().to_owned(),
            option: of("name"),
            typed: of("value"),
            at: self.view.address(self.payload)?,
            by: person(self.payload)?.id,
        }))
    }

    fn command(&self) -> Result<Act, TranslateError> {
        let name = text(self.data, "name").ok_or_else(|| malformed("data.name"))?;
        let at = self.view.address(self.payload)?;
        if self.data.get("type").and_then(Value::as_u64) == Some(3) {
            return self.of_message(at);
        }
        if forms::PRESENCE.contains(&name) {
            let event = InboundEvent::Invoked { action: name.to_owned(), value: None, message: None };
            // In the forum or its posts it is the desk's own switch; elsewhere it is the person's.
            return match at {
                Some(address) => self.push(address, event, Some(name)),
                None => self.direct(event, None, false),
            };
        }
        if forms::REQUESTERS.contains(&name) {
            return match forms::instead(name) {
                Some(words) if at.as_ref().is_some_and(|at| !ids::is_direct(at)) => Ok(Act::Tell(words)),
                _ => self.own(name, at.as_ref().is_some_and(ids::is_direct)),
            };
        }
        match at {
            Some(address) if address.thread.is_some() => self.verb(name, address),
            _ => Ok(Act::Tell(ONLY_AT_THE_DESK)),
        }
    }

    /// A requester's command. Elsewhere it is shown as well: that says what the answer is about, and whether there can be one.
    fn own(&self, name: &str, here: bool) -> Result<Act, TranslateError> {
        if name != "ask" {
            let action = if name == "new" { "over" } else { name };
            let event = InboundEvent::Invoked { action: action.to_owned(), value: None, message: None };
            return self.direct(event, (!here).then(|| format!("`/{name}`")), here);
        }
        match self.option("question").map(str::trim).filter(|question| !question.is_empty()) {
            None => Ok(Act::Open(Form::Ask, String::new())),
            Some(question) => self.asked(question, here),
        }
    }

    fn asked(&self, question: &str, here: bool) -> Result<Act, TranslateError> {
        let names = Named { view: self.view, mentions: None };
        let words = markup::to_commonmark(question, &names);
        let message = ids::made(self.id()?.as_str());
        let event = InboundEvent::Posted { message, content: Content::text(words.clone()), reply_to: None };
        self.direct(event, Some(words), here)
    }

    /// A technician's verb in a post.
    fn verb(&self, name: &str, address: Address) -> Result<Act, TranslateError> {
        let value = match name {
            "note" | "reply" => {
                return self.note(address, name == "note", self.option("text").unwrap_or_default(), None);
            }
            "resolve" => self.flag("silently").then(|| "silently".to_owned()),
            "snooze" => self.option("for").map(str::to_owned),
            "invite" => self.option("who").map(str::to_owned),
            "label" => self.option("words").map(str::to_owned),
            "priority" => self.option("level").map(str::to_owned),
            "transfer" => match self.option("to") {
                Some(to) => Some(to.to_owned()),
                None => return Ok(Act::Open(Form::Transfer, String::new())),
            },
            _ => None,
        };
        let event = InboundEvent::Invoked { action: name.to_owned(), value, message: None };
        self.push(address, event, Some(name))
    }

    /// The entry in the menu of a message.
    fn of_message(&self, at: Option<Address>) -> Result<Act, TranslateError> {
        let target = id_of(self.data, "target_id")?;
        match at {
            Some(address) if address.thread.is_some() => {
                let message = Some(RemoteMessageId::from(target));
                let event = InboundEvent::Invoked { action: "ticket".into(), value: None, message };
                self.push(address, event, Some("ticket"))
            }
            // Somebody's words that stand elsewhere become a request of whoever chose them.
            _ => {
                let message = self.data.pointer(&format!("/resolved/messages/{target}"));
                let said = message.and_then(|message| text(message, "content")).unwrap_or_default();
                Ok(Act::Open(Form::Ask, said.to_owned()))
            }
        }
    }

    fn submitted(&self) -> Result<Act, TranslateError> {
        let (form, said) = Form::filled(self.data).ok_or_else(|| unknown("a form that is not ours"))?;
        let at = self.view.address(self.payload)?;
        if form == Form::Ask {
            return if said.is_empty() {
                Ok(Act::Tell(EMPTY))
            } else {
                self.asked(&said, at.is_some_and(|at| ids::is_direct(&at)))
            };
        }
        let Some(address) = at.filter(|at| at.thread.is_some()) else {
            return Ok(Act::Tell(ONLY_AT_THE_DESK));
        };
        let event = |action: &str, value: Option<String>| InboundEvent::Invoked {
            action: action.to_owned(),
            value,
            message: None,
        };
        match form {
            Form::Note => self.note(address, true, &said, None),
            Form::Ticket => {
                let ticket = event("ticket", None);
                if said.is_empty() {
                    return self.push(address, ticket, Some("ticket"));
                }
                let then = self.inbound(address.clone(), ticket)?;
                self.note(address, true, &said, Some(then))
            }
            Form::Transfer | Form::Invite | Form::Snooze | Form::Ask => {
                self.push(address, event(form.name(), Some(said)), Some(form.name()))
            }
        }
    }

    fn note(
        &self,
        address: Address,
        internal: bool,
        said: &str,
        then: Option<Inbound>,
    ) -> Result<Act, TranslateError> {
        if said.trim().is_empty() {
            return Ok(Act::Tell(EMPTY));
        }
        let names = Named { view: self.view, mentions: None };
        let text = markup::to_commonmark(said, &names);
        let id = RemoteEventId(format!("{}.n", self.id()?));
        let from = person(self.payload)?;
        let note = Box::new(Note { id, at: self.at()?, from, address, text, internal });
        Ok(Act::Note { note, then: then.map(Box::new) })
    }

    fn direct(&self, event: InboundEvent, shown: Option<String>, here: bool) -> Result<Act, TranslateError> {
        let direct = Direct { id: self.id()?, at: self.at()?, from: person(self.payload)?, event, shown };
        Ok(Act::Direct { direct: Box::new(direct), here })
    }

    fn push(
        &self,
        address: Address,
        event: InboundEvent,
        command: Option<&str>,
    ) -> Result<Act, TranslateError> {
        let inbound = self.inbound(address, event)?;
        Ok(Act::Push { inbound: Box::new(inbound), command: command.map(str::to_owned) })
    }

    fn inbound(&self, address: Address, event: InboundEvent) -> Result<Inbound, TranslateError> {
        let interaction = handle(self.payload).map(|handle| handle.interaction());
        Ok(Inbound {
            id: self.id()?,
            at: self.at()?,
            from: person(self.payload)?,
            address,
            event,
            interaction,
        })
    }

    fn id(&self) -> Result<RemoteEventId, TranslateError> {
        Ok(events::interaction(id_of(self.payload, "id")?))
    }

    fn at(&self) -> Result<Timestamp, TranslateError> {
        Ok(ids::time(id_of(self.payload, "id")?).unwrap_or(self.view.received))
    }

    fn find(&self, name: &str) -> Option<&Value> {
        let options = self.data.get("options")?.as_array()?;
        options.iter().find(|option| text(option, "name") == Some(name))?.get("value")
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.find(name)?.as_str().filter(|value| !value.trim().is_empty())
    }

    fn flag(&self, name: &str) -> bool {
        self.find(name) == Some(&Value::Bool(true))
    }
}
