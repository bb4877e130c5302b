//! Carries out what somebody says who was asked whether they are a technician: kept, in force at once, told, audited.
//!
//! Not here: who is asked, and what an answer is worth (`deskbridge_conversation::identity`).

use deskbridge_contract::{
    ChannelName, Content, DeliveryId, Inbound, InboundEvent, Outbound, OutboundOp, RemoteUserId, Sender,
    Timestamp,
};
use deskbridge_conversation::identity::{self, Said};
use deskbridge_conversation::notices::{DeskNotice, desk, plain};
use deskbridge_conversation::{DeskActor, Policy, TechnicianId};
use deskbridge_store::rows::KeptRow;
use deskbridge_store::{Admin, Committed, Read, StoreError};

use super::{Bridge, rooms};

const KIND: &str = KeptRow::IDENTITY;

/// The configuration's policy with everything in it that happened since: rooms that moved, identities that were confirmed.
pub async fn in_force(read: &dyn Read, policy: Policy) -> Result<Policy, StoreError> {
    let mut policy = rooms::moved(read, policy).await?;
    confirmed(read, &mut policy).await?;
    Ok(policy)
}

/// An answer that cannot be read, or that does not hold any more, is none; it stays in the store until somebody is asked anew.
pub async fn confirmed(read: &dyn Read, policy: &mut Policy) -> Result<(), StoreError> {
    for row in read.kept(KIND, "").await? {
        if let Some(said) = row.value.as_deref().and_then(|value| serde_json::from_str::<Said>(value).ok()) {
            identity::heed(policy, &said);
        }
    }
    Ok(())
}

/// A press of a button under the question. What people write is none (S44).
pub fn answered(inbound: &Inbound) -> Option<bool> {
    let InboundEvent::Invoked { action, .. } = &inbound.event else { return None };
    identity::answer(action)
}

/// Who somebody is at the desk.
pub fn who(policy: &Policy, inbound: &Inbound) -> DeskActor {
    identity::known(policy, &inbound.address.channel, &inbound.from)
}

/// The technician that a platform user is; guests, bots and external people are nobody (D17, D25).
pub fn technician(policy: &Policy, inbound: &Inbound) -> Option<TechnicianId> {
    match who(policy, inbound) {
        DeskActor::Technician(technician) => Some(technician),
        DeskActor::Unconfirmed(_) | DeskActor::Outsider => None,
    }
}

impl Bridge {
    /// Keeps the answer of somebody who was rightly asked, and says what it came to. Saying it twice is saying it once.
    pub async fn identify(&self, inbound: &Inbound, is_me: bool) -> Result<(), StoreError> {
        let word = {
            let _one = self.changing.lock().await;
            let mut policy = self.policy.current().policy.clone();
            let channel = &inbound.address.channel;
            match identity::known(&policy, channel, &inbound.from) {
                DeskActor::Technician(technician) if is_me => welcome(&policy.name(&technician)),
                DeskActor::Technician(_) => {
                    "You are known as a technician; only an admin can change that.".to_owned()
                }
                DeskActor::Outsider => "Only technicians can do that.".to_owned(),
                DeskActor::Unconfirmed(technician) => {
                    let email = policy.technicians.get(&technician).and_then(|one| one.email.clone());
                    let identity = identity::name(channel, &inbound.from.id);
                    let said = Said { technician, identity, email: email.unwrap_or_default(), is_me };
                    self.keep(&said).await?;
                    if identity::heed(&mut policy, &said) {
                        self.policy.replace(policy.clone());
                        self.bus
                            .publish(std::sync::Arc::new(Committed { roster: true, ..Committed::default() }));
                    }
                    if is_me {
                        self.tell_elsewhere(&policy, &said).await;
                        welcome(&policy.name(&said.technician))
                    } else {
                        "Noted: you are not asked again.".to_owned()
                    }
                }
            }
        };
        self.say_to(inbound, Content::text(word)).await;
        Ok(())
    }

    async fn keep(&self, said: &Said) -> Result<(), StoreError> {
        let row = KeptRow {
            kind: KIND.into(),
            owner: String::new(),
            key: said.identity.clone(),
            value: serde_json::to_string(said).ok(),
            updated: Timestamp(0),
        };
        self.writer.admin(Admin::Keep(row)).await?;
        let is = if said.is_me { "is" } else { "is not" };
        let act = format!("said that {} {is} the technician {}", said.identity, said.technician);
        let by = said.is_me.then(|| said.technician.to_string());
        self.writer.admin(Admin::Audit { by, act, conversation: None }).await?;
        Ok(())
    }

    /// What this person is asked before they count as the technician whose address they have.
    pub fn identity_question(&self, channel: &ChannelName, who: &Sender) -> Option<Content> {
        let policy = self.policy.current();
        match identity::known(&policy.policy, channel, who) {
            DeskActor::Unconfirmed(technician) => {
                Some(desk(&DeskNotice::ConfirmIdentity { name: policy.policy.name(&technician) }))
            }
            DeskActor::Technician(_) | DeskActor::Outsider => None,
        }
    }

    /// Asks, outside of any conversation.
    pub async fn ask_identity(&self, inbound: &Inbound, technician: &TechnicianId) {
        let name = self.policy.current().policy.name(technician);
        self.say_to(inbound, desk(&DeskNotice::ConfirmIdentity { name })).await;
    }

    /// A word to one person about what they pressed; best effort.
    async fn say_to(&self, inbound: &Inbound, content: Content) {
        let Some(adapter) = self.adapters.get(&inbound.address.channel) else { return };
        let (to, interaction) = (inbound.from.id.clone(), inbound.interaction.clone());
        let op = OutboundOp::Whisper { to, content, interaction };
        let id = DeliveryId(format!("identity:{}", inbound.id));
        if let Err(error) = adapter.send(&Outbound { id, to: inbound.address.clone(), op }).await {
            tracing::debug!(%error, "somebody who may be a technician could not be told privately");
        }
    }

    /// Whoever is that technician learns on their other channels that somebody is them here now; best effort.
    async fn tell_elsewhere(&self, policy: &Policy, said: &Said) {
        let Some(technician) = policy.technicians.get(&said.technician) else { return };
        for known in technician.identities.iter().filter(|known| **known != said.identity) {
            let Some((channel, user)) = known.split_once(':') else { continue };
            let Some(adapter) = self.adapters.get(&channel.into()) else { continue };
            let Ok(to) = adapter.open_direct(&RemoteUserId::new(user)).await else { continue };
            let words = format!(
                "{} was confirmed to be you, by your address. If that is not your account, tell an admin.",
                plain(&said.identity)
            );
            let op = OutboundOp::Post {
                content: Content::text(words),
                files: Vec::new(),
                persona: None,
                reply_to: None,
            };
            let id = DeliveryId(format!("identity:{}:{known}", said.identity));
            if let Err(error) = adapter.send(&Outbound { id, to, op }).await {
                tracing::debug!(%error, "a technician could not be told of a confirmed identity");
            }
        }
    }
}

fn welcome(name: &str) -> String {
    format!("You are {} here from now on. What you do now counts.", plain(name))
}
