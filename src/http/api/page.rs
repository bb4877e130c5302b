//! Pages of lists: opaque cursors, limits, and how a page is written.
//!
//! Not here: what is listed.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::call::Call;
use crate::http::problem::Problem;

pub const DEFAULT: u32 = 50;
pub const MOST: u32 = 200;

/// Where a list goes on. Opaque outside, so that it may become something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub at: i64,
    /// How many with the same `at` were shown.
    pub shown: u32,
}

impl Cursor {
    pub fn written(self) -> String {
        hex::encode([&self.at.to_be_bytes()[..], &self.shown.to_be_bytes()].concat())
    }

    fn read(text: &str) -> Option<Cursor> {
        let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == 12)?;
        let at = i64::from_be_bytes(bytes[..8].try_into().ok()?);
        let shown = u32::from_be_bytes(bytes[8..].try_into().ok()?);
        Some(Cursor { at, shown })
    }
}

impl Call {
    pub fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        let Some(text) = self.asked("cursor") else { return Ok(None) };
        Cursor::read(text).map(Some).ok_or_else(|| Problem::bad("cursor", "the cursor is not one of ours"))
    }

    pub fn limit(&self) -> Result<u32, Problem> {
        let Some(text) = self.asked("limit") else { return Ok(DEFAULT) };
        let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        limit.ok_or_else(|| Problem::bad("limit", format!("`limit` is a number from 1 to {MOST}")))
    }
}

#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

/// `next`: where the next page begins, when there may be more.
pub fn page<T: Serialize>(data: Vec<T>, next: Option<Cursor>) -> Response {
    Json(Page { data, next_cursor: next.map(Cursor::written) }).into_response()
}

#[derive(Serialize)]
struct One<T> {
    data: T,
}

pub fn one<T: Serialize>(data: T) -> Response {
    Json(One { data }).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_were() {
        for cursor in [
            Cursor { at: 0, shown: 0 },
            Cursor { at: -7, shown: 3 },
            Cursor { at: i64::MAX, shown: u32::MAX },
        ] {
            assert_eq!(Cursor::read(&cursor.written()), Some(cursor));
        }
        for wrong in ["", "1", "zz", "00112233445566778899aabbcc", "0011223344556677"] {
            assert_eq!(Cursor::read(wrong), None, "{wrong}");
        }
    }
}
