//! A requester's own words, seen: whoever has the conversation looks at it in the console. Told to channels that show how a
//! matter stands; elsewhere a mark on every message would be noise. A hint like others (D31): lost without harm.
//!
//! Not here: read marks of requesters (`hints`). A chat platform tells no bot what people read in a desk room (D18); there an
//! answer says it.

use std::sync::Arc;

use deskbridge_contract::{DeliveryId, Mark, Outbound, OutboundOp};
use deskbridge_conversation::{Author, Conversation, MessageId, Stage, TechnicianId};
use deskbridge_store::StoreError;
use tokio::time::Instant;

use super::Bridge;

/// Events that are looked back over for the requester's latest words.
const BACK: u64 = 100;

impl Bridge {
    /// Somebody looks at a conversation in the console. Colleagues who only look have not seen anything for the requester.
    pub fn seen_in_console(self: &Arc<Self>, conversation: &Conversation, who: &TechnicianId) {
        let Stage::Assigned(assigned) = &conversation.stage else { return };
        if assigned.technician != *who && !assigned.co_repliers.contains(who) {
            return;
        }
        let adapter = conversation.requester_session().and_then(|s| self.adapters.get(&s.address.channel));
        if conversation.requester.away || !adapter.is_some_and(|adapter| adapter.shows_standing()) {
            return;
        }
        let (bridge, conversation) = (self.clone(), conversation.clone());
        self.tasks.spawn(async move {
            if let Err(error) = bridge.show_seen_to_requester(&conversation).await {
                tracing::debug!(%error, "that words were seen was not told");
            }
        });
    }

    async fn show_seen_to_requester(&self, conversation: &Conversation) -> Result<(), StoreError> {
        let Some(session) = conversation.requester_session() else { return Ok(()) };
        let Some(adapter) = self.adapters.get(&session.address.channel) else { return Ok(()) };
        let Some(message) = self.latest_of_requester(conversation).await? else { return Ok(()) };
        if !self.board.first_time(&("seen", message), Instant::now()) {
            return Ok(());
        }
        let links = self.links(conversation, session, Some(message)).await?;
        let Some(remote) = links.into_values().next() else { return Ok(()) };
        let op = OutboundOp::Mark { message: remote, mark: Mark::Seen };
        let out = Outbound { id: DeliveryId(format!("seen:{message}")), to: session.address.clone(), op };
        if let Err(error) = adapter.send(&out).await {
            tracing::debug!(channel = %session.address.channel, %error, "that words were seen could not be shown");
        }
        Ok(())
    }

    async fn latest_of_requester(
        &self,
        conversation: &Conversation,
    ) -> Result<Option<MessageId>, StoreError> {
        let from = conversation.seq.saturating_sub(BACK);
        let limit = u32::try_from(4 * BACK).unwrap_or(u32::MAX);
        let rows = self.read.messages(conversation.id, from, false, limit).await?;
        let latest = rows.iter().rev().find(|row| matches!(row.author, Author::Requester(_)) && !row.deleted);
        Ok(latest.map(|row| row.id))
    }
}
