//! Interactions: commands, components, modals, autocomplete, and what an app's answers do ("Receiving and Responding").
//! Who presses what is in `people`; how they are handed out, in `postman`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::compose::{Allowed, Draft};
use super::error::{Answer, ApiError, Good, refuse};
use super::ledger::Way;
use super::message::{Author, COMMAND, EPHEMERAL, LOADING, Message};
use super::params::{Params, Upload};
use super::parts;
use super::snowflake::Snowflake;
use super::world::World;

pub const COMMAND_CALL: u8 = 2;
pub const COMPONENT: u8 = 3;
pub const AUTOCOMPLETE: u8 = 4;
pub const SUBMISSION: u8 = 5;

/// How far the answer to an interaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Handed out, nothing said yet.
    Open,
    /// The person sees that something will come.
    Deferred,
    Answered,
}

#[derive(Debug, Clone)]
pub struct Interaction {
    pub id: Snowflake,
    pub app: Snowflake,
    pub token: String,
    /// Its type: a command, a component, autocomplete, a modal's submission.
    pub kind: u8,
    pub user: Snowflake,
    pub channel: Snowflake,
    /// The message whose component was used.
    pub source: Option<Snowflake>,
    /// As it was handed out.
    pub payload: Value,
    pub way: Way,
    pub(super) born: Instant,
    pub state: State,
    /// The message that was the first answer, or that it changed.
    pub original: Option<Snowflake>,
    /// Every message that answered it.
    pub answers: Vec<Snowflake>,
    /// The modal that was shown.
    pub modal: Option<Value>,
    /// What was offered for completion.
    pub choices: Option<Value>,
    /// How long the first answer took.
    pub took: Option<Duration>,
}

impl World {
    pub(super) fn metadata_json(&self, interaction: &Interaction) -> Value {
        let mut json = json!({
            "id": interaction.id, "type": interaction.kind, "user": self.user_json(interaction.user),
            "authorizing_integration_owners": interaction.payload["authorizing_integration_owners"],
        });
        if let Some(original) = interaction.original {
            json["original_response_message_id"] = json!(original);
        }
        if let Some(source) = interaction.source.filter(|_| interaction.kind == COMPONENT) {
            json["interacted_message_id"] = json!(source);
        }
        if interaction.kind == SUBMISSION {
            let by = json!({
                "id": interaction.id, "type": COMMAND_CALL, "user": self.user_json(interaction.user),
                "authorizing_integration_owners": interaction.payload["authorizing_integration_owners"],
            });
            json["triggering_interaction_metadata"] = by;
        }
        json
    }

    fn by_token(&self, app: Snowflake, token: &str) -> Result<&Interaction, ApiError> {
        let found = self.interactions.values().find(|it| it.app == app && it.token == token);
        let found = found.ok_or_else(|| ApiError::coded(50_027))?;
        if found.born.elapsed() > self.settings.interaction_life {
            return refuse(50_027);
        }
        // Before the first answer there is nothing that follows.
        if found.state == State::Open { refuse(10_015) } else { Ok(found) }
    }

    /// The message that `@original` or an id means.
    pub(super) fn answer_of(
        &self,
        app: Snowflake,
        token: &str,
        which: &str,
    ) -> Result<(Snowflake, Snowflake), ApiError> {
        let found = self.by_token(app, token)?;
        let id = match which {
            "@original" => found.original.ok_or_else(|| ApiError::coded(10_008))?,
            id => id.parse().map_err(|_| ApiError::coded(10_008))?,
        };
        let own = found.original == Some(id) || found.answers.contains(&id);
        if !own {
            return refuse(10_008);
        }
        self.message_known(found.channel, id)?;
        Ok((found.channel, id))
    }

    /// A deferred answer has come.
    pub(super) fn settle_answer(&mut self, message: Snowflake) {
        for interaction in self.interactions.values_mut().filter(|it| it.original == Some(message)) {
            if interaction.state == State::Deferred {
                interaction.state = State::Answered;
            }
        }
    }

    /// A follow-up; the first one after a deferral takes the place of "is thinking".
    pub(super) fn follow_up(&mut self, app: Snowflake, params: &Params) -> Answer {
        let found = self.by_token(app, params.at("webhook_token"))?.clone();
        let loading = found.original.filter(|_| found.state == State::Deferred);
        let loading = loading.filter(|id| {
            self.message(found.channel, *id).is_some_and(|message| message.flags & LOADING != 0)
        });
        let id = if let Some(id) = loading {
            self.revise(found.channel, id, &params.body, &params.files, &Allowed::people())?;
            self.settle_answer(id);
            id
        } else {
            self.answer_with(found.id, &params.body, &params.files)?
        };
        let message = self.message_known(found.channel, id)?;
        Good::with(self.message_json(message, app))
    }

    /// Posts an answer, for everybody or for one.
    fn answer_with(
        &mut self,
        interaction: Snowflake,
        body: &Value,
        files: &[Upload],
    ) -> Result<Snowflake, ApiError> {
        let draft = Draft::read(body, files.len(), &Allowed::people())?;
        let found = self.interactions.get(&interaction).ok_or_else(|| ApiError::coded(10_062))?.clone();
        let bot = self.app(found.app).bot;
        let mut message = self.message_from(found.channel, Author::User(bot), &draft, files, body)?;
        message.interaction = Some(interaction);
        if message.flags & EPHEMERAL != 0 {
            message.only_for = Some(found.user);
        }
        let first = found.original.is_none() && found.state == State::Open;
        if found.kind == COMMAND_CALL && first {
            message.kind = COMMAND;
        }
        let id = self.place(message);
        self.note_answer(interaction, id, first);
        Ok(id)
    }

