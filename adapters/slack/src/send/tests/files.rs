//! Files out and in.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use deskbridge_contract::{
    Action, AttachmentKind, BlobId, Content, OutboundFile, OutboundOp, Persona, RemoteFileId, SendError,
};
use futures_util::StreamExt as _;
use serde_json::json;

use super::{assert_secret, class, numbered, ts};
use crate::api::fake::{Call, Fake, Memory, Reply, TOKEN, out, thread};
use crate::ids::FileRef;

fn file(name: &str, bytes: &'static [u8]) -> OutboundFile {
    OutboundFile {
        blob: BlobId::new("b"),
        name: name.into(),
        mime: "text/plain".into(),
        size: bytes.len() as u64,
        sha256: String::new(),
        kind: AttachmentKind::File,
        open: Arc::new(move || {
            Box::pin(async move {
                let chunks = bytes.chunks(3).map(|chunk| Ok(Bytes::from_static(chunk)));
                Ok(Box::pin(futures_util::stream::iter(chunks.collect::<Vec<_>>())) as _)
            })
        }),
    }
}

fn with(text: &str, files: Vec<OutboundFile>) -> OutboundOp {
    let persona = Some(Persona::person("Maria"));
    OutboundOp::Post { content: Content::text(text), files, persona, reply_to: None }
}

/// Slack, as far as files go: an upload is seen once it was completed.
async fn slack(then: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Fake {
    let base: Arc<Mutex<String>> = Arc::default();
    let (told, answer, next) = (base.clone(), numbered(), AtomicUsize::new(1));
    let completed = Mutex::new(Vec::<String>::new());
    let fake = Fake::start(move |call| {
        if let Some(reply) = then(call) {
            return reply;
        }
        match call.method.as_str() {
            "files.getUploadURLExternal" => {
                let id = format!("F{}", next.fetch_add(1, Ordering::Relaxed));
                let url = format!("{}/upload/v1/{id}", told.lock().unwrap());
                Reply::Yes(json!({ "upload_url": url, "file_id": id }))
            }
            "files.completeUploadExternal" => {
                completed.lock().unwrap().push(call.text());
                Reply::Yes(json!({ "files": [] }))
            }
            "files.info" => {
                let id = call.json()["file"].as_str().unwrap().to_owned();
                let there = completed.lock().unwrap().iter().any(|body| body.contains(&format!("\"{id}\"")));
                let shares =
                    if there { json!({ "private": { "C024BE91L": [{ "ts": ts(70) }] } }) } else { json!({}) };
                Reply::Yes(json!({ "file": { "id": id, "shares": shares } }))
            }
            id if id.starts_with('F') => Reply::Http(200, Vec::new(), b"OK".to_vec()),
            _ => answer(call),
        }
    })
    .await;
    *base.lock().unwrap() = fake.base.clone();
    fake
}

#[tokio::test]
async fn several_files_are_one_message() {
    let fake = slack(|_| None).await;
    let files = vec![file("a.txt", b"hello there"), file("../e\r\nvil\".txt", b"two")];
    let sent = fake.sending().perform(&out(thread(), with("see **this**", files))).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some(ts(70).as_str().into()), Vec::new()));
    assert_eq!(
        fake.methods(),
        [
            "files.getUploadURLExternal",
            "F1",
            "files.getUploadURLExternal",
            "F2",
            "files.completeUploadExternal",
            "files.info"
        ]
    );
    let calls = fake.calls();
    assert_eq!(calls[0].json(), json!({ "filename": "a.txt", "length": "11" }));
    assert_eq!((calls[1].verb.as_str(), calls[1].text().as_str()), ("POST", "hello there"));
    let body = calls[4].json();
    assert_eq!(
        body["files"],
        json!([{ "id": "F1", "title": "a.txt" }, { "id": "F2", "title": ".._e__vil_.txt" }])
    );
    assert_eq!(
        (&body["channel_id"], &body["thread_ts"], &body["username"]),
        (&json!("C024BE91L"), &json!("1789990000.000100"), &json!("Maria"))
    );
    assert!(body["initial_comment"].as_str().unwrap().contains("*this*"), "{body}");
}

