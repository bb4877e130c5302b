//! Files that a bot cannot hand over in Teams, given by link: signed, for one file and a while.
//!
//! Not here: pictures, which go within the message (`send.rs`). A bot may upload only after a person agreed, and in channels
//! not at all ("Send and receive files through a bot"), so the bridge serves them itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use deskbridge_contract::{BlobId, FileStore, Timestamp};
use ring::hmac;
use serde::Deserialize;
use url::Url;

use crate::Clock;

/// How long a link works.
const LASTS: Duration = Duration::from_secs(7 * 24 * 3600);
const MAX_NAME: usize = 200;

/// Makes and checks links.
pub(crate) struct Links {
    key: hmac::Key,
    base: Option<Url>,
}

impl Links {
    /// `base`: the channel's own route, as people reach it.
    pub(crate) fn new(secret: &str, base: Option<Url>) -> Links {
        let whole = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        // A key of its own: what is signed here can never be mistaken for anything else.
        let own = hmac::sign(&whole, b"deskbridge file links");
        Links { key: hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()), base }
    }

    fn words(blob: &str, name: &str, until: i64) -> String {
        format!("{}:{blob}:{until}:{name}", blob.len())
    }

    /// The address of a file from now on for a while; `None` when nobody said under which address we are reached.
    pub(crate) fn link(&self, blob: &BlobId, name: &str, now: Timestamp) -> Option<Url> {
        let mut url = self.base.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().push("file");
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        let until = (now + LASTS).0 / 1_000_000;
        let signature = hmac::sign(&self.key, Self::words(blob.as_str(), &name, until).as_bytes());
        url.query_pairs_mut()
            .append_pair("b", blob.as_str())
            .append_pair("n", &name)
            .append_pair("e", &until.to_string())
            .append_pair("s", &hex::encode(signature));
        Some(url)
    }

    fn holds(&self, asked: &Asked, now: Timestamp) -> bool {
        let Ok(signature) = hex::decode(&asked.s) else { return false };
        let words = Self::words(&asked.b, &asked.n, asked.e);
        // Compares in constant time.
        hmac::verify(&self.key, words.as_bytes(), &signature).is_ok() && now.0 / 1_000_000 <= asked.e
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    b: String,
    n: String,
    e: i64,
    s: String,
}

pub(crate) struct Shop {
    pub links: Arc<Links>,
    pub files: Arc<dyn FileStore>,
    pub clock: Clock,
}

/// Gives a file out to whoever has its link.
pub(crate) async fn give(State(shop): State<Arc<Shop>>, Query(asked): Query<Asked>) -> Response {
    if !shop.links.holds(&asked, (shop.clock)()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(bytes) = shop.files.open(&BlobId::new(asked.b.as_str())).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let name: String = url::form_urlencoded::byte_serialize(asked.n.as_bytes()).collect();
    let name = name.replace('+', "%20");
    // Never shown in the page of our own origin: it is somebody's file.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, Body::from_stream(bytes)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_for_one_file_and_a_while() {
        let links = Links::new("secret", Url::parse("https://desk.example.org/hooks/teams").ok());
        let now = Timestamp::from_seconds(1_790_000_000);
        let url = links.link(&BlobId::new("aa"), "a b.pdf", now).unwrap();
        assert!(url.as_str().starts_with("https://desk.example.org/hooks/teams/file?b=aa&n=a+b.pdf"));
        let of = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let asked = |b: &str, e: i64, s: &str| Asked { b: b.into(), n: "a b.pdf".into(), e, s: s.into() };
        let (until, signature) = (of("e").parse().unwrap(), of("s"));
        assert!(links.holds(&asked("aa", until, &signature), now));
        assert!(!links.holds(&asked("ab", until, &signature), now));
        assert!(!links.holds(&asked("aa", until + 1, &signature), now));
        assert!(!links.holds(&asked("aa", until, &signature), now + LASTS + Duration::from_secs(1)));
        assert!(!links.holds(&asked("aa", until, "zz"), now));
        assert!(!Links::new("other", None).holds(&asked("aa", until, &signature), now));
        assert_eq!(Links::new("secret", None).link(&BlobId::new("aa"), "a", now), None);
    }
}
