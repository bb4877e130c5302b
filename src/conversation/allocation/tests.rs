//! The rules one by one, and the plain loop as the oracle for everything at once.

use proptest::prelude::*;

use super::*;
use crate::policy::QueuePolicy;

fn policy(allocation: Allocation, skills: &[&str]) -> Policy {
    let skills = skills.iter().map(|skill| (*skill).to_owned()).collect();
    let queue = QueuePolicy { allocation, skills, ..QueuePolicy::default() };
    Policy { queues: [(QueueId::from("network"), queue)].into(), ..Policy::default() }
}

fn person(id: &str) -> Candidate {
    Candidate {
        id: id.into(),
        presence: Presence::Available,
        load: 0,
        capacity: 2,
        skills: vec!["vpn".to_owned()],
        languages: vec!["en".to_owned()],
        last_assigned: None,
        queues: vec!["network".into()],
    }
}

fn waits(id: i64) -> Waiting {
    Waiting {
        conversation: ConversationId(id),
        queue: "network".into(),
        priority: 0,
        front: false,
        since: Timestamp(id),
        excluded: Vec::new(),
        sticky: None,
        skills: Vec::new(),
        language: "en".to_owned(),
    }
}

/// `1→ana` for every offer, in order.
fn offers(waiting: &[Waiting], people: &[Candidate], policy: &Policy) -> Vec<String> {
    let offers = propose(waiting, people, policy);
    assert_eq!(offers, oracle::propose(waiting, people, policy), "index and oracle");
    let written = offers.into_iter().map(|(conversation, to)| match to {
        OfferTo::One(who) => format!("{}→{who}", conversation.0),
        OfferTo::Everyone => format!("{}→everyone", conversation.0),
    });
    written.collect()
}

fn robin(waiting: &[Waiting], people: &[Candidate]) -> Vec<String> {
    offers(waiting, people, &policy(Allocation::RoundRobin, &[]))
}

#[test]
fn round_robin_goes_to_the_least_recently_assigned() {
    let people = [
        Candidate { last_assigned: Some(Timestamp(5)), ..person("ana") },
        Candidate { last_assigned: Some(Timestamp(3)), ..person("bob") },
        person("zoe"),
        person("cem"),
    ];
    let waiting: Vec<_> = (1..=9).map(waits).collect();
    assert_eq!(
        robin(&waiting, &people),
        ["1→cem", "2→zoe", "3→bob", "4→ana", "5→cem", "6→zoe", "7→bob", "8→ana"],
        "never assigned first, ties by id, then round again until capacity is used"
    );
}

#[test]
fn load_based_compares_shares_of_capacity() {
    let policy = policy(Allocation::LoadBased, &[]);
    let people = [
        Candidate { load: 1, capacity: 2, ..person("half") },
        Candidate { load: 2, capacity: 6, ..person("third") },
        Candidate { load: 1, capacity: 3, last_assigned: Some(Timestamp(1)), ..person("also-third") },
    ];
    let waiting: Vec<_> = (1..=4).map(waits).collect();
    // third 2/6 → 3/6; also-third 1/3 → 2/3; then half and third are at 1/2: half was assigned less recently.
    assert_eq!(offers(&waiting, &people, &policy), ["1→third", "2→also-third", "3→half", "4→third"]);
    assert_eq!(
        offers(
            &[waits(1)],
            &[Candidate { load: u32::MAX - 1, capacity: u32::MAX, ..person("full") }],
            &policy
        ),
        ["1→full"]
    );
}

#[test]
fn first_accept_asks_everyone_only_when_somebody_is_there() {
    let policy = policy(Allocation::FirstAccept, &[]);
    assert_eq!(offers(&[waits(1), waits(2)], &[person("ana")], &policy), ["1→everyone", "2→everyone"]);
    assert!(offers(&[waits(1)], &[Candidate { load: 2, ..person("ana") }], &policy).is_empty());
    assert!(offers(&[waits(1)], &[], &policy).is_empty());
    let sticky = Waiting { sticky: Some("ana".into()), ..waits(1) };
    assert_eq!(offers(&[sticky], &[person("ana"), person("bob")], &policy), ["1→ana"]);
}

