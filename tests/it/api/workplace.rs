//! What a technician does beside answering: labels, priority, their own words anew, drafts, finding people and tickets.
//!
//! Not here: who sees what (`sight`), repeats (`once`).

use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::Content;
use deskbridge_conversation::{Answer, TechnicianId};
use deskbridge_services::assistant::{Assistant, Draft, Progress, Reply, Request, Rewriting};
use deskbridge_sim::{Change, Live};
use serde_json::{Value, json};

use super::answers::Said;
use super::events::Stream;
use super::office::{Office, get, post, put, request};

async fn conversation(office: &Office, id: i64) -> Value {
    office.ask(get(&format!("/api/v1/conversations/{id}"), "ana")).await.must_be(200).data()
}

#[tokio::test]
async fn labels_and_priority_are_kept_and_found() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    let other = office.opened("telegram", "petra", "the dock is dead").await;
    let label = async |labels: &str| office.act(network, "label", "ana", &json!({"labels": labels})).await;
    let made = label("VPN, floor-2").await.must_be(200).data();
    assert_eq!(made["conversation"]["labels"], json!(["floor-2", "vpn"]));
    assert_eq!(made["toast"], "Labels: floor-2, vpn.");
    label("-floor-2 vip").await.must_be(200);
    assert_eq!(conversation(&office, network).await["labels"], json!(["vip", "vpn"]));
    for wrong in ["a:b", "<script>", ","] {
        assert_eq!(label(wrong).await.must_be(400).code(), "argument", "{wrong}");
    }
    let many: Vec<String> = (0..21).map(|n| format!("l{n}")).collect();
    label(&many.join(" ")).await.must_be(409);
    let found = async |query: &str| {
        let list =
            office.ask(get(&format!("/api/v1/conversations?{query}"), "ana")).await.must_be(200).data();
        list.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((found("label=vpn").await, found("label=floor-2").await), (vec![network], vec![]));
    assert_eq!(found("label=vpn&stage=closed").await, Vec::<i64>::new());
    // A higher priority goes first, whoever is older.
    let level = async |level: &str| office.act(other, "priority", "bob", &json!({"level": level})).await;
    assert_eq!(level("urgent").await.must_be(200).data()["conversation"]["priority"], 2);
    level("300").await.must_be(400);
    let waiting = office.bridge().read.waiting(10).await.unwrap();
    assert_eq!(waiting.first().map(|one| one.id.0), Some(other));
    // The card in every room says so, and so does the one here.
    let facts = conversation(&office, network).await["card"]["facts"].clone();
    assert!(facts.as_array().unwrap().contains(&json!({"label": "Labels", "value": "vip, vpn"})), "{facts}");
    // Somebody of another queue has no say.
    office.act(network, "label", "cem", &json!({"labels": "x"})).await.must_be(404);
}

#[tokio::test]
async fn ones_own_words_change_everywhere() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    office.accept(network, "ana").await;
    let path = format!("/api/v1/conversations/{network}/messages");
    let said = office.ask(post(&path, "ana", &json!({"text": "Try port 443"}))).await.must_be(201).data();
    let id = said["message"]["id"].as_str().unwrap().to_owned();
    let world = office.town.world("telegram");
    let direct = world.direct("maria");
    let shown = async |text: &str| {
        office
            .until(async || {
                world.messages(&direct).iter().any(|m| m.content.text.contains(text)).then_some(())
            })
            .await;
    };
    shown("Try port 443").await;
    let own = format!("{path}/{id}");
    let edited = office.ask(put(&own, "ana", &json!({"text": "Try port 8443"}))).await.must_be(200).data();
    assert_eq!(edited["message"]["text"], "Try port 8443");
    assert!(edited["message"]["edited"].is_string());
    shown("Try port 8443").await;
    // Nobody else's: a colleague, a supervisor, and the requester's own words.
    for who in ["bob", "sue"] {
        let refused = office.ask(put(&own, who, &json!({"text": "x"}))).await.must_be(403);
        assert_eq!(refused.code(), "not-permitted");
    }
    let first = office.ask(get(&path, "ana")).await.data()[0]["id"].as_str().unwrap().to_owned();
    office.ask(put(&format!("{path}/{first}"), "ana", &json!({"text": "x"}))).await.must_be(403);
    office.ask(put(&format!("{path}/{network}.999.0"), "ana", &json!({"text": "x"}))).await.must_be(404);
    office.ask(put(&format!("{path}/nonsense"), "ana", &json!({"text": "x"}))).await.must_be(404);
    // 🔒 makes a note of it, and takes it back.
    let note = office.ask(put(&own, "ana", &json!({"text": "🔒 wrong window"}))).await.must_be(200).data();
    assert_eq!(note["message"]["audience"], "internal");
    office
        .until(async || {
            let gone = !world.messages(&direct).iter().any(|m| !m.deleted && m.content.text.contains("8443"));
            gone.then_some(())
        })
        .await;
    // A note stays one, whatever is written into it.
    let kept = office.ask(put(&own, "ana", &json!({"text": "not for her"}))).await.must_be(200).data();
    assert_eq!(kept["message"]["audience"], "internal");
    let erase = || request("DELETE", &own, "ana", axum::body::Body::empty());
    let erased = office.ask(erase()).await.must_be(200).data();
    assert_eq!(
        (erased["message"]["deleted"].as_bool(), &erased["message"]["text"]),
        (Some(true), &Value::Null)
    );
    assert_eq!(office.ask(erase()).await.must_be(409).code(), "deleted");
    assert!(!world.messages(&direct).iter().any(|m| m.content.text.contains("not for her")));
}

