//! `canned`: replies that are written once and used often; everybody's, and one's own.
//!
//! Not here: filling in names (the console).

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use deskbridge_contract::Timestamp;
use deskbridge_store::Admin;
use deskbridge_store::rows::KeptRow;
use serde::{Deserialize, Serialize};

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::signin::done;
use crate::http::problem::Problem;
use crate::http::session;

const KIND: &str = "canned";
/// Of one owner.
const MOST: usize = 500;

#[derive(Serialize, Deserialize)]
struct Reply {
    shortcut: String,
    text: String,
}

#[derive(Serialize)]
struct CannedView {
    id: String,
    shortcut: String,
    text: String,
    shared: bool,
}

fn view(row: KeptRow) -> Option<CannedView> {
    let Reply { shortcut, text } = serde_json::from_str(row.value.as_deref()?).ok()?;
    Some(CannedView { id: row.key, shortcut, text, shared: row.owner.is_empty() })
}

pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let mut rows = api.bridge.read.kept(KIND, "").await?;
    if let Some(own) = &call.caller.technician {
        rows.extend(api.bridge.read.kept(KIND, own.as_str()).await?);
    }
    let mut views: Vec<CannedView> = rows.into_iter().filter_map(view).collect();
    views.sort_by(|a, b| (&a.shortcut, &a.id).cmp(&(&b.shortcut, &b.id)));
    Ok(one(views))
}

pub async fn add(api: Arc<Api>, call: Call) -> Answer {
    let owner = owner(&call, call.flag("shared"))?;
    if api.bridge.read.kept(KIND, &owner).await?.len() >= MOST {
        return Err(Problem::conflict("full", format!("there are {MOST} already")));
    }
    let id = session::secret()?[..32].to_owned();
    let view = api.put(&call, owner, id).await?;
    Ok((StatusCode::CREATED, Json(serde_json::json!({"data": view}))).into_response())
}

pub async fn change(api: Arc<Api>, call: Call) -> Answer {
    let row = api.canned(&call).await?;
    owner(&call, row.owner.is_empty())?;
    Ok(one(api.put(&call, row.owner, row.key).await?))
}

pub async fn remove(api: Arc<Api>, call: Call) -> Answer {
    let row = api.canned(&call).await?;
    owner(&call, row.owner.is_empty())?;
    api.bridge.writer.admin(Admin::Keep(KeptRow { value: None, ..row })).await?;
    done()
}

/// What belongs to everybody is changed by those who look after everybody.
fn owner(call: &Call, shared: bool) -> Result<String, Problem> {
    if !shared {
        return Ok(call.caller.acts()?.0.clone());
    }
    if call.caller.oversees() {
        return Ok(String::new());
    }
    Err(Problem::forbidden("not-permitted", "supervisors and admins change what everybody uses"))
}

impl Api {
    /// The one that the path names: everybody's or one's own; somebody else's is not there (S66).
    async fn canned(&self, call: &Call) -> Result<KeptRow, Problem> {
        let id = call.part("canned");
        if let Some(row) = self.bridge.read.kept_one(KIND, "", id).await? {
            return Ok(row);
        }
        if let Some(own) = &call.caller.technician
            && let Some(row) = self.bridge.read.kept_one(KIND, own.as_str(), id).await?
        {
            return Ok(row);
        }
        if self.is_somebodys(id).await? {
            self.refused(call, None);
        }
        Err(Problem::not_found())
    }

    /// Everybody is looked at, found or not: the answer takes as long for what does not exist.
    async fn is_somebodys(&self, id: &str) -> Result<bool, Problem> {
        let policy = self.bridge.policy.current();
        let mut found = false;
        for technician in policy.policy.technicians.keys() {
            found |= self.bridge.read.kept_one(KIND, technician.as_str(), id).await?.is_some();
        }
        Ok(found)
    }

    async fn put(&self, call: &Call, owner: String, key: String) -> Result<CannedView, Problem> {
        let text = |name| call.text(name).unwrap_or_default().trim().to_owned();
        let reply =
            Reply { shortcut: text("shortcut").trim_start_matches('/').to_owned(), text: text("text") };
        if reply.shortcut.is_empty() || reply.shortcut.chars().any(char::is_whitespace) {
            return Err(Problem::bad("field", "`shortcut` is one word"));
        }
        let value = serde_json::to_string(&reply).map_err(|_| Problem::internal())?;
        let row = KeptRow { kind: KIND.into(), owner, key, value: Some(value), updated: Timestamp(0) };
        self.bridge.writer.admin(Admin::Keep(row.clone())).await?;
        view(row).ok_or_else(Problem::internal)
    }
}
