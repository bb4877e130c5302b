//! Text and its entities: lengths in UTF-16 units, what the server cuts and finds, which entities it refuses.
//! The parse modes are in `markup`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::markup;
use super::params::Params;

/// Limits of the vendor's page (sendMessage, sendPhoto).
pub const MAX_TEXT: usize = 4096;
pub const MAX_CAPTION: usize = 1024;

const ENTITY_TYPES: &[&str] = &[
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
];

/// A text as it is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Formatted {
    pub text: String,
    pub entities: Vec<Value>,
}

impl Formatted {
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        let entities = detected(&text);
        Formatted { text, entities }
    }
}

pub fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text of `field` as the server would show it.
///
/// # Errors
/// 400 for broken entities, for nothing left to show (`required`) and for more than `limit` UTF-16 units.
pub fn read(
    params: &Params,
    field: &str,
    entities: &str,
    limit: usize,
    required: bool,
) -> Result<Formatted, ApiError> {
    let raw = params.text(field).unwrap_or_default();
    let mut shown = formatted(params, &raw, entities)?;
    trim_end(&mut shown);
    if shown.text.trim().is_empty() {
        shown = Formatted::default();
        if required {
            return Err(ApiError::bad("message text is empty"));
        }
    }
    if utf16_len(&shown.text) > limit {
        let what = if limit == MAX_CAPTION { "message caption is too long" } else { "message is too long" };
        return Err(ApiError::bad(what));
    }
    for found in detected(&shown.text) {
        if !shown.entities.iter().any(|entity| overlap(entity, &found)) {
            shown.entities.push(found);
        }
    }
    Ok(shown)
}

fn formatted(params: &Params, raw: &str, entities: &str) -> Result<Formatted, ApiError> {
    let mode = params.text("parse_mode").unwrap_or_default().to_ascii_lowercase();
    match mode.as_str() {
        // The vendor ignores `entities` when a parse mode is given.
        "html" => markup::html(raw),
        "markdownv2" => markup::markdown_v2(raw),
        "markdown" => markup::markdown(raw),
        "" | "none" => {
            let entities: Vec<Value> = params.structured(entities)?.unwrap_or_default();
            check_entities(raw, &entities)?;
            Ok(Formatted { text: raw.to_owned(), entities })
        }
        _ => Err(ApiError::bad("unsupported parse_mode")),
    }
}

#[derive(Deserialize)]
struct Span {
    #[serde(rename = "type")]
    kind: String,
    offset: i64,
    length: i64,
}

/// # Errors
/// 400 for an entity that is unknown, incomplete, outside the text or cuts a character in two.
pub fn check_entities(text: &str, entities: &[Value]) -> Result<(), ApiError> {
    let total = utf16_len(text) as i64;
    for entity in entities {
        let span: Span = Span::deserialize(entity)
            .map_err(|_| ApiError::bad("can't parse MessageEntity: a field is missing or of a wrong type"))?;
        if !ENTITY_TYPES.contains(&span.kind.as_str()) {
            return Err(ApiError::bad("can't parse MessageEntity: unsupported type specified"));
        }
        let needs = match span.kind.as_str() {
            "text_link" => Some("url"),
            "text_mention" => Some("user"),
            "custom_emoji" => Some("custom_emoji_id"),
            _ => None,
        };
        if let Some(field) = needs.filter(|field| entity.get(field).is_none()) {
            return Err(ApiError::bad(format!("can't parse MessageEntity: can't find field \"{field}\"")));
        }
        let (start, end) = (span.offset, span.offset.saturating_add(span.length));
        if start < 0 || span.length <= 0 {
            return Err(ApiError::bad("receive an entity with incorrect offset or length"));
        }
        if end > total {
            return Err(ApiError::bad(format!(
                "entity beginning at UTF-16 offset {start} ends after the end of the text at UTF-16 offset {end}"
            )));
        }
        for (edge, verb) in [(start, "begins"), (end, "ends")] {
            if !is_boundary(text, edge as usize) {
                return Err(ApiError::bad(format!(
                    "entity beginning at UTF-16 offset {start} {verb} in a middle of a UTF-16 symbol"
                )));
            }
        }
    }
    Ok(())
}

fn is_boundary(text: &str, utf16_offset: usize) -> bool {
    let mut at = 0;
    for character in text.chars() {
        if at >= utf16_offset {
            break;
        }
        at += character.len_utf16();
    }
    at == utf16_offset
}

/// The server removes blanks at the end and shortens the entities that covered them.
fn trim_end(shown: &mut Formatted) {
    shown.text.truncate(shown.text.trim_end().len());
    let end = utf16_len(&shown.text) as i64;
    shown.entities.retain_mut(|entity| {
        let offset = entity["offset"].as_i64().unwrap_or(0);
        let length = entity["length"].as_i64().unwrap_or(0).min(end - offset);
        entity["length"] = json!(length);
        length > 0
    });
}

fn overlap(one: &Value, other: &Value) -> bool {
    let range = |entity: &Value| {
        let start = entity["offset"].as_i64().unwrap_or(0);
        (start, start + entity["length"].as_i64().unwrap_or(0))
    };
    let ((a, b), (c, d)) = (range(one), range(other));
    a < d && c < b
}

/// Commands, links and mentions that the server finds by itself.
pub fn detected(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut offset = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let kind = if word.starts_with("http://") || word.starts_with("https://") {
            Some(("url", word))
        } else if let Some(rest) = word.strip_prefix('/') {
            let name = leading(rest, |c| c.is_ascii_alphanumeric() || c == '_' || c == '@');
            (!name.is_empty()).then(|| ("bot_command", &word[..=name.len()]))
        } else if let Some(rest) = word.strip_prefix('@') {
            let name = leading(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            (name.len() >= 4).then(|| ("mention", &word[..=name.len()]))
        } else {
            None
        };
        if let Some((kind, covered)) = kind {
            found.push(json!({ "type": kind, "offset": offset, "length": utf16_len(covered) }));
        }
        offset += utf16_len(piece);
    }
    found
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    &text[..end]
}

/// An entity with the fields that only some kinds have.
pub fn entity(kind: &str, offset: usize, length: usize, extra: &[(&str, String)]) -> Value {
    let mut map = Map::new();
    map.insert("type".into(), json!(kind));
    map.insert("offset".into(), json!(offset));
    map.insert("length".into(), json!(length));
    for (name, value) in extra {
        map.insert((*name).into(), json!(value));
    }
    Value::Object(map)
}
