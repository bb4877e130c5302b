//! `conversations/{conversation}/actions/{verb}`: the verbs of every surface, through the same parser.
//!
//! Not here: what a verb does, and who may use it (the core).

use std::sync::Arc;

use axum::http::StatusCode;
use deskbridge_conversation::verbs::{Names, Parsed, from_action};
use deskbridge_conversation::{DeskEvent, PostIntent, Verb};

use super::Api;
use super::apply::{Outcome, Wish};
use super::call::{Answer, Call};
use super::messages;
use crate::http::problem::Problem;

/// A verb and the field of the body that it takes.
struct Known {
    verb: &'static str,
    takes: Option<&'static str>,
    needed: bool,
    else_say: &'static str,
}

const fn bare(verb: &'static str) -> Known {
    Known { verb, takes: None, needed: false, else_say: "" }
}

const KNOWN: [Known; 27] = [
    bare("accept"),
    bare("decline"),
    Known { verb: "reply", takes: Some("message"), needed: true, else_say: "`message` is the text" },
    Known { verb: "note", takes: Some("message"), needed: true, else_say: "`message` is the text" },
    Known {
        verb: "transfer",
        takes: Some("to"),
        needed: true,
        else_say: "`to` is one technician, like @ana, or one queue, like #network",
    },
    Known { verb: "invite", takes: Some("to"), needed: true, else_say: "`to` is one technician, like @ana" },
    bare("leave"),
    bare("backup"),
    bare("join"),
    Known {
        verb: "snooze",
        takes: Some("for"),
        needed: false,
        else_say: "`for` is a time like 30m, 2h, 1d or tomorrow",
    },
    bare("ticket"),
    Known {
        verb: "priority",
        takes: Some("level"),
        needed: true,
        else_say: "`level` is normal, high, urgent, critical or a number from 0 to 255",
    },
    Known {
        verb: "label",
        takes: Some("labels"),
        needed: true,
        else_say: "`labels` are words like `vpn`, with `-` before those to take off",
    },
    bare("summary"),
    bare("suggest"),
    bare("handback"),
    Known { verb: "resolve", takes: Some("silently"), needed: false, else_say: "" },
    bare("reopen"),
    bare("csat"),
    bare("info"),
    bare("help"),
    bare("undo"),
    Known {
        verb: "send",
        takes: Some("message"),
        needed: true,
        else_say: "`message` is the id of a message of this conversation that was kept internal",
    },
    bare("takeover"),
    bare("on"),
    bare("busy"),
    bare("off"),
];

/// The names that the path knows, for the description.
pub fn verbs() -> Vec<&'static str> {
    KNOWN.iter().map(|known| known.verb).collect()
}

pub async fn act(api: Arc<Api>, call: Call) -> Answer {
    let known = KNOWN.iter().find(|known| known.verb == call.part("verb")).ok_or_else(Problem::not_found)?;
    let id = call.conversation()?;
    // Whether it exists comes before whether the request is in order.
    api.seen(&call).await?;
    call.caller.acts()?;
    let argument = argument(known, &call)?;
    match api.read(known, argument.as_deref())? {
        Parsed::Note { .. } => messages::post(api, call, PostIntent::Note, "message").await,
        Parsed::Reply { .. } => messages::post(api, call, PostIntent::Reply, "message").await,
        Parsed::Bad { .. } => Err(Problem::bad("argument", known.else_say)),
        Parsed::Verb(verb) => {
            // Which of its own messages may be sent the core knows; others are none of this conversation's business.
            if matches!(&verb, Verb::Send { message } if message.conversation != id) {
                return Err(Problem::bad("argument", known.else_say));
            }
            api.use_verb(&call, verb, StatusCode::OK).await
        }
    }
}

/// The one argument of the verb. Fields that it does not take are refused, not ignored.
fn argument(known: &Known, call: &Call) -> Result<Option<String>, Problem> {
    if let Some(other) = call.fields.keys().find(|name| Some(name.as_str()) != known.takes) {
        return Err(Problem::bad("argument", format!("this verb takes no `{other}`")));
    }
    let argument = match known.takes {
        Some("silently") => call.flag("silently").then(|| "silently".to_owned()),
        Some(name) => call.text(name).map(str::to_owned),
        None => None,
    };
    if known.needed && argument.is_none() {
        return Err(Problem::bad("argument", known.else_say));
    }
    Ok(argument)
}

impl Api {
    fn read(&self, known: &Known, argument: Option<&str>) -> Result<Parsed, Problem> {
        let policy = self.bridge.policy.current();
        let available = |who: &deskbridge_conversation::TechnicianId| self.bridge.board.is_available(who);
        let names = Names::new(&policy.policy, &available);
        from_action(known.verb, argument, &names).ok_or_else(Problem::not_found)
    }

    pub async fn use_verb(&self, call: &Call, verb: Verb, status: StatusCode) -> Answer {
        let wish = Wish { what: DeskEvent::Verb { verb }, text: None, files: Vec::new() };
        match self.carry_out(call, wish).await? {
            Outcome::Done(done) => self.answer(call, status, &done.conversation, None, done.toast).await,
            Outcome::Replayed(conversation) => self.replay(call, &conversation).await,
        }
    }
}

/// `conversations/{conversation}/suggestions`: a draft for the caller; it comes as a message that only they see.
pub async fn suggest(api: Arc<Api>, call: Call) -> Answer {
    api.seen(&call).await?;
    api.use_verb(&call, Verb::Suggest, StatusCode::ACCEPTED).await
}

/// `POST conversations/{conversation}/ticket`
pub async fn open_ticket(api: Arc<Api>, call: Call) -> Answer {
    api.seen(&call).await?;
    api.use_verb(&call, Verb::Ticket, StatusCode::ACCEPTED).await
}

#[cfg(test)]
mod tests {
    use deskbridge_conversation::Policy;

    use super::*;

    #[test]
    fn every_verb_of_the_parser_is_known_here() {
        let policy = Policy::default();
        let names = Names::new(&policy, &|_| false);
        for known in &KNOWN {
            assert!(from_action(known.verb, None, &names).is_some(), "{}", known.verb);
            assert_eq!(known.takes.is_none() || known.takes == Some("silently"), known.else_say.is_empty());
        }
        for verb in verbs() {
            assert!(KNOWN.iter().any(|known| known.verb == verb));
        }
    }
}
