//! What a frame does: the same by socket and by HTTP. A message is answered after its commit, never before (C4).
//!
//! Not here: reading frames (`translate`), connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use deskbridge_contract::{PushError, Shelf};
use serde_json::{Value, json};

use super::files::Upload;
use super::session::{is_language, summary, tidy};
use super::{Answer, Refusal, body, shown};
use crate::Widget;
use crate::cards::{self, File, From, What as Said};
use crate::ids::ThreadKey;
use crate::journal::{Thread, Threads};
use crate::people::{Person, Session, read};
use crate::translate::{self, Act, Doer, Frame, What};

/// Conversations that one `resume` may name.
const MAX_CURSORS: usize = 100;
/// Characters of a first message that make a title.
const TITLE: usize = 60;

/// Answers of one frame, in order. True: the connection ends.
pub(super) struct Outcome {
    pub frames: Vec<Value>,
    pub ends: bool,
}

impl Outcome {
    fn frames(frames: Vec<Value>) -> Outcome {
        Outcome { frames, ends: false }
    }
}

pub(super) async fn by_http(State(widget): State<Arc<Widget>>, request: Request) -> Answer {
    let (token, from) = shown(&request);
    let session = widget.session_by(token, from).await?;
    widget.limits.frame(&session.visitor.0).map_err(Refusal::slow)?;
    let bytes = body(request.into_body()).await?;
    let frame = translate::frame(&bytes).map_err(|_| Refusal::malformed())?;
    let outcome = widget.carry_out(&session, frame).await?;
    Ok(Json(json!({ "frames": outcome.frames })).into_response())
}

impl Widget {
    /// Rights are looked at for every frame: what was true at the handshake may have ended (S60).
    pub(super) async fn carry_out(&self, session: &Session, frame: Frame) -> Result<Outcome, Refusal> {
        if !session.holds((self.clock)()) {
            return Err(Refusal::unauthorized());
        }
        let shelf = self.shelf().map_err(|_| Refusal::unavailable())?;
        match frame {
            Frame::Ping => Ok(Outcome::frames(vec![json!({ "t": "pong" })])),
            Frame::Logout => {
                self.people.end(&shelf, session).await?;
                self.hub.cut(&session.visitor, &session.digest);
                Ok(Outcome { frames: vec![json!({ "t": "bye", "code": "logged-out" })], ends: true })
            }
            Frame::Hello { cursors, .. } | Frame::Resume { cursors } => {
                self.limits.hint(&session.visitor.0).map_err(Refusal::slow)?;
                self.resume(&shelf, session, cursors).await.map(Outcome::frames)
            }
            Frame::Profile { name, email, language } => {
                self.limits.hint(&session.visitor.0).map_err(Refusal::slow)?;
                let verified = session.verified;
                let change = |person: &mut Person| {
                    // The site's word on a person is not the person's to change.
                    if !verified {
                        person.name =
                            name.as_deref().map(tidy).filter(|n| !n.is_empty()).or(person.name.take());
                        person.email =
                            email.as_deref().map(tidy).filter(|e| e.contains('@')).or(person.email.take());
                    }
                    person.language = language.filter(|l| is_language(l)).or(person.language.take());
                };
                self.people.change(&shelf, &session.visitor, change).await?;
                Ok(Outcome::frames(Vec::new()))
            }
            frame => {
                let act = translate::act(frame).map_err(|_| Refusal::malformed())?;
                match act {
                    Some(act) => self.carry_out_act(&shelf, session, act).await.map(Outcome::frames),
                    None => Err(Refusal::malformed()),
                }
            }
        }
    }

    /// Everything after the cursors, in every conversation of this person.
    async fn resume(
        &self,
        shelf: &Shelf,
        session: &Session,
        cursors: BTreeMap<String, u64>,
    ) -> Result<Vec<Value>, Refusal> {
        if cursors.len() > MAX_CURSORS {
            return Err(Refusal::malformed());
        }
        let person = self.people.person(shelf, &session.visitor).await?;
        let links = self.links(shelf).await?;
        let mut frames = Vec::new();
        for key in person.threads.iter().rev().filter_map(|thread| ThreadKey::parse(thread)) {
            let held = self.threads.hold(shelf, &key).await?;
            let Some(thread) = held.as_ref() else { continue };
            frames.push(with(summary(thread), "t", "conversation".into()));
            // Those that nobody has open are caught up with when somebody opens them.
            let Some(cursor) = cursors.get(&key.0) else { continue };
            let (lost, entries) = thread.since(shelf, *cursor).await?;
            if lost {
                frames.push(json!({ "t": "reset", "c": key.0 }));
            }
            let sign = |file: &str| self.address_of(&links, file);
            frames.extend(entries.iter().map(|entry| cards::event(&key, entry, &sign)));
            frames.push(json!({ "t": "synced", "c": key.0, "seq": thread.seq() }));
        }
        frames.push(json!({ "t": "resumed" }));
        Ok(frames)
    }

