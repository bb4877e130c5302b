//! Conversations with the knowledge engine over the shipped articles.
//! Not here: ranking figures (`retrieval_tests.rs`) and the reading of single messages (`talk.rs`).

use std::collections::HashSet;

use proptest::prelude::*;

use super::answer::decide;
use super::decision::{Decision, HandoverHint};
use super::retrieval_tests::{labelled, shipped};
use super::search::Knowledge;
use super::stretch::{By, Turn};

fn said(by: By, text: &str, cites: Vec<String>) -> Turn {
    Turn { by, text: text.to_owned(), cites }
}

/// Plays the requester's messages; gives every decision.
fn play<'a>(
    knowledge: &Knowledge,
    messages: impl IntoIterator<Item = &'a str>,
    language: &str,
) -> Vec<Decision> {
    let mut turns = Vec::new();
    let mut decisions = Vec::new();
    for message in messages {
        turns.push(said(By::Requester, message, Vec::new()));
        let decision = decide(knowledge, &turns, &[], language);
        turns.push(said(By::Assistant, decision.text(), decision.cites()));
        decisions.push(decision);
    }
    decisions
}

/// One word per decision: the cited section, the options, or the kind.
fn outline(decision: &Decision) -> String {
    match decision {
        Decision::Answer { .. } => decision.cites().join(" "),
        Decision::AskBack { options, .. } => {
            let slugs: Vec<_> = options.iter().map(|(slug, _)| slug.as_str()).collect();
            format!("? {}", slugs.join(" "))
        }
        Decision::Handover { reason, .. } => {
            format!("human {reason:?} {}", decision.cites().join(" ")).trim_end().to_owned()
        }
        Decision::SmallTalk { .. } => "talk".to_owned(),
    }
}

#[track_caller]
fn assert_talk(conversation: &[(&str, &str)]) {
    let decisions = play(shipped(), conversation.iter().map(|(message, _)| *message), "en");
    for ((message, expected), decision) in conversation.iter().zip(&decisions) {
        assert_eq!(outline(decision), *expected, "after `{message}`:\n{}", decision.text());
    }
}

#[test]
fn an_answer_has_the_steps_the_source_and_asks_whether_it_helped() {
    let decisions = play(shipped(), ["My VPN says error 691"], "en");
    let Decision::Answer { text, cites, confidence } = &decisions[0] else { panic!("{decisions:?}") };
    assert!(
        text.contains("1. Check that the new password works") && text.contains("\n6. Tick **Remember**"),
        "{text}"
    );
    assert!(
        text.ends_with("\n\nSource: *VPN error 691 after a password change*\n\nDid this help?"),
        "{text}"
    );
    assert_eq!(
        (cites[0].slug.as_str(), cites[0].heading.as_str()),
        ("vpn-error-691", "Replace the saved password")
    );
    assert!((0.8..=1.0).contains(confidence));
}

#[test]
fn a_greeting_is_greeted_back_and_asked_what_is_wrong() {
    assert_talk(&[
        ("Hi there!", "talk"),
        ("outlook does not sync", "outlook-mail#outlook-does-not-receive-or-send"),
    ]);
    let decisions = play(shipped(), ["hello", "hello"], "en");
    assert!(decisions[0].text().contains("What can I help you with?"));
    assert_ne!(decisions[0].text(), decisions[1].text());
    assert_talk(&[("help me please", "talk"), ("it is broken", "talk"), ("👍", "talk")]);
}

#[test]
fn did_not_help_brings_the_next_section_then_a_human() {
    assert_talk(&[
        ("paper jam in the printer", "printer-paper-jam#clear-the-jam"),
        ("did not work", "printer-paper-jam#if-that-did-not-help"),
        ("still jammed", "human ExhaustedKnowledge"),
        ("still", "human ExhaustedKnowledge"),
        ("no", "talk"),
        ("yes", "talk"),
    ]);
}

#[test]
fn did_not_help_goes_on_to_a_related_article() {
    assert_talk(&[
        ("my vpn is not working", "? vpn-error-691 vpn-does-not-connect"),
        ("the first one", "vpn-error-691#replace-the-saved-password"),
        ("no", "vpn-error-691#if-that-did-not-help"),
        ("that did not help either", "vpn-does-not-connect#get-the-connection-up"),
        ("no luck", "vpn-does-not-connect#if-that-did-not-help"),
    ]);
}

#[test]
fn the_same_question_again_is_not_answered_the_same_way() {
    assert_talk(&[
        ("my vpn says 691", "vpn-error-691#replace-the-saved-password"),
        ("my vpn says 691", "vpn-error-691#if-that-did-not-help"),
        ("my vpn says 691", "human ExhaustedKnowledge"),
    ]);
}

