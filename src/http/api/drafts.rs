//! `conversations/{conversation}/draft`: what somebody has written and not sent, on whichever screen they go on.
//!
//! Not here: drafts that the assistant makes (messages).

use std::sync::Arc;

use deskbridge_contract::Timestamp;
use deskbridge_store::rows::KeptRow;
use deskbridge_store::{Admin, AdminDone};
use serde::{Deserialize, Serialize};

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use crate::http::problem::Problem;

const KIND: &str = KeptRow::DRAFT;

#[derive(Default, Serialize, Deserialize)]
struct Draft {
    reply: String,
    note: String,
}

pub async fn get(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    Ok(one(api.draft(&call, &conversation.id.0.to_string()).await?))
}

pub async fn put(api: Arc<Api>, call: Call) -> Answer {
    let conversation = api.seen(&call).await?;
    if conversation.is_erased() {
        return Err(erased());
    }
    let owner = call.caller.acts()?.0.clone();
    let key = conversation.id.0.to_string();
    let mut draft = api.draft(&call, &key).await?;
    let given = |name: &str, before: String| call.text(name).map_or(before, str::to_owned);
    draft = Draft { reply: given("reply", draft.reply), note: given("note", draft.note) };
    let empty = draft.reply.is_empty() && draft.note.is_empty();
    let value = serde_json::to_string(&draft).map_err(|_| Problem::internal())?;
    let row =
        KeptRow { kind: KIND.into(), owner, key, value: (!empty).then_some(value), updated: Timestamp(0) };
    if api.bridge.writer.admin(Admin::Keep(row)).await? == AdminDone::Unknown {
        return Err(erased());
    }
    Ok(one(draft))
}

fn erased() -> Problem {
    Problem::conflict("erased", "the requester of this conversation was erased")
}

impl Api {
    async fn draft(&self, call: &Call, key: &str) -> Result<Draft, Problem> {
        let Some(own) = &call.caller.technician else { return Ok(Draft::default()) };
        let row = self.bridge.read.kept_one(KIND, own.as_str(), key).await?;
        Ok(row.and_then(|row| serde_json::from_str(row.value.as_deref()?).ok()).unwrap_or_default())
    }
}
