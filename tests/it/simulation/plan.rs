//! What happens in one schedule, all of it from one number.
//!
//! Not here: doing it (`world`).

use std::collections::VecDeque;
use std::time::Duration;

use deskbridge_contract::OperationKind;
use deskbridge_sim::Fault;

/// splitmix64: small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub const REQUESTERS: u64 = 4;
pub const TECHNICIANS: [&str; 2] = ["bob", "cem"];

/// A platform: the requesters' or the desk's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Requesters,
    Desk,
}

/// How requesters write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    OneByOne,
    InBursts,
}

/// Where a crash strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// After so many turns of the scheduler, wherever everybody is then.
    Turns(u64),
    BeforeCommit,
    /// It is on disk, and nobody was told.
    AfterCommit,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// A requester writes; the number is the canary's.
    Say {
        who: u64,
        canary: u64,
    },
    /// A requester wants a person.
    AskForPeople {
        who: u64,
    },
    /// A technician writes in one of the threads: `!note`, `!accept`, plain words with a canary.
    Desk {
        who: usize,
        thread: u64,
        words: String,
    },
    /// `!on`, `!busy`, `!off` in the room itself.
    Presence {
        who: usize,
        word: &'static str,
    },
    /// The platform delivers an event again, whether or not it was acknowledged.
    Redeliver {
        side: Side,
        pick: u64,
    },
    /// The next matching operations go wrong.
    Fault {
        side: Side,
        kind: Option<OperationKind>,
        fault: Fault,
        times: u32,
    },
    /// Calls that were held answer.
    Release,
    Credentials {
        side: Side,
        refused: bool,
    },
    /// The store says no to the next commit.
    RefuseCommit,
    Crash(Crash),
    /// The clock on the wall is set, in seconds.
    Clock(i64),
    Wait(Duration),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub undo: u64,
    pub steps: VecDeque<Step>,
}

impl Plan {
    /// `calm`: nothing goes wrong but deliveries that come twice.
    pub fn new(seed: u64, calm: bool, talk: Talk) -> Plan {
        let mut dice = Dice::new(seed);
        let undo = if dice.one_in(2) { 0 } else { 5 };
        let mut steps = VecDeque::new();
        if talk == Talk::InBursts {
            // People write to people from the start.
            for who in 0..REQUESTERS {
                steps.push_back(Step::AskForPeople { who });
                steps.push_back(Step::Wait(Duration::from_secs(dice.below(10))));
            }
        }
        let mut canary = 0;
        for _ in 0..15 + dice.below(26) {
            canary += 1;
            let trouble = !calm && dice.one_in(4);
            let step = if trouble { trouble_step(&mut dice) } else { people_step(&mut dice, canary) };
            steps.push_back(step.clone());
            if let Step::Say { who, .. } = step
                && talk == Talk::InBursts
            {
                for _ in 0..dice.below(6) {
                    canary += 1;
                    steps.push_back(Step::Wait(Duration::from_millis(dice.below(300))));
                    steps.push_back(Step::Say { who, canary });
                }
            }
            if let Some(wait) = pause(&mut dice) {
                steps.push_back(Step::Wait(wait));
            }
        }
        Plan { undo, steps }
    }
}

fn pause(dice: &mut Dice) -> Option<Duration> {
    match dice.below(6) {
        0 | 1 => None,
        2 => Some(Duration::from_millis(dice.below(500))),
        3 | 4 => Some(Duration::from_millis(dice.below(6_000))),
        _ => Some(Duration::from_secs(dice.below(40))),
    }
}

fn people_step(dice: &mut Dice, canary: u64) -> Step {
    let who = usize::try_from(dice.below(2)).unwrap_or_default();
    let requester = dice.below(REQUESTERS);
    let thread = dice.below(REQUESTERS);
    let desk = |words: String| Step::Desk { who, thread, words };
    match dice.below(20) {
        0..6 => Step::Say { who: requester, canary },
        6 | 7 => Step::AskForPeople { who: requester },
        8..11 => desk("!accept".to_owned()),
        11..15 => desk(format!("do this t{canary}x")),
        15 => desk(format!("!note careful n{canary}x")),
        16 => desk("!handback".to_owned()),
        17 => match dice.below(3) {
            0 => desk("!resolve".to_owned()),
            1 => desk(format!("!transfer @{}", TECHNICIANS[1 - who])),
            _ => desk("!decline".to_owned()),
        },
        18 => Step::Presence { who, word: ["!on", "!on", "!busy", "!off"][at(dice, 4)] },
        _ => Step::Redeliver { side: side(dice), pick: dice.next() },
    }
}

fn at(dice: &mut Dice, end: u64) -> usize {
    usize::try_from(dice.below(end)).unwrap_or_default()
}

fn side(dice: &mut Dice) -> Side {
    if dice.one_in(2) { Side::Requesters } else { Side::Desk }
}

fn trouble_step(dice: &mut Dice) -> Step {
    match dice.below(14) {
        0..5 => fault(dice),
        5 => Step::Release,
        6 => Step::Credentials { side: side(dice), refused: dice.one_in(2) },
        7 => Step::RefuseCommit,
        8 => Step::Clock(i64::try_from(dice.below(300)).unwrap_or_default() - 5),
        9 | 10 => Step::Crash(Crash::Turns(dice.below(40))),
        11 => Step::Crash(Crash::BeforeCommit),
        12 => Step::Crash(Crash::AfterCommit),
        _ => Step::Redeliver { side: side(dice), pick: dice.next() },
    }
}

fn fault(dice: &mut Dice) -> Step {
    let side = side(dice);
    let fault = match dice.below(12) {
        0 | 1 => Fault::Retry { after: dice.one_in(2).then(|| Duration::from_secs(dice.below(20))) },
        2 => Fault::Rejected { fixable: dice.one_in(2) },
        3 => Fault::Gone,
        4..7 => Fault::Ambiguous { effect: true },
        7 => Fault::Ambiguous { effect: false },
        8 | 9 => Fault::Slow,
        10 => Fault::Hang { effect: dice.one_in(2) },
        _ if side == Side::Desk => Fault::ThreadGone,
        _ => Fault::Retry { after: None },
    };
    let kind = match dice.below(4) {
        0 => None,
        1 if side == Side::Desk => Some(OperationKind::OpenThread),
        _ => Some(OperationKind::Post),
    };
    Step::Fault { side, kind, fault, times: 1 + u32::try_from(dice.below(2)).unwrap_or_default() }
}
