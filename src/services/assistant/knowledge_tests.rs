//! The built-in engine through the trait: replies, buttons, and what a stretch remembers by its citations.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use deskbridge_conversation::{Answer, ConversationId, HandoverReason, TechnicianId};
use proptest::prelude::*;

use super::*;
use crate::knowledge::KnowledgeBase;

fn engine() -> KnowledgeEngine {
    static BASE: LazyLock<Arc<KnowledgeBase>> = LazyLock::new(|| {
        Arc::new(KnowledgeBase::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge")).0)
    });
    KnowledgeEngine::new(Arc::clone(&BASE))
}

/// A stretch as the host keeps it: messages, and citations for all of them together.
struct Talk(Request);

impl Talk {
    fn new(language: &str) -> Self {
        Talk(Request {
            conversation: ConversationId(1),
            turn: 0,
            language: language.to_owned(),
            requester: "Ana".to_owned(),
            account: "telegram:77".into(),
            lines: Vec::new(),
            cited: Vec::new(),
        })
    }

    fn say(&mut self, text: &str) -> Reply {
        self.send(text, &[])
    }

    fn send(&mut self, text: &str, files: &[&str]) -> Reply {
        self.push(Speaker::Requester, text);
        self.0.lines.last_mut().expect("a line").files = files.iter().map(|&name| name.to_owned()).collect();
        let reply = engine().reply(&self.0);
        if let Answer::Said { cites } | Answer::AskedBack { cites } = &reply.answer {
            self.0.cited.extend(cites.iter().cloned());
        }
        self.push(Speaker::Assistant, text_of(&reply));
        reply
    }

    fn push(&mut self, by: Speaker, text: &str) {
        let (name, text) = ("Ana".to_owned(), text.to_owned());
        self.0.lines.push(Line { by, name, text, files: Vec::new() });
    }
}

fn text_of(reply: &Reply) -> &str {
    &reply.content.as_ref().expect("a text").text
}

fn buttons(reply: &Reply) -> Vec<&str> {
    reply.content.as_ref().expect("a text").actions.iter().map(|action| action.id.as_str()).collect()
}

#[test]
fn an_answer_has_steps_a_source_and_a_button() {
    let reply = Talk::new("en").say("VPN error 691 after I changed my password");
    let Answer::Said { cites } = &reply.answer else { panic!("{reply:?}") };
    assert!(cites.iter().all(|cite| cite.starts_with("vpn-error-691")) && !cites.is_empty());
    assert!(text_of(&reply).contains("1. ") && text_of(&reply).contains("Source: *"));
    assert_eq!(buttons(&reply), ["human"]);
}

/// The host does not say which answer a citation came with; the next section must come all the same.
#[test]
fn what_did_not_help_is_not_said_again() {
    let mut talk = Talk::new("en");
    let first = talk.say("My laptop is slow and freezes");
    let second = talk.say("That did not help");
    assert_ne!(text_of(&first), text_of(&second));
    assert!(matches!(second.answer, Answer::Said { .. } | Answer::HandOver { .. }), "{second:?}");
    let mut seen = vec![text_of(&first).to_owned(), text_of(&second).to_owned()];
    for _ in 0..4 {
        let next = talk.say("still the same");
        if let Answer::HandOver { reason } = next.answer {
            assert_eq!(reason, HandoverReason::LowConfidence);
            assert_eq!(buttons(&next), ["yes", "no"]);
            return;
        }
        assert!(!seen.contains(&text_of(&next).to_owned()), "said twice: {}", text_of(&next));
        seen.push(text_of(&next).to_owned());
    }
    panic!("nobody was offered");
}

#[test]
fn a_question_between_articles_is_answered_by_its_number() {
    let mut talk = Talk::new("en");
    let asked = ["printer", "my printer does not work", "printer problem"].into_iter().find_map(|said| {
        let mut fresh = Talk::new("en");
        let reply = fresh.say(said);
        matches!(reply.answer, Answer::AskedBack { .. }).then(|| {
            talk = fresh;
            reply
        })
    });
    let asked = asked.expect("two articles about printers");
    let Answer::AskedBack { cites } = &asked.answer else { panic!("{asked:?}") };
    let second = cites[1].strip_prefix("ask:").expect("an option").to_owned();
    let reply = talk.say("2");
    let Answer::Said { cites } = &reply.answer else { panic!("{reply:?}") };
    assert!(cites[0].starts_with(&second), "{cites:?} instead of {second}");
}

/// The core keeps no citations of an offer of people; its advice must not come twice either.
#[test]
fn advice_before_people_comes_once() {
    let mut talk = Talk::new("en");
    let first = talk.say("I clicked a phishing link and typed my password");
    assert_eq!(first.answer, Answer::HandOver { reason: HandoverReason::PolicyTopic });
    assert!(
        text_of(&first).ends_with("Shall I connect you with a technician?")
            && text_of(&first).contains("1. ")
    );
    let second = talk.say("I clicked a phishing link and typed my password, what now?");
    assert_eq!(second.answer, Answer::HandOver { reason: HandoverReason::PolicyTopic });
    assert!(!text_of(&second).contains("1. "), "{}", text_of(&second));
}

#[test]
fn every_language_asks_in_its_own() {
    for (language, question) in [
        ("en", "Shall I connect you"),
        ("de", "Soll ich Sie"),
        ("es", "¿Quieres que te ponga"),
        ("fr", "Voulez-vous que je"),
        ("xx", "Shall I connect you"),
    ] {
        let reply = Talk::new(language).say("The aquarium in the lobby leaks onto the parquet");
        assert_eq!(reply.answer, Answer::HandOver { reason: HandoverReason::LowConfidence }, "{language}");
        assert!(text_of(&reply).contains(question), "{language}: {}", text_of(&reply));
    }
}

#[test]
fn small_talk_cites_nothing() {
    let mut talk = Talk::new("en");
    assert_eq!(talk.say("Hello").answer, Answer::Said { cites: Vec::new() });
    talk.say("VPN error 691 after I changed my password");
    assert_eq!(talk.say("Thanks, that worked!").answer, Answer::Said { cites: Vec::new() });
}

#[test]
fn files_without_words_are_asked_about_once() {
    let mut talk = Talk::new("de");
    let first = talk.send("", &["bild.png"]);
    assert_eq!((&first.answer, buttons(&first)), (&Answer::Said { cites: Vec::new() }, vec!["human"]));
    let second = talk.send(" ", &["bild2.png"]);
    assert_eq!(second.answer, Answer::HandOver { reason: HandoverReason::LowConfidence });
    let third = talk.send("VPN Fehler 691", &["bild2.png"]);
    assert!(matches!(third.answer, Answer::Said { .. }) && text_of(&third).contains("1. "), "{third:?}");
}

#[tokio::test]
async fn drafts_are_the_next_steps_with_their_source() {
    let mut talk = Talk::new("en");
    talk.say("My laptop is slow and freezes");
    talk.push(Speaker::Requester, "That did not help");
    talk.push(Speaker::Note, "she was angry");
    talk.push(Speaker::Technician, "One moment please");
    let draft = engine().suggest(&talk.0, &TechnicianId::from("bob")).await.expect("a draft");
    assert!(draft.text.contains("1. ") && draft.text.contains("Source: *Laptop is slow"), "{}", draft.text);
    assert!(draft.actions.is_empty() && !draft.text.contains("angry"));
    let nothing = Talk::new("en");
    assert_eq!(engine().suggest(&nothing.0, &TechnicianId::from("bob")).await, None);
}

/// Answers what it was made with.
struct Fixed(Answer);

#[async_trait]
impl Assistant for Fixed {
    async fn answer(&self, _request: &Request, _progress: &dyn Progress) -> Reply {
        Reply { answer: self.0.clone(), content: None }
    }
    async fn summarise(&self, _request: &Request) -> String {
        " ".to_owned()
    }
    async fn suggest(&self, _request: &Request, _to: &TechnicianId) -> Option<Content> {
        None
    }
}

#[tokio::test]
async fn the_second_engine_answers_failures_only() {
    let both = |answer: Answer| FallbackEngine::new(Arc::new(Fixed(answer)), Arc::new(engine()));
    let mut talk = Talk::new("en");
    talk.push(Speaker::Requester, "VPN error 691 after I changed my password");
    let failed = both(Answer::Failed { why: "down".to_owned() });
    assert!(matches!(failed.answer(&talk.0, &Unwatched).await.answer, Answer::Said { .. }));
    assert!(failed.summarise(&talk.0).await.contains("**Intent**"));
    assert!(failed.suggest(&talk.0, &TechnicianId::from("bob")).await.is_some());
    let wish = Answer::HandOver { reason: HandoverReason::ToolCall };
    assert_eq!(both(wish.clone()).answer(&talk.0, &Unwatched).await.answer, wish);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_stretch_gets_one_visible_text(
        said in prop::collection::vec((0_u8..4, ".{0,40}|vpn|2|no|still broken|printer|hello"), 0..8),
        cited in prop::collection::vec("(ask:)?(wifi|vpn-error-691|printer-offline)(#[a-z]{0,5})?|.{0,8}", 0..5),
        language in "[a-zA-Z-]{0,5}",
    ) {
        let mut talk = Talk::new(&language);
        talk.0.cited = cited;
        for (by, text) in said {
            let by = [Speaker::Requester, Speaker::Assistant, Speaker::Technician, Speaker::Note][usize::from(by)];
            talk.push(by, &text);
        }
        let reply = engine().reply(&talk.0);
        let content = reply.content.expect("a text");
        prop_assert!(!content.text.trim().is_empty());
        prop_assert!(content.actions.iter().all(|action| action.id.len() <= 48));
        let failed = matches!(reply.answer, Answer::Failed { .. });
        prop_assert!(!failed);
    }
}
