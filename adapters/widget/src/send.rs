//! From an outbound operation to an entry of the journal, and to everybody who looks at it now.
//!
//! Not here: what an entry looks like (`cards`). Sending is writing to our own store, so an attempt with the same id is
//! known by the message's id and shows once.

use deskbridge_contract::{
    Address, Outbound, OutboundOp, RemoteMessageId, SendError, Sent, Shelf, ShelfError, Standing,
};
use serde_json::{Value, json};

use crate::Widget;
use crate::cards::{self, From, What};
use crate::ids::ThreadKey;
use crate::journal::{Held, Thread};
use crate::markup;

/// "Is typing" is shown no longer than this, in milliseconds.
const TYPING_MS: u32 = 8_000;

fn unavailable(error: &ShelfError) -> SendError {
    tracing::warn!(%error, "the widget's journal cannot be written");
    SendError::Retry { after: None, why: "the store is unavailable".into() }
}

fn gone() -> SendError {
    SendError::Gone { why: "no such conversation".into() }
}

impl Widget {
    async fn held(&self, shelf: &Shelf, at: &Address) -> Result<(ThreadKey, Held), SendError> {
        let key = ThreadKey::of(at).ok_or_else(gone)?;
        let held = self.threads.hold(shelf, &key).await.map_err(|e| unavailable(&e))?;
        // An address that somebody made up is none.
        if held.as_ref().is_none_or(|thread| thread.meta.room.0 != at.room.0) {
            return Err(gone());
        }
        Ok((key, held))
    }

    pub(crate) async fn perform(&self, out: &Outbound) -> Result<Sent, SendError> {
        let shelf = self.shelf()?;
        let (key, mut held) = self.held(&shelf, &out.to).await?;
        let thread = held.as_mut().ok_or_else(gone)?;
        let sent = |id: Option<RemoteMessageId>| Sent::at(&out.to, id);
        match &out.op {
            OutboundOp::Post { content, files, persona, reply_to } => {
                let id = key.message(&out.id);
                if thread.message(id.as_str()).is_none() {
                    let reply_to = reply_to.as_ref().map(|id| id.0.clone());
                    let what = cards::message(id.0.clone(), content, persona.as_ref(), files, reply_to);
                    self.append(&shelf, thread, what).await?;
                }
                Ok(sent(Some(id)))
            }
            OutboundOp::Edit { message, content, .. } => {
                let body = cards::body(content);
                let (text, actions) = (markup::plain(&body), content.actions.clone());
                let what = What::Edited { id: message.0.clone(), body, text, actions };
                self.append_once(&shelf, thread, what).await?;
                Ok(sent(Some(message.clone())))
            }
            OutboundOp::Delete { message } => {
                self.append_once(&shelf, thread, What::Deleted { id: message.0.clone() }).await?;
                Ok(sent(Some(message.clone())))
            }
            OutboundOp::React { message, emoji, on } => {
                let what =
                    What::Reacted { id: message.0.clone(), emoji: emoji.clone(), on: *on, mine: false };
                self.append_once(&shelf, thread, what).await?;
                Ok(sent(Some(message.clone())))
            }
            OutboundOp::Mark { message, mark } => {
                self.append_once(&shelf, thread, What::Marked { id: message.0.clone(), mark: *mark }).await?;
                Ok(sent(Some(message.clone())))
            }
            OutboundOp::OpenThread { .. } | OutboundOp::SetThread { .. } | OutboundOp::Whisper { .. } => {
                Err(SendError::rejected("the widget has no desk rooms"))
            }
        }
    }

    /// An entry that repeats the last one says nothing new.
    async fn append_once(&self, shelf: &Shelf, thread: &mut Thread, what: What) -> Result<(), SendError> {
        if thread.ends_with(&what) {
            return Ok(());
        }
        self.append(shelf, thread, what).await
    }

    async fn append(&self, shelf: &Shelf, thread: &mut Thread, what: What) -> Result<(), SendError> {
        self.record(shelf, thread, what).await.map(|_| ()).map_err(|e| unavailable(&e))
    }

    /// Appends, and tells everybody who looks. Returns the entry's number.
    pub(crate) async fn record(
        &self,
        shelf: &Shelf,
        thread: &mut Thread,
        what: What,
    ) -> Result<u64, ShelfError> {
        let entry = thread.append(shelf, what, (self.clock)()).await?;
        let links = self.links(shelf).await?;
        let sign = |file: &str| self.address_of(&links, file);
        let frame = cards::event(&thread.key, &entry, &sign);
        self.hub.tell(&thread.meta.owner, &frame.to_string().into());
        Ok(entry.seq)
    }

    fn tell(&self, thread: &Thread, frame: &Value) {
        self.hub.tell(&thread.meta.owner, &frame.to_string().into());
    }

