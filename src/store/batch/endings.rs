//! How an effect ends: the state of its row, and what the platform calls the messages that came of it.
//!
//! Not here: what else a step came to (`record`), the rows of effects (`outbox`).

use deskbridge_contract::Sent;
use deskbridge_conversation::{
    Answer, AssistantEvent, ConversationId, DeliveryEvent, DeliveryOp, Effect, EffectId, EventBody, Joined,
    Made, MessageId, Outcome, SessionId, TicketEvent,
};

use crate::rows::{DeliveryState, JointRow, LinkRow};

use super::Batch;

impl Batch<'_> {
    /// The effect that caused this event is done.
    pub(super) fn end(&mut self, effect: EffectId, body: &EventBody, made: &Made) {
        let (state, error) = end_of(body, made);
        if let EventBody::Delivery(delivery) = body {
            self.link_sent(effect, delivery);
        }
        if let Some(outcome) = self.outbox.end(effect, state, error, self.now) {
            self.end_attempt(effect, outcome);
        }
    }

    /// The platform's names for what was shown, so that answers, edits and reactions are understood.
    fn link_sent(&mut self, effect: EffectId, delivery: &DeliveryEvent) {
        let conversation = effect.conversation;
        let (Outcome::Sent { remote, more, address, .. } | Outcome::Partly { remote, more, address, .. }) =
            &delivery.outcome
        else {
            return;
        };
        if self.is_of_the_erased(conversation, delivery.session) {
            return;
        }
        if let (Some(Joined { lead, nth }), DeliveryOp::Post { message }) = (delivery.joined, &delivery.op) {
            let (session, message) = (delivery.session, *message);
            self.changes.joints.push(JointRow { conversation, session, message, lead, nth });
            return;
        }
        // Parts that were known before are linked, each where it went.
        let shown = self.outbox.get(effect).map_or(&[][..], |row| &row.shown);
        let known = shown.iter().map(|sent| sent.messages().count()).sum();
        let rest = remote.iter().chain(more).skip(known).cloned().collect();
        let sent = Sent { more: rest, ..Sent::at(address, None) };
        self.link_parts(conversation, delivery.session, &delivery.op, known, &sent);
    }

    /// The platform's messages behind the first so many of a delivery.
    pub(super) fn link_parts(
        &mut self,
        conversation: ConversationId,
        session: SessionId,
        op: &DeliveryOp,
        before: usize,
        sent: &Sent,
    ) {
        if self.is_of_the_erased(conversation, session) {
            return;
        }
        let message = match op {
            DeliveryOp::Post { message } => Some(*message),
            // Where the card is the thread's root, opening the thread posts it.
            DeliveryOp::Card | DeliveryOp::OpenThread => None,
            DeliveryOp::Transcript { from, to } => Some(MessageId::transcript(conversation, *from, *to)),
            // Where it had to be said aloud, so that it can be taken away. A message of a private chat is none of the room's.
            DeliveryOp::Whisper { message, .. } => {
                let known = self.conversations.get(&conversation).and_then(|c| c.session(session));
                if known.is_none_or(|known| known.address.room != sent.address.room) {
                    return;
                }
                Some(*message)
            }
            DeliveryOp::Edit { .. }
            | DeliveryOp::Delete { .. }
            | DeliveryOp::React { .. }
            | DeliveryOp::Mark { .. }
            | DeliveryOp::Thread { .. } => return,
        };
        for (part, remote) in (before..).zip(sent.messages()) {
            let Ok(part) = u16::try_from(part) else { return };
            let link = LinkRow {
                conversation,
                session,
                message,
                channel: sent.address.channel.clone(),
                room: sent.address.room.clone(),
                remote: remote.clone(),
                part,
            };
            self.link(link, None);
        }
    }
}

/// How an effect's row ends, and why.
fn end_of(body: &EventBody, made: &Made) -> (DeliveryState, Option<String>) {
    match body {
        EventBody::Delivery(delivery) => match &delivery.outcome {
            Outcome::Sent { accepted: true, note, .. } => (DeliveryState::Accepted, note.clone()),
            Outcome::Sent { note, .. } => (DeliveryState::Sent, note.clone()),
            Outcome::Failed { why } | Outcome::Gone { why } => (DeliveryState::Failed, Some(why.clone())),
            Outcome::Partly { why, .. } => (DeliveryState::Failed, Some(format!("only partly: {why}"))),
            Outcome::Unknown { why } => (DeliveryState::Unknown, Some(why.clone())),
            Outcome::ThreadGone { why } => {
                (replaced(delivery.session, &delivery.op, made), Some(why.clone()))
            }
            Outcome::Moved { .. } => (
                replaced(delivery.session, &delivery.op, made),
                Some("the room has a new address".to_owned()),
            ),
        },
        EventBody::Assistant(AssistantEvent::Answered { answer: Answer::Failed { why }, .. })
        | EventBody::Ticket(TicketEvent::Failed { why }) => (DeliveryState::Failed, Some(why.clone())),
        EventBody::Assistant(_)
        | EventBody::Ticket(_)
        | EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Desk { .. }
        | EventBody::Roster(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => (DeliveryState::Sent, None),
    }
}

/// Nothing failed where the core queued the same operation again.
fn replaced(session: SessionId, op: &DeliveryOp, made: &Made) -> DeliveryState {
    let again = made.effects.iter().any(|(_, effect)| match effect {
        Effect::Deliver(delivery) => delivery.session == session && delivery.op == *op,
        _ => false,
    });
    if again { DeliveryState::Cancelled } else { DeliveryState::Failed }
}
