//! The demo page's routes, without a browser.
//!
//! Not here: how the page looks; that was looked at in Chromium with `examples/demo_page.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use deskbridge_contract::*;
use deskbridge_sim::demo::Demo;
use deskbridge_sim::{SimAdapter, Style, World};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// Takes everything, and remembers nothing.
struct Taker;

#[async_trait]
impl InboxSink for Taker {
    async fn push(&self, _: Inbound) -> Result<Receipt, PushError> {
        Ok(Receipt::default())
    }
    async fn quarantine(&self, _: &ChannelName, _: &[u8], _: &TranslateError) -> Result<(), PushError> {
        Ok(())
    }
}

#[async_trait]
impl ShelfStore for Taker {
    async fn get(&self, _: &ChannelName, _: &str) -> Result<Option<String>, ShelfError> {
        Ok(None)
    }
    async fn put(&self, _: &ChannelName, _: &str, _: &str) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn delete(&self, _: &ChannelName, _: &[String]) -> Result<(), ShelfError> {
        Ok(())
    }
    async fn find(&self, _: &ChannelName, _: &str, _: &str) -> Result<Vec<String>, ShelfError> {
        Ok(Vec::new())
    }
}

fn connected(name: &str, style: Style) -> Arc<SimAdapter> {
    let adapter = Arc::new(SimAdapter::new(name.into(), style));
    drop(adapter.clone().intake(Inbox::new(name.into(), Arc::new(Taker), Arc::new(Taker))));
    adapter
}

fn demo() -> (Router, World, World) {
    let (phone, desk) =
        (connected("widget", Style::widget()).world(), connected("slack", Style::slack()).world());
    (Demo::new(phone.clone(), desk.clone(), "it-desk").router_at("/demo"), phone, desk)
}

