//! Files: what is kept, uploads in three steps, and sharing that comes a little later ("Working with files").
//! The methods that begin and end an upload are in `methods`; the bytes' way is in `serve`.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value, json};

use super::error::{ApiError, refuse};
use super::message::{Author, Message};
use super::team::{AppId, ChannelId, ChannelKind, TeamId, Ts, UserId};
use super::world::World;

/// The vendor's 1 GB is more than a test has; what is beyond this is refused.
pub const MAX_UPLOAD: u64 = 64 << 20;

#[derive(Debug, Clone)]
pub struct StoredFile {
    pub id: String,
    pub team: TeamId,
    pub name: String,
    pub title: String,
    pub mime: String,
    pub bytes: Bytes,
    /// What the file object says; usually the length of `bytes`.
    pub size: u64,
    pub user: UserId,
    pub deleted: bool,
    /// Where it was shared: `public` or `private`, channel, `ts`, thread.
    pub shares: Vec<(&'static str, ChannelId, Ts, Option<Ts>)>,
}

#[derive(Debug, Clone)]
pub struct Upload {
    pub team: TeamId,
    pub app: AppId,
    pub file: String,
    pub name: String,
    pub length: u64,
    pub bytes: Option<Bytes>,
}

/// A completed upload on its way into a channel.
#[derive(Debug, Clone)]
pub struct Share {
    pub at: Instant,
    pub team: TeamId,
    pub channel: ChannelId,
    pub thread: Option<Ts>,
    pub comment: String,
    pub author: Author,
    pub files: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Files {
    pub kept: BTreeMap<(TeamId, String), StoredFile>,
    /// By the last part of their upload URL.
    pub uploads: BTreeMap<String, Upload>,
    pub(super) pending: Vec<Share>,
}

impl Files {
    /// Shares whose time has come, and when to look again.
    pub(super) fn due(&mut self) -> (Vec<Share>, Option<Instant>) {
        let now = Instant::now();
        let (ready, waiting): (Vec<Share>, Vec<Share>) =
            self.pending.drain(..).partition(|share| share.at <= now);
        self.pending = waiting;
        (ready, self.pending.iter().map(|share| share.at).min())
    }

    /// The file that `…/T1-F1/…` means.
    pub(super) fn at_path(&self, path: &str) -> Option<&StoredFile> {
        let (team, file) = path.split('/').next()?.split_once('-')?;
        self.kept.get(&(team.to_owned(), file.to_owned())).filter(|file| !file.deleted)
    }
}

impl StoredFile {
    /// A file object.
    pub fn json(&self, base: &str) -> Value {
        let end = self.name.rsplit_once('.').map_or("binary", |(_, end)| end);
        let name = crate::encoding::url_encoded(&self.name.to_ascii_lowercase());
        let place = format!("{base}/files-pri/{}-{}", self.team, self.id);
        json!({
            "id": self.id, "created": 1_700_000_000, "timestamp": 1_700_000_000, "name": self.name,
            "title": self.title, "mimetype": self.mime, "filetype": end, "pretty_type": end.to_uppercase(),
            "user": self.user, "user_team": self.team, "editable": false, "size": self.size, "mode": "hosted",
            "is_external": false, "external_type": "", "is_public": false, "public_url_shared": false,
            "display_as_bot": false, "username": "", "url_private": format!("{place}/{name}"),
            "url_private_download": format!("{place}/download/{name}"), "media_display_type": "unknown",
            "permalink": format!("{base}/files/{}/{}/{name}", self.user, self.id), "has_rich_preview": false,
            "file_access": "visible", "shares": self.shares_json(),
        })
    }

    fn shares_json(&self) -> Value {
        let mut shares = json!({});
        for (side, channel, ts, thread) in &self.shares {
            let mut share = json!({ "ts": ts, "reply_count": 0, "reply_users": [], "team_id": self.team });
            if let Some(root) = thread {
                share["thread_ts"] = json!(root);
            }
            let known = shares[*side][channel.as_str()].as_array().cloned().unwrap_or_default();
            shares[*side][channel.as_str()] = [known, vec![share]].concat().into();
        }
        shares
    }

