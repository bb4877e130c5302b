//! What a batch needs, looked up.
//!
//! Not here: locks; whoever was faster shows at the commit.

use deskbridge_conversation::ConversationId;

use crate::backend::{Keys, Loaded, RemoteHit};
use crate::job::RemoteRef;

use super::tables::{RemoteKey, Tables};

pub(super) fn key_of(remote: &RemoteRef) -> RemoteKey {
    (remote.channel.0.clone(), remote.room.0.clone(), remote.remote.0.clone())
}

impl Tables {
    pub(super) fn load(&self, keys: &Keys) -> Loaded {
        let mut loaded = Loaded {
            causes: keys.causes.iter().filter(|key| self.causes.contains_key(*key)).cloned().collect(),
            last_conversation: self.last_conversation,
            last_ticket: self.tickets.keys().next_back().copied().unwrap_or(0),
            ..Loaded::default()
        };
        for id in &keys.conversations {
            self.load_conversation(*id, &mut loaded);
        }
        for address in &keys.addresses {
            if let Some(latest) = self.addresses.get(address).and_then(|ids| ids.last()) {
                loaded.addresses.insert(address.clone(), *latest);
                self.load_conversation(*latest, &mut loaded);
            }
        }
        for remote in &keys.remotes {
            let Some(link) = self.links.get(&key_of(remote)) else { continue };
            let said = link.message.and_then(|id| self.messages.get(&id));
            loaded.authors.extend(said.map(|row| (row.id, row.author.clone())));
            let content = said.map(|row| row.content.clone());
            let hit = RemoteHit {
                conversation: link.conversation,
                session: link.session,
                message: link.message,
                content,
            };
            loaded.remotes.insert(remote.clone(), hit);
            self.load_conversation(link.conversation, &mut loaded);
        }
        for id in &keys.messages {
            if let Some(row) = self.messages.get(id) {
                loaded.contents.insert(*id, row.content.clone());
                loaded.audiences.insert(*id, (!row.deleted).then_some(row.audience));
            }
        }
        for place in &keys.shelf {
            if let Some(value) = self.shelf.get(place) {
                loaded.shelf.insert(place.clone(), value.clone());
            }
        }
        for id in &keys.effects {
            if let Some(row) = self.outbox.get(id) {
                loaded.effects.insert(*id, row.clone());
                self.load_conversation(id.conversation, &mut loaded);
            }
        }
        for number in &keys.ticket_numbers {
            if let Some(conversation) = self.tickets.get(number).and_then(|ticket| ticket.conversation) {
                loaded.ticket_conversations.insert(*number, conversation);
                self.load_conversation(conversation, &mut loaded);
            }
        }
        for key in &keys.kept {
            if let Some(value) = self.kept.get(key).and_then(|row| row.value.clone()) {
                loaded.kept.insert(key.clone(), value);
            }
        }
        for requester in &keys.requesters {
            if let Some(until) = self.buried.get(requester) {
                loaded.buried.insert(requester.clone(), *until);
            }
        }
        if keys.roster {
            loaded.technicians = self.technicians.iter().map(|(id, row)| (id.clone(), row.clone())).collect();
        }
        for ticket in self.tickets.values() {
            if keys.ticket_keys.contains(&ticket.key) {
                loaded.tickets.insert(ticket.key.clone(), ticket.number);
            }
        }
        loaded
    }

    fn load_conversation(&self, id: ConversationId, loaded: &mut Loaded) {
        if let Some(row) = self.conversations.get(&id) {
            loaded.conversations.insert(id, row.state.clone());
        }
    }
}
