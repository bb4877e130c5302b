//! The handle of `drive` as JSON over HTTP under `/_control/`, for scripts in other languages.
//! No verb here does anything that the handle cannot.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::chat::{ChatId, ChatKind, Rights, Standing, User, UserId};
use super::files::TINY_PNG;
use super::message::{Author, MediaKind, Message};
use super::people::{Drive, Post};
use super::world::{Shared, World};
use crate::http::{self, Hangup, Reply};

const MAX_BODY: usize = 64 << 20;

/// Answers `{"ok":true,"result":…}`, or 400 with what was wrong.
pub(super) async fn answer(shared: &Shared, verb: &str, request: Request<Incoming>) -> Reply {
    let body = to_bytes(Body::new(request.into_body()), MAX_BODY).await.map_err(|_| Hangup)?;
    let given = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&body) };
    let done = match given {
        Ok(given) if verb == "wait_calls" => wait_calls(shared, &Given(given)).await,
        Ok(given) => {
            let given = Given(given);
            shared.change(|world| act(world, verb, &given))
        }
        Err(error) => Err(error.to_string()),
    };
    Ok(match done {
        Ok(result) => http::json(200, &json!({ "ok": true, "result": result })),
        Err(mistake) => http::json(400, &json!({ "ok": false, "description": mistake })),
    })
}

struct Given(Value);

impl Given {
    fn need<T: DeserializeOwned>(&self, name: &str) -> Drive<T> {
        let value = self.0.get(name).cloned().ok_or_else(|| format!("{name} is missing"))?;
        serde_json::from_value(value).map_err(|error| format!("{name}: {error}"))
    }

    fn may<T: DeserializeOwned>(&self, name: &str) -> Drive<Option<T>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.need(name).map(Some),
        }
    }

    fn post(&self) -> Drive<Post> {
        let text: String = self.may("text")?.unwrap_or_default();
        let mut post = match self.may::<Value>("file")? {
            Some(file) => file_post(&Given(file))?.caption(text),
            None => match self.may::<Value>("fields")? {
                Some(fields) => Post::other(fields),
                None => Post::text(text),
            },
        };
        if let Some(entities) = self.may("entities")? {
            post = post.entities(entities);
        }
        if let Some(message) = self.may("reply_to")? {
            post = post.reply_to(message);
        }
        Ok(post)
    }

    fn author(&self) -> Drive<Author> {
        Ok(self.may("user")?.map_or(Author::Anonymous, Author::User))
    }
}

/// `{"kind":"document","name":…,"mime":…,"content":…|"content_hex":…,"size":…}`; a photo without content is a pixel.
fn file_post(file: &Given) -> Drive<Post> {
    let kind: MediaKind = file.need("kind")?;
    let (name, mime): (Option<String>, Option<String>) = (file.may("name")?, file.may("mime")?);
    let content = match (file.may::<String>("content")?, file.may::<String>("content_hex")?) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(hexed)) => hex::decode(hexed).map_err(|error| error.to_string())?,
        (None, None) => TINY_PNG.to_vec(),
    };
    let post = Post::file(kind, name.as_deref(), mime.as_deref(), content);
    Ok(match file.may("size")? {
        Some(size) => post.declared_size(size),
        None => post,
    })
}

/// Waits until `count` calls of `method` were answered; tells how many there are.
async fn wait_calls(shared: &Shared, given: &Given) -> Drive<Value> {
    let (method, count): (String, usize) = (given.need("method")?, given.need("count")?);
    let timeout = Duration::from_millis(given.may("timeout_ms")?.unwrap_or(10_000));
    let answered = |world: &World| {
        let answered = world.requests(&method).into_iter().filter(|call| call.answered_at.is_some()).count();
        (answered >= count).then_some(answered)
    };
    shared.wait_for(timeout, answered).await.map(Value::from).map_err(|timed_out| timed_out.to_string())
}

fn act(world: &mut World, verb: &str, given: &Given) -> Drive<Value> {
    match verb {
        "report" => Ok(json!(world.report())),
        "token" => Ok(json!(world.settings.token)),
        "fault" => {
            world.faults.add(serde_json::from_value(given.0.clone()).map_err(|error| error.to_string())?);
            Ok(Value::Null)
        }
        "clear_faults" => {
            world.faults.clear();
            Ok(Value::Null)
        }
        "settings" => set(world, given),
        "raw_update" => Ok(json!(world.updates.push_raw(given.need("update")?))),
        "redeliver" => Ok(json!(world.updates.redeliver(given.need("update_id")?))),
        "jump_update_ids" => {
            world.updates.jump_to(given.need("next")?);
            Ok(Value::Null)
        }
        "calls" | "deliveries" | "violations" | "confirmed" | "messages" | "topics" | "forget" => {
            look(world, verb, given)
        }
        _ => play(world, verb, given),
    }
}

