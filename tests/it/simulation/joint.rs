//! What must hold where several words share a post (D23).
//!
//! Not here: what must hold everywhere (`invariants`).

use std::collections::BTreeMap;

use deskbridge_conversation::{Author, ConversationId, Delivery, DeliveryOp, Effect, MessageId, SessionId};
use deskbridge_store::Read;
use deskbridge_store::rows::{JointRow, OutboxRow};

use super::doubles::row_of;
use super::invariants::{Broken, Sight, broken, canaries, look};
use super::world::Town;

/// By the lead's message: what is shown in its post, in order.
pub(super) type Joints = BTreeMap<(ConversationId, SessionId, MessageId), Vec<JointRow>>;

/// All joints, by their lead.
pub(super) async fn joints(town: &Town, rows: &[OutboxRow]) -> Joints {
    let mut joints = BTreeMap::new();
    for row in rows {
        let Effect::Deliver(Delivery { session, op: DeliveryOp::Post { message }, .. }) = &row.effect else {
            continue;
        };
        let parts = town.store.joint(row.conversation(), *session, *message).await.expect("readable");
        if parts.first().is_some_and(|part| part.lead == *message) {
            joints.insert((row.conversation(), *session, *message), parts);
        }
    }
    joints
}

/// How many posts show words of several messages.
pub async fn joint_posts(town: &Town) -> usize {
    look(town, false).await.joints.len()
}

/// I3, I4, I5 where words share a post: it shows all parts that are still there, in order, and none of them shows too
/// often.
pub(super) fn joint_words_are_shown(sight: &Sight<'_>) -> Result<(), Broken> {
    let text = |id: MessageId| sight.messages.iter().find(|row| row.id == id && !row.deleted);
    for ((_, session, lead), parts) in &sight.joints {
        let shown = sight.posts(*session, *lead);
        if shown.is_empty() {
            return broken("I3", format!("{lead} is the lead of a post that is nowhere"));
        }
        let all = std::iter::once(*lead).chain(parts.iter().map(|part| part.message));
        let words: Vec<&str> = all.filter_map(text).map(|row| row.content.text.as_str()).collect();
        for content in shown {
            let mut rest = content.as_str();
            for words in &words {
                let Some(at) = rest.find(words) else {
                    let id = if content.contains(words) { "I5" } else { "I3" };
                    return broken(id, format!("“{words}” is not at its place in “{content}”"));
                };
                rest = &rest[at + words.len()..];
            }
        }
    }
    let most = if sight.calm { 1 } else { 2 };
    for row in sight.messages.iter().filter(|row| matches!(row.author, Author::Requester(_))) {
        let Some(conversation) = sight.conversations.get(&row.id.conversation) else { continue };
        for session in conversation.desk_sessions() {
            let words = canaries(&row.content.text);
            let copies = sight.shown_in(session.id, row.id.conversation);
            let copies =
                copies.iter().filter(|shown| !words.is_empty() && canaries(shown).is_superset(&words));
            let copies = copies.count();
            if copies > most {
                return broken("I4", format!("{} “{}” is shown {copies} times", row.id, row.content.text));
            }
        }
    }
    Ok(())
}

impl Sight<'_> {
    pub(super) fn joint_of(&self, session: SessionId, op: &DeliveryOp) -> Option<&[JointRow]> {
        let message = op.message()?;
        Some(self.joints.get(&(message.conversation, session, message))?.as_slice())
    }

    /// The delivery of the last part of a joint post.
    pub(super) fn row_of_last(&self, lead: &OutboxRow, parts: &[JointRow]) -> Option<&OutboxRow> {
        let last = parts.last()?.message;
        self.rows.iter().find(|row| {
            row.lane == lead.lane
                && matches!(&row.effect, Effect::Deliver(d) if d.op == DeliveryOp::Post { message: last })
        })
    }

    /// What people's posts in a desk thread show now, with the message that each belongs to.
    fn desk_posts(&self, session: SessionId, of: ConversationId) -> Vec<(MessageId, String)> {
        let mut posts = Vec::new();
        for shown in self.rooms.iter().flat_map(|(_, room)| &room.messages).filter(|shown| !shown.deleted) {
            let row = shown.delivery.as_ref().and_then(|delivery| self.by_delivery.get(row_of(delivery)));
            let Some(Effect::Deliver(delivery)) = row.map(|row| &row.effect) else { continue };
            match delivery.op {
                DeliveryOp::Post { message } if message.conversation == of && delivery.session == session => {
                    posts.push((message, shown.content.text.clone()));
                }
                _ => {}
            }
        }
        posts
    }

    fn posts(&self, session: SessionId, lead: MessageId) -> Vec<String> {
        let posts = self.desk_posts(session, lead.conversation).into_iter();
        posts.filter(|(message, _)| *message == lead).map(|(_, text)| text).collect()
    }

    fn shown_in(&self, session: SessionId, of: ConversationId) -> Vec<String> {
        let by_requester = |id: &MessageId| {
            let row = self.messages.iter().find(|row| row.id == *id);
            row.is_some_and(|row| matches!(row.author, Author::Requester(_)))
        };
        let posts = self.desk_posts(session, of).into_iter();
        posts.filter(|(message, _)| by_requester(message)).map(|(_, text)| text).collect()
    }
}
