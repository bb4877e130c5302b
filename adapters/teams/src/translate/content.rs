//! What a message says: text or HTML, files, and whether the bot was called in it.
//!
//! Not here: who said it.

use deskbridge_contract::{Attachment, AttachmentKind, AttachmentSource, Content};
use serde_json::Value;

use super::{list, text};
use crate::{ids, markup};

const FILE: &str = "application/vnd.microsoft.teams.file.download.info";
/// Files of one message that are looked at.
const MAX_FILES: usize = 20;

/// Words that are verbs after `@Desk` (conventions §3.3). What each means, and to whom, is the bridge's business.
const VERBS: [&str; 28] = [
    "accept", "decline", "reply", "note", "transfer", "invite", "leave", "snooze", "ticket", "summary",
    "suggest", "resolve", "handback", "reopen", "csat", "info", "help", "undo", "on", "busy", "off", "away",
    "link", "takeover", "label", "priority", "backup", "join",
];

#[derive(Debug)]
pub(super) struct Said {
    pub content: Content,
    pub called: bool,
    pub verb: Option<String>,
}

pub(super) fn read(activity: &Value) -> Said {
    let bot = called_by(activity);
    let html = list(activity, "/attachments").iter().find_map(|attachment| {
        (text(attachment, "/contentType") == Some("text/html"))
            .then(|| text(attachment, "/content"))
            .flatten()
    });
    let raw = text(activity, "/text").unwrap_or_default();
    let words = match (html, text(activity, "/textFormat")) {
        (Some(html), _) => markup::from_html(html, bot.as_deref()),
        (None, Some("xml" | "html")) => markup::from_html(raw, bot.as_deref()),
        (None, _) => markup::from_plain(&without_call(raw, bot.as_deref())),
    };
    let first = bot.as_ref().is_some_and(|name| raw.trim_start().starts_with(&format!("<at>{name}</at>")));
    let verb = first.then(|| verb(&words)).flatten();
    let attachments = list(activity, "/attachments").iter().filter_map(file).take(MAX_FILES).collect();
    let content = Content { text: words, attachments, ..Content::default() };
    Said { content, called: bot.is_some(), verb }
}

/// The name by which the bot was called, where it was.
fn called_by(activity: &Value) -> Option<String> {
    let bot = text(activity, "/recipient/id")?;
    let call = list(activity, "/entities").iter().find(|entity| {
        text(entity, "/type") == Some("mention") && text(entity, "/mentioned/id") == Some(bot)
    })?;
    let name = text(call, "/text").or_else(|| text(call, "/mentioned/name"))?;
    let name = name.strip_prefix("<at>").and_then(|name| name.strip_suffix("</at>")).unwrap_or(name);
    Some(name.to_owned())
}

/// Plain text has its mentions as tags; the bot's goes away, others are shown with `@`.
fn without_call(raw: &str, bot: Option<&str>) -> String {
    let Some(bot) = bot else { return raw.to_owned() };
    raw.replace(&format!("<at>{bot}</at>"), "").trim().to_owned()
}

fn verb(words: &str) -> Option<String> {
    let first: String = words.chars().take_while(char::is_ascii_alphabetic).collect();
    let ends = words[first.len()..].chars().next().is_none_or(char::is_whitespace);
    (ends && VERBS.contains(&first.to_ascii_lowercase().as_str())).then(|| format!("!{words}"))
}

fn file(attachment: &Value) -> Option<Attachment> {
    let kind = text(attachment, "/contentType")?;
    let name = text(attachment, "/name").filter(|name| !name.is_empty());
    if kind == FILE {
        let url = text(attachment, "/content/downloadUrl")?;
        let ending = text(attachment, "/content/fileType").unwrap_or_default();
        let mime = mime(ending);
        return Some(Attachment {
            name: name.map_or_else(|| format!("file.{ending}"), str::to_owned),
            mime: mime.to_owned(),
            size: 0,
            kind: look(mime),
            source: AttachmentSource::Remote(ids::direct_file(url)),
        });
    }
    let url = text(attachment, "/contentUrl").filter(|url| url.starts_with("http"))?;
    if !["image/", "video/", "audio/"].iter().any(|media| kind.starts_with(media)) {
        return None;
    }
    // "image/*" is what Teams says of a picture that was pasted.
    let mime = if kind == "image/*" { "image/png" } else { kind };
    Some(Attachment {
        name: name.unwrap_or("image").to_owned(),
        mime: mime.to_owned(),
        size: 0,
        kind: look(mime),
        source: AttachmentSource::Remote(ids::service_file(url)),
    })
}

fn look(mime: &str) -> AttachmentKind {
    match mime.split('/').next() {
        Some("image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => AttachmentKind::File,
    }
}

/// What the bytes are is found out when they are copied; this is for showing until then.
fn mime(ending: &str) -> &'static str {
    match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "mp4" => "video/mp4",
        "mp3" => "audio/mpeg",
        "pdf" => "application/pdf",
        "txt" | "log" => "text/plain",
        _ => "application/octet-stream",
    }
}
