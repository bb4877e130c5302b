//! `conversations/{conversation}/messages` and `…/notes`: what was said, and saying more.
//!
//! Not here: the verbs (`actions`), whether words leave (the core's airlock).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::http::StatusCode;
use deskbridge_conversation::verbs::{Names, Parsed, parse};
use deskbridge_conversation::{
    AssistantEvent, Audience, Author, Conversation, ConversationId, DeskEvent, EventBody, MessageId,
    PostIntent,
};
use deskbridge_store::rows::MessageRow;

use super::Api;
use super::apply::{Outcome, Wish};
use super::call::{Answer, Call};
use super::page::{Cursor, page};
use super::view::{DeliveryView, MessageView};
use crate::http::auth::Caller;
use crate::http::problem::Problem;

/// In the order they were committed; the cursor is a seq, and a seq is never cut in two.
pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let (cursor, limit) = (call.cursor()?, call.limit()?);
    let conversation = api.seen(&call).await?;
    let from = u64::try_from(cursor.map_or(0, |cursor| cursor.at)).unwrap_or(0);
    let mut rows = api.bridge.read.messages(conversation.id, from, true, limit + SPARE).await?;
    let next = cut(&mut rows, limit);
    let mine = api.own_drafts(&call.caller, &conversation, &rows).await?;
    rows.retain(|row| is_shown(row, &mine));
    rows.iter().for_each(|row| api.bridge.copy_soon(&conversation, row));
    let mut deliveries: HashMap<String, Vec<DeliveryView>> = HashMap::new();
    for delivery in api.deliveries(&conversation).await? {
        if let Some(message) = delivery.message.clone() {
            deliveries.entry(message).or_default().push(delivery);
        }
    }
    let helpful: HashMap<MessageId, bool> =
        api.bridge.read.feedback(conversation.id).await?.into_iter().collect();
    let views = rows.iter().map(|row| {
        let own = deliveries.remove(&row.id.to_string()).unwrap_or_default();
        MessageView { helpful: helpful.get(&row.id).copied(), ..api.message(&conversation, row, own) }
    });
    Ok(page(views.collect(), next))
}

/// One event makes a handful of messages; more than that beyond the limit would need a limit of one.
const SPARE: u32 = 50;

/// Cuts behind the last seq that fits, and says where the next page begins.
fn cut(rows: &mut Vec<MessageRow>, limit: u32) -> Option<Cursor> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let beyond = rows.get(limit)?.id.seq;
    let first_beyond = rows.iter().position(|row| row.id.seq == beyond)?;
    let next = if first_beyond > 0 { beyond } else { beyond + 1 };
    if first_beyond > 0 {
        rows.truncate(first_beyond);
    } else {
        rows.retain(|row| row.id.seq == beyond);
    }
    Some(Cursor { at: i64::try_from(next).unwrap_or(i64::MAX), shown: 0 })
}

/// A private message is a whisper to one person, or a draft for one: only the latter is ever shown here, to that person.
pub fn is_shown(row: &MessageRow, own_drafts: &HashSet<MessageId>) -> bool {
    match row.audience {
        Audience::Public | Audience::Internal | Audience::Requester => true,
        Audience::Private => own_drafts.contains(&row.id),
    }
}

impl Api {
    /// Suggestions made for this caller, among `rows`. For whom one was made stands in the log.
    pub async fn own_drafts(
        &self,
        caller: &Caller,
        conversation: &Conversation,
        rows: &[MessageRow],
    ) -> Result<HashSet<MessageId>, Problem> {
        let mut own = HashSet::new();
        let Some(technician) = &caller.technician else { return Ok(own) };
        let is_draft =
            |row: &&MessageRow| row.audience == Audience::Private && row.author == Author::Assistant;
        for row in rows.iter().filter(is_draft) {
            let log = self.bridge.read.log(conversation.id, row.id.seq, 1).await?;
            let body = log.first().filter(|log| log.seq == row.id.seq).map(|log| &log.event.body);
            if let Some(EventBody::Assistant(AssistantEvent::Suggested { to, .. })) = body
                && to == technician
            {
                own.insert(row.id);
            }
        }
        Ok(own)
    }
}

/// A reply to the requester. It accepts a conversation that nobody has (T16).
pub async fn reply(api: Arc<Api>, call: Call) -> Answer {
    post(api, call, PostIntent::Reply, "text").await
}

