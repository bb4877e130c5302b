//! Changes that no conversation steps for: presence, tokens, files, the embedded ticket desk.
//!
//! Not here: who may ask for them (the API).

use deskbridge_contract::ChannelName;

use crate::backend::KeptKey;
use crate::job::{Admin, AdminDone};
use crate::rows::KeptRow;

use super::Batch;

impl Batch<'_> {
    pub(super) fn admin(&mut self, admin: &Admin) -> AdminDone {
        let now = self.now;
        match admin {
            Admin::SetPresence { technician, presence } => self.roster.set_presence(technician, *presence),
            Admin::EnsureTechnicians(technicians) => technicians.iter().for_each(|id| self.roster.ensure(id)),
            Admin::PutShelf { channel, key, value } => self.put_shelf(channel, key, value),
            Admin::SwapShelf { channel, key, expected, value } => {
                return self.swap_shelf(channel, key, expected.as_deref(), value);
            }
            Admin::Quarantine { channel, raw, why } => self.quarantine(channel, raw, why),
            Admin::DropShelf { channel, keys } => self.drop_shelf(channel, keys),
            Admin::Bury { requesters } => self.bury(requesters),
            Admin::Forget(forgotten) => self.forget(forgotten),
            Admin::PutBlob(blob) => {
                if self.is_erased(blob.conversation) {
                    return AdminDone::Unknown;
                }
                self.changes.blobs.retain(|other| other.id != blob.id);
                self.changes.blobs.push(blob.clone());
            }
            Admin::ReplaceAttachments { message, from, to } => {
                return self.replace_attachments(*message, from, to);
            }
            Admin::CreateToken(token) => {
                self.changes.tokens.retain(|other| other.id != token.id);
                self.changes.tokens.push(token.clone());
            }
            Admin::RevokeToken { id } => self.changes.revoked_tokens.push(id.clone()),
            Admin::PutAccount(account) => self.changes.accounts.push(account.clone()),
            Admin::PutLogin(login) => {
                self.changes.ended_logins.retain(|other| *other != login.sha256);
                self.changes.logins.push(login.clone());
            }
            Admin::EndLogins(ended) => {
                self.changes.logins.retain(|login| !ended.contains(&login.sha256));
                self.changes.ended_logins.extend(ended.iter().cloned());
            }
            // Somebody was still writing when the requester was erased.
            Admin::Keep(row) if row.value.is_some() && self.is_erased(row.drafted()) => {
                return AdminDone::Unknown;
            }
            Admin::Keep(row) => self.keep(KeptRow { updated: now, ..row.clone() }),
            Admin::Swap { before, row } => {
                return self.swap(before.as_deref(), KeptRow { updated: now, ..row.clone() });
            }
            Admin::Audit { by, act, conversation } => {
                self.changes.audit.push((now, by.clone(), act.clone(), *conversation));
            }
            Admin::Ticket(op) if self.is_for_the_erased(op) => return AdminDone::Unknown,
            Admin::Ticket(op) => {
                let (number, write, answer) = self.tickets.work(op);
                if write {
                    let op = self.without_words_of_the_erased(op);
                    self.changes.tickets.push((number, op, now));
                }
                return answer;
            }
            Admin::Feedback { message, helpful } => self.changes.feedback.push((*message, *helpful, now)),
        }
        AdminDone::Done
    }

    fn keep(&mut self, row: KeptRow) {
        let key = key_of(&row);
        // A swap of before was answered: its condition holds for the whole batch, with what is written in the end.
        match self.changes.swapped.iter_mut().find(|(_, other)| key_of(other) == key) {
            Some((_, other)) => *other = row.clone(),
            None => self.changes.kept.push(row.clone()),
        }
        match row.value {
            Some(value) => drop(self.kept.insert(key, value)),
            None => drop(self.kept.remove(&key)),
        }
    }

    fn swap(&mut self, before: Option<&str>, row: KeptRow) -> AdminDone {
        let key = key_of(&row);
        if self.kept.get(&key).map(String::as_str) != before {
            return AdminDone::Unknown;
        }
        let stored = before.map(str::to_owned);
        let is_ours = self.changes.kept.iter().any(|other| key_of(other) == key);
        if is_ours {
            // Written in this batch in any case.
            self.keep(row);
            return AdminDone::Done;
        }
        match &row.value {
            Some(value) => drop(self.kept.insert(key.clone(), value.clone())),
            None => drop(self.kept.remove(&key)),
        }
        match self.changes.swapped.iter_mut().find(|(_, other)| key_of(other) == key) {
            Some((_, other)) => *other = row,
            None => self.changes.swapped.push((stored, row)),
        }
        AdminDone::Done
    }

    /// One value per key: a set-based statement cannot write the same row twice.
    fn put_shelf(&mut self, channel: &ChannelName, key: &str, value: &str) {
        let place = (channel.0.clone(), key.to_owned());
        self.shelf.insert(place.clone(), value.to_owned());
        let changes = &mut self.changes;
        changes.dropped_shelf.retain(|other| *other != place);
        changes.shelf.retain(|(channel, key, _)| (channel, key) != (&place.0, &place.1));
        changes.shelf.push((place.0, place.1, value.to_owned()));
    }

    /// What this batch wrote or dropped itself needs no condition; anything else is written only where it still is what
    /// was read.
    fn swap_shelf(
        &mut self,
        channel: &ChannelName,
        key: &str,
        expected: Option<&str>,
        value: &str,
    ) -> AdminDone {
        let place = (channel.0.clone(), key.to_owned());
        if self.shelf.get(&place).map(String::as_str) != expected {
            return AdminDone::Unknown;
        }
        let here = |channel: &String, key: &String| (channel, key) == (&place.0, &place.1);
        let changes = &mut self.changes;
        let written = changes.shelf.iter().any(|(channel, key, _)| here(channel, key))
            || changes.dropped_shelf.iter().any(|(channel, key)| here(channel, key));
        if written {
            self.put_shelf(channel, key, value);
            return AdminDone::Done;
        }
        self.shelf.insert(place.clone(), value.to_owned());
        match changes.swapped_shelf.iter_mut().find(|(channel, key, ..)| here(channel, key)) {
            Some(before) => value.clone_into(&mut before.3),
            None => {
                changes.swapped_shelf.push((place.0, place.1, expected.map(str::to_owned), value.to_owned()))
            }
        }
        AdminDone::Done
    }
}

fn key_of(row: &KeptRow) -> KeptKey {
    (row.kind.clone(), row.owner.clone(), row.key.clone())
}
