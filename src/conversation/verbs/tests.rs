//! Tables: what is a verb and what is text.

use std::time::Duration;

use super::*;
use crate::ids::ConversationId;
use crate::policy::{Policy, QueuePolicy, Role, TechnicianPolicy};

fn person(id: &str, name: &str, role: Role) -> TechnicianPolicy {
    TechnicianPolicy {
        name: name.to_owned(),
        role,
        capacity: 3,
        skills: Vec::new(),
        languages: Vec::new(),
        email: Some(format!("{}@example.org", name.to_lowercase().replace(' ', "."))),
        identities: vec![format!("slack-acme:U{id}")],
        strangers: Vec::new(),
    }
}

pub(super) fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.queues.clear();
    for (queue, people) in
        [("network", vec!["ana-lopez", "bob-marsh", "zoe-aussen"]), ("sap", vec!["ana-diaz"])]
    {
        let technicians = people.into_iter().map(TechnicianId::from).collect();
        policy.queues.insert(queue.into(), QueuePolicy { technicians, ..QueuePolicy::default() });
    }
    for (id, name, role) in [
        ("ana-lopez", "Ana López", Role::Technician),
        ("ana-diaz", "Ana Diaz", Role::Technician),
        ("bob-marsh", "Bob Marsh", Role::Technician),
        ("zoe-aussen", "Zoë Außen", Role::Technician),
        ("eve-chief", "Eve Chief", Role::Supervisor),
        ("root", "Root Admin", Role::Admin),
    ] {
        policy.technicians.insert(id.into(), person(id, name, role));
    }
    policy
}

fn read(text: &str) -> Option<Parsed> {
    let policy = policy();
    parse(text, &Names::new(&policy, &|who| who.as_str() == "bob-marsh"))
}

fn press(id: &str, value: Option<&str>) -> Option<Parsed> {
    let policy = policy();
    from_action(id, value, &Names::new(&policy, &|_| false))
}

fn verb(verb: Verb) -> Option<Parsed> {
    Some(Parsed::Verb(verb))
}

fn to_bob() -> Option<Parsed> {
    verb(Verb::Transfer { to: TransferTo::Technician { who: "bob-marsh".into(), available: true } })
}

#[test]
fn every_verb_is_read_with_either_sign() {
    for (word, expected) in [
        ("accept", Verb::Accept),
        ("decline", Verb::Decline),
        ("leave", Verb::Leave),
        ("ticket", Verb::Ticket),
        ("summary", Verb::Summary),
        ("suggest", Verb::Suggest),
        ("handback", Verb::Handback),
        ("resolve", Verb::Resolve { silently: false }),
        ("resolve silently", Verb::Resolve { silently: true }),
        ("reopen", Verb::Reopen),
        ("csat", Verb::Csat),
        ("info", Verb::Info),
        ("help", Verb::Help),
        ("undo", Verb::Undo),
        ("takeover", Verb::TakeOver),
        ("on", Verb::On),
        ("busy", Verb::Busy),
        ("off", Verb::Off),
        ("snooze", Verb::Snooze { period: Duration::from_secs(3600) }),
        ("transfer #network", Verb::Transfer { to: TransferTo::Queue("network".into()) }),
        ("transfer sap", Verb::Transfer { to: TransferTo::Queue("sap".into()) }),
        ("invite @ana-diaz", Verb::Invite { who: "ana-diaz".into() }),
    ] {
        assert_eq!(read(&format!("!{word}")), verb(expected.clone()), "!{word}");
        assert_eq!(read(&format!("  /{}  ", word.to_uppercase())), verb(expected.clone()), "/{word}");
        assert_eq!(read(&format!("\\!{word}")), verb(expected), "escaped !{word}");
    }
    assert_eq!(read("/accept@deskbridge_bot"), verb(Verb::Accept));
}

#[test]
fn people_are_found_by_every_usual_spelling() {
    for who in [
        "@bob",
        "bob",
        "Bob",
        "@Bob Marsh",
        "bob marsh",
        "@bob_marsh",
        "@bob\\_marsh",
        "bob.marsh",
        "bob-marsh",
        "@bob.",
        "bob.marsh@example.org",
        "<@Ubob-marsh>",
        "slack-acme:Ubob-marsh",
    ] {
        assert_eq!(read(&format!("!transfer {who}")), to_bob(), "{who}");
    }
    assert_eq!(read("!invite zoe"), verb(Verb::Invite { who: "zoe-aussen".into() }));
    assert_eq!(read("!invite @Zoe Aussen"), verb(Verb::Invite { who: "zoe-aussen".into() }));
    assert_eq!(read("!invite Ana Lopez"), verb(Verb::Invite { who: "ana-lopez".into() }));
}

