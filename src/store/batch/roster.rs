//! The technicians during a batch: presence, load, missed offers.
//!
//! Not here: who is offered what (allocation, in the core), what the core makes of a change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deskbridge_contract::Timestamp;
use deskbridge_conversation::{Presence, RosterChange, TechnicianId};

use crate::backend::Changes;
use crate::rows::TechnicianRow;

/// Missed offers in a row after which nobody is offered more (D8).
const MISSES: u32 = 2;

pub(super) struct Roster {
    rows: HashMap<TechnicianId, TechnicianRow>,
    changed: BTreeSet<TechnicianId>,
    presences: Vec<(TechnicianId, Presence, Timestamp)>,
    now: Timestamp,
}

impl Roster {
    pub(super) fn new(rows: HashMap<TechnicianId, TechnicianRow>, now: Timestamp) -> Self {
        Roster { rows, changed: BTreeSet::new(), presences: Vec::new(), now }
    }

    /// Available, and fewer than `capacity` open offers and assignments (D9).
    pub(super) fn has_room(&self, technician: &TechnicianId, capacity: u32) -> bool {
        self.rows
            .get(technician)
            .is_some_and(|row| row.presence == Presence::Available && row.load < capacity)
    }

    /// Somebody new starts Offline.
    pub(super) fn ensure(&mut self, technician: &TechnicianId) {
        if !self.rows.contains_key(technician) {
            self.change(technician, |_| {});
        }
    }

    pub(super) fn set_presence(&mut self, technician: &TechnicianId, presence: Presence) {
        let now = self.now;
        let before = self.rows.get(technician).map(|row| (row.presence, row.missed));
        // Coming back starts afresh: old misses are forgotten.
        let missed = match (presence, before) {
            (Presence::Available, _) | (_, None) => 0,
            (Presence::Busy | Presence::Away | Presence::Offline, Some((_, missed))) => missed,
        };
        if before == Some((presence, missed)) {
            return;
        }
        let moved = before.is_none_or(|(presence_before, _)| presence_before != presence);
        self.change(technician, |row| {
            row.presence = presence;
            row.missed = missed;
            if moved {
                row.since = now;
            }
        });
        if moved {
            self.presences.push((technician.clone(), presence, now));
        }
    }

    pub(super) fn apply(&mut self, change: &RosterChange) {
        match change {
            RosterChange::Missed(technician) => {
                let missed = self.rows.get(technician).map_or(0, |row| row.missed) + 1;
                self.change(technician, |row| row.missed = missed);
                let available =
                    self.rows.get(technician).is_some_and(|row| row.presence == Presence::Available);
                if missed >= MISSES && available {
                    self.set_presence(technician, Presence::Away);
                }
            }
            RosterChange::Acted(technician) => {
                match self.rows.get(technician).map(|row| (row.presence, row.missed)) {
                    Some((Presence::Away, _)) => self.set_presence(technician, Presence::Available),
                    Some((_, 0)) | None => {}
                    Some(_) => self.change(technician, |row| row.missed = 0),
                }
            }
            RosterChange::SetPresence(technician, presence) => self.set_presence(technician, *presence),
        }
    }

    /// Moves loads by the difference of whom a conversation occupies.
    pub(super) fn occupy(&mut self, before: &[TechnicianId], after: &[TechnicianId]) {
        let mut delta: BTreeMap<&TechnicianId, i64> = BTreeMap::new();
        for technician in after {
            *delta.entry(technician).or_default() += 1;
        }
        for technician in before {
            *delta.entry(technician).or_default() -= 1;
        }
        let now = self.now;
        for (technician, by) in delta {
            if by == 0 {
                continue;
            }
            self.change(technician, |row| {
                let load = i64::from(row.load).saturating_add(by);
                row.load = u32::try_from(load).unwrap_or(0);
                if by > 0 {
                    row.last_assigned = Some(now);
                }
            });
        }
    }

    /// A technician that the table does not know is counted all the same, so that no load is ever forgotten.
    fn change(&mut self, technician: &TechnicianId, with: impl FnOnce(&mut TechnicianRow)) {
        let row = self.rows.entry(technician.clone()).or_insert_with(|| TechnicianRow {
            id: technician.clone(),
            presence: Presence::Offline,
            since: self.now,
            load: 0,
            missed: 0,
            last_assigned: None,
        });
        with(row);
        self.changed.insert(technician.clone());
    }

    /// Whether anything changed.
    pub(super) fn write(&self, changes: &mut Changes) -> bool {
        changes.technicians.extend(self.changed.iter().filter_map(|id| self.rows.get(id)).cloned());
        changes.presence_log.extend(self.presences.iter().cloned());
        !self.changed.is_empty()
    }
}