#[test]
fn close_articles_are_asked_about_and_the_choice_is_understood() {
    let ask = "? printer-offline printer-paper-jam";
    let (offline, jam) = ("printer-offline#bring-the-printer-back-online", "printer-paper-jam#clear-the-jam");
    for (choice, expected) in [
        ("1", offline),
        ("the second one", jam),
        ("2.", jam),
        ("the last", jam),
        ("the one with the jam", jam),
        ("it is offline", offline),
        ("paper is stuck in it", jam),
        ("yes", "talk"),
        ("neither", "human NothingFound"),
        ("printer", offline),
        ("actually my mailbox is full", "outlook-mail#the-mailbox-is-full"),
    ] {
        assert_talk(&[("printer problem", ask), (choice, expected)]);
    }
    let decisions = play(shipped(), ["printer"], "en");
    assert!(decisions[0].text().contains("1. Printer is offline or prints nothing\n2. Printer paper jam"));
}

#[test]
fn a_word_that_names_one_article_decides() {
    assert_talk(&[("the laptop is slow", "laptop-slow-or-dead#the-laptop-is-slow-or-freezes")]);
    assert_talk(&[("vpn 691", "vpn-error-691#replace-the-saved-password")]);
    assert_talk(&[("my mailbox is full", "outlook-mail#the-mailbox-is-full")]);
}

#[test]
fn a_short_follow_up_is_read_with_what_was_asked_before() {
    assert_talk(&[
        ("my vpn says 691", "vpn-error-691#replace-the-saved-password"),
        ("I am on a mac", "vpn-error-691#on-a-mac"),
    ]);
    assert_talk(&[
        ("laptop is slow", "laptop-slow-or-dead#the-laptop-is-slow-or-freezes"),
        ("now it does not turn on at all", "laptop-slow-or-dead#the-laptop-does-not-start-or-turn-on"),
    ]);
}

#[test]
fn another_problem_is_a_new_question_even_when_it_does_not_work() {
    assert_talk(&[
        ("my vpn says 691", "vpn-error-691#replace-the-saved-password"),
        ("and the headset does not work in zoom", "meeting-audio#choose-the-right-device"),
        ("thanks, that worked", "talk"),
    ]);
}

#[test]
fn policy_topics_give_safe_advice_and_want_a_human() {
    assert_talk(&[
        ("I clicked on a phishing link", "human PolicyTopic phishing#do-this-now"),
        ("what else?", "human PolicyTopic"),
        ("ok but I also lost my phone", "human PolicyTopic lost-or-stolen-device#do-this-now"),
    ]);
    let decisions = play(shipped(), ["I clicked on a phishing link"], "en");
    assert!(decisions[0].text().contains("1. Do not click anything more"));
    assert!(decisions[0].text().contains("technician has to take care of"));
}

#[test]
fn what_no_article_answers_is_offered_to_a_human() {
    assert_talk(&[
        ("What is the weather in Berlin?", "human NothingFound"),
        ("and tomorrow?", "human NothingFound"),
    ]);
    assert_talk(&[
        ("outlook does not sync", "outlook-mail#outlook-does-not-receive-or-send"),
        ("what is the weather in Berlin", "human NothingFound"),
    ]);
    let nothing = decide(
        &Knowledge::from_articles(Vec::new()),
        &[said(By::Requester, "printer", Vec::new())],
        &[],
        "en",
    );
    assert_eq!(outline(&nothing), "human NothingFound");
    assert_eq!(outline(&decide(shipped(), &[], &[], "en")), "talk");
}

/// T20: the text must not promise what only the core can do.
#[test]
fn t20_a_handover_text_offers_and_does_not_claim() {
    for message in ["What is the weather in Berlin?", "I lost my laptop"] {
        for language in ["en", "de", "es", "fr"] {
            let decisions = play(shipped(), [message], language);
            let Decision::Handover { text, .. } = &decisions[0] else { panic!("{decisions:?}") };
            for claim in [
                "I am connecting",
                "I have passed",
                "connecting you",
                "ich verbinde",
                "le paso",
                "je vous mets",
            ] {
                assert!(!text.to_lowercase().contains(&claim.to_lowercase()), "{text}");
            }
        }
    }
}

#[test]
fn what_was_used_before_these_turns_is_not_repeated() {
    let knowledge = shipped();
    let turns = [said(By::Requester, "my vpn says 691", Vec::new())];
    for used in ["vpn-error-691", "vpn-error-691#replace-the-saved-password"] {
        let decision =
            decide(knowledge, &turns, &[used.to_owned(), "unknown#x".to_owned(), "ask:".to_owned()], "en");
        assert_eq!(outline(&decision), "vpn-error-691#if-that-did-not-help", "{used}");
    }
}

