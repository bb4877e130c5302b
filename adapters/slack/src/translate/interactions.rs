//! Buttons, commands, shortcuts and forms ("Handling user interaction"): what somebody asks for by one. Pure.
//!
//! Not here: opening a form or a direct message (`receive/acts.rs`), how forms look (`blocks`).

use deskbridge_contract::names;
use deskbridge_contract::{
    Address, Content, Inbound, InboundEvent, Interaction, RemoteEventId, RemoteMessageId, RemoteUserId,
    Sender, SenderKind, Timestamp, TranslateError,
};
use serde_json::Value;

use super::{View, content, malformed, text, unknown};
use crate::blocks::{self, Anchor, Filled, Given, Modal, Page, Pressed, Unfilled};
use crate::ids::{self, Handle, events};
use crate::markup;

/// What one interaction asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Pushed as it stands.
    Push(Box<Inbound>),
    /// Somebody's own matter, wherever they asked: it belongs into the direct messages with them.
    Direct(Box<Direct>),
    /// A form, at once: the trigger lives for three seconds.
    Open {
        trigger_id: String,
        view: Value,
    },
    /// A page of a conversation's history: opened by a trigger, or in the modal that is open.
    Show(Box<Show>),
    /// A note from a form: it is put into the thread, and then it is a message of its writer's. `then` follows it.
    Note {
        note: Box<Note>,
        then: Option<Box<Inbound>>,
    },
    /// The form stays open, and shows what is missing.
    Unfilled(Value),
    /// Said to this person alone.
    Tell(&'static str),
    Nothing,
}

/// Whoever wants to read more of a conversation than its card says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Show {
    /// The desk's thread.
    pub anchor: Anchor,
    pub user: RemoteUserId,
    pub page: Page,
    pub how: How,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Opened {
        trigger_id: String,
    },
    /// Turned to the page; only from the one that was shown, by its `hash`.
    Turned {
        view: String,
        hash: Option<String>,
    },
}

/// An event that has no address yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Direct {
    pub id: RemoteEventId,
    pub at: Timestamp,
    pub from: Sender,
    pub event: InboundEvent,
    pub interaction: Option<Interaction>,
    /// The words, to be shown where the answer comes: nobody wrote them there.
    pub shown: Option<String>,
    /// Asks for a person as well, not for the assistant.
    pub human: bool,
}

impl Direct {
    pub(crate) fn at(self, address: Address) -> Inbound {
        let Direct { id, at, from, event, interaction, shown: _, human: _ } = self;
        Inbound { id, at, from, address, event, interaction }
    }
}

/// A note from a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub id: RemoteEventId,
    pub at: Timestamp,
    pub from: Sender,
    pub address: Address,
    /// CommonMark.
    pub text: String,
}

impl Note {
    pub(crate) fn posted(self, message: RemoteMessageId, content: Content) -> Inbound {
        let Note { id, at, from, address, text: _ } = self;
        let event = InboundEvent::Posted { message, content, reply_to: None };
        Inbound { id, at, from, address, event, interaction: None }
    }
}

pub(crate) const USAGE: &str = "`/desk my question` asks IT · `/desk status` shows how your request stands · \
     `/desk human` calls a person · `/desk close` ends it · technicians: `/desk on`, `/desk busy`, `/desk off`";

const ONLY_AT_THE_DESK: &str = "This works in the threads of the technicians' channel only.";

/// What a payload asks for: an interaction by its `type`, a command by its name.
pub(crate) fn act(view: &View<'_>, payload: &Value) -> Result<Act, TranslateError> {
    let asked = Asked { view, payload };
    asked.check()?;
    match text(payload, "type") {
        Some("block_actions") => asked.pressed(),
        Some("view_submission") => asked.submitted(),
        Some("view_closed") => Ok(Act::Nothing),
        Some("message_action") => asked.message_shortcut(),
        Some("shortcut") => asked.shortcut(),
        Some(other) => Err(unknown(&format!("interaction {other}"))),
        None if payload.get("command").is_some() => asked.command(),
        None => Err(malformed("type")),
    }
}

struct Asked<'a> {
    view: &'a View<'a>,
    payload: &'a Value,
}

