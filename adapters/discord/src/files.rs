//! Bytes of files: fetched from Discord's own hosts as long as their signed address is good, and sent beside a message.
//!
//! Not here: which message a file belongs to (`send/plan.rs`, `translate`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use deskbridge_contract::{ByteStream, OutboundFile, RemoteFileId, SendError};
use futures_util::{Stream, StreamExt as _, stream};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::api::{Api, classes};
use crate::ids::FileRef;

/// "Uploading Files": 10 MiB per file by default; more needs boosts that a bridge cannot count on.
pub(crate) const MAX_UPLOAD: u64 = 10 << 20;
/// "Uploading Files": the whole request, less what surrounds the files.
pub(crate) const MAX_REQUEST: u64 = (25 << 20) - (64 << 10);
/// Largest file that is carried from Discord. People with Nitro send 500 MB; a bridge need not take them.
pub(crate) const MAX_DOWNLOAD: u64 = 100 << 20;
/// Files of one message ("Create Message").
pub(crate) const MOST: usize = 10;
/// Slowest upload or download that is waited for, in bytes per second.
pub(crate) const SLOWEST: u64 = 64 << 10;

/// Where files of Discord's are. No token is shown to any of them.
const HOSTS: [&str; 3] = ["discordapp.com", "discordapp.net", "discord.com"];

/// Why our own bytes broke off.
pub(crate) type Broken = Arc<Mutex<Option<SendError>>>;

pub(crate) fn taken(broken: &Broken) -> Option<SendError> {
    broken.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// "Uploading Files": the message as `payload_json`, the files as `files[n]`.
pub(crate) async fn form(body: &Value, files: &[OutboundFile], broken: &Broken) -> Result<Form, SendError> {
    let payload = Part::text(body.to_string())
        .mime_str("application/json")
        .map_err(|_| SendError::rejected("not a media type"))?;
    let mut form = Form::new().part("payload_json", payload);
    for (nth, file) in files.iter().enumerate() {
        let bytes = guarded((file.open)().await?, broken.clone());
        let part = Part::stream_with_length(Body::wrap_stream(bytes), file.size).file_name(name(&file.name));
        let kind = if file.mime.contains('/') { file.mime.as_str() } else { "application/octet-stream" };
        let part = match part.mime_str(kind) {
            Ok(part) => part,
            Err(_) => return Err(SendError::rejected("not a media type")),
        };
        form = form.part(format!("files[{nth}]"), part);
    }
    Ok(form)
}

fn guarded(
    bytes: ByteStream,
    broken: Broken,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    bytes.map(move |chunk| {
        chunk.map_err(|error| {
            *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
            std::io::Error::other(error)
        })
    })
}

/// The name as people see it: one line, no path.
pub(crate) fn name(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_control() || "/\\\"".contains(c) { '_' } else { c }).collect();
    let name: String = name.trim().chars().take(120).collect();
    if name.is_empty() { "file".into() } else { name }
}

impl Api {
    /// Whether this is a place of Discord's: one of its hosts by https, or the configured server's own host.
    pub(crate) fn is_discord(&self, url: &Url) -> bool {
        let base = self.base();
        if (url.scheme(), url.host_str()) == (base.scheme(), base.host_str()) && is_loopback(base) {
            return true;
        }
        if url.origin() == base.origin() {
            return true;
        }
        let host = url.host_str().unwrap_or_default();
        let under = |known: &str| host.strip_suffix(known).is_some_and(|h| h.is_empty() || h.ends_with('.'));
        url.scheme() == "https" && url.port_or_known_default() == Some(443) && HOSTS.into_iter().any(under)
    }

    pub(crate) async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        let file = FileRef::of(file)?;
        if file.size > MAX_DOWNLOAD {
            return Err(too_large(file.size));
        }
        let response = self.open(&file.url).await?;
        let response = match response.status() {
            // "Signed Attachment CDN URLs": an address that is too old; the message has a new one.
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => self.open(&self.fresh(&file).await?).await?,
            _ => response,
        };
        checked(response, file.size)
    }

    async fn open(&self, url: &str) -> Result<Response, SendError> {
        let url = Url::parse(url).ok().filter(|url| self.is_discord(url));
        let url = url.ok_or_else(|| SendError::rejected("the file is at no address of Discord's"))?;
        let wait = self.patience() + Duration::from_secs(MAX_DOWNLOAD / SLOWEST);
        let request = self.http().get(url).timeout(wait).send();
        tokio::time::timeout(self.patience(), request)
            .await
            .map_err(|_| again("no answer in time"))?
            .map_err(|error| again(&classes::lost(&error, "").to_string()))
    }

    async fn fresh(&self, file: &FileRef) -> Result<String, SendError> {
        let route = format!("channels/{}/messages/{}", file.channel, file.message);
        let message = self.get(route, &[]).await.map_err(crate::api::Fault::harmless)?;
        let all = message.get("attachments").and_then(Value::as_array);
        let found = all.into_iter().flatten().find(|one| one["id"] == file.id.as_str());
        let url = found.and_then(|one| one["url"].as_str());
        url.map(str::to_owned).ok_or_else(|| SendError::Gone { why: "the file was deleted".into() })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn checked(response: Response, size: u64) -> Result<ByteStream, SendError> {
    match response.status() {
        StatusCode::OK => {}
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err(SendError::Gone { why: "the file is gone".into() });
        }
        StatusCode::TOO_MANY_REQUESTS => return Err(again("Discord asks to slow down")),
        status if status.is_server_error() => return Err(again(&format!("HTTP {}", status.as_u16()))),
        status => return Err(SendError::rejected(format!("HTTP {} instead of the file", status.as_u16()))),
    }
    if size > 0 && response.content_length().is_some_and(|length| length != size) {
        return Err(SendError::rejected("the file has another size than Discord said"));
    }
    let bytes = response.bytes_stream();
    let bytes = bytes.map(|chunk| chunk.map_err(|error| again(&classes::root(&error))));
    Ok(Box::pin(counted(bytes, size)))
}

/// Ends with an error where more or less came than was said.
fn counted(
    bytes: impl Stream<Item = Result<Bytes, SendError>> + Send + 'static,
    size: u64,
) -> impl Stream<Item = Result<Bytes, SendError>> + Send + 'static {
    let most = if size > 0 { size } else { MAX_DOWNLOAD };
    stream::unfold((Box::pin(bytes), 0_u64, false), move |(mut bytes, total, over)| async move {
        if over {
            return None;
        }
        match bytes.next().await {
            Some(Ok(chunk)) => {
                let total = total + chunk.len() as u64;
                let item = if total > most { Err(too_large(total)) } else { Ok(chunk) };
                let over = item.is_err();
                Some((item, (bytes, total, over)))
            }
            Some(Err(error)) => Some((Err(error), (bytes, total, true))),
            None if size > 0 && total < size => {
                Some((Err(again("the file broke off")), (bytes, total, true)))
            }
            None => None,
        }
    })
}

fn too_large(size: u64) -> SendError {
    SendError::rejected(format!("a file of {} MB; at most {} MB are carried", size >> 20, MAX_DOWNLOAD >> 20))
}

fn again(why: &str) -> SendError {
    SendError::Retry { after: None, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line() {
        assert_eq!(name("../e\r\nvil\".txt"), ".._e__vil_.txt");
        assert_eq!(name("  "), "file");
        assert_eq!(name(&"ü".repeat(500)).chars().count(), 120);
    }
}
