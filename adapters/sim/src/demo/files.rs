//! Files up and down; they stay in memory.
//!
//! Not here: any look into them.

use std::sync::Arc;

use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use deskbridge_contract::{ChannelName, Content, RemoteFileId, ThreadId};

use super::Demo;
use super::acts::{ActError, Actor, Answer, done};

/// The kinds that a browser shows as a picture and never runs.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// One message with one file: fields `who`, `thread`, `text`, `file`.
pub(super) async fn upload(State(demo): State<Arc<Demo>>, mut form: Multipart) -> Answer {
    let mut actor = Actor { who: String::new(), thread: None };
    let mut content = Content::default();
    let mut file: Option<(String, String, Bytes)> = None;
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        match field.name().unwrap_or_default() {
            "who" => actor.who = field.text().await.map_err(unreadable)?,
            "thread" => actor.thread = Some(ThreadId(field.text().await.map_err(unreadable)?)),
            "text" => content.text = field.text().await.map_err(unreadable)?,
            "file" => {
                let name = tidy_name(field.file_name().unwrap_or_default());
                let mime = field.content_type().unwrap_or("application/octet-stream").to_owned();
                file = Some((name, mime, field.bytes().await.map_err(unreadable)?));
            }
            _ => {}
        }
    }
    let (world, at) = demo.place(&actor)?;
    let (name, mime, bytes) = file.ok_or_else(|| ActError::Bad("there is no file".to_owned()))?;
    content.attachments.push(world.upload(&name, &mime, bytes));
    done(world.post(&actor.who, &at, content, None).await?)
}

fn unreadable(error: axum::extract::multipart::MultipartError) -> ActError {
    ActError::Bad(error.body_text())
}

/// The last part of a path, without what could confuse a reader.
fn tidy_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let tidy: String = last.chars().filter(|c| !c.is_control()).take(120).collect();
    if tidy.trim().is_empty() { "file".to_owned() } else { tidy }
}

pub(super) async fn download(
    State(demo): State<Arc<Demo>>,
    Path((channel, id)): Path<(String, String)>,
) -> Response {
    let channel = ChannelName(channel);
    let world = demo.worlds().into_iter().find(|w| *w.channel() == channel);
    let Some((file, bytes)) = world.and_then(|w| w.file(&RemoteFileId(id))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let picture = PICTURES.contains(&file.mime.as_str());
    let kind = if picture { file.mime } else { "application/octet-stream".to_owned() };
    let shown = if picture { "inline" } else { "attachment" };
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, shown.to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::tidy_name;

    #[test]
    fn names_of_files_are_no_paths() {
        assert_eq!(tidy_name("../../etc/passwd"), "passwd");
        assert_eq!(tidy_name("C:\\Users\\maria\\shot\u{7}.png"), "shot.png");
        assert_eq!(tidy_name("/"), "file");
    }
}