#[test]
fn messages_of_one_burst_are_one_question() {
    let turns = ["hi", "my printer", "paper is stuck"].map(|text| said(By::Requester, text, Vec::new()));
    assert_eq!(outline(&decide(shipped(), &turns, &[], "en")), "printer-paper-jam#clear-the-jam");
}

#[test]
fn the_engine_speaks_four_languages() {
    for (language, closing) in [
        ("de-AT", "Hat das geholfen?"),
        ("es", "¿Le ha ayudado?"),
        ("fr", "Cela vous a-t-il aidé ?"),
        ("pt", "Did this help?"),
    ] {
        let decisions = play(shipped(), ["VPN 691"], language);
        assert!(decisions[0].text().ends_with(closing), "{language}");
    }
}

#[test]
fn few_labelled_questions_get_a_wrong_answer() {
    let knowledge = shipped();
    let (mut right, mut wrong, mut asked, mut offered) = (0.0, 0.0, 0.0, 0.0);
    for line in labelled().into_iter().filter(|line| line.expected != "-") {
        let decision = decide(knowledge, &[said(By::Requester, line.query, Vec::new())], &[], "en");
        match &decision {
            Decision::AskBack { options, .. } => {
                asked += 1.0;
                let is_offered = options.iter().any(|(slug, _)| slug.as_str() == line.expected);
                assert!(is_offered, "`{}` asks without {}", line.query, line.expected);
            }
            Decision::Answer { cites, .. }
            | Decision::Handover { cites, reason: HandoverHint::PolicyTopic, .. } => {
                let is_right = cites.iter().any(|cite| cite.slug.as_str() == line.expected);
                if is_right { right += 1.0 } else { wrong += 1.0 }
            }
            Decision::Handover { .. } | Decision::SmallTalk { .. } => offered += 1.0,
        }
    }
    let all = right + wrong + asked + offered;
    let figures =
        format!("right {right}, wrong {wrong}, asked back {asked}, offered a human {offered} of {all}");
    assert!(right / all >= 0.90 && wrong / all <= 0.03 && asked / all <= 0.05, "{figures}");
}

/// Messages that reach every branch, mixed with noise.
fn message() -> impl Strategy<Value = String> {
    let phrase = prop::sample::select(vec![
        "printer",
        "my printer does not work",
        "vpn",
        "vpn 691",
        "did not work",
        "still broken",
        "no",
        "yes",
        "1",
        "the first one",
        "neither",
        "laptop slow",
        "password",
        "locked",
        "outlook",
        "mailbox full",
        "phishing",
        "I lost my phone",
        "thanks",
        "hi",
        "on my mac",
        "",
        "what else?",
        "weather in Berlin",
        "pasword rest",
        "wifi slow",
        "monitor black",
        "install software",
        "😀",
    ]);
    prop_oneof![8 => phrase.prop_map(str::to_owned), 1 => "\\PC{0,60}", 1 => "(?s).{0,40}"]
}

fn cites() -> impl Strategy<Value = Vec<String>> {
    let known = "vpn-error-691(#\\PC{0,9})?|phishing#do-this-now";
    prop::collection::vec(prop_oneof!["\\PC{0,9}", known, "ask:(wifi|vpn-error-691|\\PC{0,9})"], 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn no_answer_is_given_twice_in_a_stretch(
        messages in prop::collection::vec(message(), 1..14),
        language in "en|de|fr|xx",
    ) {
        let decisions = play(shipped(), messages.iter().map(String::as_str), &language);
        let mut texts = HashSet::new();
        for decision in &decisions {
            prop_assert!(!decision.text().trim().is_empty());
            if let Decision::Answer { text, cites, .. } = decision {
                prop_assert!(!cites.is_empty());
                prop_assert!(texts.insert(text.clone()), "twice: {}", text);
            }
            if let Decision::AskBack { text, options } = decision {
                prop_assert!(options.len() >= 2);
                prop_assert!(texts.insert(text.clone()), "twice: {}", text);
            }
        }
        prop_assert_eq!(&decisions, &play(shipped(), messages.iter().map(String::as_str), &language));
    }

    #[test]
    fn arbitrary_turns_are_survived(
        turns in prop::collection::vec((0..3_u8, "\\PC{0,80}|my vpn says 691|no|2", cites()), 0..12),
        already in prop::collection::vec("\\PC{0,20}|wifi", 0..4),
        language in "\\PC{0,6}",
    ) {
        let turns: Vec<Turn> = turns
            .iter()
            .map(|(by, text, cites)| {
                let by = match by { 0 => By::Requester, 1 => By::Assistant, _ => By::Technician };
                said(by, text, cites.clone())
            })
            .collect();
        let decision = decide(shipped(), &turns, &already, &language);
        prop_assert_eq!(&decision, &decide(shipped(), &turns, &already, &language));
    }
}
