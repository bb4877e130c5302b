//! Which rows the jobs of a batch need, asked for at once.
//!
//! Not here: what is done with them.

use std::collections::BTreeSet;

use deskbridge_conversation::{
    ConversationId, DeskEvent, EffectId, EventBody, MessageId, ReactionTarget, RequesterEvent, RequesterId,
    RequesterVerb,
};

use super::album;
use crate::backend::{KeptKey, Keys};
use crate::job::{Admin, Apply, Cause, Job, RemoteRef, Target, TicketOp};
use crate::quarantine;

#[derive(Default)]
struct Wanted {
    conversations: BTreeSet<ConversationId>,
    addresses: BTreeSet<String>,
    effects: BTreeSet<EffectId>,
    remotes: Vec<RemoteRef>,
    causes: Vec<String>,
    ticket_keys: Vec<String>,
    requesters: BTreeSet<RequesterId>,
    messages: BTreeSet<MessageId>,
    ticket_numbers: BTreeSet<i64>,
    kept: BTreeSet<KeptKey>,
    burial: bool,
    shelf: BTreeSet<(String, String)>,
    roster: bool,
}

pub(crate) fn of<'a>(jobs: impl Iterator<Item = &'a Job>) -> Keys {
    let mut wanted = Wanted::default();
    for job in jobs {
        match job {
            Job::Apply(apply) => wanted.apply(apply),
            Job::Begin(begin) => wanted.delivery(begin.effect),
            Job::BeginJoint(begins) => begins.iter().for_each(|begin| wanted.delivery(begin.effect)),
            Job::Advance(advance) => {
                wanted.delivery(advance.effect);
                let own = |message: &MessageId| message.conversation == advance.effect.conversation;
                wanted.messages.extend(advance.message.filter(own));
            }
            Job::Mark(mark) => {
                wanted.effects.insert(mark.effect);
            }
            Job::Admin(admin) => wanted.admin(admin),
        }
    }
    Keys {
        causes: wanted.causes,
        conversations: wanted.conversations.into_iter().collect(),
        addresses: wanted.addresses.into_iter().collect(),
        remotes: wanted.remotes,
        effects: wanted.effects.into_iter().collect(),
        roster: wanted.roster,
        ticket_keys: wanted.ticket_keys,
        requesters: wanted.requesters.into_iter().collect(),
        shelf: wanted.shelf.into_iter().collect(),
        messages: wanted.messages.into_iter().collect(),
        ticket_numbers: wanted.ticket_numbers.into_iter().collect(),
        kept: wanted.kept.into_iter().collect(),
        burial: wanted.burial,
    }
}

impl Wanted {
    fn delivery(&mut self, effect: EffectId) {
        self.effects.insert(effect);
        // Its stage says whether the assistant may still speak.
        self.conversations.insert(effect.conversation);
    }

    fn apply(&mut self, apply: &Apply) {
        self.causes.push(apply.cause.key());
        // Any event may free or occupy somebody.
        self.roster = true;
        if let Cause::Effect(id) = &apply.cause {
            self.effects.insert(*id);
        }
        match &apply.target {
            Target::Conversation(id) => {
                self.conversations.insert(*id);
            }
            Target::Requester { address, requester, .. } => {
                self.addresses.insert(address.key());
                self.requesters.insert(requester.id.clone());
            }
            Target::Desk { address } => {
                self.addresses.insert(address.key());
            }
        }
        self.conversations.extend(named(&apply.body).map(|message| message.conversation));
        self.remotes.extend(apply.refs.target.clone());
        self.remotes.extend(apply.refs.reply_to.clone());
        self.remotes.extend(album::whole_of(apply));
    }

    fn admin(&mut self, admin: &Admin) {
        match admin {
            Admin::SetPresence { .. } | Admin::EnsureTechnicians(_) => self.roster = true,
            Admin::ReplaceAttachments { message, .. } => {
                self.messages.insert(*message);
                self.conversations.insert(message.conversation);
            }
            Admin::Ticket(TicketOp::Create { key, conversation, .. }) => {
                self.ticket_keys.push(key.clone());
                self.conversations.extend(conversation);
            }
            Admin::Ticket(TicketOp::Comment { key, number, .. }) => {
                self.ticket_keys.push(key.clone());
                self.ticket_numbers.insert(*number);
            }
            Admin::Ticket(TicketOp::Attach { number, .. }) => {
                self.ticket_numbers.insert(*number);
            }
            Admin::SwapShelf { channel, key, .. } => {
                self.shelf.insert((channel.0.clone(), key.clone()));
            }
            Admin::PutBlob(blob) => self.conversations.extend(blob.conversation),
            Admin::Keep(row) => self.conversations.extend(row.drafted()),
            Admin::Swap { row, .. } => {
                self.kept.insert((row.kind.clone(), row.owner.clone(), row.key.clone()));
            }
            Admin::Quarantine { channel, raw, .. } => {
                self.requesters.extend(quarantine::people(channel, raw))
            }
            Admin::Bury { .. } => self.burial = true,
            Admin::Ticket(TicketOp::SetStatus { .. } | TicketOp::SetTechnician { .. })
            | Admin::PutShelf { .. }
            | Admin::DropShelf { .. }
            | Admin::Forget(_)
            | Admin::CreateToken(_)
            | Admin::RevokeToken { .. }
            | Admin::PutAccount(_)
            | Admin::PutLogin(_)
            | Admin::EndLogins(_)
            | Admin::Audit { .. }
            | Admin::Feedback { .. } => {}
        }
    }
}

/// A message that the event names by our own id: a button that was shown with it.
pub(super) fn named(body: &EventBody) -> Option<MessageId> {
    match body {
        EventBody::Requester {
            what: RequesterEvent::Pressed { verb: RequesterVerb::Feedback { message, .. } },
            ..
        } => Some(*message),
        EventBody::Desk {
            what: DeskEvent::Edited { message, .. } | DeskEvent::Deleted { message }, ..
        } => *message,
        EventBody::Desk {
            what: DeskEvent::Reacted { target: ReactionTarget::Message(message), .. }, ..
        } => Some(*message),
        EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => None,
    }
}
