//! From a platform's event to an event of a conversation: who spoke, on which side, what it plainly asks for.
//!
//! Not here: translating payloads (the adapters), deciding (the core). `push` returns after the commit (I1).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbridge_contract::{
    Address, Card, ChannelName, Colleagues, Content, DeskHours, Duty, Inbound, InboundEvent, InboxSink,
    Known, PersonalCard, PushError, Receipt, RemoteMessageId, RemoteUserId, Sender, Toast, TranslateError,
};
use deskbridge_conversation::{Presence, TechnicianId};
use deskbridge_store::{Admin, Applied, Apply, StoreError};

use super::reading::{Read, read};
use super::{Bridge, duty};

/// How often a whole job is tried again after a conflict with another node.
const CONFLICTS: u32 = 5;

pub struct Sink {
    pub bridge: Arc<Bridge>,
}

#[async_trait]
impl InboxSink for Sink {
    async fn push(&self, event: Inbound) -> Result<Receipt, PushError> {
        if self.bridge.stop.is_cancelled() {
            return Err(PushError::Closed);
        }
        metrics::counter!("deskbridge_inbound_total").increment(1);
        if let InboundEvent::RoomMoved { to } = &event.event {
            return match self.bridge.room_moved(&event.address, to).await {
                Ok(()) => Ok(Receipt::default()),
                Err(error) => {
                    tracing::error!(%error, "a room moved, and that could not be stored");
                    Err(PushError::Unavailable)
                }
            };
        }
        if self.bridge.hint(&event) {
            return Ok(Receipt::default());
        }
        let raw = event.clone();
        match read(&self.bridge, event) {
            Read::Apply(apply) => match self.bridge.take(*apply).await {
                Ok(receipt) => Ok(receipt),
                Err(Refusal::Unavailable) => Err(PushError::Unavailable),
                Err(Refusal::Poison(why)) => self.set_aside(&raw, why).await,
            },
            Read::Presence { technician, presence, inbound } => {
                self.bridge.set_presence(&technician, presence).await.map_err(|_| PushError::Unavailable)?;
                duty::tell(&self.bridge, &inbound, presence).await;
                Ok(Receipt::default())
            }
            Read::Said { is_me, inbound } => {
                self.bridge.identify(&inbound, is_me).await.map_err(|_| PushError::Unavailable)?;
                Ok(Receipt::default())
            }
            Read::Ask { technician, inbound } => {
                self.bridge.ask_identity(&inbound, &technician).await;
                Ok(Receipt::default())
            }
            Read::Told(why) => {
                let toast = Toast { text: why.to_owned(), alert: false };
                Ok(Receipt { toast: Some(toast), ..Receipt::default() })
            }
            Read::Nothing => {
                metrics::counter!("deskbridge_inbound_ignored_total").increment(1);
                Ok(Receipt::default())
            }
        }
    }

    async fn quarantine(
        &self,
        channel: &ChannelName,
        raw: &[u8],
        why: &TranslateError,
    ) -> Result<(), PushError> {
        metrics::counter!("deskbridge_quarantine_total").increment(1);
        tracing::warn!(channel = %channel, why = %why, bytes = raw.len(), "an event could not be read; kept in quarantine");
        let keep = Admin::Quarantine { channel: channel.clone(), raw: raw.to_vec(), why: why.to_string() };
        self.bridge.writer.admin(keep).await.map(|_| ()).map_err(|_| PushError::Unavailable)
    }

    async fn desk_hours(&self, channel: &ChannelName) -> DeskHours {
        self.bridge.desk_hours(channel)
    }

    async fn personal_card(
        &self,
        at: &Address,
        reference: &str,
        user: &RemoteUserId,
    ) -> Option<PersonalCard> {
        self.bridge.personal_card(at, reference, user).await
    }

    async fn duty(&self, channel: &ChannelName, user: &RemoteUserId) -> Option<Duty> {
        self.bridge.duty(channel, user)
    }

    async fn colleagues(&self, at: &Address, user: &RemoteUserId) -> Option<Colleagues> {
        let found = self.bridge.colleagues(at, user).await;
        found.inspect_err(|error| tracing::debug!(%error, "names could not be looked up")).ok().flatten()
    }

    async fn card(&self, room: &Address, reference: &str) -> Option<Card> {
        let found = self.bridge.linked(room, reference).await;
        found.inspect_err(|error| tracing::debug!(%error, "a link could not be looked up")).ok().flatten()
    }

    async fn known(
        &self,
        at: &Address,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        except: &[RemoteMessageId],
    ) -> Result<Vec<Known>, PushError> {
        self.bridge.known(at, after, until, except).await.map_err(|error| {
            tracing::debug!(%error, "it could not be looked up what was said in a room");
            PushError::Unavailable
        })
    }

    async fn history(&self, at: &Address, reference: &str, user: &RemoteUserId) -> Option<Vec<String>> {
        let found = self.bridge.history(at, reference, user).await;
        found.inspect_err(|error| tracing::debug!(%error, "a history could not be read")).ok().flatten()
    }

    async fn identity_question(&self, channel: &ChannelName, who: &Sender) -> Option<Content> {
        self.bridge.identity_question(channel, who)
    }
}

impl Sink {
    /// An event that cannot be applied would come again for ever and block its chat: it is kept for a person to look at
    /// and acknowledged, like one that cannot be read (S29). Where even that cannot be stored, it has to come again.
    async fn set_aside(&self, event: &Inbound, why: String) -> Result<Receipt, PushError> {
        let raw = serde_json::to_vec(event).unwrap_or_default();
        self.quarantine(&event.address.channel, &raw, &TranslateError::Malformed(why)).await?;
        Ok(Receipt::default())
    }
}

/// Why an event was not applied.
enum Refusal {
    /// Not now; it must come again.
    Unavailable,
    /// Not ever: applying it fails each time.
    Poison(String),
}

impl Bridge {
    /// Applies an event of a platform; the answer says what to show the person who pressed a button.
    async fn take(&self, apply: Apply) -> Result<Receipt, Refusal> {
        let mut conflicts = 0;
        loop {
            match self.writer.apply(apply.clone()).await {
                Ok(Applied::Done { conversation, toast, .. }) => {
                    let reference = conversation.id.to_string();
                    self.board.learn(conversation);
                    return Ok(Receipt {
                        duplicate: false,
                        toast: toast.map(|text| Toast { text, alert: false }),
                        reference: Some(reference),
                    });
                }
                Ok(Applied::Duplicate) => {
                    metrics::counter!("deskbridge_inbound_duplicates_total").increment(1);
                    return Ok(Receipt { duplicate: true, ..Receipt::default() });
                }
                Ok(Applied::Ignored | Applied::Refused | Applied::Unknown) => return Ok(Receipt::default()),
                Err(StoreError::Conflict(_)) if conflicts < CONFLICTS => {
                    conflicts += 1;
                    tokio::time::sleep(Duration::from_millis(20 << conflicts)).await;
                }
                Err(StoreError::Corrupt(why)) => return Err(Refusal::Poison(why)),
                Err(error) => {
                    tracing::error!(%error, "an event could not be stored; the platform is told to send it again");
                    return Err(Refusal::Unavailable);
                }
            }
        }
    }

    pub async fn set_presence(
        &self,
        technician: &TechnicianId,
        presence: Presence,
    ) -> Result<(), StoreError> {
        self.writer.admin(Admin::SetPresence { technician: technician.clone(), presence }).await?;
        self.board.note_presence(technician, presence);
        Ok(())
    }
}
