//! Bytes of files: fetched from Slack with the token shown to Slack's own hosts only, and brought to Slack in three steps.
//!
//! Not here: which message a file belongs to (`send/plan.rs`, `translate`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use deskbridge_contract::{ByteStream, OutboundFile, RemoteFileId, SendError};
use futures_util::{Stream, StreamExt as _, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::api::{Api, Fault, classes};
use crate::ids::FileRef;

/// Largest file that is carried, in bytes. Slack itself takes 1 GB; a bridge need not.
pub(crate) const MAX_FILE: u64 = 100 << 20;
/// Slowest upload or download that is waited for, in bytes per second.
const SLOWEST: u64 = 64 << 10;
/// "redirects to Slack's CDN": one or two in practice.
const MAX_HOPS: usize = 5;
/// As much of a file as shows whether it is a page.
const PEEK: usize = 512;

/// Where the token may be shown besides the configured server.
const HOSTS: [&str; 3] = ["slack.com", "slack-edge.com", "slack-files.com"];

/// A file that Slack has and nobody sees yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uploaded {
    pub id: String,
    pub title: String,
}

impl Api {
    /// Whether this is a place of Slack's: one of its hosts by https, or the configured server itself.
    pub(crate) fn is_slack(&self, url: &Url) -> bool {
        let base = self.base();
        let own = (base.scheme(), base.host_str(), base.port_or_known_default());
        if (url.scheme(), url.host_str(), url.port_or_known_default()) == own {
            return true;
        }
        let host = url.host_str().unwrap_or_default();
        let under = |known: &str| host.strip_suffix(known).is_some_and(|h| h.is_empty() || h.ends_with('.'));
        url.scheme() == "https" && url.port_or_known_default() == Some(443) && HOSTS.into_iter().any(under)
    }

    pub(crate) async fn fetch(&self, file: &RemoteFileId) -> Result<ByteStream, SendError> {
        let mut file = FileRef::of(file)?;
        if file.url.is_none() {
            file = self.file_info(&file.id).await?;
        }
        let url = file.url.as_deref().and_then(|url| Url::parse(url).ok());
        let url = url.ok_or_else(|| SendError::rejected("Slack does not give out this file"))?;
        if file.size > MAX_FILE {
            return Err(too_large(file.size));
        }
        let response = self.follow(url).await?;
        checked(response, &file).await
    }

