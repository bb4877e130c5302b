//! `conversations/{conversation}/deliveries`: what went where, and how it ended.
//!
//! Not here: effects that are no deliveries (the timeline has their results).

use std::sync::Arc;

use deskbridge_conversation::{Conversation, DeliveryOp, Effect, MessageId};
use deskbridge_store::rows::{DeliveryState, OutboxRow};

use super::Api;
use super::call::{Answer, Call};
use super::page::{Cursor, page};
use super::view::{DeliveryView, time};
use crate::http::problem::Problem;

/// In order of making; the cursor counts.
pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let (cursor, limit) = (call.cursor()?, call.limit()?);
    let conversation = api.seen(&call).await?;
    let all = api.deliveries(&conversation).await?;
    let from = usize::try_from(cursor.map_or(0, |cursor| cursor.at)).unwrap_or(usize::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = from.saturating_add(limit);
    let at = i64::try_from(next).unwrap_or(i64::MAX);
    let more = (all.len() > next).then_some(Cursor { at, shown: 0 });
    Ok(page(all.into_iter().skip(from).take(limit).collect(), more))
}

impl Api {
    pub async fn deliveries(&self, conversation: &Conversation) -> Result<Vec<DeliveryView>, Problem> {
        let rows = self.bridge.read.deliveries(conversation.id).await?;
        Ok(rows.iter().filter_map(|row| view(conversation, row)).collect())
    }
}

/// Whispers are between the bridge and one person.
fn view(conversation: &Conversation, row: &OutboxRow) -> Option<DeliveryView> {
    let Effect::Deliver(delivery) = &row.effect else { return None };
    if matches!(delivery.op, DeliveryOp::Whisper { .. }) {
        return None;
    }
    let session = conversation.session(delivery.session);
    let held = row.not_before.filter(|_| row.state == DeliveryState::Queued);
    Some(DeliveryView {
        id: row.id.to_string(),
        session: delivery.session.0,
        channel: session.map(|session| session.address.channel.0.clone()).unwrap_or_default(),
        operation: operation(&delivery.op).to_owned(),
        message: delivery.op.message().as_ref().map(MessageId::to_string),
        state: row.state,
        held_until: held.map(time),
        attempts: row.attempts,
        error: row.error.clone().filter(|error| !error.is_empty()),
        updated: time(row.updated),
    })
}

fn operation(op: &DeliveryOp) -> &'static str {
    match op {
        DeliveryOp::Post { .. } => "post",
        DeliveryOp::Edit { .. } => "edit",
        DeliveryOp::Delete { .. } => "delete",
        DeliveryOp::React { .. } => "react",
        DeliveryOp::Mark { .. } => "mark",
        DeliveryOp::OpenThread => "open-thread",
        DeliveryOp::Card => "card",
        DeliveryOp::Thread { .. } => "thread",
        DeliveryOp::Transcript { .. } => "transcript",
        DeliveryOp::Whisper { .. } => "whisper",
    }
}
