//! What a message says: text with its formatting, files, and other things as words.
//!
//! Not here: who said it, where and when.

use deskbridge_contract::{Album, Attachment, AttachmentKind, AttachmentSource, Content, RemoteFileId};
use serde_json::Value;

use super::text;
use crate::markup::{self, Span, Style};

/// What became of a message.
pub(super) enum Words {
    Said(Content),
    /// A command for another bot of the group.
    NotForUs,
    /// Telegram speaking: somebody joined, a title changed.
    Service,
    /// None of the kinds of content that are known here.
    Unknown(String),
}

pub(super) fn read(message: &Value, username: Option<&str>) -> Words {
    let attachments = attachments(message);
    let (raw, entities) = match (text(message, "text"), text(message, "caption")) {
        (Some(said), _) => (said.to_owned(), message.get("entities")),
        (None, Some(caption)) => (caption.to_owned(), message.get("caption_entities")),
        (None, None) => (String::new(), None),
    };
    let mut said = Said { raw, spans: spans(entities) };
    // In a private chat there is no other bot: there it is just what somebody typed.
    let private = message.pointer("/chat/id").and_then(Value::as_i64).is_some_and(|chat| chat > 0);
    if matches!(said.command(username), Addressee::OtherBot) && !private {
        return Words::NotForUs;
    }
    let mut body = markup::to_commonmark(&said.raw, &said.spans);
    if body.is_empty() {
        body = spelled_out(message).map(|plain| markup::to_commonmark(&plain, &[])).unwrap_or_default();
    }
    if body.is_empty() && attachments.is_empty() {
        return nothing_said(message);
    }
    let album = text(message, "media_group_id").map(Album::part_of);
    Words::Said(Content { text: body, attachments, album, ..Content::default() })
}

/// `/start payload` of a deep link ("Deep linking": up to 64 characters of `[A-Za-z0-9_-]`). With anything else behind it
/// somebody has written a message, which must not be lost.
pub(super) fn started(message: &Value) -> Option<Option<String>> {
    let rest = text(message, "text")?.strip_prefix("/start")?;
    let rest = match rest.strip_prefix('@') {
        Some(bot) => bot.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'),
        None => rest,
    };
    if !(rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return None;
    }
    let payload = rest.trim();
    if payload.is_empty() {
        return Some(None);
    }
    let sound = (1..=64).contains(&payload.len())
        && payload.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    sound.then(|| Some(payload.to_owned()))
}

struct Said {
    raw: String,
    spans: Vec<Span>,
}

enum Addressee {
    Us,
    OtherBot,
}

impl Said {
    /// Takes our name out of a leading `/verb@our_bot`. A command for another bot is none of our business; while our
    /// own name is not known yet, every command is taken for ours, so that `/note@…` is never relayed as text.
    fn command(&mut self, username: Option<&str>) -> Addressee {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let Some(rest) = self.raw.strip_prefix('/') else { return Addressee::Us };
        let verb = rest.len() - rest.trim_start_matches(word).len();
        let Some(tail) = rest[verb..].strip_prefix('@').filter(|_| verb > 0) else { return Addressee::Us };
        let name = &tail[..tail.len() - tail.trim_start_matches(word).len()];
        if name.is_empty() {
            return Addressee::Us;
        }
        if username.is_some_and(|ours| !ours.eq_ignore_ascii_case(name)) {
            return Addressee::OtherBot;
        }
        // All ASCII, so that bytes are UTF-16 units here.
        let (start, gone) = (1 + verb, 1 + name.len());
        self.raw.replace_range(start..start + gone, "");
        for span in &mut self.spans {
            if span.offset >= start + gone {
                span.offset -= gone;
            } else if span.offset < start {
                let over = span.offset.saturating_add(span.length).saturating_sub(start).min(gone);
                span.length -= over;
            }
        }
        Addressee::Us
    }
}

fn spans(entities: Option<&Value>) -> Vec<Span> {
    let entities = entities.and_then(Value::as_array).into_iter().flatten();
    entities.filter_map(span).collect()
}

