//! `settings`: what admins change daily. What the file says is shown, and cannot be changed here (D45).
//!
//! Not here: what a setting means (`config`), putting it in force (`app/settings.rs`).

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use deskbridge_contract::Timestamp;
use deskbridge_conversation::TechnicianId;
use deskbridge_store::Admin;
use deskbridge_store::rows::KeptRow;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Api;
use super::call::{Answer, Call};
use super::page::one;
use super::signin::{done, login_of};
use crate::app::settings::{Refused, SETTING, TECHNICIAN};
use crate::config::{Config, Fault, Origin, is_editable, slug};
use crate::http::problem::Problem;

#[derive(Serialize)]
pub struct SettingView {
    path: String,
    /// As in the file, in JSON; `null` where nothing is set.
    value: Value,
    from: &'static str,
    /// Whether it can be changed here.
    editable: bool,
}

/// The sections that are shown. Channels and their tokens are the file's business.
const SHOWN: &[&str] =
    &["queues.", "technicians[", "sessions.", "handover.", "assistant.", "tickets.", "desk.undo_window"];

pub async fn list(api: Arc<Api>, _: Call) -> Answer {
    let config = api.settings.current();
    let shown = config.in_effect().filter(|(path, _, _)| SHOWN.iter().any(|start| path.starts_with(start)));
    let views = shown.map(|(path, value, origin)| view(&config, path, value, origin));
    Ok(one(views.collect::<Vec<_>>()))
}

pub fn view(config: &Config, path: String, value: Option<&str>, origin: &Origin) -> SettingView {
    let from = match origin {
        Origin::Default => "default",
        Origin::File(_) | Origin::SecretFile(_) => "file",
        Origin::Variable(_) => "environment",
        Origin::Console => "console",
    };
    let editable = is_editable(&path) && !config.is_fixed(&path);
    SettingView { value: value.and_then(json).unwrap_or_default(), editable, path, from }
}

/// A TOML value as JSON.
fn json(value: &str) -> Option<Value> {
    let table: toml::Table = format!("value = {value}").parse().ok()?;
    serde_json::to_value(table.get("value")?).ok()
}

pub async fn change(api: Arc<Api>, call: Call) -> Answer {
    let path = call.text("path").unwrap_or_default().to_owned();
    let config = api.settings.current();
    if !is_editable(&path) {
        return Err(Problem::bad("setting", "this is set in the file, or is no setting"));
    }
    if config.is_fixed(&path) {
        return Err(Problem::conflict("fixed", "the file or the environment sets this; change it there"));
    }
    let value = call.fields.get("value").filter(|value| !value.is_null()).cloned();
    api.keep(SETTING, &path, value.as_ref()).await?;
    api.audit(Some(call.caller.known_as()), format!("changed the setting {path}")).await?;
    let config = api.settings.current();
    let now = config.in_effect().find(|(found, _, _)| *found == path);
    let nothing = SettingView { path: path.clone(), value: Value::Null, from: "default", editable: true };
    Ok(one(now.map_or(nothing, |(path, value, origin)| view(&config, path, value, origin))))
}

pub async fn add_technician(api: Arc<Api>, call: Call) -> Answer {
    let _one = api.accounts.lock().await;
    let id = api.fresh_id(call.text("name").unwrap_or_default()).await?;
    let value = Value::Object(fields(&call));
    api.keep_technician(&id, Some(&value)).await?;
    api.audit(Some(call.caller.known_as()), format!("added the technician {id}")).await?;
    let body = Json(serde_json::json!({"data": technician(&id, value)}));
    Ok((StatusCode::CREATED, body).into_response())
}

/// Nobody changes their own role, and an admin is always left (S73). Who gets another role signs in anew (S77).
pub async fn change_technician(api: Arc<Api>, call: Call) -> Answer {
    let _one = api.accounts.lock().await;
    let id = api.changeable(&call)?;
    let role = call.text("role").unwrap_or("technician");
    let own = call.caller.technician.as_ref() == Some(&id);
    if role != "admin" && own && call.caller.is_admin() {
        return Err(Problem::forbidden("own-role", "somebody else has to change your role"));
    }
    if role != "admin" && !api.has_admin(Some(&id)).await? {
        return Err(Problem::conflict("last-admin", "nobody else could sign in as admin"));
    }
    let value = Value::Object(fields(&call));
    let role = |api: &Api| api.bridge.policy.current().policy.role(&id);
    let before = role(&api);
    api.keep_technician(&id, Some(&value)).await?;
    if role(&api) != before {
        api.end_sessions(&id).await?;
    }
    api.audit(Some(call.caller.known_as()), format!("changed the technician {id}")).await?;
    Ok(one(technician(&id, value)))
}