#[test]
fn nobody_is_asked_who_cannot() {
    for (why, candidate) in [
        ("busy", Candidate { presence: Presence::Busy, ..person("ana") }),
        ("away", Candidate { presence: Presence::Away, ..person("ana") }),
        ("offline (T32, T38)", Candidate { presence: Presence::Offline, ..person("ana") }),
        ("full (T39)", Candidate { load: 2, ..person("ana") }),
        ("over capacity (T39)", Candidate { load: 7, ..person("ana") }),
        ("no capacity", Candidate { capacity: 0, ..person("ana") }),
        ("other queue", Candidate { queues: vec!["sap".into()], ..person("ana") }),
        ("lacks the queue's skill (T41)", Candidate { skills: vec!["sap".to_owned()], ..person("ana") }),
    ] {
        let waiting = Waiting { sticky: Some("ana".into()), ..waits(1) };
        assert!(
            offers(&[waiting], &[candidate], &policy(Allocation::RoundRobin, &["vpn"])).is_empty(),
            "{why}"
        );
    }
    let excluded =
        Waiting { excluded: vec!["ana".into(), "gone".into()], sticky: Some("ana".into()), ..waits(1) };
    assert_eq!(robin(&[excluded], &[person("ana"), person("bob")]), ["1→bob"]);
    let skilled = Waiting { skills: vec!["sap".to_owned()], ..waits(2) };
    assert!(robin(std::slice::from_ref(&skilled), &[person("ana")]).is_empty());
    let both = Candidate { skills: vec!["sap".to_owned(), "vpn".to_owned()], ..person("zoe") };
    assert_eq!(
        offers(&[skilled], &[person("ana"), both], &policy(Allocation::RoundRobin, &["vpn"])),
        ["2→zoe"]
    );
}

#[test]
fn the_last_technician_is_asked_first_if_free() {
    let sticky = |id| Waiting { sticky: Some("zoe".into()), ..waits(id) };
    let people =
        [person("ana"), Candidate { capacity: 1, last_assigned: Some(Timestamp(9)), ..person("zoe") }];
    assert_eq!(robin(&[sticky(1), sticky(2)], &people), ["1→zoe", "2→ana"]);
}

#[test]
fn language_is_a_wish_and_not_a_condition() {
    let german = Waiting { language: "de".to_owned(), ..waits(1) };
    let zoe = Candidate { languages: vec!["en".to_owned(), "de".to_owned()], capacity: 1, ..person("zoe") };
    assert_eq!(
        robin(&[german.clone(), Waiting { language: "de".to_owned(), ..waits(2) }], &[person("ana"), zoe]),
        ["1→zoe", "2→ana"]
    );
    assert_eq!(robin(&[german], &[person("ana")]), ["1→ana"]);
}

#[test]
fn priority_then_front_then_age() {
    let people = [Candidate { capacity: 9, ..person("ana") }];
    let waiting = [
        waits(4),
        Waiting { since: Timestamp(4), ..waits(3) },
        waits(1),
        Waiting { front: true, since: Timestamp(99), ..waits(5) },
        Waiting { priority: 2, since: Timestamp(100), ..waits(6) },
    ];
    assert_eq!(robin(&waiting, &people), ["6→ana", "5→ana", "1→ana", "3→ana", "4→ana"]);
}

#[test]
fn an_unknown_queue_keeps_the_defaults() {
    let waiting = Waiting { queue: "lost".into(), ..waits(1) };
    let people = [Candidate { queues: vec!["lost".into()], ..person("ana") }];
    assert_eq!(robin(&[waiting], &people), ["1→ana"]);
}

