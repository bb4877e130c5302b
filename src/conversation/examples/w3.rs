//! W3: 10 000 waiting conversations × 500 technicians, proposed at once; the index against the plain loop.
//!
//! `cargo run --release -p deskbridge-conversation --example w3 [seeds]`

// A measurement needs a clock and somewhere to write; the core itself has neither.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout)]

use std::cmp::Reverse;
use std::hint::black_box;
use std::time::{Duration, Instant};

use deskbridge_contract::Timestamp;
use deskbridge_conversation::allocation::{Candidate, Waiting};
use deskbridge_conversation::policy::{Allocation, Policy, QueuePolicy};
use deskbridge_conversation::{ConversationId, OfferTo, Presence, allocation};

#[path = "../allocation/oracle.rs"]
mod oracle;

const LANGUAGES: [&str; 9] = ["en", "de", "es", "fr", "pt", "it", "nl", "ar", "pl"];
const QUEUES: [&str; 3] = ["default", "network", "sap"];

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

fn technicians(dice: &mut Dice) -> Vec<Candidate> {
    let one = |n: u64, dice: &mut Dice| Candidate {
        id: format!("technician-{n:03}").as_str().into(),
        presence: Presence::Available,
        load: dice.below(3) as u32,
        capacity: 3 + dice.below(4) as u32,
        skills: (0..6).map(|_| format!("skill-{:02}", dice.below(40))).collect(),
        languages: vec!["en".to_owned(), dice.pick(&LANGUAGES[1..]).to_owned()],
        last_assigned: (dice.below(10) > 0).then(|| Timestamp(dice.below(1_000_000) as i64)),
        queues: QUEUES.iter().filter(|_| dice.below(3) > 0).map(|queue| (*queue).into()).collect(),
    };
    (0..500).map(|n| one(n, dice)).collect()
}

fn waiting(dice: &mut Dice) -> Vec<Waiting> {
    let one = |n: i64, dice: &mut Dice| Waiting {
        conversation: ConversationId(n),
        queue: dice.pick(&QUEUES).into(),
        priority: dice.below(5) as u8,
        front: dice.below(50) == 0,
        since: Timestamp(dice.below(3_600_000_000) as i64),
        excluded: Vec::new(),
        sticky: (dice.below(20) == 0).then(|| format!("technician-{:03}", dice.below(500)).as_str().into()),
        skills: vec![format!("skill-{:02}", dice.below(40))],
        language: dice.pick(&LANGUAGES).to_owned(),
    };
    (0..10_000).map(|n| one(n, dice)).collect()
}

fn policy() -> Policy {
    let methods = [Allocation::RoundRobin, Allocation::LoadBased, Allocation::RoundRobin];
    let queues = QUEUES.iter().zip(methods);
    let queues = queues
        .map(|(queue, allocation)| ((*queue).into(), QueuePolicy { allocation, ..QueuePolicy::default() }));
    Policy { queues: queues.collect(), ..Policy::default() }
}

/// The shortest of three runs, and what came out.
fn timed<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut once = || {
        let start = Instant::now();
        let result = black_box(run());
        (start.elapsed(), result)
    };
    let (mut best, result) = once();
    for _ in 0..2 {
        best = best.min(once().0);
    }
    (best, result)
}

fn main() {
    let seeds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(15);
    let policy = policy();
    let mut ratios = Vec::new();
    for seed in 1..=seeds {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let (people, queue) = (technicians(&mut dice), waiting(&mut dice));
        let (naive, expected) = timed(|| oracle::propose(&queue, &people, &policy));
        let (indexed, offers) = timed(|| allocation::propose(&queue, &people, &policy));
        assert_eq!(offers, expected, "the index and the plain loop disagree");
        let (arrival, _) = timed(|| allocation::propose(&queue[..1], &people, &policy));
        let ratio = naive.as_secs_f64() / indexed.as_secs_f64();
        println!(
            "seed {seed:2}: {} offers, plain {naive:.2?}, index {indexed:.2?}, 1/{ratio:.1}; one arrival {arrival:.2?}",
            offers.len()
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median 1/{:.1}, worst 1/{:.1}", ratios[ratios.len() / 2], ratios[0]);
}
