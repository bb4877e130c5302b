//! What goes out: threads, cards, files, tokens, and requests held against the Connector's published description.

use std::sync::Arc;

use deskbridge_contract::*;
use deskbridge_platforms::teams::Fault;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};

use super::subject::{Bench, DESK, HOME, MARIA, desk, home};

fn out(id: &str, to: Address, op: OutboundOp) -> Outbound {
    Outbound { id: DeliveryId::new(id), to, op }
}

fn post(text: &str) -> OutboundOp {
    OutboundOp::Post { content: Content::text(text), files: vec![], persona: None, reply_to: None }
}

fn card(state: CardState) -> Card {
    Card {
        reference: "#1042".into(),
        title: "VPN".into(),
        state,
        status: "Waiting".into(),
        requester: "Maria".into(),
        facts: vec![Fact { label: "Queue".into(), value: "IT".into() }],
        summary: "**Problem:** VPN says 691".into(),
        hint: "Before Accept this thread is internal.".into(),
    }
}

fn open_thread() -> OutboundOp {
    let title = ThreadTitle {
        state: CardState::Waiting,
        reference: "#1042".into(),
        requester: "Maria".into(),
        subject: "VPN".into(),
    };
    OutboundOp::OpenThread {
        title,
        card: card(CardState::Waiting),
        actions: vec![Action::new("desk:accept", "Accept")],
    }
}

/// One conversation of a desk: card as the root, reply in its thread, card changed in place, message deleted.
async fn a_conversation(bench: &Bench) -> Address {
    let opened = bench.adapter.send(&out("1", desk(), open_thread())).await.unwrap();
    let thread = opened.address.clone();
    let sent = bench.adapter.send(&out("2", thread.clone(), post("Maria: *hello*"))).await.unwrap();
    let content = Content { card: Some(Box::new(card(CardState::Assigned))), ..Content::default() };
    let edit = OutboundOp::Edit { message: opened.message.unwrap(), content, persona: None };
    bench.adapter.send(&out("3", thread.clone(), edit)).await.unwrap();
    let delete = OutboundOp::Delete { message: sent.message.unwrap() };
    bench.adapter.send(&out("4", thread.clone(), delete.clone())).await.unwrap();
    // Somebody was faster: done is done.
    bench.adapter.send(&out("5", thread.clone(), delete)).await.unwrap();
    thread
}

#[tokio::test]
async fn a_desk_thread_is_card_and_replies() {
    let (bench, _recorder) = Bench::recording().await;
    let thread = a_conversation(&bench).await;
    let root = thread.thread.clone().unwrap();
    bench.fake.read(|world| {
        let messages = world.messages(&format!("{DESK};messageid={root}"));
        assert_eq!(messages.len(), 2);
        assert!(messages[0].activity.to_string().contains("🔵 #1042"));
        assert!(messages[1].deleted);
        assert!(world.violations.is_empty(), "{:?}", world.violations);
    });
    assert!(!bench.adapter.takes_requesters(&thread));
}