/// A note for technicians; the requester never sees it.
pub async fn note(api: Arc<Api>, call: Call) -> Answer {
    post(api, call, PostIntent::Note, "text").await
}

pub async fn post(api: Arc<Api>, call: Call, intent: PostIntent, field: &str) -> Answer {
    let id = call.conversation()?;
    // Whether it exists comes before whether the request is in order.
    let before = api.seen(&call).await?;
    let attached = call.texts("attachments").unwrap_or_default();
    if call.text(field).is_none() && attached.is_empty() {
        return Err(Problem::bad("field", format!("`{field}` is missing")));
    }
    let (intent, text) = api.meant(intent, call.text(field).unwrap_or_default());
    let reply_to = call.message_of("reply_to", id)?;
    if let Some(target) = reply_to {
        api.must_show(&call, &before, target).await?;
    }
    let files = api.files(&attached, id).await?;
    let what = DeskEvent::Posted { remote: None, intent, reply_to };
    let outcome = api.carry_out(&call, Wish { what, text: Some(text), files }).await?;
    match outcome {
        Outcome::Done(done) => {
            let message = api.made_by(&call, id, done.seq).await?;
            if let Some(message) = &message {
                api.onces.made(&call.once, message.id);
            }
            api.answer(&call, StatusCode::CREATED, &done.conversation, message, done.toast).await
        }
        Outcome::Replayed(conversation) => api.replay(&call, &conversation).await,
    }
}

impl Api {
    /// 🔒 keeps a text inside wherever it is written, also in a composer for replies: an internal remark that reaches the
    /// requester is the costliest mistake there is. Other signs are text here; verbs have routes of their own.
    pub fn meant(&self, intent: PostIntent, text: &str) -> (PostIntent, String) {
        let policy = self.bridge.policy.current();
        match parse(text, &Names::new(&policy.policy, &|_| false)) {
            Some(Parsed::Note { text: inside }) if !inside.trim().is_empty() => (PostIntent::Note, inside),
            Some(Parsed::Note { .. }) => (PostIntent::Note, text.to_owned()),
            Some(Parsed::Verb(_) | Parsed::Reply { .. } | Parsed::Bad { .. }) | None => {
                (intent, text.to_owned())
            }
        }
    }

    /// Only what the caller can see can be answered to.
    async fn must_show(&self, call: &Call, of: &Conversation, id: MessageId) -> Result<(), Problem> {
        let wrong = || Problem::bad("field", "`reply_to` is the id of a message of this conversation");
        let row = self.bridge.read.message(id).await?.filter(|row| !row.deleted).ok_or_else(wrong)?;
        let own = self.own_drafts(&call.caller, of, std::slice::from_ref(&row)).await?;
        if is_shown(&row, &own) { Ok(()) } else { Err(wrong()) }
    }

    /// The message that the caller's event made.
    async fn made_by(
        &self,
        call: &Call,
        id: ConversationId,
        seq: u64,
    ) -> Result<Option<MessageRow>, Problem> {
        let rows = self.bridge.read.messages(id, seq, true, 20).await?;
        let author = call.caller.technician.clone().map(Author::Technician);
        Ok(rows.into_iter().find(|row| row.id.seq == seq && Some(&row.author) == author.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use deskbridge_contract::{Content, Timestamp};

    use super::*;

    fn rows(seqs: &[u64]) -> Vec<MessageRow> {
        let row = |(n, seq): (usize, &u64)| MessageRow {
            id: MessageId { conversation: ConversationId(1), seq: *seq, n: u32::try_from(n).unwrap() },
            author: Author::Desk,
            audience: Audience::Public,
            content: Content::default(),
            reply_to: None,
            now: Timestamp(0),
            at: Timestamp(0),
            edited: None,
            deleted: false,
        };
        seqs.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_page_ends_with_whole_events() {
        for (seqs, limit, left, next) in [
            (&[1, 2, 3][..], 3, 3, None),
            (&[1, 2, 3], 2, 2, Some(3)),
            (&[1, 2, 2, 3], 2, 1, Some(2)),
            (&[2, 2, 2, 3], 2, 3, Some(3)),
        ] {
            let mut page = rows(seqs);
            let cursor = cut(&mut page, limit);
            assert_eq!((page.len(), cursor.map(|cursor| cursor.at)), (left, next), "{seqs:?} by {limit}");
        }
    }
}
