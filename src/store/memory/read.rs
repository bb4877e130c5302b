//! The read side over the tables.
//!
//! Not here: the export (`dump`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use async_trait::async_trait;
use deskbridge_contract::{ChannelName, RemoteMessageId, RoomId, Timestamp};
use deskbridge_conversation::{
    Assigned, Author, Conversation, ConversationId, EffectId, Handover, MessageId, Offer, OfferTo, QueueId,
    Requester, RequesterId, SessionId, Stage, TechnicianId,
};

use crate::job::StoreError;
use crate::read::{ConversationFilter, Counts, Read, SearchHit};
use crate::rows::*;
use crate::search::{self, Terms};

use super::Memory;

fn most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn first_of(conversation: ConversationId, seq: u64) -> MessageId {
    MessageId { conversation, seq, n: 0 }
}

fn last_of(conversation: ConversationId) -> MessageId {
    MessageId { conversation, seq: u64::MAX, n: u32::MAX }
}

#[async_trait]
impl Read for Memory {
    async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        Ok(self.tables().conversations.get(&id).map(|row| Conversation::clone(&row.state)))
    }

    async fn conversations(&self, filter: &ConversationFilter) -> Result<Vec<Conversation>, StoreError> {
        let tables = self.tables();
        let newest_first = tables.conversations.values().rev().map(|row| &*row.state);
        Ok(newest_first.filter(|c| matches(c, filter)).take(most(filter.limit)).cloned().collect())
    }

    async fn messages(
        &self,
        id: ConversationId,
        from_seq: u64,
        internal: bool,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.messages.range(first_of(id, from_seq)..=last_of(id)).map(|(_, row)| row);
        let shown = rows.filter(|row| internal || search::visible_to_requester(row.audience));
        Ok(shown.take(most(limit)).cloned().collect())
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
        Ok(self.tables().messages.get(&id).cloned())
    }

    async fn log(&self, id: ConversationId, from_seq: u64, limit: u32) -> Result<Vec<LogRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.log.range((id, from_seq)..=(id, u64::MAX)).map(|(_, row)| row);
        Ok(rows.take(most(limit)).cloned().collect())
    }

    async fn deliveries(&self, id: ConversationId) -> Result<Vec<OutboxRow>, StoreError> {
        let tables = self.tables();
        Ok(tables.outbox.range(first_of(id, 0)..=last_of(id)).map(|(_, row)| row.clone()).collect())
    }

    async fn attempts(&self, id: ConversationId) -> Result<Vec<AttemptRow>, StoreError> {
        let tables = self.tables();
        let rows = tables.attempts.range((first_of(id, 0), 0)..=(last_of(id), u32::MAX));
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    async fn open_outbox(&self, after: Option<EffectId>, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let tables = self.tables();
        let later = tables.open.iter().filter(|id| after.is_none_or(|after| **id > after));
        Ok(later.take(most(limit)).filter_map(|id| tables.outbox.get(id)).cloned().collect())
    }

    async fn open_outbox_of(&self, id: ConversationId) -> Result<Vec<OutboxRow>, StoreError> {
        let tables = self.tables();
        Ok(tables.open_of(id).iter().filter_map(|id| tables.outbox.get(id)).cloned().collect())
    }

    async fn links(
        &self,
        id: ConversationId,
        session: SessionId,
        message: Option<MessageId>,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let tables = self.tables();
        let of = tables
            .links
            .values()
            .filter(|l| l.conversation == id && l.session == session && l.message == message);
        let mut rows: Vec<LinkRow> = of.cloned().collect();
        rows.sort_by_key(|link| link.part);
        Ok(rows)
    }

    async fn links_between(
        &self,
        channel: &ChannelName,
        room: &RoomId,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        limit: u32,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let key = |remote: &RemoteMessageId| (channel.0.clone(), room.0.clone(), remote.0.clone());
        if after >= until {
            return Ok(Vec::new());
        }
        let tables = self.tables();
        let found = tables.links.range((Bound::Excluded(key(after)), Bound::Included(key(until))));
        Ok(found.map(|(_, link)| link.clone()).take(most(limit)).collect())
    }

    async fn joint(
        &self,
        id: ConversationId,
        session: SessionId,
        message: MessageId,
    ) -> Result<Vec<JointRow>, StoreError> {
        let tables = self.tables();
        let own = tables.joints.get(&(id, session, message.to_string()));
        let lead = own.map_or(message, |own| own.lead);
        let parts = tables.joints.values();
        let mut parts: Vec<JointRow> = parts
            .filter(|j| j.conversation == id && j.session == session && j.lead == lead)
            .cloned()
            .collect();
        parts.sort_by_key(|joint| joint.nth);
        Ok(parts)
    }

    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<(ConversationId, Timestamp)>, StoreError> {
        let tables = self.tables();
        let clocks = tables.conversations.iter().filter_map(|(id, row)| Some((*id, row.wake_at?)));
        let mut due: Vec<_> = clocks.filter(|(_, at)| *at <= now).collect();
        due.sort_by_key(|(id, at)| (*at, *id));
        due.truncate(most(limit));
        Ok(due)
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.tables().conversations.values().filter_map(|row| row.wake_at).min())
    }

    async fn waiting(&self, limit: u32) -> Result<Vec<Conversation>, StoreError> {
        let tables = self.tables();
        let mut waiting: Vec<(&Conversation, &Handover)> = tables
            .conversations
            .values()
            .filter_map(|row| match &row.state.stage {
                Stage::Handover(handover) if handover.offer.is_none() => Some((&*row.state, handover)),
                Stage::Handover(_) | Stage::Assisting(_) | Stage::Assigned(_) | Stage::Closed(_) => None,
            })
            .collect();
        waiting.sort_by_key(|(c, handover)| {
            (Reverse(c.priority), Reverse(handover.front), handover.since, c.id)
        });
        Ok(waiting.into_iter().take(most(limit)).map(|(c, _)| c.clone()).collect())
    }

    async fn of_technician(&self, technician: &TechnicianId) -> Result<Vec<Conversation>, StoreError> {
        let tables = self.tables();
        let theirs = tables.conversations.values().map(|row| &*row.state).filter(|c| concerns(c, technician));
        Ok(theirs.cloned().collect())
    }

    async fn technicians(&self) -> Result<Vec<TechnicianRow>, StoreError> {
        Ok(self.tables().technicians.values().cloned().collect())
    }

    async fn search(
        &self,
        query: &str,
        internal: bool,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<SearchHit>, StoreError> {
        let Some(terms) = Terms::parse(query) else { return Ok(Vec::new()) };
        let tables = self.tables();
        let mut hits: Vec<SearchHit> = tables
            .messages
            .values()
            .filter(|row| !row.deleted && (internal || search::visible_to_requester(row.audience)))
            .filter(|row| before.is_none_or(|before| row.now < before))
            .filter_map(|row| {
                let text = search::text_of(&row.content);
                terms.match_words(&search::words(&text)).then(|| SearchHit {
                    conversation: row.id.conversation,
                    message: row.id,
                    snippet: search::snippet(&text, &terms),
                    now: row.now,
                })
            })
            .collect();
        hits.sort_by_key(|hit| Reverse((hit.now, hit.message)));
        hits.truncate(most(limit));
        Ok(hits)
    }

    async fn people(&self, query: &str, limit: u32) -> Result<Vec<PersonRow>, StoreError> {
        let terms = search::beginnings(query);
        let tables = self.tables();
        let mut latest: BTreeMap<&RequesterId, (Timestamp, &Requester)> = BTreeMap::new();
        for row in tables.conversations.values().filter(|row| !row.state.is_erased()) {
            let (requester, opened) = (&row.state.requester, row.state.opened);
            latest.insert(&requester.id, (opened, requester));
        }
        let mut found: Vec<_> = latest
            .into_values()
            .filter(|(_, requester)| {
                let remote = requester.id.0.split_once(':').map_or("", |(_, remote)| remote);
                is_found(&terms, &search::found_by(&[&requester.name, remote]))
            })
            .collect();
        found.sort_by_key(|(opened, requester)| Reverse((*opened, &requester.id)));
        let rows = found.into_iter().map(|(_, requester)| PersonRow {
            id: requester.id.clone(),
            name: requester.name.clone(),
            language: requester.language.clone(),
        });
        Ok(rows.take(most(limit)).collect())
    }

    async fn ticket(&self, number: i64) -> Result<Option<TicketRow>, StoreError> {
        Ok(self.tables().tickets.get(&number).cloned())
    }

    async fn tickets(&self, before: Option<i64>, limit: u32) -> Result<Vec<TicketRow>, StoreError> {
        let tables = self.tables();
        let newest_first = tables.tickets.range(..before.unwrap_or(i64::MAX)).rev();
        Ok(newest_first.take(most(limit)).map(|(_, row)| row.clone()).collect())
    }

    async fn tickets_found(
        &self,
        query: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<TicketRow>, StoreError> {
        let terms = search::beginnings(query);
        let tables = self.tables();
        let newest_first = tables.tickets.range(..before.unwrap_or(i64::MAX)).rev().map(|(_, row)| row);
        let found = newest_first
            .filter(|row| is_found(&terms, &crate::tickets::words(row.number, &row.summary, &row.requester)));
        Ok(found.take(most(limit)).cloned().collect())
    }

    async fn ticket_of(&self, id: ConversationId) -> Result<Option<TicketRow>, StoreError> {
        Ok(self.tables().tickets.values().rev().find(|ticket| ticket.conversation == Some(id)).cloned())
    }

    async fn requester(&self, id: &RequesterId) -> Result<Option<PersonRow>, StoreError> {
        let tables = self.tables();
        let latest = tables.conversations.values().rev().find(|row| row.state.requester.id == *id);
        Ok(latest.filter(|row| !row.state.is_erased()).map(|row| PersonRow {
            id: id.clone(),
            name: row.state.requester.name.clone(),
            language: row.state.requester.language.clone(),
        }))
    }

    async fn conversations_at(&self, address: &str) -> Result<Vec<ConversationId>, StoreError> {
        Ok(self.tables().addresses.get(address).into_iter().flatten().copied().collect())
    }

    async fn spoke_in(&self, id: &RequesterId) -> Result<Vec<ConversationId>, StoreError> {
        let tables = self.tables();
        let theirs = tables.messages.values().filter(|row| match &row.author {
            Author::Bystander { id: of, .. } => of == id,
            Author::Requester(_)
            | Author::Technician(_)
            | Author::Outsider
            | Author::Assistant
            | Author::Desk => false,
        });
        Ok(theirs.map(|row| row.id.conversation).collect::<BTreeSet<_>>().into_iter().collect())
    }

    async fn blobs_of(&self, id: ConversationId) -> Result<Vec<BlobRow>, StoreError> {
        Ok(self.tables().blobs.values().filter(|row| row.conversation == Some(id)).cloned().collect())
    }

    async fn blob(&self, id: &str) -> Result<Option<BlobRow>, StoreError> {
        Ok(self.tables().blobs.get(id).cloned())
    }

    async fn shelf(&self, channel: &ChannelName, key: &str) -> Result<Option<String>, StoreError> {
        Ok(self.tables().shelf.get(&(channel.0.clone(), key.to_owned())).cloned())
    }

    async fn shelf_many(
        &self,
        channel: &ChannelName,
        keys: &[String],
    ) -> Result<HashMap<String, String>, StoreError> {
        let tables = self.tables();
        let found = keys.iter().filter_map(|key| {
            let value = tables.shelf.get(&(channel.0.clone(), key.clone()))?;
            Some((key.clone(), value.clone()))
        });
        Ok(found.collect())
    }

    async fn shelf_find(
        &self,
        channel: &ChannelName,
        prefix: &str,
        word: &str,
    ) -> Result<Vec<String>, StoreError> {
        let tables = self.tables();
        let from = (channel.0.clone(), prefix.to_owned());
        let all = tables
            .shelf
            .range(from..)
            .take_while(|((on, key), _)| *on == channel.0 && key.starts_with(prefix));
        Ok(all.filter(|(_, value)| value.contains(word)).map(|((_, key), _)| key.clone()).collect())
    }

    async fn token_by_hash(&self, sha256: &str) -> Result<Option<TokenRow>, StoreError> {
        Ok(self.tables().tokens.values().find(|token| token.sha256 == sha256).cloned())
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let mut rows: Vec<TokenRow> = self.tables().tokens.values().cloned().collect();
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(rows)
    }

    async fn account(&self, technician: &TechnicianId) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.tables().accounts.get(technician).cloned())
    }

    async fn account_by_login(&self, login: &str) -> Result<Option<AccountRow>, StoreError> {
        Ok(self.tables().accounts.values().find(|row| row.login == login).cloned())
    }

    async fn accounts(&self) -> Result<Vec<AccountRow>, StoreError> {
        Ok(self.tables().accounts.values().cloned().collect())
    }

    async fn login(&self, sha256: &str) -> Result<Option<LoginRow>, StoreError> {
        Ok(self.tables().logins.get(sha256).cloned())
    }

    async fn logins_of(&self, technician: &TechnicianId) -> Result<Vec<LoginRow>, StoreError> {
        let tables = self.tables();
        let own = tables.logins.values().filter(|row| row.technician.as_ref() == Some(technician));
        Ok(own.cloned().collect())
    }

    async fn logins_expired(&self, now: Timestamp, limit: u32) -> Result<Vec<LoginRow>, StoreError> {
        let tables = self.tables();
        let mut rows: Vec<LoginRow> =
            tables.logins.values().filter(|row| row.expires <= now).cloned().collect();
        rows.sort_by_key(|row| row.expires);
        rows.truncate(most(limit));
        Ok(rows)
    }

    async fn kept(&self, kind: &str, owner: &str) -> Result<Vec<KeptRow>, StoreError> {
        let tables = self.tables();
        Ok(tables.kept.values().filter(|row| row.kind == kind && row.owner == owner).cloned().collect())
    }

    async fn kept_one(&self, kind: &str, owner: &str, key: &str) -> Result<Option<KeptRow>, StoreError> {
        let key = (kind.to_owned(), owner.to_owned(), key.to_owned());
        Ok(self.tables().kept.get(&key).cloned())
    }

    async fn fingerprint_key(&self) -> Result<String, StoreError> {
        // What is here ends with the process, or is a test's.
        Ok("fingerprints in memory".into())
    }

    async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        Ok(self.tables().quarantine.iter().rev().take(most(limit)).cloned().collect())
    }

    async fn audit(&self, limit: u32) -> Result<Vec<AuditRow>, StoreError> {
        Ok(self.tables().audit.iter().rev().take(most(limit)).cloned().collect())
    }

    async fn feedback(&self, id: ConversationId) -> Result<Vec<(MessageId, bool)>, StoreError> {
        let tables = self.tables();
        let rows = tables.feedback.range(first_of(id, 0)..=last_of(id));
        Ok(rows.map(|(message, (helpful, _))| (*message, *helpful)).collect())
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let tables = self.tables();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Counts {
            conversations: count(tables.conversations.len()),
            messages: count(tables.messages.len()),
            outbox_open: count(tables.open.len()),
            outbox_failed: count(
                tables.outbox.values().filter(|row| row.state == DeliveryState::Failed).count(),
            ),
            quarantine: count(tables.quarantine.len()),
        })
    }

    async fn recent_waits(&self, since: Timestamp, limit: u32) -> Result<Vec<(QueueId, u64)>, StoreError> {
        let tables = self.tables();
        let mut waits: Vec<_> = tables.waits.iter().filter(|(_, wait)| wait.accepted >= since).collect();
        waits.sort_by_key(|(id, wait)| Reverse((wait.accepted, **id)));
        let seconds = waits.into_iter().filter_map(|(id, wait)| {
            let queue = tables.conversations.get(id)?.state.queue.clone();
            Some((queue, wait.accepted.since(wait.from).as_secs()))
        });
        Ok(seconds.take(most(limit)).collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// No words find nothing.
fn is_found(terms: &[String], column: &str) -> bool {
    !terms.is_empty() && terms.iter().all(|term| column.contains(&format!(" {term}")))
}

fn matches(conversation: &Conversation, filter: &ConversationFilter) -> bool {
    filter.stage.as_ref().is_none_or(|stage| conversation.stage_name() == stage)
        && filter.queue.as_ref().is_none_or(|queue| conversation.queue == *queue)
        && filter.assignee.as_ref().is_none_or(|who| conversation.assignee() == Some(who))
        && filter.requester.as_ref().is_none_or(|who| conversation.requester.id.as_str() == who)
        && filter.label.as_ref().is_none_or(|label| conversation.labels.contains(label))
        && filter.before.is_none_or(|before| conversation.id < before)
}

/// Offered, assigned or transferred to the technician.
fn concerns(conversation: &Conversation, technician: &TechnicianId) -> bool {
    match &conversation.stage {
        Stage::Assisting(_) | Stage::Closed(_) => false,
        Stage::Handover(Handover { offer, .. }) => match offer {
            Some(Offer { to: OfferTo::One(to), .. }) => to == technician,
            Some(Offer { to: OfferTo::Everyone, .. }) | None => false,
        },
        Stage::Assigned(Assigned { technician: owner, transfer, .. }) => {
            owner == technician || transfer.as_ref().is_some_and(|transfer| transfer.to == *technician)
        }
    }
}