/// Requests are as the published description says; it is read where the folder of descriptions is named.
#[tokio::test]
async fn requests_are_as_described() {
    let Some(folder) = std::env::var_os("DESKBRIDGE_TEST_SPECS") else {
        eprintln!("skipped: needs the Connector's description (DESKBRIDGE_TEST_SPECS is not set)");
        return;
    };
    let path = std::path::Path::new(&folder).join("botframework_ConnectorAPI_swagger2.json");
    let spec: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (bench, _recorder) = Bench::recording().await;
    a_conversation(&bench).await;
    bench.adapter.send(&out("6", home(), post("hello"))).await.unwrap();
    let files = vec![
        file("a.png", "image/png", AttachmentKind::Image, b"\x89PNG"),
        file("b.pdf", "application/pdf", AttachmentKind::File, b"%PDF"),
    ];
    let mention = Mention { who: "ana".into(), name: "Ana".into(), user: Some("29:1".into()) };
    let content = Content {
        text: "see".into(),
        mentions: vec![mention],
        actions: vec![Action::new("desk:accept", "Accept")],
        ..Content::default()
    };
    let op = OutboundOp::Post { content, files, persona: Some(Persona::person("Bob")), reply_to: None };
    bench.adapter.send(&out("7", home(), op)).await.unwrap();
    bench.adapter.typing(&home()).await.unwrap();
    bench.adapter.open_direct(&RemoteUserId::new("29:501")).await.unwrap();
    let schema = |name: &str| {
        let schema = json!({ "$ref": format!("#/definitions/{name}"), "definitions": spec["definitions"] });
        jsonschema::validator_for(&schema).unwrap()
    };
    let (activity, parameters) = (schema("Activity"), schema("ConversationParameters"));
    let calls = bench.fake.read(|world| world.calls.clone());
    let mut held = 0;
    let mut deletions = 0;
    // What has no body is described by its path and method alone.
    for call in calls.iter().filter(|call| call.is_connector() && !call.body.is_object()) {
        let rest = call.path.split("/v3/conversations").nth(1).unwrap();
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        let template = match parts.as_slice() {
            [_, "activities", _] => "/v3/conversations/{conversationId}/activities/{activityId}",
            [_, "members"] => "/v3/conversations/{conversationId}/members",
            [_, "pagedmembers"] => "/v3/conversations/{conversationId}/pagedmembers",
            other => panic!("{} {other:?}", call.method),
        };
        assert!(
            spec["paths"][template][call.method.to_lowercase()].is_object(),
            "{} {template}",
            call.method
        );
        deletions += usize::from(call.method == "DELETE");
    }
    assert_eq!(deletions, 2, "both deletions were made");
    for call in calls.iter().filter(|call| call.is_connector() && call.body.is_object()) {
        let rest = call.path.split("/v3/conversations").nth(1).unwrap();
        let parts = rest.split('/').filter(|part| !part.is_empty()).count();
        let (template, schema) = match parts {
            0 => ("/v3/conversations", &parameters),
            2 => ("/v3/conversations/{conversationId}/activities", &activity),
            _ => ("/v3/conversations/{conversationId}/activities/{activityId}", &activity),
        };
        assert!(
            spec["paths"][template][call.method.to_lowercase()].is_object(),
            "{} {template}",
            call.method
        );
        let errors: Vec<String> = schema.iter_errors(&call.body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{} {}: {errors:?}", call.method, call.path);
        held += 1;
    }
    let all: String = calls.iter().map(|call| call.body.to_string()).collect();
    for part in ["\"mention\"", "data:image/png;base64", "b.pdf", "Action.Execute"] {
        assert!(all.contains(part), "{part} was never sent");
    }
    assert!(held >= 7, "only {held} requests were held against it");
}

fn file(name: &str, mime: &str, kind: AttachmentKind, bytes: &'static [u8]) -> OutboundFile {
    let open = move || {
        let stream: ByteStream = Box::pin(stream::iter([Ok(bytes.into())]));
        async move { Ok(stream) }.boxed()
    };
    OutboundFile {
        blob: BlobId::new("blob-1"),
        name: name.into(),
        mime: mime.into(),
        size: bytes.len() as u64,
        sha256: String::new(),
        kind,
        open: Arc::new(open),
    }
}

#[tokio::test]
async fn pictures_go_within_and_files_are_named_without_an_address() {
    let (bench, _recorder) = Bench::recording().await;
    let files = vec![
        file("a.png", "image/png", AttachmentKind::Image, b"\x89PNG"),
        file("b.pdf", "application/pdf", AttachmentKind::File, b"%PDF"),
    ];
    let op = OutboundOp::Post { content: Content::text("see"), files, persona: None, reply_to: None };
    let sent = bench.adapter.send(&out("1", home(), op)).await.unwrap();
    assert!(sent.note.is_some_and(|note| note.contains("public_url")));
    let activity = bench.fake.read(|world| world.messages(HOME)[0].activity.clone());
    assert_eq!(activity["attachments"][0]["contentUrl"], "data:image/png;base64,iVBORw==");
    assert!(activity["text"].as_str().unwrap().contains("b.pdf"));
}

#[tokio::test]
async fn the_bots_token_is_sent_where_it_is_needed_only() {
    let (bench, _recorder) = Bench::recording().await;
    for place in ["service", "direct"] {
        let kind = if place == "service" { "s" } else { "d" };
        let id = RemoteFileId::new(format!("{kind}:{}/files/{place}/a.png", bench.fake.base()));
        let mut stream = bench.adapter.fetch(&id).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(bytes, format!("bytes of /files/{place}/a.png").into_bytes());
    }
    for elsewhere in
        ["s:https://evil.example/a", "d:http://169.254.169.254/latest", "d:https://evil.example/a", "odd"]
    {
        assert!(bench.adapter.fetch(&RemoteFileId::new(elsewhere)).await.is_err(), "{elsewhere}");
    }
    assert!(bench.fake.read(|world| world.violations.is_empty()));
}

/// A refused token is renewed once, and a create that may have been done is never sent again by itself.
#[tokio::test]
async fn a_create_is_never_repeated() {
    let (bench, _recorder) = Bench::recording().await;
    bench.adapter.send(&out("1", home(), post("one"))).await.unwrap();
    bench.fake.change(|world| world.tokens.clear());
    bench.adapter.send(&out("2", home(), post("two"))).await.unwrap();
    let asked =
        |path: &str| bench.fake.read(|world| world.calls.iter().filter(|call| call.path == path).count());
    assert_eq!(asked("/token"), 2);
    for (fault, ambiguous) in [
        (Fault::DoneThen { status: 502 }, true),
        (Fault::DoneThen { status: 504 }, true),
        (Fault::Hangup, true),
        (Fault::Refuse { status: 412, retry_after: None, code: "PreconditionFailed" }, false),
    ] {
        let before = bench.fake.read(|world| world.requests());
        bench.fake.fault(Some(fault.clone()));
        let error = bench.adapter.send(&out("3", home(), post("three"))).await.unwrap_err();
        assert_eq!(matches!(error, SendError::Ambiguous { .. }), ambiguous, "{fault:?}: {error:?}");
        assert_eq!(matches!(error, SendError::Retry { .. }), !ambiguous, "{fault:?}: {error:?}");
        assert_eq!(bench.fake.read(|world| world.requests()), before + 1, "{fault:?}");
    }
}

/// While Entra ID is away, whoever needs a token waits for the same answer, and none behind another.
#[tokio::test]
async fn a_failure_to_get_a_token_is_everybodys() {
    let (bench, _recorder) = Bench::recording().await;
    bench.fake.change(|world| world.held.extend(["/token"]));
    let bench = &bench;
    let all = (0..20)
        .map(|nth| async move { bench.adapter.send(&out(&nth.to_string(), home(), post("hello"))).await });
    // Nothing answers within the bench's patience: one wait for all of them, and one request.
    let told = futures_util::future::join_all(all).await;
    for told in told {
        assert!(matches!(&told, Err(SendError::Retry { why, .. }) if why.contains("no token")), "{told:?}");
    }
    assert_eq!(bench.fake.read(|world| world.token_asks), 1);
    bench.fake.change(|world| world.held.clear());
    bench.adapter.send(&out("after", home(), post("hello"))).await.unwrap();
}

/// What is gone of one message is told of that message; of a desk's thread, so that it is opened again; of a place, as such.
#[tokio::test]
async fn not_found_is_told_of_what_it_is_about() {
    let (bench, _recorder) = Bench::recording().await;
    let thread = a_conversation(&bench).await;
    let root = RemoteMessageId::new(thread.thread.as_ref().unwrap().as_str());
    let edit = |message: RemoteMessageId| OutboundOp::Edit {
        message,
        content: Content::text("changed"),
        persona: None,
    };
    let kind = |told: Result<Sent, SendError>| match told {
        Ok(_) => "sent",
        Err(SendError::Rejected { fixable: false, .. }) => "rejected",
        Err(SendError::Gone { .. }) => "gone",
        Err(SendError::ThreadGone { .. }) => "thread gone",
        Err(SendError::Retry { after: Some(_), .. }) => "again",
        Err(_) => "other",
    };
    let code = "ActivityNotFoundInConversation";
    for (status, code, to, op, expected) in [
        (404, code, home(), edit("1".into()), "rejected"),
        (404, "ConversationNotFound", home(), edit("1".into()), "rejected"),
        (403, "ServiceError", home(), edit("1".into()), "rejected"),
        (403, "BotNotInConversationRoster", home(), edit("1".into()), "gone"),
        (404, "ConversationNotFound", home(), post("x"), "gone"),
        (404, code, home(), OutboundOp::Delete { message: "1".into() }, "sent"),
        (404, code, thread.clone(), edit("1".into()), "rejected"),
        // Once may be a slip of theirs: nobody opens a second thread for it.
        (404, code, thread.clone(), edit(root), "again"),
        (404, "ConversationNotFound", thread.clone(), post("x"), "again"),
        (404, "", home(), edit("1".into()), "rejected"),
        (403, "BotNotInConversationRoster", thread.clone(), post("x"), "gone"),
    ] {
        bench.fake.fault(Some(Fault::Refuse { status, retry_after: None, code }));
        let told = kind(bench.adapter.send(&out("x", to, op.clone())).await);
        assert_eq!(told, expected, "{status} {code} {op:?}");
    }
}

/// A 404 that says nothing of the place loses nobody's words: it is one when it is said again. What arrives in between did.
#[tokio::test]
async fn what_went_astray_is_tried_again() {
    let (bench, _recorder) = Bench::recording().await;
    let thread = a_conversation(&bench).await;
    let desk = Address { thread: None, ..thread.clone() };
    let stray = |astray: bool| {
        bench.fake.fault(astray.then_some(Fault::Refuse { status: 404, retry_after: None, code: "" }));
    };
    let whisper = || OutboundOp::Whisper {
        to: RemoteUserId::new("29:501"),
        content: Content::text("x"),
        interaction: None,
    };
    for (nth, (to, op)) in
        [(home(), post("x")), (thread, post("x")), (desk, open_thread()), (home(), whisper())]
            .into_iter()
            .enumerate()
    {
        for arrives in [true, false] {
            let out = out(&format!("{nth} {arrives}"), to.clone(), op.clone());
            stray(true);
            let told = bench.adapter.send(&out).await;
            let Err(SendError::Retry { after: Some(after), .. }) = told else { panic!("{op:?}: {told:?}") };
            assert_eq!(after.as_secs(), 10);
            bench.pass(std::time::Duration::from_secs(10));
            stray(!arrives);
            let told = bench.adapter.send(&out).await;
            match told {
                Ok(_) => assert!(arrives, "{op:?}"),
                Err(SendError::Rejected { fixable: false, .. }) => assert!(!arrives, "{op:?}"),
                other => panic!("{op:?}: {other:?}"),
            }
        }
    }
}

/// Proactive messages after a restart: the reference is on the shelf, and the person's own name for the bot as well.
#[tokio::test]
async fn references_survive_a_restart() {
    let (mut bench, recorder) = Bench::recording().await;
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, HOME, "hello"))).await;
    let kept = recorder.get(&"teams".into(), &format!("room:{HOME}")).await.unwrap().unwrap();
    assert!(kept.contains(&bench.fake.service_url()));
    bench.restart(&recorder);
    // The directory's name of the person leads to their chat, and nobody has to be asked for it.
    let direct = bench.adapter.open_direct(&RemoteUserId::new("aad-501")).await.unwrap();
    assert_eq!((direct, bench.fake.read(|world| world.requests())), (home(), 0));
    bench.adapter.send(&out("1", home(), post("after the restart"))).await.unwrap();
    assert_eq!(bench.fake.read(|world| world.messages(HOME).iter().filter(|message| message.own).count()), 1);
}

