//! What a message says: text with its formatting, files, and what is kept elsewhere as links.
//!
//! Not here: who said it, where and when; how rich text becomes CommonMark (`markup.rs`).

use deskbridge_contract::{Attachment, AttachmentKind, AttachmentSource, Content};
use serde_json::Value;

use super::{View, text};
use crate::ids::FileRef;
use crate::markup;

/// Files of one message that are looked at.
const MAX_FILES: usize = 20;

pub(super) fn read(view: &View<'_>, message: &Value) -> Content {
    let message = without_call(message, &view.me.user_id);
    let names = view.people.names(view.me);
    let mut parts = vec![markup::read_message(&message, &names)];
    let mut attachments = Vec::new();
    for file in message.get("files").and_then(Value::as_array).into_iter().flatten().take(MAX_FILES) {
        match read_file(file) {
            Some(File::Held(attachment)) => attachments.push(attachment),
            Some(File::Elsewhere(link)) => parts.push(link),
            None => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    Content { text: parts.join("\n\n"), attachments, ..Content::default() }
}

enum File {
    Held(Attachment),
    /// Kept outside of Slack, or a document that has no bytes: its link is all there is.
    Elsewhere(String),
}

fn read_file(file: &Value) -> Option<File> {
    let id = text(file, "id")?;
    let name = text(file, "name").or_else(|| text(file, "title")).unwrap_or("file");
    let name: String = name.chars().filter(|c| !c.is_control()).take(255).collect();
    let mime = text(file, "mimetype").unwrap_or("application/octet-stream").to_owned();
    let missing = |why: &str| {
        Some(File::Held(Attachment {
            name: name.clone(),
            mime: mime.clone(),
            size: 0,
            kind: AttachmentKind::File,
            source: AttachmentSource::Missing { why: why.to_owned() },
        }))
    };
    match text(file, "mode") {
        Some("tombstone") => return missing("the file was deleted"),
        Some("hidden_by_limit") => return missing("the workspace's plan hides this file"),
        _ => {}
    }
    let external = file.get("is_external") == Some(&Value::Bool(true));
    if external || mime.starts_with("application/vnd.slack-") {
        let link = ["url_private", "permalink"].into_iter().find_map(|key| text(file, key))?;
        return Some(File::Elsewhere(linked(&name, link)));
    }
    let size = file.get("size").and_then(Value::as_u64).unwrap_or(0);
    // A file of a shared channel may be a stub: its address then has to be asked for.
    let stub = text(file, "file_access") == Some("check_file_info");
    let url = ["url_private_download", "url_private"].into_iter().find_map(|key| text(file, key));
    let url = url.filter(|_| !stub).map(str::to_owned);
    let held = FileRef { id: id.to_owned(), size, mime: mime.clone(), url };
    Some(File::Held(Attachment {
        kind: kind(&mime),
        name,
        mime,
        size,
        source: AttachmentSource::Remote(held.remote()),
    }))
}

/// A link whose label cannot end it early.
fn linked(name: &str, link: &str) -> String {
    let label: String = name.chars().map(|c| if matches!(c, '[' | ']' | '\\') { ' ' } else { c }).collect();
    match url::Url::parse(link) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            format!("[{}](<{}>)", markup::read_plain(label.trim()), url.as_str().replace(['<', '>'], ""))
        }
        _ => markup::read_plain(&format!("[{}]", label.trim())),
    }
}

fn kind(mime: &str) -> AttachmentKind {
    match mime.split('/').next() {
        Some("image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => AttachmentKind::File,
    }
}

/// The message without the call for us at its beginning: `@IT Desk my VPN …` says "my VPN …".
fn without_call(message: &Value, me: &str) -> Value {
    let mut message = message.clone();
    if let Some(said) = text(&message, "text").map(str::to_owned)
        && let Some(rest) = after_mention(said.trim_start(), me)
    {
        message["text"] = rest.into();
    }
    let first = message
        .pointer_mut("/blocks/0/elements/0/elements")
        .and_then(Value::as_array_mut)
        .filter(|parts| parts.first().is_some_and(|part| text(part, "user_id") == Some(me)));
    if let Some(parts) = first {
        parts.remove(0);
        if let Some(said) = parts.first_mut().and_then(|part| part.get_mut("text"))
            && let Some(words) = said.as_str()
        {
            *said = words.trim_start_matches([' ', ',', ':', '\u{a0}']).into();
        }
    }
    message
}

/// What follows `<@U123>` or `<@U123|name>`.
fn after_mention<'a>(said: &'a str, me: &str) -> Option<&'a str> {
    let rest = said.strip_prefix("<@")?.strip_prefix(me)?;
    let rest = match rest.strip_prefix('|') {
        Some(named) => &named[named.find('>')?..],
        None => rest,
    };
    Some(rest.strip_prefix('>')?.trim_start_matches([' ', ',', ':', '\u{a0}']))
}