fn span(entity: &Value) -> Option<Span> {
    let unit = |key: &str| entity.get(key)?.as_u64().and_then(|units| usize::try_from(units).ok());
    let style = match text(entity, "type")? {
        "bold" => Style::Bold,
        "italic" => Style::Italic,
        "strikethrough" => Style::Strike,
        "spoiler" => Style::Spoiler,
        "code" => Style::Code,
        "pre" => Style::Pre(text(entity, "language").map(str::to_owned)),
        "text_link" => Style::Link(text(entity, "url")?.to_owned()),
        "url" => Style::Url,
        "blockquote" | "expandable_blockquote" => Style::Quote,
        _ => return None,
    };
    Some(Span { style, offset: unit("offset")?, length: unit("length")? })
}

fn attachments(message: &Value) -> Vec<Attachment> {
    use AttachmentKind::{Audio, File, Image, Video};
    if let Some(photo) = message.get("photo").and_then(largest) {
        return file(photo, Image, "image/jpeg", "photo.jpg").into_iter().collect();
    }
    // A GIF comes as `animation` and, for older clients, as `document` too: the first that is there counts.
    let kinds = [
        ("live_photo", Video, "video/mp4", "live_photo.mp4"),
        ("animation", Video, "video/mp4", "animation.mp4"),
        ("video", Video, "video/mp4", "video.mp4"),
        ("video_note", Video, "video/mp4", "video_note.mp4"),
        ("voice", Audio, "audio/ogg", "voice.ogg"),
        ("audio", Audio, "audio/mpeg", "audio.mp3"),
        ("document", File, "application/octet-stream", "file"),
    ];
    let found = kinds.into_iter().find_map(|(key, kind, mime, name)| {
        let value = message.get(key).filter(|value| value.is_object())?;
        file(value, kind, mime, name)
    });
    found.into_iter().collect()
}

fn largest(sizes: &Value) -> Option<&Value> {
    let area = |size: &&Value| {
        let side = |key: &str| size.get(key).and_then(Value::as_u64).unwrap_or(0);
        side("width").saturating_mul(side("height"))
    };
    sizes.as_array()?.iter().max_by_key(area)
}

fn file(value: &Value, kind: AttachmentKind, mime: &str, name: &str) -> Option<Attachment> {
    let mime = text(value, "mime_type").unwrap_or(mime).to_owned();
    let kind = match (kind, mime.split('/').next()) {
        (AttachmentKind::File, Some("image")) => AttachmentKind::Image,
        (AttachmentKind::File, Some("video")) => AttachmentKind::Video,
        (AttachmentKind::File, Some("audio")) => AttachmentKind::Audio,
        (kind, _) => kind,
    };
    Some(Attachment {
        name: text(value, "file_name")
            .filter(|name| !name.trim().is_empty())
            .unwrap_or(name)
            .replace('\0', "\u{fffd}"),
        mime,
        size: value.get("file_size").and_then(Value::as_u64).unwrap_or(0),
        kind,
        source: AttachmentSource::Remote(RemoteFileId(text(value, "file_id")?.to_owned())),
    })
}

/// Content that is neither text nor file, in words: a technician on another platform should see what was sent.
fn spelled_out(message: &Value) -> Option<String> {
    let part = |key: &str| message.get(key).filter(|value| value.is_object());
    if let Some(sticker) = part("sticker") {
        return Some(text(sticker, "emoji").unwrap_or("[sticker]").to_owned());
    }
    if let Some(venue) = part("venue") {
        let lines = [text(venue, "title"), text(venue, "address")].into_iter().flatten();
        let place = venue.get("location").and_then(coordinates).unwrap_or_default();
        return Some(format!("📍 {}\n{place}", lines.collect::<Vec<_>>().join(", ")));
    }
    if let Some(location) = part("location") {
        return coordinates(location).map(|place| format!("📍 {place}"));
    }
    if let Some(contact) = part("contact") {
        let fields = ["first_name", "last_name", "phone_number"].map(|key| text(contact, key));
        return Some(format!("👤 {}", fields.into_iter().flatten().collect::<Vec<_>>().join(" ")));
    }
    if let Some(dice) = part("dice") {
        let value = dice.get("value").and_then(Value::as_i64).unwrap_or(0);
        return Some(format!("{} {value}", text(dice, "emoji").unwrap_or("🎲")));
    }
    if let Some(poll) = part("poll") {
        return Some(listed("📊", text(poll, "question"), poll.get("options")));
    }
    if let Some(checklist) = part("checklist") {
        return Some(listed("☑", text(checklist, "title"), checklist.get("tasks")));
    }
    if let Some(rich) = part("rich_message") {
        let mut lines = Vec::new();
        gather(rich, 0, &mut lines);
        return Some(lines.join("\n")).filter(|text| !text.trim().is_empty());
    }
    let named = ["story", "game", "invoice", "paid_media", "giveaway"];
    named.into_iter().find(|kind| part(kind).is_some()).map(|kind| format!("[{}]", kind.replace('_', " ")))
}

