//! The webhook of each forum by which requesters speak under their own names ("Webhook").
//!
//! Not here: posting by it (`posts.rs`). Its token is a secret and lies on the shelf as one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use deskbridge_contract::{SendError, Shelf};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{Author, Sending};
use crate::api::{Fault, code};
use crate::ids::{self, Place};

const NAME: &str = "deskbridge";

#[derive(Clone)]
pub(crate) struct Hook {
    pub id: String,
    token: SecretString,
}

impl Hook {
    fn new(id: &str, token: &str) -> Option<Hook> {
        let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let token_ok = (1..=256).contains(&token.len()) && token.chars().all(sound) && !token.contains("..");
        (ids::is_snowflake(id) && token_ok)
            .then(|| Hook { id: id.to_owned(), token: token.to_owned().into() })
    }

    pub(super) fn token(&self) -> &str {
        self.token.expose_secret()
    }

    fn read(value: &Value) -> Option<Hook> {
        Hook::new(value["id"].as_str()?, value["token"].as_str()?)
    }
}

/// Who wrote a message of ours in a post, and so may change it.
pub(super) enum Writer {
    Bot,
    Hook(Hook),
    /// A webhook that the forum has no more.
    Gone,
}

#[derive(Default)]
pub(super) struct Hooks(Mutex<HashMap<String, Hook>>);

fn key(forum: &str) -> String {
    format!("{}webhook:{forum}", Shelf::SECRET)
}

impl Sending {
    /// The forum's webhook of ours: known, found, or made.
    pub(super) async fn hook(&self, forum: &str) -> Result<Hook, Fault> {
        if let Some(known) = self.known_hook(forum) {
            return Ok(known);
        }
        if let Some(shelf) = self.shelf()
            && let Ok(Some(kept)) = shelf.get(&key(forum)).await
            && let Some((id, token)) = kept.split_once('/')
            && let Some(hook) = Hook::new(id, token)
        {
            self.keep(forum, &hook);
            return Ok(hook);
        }
        let me = self.me().await?;
        let route = format!("channels/{forum}/webhooks");
        let all = self.api.get(route.clone(), &[]).await?;
        let ours = |hook: &&Value| hook["application_id"] == me.application.as_str();
        let found = all.as_array().into_iter().flatten().filter(ours).find_map(Hook::read);
        let hook = match found {
            Some(hook) => hook,
            None => {
                let made = self.api.post(route, json!({ "name": NAME })).await?;
                Hook::read(&made).ok_or_else(|| SendError::rejected("Discord made no webhook"))?
            }
        };
        self.keep(forum, &hook);
        if let Some(shelf) = self.shelf()
            && let Err(error) = shelf.put(&key(forum), &format!("{}/{}", hook.id, hook.token())).await
        {
            tracing::debug!(channel = %self.api.channel(), %error, "a webhook was not noted");
        }
        Ok(hook)
    }

    /// Whether a message was written by a webhook of ours, which alone may change it. What is not remembered is asked.
    pub(super) async fn writer(&self, place: Place<'_>, message: &str) -> Result<Writer, Fault> {
        let Some(forum) = place.forum else { return Ok(Writer::Bot) };
        // The post's first message is the card.
        if message == place.channel {
            return Ok(Writer::Bot);
        }
        let id = match self.authors.of(message) {
            Some(Author::Hook(id)) => id,
            Some(Author::Person { .. }) => return Ok(Writer::Bot),
            Some(Author::Us) | None => {
                let route = format!("channels/{}/messages/{message}", place.channel);
                let found = match self.api.get(route, &[]).await {
                    Ok(found) => found,
                    Err(fault) if fault.is(&[code::UNKNOWN_MESSAGE]) => return Ok(Writer::Bot),
                    Err(fault) => return Err(Fault { code: fault.code, error: fault.harmless() }),
                };
                let me = self.me().await?;
                // An answer to an interaction names the application there, and is the bot's.
                match found["webhook_id"].as_str().filter(|_| found["author"]["id"] != me.user.as_str()) {
                    Some(id) => id.to_owned(),
                    None => return Ok(Writer::Bot),
                }
            }
        };
        let hook = self.hook(forum).await?;
        Ok(if hook.id == id { Writer::Hook(hook) } else { Writer::Gone })
    }

    /// What a webhook could not do. One that is gone is forgotten: the next attempt sees that it is.
    pub(super) async fn by_lost_hook(&self, place: Place<'_>, fault: Fault) -> Fault {
        if !fault.is(&[code::UNKNOWN_WEBHOOK, code::WEBHOOK_TOKEN]) {
            return fault;
        }
        if let Some(forum) = place.forum {
            self.forget_hook(forum).await;
        }
        SendError::Retry { after: None, why: "the webhook was deleted; another is made".into() }.into()
    }

    /// Whether a webhook is one of ours, so that its messages never come in (C3).
    pub(crate) fn is_own_hook(&self, id: &str) -> bool {
        self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner).values().any(|hook| hook.id == id)
    }

    pub(super) async fn forget_hook(&self, forum: &str) {
        self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(forum);
        if let Some(shelf) = self.shelf()
            && let Err(error) = shelf.put(&key(forum), "").await
        {
            tracing::debug!(channel = %self.api.channel(), %error, "a webhook was not forgotten");
        }
    }

    /// Reads the webhooks of all desks from the shelf: their messages are ours from the first event on.
    pub(crate) async fn recall_hooks(&self) {
        let Some(shelf) = self.shelf() else { return };
        for forum in &self.desks {
            if let Ok(Some(kept)) = shelf.get(&key(forum)).await
                && let Some((id, token)) = kept.split_once('/')
                && let Some(hook) = Hook::new(id, token)
            {
                self.keep(forum, &hook);
            }
        }
    }

    fn known_hook(&self, forum: &str) -> Option<Hook> {
        self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner).get(forum).cloned()
    }

    fn keep(&self, forum: &str, hook: &Hook) {
        self.hooks.0.lock().unwrap_or_else(PoisonError::into_inner).insert(forum.to_owned(), hook.clone());
    }
}