impl Asked<'_> {
    fn check(&self) -> Result<(), TranslateError> {
        let team = self.payload.get("team").and_then(|team| text(team, "id"));
        let team = team.or_else(|| text(self.payload, "team_id"));
        let of_the_organisation = self.payload.get("is_enterprise_install") == Some(&Value::Bool(true));
        match team {
            Some(team) if team == self.view.me.team_id => Ok(()),
            None if of_the_organisation => Ok(()),
            None => Err(malformed("team")),
            Some(_) => Err(malformed("an interaction of another workspace than the bot token's")),
        }
    }

    fn pressed(&self) -> Result<Act, TranslateError> {
        let actions = self.payload.get("actions").and_then(Value::as_array);
        let action = actions.and_then(|all| all.first()).ok_or_else(|| malformed("actions"))?;
        // An input that changed, a link that was followed: nothing is asked.
        let Some(pressed) = blocks::pressed(action) else { return Ok(Act::Nothing) };
        let from = self.person()?;
        let at = text(action, "action_ts").and_then(ids::time).unwrap_or(self.view.received);
        let place = self.place(self.payload.get("container").unwrap_or(&Value::Null));
        match (pressed, place) {
            (Pressed::Open(modal), Some((address, message))) => {
                let anchor = Anchor { address, message };
                self.open(modal, &anchor, self.words(modal).as_deref())
            }
            (Pressed::Open(modal), None) => self.open(modal, &self.own_place(&from), None),
            (Pressed::Show(page), place) => self.show(page, place, from),
            (Pressed::Act { action, value }, Some((address, message))) => {
                let event = InboundEvent::Invoked { action, value, message };
                let interaction = Some(self.handle().interaction());
                Ok(Act::Push(Box::new(Inbound { id: self.id()?, at, from, address, event, interaction })))
            }
            // The home tab: whatever is pressed there is the person's own matter.
            (Pressed::Act { action, value }, None) => {
                let event = InboundEvent::Invoked { action, value, message: None };
                self.direct(from, at, event, None, None)
            }
        }
    }

    /// From a card in the desk, or from the modal that was opened there.
    fn show(
        &self,
        page: Page,
        place: Option<(Address, Option<RemoteMessageId>)>,
        from: Sender,
    ) -> Result<Act, TranslateError> {
        let view = self.payload.get("view").filter(|view| view.is_object());
        let (anchor, how) = match (place, view) {
            (Some((address, message)), _) => {
                let trigger_id = text(self.payload, "trigger_id").ok_or_else(|| malformed("trigger_id"))?;
                (Anchor { address, message }, How::Opened { trigger_id: trigger_id.to_owned() })
            }
            (None, Some(view)) => {
                let kept = text(view, "private_metadata").and_then(|kept| serde_json::from_str(kept).ok());
                let anchor = kept.ok_or_else(|| malformed("private_metadata"))?;
                let id = text(view, "id").ok_or_else(|| malformed("view.id"))?.to_owned();
                (anchor, How::Turned { view: id, hash: text(view, "hash").map(str::to_owned) })
            }
            (None, None) => return Err(malformed("view")),
        };
        if !self.is_at_the_desk(&anchor.address) {
            return Err(malformed("a page of what is not in the desk"));
        }
        Ok(Act::Show(Box::new(Show { anchor, user: from.id, page, how })))
    }

    /// What comes back with a form was in somebody's hands.
    fn is_at_the_desk(&self, address: &Address) -> bool {
        address.channel == *self.view.channel
            && ids::place(address).is_ok()
            && self.view.is_desk(address.room.as_str())
    }

    /// The text of the message under which something was pressed, where the form is about it.
    fn words(&self, modal: Modal) -> Option<String> {
        let message = self.payload.get("message").filter(|message| message.is_object())?;
        matches!(modal, Modal::Ticket | Modal::Ask).then(|| content::read(self.view, message).text)
    }

    /// Where a form is opened that belongs to nothing yet: the person's own direct messages, named by the person.
    fn own_place(&self, from: &Sender) -> Anchor {
        Anchor { address: Address::room(self.view.channel, from.id.as_str()), message: None }
    }

    /// Where something was pressed, and on which message. What one person alone sees is no message of the thread's.
    fn place(&self, container: &Value) -> Option<(Address, Option<RemoteMessageId>)> {
        let channel = self.payload.get("channel").and_then(|channel| text(channel, "id"));
        let channel = channel.or_else(|| text(container, "channel_id")).filter(|id| ids::is_channel(id))?;
        let message = self.payload.get("message").unwrap_or(&Value::Null);
        let ts = text(container, "message_ts").or_else(|| text(message, "ts"));
        let ts = ts.or_else(|| text(self.payload, "message_ts")).filter(|ts| ids::is_ts(ts));
        let root = text(container, "thread_ts").or_else(|| text(message, "thread_ts"));
        let root = root.filter(|root| ids::is_ts(root));
        let ephemeral = container.get("is_ephemeral") == Some(&Value::Bool(true));
        let room = Address::room(self.view.channel, channel);
        let direct = ids::is_direct(&room);
        let place = match (root, ts) {
            (Some(root), _) if !direct || self.view.threads.holds(channel, root) => room.thread(root),
            // A card is the root of its thread.
            (None, Some(ts)) if !direct && !ephemeral => room.thread(ts),
            (_, Some(ts)) => self.view.place_of(channel, ts),
            (_, None) => room,
        };
        Some((place, ts.filter(|_| !ephemeral).map(RemoteMessageId::from)))
    }

    fn message_shortcut(&self) -> Result<Act, TranslateError> {
        let action = text(self.payload, "callback_id").ok_or_else(|| malformed("callback_id"))?.to_owned();
        let (address, message) = self.place(&Value::Null).ok_or_else(|| malformed("channel"))?;
        let from = self.person()?;
        let at = self.action_time();
        if self.view.is_desk(address.room.as_str()) {
            let event = InboundEvent::Invoked { action, value: None, message };
            let interaction = Some(self.handle().interaction());
            return Ok(Act::Push(Box::new(Inbound {
                id: self.id()?,
                at,
                from,
                address,
                event,
                interaction,
            })));
        }
        // Somebody's words that stand elsewhere become a request of whoever chose them.
        match Modal::named(&action) {
            Some(modal @ (Modal::Ticket | Modal::Ask)) => {
                self.open(modal, &self.own_place(&from), self.words(modal).as_deref())
            }
            _ => Ok(Act::Tell(ONLY_AT_THE_DESK)),
        }
    }

    fn shortcut(&self) -> Result<Act, TranslateError> {
        match text(self.payload, "callback_id") {
            Some("ask") => self.open(Modal::Ask, &self.own_place(&self.person()?), None),
            Some(other) => Err(unknown(&format!("shortcut {other}"))),
            None => Err(malformed("callback_id")),
        }
    }

    /// A form was sent. What it was opened for stands in its `private_metadata`.
    fn submitted(&self) -> Result<Act, TranslateError> {
        let view = self.payload.get("view").ok_or_else(|| malformed("view"))?;
        let (anchor, filled) = match blocks::filled(view) {
            Ok(filled) => filled,
            Err(Unfilled::Ask(errors)) => return Ok(Act::Unfilled(errors)),
            Err(Unfilled::Malformed) => return Err(unknown("a form that is not ours")),
        };
        // A form is sent once, whatever triggers it.
        let id = text(view, "id").ok_or_else(|| malformed("view.id"))?;
        let id = events::interaction(&self.view.me.team_id, id);
        let (from, at) = (self.person()?, self.view.received);
        let Anchor { address, message } = anchor;
        let at_the_desk = self.is_at_the_desk(&address);
        let invoked = |action: &str, value: Option<String>| Inbound {
            id: id.clone(),
            at,
            from: from.clone(),
            address: address.clone(),
            event: InboundEvent::Invoked { action: action.to_owned(), value, message: message.clone() },
            interaction: None,
        };
        let note = |text: String| Note {
            id: RemoteEventId(format!("{id}.n")),
            at,
            from: from.clone(),
            address: address.clone(),
            text,
        };
        match filled {
            Filled::Ask { text, human } => Ok(self.asked(id, from, text, human)),
            Filled::Ticket { text } if !at_the_desk => Ok(self.asked(id, from, text, false)),
            _ if !at_the_desk => Err(malformed("private_metadata")),
            Filled::Ticket { text } => {
                Ok(Act::Note { then: Some(Box::new(invoked("ticket", None))), note: Box::new(note(text)) })
            }
            Filled::Act { action: "note", value } => {
                Ok(Act::Note { note: Box::new(note(value)), then: None })
            }
            Filled::Act { action, value } => Ok(Act::Push(Box::new(invoked(action, Some(value))))),
        }
    }

    /// A request by a form.
    fn asked(&self, id: RemoteEventId, from: Sender, text: String, human: bool) -> Act {
        let message = ids::made(id.as_str());
        let event = InboundEvent::Posted { message, content: Content::text(text.clone()), reply_to: None };
        let at = self.view.received;
        let shown = Some(text);
        Act::Direct(Box::new(Direct { id, at, from, event, interaction: None, shown, human }))
    }

    /// `/desk …`. What is no word of ours is a question.
    fn command(&self) -> Result<Act, TranslateError> {
        let from = self.person()?;
        let at = self.view.received;
        let said = text(self.payload, "text").unwrap_or_default().trim();
        let word = said.to_lowercase();
        match word.as_str() {
            "" | "help" | "?" => Ok(Act::Tell(USAGE)),
            "on" | "busy" | "off" => {
                let event = InboundEvent::Invoked { action: word, value: None, message: None };
                self.direct(from, at, event, Some(self.handle().interaction()), None)
            }
            "status" | "human" | "close" | "new" => {
                self.said(from, at, Content::text(format!("/{word}")), None)
            }
            "talk to a human" | "talk to a technician" => self.said(from, at, Content::text("/human"), None),
            _ => {
                let names = self.view.people.names(self.view.me);
                let words = markup::read_mrkdwn(said, &names);
                self.said(from, at, Content::text(words.clone()), Some(words))
            }
        }
    }

    fn said(
        &self,
        from: Sender,
        at: Timestamp,
        content: Content,
        shown: Option<String>,
    ) -> Result<Act, TranslateError> {
        let message = ids::made(self.id()?.as_str());
        let event = InboundEvent::Posted { message, content, reply_to: None };
        self.direct(from, at, event, None, shown)
    }

    fn direct(
        &self,
        from: Sender,
        at: Timestamp,
        event: InboundEvent,
        interaction: Option<Interaction>,
        shown: Option<String>,
    ) -> Result<Act, TranslateError> {
        Ok(Act::Direct(Box::new(Direct {
            id: self.id()?,
            at,
            from,
            event,
            interaction,
            shown,
            human: false,
        })))
    }

    fn open(&self, modal: Modal, anchor: &Anchor, words: Option<&str>) -> Result<Act, TranslateError> {
        let trigger_id = text(self.payload, "trigger_id").ok_or_else(|| malformed("trigger_id"))?.to_owned();
        let given = Given { text: words.unwrap_or_default(), ..Given::default() };
        Ok(Act::Open { trigger_id, view: blocks::modal(modal, anchor, &given) })
    }

    /// A trigger is used once. What has none is told apart by its moment and its person.
    fn id(&self) -> Result<RemoteEventId, TranslateError> {
        let team = &self.view.me.team_id;
        if let Some(trigger) = text(self.payload, "trigger_id") {
            return Ok(events::interaction(team, trigger));
        }
        let first = self.payload.get("actions").and_then(|actions| actions.get(0));
        let moment = text(self.payload, "action_ts").or_else(|| text(first?, "action_ts"));
        let moment = moment.ok_or_else(|| malformed("trigger_id"))?;
        let (user, _) = self.user()?;
        Ok(events::interaction(team, &format!("{user}.{moment}")))
    }

    fn handle(&self) -> Handle {
        Handle {
            response_url: text(self.payload, "response_url").map(str::to_owned),
            trigger_id: text(self.payload, "trigger_id").map(str::to_owned),
        }
    }

    fn action_time(&self) -> Timestamp {
        text(self.payload, "action_ts").and_then(ids::time).unwrap_or(self.view.received)
    }

    /// The id of who asks, and what the payload itself says of them.
    fn user(&self) -> Result<(&str, &Value), TranslateError> {
        let user = self.payload.get("user").filter(|user| user.is_object());
        match user {
            Some(user) => Ok((text(user, "id").ok_or_else(|| malformed("user.id"))?, user)),
            None => Ok((text(self.payload, "user_id").ok_or_else(|| malformed("user_id"))?, self.payload)),
        }
    }

    fn person(&self) -> Result<Sender, TranslateError> {
        let (id, told) = self.user()?;
        let mut sender = self.view.person(id);
        if !self.view.people.knows(id) {
            let name = ["username", "user_name", "name"].into_iter().find_map(|key| text(told, key));
            sender.display_name = name.and_then(names::clean).or(sender.display_name);
            if told.is_object() && text(told, "team_id").is_some_and(|team| team != self.view.me.team_id) {
                sender.kind = SenderKind::External;
            }
        }
        Ok(sender)
    }
}
