//! The same proposal without any index, one technician after the other: what `propose` is checked and measured against.

use super::{Allocation, Candidate, ConversationId, OfferTo, Policy, Presence, Reverse, Timestamp, Waiting};

/// Every conversation against every technician.
pub(crate) fn propose(
    waiting: &[Waiting],
    candidates: &[Candidate],
    policy: &Policy,
) -> Vec<(ConversationId, OfferTo)> {
    let mut people: Vec<Candidate> = candidates.to_vec();
    let mut clock = 0;
    let mut proposed: Vec<Option<u64>> = vec![None; people.len()];
    let mut turns: Vec<&Waiting> = waiting.iter().collect();
    turns.sort_by_key(|w| (Reverse(w.priority), !w.front, w.since, w.conversation));
    let mut offers = Vec::new();
    for waiting in turns {
        let queue = policy.queue(&waiting.queue);
        let mut eligible: Vec<usize> = (0..people.len())
            .filter(|at| {
                let person = &people[*at];
                person.presence == Presence::Available
                    && person.load < person.capacity
                    && person.queues.contains(&waiting.queue)
                    && queue.skills.iter().chain(&waiting.skills).all(|skill| person.skills.contains(skill))
                    && !waiting.excluded.contains(&person.id)
            })
            .collect();
        if eligible.is_empty() {
            continue;
        }
        let sticky = eligible.iter().copied().find(|at| waiting.sticky.as_ref() == Some(&people[*at].id));
        if sticky.is_none() && queue.allocation == Allocation::FirstAccept {
            offers.push((waiting.conversation, OfferTo::Everyone));
            continue;
        }
        if eligible.iter().any(|at| people[*at].languages.contains(&waiting.language)) {
            eligible.retain(|at| people[*at].languages.contains(&waiting.language));
        }
        // Proposals of this run are later than every assignment before it.
        let recency = |at: usize| -> (Option<u64>, Option<Timestamp>, _) {
            (proposed[at], people[at].last_assigned, people[at].id.clone())
        };
        let share = |at: usize| (u64::from(people[at].load), u64::from(people[at].capacity));
        let chosen = sticky.or_else(|| {
            eligible.into_iter().min_by(|a, b| {
                let ((load_a, of_a), (load_b, of_b)) = (share(*a), share(*b));
                let shares = match queue.allocation {
                    Allocation::LoadBased => (load_a * of_b).cmp(&(load_b * of_a)),
                    Allocation::RoundRobin | Allocation::FirstAccept => std::cmp::Ordering::Equal,
                };
                shares.then_with(|| recency(*a).cmp(&recency(*b)))
            })
        });
        if let Some(at) = chosen {
            clock += 1;
            proposed[at] = Some(clock);
            people[at].load += 1;
            offers.push((waiting.conversation, OfferTo::One(people[at].id.clone())));
        }
    }
    offers
}
