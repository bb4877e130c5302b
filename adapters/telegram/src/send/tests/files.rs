//! Files out and in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use deskbridge_contract::{
    Adapter as _, AttachmentKind, BlobId, Content, Outbound, OutboundFile, OutboundOp, SendError,
};
use futures_util::StreamExt as _;
use serde_json::json;

use super::{assert_secret, class};
use crate::testing::{Fake, Reply, TOKEN, out, private, topic};

fn file(name: &str, kind: AttachmentKind, mime: &str, bytes: &'static [u8]) -> OutboundFile {
    OutboundFile {
        blob: BlobId::new("b"),
        name: name.into(),
        mime: mime.into(),
        size: bytes.len() as u64,
        sha256: String::new(),
        kind,
        open: Arc::new(move || {
            Box::pin(async move {
                let chunks = bytes.chunks(3).map(|chunk| Ok(Bytes::from_static(chunk)));
                Ok(Box::pin(futures_util::stream::iter(chunks.collect::<Vec<_>>())) as _)
            })
        }),
    }
}

#[tokio::test]
async fn one_file() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "SendPhoto" if call.body.contains("thin.png") => {
            Reply::No(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
        }
        _ => Reply::Result(json!({ "message_id": 5 })),
    })
    .await;
    let adapter = fake.adapter();
    let with = |files: Vec<OutboundFile>| {
        out(
            topic(),
            OutboundOp::Post {
                content: Content::text("see **this**"),
                files,
                persona: None,
                reply_to: Some("9".into()),
            },
        )
    };
    adapter
        .send(&with(vec![file("a.png", AttachmentKind::Image, "image/png", b"\x89PNG....")]))
        .await
        .unwrap();
    adapter
        .send(&with(vec![file("thin.png", AttachmentKind::Image, "image/png", b"\x89PNG....")]))
        .await
        .unwrap();
    adapter
        .send(&with(vec![file(
            "../e\r\nvil\".txt",
            AttachmentKind::File,
            "not a type\r\nx: y",
            b"hello there",
        )]))
        .await
        .unwrap();
    assert_eq!(fake.methods(), ["SendPhoto", "SendPhoto", "SendDocument", "SendDocument"]);
    let body = &fake.calls()[0].body;
    for part in [
        "name=\"chat_id\"\r\n\r\n-1001900000001",
        "name=\"message_thread_id\"\r\n\r\n77",
        "name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png",
        "name=\"caption\"\r\n\r\nsee this",
        "\r\n\r\n[{\"type\":\"bold\",\"offset\":4,\"length\":4}]",
        "{\"message_id\":9,\"allow_sending_without_reply\":true}",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
    let body = &fake.calls()[3].body;
    assert!(
        body.contains("hello there") && body.contains("Content-Type: application/octet-stream"),
        "{body}"
    );
    assert!(!body.contains("x: y") && !body.contains("../"), "{body}");
}

#[tokio::test]
async fn albums() {
    let fake = Fake::saying(|| Reply::Result(json!([{ "message_id": 7 }, { "message_id": 8 }]))).await;
    let files = vec![
        file("a.jpg", AttachmentKind::Image, "image/jpeg", b"aaaa"),
        file("b.mp4", AttachmentKind::Video, "video/mp4", b"bbbbbb"),
    ];
    let op = OutboundOp::Post { content: Content::text("two"), files, persona: None, reply_to: None };
    let sent = fake.adapter().send(&out(private(), op)).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some("7".into()), vec!["8".into()]));
    let body = &fake.calls()[0].body;
    assert_eq!(fake.methods(), ["SendMediaGroup"]);
    assert!(
        body.contains(r#"{"caption":"two","caption_entities":[],"media":"attach://file0","type":"photo"}"#),
        "{body}"
    );
    assert!(body.contains("name=\"file1\"; filename=\"b.mp4\"") && body.contains("bbbbbb"), "{body}");
}

/// What was already shown is not shown again when the rest is tried once more.
#[tokio::test]
async fn a_half_sent_post_goes_on() {
    let failures = AtomicUsize::new(0);
    let fake = Fake::start(move |call| match call.method.as_str() {
        "SendDocument" if failures.fetch_add(1, Ordering::Relaxed) == 0 => Reply::Close,
        "SendDocument" => Reply::Result(json!({ "message_id": 6 })),
        _ => Reply::Result(json!({ "message_id": 5 })),
    })
    .await;
    let adapter = fake.adapter();
    let files = vec![file("a.txt", AttachmentKind::File, "text/plain", b"aaaa")];
    let op =
        OutboundOp::Post { content: Content::text("x".repeat(2000)), files, persona: None, reply_to: None };
    let out: Outbound = out(private(), op);
    assert_eq!(class(&adapter.send(&out).await.unwrap_err()), "ambiguous");
    let sent = adapter.send(&out).await.unwrap();
    assert_eq!((sent.message, sent.more), (Some("5".into()), vec!["6".into()]));
    assert_eq!(fake.methods(), ["SendMessage", "SendDocument", "SendDocument"]);
}

/// A blob that cannot be read is the blob's failure, not a doubtful send.
#[tokio::test]
async fn a_broken_blob() {
    let fake = Fake::saying(|| Reply::Result(json!({ "message_id": 5 }))).await;
    let mut broken = file("a.txt", AttachmentKind::File, "text/plain", b"aaaa");
    broken.open = Arc::new(|| {
        Box::pin(async {
            let chunks = vec![Ok(Bytes::from_static(b"aa")), Err(SendError::rejected("the blob is gone"))];
            Ok(Box::pin(futures_util::stream::iter(chunks)) as _)
        })
    });
    let op =
        OutboundOp::Post { content: Content::default(), files: vec![broken], persona: None, reply_to: None };
    let error = fake.adapter().send(&out(private(), op)).await.unwrap_err();
    assert_eq!(error, SendError::rejected("the blob is gone"));
}

#[tokio::test]
async fn fetching() {
    let fake = Fake::start(|call| match call.method.as_str() {
        "GetFile" => Reply::Result(match call.json()["file_id"].as_str().unwrap() {
            "big" => json!({ "file_id": "big", "file_size": 21 << 20, "file_path": "d/big" }),
            "liar" => json!({ "file_id": "liar", "file_path": "d/liar" }),
            "up" => json!({ "file_id": "up", "file_path": "../../secret" }),
            "old" => json!({ "file_id": "old", "file_path": "d/old" }),
            _ => json!({ "file_id": "ok", "file_size": 5, "file_path": "documents/file 1.txt" }),
        }),
        "liar" => Reply::Http(200, Vec::new(), vec![b'x'; (20 << 20) + 1]),
        "old" => Reply::No(404, "Not Found"),
        _ => Reply::Http(200, Vec::new(), b"hello".to_vec()),
    })
    .await;
    let adapter = fake.adapter();
    let stream = adapter.fetch(&"ok".into()).await.unwrap();
    let bytes: Vec<u8> = stream.map(Result::unwrap).collect::<Vec<_>>().await.concat();
    assert_eq!(bytes, b"hello");
    assert_eq!(fake.calls()[1].path, format!("/file/bot{TOKEN}/documents/file%201.txt"));
    for (id, expected) in [("big", "rejected"), ("up", "rejected"), ("old", "retry")] {
        let error = adapter.fetch(&id.into()).await.map(|_| ()).unwrap_err();
        assert_secret(&error);
        assert_eq!(class(&error), expected, "{id}");
    }
    let chunks: Vec<_> = adapter.fetch(&"liar".into()).await.unwrap().collect().await;
    assert_eq!(class(chunks.last().unwrap().as_ref().unwrap_err()), "rejected");
}
