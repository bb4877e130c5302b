//! Tells channels that show it how each requester's matter stands.
//!
//! Not here: messages (the outbox). Telling is a hint that says what is so now; whoever missed one is told again at the
//! start, and with the next change.

use std::collections::HashMap;
use std::sync::Arc;

use deskbridge_contract::{ChannelName, DeskHours, Standing, StandingState, TicketShown};
use deskbridge_conversation::{
    Conversation, ConversationId, QueueId, SessionRole, Stage, TicketLink, TicketStatus,
};
use deskbridge_store::FactSource as _;
use deskbridge_store::read::ConversationFilter;
use tokio::sync::broadcast::error::RecvError;

use super::Bridge;

/// Conversations that are told about at the start, and after a lag: the latest.
const LATEST: u32 = 1_000;
/// Conversations whose last standing is remembered, so that most commits tell and read nothing.
const REMEMBERED: usize = 10_000;

type Told = HashMap<ConversationId, Standing>;

/// Runs until the program stops. Ends at once where no channel shows it.
pub async fn run(bridge: Arc<Bridge>) {
    if !bridge.adapters.values().any(|adapter| adapter.shows_standing()) {
        return;
    }
    let mut changes = bridge.bus.subscribe();
    let mut told = Told::new();
    bridge.tell_latest(&mut told).await;
    loop {
        let change = tokio::select! {
            change = changes.recv() => change,
            () = bridge.stop.cancelled() => return,
        };
        match change {
            Ok(commit) => {
                for change in &commit.changes {
                    bridge.tell_standing(&change.conversation, change.edited.is_empty(), &mut told).await;
                }
            }
            Err(RecvError::Lagged(_)) => bridge.tell_latest(&mut told).await,
            Err(RecvError::Closed) => return,
        }
    }
}

impl Bridge {
    async fn tell_latest(&self, told: &mut Told) {
        // What was missed may have been an edit of the subject.
        told.clear();
        let latest = ConversationFilter { limit: LATEST, ..ConversationFilter::default() };
        match self.read.conversations(&latest).await {
            Ok(all) => {
                for conversation in &all {
                    self.tell_standing(conversation, false, told).await;
                }
            }
            Err(error) => tracing::warn!(%error, "how conversations stand could not be read"),
        }
    }

    /// `same_words`: nothing that was said before is different now.
    async fn tell_standing(&self, conversation: &Conversation, same_words: bool, told: &mut Told) {
        let shown = conversation.sessions.iter().filter_map(|session| match session.role {
            SessionRole::Requester { .. } => {
                let adapter = self.adapters.get(&session.address.channel)?;
                adapter.shows_standing().then_some((&session.address, adapter))
            }
            SessionRole::Desk { .. } => None,
        });
        let shown: Vec<_> = shown.collect();
        if shown.is_empty() {
            return;
        }
        let last = told.get(&conversation.id);
        let subject = match last.filter(|last| same_words && !last.subject.is_empty()) {
            Some(last) => last.subject.clone(),
            None => self.subject(conversation).await.unwrap_or_default(),
        };
        let standing = self.standing(conversation, subject);
        if last == Some(&standing) {
            return;
        }
        let mut everybody = true;
        for (address, adapter) in shown {
            if let Err(error) = adapter.standing(address, &standing).await {
                everybody = false;
                tracing::debug!(%error, "how a conversation stands could not be told");
            }
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        if everybody {
            told.insert(conversation.id, standing);
        } else {
            told.remove(&conversation.id);
        }
    }

    fn standing(&self, conversation: &Conversation, subject: String) -> Standing {
        let policy = self.policy.current();
        let (state, technician, position) = match &conversation.stage {
            Stage::Assisting(_) => (StandingState::Assistant, None, None),
            Stage::Handover(_) => (StandingState::Waiting, None, Some(self.board.ahead(conversation) + 1)),
            Stage::Assigned(assigned) => {
                (StandingState::Human, Some(policy.policy.name(&assigned.technician)), None)
            }
            Stage::Closed(_) => (StandingState::Closed, None, None),
        };
        let ticket = match &conversation.ticket {
            TicketLink::Linked { number, status, .. } => Some(TicketShown {
                number: number.clone(),
                status: match status {
                    TicketStatus::Open => "open",
                    TicketStatus::Resolved => "resolved",
                    TicketStatus::Closed => "closed",
                }
                .to_owned(),
            }),
            TicketLink::None | TicketLink::Opening | TicketLink::Failed { .. } => None,
        };
        Standing {
            reference: conversation.id.to_string(),
            state,
            technician,
            ticket,
            position,
            subject,
            rating: conversation.rating,
        }
    }

    /// Whether people of a channel's queue are there.
    pub fn desk_hours(&self, channel: &ChannelName) -> DeskHours {
        let policy = self.policy.current();
        let queue: QueueId = policy.policy.queue_of(channel);
        let now = self.now();
        let facts = self.board.facts(&queue, now);
        let members = policy.policy.technicians.keys().filter(|who| policy.policy.is_member(who, &queue));
        let online = members.filter(|who| self.board.is_available(who)).count();
        DeskHours {
            open: facts.reopening.is_none(),
            back: facts.reopening.map(|reopening| reopening.said),
            online: u32::try_from(online).unwrap_or(u32::MAX),
            wait: facts.expected_wait.map(|wait| wait.as_secs()),
        }
    }
}
