//! `blobs`: an attachment's bytes, to be kept and not to be shown (S50).
//!
//! Not here: where bytes are (services/blobs).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use deskbridge_services::blobs::BlobError;
use deskbridge_store::rows::BlobRow;

use super::Api;
use super::call::{Answer, Call};
use super::sight::sees;
use crate::http::problem::Problem;

/// Whatever it is, no browser runs anything of it.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'");
/// Characters of a name that are worth keeping.
const LONGEST_NAME: usize = 150;

pub async fn get(api: Arc<Api>, call: Call) -> Answer {
    let id = call.part("blob");
    let sound = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase());
    let row = if sound { api.bridge.read.blob(id).await? } else { None };
    let row = row.ok_or_else(Problem::not_found)?;
    if !api.sees_blob(&call, &row).await? {
        api.refused(&call, row.conversation);
        return Err(Problem::not_found());
    }
    let bytes = api.bridge.blobs.get(&row.id).await.map_err(|error| match error {
        BlobError::NotFound => Problem::not_found(),
        other => {
            tracing::error!(error = %other, "an attachment cannot be read");
            Problem::internal()
        }
    })?;
    Ok(answer(&row, Body::from_stream(bytes)))
}

fn answer(row: &BlobRow, body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(&row.mime)
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(row.size));
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(header::CONTENT_DISPOSITION, disposition(&row.name));
    response
}

/// RFC 6266: a plain name for old programs, the true one percent-encoded (RFC 8187). Paths, quotes and controls get into
/// neither.
fn disposition(name: &str) -> HeaderValue {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    let clean = clean.trim_matches(['.', ' ']);
    let clean = if clean.is_empty() { "file" } else { clean };
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    let plain: String = clean.chars().map(|c| if safe(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in clean.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

impl Api {
    async fn sees_blob(&self, call: &Call, row: &BlobRow) -> Result<bool, Problem> {
        let Some(id) = row.conversation else { return Ok(call.caller.oversees()) };
        let found = self.bridge.read.conversation(id).await?;
        let policy = self.bridge.policy.current();
        Ok(found.is_some_and(|found| sees(&call.caller, &found, &policy.policy)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        for (name, expected) in [
            ("log.txt", "attachment; filename=\"log.txt\"; filename*=UTF-8''log.txt"),
            ("../../etc/passwd", "attachment; filename=\"passwd\"; filename*=UTF-8''passwd"),
            ("..\\..\\boot.ini", "attachment; filename=\"boot.ini\"; filename*=UTF-8''boot.ini"),
            (
                "a\"; x=\".html",
                "attachment; filename=\"a__ x=_.html\"; filename*=UTF-8''a%22%3B%20x%3D%22.html",
            ),
            (
                "a\r\nSet-Cookie: b",
                "attachment; filename=\"aSet-Cookie_ b\"; filename*=UTF-8''aSet-Cookie%3A%20b",
            ),
            ("größe.pdf", "attachment; filename=\"gr__e.pdf\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.pdf"),
            ("...", "attachment; filename=\"file\"; filename*=UTF-8''file"),
            ("", "attachment; filename=\"file\"; filename*=UTF-8''file"),
        ] {
            let expected = expected.replace("x=_", "x__");
            assert_eq!(disposition(name).to_str().unwrap(), expected, "{name:?}");
        }
        assert!(disposition(&"ü".repeat(5_000)).len() < 1_200);
    }
}
