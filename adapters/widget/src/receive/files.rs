//! Files in both directions. What a file is, its bytes say; no browser runs anything of one (S50).
//!
//! Not here: keeping the bytes (the host's file store).

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use deskbridge_contract::{BlobId, ByteStream, FileError, SendError};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Answer, Refusal, shown};
use crate::Widget;
use crate::cards::{File, is_picture};
use crate::ids::{Visitor, is_file};
use crate::people::{read, write};

/// Whatever it is, no browser runs anything of it.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
/// Characters of a name that are worth keeping.
const LONGEST_NAME: usize = 150;

/// What runs where it is opened is not taken, whatever it is called.
const REFUSED: [&str; 6] = [
    "application/vnd.microsoft.portable-executable",
    "application/x-executable",
    "application/x-mach-binary",
    "application/java",
    "application/wasm",
    "text/html",
];

/// How a shortcut of Windows begins (its header's size and its class, [MS-SHLLINK] 2.1).
const SHORTCUT: [u8; 8] = [0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0];

/// A file that a visitor handed in.
#[derive(Serialize, Deserialize)]
pub(super) struct Upload {
    pub visitor: Visitor,
    pub file: File,
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

pub(super) async fn upload(
    State(widget): State<Arc<Widget>>,
    Query(named): Query<Named>,
    request: Request,
) -> Answer {
    let (token, from) = shown(&request);
    let session = widget.session_by(token, from).await?;
    if widget.config.verified_only && !session.verified {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "verified-only",
            "Please sign in on this page first.",
        ));
    }
    let too_large = || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "This file is too large.");
    let size = size(request.headers()).ok_or_else(|| {
        Refusal::new(StatusCode::LENGTH_REQUIRED, "no-length", "The file's size was not given.")
    })?;
    if size > widget.config.max_file {
        return Err(too_large());
    }
    widget.limits.file(&session.visitor.0, size).map_err(Refusal::slow)?;
    let shelf = widget.shelf().map_err(|_| Refusal::unavailable())?;
    let store = widget.inbox().ok().and_then(|inbox| inbox.files()).ok_or_else(Refusal::not_found)?;
    let declared = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let declared = declared.unwrap_or("application/octet-stream").to_owned();
    let (head, bytes) = peeked(request.into_body()).await?;
    let kind = infer::get(&head).map_or("", |kind| kind.mime_type());
    let name = named_as(kind, name_of(&named.name));
    if REFUSED.contains(&kind) || head.starts_with(&SHORTCUT) || looks_like_a_page(&head) {
        let detail = "Programs and web pages cannot be sent here.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind-refused", detail));
    }
    let stored =
        store.put(&name, &declared, bytes, widget.config.max_file).await.map_err(|error| match error {
            FileError::TooLarge { .. } => too_large(),
            FileError::Source(_) => Refusal::malformed(),
            FileError::Unavailable(why) => {
                tracing::warn!(why, "an upload could not be kept");
                Refusal::unavailable()
            }
        })?;
    let file = File { id: stored.id.0, name, mime: stored.mime, size: stored.size };
    let upload = Upload { visitor: session.visitor.clone(), file };
    write(&shelf, &format!("f:{}", upload.file.id), &upload).await?;
    let links = widget.links(&shelf).await?;
    let mut answer = json!(upload.file);
    answer["url"] = widget.address_of(&links, &upload.file.id).into();
    Ok(Json(answer).into_response())
}

fn size(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The first bytes, and all of them.
async fn peeked(body: Body) -> Result<(Vec<u8>, ByteStream), Refusal> {
    const HEAD: usize = 4096;
    let lost = |_| SendError::Retry { after: None, why: "the upload broke off".into() };
    let mut bytes = body.into_data_stream().map_err(lost).boxed();
    let (mut head, mut seen) = (Vec::new(), Vec::new());
    while head.len() < HEAD {
        let Some(piece) = bytes.next().await else { break };
        let piece = piece.map_err(|_| Refusal::malformed())?;
        head.extend_from_slice(&piece);
        seen.push(Ok(piece));
    }
    Ok((head, futures_util::stream::iter(seen).chain(bytes).boxed()))
}

fn looks_like_a_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(1024)]).to_ascii_lowercase();
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    ["<!doctype html", "<html", "<script", "<svg", "<?xml"].iter().any(|start| text.starts_with(start))
}

/// No path, no controls, nothing that turns the reading direction (S89).
fn name_of(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).take(LONGEST_NAME).collect();
    let clean = clean.trim_matches(['.', ' ']);
    if clean.is_empty() { "file".into() } else { clean.to_owned() }
}

/// A picture is shown, and kept by whoever looks at it: under a name that opens it as a picture (S51).
fn named_as(kind: &str, name: String) -> String {
    let endings: &[&str] = match kind {
        "image/png" => &["png"],
        "image/jpeg" => &["jpg", "jpeg", "jfif"],
        "image/gif" => &["gif"],
        "image/webp" => &["webp"],
        _ => return name,
    };
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
        return name;
    }
    format!("{name}.{}", endings[0])
}

#[derive(Deserialize)]
pub(super) struct Signed {
    until: i64,
    sig: String,
    name: Option<String>,
}

pub(super) async fn show(
    State(widget): State<Arc<Widget>>,
    Path(file): Path<String>,
    Query(signed): Query<Signed>,
) -> Answer {
    let shelf = widget.shelf().map_err(|_| Refusal::unavailable())?;
    let links = widget.links(&shelf).await?;
    if !is_file(&file) || !links.holds(&file, signed.until, &signed.sig, (widget.clock)()) {
        return Err(Refusal::not_found());
    }
    let store = widget.inbox().ok().and_then(|inbox| inbox.files()).ok_or_else(Refusal::not_found)?;
    let mut bytes = store.open(&BlobId(file.clone())).await.map_err(|_| Refusal::not_found())?;
    // What it is, its own bytes say.
    let first = bytes.next().await.transpose().map_err(|_| Refusal::unavailable())?.unwrap_or_default();
    let kind = infer::get(&first).map_or("application/octet-stream", |kind| kind.mime_type());
    let known: Option<Upload> = read(&shelf, &format!("f:{file}")).await?;
    let name = known.map(|upload| upload.file.name).or(signed.name.map(|name| name_of(&name)));
    let all = futures_util::stream::iter([Ok(first)]).chain(bytes);
    Ok(answer(kind, &name.unwrap_or_else(|| "file".into()), Body::from_stream(all)))
}

fn answer(kind: &'static str, name: &str, body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let picture = is_picture(kind);
    let shown = if picture { kind } else { "application/octet-stream" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(shown));
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    headers.insert(header::CONTENT_DISPOSITION, disposition(picture, name));
    response
}

/// RFC 6266 and RFC 8187.
fn disposition(picture: bool, name: &str) -> HeaderValue {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let how = if picture { "inline" } else { "attachment" };
    HeaderValue::from_str(&format!("{how}; filename*=UTF-8''{encoded}"))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}
