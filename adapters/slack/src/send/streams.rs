//! Answers that grow: Slack's own streams where a thread takes one, else a message that is edited; and what becomes of it
//! when the answer itself is there.
//!
//! Not here: the answer's delivery (`send.rs`), which replaces what was shown, so that nothing is there twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deskbridge_contract::{Address, Content, DeliveryId, Outbound, SendError};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::begun::Begun;
use super::{Sending, plan};
use crate::api::Fault;
use crate::blocks::{self, Message, Voice};
use crate::ids::{self, Place};
use crate::markup;

/// Answers that grow at the same time, at most; the oldest is left as it is.
const OPEN: usize = 256;
/// "chat.appendStream" is Tier 4, "chat.update" Tier 3: 100 and 50 a minute for the whole workspace.
pub(super) const APPEND_EVERY: Duration = Duration::from_millis(700);
const EDIT_EVERY: Duration = Duration::from_millis(1500);
/// After a workspace refused a stream for what the app is, the next ones are not tried for this long.
const OFF: Duration = Duration::from_secs(3600);
/// What no hint came of for so long belongs to a turn that came to nothing: the next answer is a message of its own.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(120);
/// "markdown_text": at most 12 000 characters; what is longer waits for the answer.
const LONGEST: usize = 11_000;

/// The message of a growing answer.
#[derive(Default)]
pub(super) struct Growing {
    /// The message, once there is one.
    pub ts: Option<String>,
    /// A stream of Slack's own, open.
    pub native: bool,
    /// What a stream was given so far.
    shown: String,
    /// Nothing more is shown: something went wrong, and the answer will tell.
    over: bool,
    /// Not again before.
    next: Option<Instant>,
    /// When the latest hint of it came.
    touched: Option<Instant>,
    /// May be there all the same, but Slack did not say so.
    lost: Option<Begun>,
    /// The answer that could not take its place yet, and will try again.
    owed: Option<DeliveryId>,
}

impl Growing {
    /// What came of the call that began it.
    fn begin(&mut self, done: Result<Value, Fault>, begun: Begun) -> Result<(), Fault> {
        let lost = match &done {
            Ok(answer) => {
                self.ts = answer["ts"].as_str().filter(|ts| ids::is_ts(ts)).map(str::to_owned);
                self.ts.is_none()
            }
            Err(fault) => matches!(fault.error, SendError::Ambiguous { .. }),
        };
        self.over = lost;
        self.lost = lost.then_some(begun);
        done.map(|_| ())
    }

    /// `answer`: the one that is to take its place. What waits for its own answer is not forgotten, however long that takes.
    fn is_forgotten(&self, answer: Option<&DeliveryId>) -> bool {
        let waits = answer.is_some() && self.owed.as_ref() == answer;
        !waits && self.touched.is_some_and(|at| at.elapsed() >= FORGOTTEN)
    }
}

type Shared = Arc<tokio::sync::Mutex<Growing>>;

#[derive(Default)]
pub(super) struct Streams {
    open: Mutex<VecDeque<(Address, Shared)>>,
    off_until: Mutex<Option<Instant>>,
}

impl Streams {
    fn at(&self, at: &Address) -> Shared {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
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
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let found = open.iter().position(|(known, _)| known == at)?;
        open.remove(found).map(|(_, growing)| growing)
    }

    fn put_back(&self, at: &Address, growing: Growing) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.push_back((at.clone(), Arc::new(tokio::sync::Mutex::new(growing))));
    }

    fn may_stream(&self) -> bool {
        let off = self.off_until.lock().unwrap_or_else(PoisonError::into_inner);
        off.is_none_or(|until| Instant::now() >= until)
    }

    fn switch_off(&self) {
        *self.off_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + OFF);
    }
}

impl Sending {
    /// A hint: while an earlier one is under way, or was a moment ago, this one is let go. The call itself runs in a task
    /// of its own, so that a message which came about is known although whoever asked is gone.
    /// `reader`: for whom it is, where an address does not say.
    pub(crate) async fn streaming(
        self: &Arc<Self>,
        at: &Address,
        text: &str,
        reader: Option<&str>,
    ) -> Result<(), SendError> {
        ids::place(at)?;
        if text.trim().is_empty() {
            return Ok(());
        }
        let Ok(mut growing) = self.streams.at(at).try_lock_owned() else { return Ok(()) };
        let old = growing.is_forgotten(None).then(|| std::mem::take(&mut *growing));
        growing.touched = Some(Instant::now());
        let early = growing.next.is_some_and(|next| Instant::now() < next);
        let waits = growing.over || growing.owed.is_some() || early || text.len() > LONGEST;
        if waits && old.is_none() {
            return Ok(());
        }
        let (sending, at, text) = (self.clone(), at.clone(), text.to_owned());
        let reader = reader.map(str::to_owned);
        let task = tokio::spawn(async move {
            if let Some(old) = old {
                sending.break_off(ids::place(&at)?, old).await;
            }
            if waits {
                return Ok(());
            }
            sending.grow(&mut growing, &at, &text, reader.as_deref()).await
        });
        task.await.unwrap_or(Ok(()))
    }