#[tokio::test]
async fn doctor_sees_what_is_wrong() {
    let (bench, _recorder) = Bench::recording().await;
    let good = bench.adapter.doctor(&[RoomId::new(DESK), RoomId::new("19:other@thread.tacv2")], None).await;
    let outcome = |id: &str, nth: usize| {
        good.iter().filter(|check| check.id == id).nth(nth).map(|check| format!("{:?}", check.outcome))
    };
    assert_eq!(outcome("teams.credentials", 0).as_deref(), Some("Pass"));
    assert_eq!(outcome("teams.keys", 0).as_deref(), Some("Pass"));
    assert_eq!(outcome("teams.desk", 0).as_deref(), Some("Pass"));
    assert_eq!(outcome("teams.desk", 1).as_deref(), Some("Fail"));
    assert_eq!(outcome("teams.package", 0).as_deref(), Some("Pass"));
    // Nobody tells, and nothing came in: that is not known, and is no pass.
    assert_eq!(outcome("teams.rsc", 0).as_deref(), Some("Skip"));
    // Without a public address there is no endpoint to be asked.
    assert_eq!(outcome("teams.endpoint", 0), None);
}

/// What a desk's team gave the app: as Graph lists it; where the app may not ask, by what came in; else it is not known.
#[tokio::test]
async fn doctor_finds_out_what_the_app_may_read() {
    let (bench, _recorder) = Bench::recording().await;
    let thread = a_conversation(&bench).await;
    let thread = format!("{DESK};messageid={}", thread.thread.unwrap());
    let rights = async || {
        let checks = bench.adapter.doctor(&[RoomId::new(DESK)], None).await;
        let mut found: Vec<_> = checks.into_iter().filter(|check| check.id == "teams.rsc").collect();
        assert_eq!(found.len(), 1, "{found:?}");
        let found = found.remove(0);
        (format!("{:?}", found.outcome), found.detail)
    };
    let grants = |names: Option<&[&str]>| {
        let grants = names.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        bench.fake.change(|world| world.grants = grants);
    };
    let (outcome, detail) = rights().await;
    assert_eq!(outcome, "Skip");
    assert!(
        detail.contains("not known") && detail.contains("TeamsAppInstallation.ReadForTeam.All"),
        "{detail}"
    );
    // Another app's right is none of ours.
    grants(Some(&["TeamSettings.Read.Group"]));
    assert_eq!(rights().await.0, "Warn");
    grants(Some(&["TeamSettings.Read.Group", "ChannelMessage.Read.Group"]));
    assert_eq!(rights().await.0, "Pass");
    // Calling the bot says nothing about the right; words without a call do.
    grants(None);
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.call(MARIA, &thread, "info"))).await;
    assert_eq!(rights().await.0, "Skip");
    bench.taken(&bench.fake.deliver(&bench.hook, bench.fake.say(MARIA, &thread, "hello"))).await;
    let (outcome, detail) = rights().await;
    assert!(
        outcome == "Pass" && detail.contains("came in") && detail.contains("last on 20"),
        "{outcome}: {detail}"
    );
    // What Graph says is as it is now.
    grants(Some(&[]));
    assert_eq!(rights().await.0, "Warn");
}

