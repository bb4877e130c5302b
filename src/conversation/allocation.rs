//! Who is asked next: a pure proposal from a snapshot. The transaction that makes the offer checks capacity again (D9).
//!
//! Not here: business hours and presence changes (facts decide whether a conversation is in the list at all), making
//! the offer, claims. Everything is computed anew on each change: with one bit per technician that is cheap enough, and
//! there is no incremental state that could be wrong.

mod bits;
mod index;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use deskbridge_contract::Timestamp;

use crate::effect::Presence;
use crate::event::OfferTo;
use crate::ids::{ConversationId, QueueId, TechnicianId};
use crate::policy::{Allocation, Policy};
use bits::Bits;
use index::Index;

/// A technician as the roster knows them at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: TechnicianId,
    pub presence: Presence,
    /// Open offers and unsnoozed assignments (D9).
    pub load: u32,
    pub capacity: u32,
    pub skills: Vec<String>,
    pub languages: Vec<String>,
    /// `None`: never; goes first.
    pub last_assigned: Option<Timestamp>,
    pub queues: Vec<QueueId>,
}

/// A conversation in the queue without an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub conversation: ConversationId,
    pub queue: QueueId,
    /// Higher goes first.
    pub priority: u8,
    /// Ahead of those of equal priority.
    pub front: bool,
    pub since: Timestamp,
    /// Declined or missed it in this round (D8).
    pub excluded: Vec<TechnicianId>,
    /// Who helped this requester last.
    pub sticky: Option<TechnicianId>,
    /// Needed on top of the queue's own skills.
    pub skills: Vec<String>,
    /// Two letters; preferred, not needed.
    pub language: String,
}

/// At most one offer per conversation, in the order in which they should be made. Conversations for which nobody is
/// eligible are left out. The proposals hold together: each one counts against capacity for the next.
pub fn propose(
    waiting: &[Waiting],
    candidates: &[Candidate],
    policy: &Policy,
) -> Vec<(ConversationId, OfferTo)> {
    let mut floor = Floor::new(candidates, policy);
    let mut offers = Vec::new();
    for waiting in in_turn(waiting) {
        if floor.free.is_empty() {
            break;
        }
        if let Some(to) = floor.offer(waiting) {
            offers.push((waiting.conversation, to));
        }
    }
    offers
}

/// Priority, then those put to the front, then oldest first.
fn in_turn(waiting: &[Waiting]) -> impl Iterator<Item = &Waiting> {
    // The keys stand next to each other: sorting looks at each of them many times.
    let keys = waiting.iter().enumerate();
    let keys = keys.map(|(at, w)| (Reverse(w.priority), !w.front, w.since, w.conversation, at));
    let mut turns: Vec<_> = keys.collect();
    turns.sort_unstable();
    turns.into_iter().map(|(.., at)| &waiting[at])
}

/// The technicians that could take something, one bit each. Bits are in order of least recent assignment.
struct Floor<'a> {
    people: Vec<Person<'a>>,
    by_id: Index<'a, usize>,
    /// Available and below capacity. Only ever shrinks during one proposal.
    free: Bits,
    /// Not proposed to yet in this run: their bits are still in the right order.
    fresh: Bits,
    queues: Index<'a, Queue>,
    skills: Index<'a, Bits>,
    languages: Index<'a, Bits>,
    proposals: u64,
    eligible: Bits,
    speakers: Bits,
}

struct Person<'a> {
    id: &'a TechnicianId,
    load: u64,
    capacity: u64,
    /// When they were proposed last in this run, counted from 1; 0 is before it.
    turn: u64,
}

struct Queue {
    allocation: Allocation,
    /// Its members that have its skills.
    members: Bits,
}