    async fn carry_out_act(&self, shelf: &Shelf, session: &Session, act: Act) -> Result<Vec<Value>, Refusal> {
        let hint = matches!(act.what, What::Typing | What::Read { .. });
        let allowed =
            if hint { self.limits.hint(&session.visitor.0) } else { self.limits.message(&session.visitor.0) };
        allowed.map_err(Refusal::slow)?;
        if self.config.verified_only && !session.verified {
            let detail = "Please sign in on this page first.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "verified-only", detail));
        }
        // Words of others are not a visitor's to change; they are told no more than that there are none of theirs (S66).
        if let What::Edit { message, .. } | What::Delete { message } = &act.what
            && !act.thread.is_own(message)
        {
            return Err(Refusal::not_found());
        }
        let files = self.files_of(shelf, session, &act).await?;
        let mut person = self.people.person(shelf, &session.visitor).await?;
        let mut held = self.threads.hold(shelf, &act.thread).await?;
        let opens = matches!(act.what, What::Send { .. } | What::Press { .. });
        match held.as_ref() {
            // Somebody else's is as unknown as none at all (S66).
            Some(thread) if thread.meta.owner != session.visitor => return Err(Refusal::not_found()),
            Some(_) => {}
            None if opens => {
                let mut thread = Threads::begin(&act.thread, &session.visitor, title(&act));
                thread.keep(shelf).await?;
                *held = Some(thread);
            }
            None => return Err(Refusal::not_found()),
        }
        if !person.owns(&act.thread) {
            let new = act.thread.0.clone();
            person = self.people.change(shelf, &session.visitor, |person| person.threads.push(new)).await?;
        }
        let Some(thread) = held.as_mut() else { return Err(Refusal::not_found()) };
        self.push(shelf, session, &person, thread, &act, &files).await
    }

    /// Into the bridge, then into the journal, then the answer. A repetition finds both done and gets the same answer.
    async fn push(
        &self,
        shelf: &Shelf,
        session: &Session,
        person: &Person,
        thread: &mut Thread,
        act: &Act,
        files: &[File],
    ) -> Result<Vec<Value>, Refusal> {
        let room = thread.meta.room.clone();
        let now = (self.clock)();
        let doer = Doer { channel: &self.channel, room: &room, visitor: &session.visitor, person, now };
        let inbound = translate::inbound(act, &doer, files);
        let inbox = self.inbox().map_err(|_| Refusal::unavailable())?;
        let receipt = inbox.push(inbound).await.map_err(|error| match error {
            PushError::Unavailable | PushError::Closed => Refusal::unavailable(),
        })?;
        let seq = match self.said(shelf, thread, act, files, receipt.duplicate).await? {
            Some(seq) => seq,
            None => return Ok(Vec::new()),
        };
        let mut frames = vec![json!({ "t": "ack", "c": thread.key.0, "id": act.id, "seq": seq,
            "message": thread.key.own_message(&act.id) })];
        if let Some(toast) = receipt.toast {
            frames.push(json!({ "t": "toast", "c": thread.key.0, "text": toast.text }));
        }
        Ok(frames)
    }

    /// The entry of an act; `None`: it has none, and no answer either.
    async fn said(
        &self,
        shelf: &Shelf,
        thread: &mut Thread,
        act: &Act,
        files: &[File],
        duplicate: bool,
    ) -> Result<Option<u64>, Refusal> {
        let said = match &act.what {
            What::Typing => return Ok(None),
            What::Read { seq, .. } => {
                let read = (*seq).min(thread.seq());
                if read > thread.meta.read {
                    thread.meta.read = read;
                    thread.keep(shelf).await?;
                    let frame = json!({ "t": "read", "c": thread.key.0, "seq": read });
                    self.hub.tell(&thread.meta.owner, &frame.to_string().into());
                }
                return Ok(None);
            }
            What::Send { text, reply_to, .. } => {
                let id = thread.key.own_message(&act.id).0;
                if let Some(seq) = thread.message(&id) {
                    return Ok(Some(seq));
                }
                if duplicate && let Some(seq) = thread.find_message(shelf, &id).await? {
                    return Ok(Some(seq));
                }
                Said::Message {
                    id,
                    from: From::Me,
                    name: None,
                    body: Vec::new(),
                    text: text.clone(),
                    actions: Vec::new(),
                    files: files.to_vec(),
                    reply_to: reply_to.clone(),
                }
            }
            What::Edit { message, text } => Said::Edited {
                id: message.clone(),
                body: Vec::new(),
                text: text.clone(),
                actions: Vec::new(),
            },
            What::Delete { message } => Said::Deleted { id: message.clone() },
            What::React { message, emoji, on } => {
                Said::Reacted { id: message.clone(), emoji: emoji.clone(), on: *on, mine: true }
            }
            What::Press { action, message, .. } => {
                Said::Pressed { id: message.clone().unwrap_or_default(), action: action.clone() }
            }
        };
        // A repetition may come because the program was killed between the commit and the journal: only what stands there
        // already is left out.
        let known = thread.ends_with(&said) || (duplicate && thread.says(shelf, &said).await?);
        if known {
            return Ok(Some(thread.seq()));
        }
        Ok(Some(self.record(shelf, thread, said).await?))
    }

    /// The files of a message: only those that this visitor uploaded.
    async fn files_of(&self, shelf: &Shelf, session: &Session, act: &Act) -> Result<Vec<File>, Refusal> {
        let What::Send { files, .. } = &act.what else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for id in files {
            let upload: Option<Upload> = read(shelf, &format!("f:{id}")).await?;
            match upload.filter(|upload| upload.visitor == session.visitor) {
                Some(upload) => found.push(upload.file),
                None => return Err(Refusal::not_found()),
            }
        }
        Ok(found)
    }
}

fn with(mut frame: Value, key: &str, value: Value) -> Value {
    frame[key] = value;
    frame
}

fn title(act: &Act) -> String {
    let What::Send { text, .. } = &act.what else { return String::new() };
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let mut title: String = line.chars().take(TITLE).collect();
    if title.len() < line.len() {
        title.push('…');
    }
    title
}