    /// What Slack says of a file ("files.info").
    async fn file_info(&self, id: &str) -> Result<FileRef, SendError> {
        let answer = self.get("files.info", &[("file", id.to_owned())]).await.map_err(read_again)?;
        let file = &answer["file"];
        let text = |key: &str| file[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match text("mode").as_deref() {
            Some("tombstone") => return Err(SendError::Gone { why: "the file was deleted".into() }),
            Some("hidden_by_limit") => {
                return Err(SendError::rejected("the workspace's plan hides this file"));
            }
            _ => {}
        }
        if file["is_external"] == true {
            return Err(SendError::rejected("the file is kept outside Slack; only its link is there"));
        }
        Ok(FileRef {
            id: id.to_owned(),
            size: file["size"].as_u64().unwrap_or_default(),
            mime: text("mimetype").unwrap_or_default(),
            url: text("url_private_download").or_else(|| text("url_private")),
        })
    }

    /// Redirects are followed by hand: a place that is not Slack's gets neither the token nor a request.
    async fn follow(&self, mut url: Url) -> Result<Response, SendError> {
        let token = self.tokens().bearer().await;
        for _ in 0..MAX_HOPS {
            if !self.is_slack(&url) {
                return Err(SendError::rejected("the file is at no address of Slack's"));
            }
            let wait = self.patience() + Duration::from_secs(MAX_FILE / SLOWEST);
            let request = self.http().get(url.clone()).timeout(wait);
            let request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
            let response = tokio::time::timeout(self.patience(), request.send())
                .await
                .map_err(|_| again("no answer in time"))?
                .map_err(|error| again(&classes::lost(&error, token.expose_secret()).to_string()))?;
            if !response.status().is_redirection() {
                return opened(response);
            }
            let next = response.headers().get(LOCATION).and_then(|next| next.to_str().ok());
            url = next
                .and_then(|next| url.join(next).ok())
                .ok_or_else(|| SendError::rejected("a redirect to nowhere"))?;
        }
        Err(SendError::rejected("too many redirects"))
    }

    /// The first two steps of an upload. Nothing is visible before the third, so every failure here is safe to repeat.
    pub(crate) async fn upload(&self, file: &OutboundFile) -> Result<Uploaded, SendError> {
        if file.size == 0 {
            return Err(SendError::rejected("Slack takes no empty files"));
        }
        if file.size > MAX_FILE {
            return Err(too_large(file.size));
        }
        let name = file_name(&file.name);
        let query = [("filename", name.clone()), ("length", file.size.to_string())];
        let answer = self.get("files.getUploadURLExternal", &query).await.map_err(read_again)?;
        let id = answer["file_id"].as_str().filter(|id| !id.is_empty());
        let url = answer["upload_url"].as_str().and_then(|url| Url::parse(url).ok());
        let (Some(id), Some(url)) = (id, url) else { return Err(again("Slack named no place for the file")) };
        self.bring(url, file).await?;
        Ok(Uploaded { id: id.to_owned(), title: name })
    }

    async fn bring(&self, url: Url, file: &OutboundFile) -> Result<(), SendError> {
        if !matches!(url.scheme(), "https") && !self.is_slack(&url) {
            return Err(SendError::rejected("Slack named an address without https for the file"));
        }
        let broken: Broken = Broken::default();
        let bytes = guarded((file.open)().await?, broken.clone());
        let wait = self.patience() + Duration::from_secs(file.size / SLOWEST);
        let mut request = self
            .http()
            .post(url.clone())
            .timeout(wait)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, file.size)
            .body(reqwest::Body::wrap_stream(bytes));
        let token: SecretString = self.tokens().bearer().await;
        if self.is_slack(&url) {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
        }
        let answer = request.send().await;
        if let Some(error) = broken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Our own bytes broke off: that error says what to do.
            return Err(error);
        }
        let status = match answer {
            Ok(response) => response.status(),
            // The address of an upload is a secret while it lives; the root cause does not name it.
            Err(error) => return Err(again(&classes::lost(&error, token.expose_secret()).to_string())),
        };
        match status.as_u16() {
            200..=299 => Ok(()),
            413 => Err(SendError::rejected("Slack finds the file too large")),
            429 | 500..=599 => Err(again(&format!("HTTP {} while the file was brought", status.as_u16()))),
            code => Err(SendError::rejected(format!("HTTP {code} while the file was brought"))),
        }
    }

    /// Where a file was posted in a channel: the `ts` of its message, once Slack has made it.
    pub(crate) async fn posted_as(&self, file: &str, channel: &str) -> Result<Option<String>, Fault> {
        let answer = self.get("files.info", &[("file", file.to_owned())]).await?;
        let shares = &answer["file"]["shares"];
        let of = |kind: &str| shares[kind][channel].as_array().and_then(|all| all.last().cloned());
        let share = of("public").or_else(|| of("private"));
        Ok(share.and_then(|share| share["ts"].as_str().map(str::to_owned)))
    }
}

type Broken = Arc<Mutex<Option<SendError>>>;

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

fn opened(response: Response) -> Result<Response, SendError> {
    match response.status() {
        StatusCode::OK => Ok(response),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(SendError::Gone { why: "the file is gone".into() }),
        StatusCode::TOO_MANY_REQUESTS => Err(again("Slack asks to slow down")),
        status if status.is_server_error() => Err(again(&format!("HTTP {}", status.as_u16()))),
        status => Err(SendError::rejected(format!(
            "HTTP {} instead of the file; the app needs files:read and a place in the channel",
            status.as_u16()
        ))),
    }
}

