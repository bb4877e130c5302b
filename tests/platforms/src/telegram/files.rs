//! Files the fake platform keeps: what bots uploaded and what people sent.
//! Which method may send which file is in `methods::media`.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::message::MediaKind;

/// Limits of the vendor's page ("Sending files", getFile), bytes.
pub const MAX_DOWNLOAD: u64 = 20 * 1024 * 1024;
pub const MAX_UPLOAD: u64 = 50 * 1024 * 1024;
pub const MAX_PHOTO: u64 = 10 * 1024 * 1024;

/// The smallest PNG: one pixel. Enough for `sendPhoto`.
pub const TINY_PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0,
    1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

#[derive(Debug, Clone)]
pub struct StoredFile {
    pub id: String,
    pub name: Option<String>,
    pub mime: Option<String>,
    pub bytes: Bytes,
    /// What the platform says the size is; may differ from `bytes.len()` to play a large file cheaply.
    pub size: u64,
    pub kind: MediaKind,
    /// Path on the file server; handed out by `getFile`.
    pub path: String,
}

#[derive(Debug, Default)]
pub struct Files {
    kept: BTreeMap<String, StoredFile>,
}

impl Files {
    pub fn keep(
        &mut self,
        kind: MediaKind,
        name: Option<String>,
        mime: Option<String>,
        bytes: Bytes,
        size: Option<u64>,
    ) -> String {
        let number = self.kept.len() + 1;
        let id = format!("AgACFake{number:06}_{}", kind.field());
        let extension = name.as_deref().and_then(|name| name.rsplit_once('.')).map_or("dat", |(_, end)| end);
        let extension = match kind {
            MediaKind::Photo => "jpg",
            MediaKind::Voice => "oga",
            _ => extension,
        };
        let path = format!("{}s/file_{number}.{extension}", kind.field());
        let size = size.unwrap_or(bytes.len() as u64);
        self.kept.insert(id.clone(), StoredFile { id: id.clone(), name, mime, bytes, size, kind, path });
        id
    }

    pub fn get(&self, id: &str) -> Option<&StoredFile> {
        self.kept.get(id)
    }

    pub fn at_path(&self, path: &str) -> Option<&StoredFile> {
        self.kept.values().find(|file| file.path == path)
    }

    /// The media object of a message (`PhotoSize` list, `Document` …) for a file.
    pub fn media_json(&self, kind: MediaKind, id: &str) -> Value {
        let Some(file) = self.get(id) else { return Value::Null };
        let mut object = file.base_json();
        let optional = |object: &mut Value, field: &str, value: &Option<String>| {
            if let Some(value) = value {
                object[field] = json!(value);
            }
        };
        match kind {
            MediaKind::Photo => {
                let (width, height) = dimensions(&file.bytes).unwrap_or((800, 600));
                let mut thumb = object.clone();
                thumb["file_id"] = json!(file.id);
                thumb["width"] = json!(width.min(90));
                thumb["height"] = json!(height.min(90));
                object["width"] = json!(width);
                object["height"] = json!(height);
                return json!([thumb, object]);
            }
            MediaKind::Document | MediaKind::Audio => {
                optional(&mut object, "file_name", &file.name);
                optional(&mut object, "mime_type", &file.mime);
            }
            MediaKind::Video | MediaKind::Animation => {
                optional(&mut object, "file_name", &file.name);
                optional(&mut object, "mime_type", &file.mime);
                object["width"] = json!(640);
                object["height"] = json!(360);
            }
            MediaKind::Voice => optional(&mut object, "mime_type", &file.mime),
            MediaKind::VideoNote => object["length"] = json!(240),
            MediaKind::Sticker => {
                object["type"] = json!("regular");
                object["width"] = json!(512);
                object["height"] = json!(512);
                object["is_animated"] = json!(false);
                object["is_video"] = json!(false);
                object["emoji"] = json!("👍");
            }
        }
        if !matches!(kind, MediaKind::Document | MediaKind::Sticker) {
            object["duration"] = json!(3);
        }
        object
    }
}

impl StoredFile {
    fn base_json(&self) -> Value {
        json!({
            "file_id": self.id,
            "file_unique_id": format!("AQAD{}", self.id.trim_start_matches("AgACFake")),
            "file_size": self.size,
        })
    }

    /// A `File`, with its path.
    pub fn file_json(&self) -> Value {
        let mut file = self.base_json();
        file["file_path"] = json!(self.path);
        file
    }
}

/// Width and height of a PNG, GIF or JPEG; `None` for what is no image the platform takes.
pub fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let number = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
        return Some((number(16)?, number(20)?));
    }
    if bytes.starts_with(b"GIF8") {
        let number = |at: usize| bytes.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])));
        return Some((number(6)?, number(8)?));
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return jpeg_dimensions(bytes).or(Some((800, 600)));
    }
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    is_webp.then_some((800, 600))
}

fn jpeg_dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| bytes.get(at..at + 2).map(|b| u32::from(u16::from_be_bytes([b[0], b[1]])));
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        // Start-of-frame markers carry the size; 0xc4, 0xc8 and 0xcc are tables.
        if (0xc0..=0xcf).contains(&marker) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some((number(at + 7)?, number(at + 5)?));
        }
        at += 2 + number(at + 2)? as usize;
    }
}
