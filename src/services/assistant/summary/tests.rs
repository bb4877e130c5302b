use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use deskbridge_conversation::ConversationId;
use proptest::prelude::*;

use super::*;
use crate::knowledge::Knowledge;

fn articles() -> &'static Knowledge {
    static ARTICLES: LazyLock<Knowledge> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
        Knowledge::load(&folder).0
    });
    &ARTICLES
}

/// `by Name: text @@ file, file`, one message a line; `|` stands for a line end.
fn request(talk: &str) -> Request {
    let lines = talk.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let (head, text) = line.split_once(':').expect("speaker");
        let (by, name) = head.split_once(' ').unwrap_or((head, ""));
        let by = match by {
            "requester" => Speaker::Requester,
            "assistant" => Speaker::Assistant,
            "technician" => Speaker::Technician,
            "note" => Speaker::Note,
            other => panic!("who is {other}?"),
        };
        let (text, files) = match text.split_once("@@") {
            Some((text, files)) => (text, files.trim().split(", ").map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        Line { by, name: name.to_owned(), text: text.trim().replace('|', "\n"), files }
    });
    Request {
        conversation: ConversationId(1042),
        turn: 1,
        language: "en".to_owned(),
        requester: "Ana López".to_owned(),
        account: "telegram:77".into(),
        lines: lines.collect(),
        cited: Vec::new(),
    }
}

fn golden(name: &str, talk: &str) {
    let summary = of(&request(talk), articles());
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "assistant/fixtures/summary", name].iter().collect();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{summary}\n")).expect("written");
    }
    let expected = std::fs::read_to_string(&path).expect("the fixture; UPDATE=1 writes it");
    assert_eq!(summary, expected.trim_end(), "{name}; UPDATE=1 rewrites it");
}

#[test]
fn golden_summaries() {
    golden("empty.md", "");
    golden("only_files.md", "requester Ana López: @@ screen.png, log.txt");
    golden(
        "printer.md",
        "requester Ana López: Hello\n\
         requester Ana López: My printer PRT-0042 on the 3rd floor is offline since this morning. I already restarted it.\n\
         assistant: 1. Check the cable.|2. Press **Power** for 5 seconds.||Source: *Printer is offline*||Did this help?\n\
         requester Ana López: No, still the same\n\
         note Bob: she sounded angry\n\
         technician Bob: On my way",
    );
    golden(
        "vpn.md",
        "requester Ana López: VPN error 691 on my laptop NB-20931, I work from home. My password: hunter2\n\
         assistant: More than one article could fit. Which one is it?||1. VPN does not connect or keeps dropping|2. VPN error 691 after a password change\n\
         requester Ana López: the second\n\
         requester Ana López: *everyone* `look` <script>alert(1)</script> [link](http://evil.example) @all",
    );
    let long: Vec<String> =
        (1..=14).map(|n| format!("requester Ana López: message number {n} about the phone")).collect();
    golden("long.md", &long.join("\n"));
}

/// A6: four parts and more, whatever there is.
fn is_whole(summary: &str) -> bool {
    has_all_parts(summary)
        && ["**Suggested next step**", "**Open questions**"].iter().all(|part| summary.contains(part))
        && summary.split("**").count() >= 13
}

#[test]
fn an_empty_transcript_has_a_whole_summary() {
    let empty = Knowledge::from_articles(Vec::new());
    assert!(is_whole(&of(&request(""), &empty)));
}

#[test]
fn no_secret_reaches_the_summary() {
    let talk = "requester Ana: my password: hunter2 does not work\n\
                assistant: 1. Do not send passwords.\n\
                requester Ana: no, tried again with pwd=Winter2024!";
    let summary = of(&request(talk), articles());
    assert!(!summary.contains("hunter2") && !summary.contains("Winter2024"), "{summary}");
}

fn any_line() -> impl Strategy<Value = Line> {
    let by = prop_oneof![
        Just(Speaker::Requester),
        Just(Speaker::Assistant),
        Just(Speaker::Technician),
        Just(Speaker::Bystander),
        Just(Speaker::Note)
    ];
    let text = prop_oneof![
        any::<String>(),
        "[ -~\n]{0,80}",
        "(1\\. |\\* |Source: \\*|pin |password: |Fehler |0x|room |[0-9]{1,20}|é|🦀|\n| ){0,12}",
    ];
    (by, text, any::<String>(), prop::collection::vec(any::<String>(), 0..3))
        .prop_map(|(by, text, name, files)| Line { by, name, text, files })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_transcript_has_a_whole_summary(
        lines in prop::collection::vec(any_line(), 0..12),
        language in any::<String>(),
        requester in any::<String>(),
        cited in prop::collection::vec("(ask:)?(wifi|vpn-error-691|[a-z#:]{0,6})(#[a-z]{0,5})?", 0..4),
    ) {
        let account = "telegram:77".into();
        let request =
            Request { conversation: ConversationId(1), turn: 1, language, requester, account, lines, cited };
        prop_assert!(is_whole(&of(&request, articles())));
        let _ = crate::assistant::suggest::draft(&request, articles());
    }
}
