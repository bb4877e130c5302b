//! Every notice in every language: said, differently, without a trace of the types behind it.

use std::time::Duration;

use super::words::{ENGLISH, exactly, roughly};
use super::*;
use crate::ids::ConversationId;
use crate::verbs::{Names, RequesterVerb, from_action};

const MINUTE: u64 = 60;

fn notices() -> Vec<Notice> {
    let name = || "Ana".to_owned();
    let ticket = || Some("INC-7".to_owned());
    let reference = || "#1042".to_owned();
    vec![
        Notice::Greeting,
        Notice::Connecting { position: 1, expected: None, keep_assistant: true },
        Notice::Connecting {
            position: 3,
            expected: Some(Duration::from_secs(4 * MINUTE)),
            keep_assistant: true,
        },
        Notice::Connecting { position: 3, expected: Some(Duration::from_secs(9)), keep_assistant: false },
        Notice::OutOfHours { back: "Wed 08:00 (Europe/Lisbon)".to_owned(), helping: true, ticket: true },
        Notice::OutOfHours { back: "Wed 08:00 (Europe/Lisbon)".to_owned(), helping: false, ticket: false },
        Notice::AskConnect,
        Notice::Choice,
        Notice::Joined { name: name() },
        Notice::Reminder,
        Notice::ClosedIdle,
        Notice::Resolved { by: name() },
        Notice::ClosedByRequester,
        Notice::AskRating,
        Notice::RatingThanks,
        Notice::LateQuestion,
        Notice::LateThanks,
        Notice::Reopened { waiting: true },
        Notice::Reopened { waiting: false },
        Notice::MaxWait { ticket: None },
        Notice::MaxWait { ticket: ticket() },
        Notice::AssistantContinues,
        Notice::HandedBack,
        Notice::BrokeOff,
        Notice::FindingAnother,
        Notice::StartedOver,
        Notice::Status { reference: reference(), state: StatusWords::WithAssistant, ticket: None },
        Notice::Status {
            reference: reference(),
            state: StatusWords::Waiting { position: 1 },
            ticket: ticket(),
        },
        Notice::Status { reference: reference(), state: StatusWords::Waiting { position: 5 }, ticket: None },
        Notice::Status { reference: reference(), state: StatusWords::With { name: name() }, ticket: None },
        Notice::Status { reference: reference(), state: StatusWords::Closed, ticket: None },
        Notice::Help,
        Notice::OnlyRequester { name: name() },
        Notice::OnlyRequester { name: String::new() },
        Notice::HelpingSomebody { name: name() },
        Notice::HelpingSomebody { name: String::new() },
        Notice::WasOfSomebody { name: name() },
        Notice::WasOfSomebody { name: String::new() },
        Notice::TicketOpened { number: "INC-7".to_owned() },
    ]
}

