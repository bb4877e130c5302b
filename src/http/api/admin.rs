//! `quarantine` and `audit`: for admins.
//!
//! Not here: changing either; nobody can.

use std::sync::Arc;

use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::view::time;
use crate::runtime::render::cut;
use crate::telemetry::redact;

/// Characters of a raw event that are shown.
const RAW: usize = 2_000;

#[derive(Serialize)]
struct QuarantineView {
    id: i64,
    channel: String,
    why: String,
    at: String,
    size: usize,
    /// Its beginning, without secrets; what is no UTF-8 is replaced.
    raw: String,
}

pub async fn quarantine(api: Arc<Api>, call: Call) -> Answer {
    let rows = api.bridge.read.quarantine(call.limit()?).await?;
    let views = rows.into_iter().map(|row| QuarantineView {
        id: row.id,
        channel: row.channel.0,
        why: row.why,
        at: time(row.now),
        size: row.raw.len(),
        raw: cut(&redact(&String::from_utf8_lossy(&row.raw)), RAW),
    });
    Ok(one(views.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct AuditView {
    id: i64,
    at: String,
    by: Option<String>,
    act: String,
    conversation: Option<i64>,
    hash: String,
}

pub async fn audit(api: Arc<Api>, call: Call) -> Answer {
    let rows = api.bridge.read.audit(call.limit()?).await?;
    let views = rows.into_iter().map(|row| AuditView {
        id: row.id,
        at: time(row.now),
        by: row.by,
        act: row.act,
        conversation: row.conversation.map(|id| id.0),
        hash: row.hash,
    });
    Ok(one(views.collect::<Vec<_>>()))
}
