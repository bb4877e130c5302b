//! What a message says: words, files, stickers, polls, and what was forwarded.
//!
//! Not here: who said it. People's own embeds are previews of links, and say nothing of theirs.

use deskbridge_contract::names::clean;
use deskbridge_contract::{Attachment, AttachmentKind, AttachmentSource, Content, TranslateError};
use serde_json::Value;

use super::{View, id_of, text};
use crate::ids::FileRef;
use crate::markup::{self, Names};

/// Files of one message; Discord carries ten.
const MOST_FILES: usize = 20;

/// The names that a message brings of whom it mentions, and those of channels and roles that are known.
pub(super) struct Named<'a> {
    pub view: &'a View<'a>,
    pub mentions: Option<&'a Value>,
}

impl Names for Named<'_> {
    fn person(&self, id: &str) -> Option<String> {
        if id == self.view.me.user {
            return clean(&self.view.me.name);
        }
        let all = self.mentions?.as_array()?;
        let user = all.iter().find(|user| text(user, "id") == Some(id))?;
        let nick = user.get("member").and_then(|member| text(member, "nick"));
        nick.or_else(|| text(user, "global_name")).or_else(|| text(user, "username")).and_then(clean)
    }

    fn role(&self, id: &str) -> Option<String> {
        self.view.sending.forums.role(id).as_deref().and_then(clean)
    }

    fn channel(&self, id: &str) -> Option<String> {
        self.view.sending.forums.name_of(id).as_deref().and_then(clean)
    }
}

pub(super) fn read(view: &View<'_>, message: &Value) -> Result<Content, TranslateError> {
    let mut parts = vec![words(view, message)];
    let mut attachments = files(message)?;
    // "Message Forwards": the words are in a snapshot, and were somebody else's.
    let snapshots = message.get("message_snapshots").and_then(Value::as_array);
    for snapshot in snapshots.into_iter().flatten().take(4).filter_map(|snapshot| snapshot.get("message")) {
        let quoted: Vec<String> = words(view, snapshot).lines().map(|line| format!("> {line}")).collect();
        parts.push(format!("↪ forwarded:\n\n{}", quoted.join("\n")));
        attachments.extend(files_of(snapshot, message)?);
    }
    for sticker in message.get("sticker_items").and_then(Value::as_array).into_iter().flatten().take(3) {
        let name = text(sticker, "name").and_then(clean).unwrap_or_default();
        parts.push(format!("\\[sticker: {}\\]", escaped(&name)));
    }
    if let Some(poll) = message.get("poll") {
        parts.push(asked(poll));
    }
    let text: Vec<String> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    attachments.truncate(MOST_FILES);
    Ok(Content { text: text.join("\n\n"), attachments, ..Content::default() })
}

fn words(view: &View<'_>, message: &Value) -> String {
    let names = Named { view, mentions: message.get("mentions") };
    text(message, "content").map(|said| markup::to_commonmark(said, &names)).unwrap_or_default()
}

fn asked(poll: &Value) -> String {
    let said =
        |value: Option<&Value>| escaped(value.and_then(|value| text(value, "text")).unwrap_or_default());
    let mut lines = vec![format!("📊 {}", said(poll.get("question")))];
    for answer in poll.get("answers").and_then(Value::as_array).into_iter().flatten().take(10) {
        lines.push(format!("- {}", said(answer.get("poll_media"))));
    }
    lines.join("\n")
}

fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| c.is_ascii_punctuation().then_some('\\').into_iter().chain([c])).collect()
}

fn files(message: &Value) -> Result<Vec<Attachment>, TranslateError> {
    files_of(message, message)
}

/// `home`: the message in which Discord keeps them.
fn files_of(message: &Value, home: &Value) -> Result<Vec<Attachment>, TranslateError> {
    let all = message.get("attachments").and_then(Value::as_array).into_iter().flatten();
    all.take(MOST_FILES).map(|file| attachment(file, home)).collect()
}

fn attachment(file: &Value, home: &Value) -> Result<Attachment, TranslateError> {
    let size = file.get("size").and_then(Value::as_u64).unwrap_or_default();
    let mime = text(file, "content_type").unwrap_or("application/octet-stream");
    let mime = mime.split(';').next().unwrap_or_default().trim().to_owned();
    let kind = match mime.split('/').next() {
        Some("image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => AttachmentKind::File,
    };
    let source = match text(file, "url") {
        Some(url) => AttachmentSource::Remote(
            FileRef {
                id: id_of(file, "id")?.to_owned(),
                channel: id_of(home, "channel_id")?.to_owned(),
                message: id_of(home, "id")?.to_owned(),
                url: url.to_owned(),
                size,
            }
            .remote(),
        ),
        None => AttachmentSource::Missing { why: "Discord named no address of it".into() },
    };
    let name = text(file, "filename").unwrap_or("file").to_owned();
    Ok(Attachment { name, mime, size, kind, source })
}
