//! One run of the suite: the subject, what was seen so far, and the steps that several clauses share.
//!
//! Not here: the clauses.

use std::sync::Arc;
use std::time::Duration;

use super::recorder::Recorder;
use super::subject::{Act, Caused, Shown, Subject};
use super::{Clause, ClauseReport, Outcome};
use crate::adapter::{Adapter, Inbox};
use crate::address::{Address, DeliveryId, RemoteMessageId};
use crate::capabilities::OperationKind;
use crate::content::{Card, CardState, Content};
use crate::error::SendError;
use crate::inbound::{Inbound, InboundEvent};
use crate::outbound::{Outbound, OutboundOp, Sent, ThreadTitle};
use crate::time::Timestamp;

/// Longest wait for `send`, beyond any time-out that an adapter may have.
const SEND_PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Run<'a> {
    pub(super) subject: &'a mut dyn Subject,
    pub(super) adapter: Arc<dyn Adapter>,
    pub(super) recorder: Arc<Recorder>,
    /// Every error that `send` and `find` gave, for C9.
    pub(super) errors: Vec<SendError>,
    /// The platform's time of an event and what came in, for C10.
    pub(super) times: Vec<(Timestamp, Inbound)>,
    /// Text that was in outbound content: must be in no error.
    pub(super) said: Vec<String>,
    deliveries: usize,
}

/// What a clause found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    faults: Vec<String>,
    notes: Vec<String>,
    checks: usize,
}

impl Findings {
    /// One check. `fault` says what is wrong when it does not hold.
    pub(super) fn check(&mut self, holds: bool, fault: impl FnOnce() -> String) -> bool {
        self.checks += 1;
        if !holds {
            self.faults.push(fault());
        }
        holds
    }

    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.check(false, || fault.into());
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn into_report(mut self, clause: Clause) -> ClauseReport {
        if self.checks == 0 {
            self.faults.push(
                "nothing of it could be checked here: exempt it with a reason, or make it possible".into(),
            );
        }
        let outcome = if self.faults.is_empty() { Outcome::Passed } else { Outcome::Failed(self.faults) };
        ClauseReport { clause, outcome, notes: self.notes }
    }
}

impl<'a> Run<'a> {
    pub(super) async fn start(subject: &'a mut dyn Subject) -> Self {
        let adapter = subject.adapter();
        let recorder = Arc::new(Recorder::default());
        let inbox = Inbox::new(adapter.channel().clone(), recorder.clone(), recorder.clone());
        subject.start(inbox).await;
        let (errors, times, said) = (Vec::new(), Vec::new(), Vec::new());
        Run { subject, adapter, recorder, errors, times, said, deliveries: 0 }
    }

    pub(super) fn next_id(&mut self) -> DeliveryId {
        self.deliveries += 1;
        DeliveryId(format!("suite-{}", self.deliveries))
    }

    pub(super) fn outbound(&mut self, to: &Address, op: OutboundOp) -> Outbound {
        Outbound { id: self.next_id(), to: to.clone(), op }
    }

    pub(super) fn post(&mut self, to: &Address, content: Content) -> Outbound {
        if content.text.len() >= 12 {
            self.said.push(content.text.clone());
        }
        self.outbound(to, OutboundOp::Post { content, files: Vec::new(), persona: None, reply_to: None })
    }

    /// Sends and keeps the error for C9.
    pub(super) async fn send(&mut self, out: &Outbound) -> Result<Sent, SendError> {
        let answer = match tokio::time::timeout(SEND_PATIENCE, self.adapter.send(out)).await {
            Ok(answer) => answer,
            Err(_) => Err(SendError::rejected(format!("send did not return within {SEND_PATIENCE:?}"))),
        };
        if let Err(error) = &answer {
            self.errors.push(error.clone());
        }
        answer
    }

    /// Sends something that must work; a failure is a fault of the clause.
    pub(super) async fn must_send(&mut self, out: &Outbound, found: &mut Findings) -> Option<Sent> {
        match self.send(out).await {
            Ok(sent) => Some(sent),
            Err(error) => {
                found.fault(format!("{:?} at {:?} failed: {error}", out.op.kind(), out.to));
                None
            }
        }
    }

    /// Posts a text that must work, and gives the message's id.
    pub(super) async fn must_post(
        &mut self,
        to: &Address,
        content: Content,
        found: &mut Findings,
    ) -> Option<(Sent, RemoteMessageId)> {
        let out = self.post(to, content);
        let sent = self.must_send(&out, found).await?;
        match sent.message.clone() {
            Some(message) => Some((sent, message)),
            None => {
                found.fault("send returned no message id for a post");
                None
            }
        }
    }

