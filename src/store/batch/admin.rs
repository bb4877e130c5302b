//! Changes that no conversation steps for: presence, tokens, files, the embedded ticket desk.
//!
//! Not here: who may ask for them (the API).

use crate::backend::{Changes, KeptKey};
use crate::job::{Admin, AdminDone};
use crate::rows::KeptRow;

use super::Batch;

impl Batch<'_> {
    pub(super) fn admin(&mut self, admin: &Admin) -> AdminDone {
        let now = self.now;
        match admin {
            Admin::SetPresence { technician, presence } => self.roster.set_presence(technician, *presence),
            Admin::EnsureTechnicians(technicians) => technicians.iter().for_each(|id| self.roster.ensure(id)),
            Admin::PutShelf { channel, key, value } => {
                put_shelf(&mut self.changes, (channel.0.clone(), key.clone(), value.clone()));
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
}

impl Batch<'_> {
    fn keep(&mut self, row: KeptRow) {
        let key = key_of(&row);
        self.changes.swapped.retain(|(_, other)| key_of(other) != key);
        match &row.value {
            Some(value) => drop(self.kept.insert(key, value.clone())),
            None => drop(self.kept.remove(&key)),
        }
        self.changes.kept.push(row);
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
}

fn key_of(row: &KeptRow) -> KeptKey {
    (row.kind.clone(), row.owner.clone(), row.key.clone())
}

/// One value per key: a set-based statement cannot write the same row twice.
fn put_shelf(changes: &mut Changes, value: (String, String, String)) {
    changes.dropped_shelf.retain(|(channel, key)| (channel, key) != (&value.0, &value.1));
    changes.shelf.retain(|(channel, key, _)| (channel, key) != (&value.0, &value.1));
    changes.shelf.push(value);
}
