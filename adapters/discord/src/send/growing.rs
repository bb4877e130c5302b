//! Answers that grow: a message that is edited while the assistant goes on, and that becomes the answer when it is there.
//!
//! Not here: the answer's delivery (`posts.rs`). What is shown before it is a hint, and gives way to everything else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Address, Content, Persona, SendError};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::plan::Part;
use super::{Author, Sending, plan};
use crate::api::{Call, Fault, code};
use crate::ids::{self, Place};

/// Answers that grow at the same time, at most; the oldest is left as it is.
const OPEN: usize = 256;
/// Five edits in five seconds are all that a channel takes: one of them is left for the answer itself.
const EVERY: Duration = Duration::from_millis(1250);
/// Calls that must be left in the bucket, for the answer and for whatever else is said there.
const SPARE: u64 = 1;
/// What nothing was added to for so long belongs to a turn that came to nothing: the next answer is a message of its own.
const FORGOTTEN: Duration = Duration::from_secs(120);
/// What is longer waits for the answer, which may become several messages. In characters.
const LONGEST: usize = 1700;

/// The message of a growing answer.
#[derive(Default)]
pub(super) struct Growing {
    /// The message, once there is one.
    pub id: Option<String>,
    /// What it was given last.
    shown: String,
    /// Nothing more is shown: something went wrong, and the answer will tell.
    over: bool,
    /// Not again before.
    next: Option<Instant>,
    /// When it was begun, or grew.
    touched: Option<Instant>,
}

impl Growing {
    fn is_forgotten(&self) -> bool {
        self.touched.is_some_and(|at| at.elapsed() >= FORGOTTEN)
    }
}

type Shared = Arc<tokio::sync::Mutex<Growing>>;

#[derive(Default)]
pub(crate) struct Answers(Mutex<VecDeque<(Address, Shared)>>);

impl Answers {
    fn at(&self, at: &Address) -> Shared {
        let mut open = self.lock();
        if let Some((_, known)) = open.iter().find(|(known, _)| known == at) {
            return known.clone();
        }
        if open.len() >= OPEN {
            open.pop_front();
        }
        let fresh = Shared::default();
        open.push_back((at.clone(), fresh.clone()));
        fresh
    }

    fn remove(&self, at: &Address) -> Option<Shared> {
        let mut open = self.lock();
        let found = open.iter().position(|(known, _)| known == at)?;
        open.remove(found).map(|(_, growing)| growing)
    }

    /// The message at this address is finished, or nobody's any more.
    pub(crate) fn forget(&self, at: &Address) {
        self.remove(at);
    }

    fn put_back(&self, at: &Address, growing: Growing) {
        self.lock().push_back((at.clone(), Arc::new(tokio::sync::Mutex::new(growing))));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Address, Shared)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// A hint: while an earlier one is under way, or was a moment ago, this one is let go. The call itself runs in a task
    /// of its own, so that a message which came about is known although whoever asked is gone.
    pub(crate) async fn streaming(self: &Arc<Self>, at: &Address, text: &str) -> Result<(), SendError> {
        ids::place(at)?;
        // In a post, whose words are those of webhooks and technicians, nothing grows.
        if !ids::is_direct(at) || text.trim().is_empty() || text.chars().count() > LONGEST {
            return Ok(());
        }
        let Ok(mut growing) = self.growing.at(at).try_lock_owned() else { return Ok(()) };
        if growing.is_forgotten() {
            *growing = Growing::default();
        }
        if growing.over || growing.next.is_some_and(|next| Instant::now() < next) {
            return Ok(());
        }
        let (sending, at, text) = (self.clone(), at.clone(), text.to_owned());
        let task = tokio::spawn(async move { sending.grow(&mut growing, &at, &text).await });
        task.await.unwrap_or(Ok(()))
    }

    async fn grow(&self, growing: &mut Growing, at: &Address, text: &str) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let body = unfinished(text)?;
        let shown = body["content"].as_str().unwrap_or_default().to_owned();
        if shown == growing.shown {
            return Ok(());
        }
        let route = format!("channels/{}/messages", place.channel);
        let call = match &growing.id {
            None => Call::new(Method::POST, route),
            Some(id) => Call::new(Method::PATCH, format!("{route}/{id}")),
        };
        let call = call.with(body);
        if !self.api.has_room(&call, SPARE) {
            return Ok(());
        }
        let done = self.api.call(&call).await;
        growing.touched = Some(Instant::now());
        growing.next = self.api.is_paced().then(|| Instant::now() + EVERY);
        match done {
            Ok(answer) => {
                growing.shown = shown;
                if growing.id.is_none() {
                    growing.id = answer["id"].as_str().filter(|id| ids::is_snowflake(id)).map(str::to_owned);
                    growing.over = growing.id.is_none();
                }
                if let Some(id) = &growing.id {
                    self.authors.note(id, Author::Us);
                }
                Ok(())
            }
            Err(Fault { error: SendError::Retry { after, why }, .. }) => {
                growing.next = Some(Instant::now() + after.unwrap_or(EVERY));
                Err(SendError::Retry { after, why })
            }
            Err(fault) => {
                growing.over = true;
                Err(fault.error)
            }
        }
    }

    /// Makes what grew at this address into the first message of the answer itself; no hint is under way any more. `None`:
    /// nothing grew, or it cannot become this, and the answer has to be posted. Whoever else speaks leaves what was shown
    /// as it is, with "…" at its end (D1).
    pub(super) async fn ripen(
        &self,
        at: &Address,
        place: Place<'_>,
        persona: Option<&Persona>,
        part: &Part,
        reply: Option<&str>,
    ) -> Result<Option<String>, Fault> {
        let Some(shared) = self.growing.remove(at) else { return Ok(None) };
        let growing = std::mem::take(&mut *shared.lock().await);
        if growing.is_forgotten() {
            return Ok(None);
        }
        let Some(id) = growing.id.clone() else { return Ok(None) };
        if persona.is_none_or(|persona| !persona.assistant) {
            return Ok(None);
        }
        let route = format!("channels/{}/messages/{id}", place.channel);
        if reply.is_some() || !part.files.is_empty() {
            // An edit answers nothing, and files are posted.
            let call = Call::new(Method::DELETE, route);
            if let Err(fault) = self.api.call(&call).await {
                tracing::debug!(error = %fault.error, "the beginning of an answer stays beside it");
            }
            return Ok(None);
        }
        let mut body = part.body.clone();
        for key in ["embeds", "components"] {
            if body.get(key).is_none() {
                body[key] = json!([]);
            }
        }
        match self.api.patch(route, body).await {
            Ok(_) => Ok(Some(id)),
            Err(fault) if fault.is(&[code::UNKNOWN_MESSAGE]) => Ok(None),
            Err(fault) => {
                // The next attempt finds it again.
                self.growing.put_back(at, growing);
                Err(fault)
            }
        }
    }
}

/// So far, with "…" at its end.
fn unfinished(text: &str) -> Result<Value, SendError> {
    let content = Content::text(format!("{} …", text.trim_end()));
    plan::single(&content, Some(&Persona::assistant("Assistant")))
}