fn desk_notices() -> Vec<DeskNotice> {
    let message = MessageId { conversation: ConversationId(1042), seq: 7, n: 0 };
    let (name, by, why) = (|| "Ana".to_owned(), || "Bob".to_owned(), || "it is closed".to_owned());
    let period = Duration::from_secs(4 * MINUTE);
    vec![
        DeskNotice::KeptInternal { owner: Some(name()), message },
        DeskNotice::KeptInternal { owner: None, message },
        DeskNotice::NotPermitted,
        DeskNotice::Refused { verb: "resolve", why: why() },
        DeskNotice::Misread { why: why() },
        DeskNotice::Offered { name: name(), seconds: 60 },
        DeskNotice::OfferedEveryone,
        DeskNotice::OfferMissed { name: name() },
        DeskNotice::Declined { name: name() },
        DeskNotice::Accepted { name: name(), waited: period },
        DeskNotice::TakenOver { name: name(), from: by() },
        DeskNotice::TransferAsked { from: by(), to: name(), available: true },
        DeskNotice::TransferAsked { from: by(), to: name(), available: false },
        DeskNotice::TransferDeclined { to: name() },
        DeskNotice::TransferredToQueue { by: by(), queue: "network".to_owned() },
        DeskNotice::Invited { name: name(), by: by() },
        DeskNotice::BackupCalled { name: name() },
        DeskNotice::Joined { name: name() },
        DeskNotice::ConfirmIdentity { name: name() },
        DeskNotice::Left { name: name() },
        DeskNotice::Nudge { name: name(), minutes: 5 },
        DeskNotice::Requeued { why: RequeueReason::Silent },
        DeskNotice::Requeued { why: RequeueReason::Offline },
        DeskNotice::Requeued { why: RequeueReason::HandedOn },
        DeskNotice::Snoozed { by: by(), period },
        DeskNotice::SnoozeEnded { name: name() },
        DeskNotice::Resolved { by: by(), after: period },
        DeskNotice::Closed { why: "the requester is content" },
        DeskNotice::Reopened,
        DeskNotice::HandedBack { by: by() },
        DeskNotice::KeptWithAssistant,
        DeskNotice::RequesterLeft,
        DeskNotice::RequesterReturned,
        DeskNotice::DeliveryFailed { why: why(), again: Some(message) },
        DeskNotice::DeliveryFailed { why: "it is blocked".to_owned(), again: None },
        DeskNotice::DeliveredPartly { why: why() },
        DeskNotice::NotShown { why: why() },
        DeskNotice::ShownPartly { why: why() },
        DeskNotice::MayAppearTwice,
        DeskNotice::Lessened { how: "without a.txt".to_owned() },
        DeskNotice::OnlyAccepted { how: None },
        DeskNotice::OnlyAccepted { how: Some("without a.txt".to_owned()) },
        DeskNotice::ThreadReopened,
        DeskNotice::TicketOpened { number: "INC-7".to_owned() },
        DeskNotice::TicketFailed { why: why() },
        DeskNotice::MaxWait,
        DeskNotice::Undone,
        DeskNotice::UndoTooLate,
        DeskNotice::Rated { score: 5 },
        DeskNotice::RatingAsked,
        DeskNotice::Info { lines: vec![("Requester".to_owned(), "Kim".to_owned())] },
        DeskNotice::Info { lines: Vec::new() },
        DeskNotice::Help,
        DeskNotice::PresenceSet { presence: "available" },
        DeskNotice::SummaryPending,
        DeskNotice::RequesterDeleted,
    ]
}

/// No trace of a type: `Some(`, `Connecting {`, `4.0s`; no doubled blanks left by joined pieces.
fn assert_said(content: &Content, of: &dyn std::fmt::Debug) {
    let text = &content.text;
    assert!(!text.trim().is_empty(), "{of:?}");
    assert_eq!(text.trim(), text, "{of:?}");
    for trace in ["Some(", "None", " {", "\"", "  ", "..", "{}"] {
        assert!(!text.contains(trace), "{of:?}: {text}");
    }
    assert!(text.chars().count() <= 600, "{of:?} is too long for one message");
    for action in &content.actions {
        assert!(!action.label.is_empty() && action.label.chars().count() <= 24, "{}", action.label);
        assert!(action.id.len() <= 48, "{}", action.id);
    }
}

#[test]
fn every_notice_is_said_in_every_language() {
    for notice in notices() {
        let english = say(&notice, "en");
        assert_said(&english, &notice);
        for language in ["de", "es", "fr", "de-AT", "ES_mx"] {
            let content = say(&notice, language);
            assert_said(&content, &notice);
            assert_ne!(content.text, english.text, "{language}: {notice:?}");
            let ids = |content: &Content| content.actions.iter().map(|a| a.id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&content), ids(&english), "{language}: {notice:?}");
        }
        for language in ["ja", "", "x", "Ünïcode"] {
            assert_eq!(say(&notice, language), english, "{language}");
        }
    }
}