fn some_of(names: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(proptest::sample::select(names), 0..3)
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

const PEOPLE: [&str; 6] = ["p0", "p1", "p2", "p3", "p70", "p129"];

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (
        prop_oneof![4 => Just(Presence::Available), 1 => Just(Presence::Busy), 1 => Just(Presence::Offline)],
        (0u32..4, 0u32..5),
        some_of(&["a", "b", "c"]),
        some_of(&["en", "de"]),
        proptest::option::of((0i64..6).prop_map(Timestamp)),
        some_of(&["q0", "q1", "q2"]),
    );
    // More than 128 people, so that sets of several words are tried.
    proptest::collection::vec(one, 0..140).prop_map(|people| {
        let people = people.into_iter().enumerate();
        let made =
            people.map(|(n, (presence, (load, capacity), skills, languages, last_assigned, queues))| {
                Candidate {
                    id: TechnicianId(format!("p{n}")),
                    presence,
                    load,
                    capacity,
                    skills,
                    languages,
                    last_assigned,
                    queues: queues.into_iter().map(QueueId).collect(),
                }
            });
        made.collect()
    })
}

fn queue_of_waiting() -> impl Strategy<Value = Vec<Waiting>> {
    let one = (
        proptest::sample::select(&["q0", "q1", "q2", "lost"]),
        (0u8..3, any::<bool>(), 0i64..20),
        some_of(&PEOPLE),
        proptest::option::of(proptest::sample::select(&PEOPLE)),
        some_of(&["a", "b"]),
        proptest::sample::select(&["en", "de", "fr"]),
    );
    proptest::collection::vec(one, 0..60).prop_map(|waiting| {
        let waiting = waiting.into_iter().enumerate();
        let made =
            waiting.map(|(n, (queue, (priority, front, since), excluded, sticky, skills, language))| {
                Waiting {
                    conversation: ConversationId(i64::try_from(n).unwrap_or(0)),
                    queue: queue.into(),
                    priority,
                    front,
                    since: Timestamp(since),
                    excluded: excluded.into_iter().map(TechnicianId).collect(),
                    sticky: sticky.map(TechnicianId::from),
                    skills: skills.into_iter().take(1).collect(),
                    language: language.to_owned(),
                }
            });
        made.collect()
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let method =
        prop_oneof![Just(Allocation::RoundRobin), Just(Allocation::LoadBased), Just(Allocation::FirstAccept)];
    proptest::collection::vec((method, some_of(&["a", "c"])), 3).prop_map(|queues| {
        let queues = queues.into_iter().enumerate().map(|(n, (allocation, skills))| {
            let skills = skills.into_iter().take(1).collect();
            (QueueId(format!("q{n}")), QueuePolicy { allocation, skills, ..QueuePolicy::default() })
        });
        Policy { queues: queues.collect(), ..Policy::default() }
    })
}

proptest! {
    #[test]
    fn the_index_decides_like_the_oracle(people in candidates(), waiting in queue_of_waiting(), policy in policies()) {
        prop_assert_eq!(propose(&waiting, &people, &policy), oracle::propose(&waiting, &people, &policy));
    }

    #[test]
    fn offers_stay_within_capacity(people in candidates(), waiting in queue_of_waiting(), policy in policies()) {
        let offers = propose(&waiting, &people, &policy);
        for person in &people {
            let taken = offers.iter().filter(|(_, to)| *to == OfferTo::One(person.id.clone())).count();
            let taken = u32::try_from(taken).unwrap_or(u32::MAX);
            prop_assert!(taken == 0 || (person.presence == Presence::Available && person.load + taken <= person.capacity));
        }
    }

    /// Nobody is left waiting while somebody could be asked (T34).
    #[test]
    fn whoever_is_left_out_could_be_asked_by_nobody(people in candidates(), waiting in queue_of_waiting(), policy in policies()) {
        let offers = propose(&waiting, &people, &policy);
        let mut after = people.clone();
        for person in &mut after {
            let taken = offers.iter().filter(|(_, to)| *to == OfferTo::One(person.id.clone())).count();
            person.load += u32::try_from(taken).unwrap_or(0);
        }
        let left: Vec<_> = waiting.into_iter().filter(|w| offers.iter().all(|(id, _)| *id != w.conversation)).collect();
        prop_assert_eq!(propose(&left, &after, &policy), Vec::new());
    }
}
