//! Typing and read marks: hints that pass by. They are not events: never stored, never queued, lost without harm (D31).
//!
//! Not here: what a platform can hear and show (its capabilities).

use std::sync::Arc;
use std::time::Duration;

use deskbridge_contract::{
    Address, DeliveryId, Inbound, InboundEvent, Mark as Shown, OperationKind, Outbound, OutboundOp,
    RemoteMessageId, Support,
};
use deskbridge_conversation::policy::{Policy, ReplyMode};
use deskbridge_conversation::{
    Assigned, Author, Conversation, DeliveryOp, DeskThread, Effect, EffectId, MessageId, Session, SessionId,
    SessionRole, Stage, TechnicianId,
};
use deskbridge_store::rows::DeliveryState;
use deskbridge_store::{Mark, StoreError};
use tokio::time::Instant;

use super::board::Typing;
use super::{Bridge, identity};

/// Platforms show "is typing" for about this long, so that more often is no use.
const TYPING: Duration = Duration::from_secs(4);
/// Messages that are looked at, from the latest back, for the one that was read.
const BACK: usize = 50;
/// How long a mark waits for its room's pace; later nobody asks any more.
const MARK_LIMIT: Duration = Duration::from_secs(60);

impl Bridge {
    /// Takes a hint; `false` when the event is none.
    pub fn hint(self: &Arc<Self>, inbound: &Inbound) -> bool {
        match &inbound.event {
            InboundEvent::Typing => self.typing(inbound),
            InboundEvent::Read { up_to } => self.read_up_to(inbound, up_to),
            InboundEvent::Posted { .. }
            | InboundEvent::Edited { .. }
            | InboundEvent::Deleted { .. }
            | InboundEvent::Reacted { .. }
            | InboundEvent::Invoked { .. }
            | InboundEvent::Started { .. }
            | InboundEvent::Left
            | InboundEvent::Returned
            | InboundEvent::RoomMoved { .. }
            | InboundEvent::ThreadChanged { .. } => return false,
        }
        true
    }

    fn typing(self: &Arc<Self>, inbound: &Inbound) {
        let Some(conversation) = self.board.at(&inbound.address) else { return };
        let policy = self.policy.current();
        self.show_typing(&conversation, &policy.policy, inbound);
        let Some(to) = watcher(&conversation, &policy.policy, inbound) else { return };
        self.pass_typing(to);
    }

    /// To the console: the requester, and technicians who write elsewhere.
    fn show_typing(&self, conversation: &Arc<Conversation>, policy: &Policy, inbound: &Inbound) {
        let by = match requesters(conversation, inbound) {
            Some(_) => None,
            None => match identity::technician(policy, inbound)
                .filter(|_| policy.desk(&inbound.address).is_some())
            {
                Some(technician) => Some(technician),
                None => return,
            },
        };
        let typing = Typing { conversation: conversation.clone(), by };
        self.board.tell_typing(typing, TYPING / 2, Instant::now());
    }

    /// Somebody writes in the console what would go to the requester.
    pub fn typing_in_console(self: &Arc<Self>, conversation: &Conversation, who: &TechnicianId) {
        let Stage::Assigned(assigned) = &conversation.stage else { return };
        if assigned.technician != *who && !assigned.co_repliers.contains(who) {
            return;
        }
        if let Some(session) = conversation.requester_session().filter(|_| !conversation.requester.away) {
            self.pass_typing(session.address.clone());
        }
    }

    fn pass_typing(self: &Arc<Self>, to: Address) {
        let Some(adapter) = self.adapters.get(&to.channel).cloned() else { return };
        if adapter.capabilities(&to).typing == Support::Drop
            || !self.board.may_hint(&to, TYPING, Instant::now())
        {
            return;
        }
        self.tasks.spawn(async move {
            if let Err(error) = adapter.typing(&to).await {
                tracing::debug!(channel = %to.channel, %error, "nobody was told that somebody types");
            }
        });
    }

    fn read_up_to(self: &Arc<Self>, inbound: &Inbound, up_to: &RemoteMessageId) {
        let Some(conversation) = self.board.at(&inbound.address) else { return };
        let Some(session) = requesters(&conversation, inbound) else { return };
        let (bridge, session, up_to) = (self.clone(), session.id, up_to.clone());
        self.tasks.spawn(async move {
            if let Err(error) = bridge.seen(&conversation, session, &up_to).await {
                tracing::debug!(%error, "a read mark was lost");
            }
        });
    }