#[test]
fn what_cannot_be_done_says_why() {
    for (text, name, why) in [
        ("!transfer", "transfer", "to whom"),
        ("!transfer @ana", "transfer", "say which"),
        ("!transfer @nobody", "transfer", "nobody here is called “nobody”"),
        ("!transfer #printers", "transfer", "#network"),
        ("!invite", "invite", "say who"),
        ("!snooze later", "snooze", "30m"),
        ("!snooze 31d", "snooze", "at most 30 days"),
        ("!snooze 0m", "snooze", "30m"),
        ("!snooze 30", "snooze", "30m"),
        ("!snooze 99999999999999999999999d", "snooze", "30m"),
        ("!snooze 18446744073709551615d", "snooze", "at most 30 days"),
        ("!resolve thanks, bye", "resolve", "silently"),
        ("!on the other hand", "on", "nothing may follow"),
        ("!acept", "accept", "did you mean !accept"),
        ("/trasnfer @bob", "transfer", "did you mean !transfer"),
        ("!resovle", "resolve", "did you mean !resolve"),
        ("!close", "resolve", "did you mean !resolve"),
        ("!hlep", "help", "did you mean !help"),
        ("!send 1", "send", "!reply"),
    ] {
        match read(text) {
            Some(Parsed::Bad { verb, why: said }) => {
                assert_eq!(verb, name, "{text}");
                assert!(said.contains(why), "{text}: {said}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn text_is_text() {
    for text in [
        "",
        " ",
        "!",
        "/",
        "!!",
        "!important",
        "!important: do not restart",
        "/var/log is full",
        "/etc",
        "!= 5",
        "! note",
        "On my way",
        "accept it",
        "reply to all",
        "note that it is slow",
        "hello !accept",
        "path is /accept",
        "!hold on",
        "/shrug",
        "(!accept)",
        "12",
        "!1",
        "!äccept",
        "resolve",
        "notes: three",
        "see 🔒 on the door",
        "; sorry",
        "/tmp",
        "!no way",
        "!ok",
    ] {
        assert_eq!(read(text), None, "{text:?}");
    }
}

#[test]
fn notes_and_replies() {
    for (text, note) in [
        ("🔒 he is the CEO", "he is the CEO"),
        ("🔒he is the CEO", "he is the CEO"),
        ("he is the CEO 🔒", "he is the CEO"),
        ("he is the CEO 🔒\u{fe0f} ", "he is the CEO"),
        ("\u{200b}🔒\u{fe0f} careful", "careful"),
        ("**🔒 careful**", "**careful**"),
        ("**careful 🔒**", "**careful**"),
        (":lock: careful", "careful"),
        ("careful :lock:", "careful"),
        ("note: careful", "careful"),
        ("Note: careful", "careful"),
        ("PRIVATE:careful", "careful"),
        (";; careful", "careful"),
        ("!note careful\nvery", "careful\nvery"),
        ("/note careful", "careful"),
        ("/note: careful", "careful"),
        ("🔒 !resolve", "!resolve"),
        ("🔒", ""),
        ("!note", ""),
    ] {
        assert_eq!(read(text), Some(Parsed::Note { text: note.to_owned() }), "{text:?}");
    }
    for (text, reply) in [
        ("!r Done.", "Done."),
        ("!reply Done.", "Done."),
        ("/reply Done.", "Done."),
        ("/r Done.\n\nBye", "Done.\n\nBye"),
        ("!R: hi", "hi"),
    ] {
        assert_eq!(read(text), Some(Parsed::Reply { text: reply.to_owned() }), "{text:?}");
    }
    let policy = policy();
    let names = Names::new(&policy, &|_| false);
    assert_eq!(
        parse_explicit("reply On my way", &names),
        Some(Parsed::Reply { text: "On my way".to_owned() })
    );
    assert_eq!(
        parse_explicit("Reply: On my way", &names),
        Some(Parsed::Reply { text: "On my way".to_owned() })
    );
    assert_eq!(parse_explicit("replying now", &names), None);
    assert_eq!(parse("reply On my way", &names), None);
}

#[test]
fn periods() {
    for (text, minutes) in [
        ("30m", 30),
        ("2h", 120),
        ("1d", 1440),
        ("90 min", 90),
        ("1h 30m", 90),
        ("1h30m", 90),
        ("2 hours", 120),
        ("for 2h", 120),
        ("in 10 minutes", 10),
        ("1 week", 10_080),
        ("tomorrow", 1440),
        ("Tomorrow", 1440),
        ("30d", 43_200),
        ("", 60),
    ] {
        let period = Duration::from_secs(60 * minutes);
        assert_eq!(read(&format!("!snooze {text}")), verb(Verb::Snooze { period }), "{text}");
    }
}

#[test]
fn buttons_come_back_as_the_verb_that_made_them() {
    let message = MessageId { conversation: ConversationId(1042), seq: 7, n: 0 };
    for made in [
        Verb::Accept,
        Verb::Decline,
        Verb::Leave,
        Verb::Ticket,
        Verb::Summary,
        Verb::Suggest,
        Verb::Handback,
        Verb::Reopen,
        Verb::Csat,
        Verb::Info,
        Verb::Help,
        Verb::Undo,
        Verb::TakeOver,
        Verb::On,
        Verb::Busy,
        Verb::Off,
        Verb::Resolve { silently: false },
        Verb::Resolve { silently: true },
        Verb::Send { message },
        Verb::Snooze { period: Duration::from_secs(3600) },
        Verb::Snooze { period: Duration::from_secs(90 * 60) },
        Verb::Snooze { period: Duration::from_secs(86_400) },
        Verb::Priority { level: 3 },
        Verb::Label { add: vec!["vpn".into()], remove: Vec::new() },
        Verb::Label { add: Vec::new(), remove: vec!["floor-2".into()] },
        Verb::Invite { who: "bob-marsh".into() },
        Verb::Transfer { to: TransferTo::Queue("network".into()) },
        Verb::Transfer { to: TransferTo::Technician { who: "bob-marsh".into(), available: false } },
    ] {
        let id = made.action_id();
        assert!(
            id.len() <= 48
                && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ":#@._-".contains(c)),
            "{id}"
        );
        assert_eq!(press(&id, None), verb(made.clone()), "{id}");
        assert!(read(&format!("!{}", made.name())).is_some(), "{id}");
    }
    assert_eq!(press("snooze", Some("2h")), verb(Verb::Snooze { period: Duration::from_secs(7200) }));
    assert_eq!(press("transfer", Some("#sap")), verb(Verb::Transfer { to: TransferTo::Queue("sap".into()) }));
    assert_eq!(press("note", Some(" hm ")), Some(Parsed::Note { text: "hm".to_owned() }));
    assert_eq!(press("accept", Some("1042")), verb(Verb::Accept));
    assert!(matches!(press("send:x", None), Some(Parsed::Bad { verb: "send", .. })));
    for theirs in ["human", "keep", "yes", "rate:5", "", ":", "nonsense"] {
        assert_eq!(press(theirs, None), None, "{theirs}");
    }
}

#[test]
fn requesters_buttons() {
    let message = MessageId { conversation: ConversationId(1042), seq: 7, n: 0 };
    for made in [
        RequesterVerb::Human,
        RequesterVerb::KeepAssistant,
        RequesterVerb::Yes,
        RequesterVerb::No,
        RequesterVerb::SameIssue,
        RequesterVerb::NewRequest,
        RequesterVerb::StartOver,
        RequesterVerb::Status,
        RequesterVerb::Close,
        RequesterVerb::Rate { score: 1 },
        RequesterVerb::Rate { score: 5 },
        RequesterVerb::Feedback { message, helpful: true },
        RequesterVerb::Feedback { message, helpful: false },
        RequesterVerb::Tag { word: "vpn".into(), on: true },
        RequesterVerb::Tag { word: "floor-2".into(), on: false },
    ] {
        assert_eq!(RequesterVerb::from_action(&made.action_id()), Some(made));
    }
    for theirs in [
        "rate:0", "rate:6", "rate:", "rate:-1", "fb:up:", "fb:up:1", "fb:", "tag:", "tag:-", "accept",
        "resolve", "",
    ] {
        assert_eq!(RequesterVerb::from_action(theirs), None, "{theirs}");
    }
}

proptest::proptest! {
    #[test]
    fn parsing_is_total(text in ".{0,200}", lead in "(!|/|🔒|;;|note:)?", id in "[a-z0-9:#@._-]{0,48}") {
        let policy = policy();
        let names = Names::new(&policy, &|_| true);
        let text = format!("{lead}{text}");
        let _ = (parse(&text, &names), parse_explicit(&text, &names), from_action(&id, Some(&text), &names));
        let _ = RequesterVerb::from_action(&id);
    }

    #[test]
    fn a_lock_at_either_end_always_keeps_it_internal(text in "[^\\\\*_~]{0,80}", first: bool) {
        let policy = policy();
        let names = Names::new(&policy, &|_| true);
        let marked = if first { format!("🔒{text}") } else { format!("{text}🔒") };
        let note = matches!(parse(&marked, &names), Some(Parsed::Note { .. }));
        proptest::prop_assert!(note);
    }
}
