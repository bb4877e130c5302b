//! Erasing somebody by the API: who may, what is answered, and that nothing remembers them.
//!
//! Not here: the program as a whole (`e2e/erasure.rs`).

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge::http::openapi;
use deskbridge_contract::Content;
use deskbridge_conversation::{Answer, TechnicianId};
use deskbridge_services::assistant::{Assistant, Draft, Progress, Reply, Request};
use deskbridge_store::rows::KeptRow;
use serde_json::json;
use tokio::sync::Notify;

use super::office::{Office, ask, get, post, put, with};
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
    let stays = erased.data()["stays"].to_string();
    assert!(
        stays.contains("Desk rooms") && stays.contains("Backups") && !stays.contains(&requester),
        "{stays}"
    );
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

/// Words a draft anew when it is let go.
struct Slow {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
}

#[async_trait]
impl Assistant for Slow {
    async fn answer(&self, _request: &Request, _progress: &dyn Progress) -> Reply {
        Reply { answer: Answer::Failed { why: "off".to_owned() }, content: None }
    }

    async fn summarise(&self, _request: &Request) -> String {
        "nothing".to_owned()
    }

    async fn suggest(&self, _request: &Request, _to: &TechnicianId) -> Option<Content> {
        None
    }

    fn rewrites(&self) -> bool {
        true
    }

    async fn rewrite(&self, draft: &Draft) -> Result<String, String> {
        self.begun.notify_one();
        self.go_on.notified().await;
        Ok(format!("Dear {}", draft.text))
    }
}

/// An answer that is given while somebody is erased is given once, and kept nowhere.
#[tokio::test]
async fn s111_an_answer_under_way_is_not_kept() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let engine = Slow { begun: begun.clone(), go_on: go_on.clone() };
    let office = Office::open_by(Some(Arc::new(engine))).await;
    let conversation = office.opened("telegram", "maria", "my canary needs a human").await;
    let path = format!("/api/v1/conversations/{conversation}");
    let before = office.ask(get(&path, "program")).await.must_be(200).data();
    let requester = before["requester"]["id"].as_str().unwrap().to_owned();
    let keyed = || {
        let body = json!({"text": "canary", "how": "reword"});
        with(post(&format!("{path}/rewrite"), "ana", &body), "idempotency-key", "7f3a-once")
    };
    let (router, request) = (office.router.clone(), keyed());
    let asked = tokio::spawn(async move { ask(&router, request).await });
    begun.notified().await;
    let erase = format!("/api/v1/requesters/{requester}/erase");
    office.ask(post(&erase, "program", &json!({}))).await.must_be(200);
    go_on.notify_one();
    let answer = asked.await.unwrap().must_be(200);
    assert!(answer.data().to_string().contains("canary"), "whoever asked has it");
    let kept = office.bridge().read.kept(KeptRow::ANSWERED, "").await.unwrap();
    assert!(!format!("{kept:?}").contains("canary"), "{kept:?}");
    let again = office.ask(keyed()).await.must_be(409);
    assert!(!String::from_utf8_lossy(&again.bytes).contains("canary"));
}