#[tokio::test]
async fn people_and_tickets_are_found_by_the_server() {
    let office = Office::open().await;
    office.two().await;
    let people = office.ask(get("/api/v1/people?q=MAR", "ana")).await.must_be(200).data();
    assert_eq!((people[0]["id"].as_str(), people.as_array().unwrap().len()), (Some("telegram:maria"), 1));
    assert_eq!(people[0]["latest"]["requester"]["id"], "telegram:maria");
    office.ask(get("/api/v1/people", "ana")).await.must_be(400);
    let tickets = async |query: &str| {
        let found = office.ask(get(&format!("/api/v1/tickets?q={query}"), "sue")).await.must_be(200).data();
        found.as_array().unwrap().len()
    };
    office.until(async || (tickets("691").await == 1).then_some(())).await;
    assert_eq!((tickets("T-000001").await, tickets("nothing").await), (1, 0));
}

/// Says what it was asked, louder.
struct Loud;

#[async_trait]
impl Assistant for Loud {
    async fn answer(&self, _: &Request, _: &dyn Progress) -> Reply {
        Reply { answer: Answer::Failed { why: "not here".into() }, content: None }
    }
    async fn summarise(&self, _: &Request) -> String {
        "A summary".into()
    }
    async fn suggest(&self, _: &Request, to: &TechnicianId) -> Option<Content> {
        Some(Content::text(format!("A draft for {to}")))
    }
    fn rewrites(&self) -> bool {
        true
    }
    async fn rewrite(&self, draft: &Draft) -> Result<String, String> {
        match draft.how {
            Rewriting::Shorten => Err("the model is away".into()),
            Rewriting::Reword => Ok(draft.text.to_uppercase()),
            Rewriting::Translate => Ok(format!("{}: {} by {}", draft.language, draft.text, draft.by)),
        }
    }
}

#[tokio::test]
async fn drafts_are_rewritten_where_a_model_is() {
    let office = Office::open_by(Some(Arc::new(Loud))).await;
    let (network, _) = office.two().await;
    assert_eq!(office.ask(get("/api/v1/me", "ana")).await.data()["rewrites"], true);
    let path = format!("/api/v1/conversations/{network}/rewrite");
    let ask = async |body: Value| office.ask(post(&path, "ana", &body)).await;
    assert_eq!(ask(json!({"text": "hi", "how": "reword"})).await.must_be(200).data()["text"], "HI");
    let german = json!({"text": "hi", "how": "translate", "language": "de"});
    assert_eq!(ask(german).await.must_be(200).data()["text"], "de: hi by ana");
    let failed = ask(json!({"text": "hi", "how": "shorten"})).await.must_be(502);
    assert_eq!(failed.json()["detail"], "the model is away");
    ask(json!({"text": "hi", "how": "sing"})).await.must_be(400);
    let before =
        office.bridge().read.messages(deskbridge_conversation::ConversationId(network), 0, true, 99).await;
    assert!(before.unwrap().iter().all(|row| row.content.text != "HI"), "nothing is sent");
    // And where none is, it is said.
    let without = Office::open().await;
    let (network, _) = without.two().await;
    let path = format!("/api/v1/conversations/{network}/rewrite");
    let refused = without.ask(post(&path, "ana", &json!({"text": "hi", "how": "reword"}))).await.must_be(409);
    assert_eq!(refused.code(), "no-model");
    assert_eq!(without.ask(get("/api/v1/me", "ana")).await.data()["rewrites"], false);
}