    /// What was shown there up to that message was seen.
    async fn seen(
        &self,
        conversation: &Conversation,
        session: SessionId,
        up_to: &RemoteMessageId,
    ) -> Result<(), StoreError> {
        let rows = self.read.deliveries(conversation.id).await?;
        let shown: Vec<(EffectId, MessageId, DeliveryState)> = rows
            .iter()
            .filter_map(|row| match &row.effect {
                Effect::Deliver(delivery) if delivery.session == session => match &delivery.op {
                    DeliveryOp::Post { message } => Some((row.id, *message, row.state)),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let mut last = None;
        for (n, (_, message, _)) in shown.iter().enumerate().rev().take(BACK) {
            let links = self.read.links(conversation.id, session, Some(*message)).await?;
            if links.iter().any(|link| link.remote == *up_to) {
                last = Some(n);
                break;
            }
        }
        let Some(last) = last else { return Ok(()) };
        let news = shown[..=last].iter().rev().take(BACK);
        let mut unseen: Vec<(EffectId, MessageId)> = news
            .filter(|(_, _, state)| matches!(state, DeliveryState::Sent | DeliveryState::Delivered))
            .map(|(effect, message, _)| (*effect, *message))
            .collect();
        unseen.reverse();
        for (effect, message) in unseen {
            let mark = Mark { effect, state: DeliveryState::Seen, not_before: None, error: None };
            if self.writer.mark(mark).await? {
                self.show_seen(conversation, message).await?;
            }
        }
        Ok(())
    }

    /// 👁️ on a technician's message, in the room where it stands.
    async fn show_seen(&self, conversation: &Conversation, message: MessageId) -> Result<(), StoreError> {
        let Some(row) = self.stored(message).await? else { return Ok(()) };
        if !matches!(row.author, Author::Technician(_)) {
            return Ok(());
        }
        for session in conversation.desk_sessions() {
            let first = self.links(conversation, session, Some(message)).await?.into_values().next();
            if let Some(remote) = first {
                self.mark_seen(&session.address, message, remote).await;
                return Ok(());
            }
        }
        Ok(())
    }

    async fn mark_seen(&self, at: &Address, message: MessageId, remote: RemoteMessageId) {
        let Some(adapter) = self.adapters.get(&at.channel) else { return };
        if adapter.capabilities(at).marks == Support::Drop {
            return;
        }
        let its_turn = async {
            while let Err(then) = self.board.pace(adapter, at, OperationKind::Mark, 0, Instant::now()) {
                tokio::time::sleep_until(then).await;
            }
        };
        let came = tokio::select! {
            came = tokio::time::timeout(MARK_LIMIT, its_turn) => came.is_ok(),
            () = self.stop.cancelled() => false,
        };
        if !came {
            return;
        }
        let op = OutboundOp::Mark { message: remote, mark: Shown::Seen };
        let out = Outbound { id: DeliveryId(format!("seen:{message}")), to: at.clone(), op };
        if let Err(error) = adapter.send(&out).await {
            tracing::debug!(channel = %at.channel, %error, "a message was seen, and that could not be shown");
        }
    }
}

/// Who sees that somebody types: the other side of a conversation that somebody has.
fn watcher(conversation: &Conversation, policy: &Policy, inbound: &Inbound) -> Option<Address> {
    let Stage::Assigned(assigned) = &conversation.stage else { return None };
    if requesters(conversation, inbound).is_some() {
        let working = conversation.session(assigned.working?)?;
        return match working.role {
            SessionRole::Desk { thread: DeskThread::Open, .. } => Some(working.address.clone()),
            SessionRole::Desk { .. } | SessionRole::Requester { .. } => None,
        };
    }
    let writes_out = goes_out(assigned, policy, inbound);
    let requester = conversation.requester_session().filter(|_| writes_out && !conversation.requester.away);
    requester.map(|session| session.address.clone())
}

/// The requester's own session, where the event is theirs.
fn requesters<'c>(conversation: &'c Conversation, inbound: &Inbound) -> Option<&'c Session> {
    let session = conversation.requester_session().filter(|session| session.address == inbound.address)?;
    let who = format!("{}:{}", inbound.address.channel, inbound.from.id);
    (conversation.requester.id.0 == who).then_some(session)
}

/// Whether what this person writes there would go to the requester as it is.
fn goes_out(assigned: &Assigned, policy: &Policy, inbound: &Inbound) -> bool {
    let Some(mode) = policy.desk(&inbound.address).map(|desk| desk.reply_mode) else { return false };
    let Some(who) = identity::technician(policy, inbound) else { return false };
    match mode {
        ReplyMode::Direct => true,
        ReplyMode::Airlock => assigned.technician == who || assigned.co_repliers.contains(&who),
        ReplyMode::Explicit | ReplyMode::Alerts => false,
    }
}