pub async fn remove_technician(api: Arc<Api>, call: Call) -> Answer {
    let _one = api.accounts.lock().await;
    let id = api.changeable(&call)?;
    if call.caller.technician.as_ref() == Some(&id) {
        return Err(Problem::forbidden("own-account", "somebody else has to remove you"));
    }
    if !api.has_admin(Some(&id)).await? {
        return Err(Problem::conflict("last-admin", "nobody else could sign in as admin"));
    }
    api.end_all(&id, None).await?;
    if let Some(account) = api.bridge.read.account(&id).await? {
        let gone = deskbridge_store::rows::AccountRow { password: None, disabled: true, ..account };
        api.bridge.writer.admin(Admin::PutAccount(gone)).await?;
    }
    // Whoever has this id next sets up their own.
    api.drop_factor(&id).await?;
    // By which company account they came stays known: nobody who was removed is made anew by signing in.
    api.keep_technician(&id, None).await?;
    api.audit(Some(call.caller.known_as()), format!("removed the technician {id}")).await?;
    done()
}

fn technician(id: &TechnicianId, value: Value) -> SettingView {
    SettingView { path: format!("technicians.{id}"), value, from: "console", editable: true }
}

/// The body as it stands in a file, without what is empty.
fn fields(call: &Call) -> Map<String, Value> {
    let mut fields = call.fields.clone();
    fields.retain(|_, value| !value.as_array().is_some_and(Vec::is_empty));
    if let Some(email) = call.text("email") {
        fields.insert("email".into(), login_of(email).into());
    }
    fields
}

impl Api {
    async fn keep(&self, kind: &str, key: &str, value: Option<&Value>) -> Result<(), Problem> {
        let row = KeptRow {
            kind: kind.into(),
            owner: String::new(),
            key: key.into(),
            value: value.map(Value::to_string),
            updated: Timestamp(0),
        };
        self.settings.change(&self.bridge, row).await.map_err(|refused| match refused {
            Refused::Store(error) => error.into(),
            Refused::Faults(faults) => Problem::bad("setting", said(&faults)),
        })
    }

    pub async fn keep_technician(&self, id: &TechnicianId, value: Option<&Value>) -> Result<(), Problem> {
        self.keep(TECHNICIAN, id.as_str(), value).await
    }

    /// An id that nobody has or had, made from a name: passwords and company accounts of those who were removed still name
    /// theirs.
    pub async fn fresh_id(&self, name: &str) -> Result<TechnicianId, Problem> {
        let slug = slug(name);
        if slug.is_empty() {
            return Err(Problem::bad("field", "`name` needs a letter of a to z or a digit"));
        }
        let read = self.bridge.read.as_ref();
        let mut had: HashSet<TechnicianId> = super::admitted::bound(read).await?.into_iter().collect();
        had.extend(read.accounts().await?.into_iter().map(|account| account.technician));
        let policy = self.bridge.policy.current();
        let free = |id: &TechnicianId| !policy.policy.technicians.contains_key(id) && !had.contains(id);
        let numbered = (2..1_000).map(|n| TechnicianId(format!("{slug}-{n}")));
        let mut all = std::iter::once(TechnicianId(slug.clone())).chain(numbered);
        all.find(free).ok_or_else(|| Problem::conflict("name", "too many have this name"))
    }

    /// The technician that the path names, who is not in the file.
    fn changeable(&self, call: &Call) -> Result<TechnicianId, Problem> {
        let id = self.technician_of(call)?;
        if self.settings.current().has_fixed(id.as_str()) {
            return Err(Problem::conflict("fixed", "this technician stands in the file; change them there"));
        }
        Ok(id)
    }
}

fn said(faults: &[Fault]) -> String {
    let said = faults.iter().map(|fault| format!("{}: expected {}", fault.path, fault.expected));
    said.collect::<Vec<_>>().join("; ")
}