    async fn grow(
        &self,
        growing: &mut Growing,
        at: &Address,
        text: &str,
        reader: Option<&str>,
    ) -> Result<(), SendError> {
        let place = ids::place(at)?;
        let done = match growing.ts.clone() {
            None => self.begin(growing, at, text, reader).await,
            Some(ts) if growing.native => self.append(growing, place, &ts, text).await,
            Some(ts) => self.redraw(place, &ts, text).await,
        };
        let pause = match (self.api.is_paced(), growing.native) {
            (false, _) => Duration::ZERO,
            (true, true) => APPEND_EVERY,
            (true, false) => EDIT_EVERY,
        };
        growing.next = Some(Instant::now() + pause);
        match done {
            Ok(()) => Ok(()),
            Err(Fault { error: SendError::Retry { after, why }, .. }) => {
                growing.next = Some(Instant::now() + after.unwrap_or(EDIT_EVERY));
                Err(SendError::Retry { after, why })
            }
            Err(fault) => {
                growing.over = true;
                Err(fault.error)
            }
        }
    }

    async fn begin(
        &self,
        growing: &mut Growing,
        at: &Address,
        text: &str,
        reader: Option<&str>,
    ) -> Result<(), Fault> {
        let place = ids::place(at)?;
        let shown = harmless(text);
        if let Some(body) = self.opening(at, place, &shown, reader).await {
            match self.api.post("chat.startStream", &body).await {
                // Refused for what the app, the workspace or the method is; a post is still possible.
                Err(fault)
                    if matches!(fault.error, SendError::Rejected { .. })
                        || fault.is(&["not_allowed_token_type"]) =>
                {
                    self.streams.switch_off();
                }
                done => {
                    growing.begin(done, Begun::Stream { shown: shown.clone() })?;
                    (growing.native, growing.shown) = (true, shown);
                    return Ok(());
                }
            }
        }
        let message = unfinished(text)?;
        let begun = Begun::post();
        let body = plan::body(place, &message, Some(&plan::assistant()), begun.metadata());
        growing.begin(self.api.post("chat.postMessage", &body).await, begun)
    }

    /// How a stream begins at this place; `None` where there can be none: outside threads, and in a channel where it is
    /// not known for whom it is ("recipient_user_id": required when streaming to channels).
    async fn opening(
        &self,
        at: &Address,
        place: Place<'_>,
        shown: &str,
        reader: Option<&str>,
    ) -> Option<serde_json::Value> {
        let thread = place.thread.filter(|_| self.streams.may_stream())?;
        let persona = plan::assistant();
        let mut body = json!({ "channel": place.channel, "thread_ts": thread, "markdown_text": shown });
        plan::speaks(body.as_object_mut()?, &persona);
        if !ids::is_direct(at) {
            let reader = reader.filter(|id| ids::is_user(id))?;
            body["recipient_user_id"] = reader.into();
            body["recipient_team_id"] = self.identity().await.ok()?.team_id.into();
        }
        Some(body)
    }

    async fn append(
        &self,
        growing: &mut Growing,
        place: Place<'_>,
        ts: &str,
        text: &str,
    ) -> Result<(), Fault> {
        let whole = harmless(text);
        let Some(more) = whole.strip_prefix(growing.shown.as_str()) else {
            // Not what was begun any more (D6): the same message is edited into the new words.
            self.stop(place, ts).await?;
            growing.native = false;
            return self.redraw(place, ts, text).await;
        };
        if more.is_empty() {
            return Ok(());
        }
        let body = json!({ "channel": place.channel, "ts": ts, "markdown_text": more });
        match self.api.post("chat.appendStream", &body).await {
            Ok(_) => {
                growing.shown = whole;
                Ok(())
            }
            // Slack ends a stream by itself after a while.
            Err(fault) if fault.is(&["message_not_in_streaming_state", "stream_expired"]) => {
                growing.native = false;
                self.redraw(place, ts, text).await
            }
            Err(fault) => Err(fault),
        }
    }

    async fn redraw(&self, place: Place<'_>, ts: &str, text: &str) -> Result<(), Fault> {
        self.update(place, ts, &unfinished(text)?, None).await
    }