    pub(crate) async fn show_typing(&self, at: &Address) -> Result<(), SendError> {
        let shelf = self.shelf()?;
        let (key, held) = self.held(&shelf, at).await?;
        let thread = held.as_ref().ok_or_else(gone)?;
        let helped = thread.meta.standing.as_ref().and_then(|standing| standing.technician.as_deref());
        let from = if helped.is_some() { From::Technician } else { From::Assistant };
        self.tell(
            thread,
            &json!({ "t": "typing", "c": key.0, "from": from, "name": helped, "ms": TYPING_MS }),
        );
        Ok(())
    }

    pub(crate) async fn show_streaming(&self, at: &Address, text: &str) -> Result<(), SendError> {
        let shelf = self.shelf()?;
        let (key, held) = self.held(&shelf, at).await?;
        let thread = held.as_ref().ok_or_else(gone)?;
        self.tell(
            thread,
            &json!({ "t": "stream", "c": key.0, "body": markup::to_tree(text), "ms": TYPING_MS }),
        );
        Ok(())
    }

    pub(crate) async fn show_standing(&self, at: &Address, standing: &Standing) -> Result<(), SendError> {
        // A title is a text: what was escaped for CommonMark is what somebody typed.
        let subject = markup::plain(&markup::to_tree(&standing.subject));
        let standing = &Standing { subject, ..standing.clone() };
        let shelf = self.shelf()?;
        let (_, mut held) = self.held(&shelf, at).await?;
        let thread = held.as_mut().ok_or_else(gone)?;
        if thread.meta.standing.as_ref() == Some(standing) {
            return Ok(());
        }
        // The entry first: a head that already says so would keep it from ever being written after a crash in between.
        let what = What::Standing(standing.clone());
        if !thread.ends_with(&what) {
            self.append(&shelf, thread, what).await?;
        }
        let before = thread.meta.clone();
        thread.meta.standing = Some(standing.clone());
        if !standing.subject.is_empty() {
            thread.meta.title.clone_from(&standing.subject);
        }
        let kept = thread.keep(&shelf).await.map_err(|e| unavailable(&e));
        if kept.is_err() {
            thread.meta = before;
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use deskbridge_contract::suite::Recorder;
    use deskbridge_contract::{Adapter as _, Inbox, StandingState, Timestamp};

    use super::*;
    use crate::WidgetAdapter;
    use crate::config::Config;
    use crate::ids::Visitor;
    use crate::journal::Threads;
    use crate::testing::Broken;

    /// A program on this store that has just been started.
    fn started(store: &Arc<Broken>) -> Arc<WidgetAdapter> {
        let config = Config::from_value(json!({ "origins": ["https://portal.example.com"] })).ok().unwrap();
        let widget = Arc::new(WidgetAdapter::new("widget".into(), config, Arc::new(|| Timestamp(0))));
        let inbox = Inbox::new("widget".into(), Arc::new(Recorder::default()), store.clone());
        drop(widget.clone().intake(inbox));
        widget
    }

    /// What somebody typed is the title, letter by letter.
    #[tokio::test]
    async fn a_title_shows_no_escapes() {
        let (store, shelf) = Broken::shelf();
        let visitor = Visitor::unknown().unwrap();
        let key = ThreadKey::parse(&"0a".repeat(16)).unwrap();
        Threads::begin(&key, &visitor, String::new()).keep(&shelf).await.unwrap();
        let typed = "<img src=x onerror=alert(1)> *not* my_file [x](javascript:1)";
        let standing = Standing {
            reference: "#1".into(),
            state: StandingState::Assistant,
            technician: None,
            ticket: None,
            position: None,
            subject: markup::from_typed(typed),
            rating: None,
        };
        let widget = started(&store);
        widget.standing(&key.address(&"widget".into(), &visitor), &standing).await.unwrap();
        let held = widget.0.threads.hold(&shelf, &key).await.unwrap();
        assert_eq!(held.as_ref().unwrap().meta.title, typed);
    }

    /// The program may end between any two writes: whoever comes back is told how it stands all the same.
    #[tokio::test]
    async fn how_it_stands_is_in_the_journal_wherever_the_program_ended() {
        for writes in 0..=4 {
            let (store, shelf) = Broken::shelf();
            let visitor = Visitor::unknown().unwrap();
            let key = ThreadKey::parse(&"0a".repeat(16)).unwrap();
            let at = key.address(&"widget".into(), &visitor);
            Threads::begin(&key, &visitor, "VPN".into()).keep(&shelf).await.unwrap();
            let standing = Standing {
                reference: "#1".into(),
                state: StandingState::Assistant,
                technician: None,
                ticket: None,
                position: None,
                subject: "VPN".into(),
                rating: None,
            };
            store.end_after(writes);
            let told = started(&store).standing(&at, &standing).await;
            assert!(writes > 0 || told.is_err());
            store.end_after(100);
            let widget = started(&store);
            widget.standing(&at, &standing).await.unwrap();
            let held = widget.0.threads.hold(&shelf, &key).await.unwrap();
            let thread = held.as_ref().unwrap();
            assert!(thread.says(&shelf, &What::Standing(standing)).await.unwrap(), "after {writes} writes");
            assert_eq!(thread.seq(), 1, "and once");
        }
    }
}