    fn note_answer(&mut self, interaction: Snowflake, id: Snowflake, first: bool) {
        if let Some(found) = self.interactions.get_mut(&interaction) {
            found.answers.push(id);
            if first {
                found.original = Some(id);
            }
        }
    }

    /// The first answer, by HTTP or in the response.
    ///
    /// # Errors
    /// `10062` too late, `40060` a second one, `50035` not fitting.
    pub(super) fn respond(&mut self, id: Snowflake, body: &Value, files: &[Upload]) -> Result<(), ApiError> {
        let found = self.interactions.get(&id).ok_or_else(|| ApiError::coded(10_062))?.clone();
        if found.state != State::Open {
            return refuse(40_060);
        }
        let took = found.born.elapsed();
        if took > self.settings.interaction_deadline {
            return refuse(10_062);
        }
        let data = &body["data"];
        let state = match (body["type"].as_u64(), found.kind) {
            (Some(4), COMMAND_CALL | COMPONENT | SUBMISSION) => {
                self.answer_with(id, data, files)?;
                State::Answered
            }
            (Some(5), COMMAND_CALL | COMPONENT | SUBMISSION) => {
                self.show_thinking(&found, data);
                State::Deferred
            }
            (Some(6), COMPONENT | SUBMISSION) if found.source.is_some() => {
                self.set_original(id, found.source);
                State::Deferred
            }
            (Some(7), COMPONENT | SUBMISSION) if found.source.is_some() => {
                let source = found.source.unwrap_or_default();
                self.revise(found.channel, source, data, files, &Allowed::people())?;
                self.set_original(id, found.source);
                State::Answered
            }
            (Some(8), AUTOCOMPLETE) => {
                let choices = choices_of(data)?;
                self.interactions.entry(id).and_modify(|it| it.choices = Some(choices));
                State::Answered
            }
            (Some(9), COMMAND_CALL | COMPONENT) => {
                let modal = parts::modal(data)?;
                self.interactions.entry(id).and_modify(|it| it.modal = Some(modal));
                State::Answered
            }
            _ => {
                let text = "The type of the answer does not fit the interaction.";
                return Err(ApiError::form("type", "INTERACTION_TYPE_INVALID", text));
            }
        };
        self.interactions.entry(id).and_modify(|it| {
            (it.state, it.took) = (state, Some(took));
        });
        Ok(())
    }

    fn set_original(&mut self, id: Snowflake, source: Option<Snowflake>) {
        self.interactions.entry(id).and_modify(|it| it.original = source);
    }

    fn show_thinking(&mut self, found: &Interaction, data: &Value) {
        let bot = self.app(found.app).bot;
        let mut message = Message::new(found.channel, Author::User(bot), "");
        let ephemeral = data["flags"].as_u64().unwrap_or(0) & EPHEMERAL;
        message.flags = LOADING | ephemeral;
        message.only_for = (ephemeral != 0).then_some(found.user);
        message.interaction = Some(found.id);
        if found.kind == COMMAND_CALL {
            message.kind = COMMAND;
        }
        let id = self.place(message);
        self.note_answer(found.id, id, true);
    }

    /// `with_response`: what became of a callback.
    pub(super) fn callback_json(&self, id: Snowflake, kind: u64) -> Value {
        let Some(found) = self.interactions.get(&id) else { return Value::Null };
        let original = found.original.filter(|_| matches!(kind, 4..=7));
        let loading = found.state == State::Deferred;
        let mut json = json!({
            "interaction": {
                "id": id, "type": found.kind, "response_message_id": original,
                "response_message_loading": loading, "response_message_ephemeral": false,
                "channel_id": found.channel,
            },
        });
        let message = original.and_then(|message| self.message(found.channel, message));
        if let Some(message) = message {
            json["interaction"]["response_message_ephemeral"] = json!(message.only_for.is_some());
            json["resource"] = json!({ "type": kind, "message": self.message_json(message, found.app) });
        } else {
            let interaction = json["interaction"].as_object_mut();
            interaction.into_iter().for_each(|fields| fields.retain(|_, value| !value.is_null()));
        }
        json
    }
}

/// Up to 25 choices.
fn choices_of(data: &Value) -> Result<Value, ApiError> {
    let choices = data["choices"].as_array().ok_or_else(|| ApiError::required("data.choices"))?;
    if choices.len() > 25 {
        return Err(ApiError::too_long("data.choices", 25));
    }
    for (at, choice) in choices.iter().enumerate() {
        let path = format!("data.choices.{at}");
        let length = choice["name"].as_str().map_or(0, |name| name.chars().count());
        if !(1..=100).contains(&length) {
            let text = "Must be between 1 and 100 in length.";
            return Err(ApiError::form(&format!("{path}.name"), "BASE_TYPE_BAD_LENGTH", text));
        }
        if choice["value"].as_str().is_some_and(|value| value.chars().count() > 100) {
            return Err(ApiError::too_long(&format!("{path}.value"), 100));
        }
    }
    Ok(data["choices"].clone())
}
