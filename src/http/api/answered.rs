//! What POSTs that are no events of a conversation came to, kept for a day in the store: a restart does nothing twice.
//!
//! Not here: those that come together or soon after one another (`once.rs`, in memory); events of conversations, whose
//! cause the store keeps for good.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use bytes::Bytes;
use deskbridge_contract::Timestamp;
use deskbridge_store::rows::KeptRow;
use deskbridge_store::{Admin, Forgotten};
use serde::{Deserialize, Serialize};

use super::Api;
use super::once::{DAY, KEYED, Kept, Key, reused};
use crate::http::problem::Problem;

/// Of an answer, what the caller needs again.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];
/// Old rows are looked for with every so-many-th answer.
const SWEPT: usize = 64;

/// Longer than a key is remembered.
const KEPT_FOR: Duration = Duration::from_secs(DAY.as_secs() + 1);

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Of method, address and body, keyed by a secret of this installation.
    request: String,
    done: bool,
    /// Taken out by this name when somebody is erased ([`KeptRow::without_answer`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Said>,
}

#[derive(Serialize, Deserialize)]
struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// What an earlier run of the program left.
pub enum Answered {
    /// `None`: what it answered was not kept.
    Done(Option<Kept>),
    /// It ended in the middle.
    Begun,
}

pub fn unknown() -> Problem {
    let detail =
        "the program ended while it carried this out; look whether it was done, then use another key";
    Problem::conflict("outcome-unknown", detail)
}

impl Said {
    fn of(kept: &Kept) -> Option<Said> {
        let text =
            |name: &HeaderName| Some((name.to_string(), kept.headers.get(name)?.to_str().ok()?.to_owned()));
        let headers = HEADERS.iter().filter_map(text).collect();
        let body = String::from_utf8(kept.body.to_vec()).ok()?;
        Some(Said { status: kept.status.as_u16(), headers, body })
    }

    fn kept(self) -> Option<Kept> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            headers.insert(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(&value).ok()?);
        }
        Some(Kept { status: StatusCode::from_u16(self.status).ok()?, headers, body: Bytes::from(self.body) })
    }
}

impl Api {
    /// `None`: nothing is known of it.
    pub(super) async fn answered(&self, key: &Key) -> Result<Option<Answered>, Problem> {
        let (name, request) = key.named();
        let Some(row) = self.bridge.read.kept_one(KeptRow::ANSWERED, "", name).await? else {
            return Ok(None);
        };
        if self.is_old(&row) {
            return Ok(None);
        }
        let value = row.value.unwrap_or_default();
        let stored: Stored = serde_json::from_str(&value).map_err(|_| Problem::internal())?;
        if stored.request.starts_with(KEYED) && stored.request != request {
            return Err(reused());
        }
        Ok(Some(match stored.done {
            true => Answered::Done(stored.answer.and_then(Said::kept)),
            false => Answered::Begun,
        }))
    }

    fn is_old(&self, row: &KeptRow) -> bool {
        self.bridge.now().since(row.updated) > KEPT_FOR
    }

    pub(super) async fn note_begun(&self, key: &Key) -> Result<(), Problem> {
        self.note(key, |request| Some(Stored { request, done: false, answer: None })).await
    }

    /// It was refused: what was wrong may be put right under the same key.
    pub(super) async fn forget_begun(&self, key: &Key) -> Result<(), Problem> {
        self.note(key, |_| None).await
    }

    pub(super) async fn note_done(&self, key: &Key, kept: Option<Kept>) -> Result<(), Problem> {
        let answer = kept.as_ref().and_then(Said::of);
        self.note(key, |request| Some(Stored { request, done: true, answer })).await?;
        if self.onces.is_time_to_sweep(SWEPT) {
            let old_kept = vec![(KeptRow::ANSWERED.to_owned(), self.bridge.now() - KEPT_FOR)];
            self.bridge.writer.admin(Admin::Forget(Forgotten { old_kept, ..Forgotten::default() })).await?;
        }
        Ok(())
    }

    async fn note(
        &self,
        key: &Key,
        what: impl FnOnce(String) -> Option<Stored> + Send,
    ) -> Result<(), Problem> {
        let (name, request) = key.named();
        let value = what(request).map(|stored| serde_json::to_string(&stored)).transpose();
        let row = KeptRow {
            kind: KeptRow::ANSWERED.into(),
            owner: String::new(),
            key: name.to_owned(),
            value: value.map_err(|_| Problem::internal())?,
            updated: Timestamp(0),
        };
        self.bridge.writer.admin(Admin::Keep(row)).await?;
        Ok(())
    }

    /// Somebody was erased while it was carried out: the answer, which may name them, is given and not kept.
    pub(super) async fn forget_answer(&self, key: &Key) -> Result<(), Problem> {
        self.onces.finished(key);
        self.note(key, |request| Some(Stored { request, done: true, answer: None })).await
    }
}
