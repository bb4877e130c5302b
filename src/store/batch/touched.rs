//! The conversations that a batch changes, in the order in which they were first touched.
//!
//! Not here: how they change (`record`).

use std::collections::HashMap;
use std::sync::Arc;

use deskbridge_contract::{Content, Timestamp};
use deskbridge_conversation::{
    Audience, Conversation, ConversationId, EffectId, MessageId, Session, SessionRole, timers,
};

use crate::backend::Changes;
use crate::job::Change;
use crate::policy::Stamped;
use crate::rows::{ConversationRow, DeliveryState, MessageRow, SessionRow};

use super::outbox::Outbox;

#[derive(Default)]
pub(super) struct Touched {
    order: Vec<ConversationId>,
    parts: HashMap<ConversationId, Part>,
}

/// What the batch does to one conversation.
pub(super) struct Part {
    /// As loaded; 0 and no stage when the batch opened it.
    seq: u64,
    stage: Option<&'static str>,
    sessions: Vec<SessionRow>,
    /// An event was applied; else only stored words were replaced.
    pub(super) stepped: bool,
    pub(super) messages: Vec<MessageRow>,
    pub(super) enqueued: Vec<EffectId>,
    pub(super) outbox_touched: bool,
    pub(super) edited: Vec<MessageId>,
}

impl Touched {
    /// `before` is the state before this batch's first event; `None` when the batch opened the conversation.
    pub(super) fn part(&mut self, id: ConversationId, before: Option<&Conversation>) -> &mut Part {
        let order = &mut self.order;
        self.parts.entry(id).or_insert_with(|| {
            order.push(id);
            Part {
                seq: before.map_or(0, |c| c.seq),
                stage: before.map(Conversation::stage_name),
                sessions: before
                    .map(|c| c.sessions.iter().map(|s| session_row(id, s)).collect())
                    .unwrap_or_default(),
                stepped: false,
                messages: Vec::new(),
                enqueued: Vec::new(),
                outbox_touched: false,
                edited: Vec::new(),
            }
        })
    }

    /// A message that is new with this batch.
    pub(super) fn new_message(&mut self, id: MessageId) -> Option<&mut MessageRow> {
        self.parts.get_mut(&id.conversation)?.messages.iter_mut().find(|row| row.id == id)
    }

    pub(super) fn write(
        self,
        conversations: &HashMap<ConversationId, Arc<Conversation>>,
        outbox: &Outbox,
        policy: &Stamped,
        now: Timestamp,
        changes: &mut Changes,
    ) -> Vec<Change> {
        let mut parts = self.parts;
        let mut told = Vec::with_capacity(self.order.len());
        for id in self.order {
            let (Some(part), Some(conversation)) = (parts.remove(&id), conversations.get(&id)) else {
                continue;
            };
            let wake_at = timers::wake_at(conversation, &policy.policy);
            if part.stepped {
                changes.loaded_seqs.push(part.seq);
                let state = conversation.clone();
                changes.conversations.push(ConversationRow { state, wake_at, updated: now });
                let rows = conversation.sessions.iter().map(|session| session_row(id, session));
                changes.sessions.extend(rows.filter(|row| !part.sessions.contains(row)));
            }
            changes.messages.extend(part.messages.iter().cloned());
            let open = part.enqueued.iter().filter_map(|id| outbox.get(*id));
            told.push(Change {
                conversation: conversation.clone(),
                before: part.stage,
                wake_at,
                now,
                messages: part.messages.into_iter().map(Arc::new).collect(),
                enqueued: open
                    .filter(|row| row.state == DeliveryState::Queued)
                    .cloned()
                    .map(Arc::new)
                    .collect(),
                outbox_touched: part.outbox_touched,
                edited: part.edited,
            });
        }
        told
    }
}

fn session_row(conversation: ConversationId, session: &Session) -> SessionRow {
    SessionRow {
        conversation,
        session: session.id,
        requester: matches!(session.role, SessionRole::Requester { .. }),
        address: session.address.key(),
    }
}

/// Stored words change at most once per statement: the last change wins.
pub(super) fn edit(changes: &mut Changes, message: MessageId, content: &Content, now: Timestamp) {
    changes.edits.retain(|(other, _, _)| *other != message);
    changes.replaced.retain(|(other, _)| *other != message);
    changes.edits.push((message, content.clone(), now));
}

pub(super) fn replace(changes: &mut Changes, message: MessageId, content: &Content) {
    if let Some((_, words, _)) = changes.edits.iter_mut().find(|(other, _, _)| *other == message) {
        words.clone_from(content);
        return;
    }
    changes.replaced.retain(|(other, _)| *other != message);
    changes.replaced.push((message, content.clone()));
}

pub(super) fn delete(changes: &mut Changes, message: MessageId, now: Timestamp) {
    if !changes.deletes.iter().any(|(other, _)| *other == message) {
        changes.deletes.push((message, now));
    }
}

pub(super) fn set_audience(changes: &mut Changes, message: MessageId, audience: Audience) {
    changes.audiences.retain(|(other, _)| *other != message);
    changes.audiences.push((message, audience));
}
