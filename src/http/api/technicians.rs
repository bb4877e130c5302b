//! `technicians`: who is there, with how much; and presence.
//!
//! Not here: allocation, what presence means for it.

use std::sync::Arc;

use deskbridge_conversation::policy::{Policy, Role};
use deskbridge_conversation::{Presence, TechnicianId};
use deskbridge_store::Admin;
use deskbridge_store::rows::TechnicianRow;
use serde::Serialize;

use super::Api;
use super::call::{Answer, Call};
use super::once::replayed;
use super::page::one;
use super::sight::{sees_queue, sees_technician};
use super::view::time;
use crate::http::problem::Problem;

pub const PRESENCES: &[&str] = &["available", "busy", "away", "offline"];

#[derive(Serialize)]
struct TechnicianView {
    id: String,
    name: String,
    role: Role,
    presence: Presence,
    since: Option<String>,
    load: u32,
    capacity: u32,
    queues: Vec<String>,
}

fn view(call: &Call, policy: &Policy, id: &TechnicianId, row: Option<&TechnicianRow>) -> TechnicianView {
    // Whoever cannot see a queue does not learn who else is in it.
    let member_of = policy.queues.keys().filter(|queue| policy.is_member(id, queue));
    let queues = member_of.filter(|queue| sees_queue(&call.caller, queue, policy));
    let technician = policy.technicians.get(id);
    TechnicianView {
        id: id.0.clone(),
        name: policy.name(id),
        role: policy.role(id),
        presence: row.map_or(Presence::Offline, |row| row.presence),
        since: row.map(|row| time(row.since)),
        load: row.map_or(0, |row| row.load),
        capacity: technician.map_or(0, |technician| technician.capacity),
        queues: queues.map(|queue| queue.0.clone()).collect(),
    }
}

pub async fn list(api: Arc<Api>, call: Call) -> Answer {
    let rows = api.bridge.read.technicians().await?;
    let policy = api.bridge.policy.current();
    let seen =
        policy.policy.technicians.keys().filter(|id| sees_technician(&call.caller, id, &policy.policy));
    let views = seen.map(|id| view(&call, &policy.policy, id, rows.iter().find(|row| row.id == *id)));
    Ok(one(views.collect::<Vec<_>>()))
}

/// One's own; supervisors and admins set that of others.
pub async fn set_presence(api: Arc<Api>, call: Call) -> Answer {
    let id = TechnicianId::from(call.part("technician"));
    let policy = api.bridge.policy.current();
    if !policy.policy.technicians.contains_key(&id) {
        return Err(Problem::not_found());
    }
    if !sees_technician(&call.caller, &id, &policy.policy) {
        api.refused(&call, None);
        return Err(Problem::not_found());
    }
    let own = call.caller.technician.as_ref() == Some(&id);
    // A token of nobody speaks for others only when it may do everything.
    let may = own || (call.caller.oversees() && (call.caller.technician.is_some() || call.caller.is_admin()));
    if !may {
        return Err(Problem::forbidden("not-permitted", "one's own presence only"));
    }
    let presence = match call.text("presence") {
        Some("available") => Presence::Available,
        Some("busy") => Presence::Busy,
        Some("away") => Presence::Away,
        _ => Presence::Offline,
    };
    api.onces.begin(&call.once)?;
    let again = api.onces.was_finished(&call.once);
    if !again {
        api.bridge.set_presence(&id, presence).await?;
        if !own {
            let (by, act) = (Some(call.caller.known_as()), format!("set the presence of {id}"));
            api.bridge.writer.admin(Admin::Audit { by, act, conversation: None }).await?;
        }
        api.onces.finished(&call.once);
    }
    let rows = api.bridge.read.technicians().await?;
    let response = one(view(&call, &policy.policy, &id, rows.iter().find(|row| row.id == id)));
    Ok(if again { replayed(response) } else { response })
}
