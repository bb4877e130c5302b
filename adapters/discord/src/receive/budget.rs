//! How often we may identify: a thousand times a day, and the token is reset by whoever does it more often ("Gateway ›
//! Session Start Limit"). A loop of failures must never come near (F19).
//!
//! Not here: connecting.

use std::time::Duration;

use deskbridge_contract::{SendError, Shelf, ShelfError, Timestamp};
use serde_json::Value;

/// Identifies in an hour. A bridge needs one after a restart, and one when a session was lost.
const MOST: usize = 20;
const WINDOW: Duration = Duration::from_secs(3600);
/// So many are left for people and other programs with the same token.
const RESERVE: u64 = 10;
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Where the shelf keeps when it was done: restarts count, too.
const KEY: &str = "identifies";

/// What Discord says before a connection ("Get Gateway Bot").
pub(super) fn allowed(answer: &Value) -> Result<(), SendError> {
    let limit = &answer["session_start_limit"];
    let Some(remaining) = limit["remaining"].as_u64() else { return Ok(()) };
    if remaining > RESERVE {
        return Ok(());
    }
    let after = Duration::from_millis(limit["reset_after"].as_u64().unwrap_or(600_000)).min(LONGEST);
    let why = format!("only {remaining} of the day's connections are left; the token would be reset");
    Err(SendError::Retry { after: Some(after), why })
}

/// Whether there may be one more, or when. Counts nothing: whoever does not reach the gateway used up nothing.
pub(super) async fn left(shelf: &Shelf, now: Timestamp) -> Result<(), SendError> {
    recent(shelf, now).await.map(|_| ())
}

/// Counts one that is sent now, or says when there may be one.
pub(super) async fn spend(shelf: &Shelf, now: Timestamp) -> Result<(), SendError> {
    let mut recent = recent(shelf, now).await?;
    recent.push(now.0);
    shelf.put(KEY, &serde_json::to_string(&recent).unwrap_or_default()).await.map_err(unknown)
}

/// Those of the last hour; an error when there are as many as there may be.
async fn recent(shelf: &Shelf, now: Timestamp) -> Result<Vec<i64>, SendError> {
    let kept = shelf.get(KEY).await.map_err(unknown)?;
    let kept: Vec<i64> = kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default();
    let recent: Vec<i64> =
        kept.into_iter().filter(|at| *at <= now.0 && now.since(Timestamp(*at)) < WINDOW).collect();
    if recent.len() < MOST {
        return Ok(recent);
    }
    let first = recent.iter().min().copied().unwrap_or(now.0);
    let after = WINDOW.saturating_sub(now.since(Timestamp(first))).max(Duration::from_secs(1));
    let why = format!("{MOST} new sessions within an hour: something ends them");
    Err(SendError::Retry { after: Some(after), why })
}

fn unknown(error: ShelfError) -> SendError {
    SendError::Retry { after: None, why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_budget_that_is_nearly_used_is_left_alone() {
        assert!(allowed(&json!({})).is_ok());
        assert!(allowed(&json!({ "session_start_limit": { "remaining": 990, "reset_after": 5 } })).is_ok());
        let told = allowed(&json!({ "session_start_limit": { "remaining": 3, "reset_after": 60_000 } }));
        assert!(
            matches!(told, Err(SendError::Retry { after: Some(wait), .. }) if wait == Duration::from_secs(60))
        );
    }
}
