//! Erasing somebody by the API: who may, what is answered, and that nothing remembers them.
//!
//! Not here: the program as a whole (`e2e/erasure.rs`).

use deskbridge::http::openapi;
use serde_json::json;

use super::office::{Office, get, post, put};
use super::schema::faults;

#[tokio::test]
async fn s111_only_admins_erase_and_it_is_for_good() {
    let office = Office::open().await;
    let conversation = office.opened("telegram", "maria", "my canary needs a human").await;
    let path = format!("/api/v1/conversations/{conversation}");
    let before = office.ask(get(&path, "program")).await.must_be(200).data();
    let requester = before["requester"]["id"].as_str().unwrap().to_owned();
    let erase = format!("/api/v1/requesters/{requester}/erase");
    for who in ["ana", "sue"] {
        assert_eq!(office.ask(post(&erase, who, &json!({}))).await.must_be(403).code(), "scope");
    }
    office.ask(post("/api/v1/requesters/telegram:nobody/erase", "program", &json!({}))).await.must_be(404);
    office.ask(post("/api/v1/requesters/nobody/erase", "program", &json!({}))).await.must_be(404);
    office.accept(conversation, "ana").await;
    office.ask(post(&format!("{path}/notes"), "ana", &json!({"text": "a canary, it is"}))).await.must_be(201);
    let erased = office.ask(post(&erase, "program", &json!({}))).await.must_be(200);
    let description = openapi::document();
    let schema = json!({"$ref": "#/components/schemas/Erased"});
    assert_eq!(faults(&erased.data(), &schema, &description), Vec::<String>::new());
    assert_eq!(erased.data()["conversations"], 1);
    office.ask(post(&erase, "program", &json!({}))).await.must_be(404);
    let after = office.ask(get(&path, "program")).await.must_be(200).data();
    assert_eq!(
        (&after["stage"], &after["requester"]["name"]),
        (&"closed".into(), &"Erased requester".into())
    );
    let said = office.ask(get(&format!("{path}/messages"), "program")).await.must_be(200).json().to_string();
    assert!(!said.contains("canary"), "{said}");
    // A screen that still shows it saves nothing any more.
    let draft = put(&format!("{path}/draft"), "ana", &json!({"reply": "dear canary"}));
    assert_eq!(office.ask(draft).await.must_be(409).code(), "erased");
    // It is closed for good.
    for (act, body) in [
        ("actions/reopen", json!({})),
        ("actions/accept", json!({})),
        ("messages", json!({"text": "still there?"})),
    ] {
        let answer = office.ask(post(&format!("{path}/{act}"), "ana", &body)).await;
        let still = office.ask(get(&path, "program")).await.must_be(200).data();
        assert_eq!(still["stage"], "closed", "{act}: {}", answer.status);
    }
    let audit = office.ask(get("/api/v1/audit", "program")).await.must_be(200).json().to_string();
    assert!(audit.contains("erased a requester") && !audit.contains(&requester), "{audit}");
}
