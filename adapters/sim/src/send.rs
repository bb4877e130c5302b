//! What the bridge does to the platform: one operation at a time, with the fault plan in between.
//!
//! Not here: the adapter's trait, and anything that people do.

use bytes::{Bytes, BytesMut};
use deskbridge_contract::{
    Address, Content, Mark, Outbound, OutboundFile, OutboundOp, Persona, RemoteFileId, RemoteMessageId,
    RemoteUserId, Resend, SendError, Sent, ThreadId, ThreadStyle,
};
use futures_util::StreamExt;

use crate::checks::{check_content, supported};
use crate::faults::{Fault, ambiguous};
use crate::ledger::Attempt;
use crate::style::Style;
use crate::view::{Author, Change, File, Message, Thread, Title, Whisper};
use crate::world::{State, World};
use crate::{BRIDGE, ids};

type Loaded = Vec<(File, Bytes)>;

impl World {
    /// Carries out one operation, or lets it go wrong as planned.
    pub(crate) async fn carry_out(&self, out: &Outbound) -> Result<Sent, SendError> {
        let (index, fault) = self.begin(out);
        let outcome = self.attempt(out, index, fault).await;
        let mut state = self.state();
        if let Some(attempt) = state.attempts.get_mut(index) {
            attempt.outcome = Some(outcome.clone());
        }
        state.touch();
        outcome
    }

    fn begin(&self, out: &Outbound) -> (usize, Option<Fault>) {
        let mut state = self.state();
        let tries = state.tries.entry(out.id.clone()).or_default();
        *tries += 1;
        let attempt = *tries;
        let fault = state.plan.take(out, attempt);
        let (delivery, to, kind) = (out.id.clone(), out.to.clone(), out.op.kind());
        state.attempts.push(Attempt {
            delivery,
            to,
            kind,
            attempt,
            fault: fault.clone(),
            effect: false,
            outcome: None,
        });
        state.touch();
        (state.attempts.len() - 1, fault)
    }

    async fn attempt(&self, out: &Outbound, index: usize, fault: Option<Fault>) -> Result<Sent, SendError> {
        if let Some(refusal) = fault.as_ref().and_then(Fault::refusal) {
            return Err(refusal);
        }
        let files = match &out.op {
            OutboundOp::Post { files, .. } => load(files).await?,
            _ => Vec::new(),
        };
        match fault {
            Some(Fault::Ambiguous { effect }) => {
                // A refusal would have been an answer, so it does not come through either.
                let _ = effect.then(|| self.apply(out, index, files));
                Err(ambiguous())
            }
            Some(Fault::Hang { effect }) => {
                let _ = effect.then(|| self.apply(out, index, files));
                self.hold().await;
                Err(ambiguous())
            }
            Some(Fault::Slow) => {
                self.hold().await;
                self.apply(out, index, files)
            }
            _ => self.apply(out, index, files),
        }
    }

    /// Waits for [`World::release`]. The caller may give up at any time.
    async fn hold(&self) {
        struct Held<'a>(&'a World);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                let mut state = self.0.state();
                state.held -= 1;
                state.touch();
            }
        }
        let mut gate = self.inner.gate.subscribe();
        let before = *gate.borrow_and_update();
        {
            let mut state = self.state();
            state.held += 1;
            state.touch();
        }
        let _held = Held(self);
        // Closed only when the world itself is gone.
        let _ = gate.wait_for(|n| *n > before).await;
    }

    fn apply(&self, out: &Outbound, index: usize, files: Loaded) -> Result<Sent, SendError> {
        let style = &self.inner.style;
        let mut state = self.state();
        if state.credentials_refused {
            return Err(SendError::Unauthorized { why: "credentials refused".to_owned() });
        }
        if (style.resend)(out.op.kind()) == Resend::SameIdIsSafe
            && makes_something(&out.op)
            && let Some(sent) = state.done.get(&out.id)
        {
            return Ok(sent.clone());
        }
        state.check_place(&out.to, style)?;
        if state.limits_on {
            state.check_pace(&out.to, out.op.kind(), style)?;
        }
        let sent = state.apply(out, style, files)?;
        if let Some(attempt) = state.attempts.get_mut(index) {
            attempt.effect = true;
        }
        state.done.insert(out.id.clone(), sent.clone());
        Ok(sent)
    }

    /// Whether an earlier attempt arrived.
    pub(crate) fn read_back(&self, out: &Outbound) -> Result<Option<Sent>, SendError> {
        if (self.inner.style.resend)(out.op.kind()) == Resend::MayDuplicate {
            return Err(SendError::rejected("this channel cannot be read back"));
        }
        let state = self.state();
        if state.credentials_refused {
            return Err(SendError::Unauthorized { why: "credentials refused".to_owned() });
        }
        Ok(state.done.get(&out.id).cloned())
    }
}