#[test]
fn what_was_given_is_in_the_words() {
    for language in ["en", "de", "es", "fr"] {
        let said = |notice: &Notice| say(notice, language).text;
        let expected = Some(Duration::from_secs(4 * MINUTE));
        let connecting = said(&Notice::Connecting { position: 3, expected, keep_assistant: true });
        assert!(connecting.contains('3') && connecting.contains("4 "), "{connecting}");
        let next = said(&Notice::Connecting { position: 1, expected: None, keep_assistant: true });
        assert!(!next.contains(char::is_numeric), "{next}");
        for ticket in [true, false] {
            let back = "Wed 08:00 (Europe/Lisbon)".to_owned();
            let said = said(&Notice::OutOfHours { back, helping: false, ticket });
            assert!(said.contains("Wed 08:00 (Europe/Lisbon)"), "{said}");
            assert_eq!(said.to_lowercase().contains("ticket"), ticket, "{said}");
        }
        assert!(said(&Notice::Joined { name: "Ana".to_owned() }).contains("**Ana**"));
        assert!(said(&Notice::MaxWait { ticket: Some("INC-7".to_owned()) }).contains("INC-7"));
        let status = Notice::Status {
            reference: "#1042".to_owned(),
            state: StatusWords::Waiting { position: 5 },
            ticket: None,
        };
        assert!(said(&status).contains("#1042") && said(&status).contains('5'), "{}", said(&status));
    }
    assert_eq!(
        say(&Notice::Connecting { position: 1, expected: None, keep_assistant: false }, "en").text,
        "I am connecting you with a technician. You are next."
    );
    assert_eq!(
        say(
            &Notice::Connecting {
                position: 2,
                expected: Some(Duration::from_secs(20)),
                keep_assistant: false
            },
            "en"
        )
        .text,
        "I am connecting you with a technician. You are number 2 in the queue. The usual wait is less than a minute."
    );
}

#[test]
fn every_desk_notice_is_said() {
    let mut seen = std::collections::BTreeSet::new();
    for notice in desk_notices() {
        let content = desk(&notice);
        assert_said(&content, &notice);
        assert!(seen.insert(content.text.clone()), "said twice: {}", content.text);
    }
}

#[test]
fn buttons_are_understood_when_they_come_back() {
    let policy = crate::Policy::default();
    let names = Names::new(&policy, &|_| false);
    for notice in notices() {
        for action in say(&notice, "fr").actions {
            assert!(RequesterVerb::from_action(&action.id).is_some(), "{}", action.id);
        }
    }
    for notice in desk_notices() {
        for action in desk(&notice).actions {
            let read = from_action(&action.id, action.value.as_deref(), &names);
            let answers = crate::identity::answer(&action.id).is_some();
            assert!(answers || matches!(read, Some(crate::verbs::Parsed::Verb(_))), "{}", action.id);
        }
    }
}

#[test]
fn names_format_nothing() {
    for (name, shown) in [
        ("Ana", "Ana"),
        ("Ana  López\n", "Ana López"),
        ("**Ana**", "\\*\\*Ana\\*\\*"),
        ("[x](http://evil)", "\\[x\\](http://evil)"),
        ("<b>&amp;`~_|", "\\<b\\>\\&amp;\\`\\~\\_\\|"),
        ("# Ana", "\\# Ana"),
        ("- Ana - B", "\\- Ana - B"),
        ("1. Ana", "1\\. Ana"),
        ("1) Ana", "1\\) Ana"),
        ("\u{7}A\r\nB", "A B"),
        ("a\\", "a\\\\"),
        ("", ""),
    ] {
        assert_eq!(plain(name), shown, "{name}");
    }
    assert!(say(&Notice::Joined { name: "*x*".to_owned() }, "en").text.starts_with("**\\*x\\*** has joined"));
}

#[test]
fn periods_in_words() {
    for (seconds, rough, exact) in [
        (0, "less than a minute", "0 s"),
        (59, "less than a minute", "59 s"),
        (60, "1 min", "1 min"),
        (200, "4 min", "3 min"),
        (3600, "1 h", "1 h"),
        (3601, "1 h 10 min", "1 h"),
        (4800, "1 h 20 min", "1 h 20 min"),
        (90_000, "1 d 1 h", "1 d 1 h"),
        (172_800, "2 d", "2 d"),
    ] {
        assert_eq!(roughly(Duration::from_secs(seconds), &ENGLISH), rough, "{seconds}");
        assert_eq!(exactly(Duration::from_secs(seconds), &ENGLISH), exact, "{seconds}");
    }
    assert!(!roughly(Duration::MAX, &ENGLISH).is_empty());
}