/// The messaging endpoint is asked as Teams would come to it: a deskbridge refuses what has no token, anything else does not.
#[tokio::test]
async fn doctor_knocks_at_the_endpoint() {
    let other =
        axum::Router::new().route("/portal/hooks/teams", axum::routing::post(|| async { "please sign in" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, other).await.unwrap() });
    // The bench's own door is at an address that is known only once it is open: it is asked by another adapter.
    let (door, _recorder) = Bench::recording().await;
    let ours = door.hook.strip_suffix("/hooks/teams").unwrap().to_owned();
    for (public_url, outcome) in [
        (ours, "Pass"),
        (elsewhere.clone(), "Fail"),
        (format!("{elsewhere}/portal"), "Fail"),
        ("http://127.0.0.1:9".to_owned(), "Warn"),
    ] {
        let bench = Bench::with(json!({ "public_url": public_url }), Peer::at([127, 0, 0, 1].into())).await;
        let checks = bench.adapter.doctor(&[], None).await;
        let found = checks.iter().find(|check| check.id == "teams.endpoint").unwrap();
        assert_eq!(format!("{:?}", found.outcome), outcome, "{public_url}: {found:?}");
        // An address that is not https makes no package that Teams takes, and that is said too.
        let package = checks.iter().find(|check| check.id == "teams.package").unwrap();
        assert_eq!(format!("{:?}", package.outcome), "Warn");
    }
}

