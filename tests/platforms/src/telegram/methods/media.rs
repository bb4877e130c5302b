//! Sending and fetching files: the three ways to name one, the size limits, albums.
//! Bytes are kept in `files`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::error::{Answer, ApiError};
use super::super::files::{MAX_DOWNLOAD, MAX_PHOTO, MAX_UPLOAD, dimensions};
use super::super::message::{Content, MediaKind};
use super::super::params::{Params, SentFile};
use super::super::text::{self, MAX_CAPTION};
use super::super::world::World;
use super::send::target;

/// # Errors
/// 400/413 when there is no such file, it is empty, too large, or no image where one is due.
pub(super) fn store(
    world: &mut World,
    params: &Params,
    kind: MediaKind,
    reference: Option<&str>,
) -> Result<String, ApiError> {
    let field = kind.field();
    let sent = match reference {
        Some(reference) if reference.starts_with("attach://") => Some(
            params
                .attached(reference)
                .ok_or_else(|| ApiError::bad("wrong file identifier/HTTP URL specified"))?,
        ),
        Some(_) => None,
        None => params.file(field),
    };
    if let Some(sent) = sent {
        check_upload(kind, sent)?;
        let name = Some(sent.name.clone()).filter(|name| !name.is_empty());
        return Ok(world.files.keep(kind, name, sent.content_type.clone(), sent.bytes.clone(), None));
    }
    let reference = reference.map(str::to_owned).or_else(|| params.text(field)).unwrap_or_default();
    if reference.is_empty() {
        return Err(ApiError::bad(format!("there is no {} in the request", field.replace('_', " "))));
    }
    if world.files.get(&reference).is_some() {
        return Ok(reference);
    }
    if reference.starts_with("http://") || reference.starts_with("https://") {
        // The fake fetches nothing from anywhere; the vendor would.
        world.ledger.violation(format!("a file was sent by URL, which the fake does not fetch: {reference}"));
        return Err(ApiError::bad("failed to get HTTP URL content"));
    }
    Err(ApiError::bad("wrong remote file identifier specified: can't unserialize it. Wrong last symbol"))
}

fn check_upload(kind: MediaKind, file: &SentFile) -> Result<(), ApiError> {
    let size = file.bytes.len() as u64;
    if size == 0 {
        return Err(ApiError::bad("file must be non-empty"));
    }
    if size > MAX_UPLOAD {
        return Err(ApiError::too_large());
    }
    if kind != MediaKind::Photo {
        return Ok(());
    }
    if size > MAX_PHOTO {
        return Err(ApiError::bad(format!(
            "file of size {size} bytes is too big for a photo; the maximum size is {MAX_PHOTO} bytes"
        )));
    }
    let (width, height) = dimensions(&file.bytes).ok_or_else(|| ApiError::bad("IMAGE_PROCESS_FAILED"))?;
    let (long, short) = (width.max(height), width.min(height));
    if width + height > 10_000 || short == 0 || long > short.saturating_mul(20) {
        return Err(ApiError::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    Ok(())
}

fn send(world: &mut World, params: &Params, kind: MediaKind) -> Answer {
    let caption = text::read(params, "caption", "caption_entities", MAX_CAPTION, false)?;
    let target = target(world, params)?;
    let reference = params.text(kind.field()).filter(|reference| !reference.is_empty());
    let file = store(world, params, kind, reference.as_deref())?;
    world.keep_pace(target.chat, 1)?;
    target.show(world, Content::Media { kind, file, caption }, None)
}

pub(super) fn photo(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Photo)
}

pub(super) fn document(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Document)
}

pub(super) fn video(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Video)
}

pub(super) fn audio(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Audio)
}

pub(super) fn voice(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Voice)
}

pub(super) fn animation(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Animation)
}

pub(super) fn sticker(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::Sticker)
}

pub(super) fn video_note(world: &mut World, params: &Params) -> Answer {
    send(world, params, MediaKind::VideoNote)
}

/// `InputMedia`.
#[derive(Deserialize)]
pub(super) struct Item {
    #[serde(rename = "type")]
    kind: String,
    media: String,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    parse_mode: Option<String>,
    #[serde(default)]
    caption_entities: Option<Value>,
}

impl Item {
    /// # Errors
    /// 400 for an unknown kind, a broken caption or a file that is not there.
    pub fn content(&self, world: &mut World, params: &Params) -> Result<Content, ApiError> {
        let kind =
            MediaKind::named(&self.kind).ok_or_else(|| ApiError::bad("wrong type of the media specified"))?;
        let mut fields = serde_json::Map::new();
        fields.insert("caption".into(), json!(self.caption));
        fields.insert("parse_mode".into(), json!(self.parse_mode));
        fields.insert("caption_entities".into(), json!(self.caption_entities));
        let caption =
            text::read(&Params::from_map(fields), "caption", "caption_entities", MAX_CAPTION, false)?;
        let file = store(world, params, kind, Some(&self.media))?;
        Ok(Content::Media { kind, file, caption })
    }
}

/// An album: 2–10 items; documents and audio only among themselves.
pub(super) fn group(world: &mut World, params: &Params) -> Answer {
    let items: Vec<Item> = params.structured("media")?.unwrap_or_default();
    if items.is_empty() {
        return Err(ApiError::bad("media not found"));
    }
    if !(2..=10).contains(&items.len()) {
        return Err(ApiError::bad("wrong number of messages in the album: 2-10 are allowed"));
    }
    let alone = |kind: &str| matches!(kind, "document" | "audio");
    let mixed =
        items.iter().any(|item| item.kind != items[0].kind && (alone(&item.kind) || alone(&items[0].kind)));
    if mixed
        || items.iter().any(|item| !matches!(item.kind.as_str(), "photo" | "video" | "document" | "audio"))
    {
        return Err(ApiError::bad("can't use the media of the specified type in the album"));
    }
    let first = target(world, params)?;
    let contents: Vec<Content> =
        items.iter().map(|item| item.content(world, params)).collect::<Result<_, ApiError>>()?;
    world.keep_pace(first.chat, contents.len())?;
    let album = world.next_serial().to_string();
    let mut shown = Vec::new();
    for content in contents {
        let target = target(world, params)?;
        shown.push(target.show(world, content, Some(album.clone()))?);
    }
    Ok(Value::Array(shown))
}

pub(super) fn get_file(world: &mut World, params: &Params) -> Answer {
    let id = params.text("file_id").unwrap_or_default();
    if id.is_empty() {
        return Err(ApiError::bad("file_id not specified"));
    }
    let file = world.files.get(&id);
    let file = file.ok_or_else(|| ApiError::bad("wrong file_id or the file is temporarily unavailable"))?;
    if file.size > MAX_DOWNLOAD {
        return Err(ApiError::bad("file is too big"));
    }
    Ok(file.file_json())
}