    pub(super) async fn must_open_thread(&mut self, desk: &Address, found: &mut Findings) -> Option<Sent> {
        let out = self.outbound(desk, open_thread());
        let sent = self.must_send(&out, found).await?;
        let has_thread = sent.address.thread.is_some();
        found.check(has_thread, || "OpenThread returned an address without a thread".into()).then_some(sent)
    }

    /// Makes a person act, and waits for the event. `None`: no such event here (noted), or it never came (a fault).
    pub(super) async fn cause(&mut self, act: &Act, found: &mut Findings) -> Option<(Caused, Inbound)> {
        let before = self.recorder.pushed().len();
        let Some(caused) = self.subject.cause(act).await else {
            found.note(format!("not on this platform: {}", name_of(act)));
            return None;
        };
        let Some(inbound) = self.recorder.new_after(before).await else {
            found.fault(format!("{} happened on the platform and never came in", name_of(act)));
            return None;
        };
        if let Some(at) = caused.at {
            self.times.push((at, inbound.clone()));
        }
        Some((caused, inbound))
    }

    /// A person writes; the message's id as it came in.
    pub(super) async fn say(
        &mut self,
        at: &Address,
        text: &str,
        found: &mut Findings,
    ) -> Option<(Caused, Inbound, RemoteMessageId)> {
        let act = Act::Say { at: at.clone(), text: text.to_owned(), reply_to: None };
        let (caused, inbound) = self.cause(&act, found).await?;
        match &inbound.event {
            InboundEvent::Posted { message, .. } => {
                let message = message.clone();
                Some((caused, inbound, message))
            }
            other => {
                found.fault(format!("a message came in as {}", kind_of(other)));
                None
            }
        }
    }

    pub(super) async fn shown(&mut self, at: &Address, message: &RemoteMessageId) -> Option<Shown> {
        self.subject.shown(at).await.into_iter().find(|s| s.message.as_ref() == Some(message))
    }

    /// Whether doing the same delivery again is promised to be harmless.
    pub(super) fn repeats_safely(&self, kind: OperationKind) -> bool {
        self.adapter.resend(kind) == crate::capabilities::Resend::SameIdIsSafe
    }
}

pub(super) fn open_thread() -> OutboundOp {
    let title = ThreadTitle {
        state: CardState::Waiting,
        reference: "#1042".into(),
        requester: "Maria Costa".into(),
        subject: "VPN".into(),
    };
    let card = Card {
        reference: "#1042".into(),
        title: "VPN".into(),
        state: CardState::Waiting,
        status: "Waiting".into(),
        requester: "Maria Costa".into(),
        facts: Vec::new(),
        summary: "VPN says 691.".into(),
        hint: "Before Accept this thread is internal.".into(),
    };
    OutboundOp::OpenThread {
        title,
        card,
        actions: vec![crate::content::Action::new("suite:accept", "Accept")],
    }
}

pub(super) fn name_of(act: &Act) -> &'static str {
    match act {
        Act::Say { .. } => "a message",
        Act::Edit { .. } => "an edit",
        Act::Delete { .. } => "a deletion",
        Act::React { on: true, .. } => "a reaction",
        Act::React { .. } => "a reaction taken back",
        Act::Press { .. } => "a pressed button",
        Act::Start { .. } => "a start",
        Act::Type { .. } => "typing",
        Act::Read { .. } => "a read mark",
        Act::Leave => "leaving",
        Act::Return => "returning",
        Act::CloseThread { .. } => "closing a thread",
        Act::ReopenThread { .. } => "reopening a thread",
    }
}

pub(super) fn kind_of(event: &InboundEvent) -> &'static str {
    match event {
        InboundEvent::Posted { .. } => "Posted",
        InboundEvent::Edited { .. } => "Edited",
        InboundEvent::Deleted { .. } => "Deleted",
        InboundEvent::Reacted { .. } => "Reacted",
        InboundEvent::Invoked { .. } => "Invoked",
        InboundEvent::Started { .. } => "Started",
        InboundEvent::Typing => "Typing",
        InboundEvent::Read { .. } => "Read",
        InboundEvent::Left => "Left",
        InboundEvent::Returned => "Returned",
        InboundEvent::RoomMoved { .. } => "RoomMoved",
        InboundEvent::ThreadChanged { .. } => "ThreadChanged",
    }
}
