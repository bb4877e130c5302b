//! Whom a technician may hand the conversation of a thread to, by name, for platforms that suggest while somebody types.
//!
//! Not here: what handing over does (the core), how a platform suggests (the adapters). Whom nobody may ask, nobody sees.

use std::sync::Arc;

use deskbridge_contract::{Address, Colleague, Colleagues, Duty, RemoteUserId};
use deskbridge_conversation::verbs::{TransferTo, Verb, permitted};
use deskbridge_conversation::{Conversation, Stage, identity};
use deskbridge_store::StoreError;

use super::{Bridge, duty};

impl Bridge {
    /// `None` where there is nothing to choose for this person: no technician, no conversation there, none of theirs (S70).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn colleagues(
        &self,
        at: &Address,
        user: &RemoteUserId,
    ) -> Result<Option<Colleagues>, StoreError> {
        let policy = self.policy.current();
        let policy = &policy.policy;
        let Some(desk) = policy.desk(at) else { return Ok(None) };
        let Some(who) = identity::technician(policy, &identity::name(&at.channel, user)) else {
            return Ok(None);
        };
        let Some(conversation) = self.about(at).await? else { return Ok(None) };
        let verb = Verb::Transfer { to: TransferTo::Queue(conversation.queue.clone()) };
        if permitted(&verb, &who, &conversation, policy, Some(desk.reply_mode)).is_err() {
            return Ok(None);
        }
        let owner = match &conversation.stage {
            Stage::Assigned(assigned) => Some(&assigned.technician),
            Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => None,
        };
        let others = policy.technicians.iter().filter(|(id, _)| **id != who && Some(*id) != owner);
        let mut technicians: Vec<Colleague> = others
            .map(|(id, one)| Colleague {
                id: id.to_string(),
                name: one.name.clone(),
                duty: duty::of(self.board.presence(id)),
            })
            .collect();
        technicians.sort_by_key(|one| (rank(one.duty), one.name.to_lowercase()));
        let queues = policy.queues.keys().filter(|queue| **queue != conversation.queue);
        Ok(Some(Colleagues { technicians, queues: queues.map(ToString::to_string).collect() }))
    }

    /// The latest conversation of a thread.
    async fn about(&self, at: &Address) -> Result<Option<Arc<Conversation>>, StoreError> {
        if let Some(hot) = self.board.at(at) {
            return Ok(Some(hot));
        }
        match self.read.conversations_at(&at.key()).await?.into_iter().max() {
            Some(id) => self.board.conversation(self.read.as_ref(), id).await,
            None => Ok(None),
        }
    }
}

fn rank(duty: Duty) -> u8 {
    match duty {
        Duty::On => 0,
        Duty::Busy => 1,
        Duty::Away => 2,
        Duty::Off => 3,
    }
}