fn coordinates(location: &Value) -> Option<String> {
    let degrees = |key: &str| location.get(key)?.as_f64();
    Some(format!("{:.6}, {:.6}", degrees("latitude")?, degrees("longitude")?))
}

fn listed(sign: &str, title: Option<&str>, items: Option<&Value>) -> String {
    let items = items.and_then(Value::as_array).into_iter().flatten().filter_map(|item| text(item, "text"));
    let lines = items.map(|item| format!("\n• {item}"));
    format!("{sign} {}{}", title.unwrap_or_default(), lines.collect::<String>())
}

/// The texts of a rich message, one line per block; deeper formatting is not carried over.
fn gather(value: &Value, depth: usize, lines: &mut Vec<String>) {
    if depth > 32 {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, depth + 1, lines)),
        Value::Object(fields) => {
            if let Some(text) = fields.get("text") {
                let mut line = String::new();
                flatten(text, depth, &mut line);
                lines.push(line);
            }
            for (_, inner) in fields.iter().filter(|(key, _)| *key != "text") {
                gather(inner, depth + 1, lines);
            }
        }
        _ => {}
    }
}

fn flatten(text: &Value, depth: usize, line: &mut String) {
    match text {
        Value::String(said) => line.push_str(said),
        Value::Array(parts) if depth < 32 => parts.iter().for_each(|part| flatten(part, depth + 1, line)),
        Value::Object(fields) if depth < 32 => {
            if let Some(inner) = fields.get("text") {
                flatten(inner, depth + 1, line);
            }
        }
        _ => {}
    }
}

/// Fields that say who, where and how, but nothing by themselves.
const FRAME: [&str; 30] = [
    "message_id",
    "message_thread_id",
    "from",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "sender_tag",
    "date",
    "chat",
    "forward_origin",
    "is_topic_message",
    "is_automatic_forward",
    "reply_to_message",
    "external_reply",
    "quote",
    "reply_to_story",
    "via_bot",
    "edit_date",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "media_group_id",
    "author_signature",
    "paid_star_count",
    "link_preview_options",
    "effect_id",
    "reply_markup",
    "text",
    "entities",
    "caption",
];

/// Telegram's own notices ("Message", service fields). None of them is anybody's word.
const NOTICES: [&str; 41] = [
    "new_chat_members",
    "new_chat_member",
    "new_chat_participant",
    "left_chat_member",
    "left_chat_participant",
    "chat_owner_left",
    "chat_owner_changed",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "pinned_message",
    "users_shared",
    "chat_shared",
    "connected_website",
    "write_access_allowed",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "direct_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_winners",
    "giveaway_completed",
    "paid_message_price_changed",
    "poll_option_added",
    "poll_option_deleted",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
    "gift",
    "unique_gift",
];

fn nothing_said(message: &Value) -> Words {
    let has = |key: &&str| message.get(key).is_some();
    if NOTICES.iter().any(has) {
        return Words::Service;
    }
    let names = message.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let other: Vec<&str> = names.filter(|name| !FRAME.contains(name)).take(3).collect();
    let other: String = other.join(", ").chars().take(80).collect();
    Words::Unknown(format!("message with {}", if other.is_empty() { "nothing in it" } else { &other }))
}