/// A bad or under-scoped token gets HTTP 200 with a login page (bolt-js#2585), so the first bytes are looked at, and the
/// size is counted against what Slack said of the file.
async fn checked(response: Response, file: &FileRef) -> Result<ByteStream, SendError> {
    let declared =
        response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let says_page = declared.trim_start().to_ascii_lowercase().starts_with("text/html");
    let is_page = file.mime.starts_with("text/html") || file.mime.contains("xhtml");
    let length = response.content_length();
    if file.size > 0 && length.is_some_and(|length| length != file.size) {
        return Err(if says_page && !is_page { login_page() } else { other_size() });
    }
    let mut bytes = Box::pin(response.bytes_stream());
    let mut head = BytesMut::new();
    while head.len() < PEEK {
        match bytes.next().await {
            Some(Ok(chunk)) => head.extend_from_slice(&chunk),
            Some(Err(error)) => return Err(again(&classes::root(&error))),
            None => break,
        }
    }
    if !is_page && (says_page || starts_a_page(&head)) {
        return Err(login_page());
    }
    let rest = bytes.map(|chunk| chunk.map_err(|error| again(&classes::root(&error))));
    let all = stream::once(async move { Ok(head.freeze()) }).chain(rest);
    Ok(Box::pin(counted(all, file.size)))
}

/// Ends with an error where more or less came than was said.
fn counted(
    bytes: impl Stream<Item = Result<Bytes, SendError>> + Send + 'static,
    size: u64,
) -> impl Stream<Item = Result<Bytes, SendError>> + Send + 'static {
    let most = if size > 0 { size } else { MAX_FILE };
    let state = (Box::pin(bytes), 0_u64, false);
    stream::unfold(state, move |(mut bytes, total, over)| async move {
        if over {
            return None;
        }
        match bytes.next().await {
            Some(Ok(chunk)) => {
                let total = total + chunk.len() as u64;
                let over = total > most;
                let item = if !over {
                    Ok(chunk)
                } else if size > 0 {
                    Err(other_size())
                } else {
                    Err(too_large(total))
                };
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

fn starts_a_page(head: &[u8]) -> bool {
    let text =
        String::from_utf8_lossy(&head[..head.len().min(PEEK)]).trim_start_matches('\u{feff}').to_lowercase();
    let text = text.trim_start();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

fn login_page() -> SendError {
    SendError::rejected("Slack showed its sign-in page instead of the file; the app needs files:read")
}

fn other_size() -> SendError {
    SendError::rejected("the file has another size than Slack said")
}

fn too_large(size: u64) -> SendError {
    SendError::rejected(format!("a file of {} MB; at most {} MB are carried", size >> 20, MAX_FILE >> 20))
}

fn again(why: &str) -> SendError {
    SendError::Retry { after: None, why: why.to_owned() }
}

/// A call that shows nothing to anybody: where its outcome is unknown it is simply made again.
fn read_again(fault: Fault) -> SendError {
    match fault.error {
        SendError::Ambiguous { why } => SendError::Retry { after: None, why },
        other => other,
    }
}

/// The name as people see it: one line, no path.
fn file_name(name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_control() || "/\\\"".contains(c) { '_' } else { c }).collect();
    let name: String = name.trim().chars().take(120).collect();
    if name.is_empty() { "file".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_files() {
        for page in ["<!DOCTYPE html><html>", "\u{feff}\n <html lang=en>", "<!doctype HTML>"] {
            assert!(starts_a_page(page.as_bytes()), "{page}");
        }
        for file in ["%PDF-1.7", "<svg>", "", "plain <html>"] {
            assert!(!starts_a_page(file.as_bytes()), "{file}");
        }
    }

    #[test]
    fn names_are_one_line() {
        assert_eq!(file_name("../e\r\nvil\".txt"), ".._e__vil_.txt");
        assert_eq!(file_name("  "), "file");
        assert_eq!(file_name(&"ü".repeat(500)).chars().count(), 120);
    }
}
