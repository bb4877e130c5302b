//! Who may use which verb (D17).
//!
//! Not here: whether the verb makes sense in the stage (the stages), who counts as a technician at all (services).

use super::Verb;
use crate::ids::TechnicianId;
use crate::policy::{Policy, ReplyMode, Role};
use crate::{Conversation, OfferTo, Stage};

/// `Err` says why not, in plain text for the person who asked. `mode`: of the room it was asked in; `None` elsewhere.
pub fn permitted(
    verb: &Verb,
    by: &TechnicianId,
    conversation: &Conversation,
    policy: &Policy,
    mode: Option<ReplyMode>,
) -> Result<(), String> {
    if oversees(by, policy) {
        return Ok(());
    }
    match verb {
        Verb::Accept
        | Verb::Decline
        | Verb::Transfer { .. }
        | Verb::Invite { .. }
        | Verb::Backup
        | Verb::Join
        | Verb::Ticket
        | Verb::Priority { .. }
        | Verb::Label { .. }
        | Verb::Summary
        | Verb::Suggest
        | Verb::Info
        | Verb::Help
        | Verb::Reopen
        | Verb::Send { .. }
        | Verb::TakeOver => concerned(by, conversation, policy),
        Verb::Snooze { .. } | Verb::Handback | Verb::Resolve { .. } | Verb::Csat => {
            may_reply(by, conversation, policy, mode)
        }
        Verb::Leave if replies(by, conversation) => Ok(()),
        Verb::Leave => Err("you are not part of this conversation".to_owned()),
        // The stage looks whose message it is; one's own presence is nobody else's business.
        Verb::Undo | Verb::On | Verb::Busy | Verb::Off => Ok(()),
    }
}

/// Whether words of this person may go to the requester: assigned, co-replier, or any member in `direct` mode.
pub fn may_reply(
    by: &TechnicianId,
    conversation: &Conversation,
    policy: &Policy,
    mode: Option<ReplyMode>,
) -> Result<(), String> {
    if oversees(by, policy) || replies(by, conversation) {
        return Ok(());
    }
    if mode == Some(ReplyMode::Direct) {
        return concerned(by, conversation, policy);
    }
    match &conversation.stage {
        Stage::Assigned(assigned) => Err(format!(
            "{} owns this conversation; ask to be invited, or take it over",
            policy.name(&assigned.technician)
        )),
        Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => {
            Err("nobody owns this conversation yet; accept it first".to_owned())
        }
    }
}

fn oversees(by: &TechnicianId, policy: &Policy) -> bool {
    match policy.role(by) {
        Role::Supervisor | Role::Admin => true,
        Role::Technician => false,
    }
}

fn replies(by: &TechnicianId, conversation: &Conversation) -> bool {
    match &conversation.stage {
        Stage::Assigned(assigned) => assigned.technician == *by || assigned.co_repliers.contains(by),
        Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => false,
    }
}

/// Members of the queue, and whoever was brought in from outside it: owner, co-replier, the person asked.
fn concerned(by: &TechnicianId, conversation: &Conversation, policy: &Policy) -> Result<(), String> {
    let asked = match &conversation.stage {
        Stage::Handover(handover) => {
            handover.offer.as_ref().is_some_and(|offer| offer.to == OfferTo::One(by.clone()))
        }
        Stage::Assigned(assigned) => assigned.transfer.as_ref().is_some_and(|transfer| transfer.to == *by),
        Stage::Assisting(_) | Stage::Closed(_) => false,
    };
    if asked || replies(by, conversation) || policy.is_member(by, &conversation.queue) {
        return Ok(());
    }
    Err(format!("only technicians of the queue {} can do this", conversation.queue))
}
