//! `conversations/{conversation}/files`: a file from the console, before the message that it goes with.
//!
//! Not here: downloads (`blobs.rs`), sending (the adapters).

use std::sync::Arc;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use deskbridge_contract::{Attachment, AttachmentKind, AttachmentSource, BlobId};
use deskbridge_conversation::ConversationId;
use deskbridge_store::rows::BlobRow;
use deskbridge_store::{Admin, AdminDone};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;

use super::call::{Answer, Call};
use super::{Api, ROOT};
use crate::http::problem::Problem;

const LONGEST_NAME: usize = 150;

#[derive(Serialize)]
struct Upload {
    id: String,
    name: String,
    mime: String,
    size: u64,
    url: String,
}

pub async fn put(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    call.caller.acts()?;
    if call.bytes.is_empty() {
        return Err(Problem::bad("body", "the file is empty"));
    }
    let name = name(call.asked("name").ok_or_else(|| Problem::bad("query", "`name` is missing"))?);
    let declared =
        call.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (bytes, most) = (call.bytes.clone(), u64::try_from(api.limits.file).unwrap_or(u64::MAX));
    let stored = api.bridge.blobs.put(&name, declared, stream::iter([Ok(bytes)]).boxed(), most).await;
    let stored = stored.map_err(|error| {
        tracing::error!(%error, "an uploaded file cannot be kept");
        Problem::internal()
    })?;
    let row = BlobRow {
        id: stored.id.0,
        conversation: Some(conversation.id),
        name,
        mime: stored.mime,
        size: stored.size,
        sha256: stored.sha256,
        created: api.bridge.now(),
    };
    if api.bridge.writer.admin(Admin::PutBlob(row.clone())).await? == AdminDone::Unknown {
        let _ = api.bridge.blobs.remove(&row.id).await;
        return Err(Problem::conflict("erased", "the requester of this conversation was erased"));
    }
    let url = format!("{ROOT}/blobs/{}", row.id);
    let upload = Upload { id: row.id, name: row.name, mime: row.mime, size: row.size, url };
    Ok((StatusCode::CREATED, Json(serde_json::json!({"data": upload}))).into_response())
}

/// No path, no controls (S89).
fn name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let clean: String = last.chars().filter(|c| !hidden(*c)).take(LONGEST_NAME).collect();
    let clean = clean.trim_matches(['.', ' ']).to_owned();
    if clean.is_empty() { "file".into() } else { clean }
}

impl Api {
    /// Files that were uploaded to this very conversation; others are as good as not there.
    pub async fn files(&self, ids: &[String], of: ConversationId) -> Result<Vec<Attachment>, Problem> {
        let mut files = Vec::with_capacity(ids.len());
        for id in ids {
            let row = self.bridge.read.blob(id).await?.filter(|row| row.conversation == Some(of));
            let Some(row) = row else {
                return Err(Problem::bad("field", "`attachments` are ids of files of this conversation"));
            };
            let kind = match row.mime.split('/').next() {
                Some("image") => AttachmentKind::Image,
                Some("audio") => AttachmentKind::Audio,
                Some("video") => AttachmentKind::Video,
                _ => AttachmentKind::File,
            };
            let source = AttachmentSource::Blob { id: BlobId(row.id), sha256: row.sha256 };
            files.push(Attachment { name: row.name, mime: row.mime, size: row.size, kind, source });
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn s89_names_are_plain() {
        for (given, expected) in [
            ("a.png", "a.png"),
            ("../../etc/passwd", "passwd"),
            ("..\\x\\y.txt", "y.txt"),
            ("ann\u{202e}gpj.exe", "anngpj.exe"),
            ("...", "file"),
            ("", "file"),
        ] {
            assert_eq!(name(given), expected);
        }
        assert_eq!(name(&"x".repeat(5_000)).len(), 150);
    }
}