/// Everything else may simply be done again.
fn makes_something(op: &OutboundOp) -> bool {
    matches!(op, OutboundOp::Post { .. } | OutboundOp::OpenThread { .. } | OutboundOp::Whisper { .. })
}

async fn load(files: &[OutboundFile]) -> Result<Loaded, SendError> {
    let mut loaded = Vec::with_capacity(files.len());
    for file in files {
        let mut bytes = BytesMut::new();
        let mut stream = (file.open)().await?;
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        let view = File {
            id: RemoteFileId::new(""),
            name: file.name.clone(),
            mime: file.mime.clone(),
            size: bytes.len() as u64,
            kind: file.kind,
        };
        loaded.push((view, bytes.freeze()));
    }
    Ok(loaded)
}

impl State {
    fn apply(&mut self, out: &Outbound, style: &Style, files: Loaded) -> Result<Sent, SendError> {
        let caps = &style.capabilities;
        match &out.op {
            OutboundOp::Post { content, persona, reply_to, .. } => {
                check_content(content, &files, style)?;
                Ok(self.post(out, content, persona.as_ref(), reply_to.as_ref(), files))
            }
            OutboundOp::Edit { message, content, persona } => {
                supported(caps.edits, "edit")?;
                check_content(content, &[], style)?;
                self.edit(&out.to, message, content, persona.as_ref())
            }
            OutboundOp::Delete { message } => {
                supported(caps.deletes, "delete")?;
                self.delete(&out.to, message)
            }
            OutboundOp::React { message, emoji, on } => {
                supported(caps.reactions, "react")?;
                let bridge = RemoteUserId(BRIDGE.to_owned());
                self.touch_up(&out.to, message, |m| m.set_reaction(emoji, &bridge, *on))
            }
            OutboundOp::Mark { message, mark } => {
                supported(caps.marks, "mark")?;
                self.mark(&out.to, message, *mark)
            }
            OutboundOp::OpenThread { title, card, actions } => {
                let content = Content { card: Some(Box::new(card.clone())), ..Content::default() };
                self.open(out, Title::from(title), content.with_actions(actions.clone()), caps.threads)
            }
            OutboundOp::SetThread { title, closed } => self.set_thread(&out.to, Title::from(title), *closed),
            OutboundOp::Whisper { to, content, .. } => {
                supported(caps.whisper, "whisper")?;
                check_content(content, &[], style)?;
                Ok(self.whisper(out, to, content))
            }
        }
    }

    fn bridge_message(
        &self,
        out: &Outbound,
        content: Content,
        persona: Option<&Persona>,
        files: Vec<File>,
    ) -> Message {
        Message {
            id: RemoteMessageId::new(""),
            thread: out.to.thread.clone(),
            at: self.now(),
            author: Author::bridge(persona),
            content,
            files,
            reply_to: None,
            edits: Vec::new(),
            deleted: false,
            reactions: Vec::new(),
            mark: None,
            read_by: Vec::new(),
            delivery: Some(out.id.clone()),
            arrival: None,
        }
    }

    fn post(
        &mut self,
        out: &Outbound,
        content: &Content,
        persona: Option<&Persona>,
        reply_to: Option<&RemoteMessageId>,
        files: Loaded,
    ) -> Sent {
        let files = files.into_iter().map(|(file, bytes)| self.store_file(file, bytes)).collect();
        let mut message = self.bridge_message(out, content.clone(), persona, files);
        let target = reply_to.filter(|id| self.message_mut(&out.to.room, id).is_some_and(|m| !m.deleted));
        message.reply_to = target.cloned();
        let id = self.show(&out.to.room, message);
        let mut sent = Sent::at(&out.to, Some(id));
        if reply_to.is_some() && target.is_none() {
            sent.note = Some("the message answered to is gone".to_owned());
        }
        sent
    }

