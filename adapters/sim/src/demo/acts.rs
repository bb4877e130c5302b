//! What the visitor does, in the name of one of the people.
//!
//! Not here: uploads, and what comes of an act; the page sees that live like everybody.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use deskbridge_contract::{Address, Content, RemoteMessageId, ThreadId};
use serde::{Deserialize, Serialize};

use super::{Demo, Side};
use crate::people::{Pushed, SimError};
use crate::world::World;

/// Another site could post a form here; it cannot set this header without being asked by the browser first.
const MARK: &str = "x-deskbridge-demo";

pub(super) async fn only_from_the_page(request: Request, next: Next) -> Response {
    if request.headers().contains_key(MARK) {
        return next.run(request).await;
    }
    refusal(StatusCode::FORBIDDEN, format!("only the demo page may do this (header {MARK})"))
}

fn refusal(status: StatusCode, error: String) -> Response {
    #[derive(Serialize)]
    struct Refusal {
        error: String,
    }
    (status, Json(Refusal { error })).into_response()
}

/// Why an act was not done.
pub(super) enum ActError {
    NoSuchPerson,
    Bad(String),
    Sim(SimError),
}

impl From<SimError> for ActError {
    fn from(error: SimError) -> Self {
        ActError::Sim(error)
    }
}

impl IntoResponse for ActError {
    fn into_response(self) -> Response {
        match self {
            ActError::NoSuchPerson => {
                refusal(StatusCode::FORBIDDEN, "nobody of that name is in the demo".to_owned())
            }
            ActError::Bad(why) => refusal(StatusCode::UNPROCESSABLE_ENTITY, why),
            ActError::Sim(error @ SimError::Push(_)) => {
                refusal(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            ActError::Sim(error @ SimError::Nothing(_)) => refusal(StatusCode::NOT_FOUND, error.to_string()),
        }
    }
}

/// What the page is told; everything else it sees live.
#[derive(Serialize)]
pub(super) struct Done {
    message: Option<RemoteMessageId>,
    toast: Option<String>,
}

pub(super) type Answer = Result<Json<Done>, ActError>;

pub(super) fn done(pushed: Pushed) -> Answer {
    Ok(Json(Done { message: pushed.message, toast: pushed.receipt.toast.map(|t| t.text) }))
}

/// Who acts, and in which thread of the desk room.
#[derive(Deserialize)]
pub(super) struct Actor {
    pub(super) who: String,
    pub(super) thread: Option<ThreadId>,
}

impl Demo {
    /// Where a person is: requesters in their private room, technicians in the desk room.
    pub(super) fn place(&self, actor: &Actor) -> Result<(&World, Address), ActError> {
        let known = self.people.iter().find(|p| p.id.as_str() == actor.who);
        let known = known.ok_or(ActError::NoSuchPerson)?;
        match known.side {
            Side::Requester => Ok(self.home_of(known)),
            Side::Technician => {
                Ok((&self.desk, Address { thread: actor.thread.clone(), ..self.desk_room.clone() }))
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Say {
    #[serde(flatten)]
    actor: Actor,
    text: String,
    reply_to: Option<RemoteMessageId>,
}

pub(super) async fn say(State(demo): State<Arc<Demo>>, Json(ask): Json<Say>) -> Answer {
    let (world, at) = demo.place(&ask.actor)?;
    let text = ask.text.trim();
    if text.is_empty() {
        return Err(ActError::Bad("there is nothing to say".to_owned()));
    }
    done(world.post(&ask.actor.who, &at, Content::text(text), ask.reply_to).await?)
}

/// A button under a message, or under something whispered.
#[derive(Deserialize)]
pub(super) struct Press {
    #[serde(flatten)]
    actor: Actor,
    message: Option<RemoteMessageId>,
    whisper: Option<usize>,
    action: String,
}

pub(super) async fn press(State(demo): State<Arc<Demo>>, Json(ask): Json<Press>) -> Answer {
    let (world, at) = demo.place(&ask.actor)?;
    match (ask.message, ask.whisper) {
        (Some(message), None) => done(world.press(&ask.actor.who, &at, &message, &ask.action).await?),
        (None, Some(number)) => done(world.press_whisper(&ask.actor.who, number, &ask.action).await?),
        _ => Err(ActError::Bad("name either a message or a whisper".to_owned())),
    }
}

#[derive(Deserialize)]
pub(super) struct React {
    #[serde(flatten)]
    actor: Actor,
    message: RemoteMessageId,
    emoji: String,
    on: bool,
}

pub(super) async fn react(State(demo): State<Arc<Demo>>, Json(ask): Json<React>) -> Answer {
    let (world, at) = demo.place(&ask.actor)?;
    if ask.emoji.is_empty() || ask.emoji.chars().count() > 8 {
        return Err(ActError::Bad("that is not an emoji".to_owned()));
    }
    done(world.react(&ask.actor.who, &at, &ask.message, &ask.emoji, ask.on).await?)
}

#[derive(Deserialize)]
pub(super) struct Edit {
    #[serde(flatten)]
    actor: Actor,
    message: RemoteMessageId,
    text: String,
}

pub(super) async fn edit(State(demo): State<Arc<Demo>>, Json(ask): Json<Edit>) -> Answer {
    let (world, at) = demo.place(&ask.actor)?;
    let text = ask.text.trim();
    if text.is_empty() {
        return Err(ActError::Bad("there is nothing to say".to_owned()));
    }
    done(world.edit(&ask.actor.who, &at, &ask.message, text).await?)
}

#[derive(Deserialize)]
pub(super) struct OnMessage {
    #[serde(flatten)]
    actor: Actor,
    message: RemoteMessageId,
}

pub(super) async fn delete(State(demo): State<Arc<Demo>>, Json(ask): Json<OnMessage>) -> Answer {
    let (world, at) = demo.place(&ask.actor)?;
    done(world.delete(&ask.actor.who, &at, &ask.message).await?)
}

pub(super) async fn read(State(demo): State<Arc<Demo>>, Json(ask): Json<OnMessage>) -> Answer {
    let (world, at) = demo.place(&ask.actor)?;
    done(world.read(&ask.actor.who, &at, &ask.message).await?)
}

pub(super) async fn typing(State(demo): State<Arc<Demo>>, Json(actor): Json<Actor>) -> Answer {
    let (world, at) = demo.place(&actor)?;
    done(world.type_something(&actor.who, &at).await?)
}