async fn get(app: &Router, path: &str) -> Response<Body> {
    app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

async fn post(app: &Router, path: &str, body: Value) -> StatusCode {
    let request = Request::post(path)
        .header("x-deskbridge-demo", "1")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

async fn text(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_is_strict_and_finds_its_parts_under_the_prefix() {
    let (app, ..) = demo();
    let page = get(&app, "/demo").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    let page = text(page).await;
    assert!(
        !page.contains("{base}")
            && !page.contains("<style")
            && !page.contains(" style=")
            && !page.contains(" on")
    );
    for part in page.split('"').filter(|p| p.starts_with("/demo/")) {
        assert_eq!(get(&app, part).await.status(), StatusCode::OK, "{part}");
    }
    for script in ["demo.js", "view.js", "guide.js", "markdown.js"] {
        let script = text(get(&app, &format!("/demo/{script}")).await).await;
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
    }
    assert_eq!(get(&app, "/demo/").await.headers()["location"], "/demo");
}

#[tokio::test]
async fn acts_happen_in_the_name_of_known_people_only() {
    let (app, phone, desk) = demo();
    assert_eq!(post(&app, "/demo/say", json!({"who": "maria", "text": " my vpn says 691 "})).await, 200);
    let said = phone.last_message(&phone.direct("maria")).unwrap();
    assert_eq!(said.content.text, "my vpn says 691");
    let id = said.id.as_str();
    assert_eq!(post(&app, "/demo/edit", json!({"who": "maria", "message": id, "text": "vpn"})).await, 200);
    assert_eq!(
        post(&app, "/demo/react", json!({"who": "maria", "message": id, "emoji": "👍", "on": true})).await,
        200
    );
    assert_eq!(post(&app, "/demo/typing", json!({"who": "maria"})).await, 200);
    assert_eq!(post(&app, "/demo/delete", json!({"who": "maria", "message": id})).await, 200);
    assert!(phone.last_message(&phone.direct("maria")).unwrap().deleted);
    assert_eq!(post(&app, "/demo/say", json!({"who": "bob", "text": "internal"})).await, 200);
    assert_eq!(desk.messages(&desk.room("it-desk")).len(), 1);
    assert_eq!(post(&app, "/demo/say", json!({"who": "eve", "text": "hi"})).await, 403);
    assert_eq!(post(&app, "/demo/say", json!({"who": "maria", "text": "  "})).await, 422);
    assert_eq!(post(&app, "/demo/say", json!({"who": "bob", "thread": "m99", "text": "hi"})).await, 404);
    assert_eq!(
        post(&app, "/demo/press", json!({"who": "bob", "message": "m1", "action": "accept"})).await,
        404
    );
    assert_eq!(post(&app, "/demo/say", json!({"who": "maria", "text": "x".repeat(70_000)})).await, 413);
    phone.cut();
    assert_eq!(post(&app, "/demo/say", json!({"who": "maria", "text": "hello?"})).await, 503);
}

#[tokio::test]
async fn other_sites_cannot_act() {
    let (app, phone, _) = demo();
    let request = Request::post("/demo/say").header("content-type", "application/json");
    let request = request.body(Body::from(r#"{"who":"maria","text":"hi"}"#)).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert!(phone.messages(&phone.direct("maria")).is_empty());
}

#[tokio::test]
async fn files_go_up_and_come_down_harmless() {
    let (app, phone, _) = demo();
    for (name, kind, shown) in
        [("a/b/page.html", "text/html", "attachment"), ("shot.png", "image/png", "inline")]
    {
        let body = format!(
            "--X\r\nContent-Disposition: form-data; name=\"who\"\r\n\r\nmaria\r\n--X\r\nContent-Disposition: form-data; \
             name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n<script>1</script>\r\n--X--\r\n"
        );
        let request = Request::post("/demo/file")
            .header("x-deskbridge-demo", "1")
            .header("content-type", "multipart/form-data; boundary=X")
            .body(Body::from(body))
            .unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
        let file = phone.last_message(&phone.direct("maria")).unwrap().files.remove(0);
        assert_eq!(Some(file.name.as_str()), name.rsplit('/').next());
        let down = get(&app, &format!("/demo/file/widget/{}", file.id)).await;
        assert_eq!(down.headers()["content-disposition"], shown);
        assert_eq!(down.headers()["x-content-type-options"], "nosniff");
        assert_ne!(down.headers()["content-type"], "text/html");
        assert_eq!(text(down).await, "<script>1</script>");
    }
    assert_eq!(get(&app, "/demo/file/widget/f99").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_state_and_the_live_stream_fit_together() {
    let (close, closing) = tokio::sync::watch::channel(false);
    let world = connected("all", Style::slack()).world();
    let app = Demo::new(world.clone(), world.clone(), "it-desk").close_when(closing).router();
    let mut live = get(&app, "/events").await.into_body().into_data_stream();
    let mut next = async || String::from_utf8(live.next().await?.unwrap().to_vec()).ok();
    assert!(next().await.unwrap().starts_with("event: hello\ndata: "));
    world.say("maria", &world.direct("maria"), "hi").await.unwrap();
    let change = next().await.unwrap();
    let change: Value = serde_json::from_str(change.split_once("data: ").unwrap().1.trim()).unwrap();
    assert_eq!(change["kind"], "message");
    assert_eq!((&change["seq"], &change["channel"]), (&json!(1), &json!("all")));
    let state: Value = serde_json::from_str(&text(get(&app, "/state").await).await).unwrap();
    assert_eq!(state["worlds"].as_array().unwrap().len(), 1);
    assert_eq!(state["worlds"][0]["rooms"][0]["messages"][0]["content"]["text"], "hi");
    assert_eq!(state["people"][0]["room"], "dm-maria");
    close.send(true).unwrap();
    while next().await.is_some() {}
}

#[tokio::test]
async fn the_page_with_the_widget_and_the_way_into_the_console() {
    let (app, ..) = demo();
    assert_eq!(get(&app, "/demo/portal").await.status(), StatusCode::NOT_FOUND);
    let plain: Value = serde_json::from_str(&text(get(&app, "/demo/state").await).await).unwrap();
    assert_eq!((&plain["portal"], &plain["console"]), (&Value::Null, &Value::Null));

    let phone = connected("telegram", Style::telegram()).world();
    let desk = connected("slack", Style::slack()).world();
    let full = Demo::new(phone, desk.clone(), "it-desk")
        .with_colleague("nina", "Nina Berg")
        .with_portal("site-7".into())
        .with_console("/demo/console");
    let app = full.router_at("/demo");
    let state: Value = serde_json::from_str(&text(get(&app, "/demo/state").await).await).unwrap();
    assert_eq!((&state["portal"], &state["console"]), (&json!("/demo/portal"), &json!("/demo/console")));
    let framing =
        |page: &Response<Body>| page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(framing(&get(&app, "/demo").await).contains("frame-src 'self'"));
    let page = get(&app, "/demo/portal").await;
    let policy = framing(&page);
    assert!(policy.contains("frame-ancestors 'self'") && !policy.contains("unsafe"), "{policy}");
    let page = text(page).await;
    assert!(page.contains("data-key=\"site-7\"") && !page.contains('{'), "{page}");
    for part in page.split('"').filter(|part| part.starts_with("/demo/")) {
        assert_eq!(get(&app, part).await.status(), StatusCode::OK, "{part}");
    }

    // A colleague writes where the technicians are, in a room of their own.
    let nina = state["people"].as_array().unwrap().iter().find(|one| one["id"] == "nina").unwrap();
    assert_eq!((&nina["channel"], &nina["side"]), (&json!("slack"), &json!("requester")));
    assert_eq!(post(&app, "/demo/say", json!({"who": "nina", "text": "no sound"})).await, 200);
    assert_eq!(desk.last_message(&desk.direct("nina")).unwrap().content.text, "no sound");
    assert!(desk.messages(&desk.room("it-desk")).is_empty());
}
