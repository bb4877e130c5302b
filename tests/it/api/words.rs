//! Texts that mean something elsewhere are texts here (S46).
//!
//! Not here: how pages show them.

use serde_json::json;

use super::office::{Office, get, post};

#[tokio::test]
async fn s46_formulas_queries_and_templates_are_text() {
    let office = Office::open().await;
    for (n, text) in [
        "=cmd|' /C calc'!A0",
        "@SUM(1+9)*cmd|' /C calc'!A0",
        "Robert'); drop table conversations;--",
        "*)(uid=*))(|(uid=*",
        "{{7*7}} ${jndi:ldap://x/a} <%= 7*7 %>",
        "subject\r\nBcc: everybody@example.org",
        "\u{1b}[31mred\u{1b}[0m",
    ]
    .into_iter()
    .enumerate()
    {
        let id = office.opened("telegram", &format!("visitor{n}"), text).await;
        let said = office.ask(get(&format!("/api/v1/conversations/{id}/messages"), "ana")).await.must_be(200);
        assert_eq!(said.data()[0]["text"], text);
        assert!(said.header("content-type").starts_with("application/json"));
        let ticket = office
            .until(async || {
                let ticket =
                    office.ask(get(&format!("/api/v1/conversations/{id}/ticket"), "ana")).await.data();
                (!ticket["ticket"].is_null()).then_some(ticket["ticket"].clone())
            })
            .await;
        let summary = ticket["summary"].as_str().unwrap();
        let letters = |text: &str| text.chars().filter(|c| !c.is_control() && *c != ' ').collect::<String>();
        assert_eq!(
            letters(summary),
            letters(text.lines().next().unwrap()),
            "one line, and nothing carried out"
        );
        assert!(!summary.contains(char::is_control));
        let note = post(&format!("/api/v1/conversations/{id}/notes"), "ana", &json!({"text": text}));
        assert_eq!(office.ask(note).await.must_be(201).data()["message"]["text"], text);
    }
    // Nothing that was stored moved a header.
    let listed = office.ask(get("/api/v1/tickets?limit=200", "ana")).await.must_be(200);
    assert!(!listed.headers.contains_key("bcc"));
    assert_eq!(listed.data().as_array().unwrap().len(), 7);
}