#[tokio::test]
async fn feedback_is_kept_beside_the_suggestion() {
    let office = Office::open().await;
    let (network, _) = office.two().await;
    office.accept(network, "ana").await;
    let said = Said::by(&office, network, "ana").await;
    let route = deskbridge::http::api::routes::TABLE.iter().find(|one| one.path.contains("/suggestions/"));
    let draft = said.of(route.expect("a route")).to_owned();
    let path = format!("/api/v1/conversations/{network}");
    let judge = async |who: &str, helpful: bool| {
        office.ask(put(&format!("{path}/suggestions/{draft}"), who, &json!({"helpful": helpful}))).await
    };
    judge("ana", true).await.must_be(200);
    judge("ana", false).await.must_be(200);
    let all = office.ask(get(&format!("{path}/messages?limit=200"), "ana")).await.data();
    let found = all.as_array().unwrap().iter().find(|one| one["id"] == draft.as_str()).expect("it is hers");
    assert_eq!(found["helpful"], false);
    // A draft for somebody else is not there.
    judge("bob", true).await.must_be(404);
}

#[tokio::test]
async fn how_others_were_helped() {
    let office = Office::open().await;
    let solve = async |person: &str, text: &str, answer: &str| {
        let id = office.opened("telegram", person, text).await;
        office.accept(id, "ana").await;
        let path = format!("/api/v1/conversations/{id}/messages");
        office.ask(post(&path, "ana", &json!({"text": answer}))).await.must_be(201);
        office.act(id, "resolve", "ana", &json!({"silently": true})).await.must_be(200);
        id
    };
    let vpn = solve("p1", "the VPN client says error 691 at home", "Delete the saved password").await;
    solve("p2", "the printer on floor 2 is jammed", "Open tray 2").await;
    let open = office.opened("telegram", "p3", "VPN error 691 again").await;
    let id = office.opened("telegram", "maria", "my vpn client fails with 691").await;
    let similar =
        office.ask(get(&format!("/api/v1/conversations/{id}/similar"), "ana")).await.must_be(200).data();
    let found: Vec<i64> =
        similar.as_array().unwrap().iter().filter_map(|one| one["conversation"]["id"].as_i64()).collect();
    assert_eq!(found, [vpn], "not the printer, not #{open} which is open");
    assert_eq!(similar[0]["answer"], "Delete the saved password");
}

#[tokio::test]
async fn widget_sites_are_shown_without_their_keys() {
    let office = Office::open().await;
    office.ask(get("/api/v1/widget-sites", "sue")).await.must_be(403);
    // The channels of this office are simulated: none of them is a site.
    assert_eq!(office.ask(get("/api/v1/widget-sites", "program")).await.must_be(200).data(), json!([]));
}

#[tokio::test]
async fn typing_is_told_to_those_who_see_it() {
    let office = Office::open().await;
    let (network, sap) = office.two().await;
    let mut hers = Stream::open(&office, get("/api/v1/events", "ana")).await;
    let world = office.town.world("telegram");
    let other = office.town.world("widget");
    other.type_something("joao", &other.direct("joao")).await.expect("taken");
    world.type_something("maria", &world.direct("maria")).await.expect("taken");
    let told = hers.wait_for("conversation.typing", network).await;
    assert_eq!((told.data["technician"].clone(), told.id.as_str()), (Value::Null, ""));
    assert!(told.data["name"].is_string());
    // Of what she does not see she hears nothing: a note of her own comes next.
    let note = json!({"text": "next"});
    office.ask(post(&format!("/api/v1/conversations/{network}/notes"), "ana", &note)).await.must_be(201);
    loop {
        let event = hers.next().await.expect("goes on");
        assert_ne!(event.data["conversation"], sap);
        if event.name == "conversation.updated" {
            break;
        }
    }
}

#[tokio::test]
async fn the_requester_sees_that_an_answer_is_written_in_the_console() {
    let office = Office::open().await;
    let (_, sap) = office.two().await;
    let path = format!("/api/v1/conversations/{sap}/attention");
    let mut live = office.town.world("widget").subscribe();
    let tell = async |who: &str, doing: &str| {
        office.ask(post(&path, who, &json!({"doing": doing}))).await.must_be(200);
    };
    office.accept(sap, "cem").await;
    // A note, or a supervisor who only tries, is none of the requester's business; the answer is.
    tell("cem", "noting").await;
    tell("sue", "replying").await;
    let typed = |live: &mut tokio::sync::broadcast::Receiver<Live>| {
        let mut count = 0;
        while let Ok(one) = live.try_recv() {
            count += usize::from(matches!(&one.change, Change::Typing { .. }));
        }
        count
    };
    assert_eq!(typed(&mut live), 0);
    tell("cem", "replying").await;
    office.until(async || (typed(&mut live) == 1).then_some(())).await;
}