impl<'a> Floor<'a> {
    fn new(candidates: &'a [Candidate], policy: &Policy) -> Self {
        let mut sorted: Vec<&Candidate> = candidates
            .iter()
            .filter(|candidate| {
                candidate.presence == Presence::Available && candidate.load < candidate.capacity
            })
            .collect();
        sorted.sort_by_key(|candidate| (candidate.last_assigned, &candidate.id));
        let size = sorted.len();
        let mut floor = Floor {
            people: Vec::with_capacity(size),
            by_id: Index::new(),
            free: Bits::full(size),
            fresh: Bits::full(size),
            queues: Index::new(),
            skills: Index::new(),
            languages: Index::new(),
            proposals: 0,
            eligible: Bits::empty(size),
            speakers: Bits::empty(size),
        };
        let nobody = || Bits::empty(size);
        let empty = || Queue { allocation: Allocation::default(), members: nobody() };
        for (bit, candidate) in sorted.into_iter().enumerate() {
            let (load, capacity) = (candidate.load.into(), candidate.capacity.into());
            floor.people.push(Person { id: &candidate.id, load, capacity, turn: 0 });
            floor.by_id.entry(candidate.id.as_str(), || bit);
            candidate
                .queues
                .iter()
                .for_each(|queue| floor.queues.entry(queue.as_str(), empty).members.set(bit));
            candidate.skills.iter().for_each(|skill| floor.skills.entry(skill, nobody).set(bit));
            candidate.languages.iter().for_each(|language| floor.languages.entry(language, nobody).set(bit));
        }
        floor.apply(policy);
        floor
    }

    /// What the policy says of the queues: how they allocate, which skills all their members need.
    fn apply(&mut self, policy: &Policy) {
        let nobody = Bits::empty(self.people.len());
        for (name, queue) in self.queues.iter_mut() {
            let Some(policy) = policy.queues.get(&QueueId::from(name)) else { continue };
            queue.allocation = policy.allocation;
            for skill in &policy.skills {
                match self.skills.get(skill) {
                    Some(skilled) => queue.members.keep(skilled),
                    None => queue.members.keep(&nobody),
                };
            }
        }
    }

    fn offer(&mut self, waiting: &Waiting) -> Option<OfferTo> {
        let allocation = self.find_eligible(waiting)?;
        let sticky = waiting.sticky.as_ref().and_then(|who| self.by_id.get(who.as_str()).copied());
        if let Some(bit) = sticky.filter(|bit| self.eligible.has(*bit)) {
            return Some(self.take(bit));
        }
        if allocation == Allocation::FirstAccept {
            return Some(OfferTo::Everyone);
        }
        self.prefer_speakers(&waiting.language);
        let bit = match allocation {
            Allocation::LoadBased => self.least_loaded(),
            Allocation::RoundRobin | Allocation::FirstAccept => self.least_recent(),
        };
        bit.map(|bit| self.take(bit))
    }

    /// Leaves in `eligible` whoever may be asked. `None`: nobody; otherwise how one of them is chosen.
    fn find_eligible(&mut self, waiting: &Waiting) -> Option<Allocation> {
        let queue = self.queues.get(waiting.queue.as_str())?;
        let mut any = self.eligible.assign_common(&self.free, &queue.members);
        for skill in &waiting.skills {
            any = any && self.eligible.keep(self.skills.get(skill)?);
        }
        if any && !waiting.excluded.is_empty() {
            for excluded in &waiting.excluded {
                if let Some(bit) = self.by_id.get(excluded.as_str()) {
                    self.eligible.clear(*bit);
                }
            }
            any = !self.eligible.is_empty();
        }
        any.then_some(queue.allocation)
    }

    /// Somebody who speaks the requester's language, if anybody eligible does.
    fn prefer_speakers(&mut self, language: &str) {
        if let Some(speakers) = self.languages.get(language)
            && self.speakers.assign_common(&self.eligible, speakers)
        {
            std::mem::swap(&mut self.speakers, &mut self.eligible);
        }
    }

    fn least_recent(&self) -> Option<usize> {
        match self.eligible.common(&self.fresh) {
            Some(bit) => Some(bit),
            None => self.eligible.iter().min_by_key(|bit| self.people[*bit].turn),
        }
    }

    /// The lowest share of capacity in use; among equals the least recently assigned.
    fn least_loaded(&self) -> Option<usize> {
        self.eligible.iter().min_by(|a, b| {
            let (one, other) = (&self.people[*a], &self.people[*b]);
            let shares = (one.load * other.capacity).cmp(&(other.load * one.capacity));
            shares.then(one.turn.cmp(&other.turn)).then(a.cmp(b))
        })
    }

    fn take(&mut self, bit: usize) -> OfferTo {
        self.proposals += 1;
        let person = &mut self.people[bit];
        person.load += 1;
        person.turn = self.proposals;
        self.fresh.clear(bit);
        if person.load >= person.capacity {
            self.free.clear(bit);
        }
        OfferTo::One(person.id.clone())
    }
}