fn set(world: &mut World, given: &Given) -> Drive<Value> {
    let mut settings = serde_json::to_value(&world.settings).map_err(|error| error.to_string())?;
    for (name, value) in given.0.as_object().into_iter().flatten() {
        if settings.get(name).is_none() || name == "token" || name == "bot_username" {
            return Err(format!("{name} cannot be set"));
        }
        settings[name] = value.clone();
    }
    world.settings = serde_json::from_value(settings).map_err(|error| error.to_string())?;
    world.updates.time_scale = world.settings.time_scale;
    Ok(Value::Null)
}

fn look(world: &mut World, verb: &str, given: &Given) -> Drive<Value> {
    Ok(match verb {
        "calls" => {
            let method: Option<String> = given.may("method")?;
            let since: usize = given.may("since")?.unwrap_or(0);
            let wanted = |call: &&super::ledger::Call| {
                method.as_deref().is_none_or(|method| call.method.eq_ignore_ascii_case(method))
            };
            world.ledger.calls.iter().skip(since).filter(wanted).map(super::ledger::Call::json).collect()
        }
        "deliveries" => json!(world.ledger.deliveries),
        "violations" => json!(world.ledger.violations),
        "confirmed" => json!(world.ledger.confirmed),
        "topics" => world.topics(given.need("chat")?).iter().map(|topic| topic.json()).collect(),
        "forget" => {
            world.ledger.forget();
            Value::Null
        }
        _ => {
            let messages = world.messages_in(given.need("chat")?, given.may("thread")?);
            let shown = |message: &&Message| {
                let mut object = world.message_json(message);
                object["_reactions"] = json!(message.reactions);
                object["_earlier"] = json!(message.earlier);
                object
            };
            messages.iter().map(shown).collect()
        }
    })
}

fn play(world: &mut World, verb: &str, given: &Given) -> Drive<Value> {
    let chat = || given.need::<ChatId>("chat");
    let user = || given.need::<UserId>("user");
    let unit = |()| Value::Null;
    match verb {
        "user" => {
            let mut user = User::named(given.need("id")?, given.need::<String>("name")?);
            user.username = given.may("username")?;
            user.language_code = given.may("language_code")?;
            user.is_bot = given.may("is_bot")?.unwrap_or(false);
            world.add_user(user);
            Ok(Value::Null)
        }
        "forum" => {
            let bot = Standing::Administrator(Rights::default());
            let id = world.add_chat(ChatKind::Supergroup, &given.need::<String>("title")?, bot);
            world.known_chat(id)?.is_forum = true;
            Ok(json!(id))
        }
        "group" => {
            let kind = given.may("kind")?.unwrap_or(ChatKind::Group);
            Ok(json!(world.add_chat(kind, &given.need::<String>("title")?, Standing::Member)))
        }
        "appoint" => world.appoint(chat()?, user()?, given.may("rights")?).map(unit),
        "private_message" => world.say(given.author()?, user()?, None, &given.post()?, None).map(Value::from),
        "message" => {
            world.say(given.author()?, chat()?, given.may("thread")?, &given.post()?, None).map(Value::from)
        }
        "edit_message" => {
            let text: Option<String> = given.may("text")?;
            world.change_message(chat()?, given.need("message")?, text.as_deref()).map(unit)
        }
        "press" => {
            let button: String = given.need("button")?;
            world.press(user()?, chat()?, given.need("message")?, &button).map(Value::from)
        }
        "press_forged" => {
            let data: String = given.need("data")?;
            world.press_data(user()?, chat()?, given.need("message")?, &data).map(Value::from)
        }
        "react" => {
            let emoji: Option<String> = given.may("emoji")?;
            world.react(user()?, chat()?, given.need("message")?, emoji.as_deref()).map(unit)
        }
        "open_topic" | "close_topic" | "reopen_topic" | "delete_topic" => play_topic(world, verb, given),
        "delete_message" => {
            let id: i64 = given.need("message")?;
            let message = world.known_chat(chat()?)?.messages.get_mut(&id).ok_or("no such message")?;
            message.deleted = true;
            Ok(Value::Null)
        }
        "block" => Ok(json!(world.set_bot_standing(user()?, user()?, Standing::Kicked))),
        "unblock" => Ok(json!(world.set_bot_standing(user()?, user()?, Standing::Member))),
        "bot_standing" => Ok(json!(world.set_bot_standing(chat()?, user()?, given.need("standing")?))),
        "migrate" => world.migrate(chat()?).map(Value::from),
        _ => Err(format!("no verb {verb}")),
    }
}

fn play_topic(world: &mut World, verb: &str, given: &Given) -> Drive<Value> {
    let chat: ChatId = given.need("chat")?;
    if verb == "delete_topic" {
        world.remove_topic(chat, given.need("thread")?);
        return Ok(Value::Null);
    }
    let user: UserId = given.need("user")?;
    if verb == "open_topic" {
        return world.open_topic(user, chat, &given.need::<String>("name")?).map(Value::from);
    }
    world.shut_topic(user, chat, given.need("thread")?, verb == "close_topic").map(|()| Value::Null)
}
