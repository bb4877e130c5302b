//! Attachments: what is kept, links that expire, and the CDN ("Uploading Files", "Signed Attachment CDN URLs").
//! Which message carries a file is known to the message.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::error::ApiError;
use super::params::Upload;
use super::snowflake::{Snowflake, now};
use super::world::World;
use crate::encoding::url_encoded;

/// One file of a bot, by default ("Uploading Files").
pub const MAX_FILE: usize = 10 << 20;
/// One request in all.
pub const MAX_REQUEST: usize = 25 << 20;
pub const MAX_FILES: usize = 10;

#[derive(Debug, Clone)]
pub struct StoredFile {
    pub id: Snowflake,
    pub channel: Snowflake,
    pub name: String,
    pub mime: String,
    pub description: Option<String>,
    pub bytes: Bytes,
    /// What the attachment object says; usually the length of `bytes`.
    pub size: u64,
}

impl StoredFile {
    pub(super) fn json(&self, link: &str) -> Value {
        let mut json = json!({
            "id": self.id, "filename": self.name, "size": self.size, "url": link, "proxy_url": link,
            "content_type": self.mime,
        });
        if let Some(description) = &self.description {
            json["description"] = json!(description);
        }
        json
    }

    fn path(&self) -> String {
        format!("/attachments/{}/{}/{}", self.channel, self.id, url_encoded(&self.name))
    }
}

/// What a name may hold; Discord turns the rest into underscores.
fn tidy(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    if name.is_empty() { "unknown".into() } else { name }
}

fn mark(path: &str, expires: &str, issued: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(b"the fake CDN's own") else { return String::new() };
    mac.update(format!("{path}|{expires}|{issued}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

impl World {
    pub(super) fn store(
        &mut self,
        channel: Snowflake,
        upload: &Upload,
        described: Option<String>,
    ) -> Snowflake {
        let id = self.fresh();
        let file = StoredFile {
            id,
            channel,
            name: tidy(&upload.name),
            mime: upload.mime.clone(),
            description: described,
            size: upload.bytes.len() as u64,
            bytes: upload.bytes.clone(),
        };
        self.files.insert(id, file);
        id
    }

    /// A link that works for `Settings::link_life`.
    pub fn link(&self, file: &StoredFile) -> String {
        let issued = now() / 1000;
        let life = self.settings.link_life.as_secs();
        let (expires, issued) = (format!("{:x}", issued + life), format!("{issued:x}"));
        let path = file.path();
        let mark = mark(&path, &expires, &issued);
        format!("{}{path}?ex={expires}&is={issued}&hm={mark}&", self.base)
    }

    /// The file that a link means, while it may be fetched.
    pub(super) fn linked(&self, path: &str, query: &[(String, String)]) -> Option<&StoredFile> {
        let id: Snowflake = path.trim_start_matches("/attachments/").split('/').nth(1)?.parse().ok()?;
        let file = self.files.get(&id)?;
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (expires, issued) = (value("ex")?, value("is")?);
        let fresh = u64::from_str_radix(expires, 16).is_ok_and(|at| at > now() / 1000);
        let genuine = value("hm")? == mark(&file.path(), expires, issued);
        (fresh && genuine).then_some(file)
    }

    /// Files of a request, with what `attachments` says of them; their new ids.
    ///
    /// # Errors
    /// Too many or too large; an entry of `attachments` that names no file.
    pub(super) fn accept_files(
        &mut self,
        channel: Snowflake,
        files: &[Upload],
        body: &Value,
        kept: &[Snowflake],
    ) -> Result<Vec<Snowflake>, ApiError> {
        let listed = body["attachments"].as_array();
        let mut all = match listed {
            None => kept.to_vec(),
            Some(entries) => {
                let ids = entries.iter().filter_map(|entry| Snowflake::of(&entry["id"]));
                ids.filter(|id| kept.contains(id)).collect()
            }
        };
        if all.len() + files.len() > MAX_FILES {
            return Err(ApiError::coded(30_015));
        }
        if files.iter().any(|file| file.bytes.len() > MAX_FILE) {
            return Err(ApiError::coded(40_005));
        }
        for (at, entry) in listed.into_iter().flatten().enumerate() {
            let known = Snowflake::of(&entry["id"])
                .is_some_and(|id| kept.contains(&id) || files.iter().any(|file| file.number == Some(id.0)));
            if !known {
                let path = format!("attachments.{at}.id");
                let text = "Attachment data must be sent with the request";
                return Err(ApiError::form(&path, "ATTACHMENT_NOT_FOUND", text));
            }
        }
        for file in files {
            let of_it = |entry: &&Value| Snowflake::of(&entry["id"]).map(|id| id.0) == file.number;
            let entry = listed.into_iter().flatten().find(of_it);
            let described = entry.and_then(|entry| entry["description"].as_str()).map(str::to_owned);
            let named = entry.and_then(|entry| entry["filename"].as_str());
            let mut file = file.clone();
            if let Some(name) = named {
                file.name = name.to_owned();
            }
            all.push(self.store(channel, &file, described));
        }
        Ok(all)
    }
}