    fn edit(
        &mut self,
        at: &Address,
        id: &RemoteMessageId,
        content: &Content,
        persona: Option<&Persona>,
    ) -> Result<Sent, SendError> {
        let message = self.ours(at, id)?;
        if message.deleted {
            return Err(SendError::rejected("the message is deleted"));
        }
        if message.content != *content {
            let before = std::mem::replace(&mut message.content, content.clone());
            message.edits.push(before);
        }
        if persona.is_some() {
            message.author = Author::bridge(persona);
        }
        self.emit_message(&at.room, id);
        Ok(Sent::at(at, Some(id.clone())))
    }

    fn delete(&mut self, at: &Address, id: &RemoteMessageId) -> Result<Sent, SendError> {
        self.ours(at, id)?.deleted = true;
        self.emit_message(&at.room, id);
        Ok(Sent::at(at, Some(id.clone())))
    }

    fn mark(&mut self, at: &Address, id: &RemoteMessageId, mark: Mark) -> Result<Sent, SendError> {
        self.touch_up(at, id, |m| m.mark = Some(mark))
    }

    /// Changes what hangs on a message, whoever wrote it.
    fn touch_up(
        &mut self,
        at: &Address,
        id: &RemoteMessageId,
        change: impl FnOnce(&mut Message),
    ) -> Result<Sent, SendError> {
        let message = self.message_mut(&at.room, id).filter(|m| !m.deleted);
        change(message.ok_or_else(|| SendError::rejected("no such message"))?);
        self.emit_message(&at.room, id);
        Ok(Sent::at(at, Some(id.clone())))
    }

    fn ours(&mut self, at: &Address, id: &RemoteMessageId) -> Result<&mut Message, SendError> {
        let message = self.message_mut(&at.room, id).filter(|m| m.is_by_bridge());
        message.ok_or_else(|| SendError::rejected("no such message of ours"))
    }

    fn open(
        &mut self,
        out: &Outbound,
        title: Title,
        card: Content,
        style: ThreadStyle,
    ) -> Result<Sent, SendError> {
        let room = out.to.room.clone();
        let root = match style {
            ThreadStyle::None => return Err(SendError::rejected("this channel has no threads")),
            ThreadStyle::Separate => None,
            ThreadStyle::RootIsCard => {
                let mut message = self.bridge_message(out, card, None, Vec::new());
                let root = ids::message(self.room_mut(&room).messages.len());
                message.thread = Some(ids::thread_of_root(&root));
                Some(self.show(&room, message))
            }
        };
        let id = match &root {
            Some(root) => ids::thread_of_root(root),
            None => ids::thread(self.room_mut(&room).threads.len()),
        };
        let thread = Thread { id: id.clone(), title, closed: false, deleted: false, root: root.clone() };
        self.room_mut(&room).threads.push(thread);
        self.emit_thread(&room, &id);
        Ok(Sent::at(&Address { thread: Some(id), ..out.to.clone() }, root))
    }

    fn set_thread(&mut self, at: &Address, title: Title, closed: bool) -> Result<Sent, SendError> {
        let gone = || SendError::ThreadGone { why: "the thread is not there".to_owned() };
        let id: &ThreadId = at.thread.as_ref().ok_or_else(gone)?;
        let thread = self.thread_mut(&at.room, id).ok_or_else(gone)?;
        thread.title = title;
        thread.closed = closed;
        self.emit_thread(&at.room, id);
        Ok(Sent::at(at, None))
    }

    fn whisper(&mut self, out: &Outbound, to: &RemoteUserId, content: &Content) -> Sent {
        let OutboundOp::Whisper { interaction, .. } = &out.op else { return Sent::at(&out.to, None) };
        if let Some(interaction) = interaction {
            self.answer(&interaction.id, None);
        }
        let whisper = Whisper {
            number: self.whispers.len(),
            at: self.now(),
            room: out.to.room.clone(),
            thread: out.to.thread.clone(),
            to: to.clone(),
            content: content.clone(),
            delivery: out.id.clone(),
            interaction: interaction.clone(),
        };
        self.whispers.push(whisper.clone());
        self.emit(Change::Whisper { whisper: Box::new(whisper) });
        Sent::at(&out.to, None)
    }
}