    /// As Slack Connect shows a file of the other side: nothing but its id, the rest is in `files.info`.
    pub fn hidden_json(&self) -> Value {
        json!({
            "id": self.id, "mode": "file_access", "file_access": "check_file_info", "created": 0,
            "timestamp": 0, "user": "",
        })
    }
}

pub fn mime_of(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end).to_ascii_lowercase();
    match end.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "pdf" => "application/pdf",
        "txt" | "log" => "text/plain",
        "html" | "htm" => "text/html",
        "csv" => "text/csv",
        "json" => "application/json",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

impl World {
    pub(super) fn keep(
        &mut self,
        team: &str,
        user: &str,
        name: &str,
        bytes: Bytes,
    ) -> Result<String, ApiError> {
        let id = self.known_mut(team)?.next('F');
        let file = StoredFile {
            id: id.clone(),
            team: team.to_owned(),
            name: name.to_owned(),
            title: name.to_owned(),
            mime: mime_of(name).to_owned(),
            size: bytes.len() as u64,
            bytes,
            user: user.to_owned(),
            deleted: false,
            shares: Vec::new(),
        };
        self.files.kept.insert((team.to_owned(), id.clone()), file);
        Ok(id)
    }

    /// `files.getUploadURLExternal`: the file's id and where its bytes go.
    pub(super) fn begin_upload(
        &mut self,
        team: &str,
        app: &str,
        name: &str,
        length: u64,
    ) -> Result<(String, String), ApiError> {
        if length == 0 {
            return refuse("invalid_arguments");
        }
        if length > MAX_UPLOAD {
            return refuse("file_upload_size_restricted");
        }
        let file = self.known_mut(team)?.next('F');
        let ticket = self.fresh("CwABAAAAfake");
        let upload = Upload {
            team: team.to_owned(),
            app: app.to_owned(),
            file: file.clone(),
            name: name.to_owned(),
            length,
            bytes: None,
        };
        self.files.uploads.insert(ticket.clone(), upload);
        Ok((file, format!("{}/upload/v1/{ticket}", self.base)))
    }

    /// The bytes of an upload.
    pub(super) fn take_upload(&mut self, ticket: &str, bytes: Bytes) -> Result<usize, ApiError> {
        let Some(upload) = self.files.uploads.get_mut(ticket) else { return refuse("invalid_upload_url") };
        if bytes.len() as u64 != upload.length {
            return refuse("length_mismatch");
        }
        let length = bytes.len();
        upload.bytes = Some(bytes);
        Ok(length)
    }

    /// `files.completeUploadExternal` for one file; its object, without any share yet.
    pub(super) fn end_upload(
        &mut self,
        app: &str,
        file: &str,
        title: Option<&str>,
    ) -> Result<Value, ApiError> {
        let ticket = self.files.uploads.iter().find(|(_, upload)| upload.file == file && upload.app == app);
        let Some((ticket, upload)) = ticket.map(|(ticket, upload)| (ticket.clone(), upload.clone())) else {
            return refuse("file_not_found");
        };
        let Some(bytes) = upload.bytes else { return refuse("file_not_found") };
        let user = self.app(&upload.team, app).bot_user.clone();
        let stored = StoredFile {
            id: upload.file.clone(),
            team: upload.team.clone(),
            mime: mime_of(&upload.name).to_owned(),
            title: title.unwrap_or(&upload.name).to_owned(),
            name: upload.name,
            size: bytes.len() as u64,
            bytes,
            user,
            deleted: false,
            shares: Vec::new(),
        };
        let shown = stored.json(&self.base);
        self.files.uploads.remove(&ticket);
        self.files.kept.insert((upload.team, upload.file), stored);
        Ok(shown)
    }

    /// Puts shared files into their channels: one message, whose event names the bot's user and nothing else.
    pub(super) fn share(&mut self, shares: Vec<Share>) {
        for share in shares {
            let object = |id: &String| {
                let kept = self.files.kept.get(&(share.team.clone(), id.clone()));
                kept.map(|file| file.json(&self.base))
            };
            let files: Vec<Value> = share.files.iter().filter_map(object).collect();
            let message = Message {
                files,
                thread: share.thread.clone(),
                subtype: Some("file_share".into()),
                ..Message::new(String::new(), share.author.clone(), share.comment.clone())
            };
            if let Ok(ts) = self.place(&share.team, &share.channel, message) {
                self.shared(&share.team, &share.channel, &ts, share.thread.as_ref(), &share.files);
                let _ = self.announce_message(&share.team, &share.channel, &ts);
            }
        }
    }

    /// Notes on files where they were shared; `files.info` tells it.
    pub(super) fn shared(
        &mut self,
        team: &str,
        channel: &str,
        ts: &Ts,
        thread: Option<&Ts>,
        files: &[String],
    ) {
        let kind = self.teams.get(team).and_then(|team| team.channels.get(channel)).map(|it| it.kind);
        let side = if kind == Some(ChannelKind::Public) { "public" } else { "private" };
        for id in files {
            if let Some(file) = self.files.kept.get_mut(&(team.to_owned(), id.clone())) {
                file.shares.push((side, channel.to_owned(), ts.clone(), thread.cloned()));
            }
        }
    }
}