    /// Ends a stream; that it has ended already is as good.
    async fn stop(&self, place: Place<'_>, ts: &str) -> Result<(), Fault> {
        let body = json!({ "channel": place.channel, "ts": ts });
        match self.api.post("chat.stopStream", &body).await {
            Ok(_) => Ok(()),
            Err(fault)
                if fault.is(&["message_not_in_streaming_state", "stream_expired", "message_not_found"]) =>
            {
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// The message in which an answer grew at this address, if any; no hint is under way any more.
    pub(super) async fn grown(&self, at: &Address) -> Option<Growing> {
        let shared = self.streams.remove(at)?;
        let mut growing = shared.lock().await;
        (growing.ts.is_some() || growing.lost.is_some()).then(|| std::mem::take(&mut *growing))
    }

    /// Where its name was lost, it is looked for: what is there must not stay beside what comes.
    async fn name(&self, place: Place<'_>, growing: &mut Growing) -> Result<(), SendError> {
        if let Some(begun) = growing.lost.clone() {
            growing.ts = self.look_for(place, &begun).await?;
            growing.native = begun.is_stream() && growing.ts.is_some();
            growing.lost = None;
        }
        Ok(())
    }

    /// Turns what grew into the first of so many parts of the answer itself. `None`: it is not there any more, or another
    /// turn's, and the answer has to be posted.
    pub(super) async fn become_answer(
        &self,
        out: &Outbound,
        place: Place<'_>,
        mut growing: Growing,
        message: &Message,
        parts: usize,
    ) -> Result<Option<String>, Fault> {
        if growing.is_forgotten(Some(&out.id)) {
            self.break_off(place, growing).await;
            return Ok(None);
        }
        if let Err(error) = self.name(place, &mut growing).await {
            growing.owed = Some(out.id.clone());
            self.streams.put_back(&out.to, growing);
            return Err(error.into());
        }
        let Some(ts) = growing.ts.clone() else { return Ok(None) };
        let mut done = Ok(());
        if growing.native {
            done = self.stop(place, &ts).await;
            growing.native = done.is_err();
        }
        if done.is_ok() {
            let metadata = plan::metadata(&out.id, 1, parts);
            done = self.update(place, &ts, message, Some(&metadata)).await;
        }
        match done {
            Ok(()) => Ok(Some(ts)),
            Err(fault)
                if fault.is(&[
                    "message_not_found",
                    "cant_update_message",
                    "edit_window_closed",
                    "thread_not_found",
                ]) =>
            {
                Ok(None)
            }
            Err(fault) => {
                // The next attempt finds it again.
                growing.owed = Some(out.id.clone());
                self.streams.put_back(&out.to, growing);
                Err(fault)
            }
        }
    }

    /// Somebody else has the word now: what was shown ends with "…" (D1). Best effort, the words that follow matter more.
    pub(super) async fn break_off(&self, place: Place<'_>, mut growing: Growing) {
        if let Err(error) = self.name(place, &mut growing).await {
            tracing::debug!(%error, "it was not seen whether an answer had begun");
        }
        let Some(ts) = growing.ts else { return };
        let done = if growing.native {
            let body = json!({ "channel": place.channel, "ts": ts, "markdown_text": " …" });
            self.api.post("chat.stopStream", &body).await.map(|_| ())
        } else {
            // An edited message ends with it at all times.
            Ok(())
        };
        if let Err(fault) = done {
            tracing::debug!(error = %fault.error, "a growing answer could not be ended");
        }
    }
}

/// So far, with "…" at its end.
fn unfinished(text: &str) -> Result<Message, SendError> {
    let content = Content::text(format!("{} …", text.trim_end()));
    let persona = plan::assistant();
    blocks::single(&content, Voice::Named(&persona))?.ok_or_else(|| SendError::rejected("nothing to show"))
}

/// Slack reads Markdown itself in streams: nothing of it may call anybody (C13) or load a picture from elsewhere (A4).
/// Only ever puts a joiner between two characters, so that of a longer text the beginning stays the same.
fn harmless(text: &str) -> String {
    markup::to_markdown(text).replace("![", "!\u{2060}[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_call_nobody() {
        assert_eq!(
            harmless("<!channel> <@U1> <#C1> ![x](y)"),
            "<\u{2060}!channel> <\u{2060}@U1> <\u{2060}#C1> !\u{2060}[x](y)"
        );
        let whole = "see <!here and ![a](b) <@U";
        for at in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            assert!(harmless(whole).starts_with(&harmless(&whole[..at])), "{at}");
        }
    }
}