/// One file in memory.
struct Shelf;

#[async_trait::async_trait]
impl FileStore for Shelf {
    async fn put(&self, _: &str, _: &str, _: ByteStream, _: u64) -> Result<StoredFile, FileError> {
        Err(FileError::Unavailable("not in this test".into()))
    }
    async fn open(&self, id: &BlobId) -> Result<ByteStream, SendError> {
        match id.as_str() {
            "blob-1" => Ok(Box::pin(stream::iter([Ok("%PDF".into())]))),
            _ => Err(SendError::rejected("no such file")),
        }
    }
}

/// A file goes by a link, which works for that file alone and is never shown as a page of ours.
#[tokio::test]
async fn files_go_by_link() {
    let recorder = Arc::new(suite::Recorder::default());
    let public = json!({ "public_url": "http://127.0.0.1:9" });
    let bench = Bench::with(public, Peer::at([127, 0, 0, 1].into())).await;
    let inbox = Inbox::new("teams".into(), recorder.clone(), recorder.clone());
    bench.open(inbox.with_files(Arc::new(Shelf)));
    let files = vec![file("a b<c>.pdf", "application/pdf", AttachmentKind::File, b"%PDF")];
    let op = OutboundOp::Post { content: Content::text("see"), files, persona: None, reply_to: None };
    let sent = bench.adapter.send(&out("1", home(), op)).await.unwrap();
    assert_eq!(sent.note, None);
    let activity = bench.fake.read(|world| world.messages(HOME)[0].activity.clone());
    let page = deskbridge_platforms::teams::read(&activity).unwrap();
    assert!(page.text.contains("a b<c>.pdf"), "{}", page.text);
    let link = page.links[0].replace("http://127.0.0.1:9/hooks/teams", &bench.hook);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(&link).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(answer.text().await.unwrap(), "%PDF");
    for other in [link.replace("blob-1", "blob-2"), link.replace("a+b", "c"), bench.hook.clone() + "/file"] {
        assert!(!http.get(&other).send().await.unwrap().status().is_success(), "{other}");
    }
}
