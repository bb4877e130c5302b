//! Who helps beside the one who has the conversation: invited, joined by themselves, or called.
//!
//! Not here: what co-repliers may do (`airlock`, `verbs/permit.rs`), handing a conversation on (`assigned.rs`).

use crate::notices::DeskNotice;
use crate::*;

pub fn invite(stage: &mut Assigned, cx: &mut Context<'_>, by: &TechnicianId, who: &TechnicianId) {
    if *who == stage.technician || stage.co_repliers.contains(who) {
        return;
    }
    stage.co_repliers.push(who.clone());
    let desks = cx.watching(stage.working);
    if who == by {
        cx.tell_desks(&DeskNotice::Joined { name: cx.policy.name(by) }, &desks, &[]);
        return;
    }
    let notice = DeskNotice::Invited { name: cx.policy.name(who), by: cx.policy.name(by) };
    cx.tell_desks(&notice, &desks, std::slice::from_ref(who));
    cx.effect(Effect::Notify { technician: who.clone(), kind: NoticeKind::Invited });
}

/// People who are called at once; more would be an alarm.
const CALLED: usize = 10;

pub fn call(stage: &Assigned, cx: &mut Context<'_>, by: &TechnicianId) {
    let members = cx.policy.queue(&cx.c.queue).technicians.into_iter();
    let others =
        members.filter(|who| who != by && *who != stage.technician && !stage.co_repliers.contains(who));
    let called: Vec<TechnicianId> = others.take(CALLED).collect();
    let desks = cx.watching(stage.working);
    cx.tell_desks(&DeskNotice::BackupCalled { name: cx.policy.name(by) }, &desks, &called);
}
