//! What came of an erasure, and what is left where deskbridge cannot or shall not reach, for the admin who asked.
//!
//! Not here: erasing.

use std::collections::BTreeSet;

use deskbridge_conversation::{Conversation, DeliveryOp, Effect, SessionRole, TicketLink};
use deskbridge_services::tickets::TicketDesk;
use deskbridge_store::rows::{DeliveryState, OutboxRow};

use super::work::Work;
use crate::runtime::{Bridge, ending};

/// What was erased, in numbers, and what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    pub conversations: usize,
    pub messages: usize,
    pub files: usize,
    /// What was deleted is overwritten in the database's files, too. False: somebody read from them all the time, and it is
    /// tried again later.
    pub overwritten: bool,
    /// What still says something of them, and where: one sentence each. By design, or because it is out of reach.
    pub stays: Vec<String>,
    #[serde(skip)]
    tickets: BTreeSet<String>,
    #[serde(skip)]
    uncertain: usize,
    #[serde(skip)]
    private: usize,
}

impl Erased {
    /// A ticket in a system of somebody else's.
    pub(super) fn notes_ticket(&mut self, conversation: &Conversation, ours: &dyn TicketDesk) {
        if let TicketLink::Linked { desk, number, .. } = &conversation.ticket
            && !(desk == ours.name() && ours.is_erased_with_the_conversation())
        {
            self.tickets.insert(format!("{number} ({desk})"));
        }
    }

    /// What was sent and cannot be found again.
    pub(super) fn notes_deliveries(&mut self, conversation: &Conversation, deliveries: &[OutboxRow]) {
        let to_desk = |session| {
            conversation.session(session).is_some_and(|session| match session.role {
                SessionRole::Desk { .. } => true,
                SessionRole::Requester { .. } => false,
            })
        };
        for row in deliveries {
            match (&row.effect, row.state) {
                (Effect::Deliver(delivery), _)
                    if ending::is_open_to_doubt(row) && to_desk(delivery.session) =>
                {
                    self.uncertain += usize::from(matches!(
                        delivery.op,
                        DeliveryOp::Post { .. }
                            | DeliveryOp::Transcript { .. }
                            | DeliveryOp::Whisper { .. }
                            | DeliveryOp::OpenThread
                    ));
                }
                (Effect::Notify { .. }, DeliveryState::Sent) => self.private += 1,
                _ => {}
            }
        }
    }

    pub(super) fn counts(&mut self, work: &Work) {
        (self.conversations, self.messages, self.files) = (work.erased, work.messages, work.files);
    }

    /// `elsewhere`: conversations of others in which they spoke.
    pub(super) fn says_what_stays(&mut self, bridge: &Bridge, elsewhere: &[String]) {
        let by_channels = std::mem::take(&mut self.stays);
        let stays = &mut self.stays;
        if !elsewhere.is_empty() {
            stays.push(format!(
                "Requests of others: what they wrote in {}, under their name; it goes when those requesters are erased.",
                elsewhere.join(", ")
            ));
        }
        if self.conversations > 0 {
            stays.push(
                "Desk rooms: deskbridge's own posts are being deleted there; what technicians wrote themselves \
                 stays. A conversation's deliveries say which deletions failed."
                    .into(),
            );
        }
        if self.uncertain > 0 {
            stays.push(format!(
                "Desk rooms: of {} posts nobody knows whether they arrived; look for them in the rooms.",
                self.uncertain
            ));
        }
        if self.private > 0 {
            stays.push(format!(
                "Technicians' private chats: {} notices with the requester's name.",
                self.private
            ));
        }
        if !self.tickets.is_empty() {
            let tickets: Vec<&str> = self.tickets.iter().map(String::as_str).collect();
            stays
                .push(format!("Tickets that have to be erased in their own system: {}.", tickets.join(", ")));
        }
        if let Some(provider) = bridge.assistant.sends_words_to() {
            stays.push(format!(
                "The assistant's model: {provider} keeps what it was asked for as long as its own terms say."
            ));
        }
        stays.extend(by_channels);
        stays.push("Backups and exports that were made before.".into());
        if !self.overwritten {
            stays.push(
                "The database's files: bytes of deleted rows, which are overwritten as soon as nobody reads them."
                    .into(),
            );
        }
    }
}