#[tokio::test]
async fn buttons_go_before_files() {
    let fake = slack(|_| None).await;
    let op = OutboundOp::Post {
        content: Content::text("done?").with_actions(vec![Action::new("yes", "Yes")]),
        files: vec![file("a.txt", b"x")],
        persona: None,
        reply_to: None,
    };
    let sent = fake.sending().perform(&out(thread(), op)).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some(ts(1).as_str().into()), vec![ts(70).as_str().into()]));
    assert_eq!(fake.methods()[0], "chat.postMessage");
}

/// The bytes go where Slack says; our token goes there only where that is Slack.
#[tokio::test]
async fn bytes_elsewhere_go_without_the_token() {
    let other = Fake::saying(|| Reply::Http(200, Vec::new(), b"OK".to_vec())).await;
    let away = other.base.clone();
    let fake = slack(move |call| {
        (call.method == "files.getUploadURLExternal")
            .then(|| Reply::Yes(json!({ "upload_url": format!("{away}/F9"), "file_id": "F9" })))
    })
    .await;
    let error = fake.sending().perform(&out(thread(), with("", vec![file("a", b"x")]))).await.unwrap_err();
    assert_eq!(class(&error), "rejected", "plain http elsewhere");
    assert!(other.calls().is_empty());
    let own = slack(|_| None).await;
    own.sending().perform(&out(thread(), with("", vec![file("a", b"x")]))).await.unwrap();
    assert_eq!(own.calls()[1].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
}

/// Until the last call nothing is visible: every failure before it may be repeated, and a broken blob says so itself.
#[tokio::test]
async fn failures_before_anything_is_shown() {
    for (method, reply) in [("files.getUploadURLExternal", 500), ("F1", 500), ("F1", 429)] {
        let fake =
            slack(move |call| (call.method == method).then(|| Reply::Http(reply, Vec::new(), Vec::new())))
                .await;
        let error =
            fake.sending().perform(&out(thread(), with("", vec![file("a", b"x")]))).await.unwrap_err();
        assert!(class(&error).starts_with("retry"), "{method} {reply}: {error}");
    }
    let fake = slack(|_| None).await;
    let mut broken = file("a.txt", b"aaaa");
    broken.open = Arc::new(|| {
        Box::pin(async {
            let chunks = vec![Ok(Bytes::from_static(b"aa")), Err(SendError::rejected("the blob is gone"))];
            Ok(Box::pin(futures_util::stream::iter(chunks)) as _)
        })
    });
    let error = fake.sending().perform(&out(thread(), with("", vec![broken]))).await.unwrap_err();
    assert_eq!(error, SendError::rejected("the blob is gone"));
    let empty = fake.sending().perform(&out(thread(), with("", vec![file("a", b"")]))).await.unwrap_err();
    assert_eq!(class(&empty), "rejected");
}

/// A message with files takes no metadata: what was brought is on the shelf, so that it is found, also after a restart.
#[tokio::test]
async fn files_are_found_after_a_doubtful_attempt() {
    let cuts = AtomicUsize::new(0);
    let shown = Arc::new(AtomicUsize::new(0));
    let seen = shown.clone();
    let fake = slack(move |call| match call.method.as_str() {
        "files.completeUploadExternal" if cuts.fetch_add(1, Ordering::Relaxed) == 0 => {
            seen.fetch_add(1, Ordering::Relaxed);
            Some(Reply::Close)
        }
        "files.info" if seen.load(Ordering::Relaxed) > 0 => Some(Reply::Yes(
            json!({ "file": { "shares": { "public": { "C024BE91L": [{ "ts": ts(71) }] } } } }),
        )),
        _ => None,
    })
    .await;
    let memory = Arc::new(Memory::default());
    let sending = fake.sending();
    sending.keep_on(memory.shelf());
    let out = out(thread(), with("", vec![file("a", b"x")]));
    assert_eq!(sending.find(&out).await.unwrap(), None);
    assert_eq!(class(&sending.perform(&out).await.unwrap_err()), "ambiguous");
    let restarted = fake.sending();
    restarted.keep_on(memory.shelf());
    fake.forget();
    let found = restarted.find(&out).await.unwrap().unwrap();
    assert_eq!(found.message, Some(ts(71).as_str().into()));
    // Sending it again shows it once, too.
    assert_eq!(restarted.perform(&out).await.unwrap().message, Some(ts(71).as_str().into()));
    assert_eq!(fake.methods(), ["files.info", "files.info"]);
}

fn stored(url: Option<String>, size: u64, mime: &str) -> RemoteFileId {
    FileRef { id: "F1".into(), size, mime: mime.into(), url }.remote()
}

async fn fetched(fake: &Fake, file: &RemoteFileId) -> Result<Vec<u8>, SendError> {
    let mut bytes = Vec::new();
    let mut stream = fake.sending().api.fetch(file).await?;
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

#[tokio::test]
async fn fetching() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "files.info" => Reply::Yes(json!({ "file": { "size": 5, "mimetype": "text/plain" } })),
        "login" => {
            Reply::Http(200, vec![("content-type", "text/html; charset=utf-8".into())], b"<html>".to_vec())
        }
        "sly" => Reply::Http(200, Vec::new(), b"\n<!DOCTYPE html><html><title>Sign in".to_vec()),
        "page" => Reply::Http(200, vec![("content-type", "text/html".into())], b"<html></html>".to_vec()),
        "short" => Reply::Http(200, vec![("content-length", "3".into())], b"hel".to_vec()),
        "once" => Reply::Http(302, vec![("location", "/files/hello".into())], Vec::new()),
        "round" => Reply::Http(302, vec![("location", "/files/round".into())], Vec::new()),
        "away" => Reply::Http(302, vec![("location", "http://127.0.0.1:1/".into())], Vec::new()),
        "old" => Reply::Http(404, Vec::new(), Vec::new()),
        "busy" => Reply::Http(503, Vec::new(), Vec::new()),
        "forbidden" => Reply::Http(403, Vec::new(), Vec::new()),
        _ => Reply::Http(200, Vec::new(), b"hello".to_vec()),
    })
    .await;
    let at = |name: &str| Some(format!("{}/files/{name}", fake.base));
    let good = fetched(&fake, &stored(at("hello"), 5, "text/plain")).await.unwrap();
    assert_eq!(good, b"hello");
    assert_eq!(fake.calls()[0].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(fetched(&fake, &stored(at("once"), 5, "")).await.unwrap(), b"hello");
    assert_eq!(fetched(&fake, &stored(at("page"), 13, "text/html")).await.unwrap(), b"<html></html>");
    for (name, size, expected) in [
        ("login", 6, "rejected"),
        ("login", 0, "rejected"),
        ("sly", 0, "rejected"),
        ("short", 5, "rejected"),
        ("hello", 4, "rejected"),
        ("hello", 200 << 20, "rejected"),
        ("round", 5, "rejected"),
        ("away", 5, "rejected"),
        ("old", 5, "gone"),
        ("busy", 5, "retry"),
        ("forbidden", 5, "rejected"),
    ] {
        let error = fetched(&fake, &stored(at(name), size, "text/plain")).await.unwrap_err();
        assert_secret(&error);
        assert_eq!(class(&error), expected, "{name} {size}: {error}");
    }
    let nowhere = fetched(&fake, &stored(None, 0, "")).await.unwrap_err();
    assert_eq!(class(&nowhere), "rejected");
}

/// The token is shown to Slack's own hosts and to nobody whose name only looks like them.
#[tokio::test]
async fn hosts() {
    let fake = Fake::saying(|| Reply::Close).await;
    let sending = fake.sending();
    let is_slack = |url: &str| sending.api.is_slack(&url::Url::parse(url).unwrap());
    for url in [
        "https://files.slack.com/files-pri/T1-F1/a.txt",
        "https://slack.com/x",
        "https://a.slack-edge.com/x",
        "https://slack-files.com/x",
        &format!("{}/anything", fake.base),
    ] {
        assert!(is_slack(url), "{url}");
    }
    for url in [
        "http://files.slack.com/x",
        "https://files.slack.com:8443/x",
        "https://evilslack.com/x",
        "https://slack.com.evil.example/x",
        "https://slack.com@evil.example/x",
        "https://drive.google.com/x",
        "http://127.0.0.1:1/x",
        "ftp://slack.com/x",
        "file:///etc/passwd",
    ] {
        assert!(!is_slack(url), "{url}");
        let error = fetched(&fake, &stored(Some(url.to_owned()), 5, "")).await.unwrap_err();
        assert_eq!(class(&error), "rejected", "{url}");
    }
    assert!(fake.calls().is_empty());
}
