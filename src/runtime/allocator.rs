//! Finds somebody for whoever waits, and tells conversations when their technician comes and goes.
//!
//! Not here: who is chosen (`conversation/allocation.rs`). Level-triggered: it looks at everybody who waits each time
//! something changed, so there is no state from which a conversation is never offered again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use deskbridge_conversation::allocation::{Candidate, Waiting, propose};
use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::{
    Conversation, ConversationId, EventBody, OfferTo, Presence, QueueId, RosterEvent, Stage, TechnicianId,
};
use deskbridge_store::rows::TechnicianRow;
use deskbridge_store::{Apply, Cause, Committed, Guard, Refs, StoreError, Target};
use tokio::sync::mpsc;

use super::Bridge;

/// Looked at in any case this often.
const TICK: Duration = Duration::from_secs(15);
/// Waiting conversations looked at in one go; the oldest and most urgent come first.
const AT_ONCE: u32 = 2_000;

pub async fn run(bridge: Arc<Bridge>, mut committed: mpsc::UnboundedReceiver<Arc<Committed>>) {
    let mut known: HashMap<TechnicianId, Presence> = HashMap::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let matters = tokio::select! {
            () = bridge.stop.cancelled() => return,
            commit = committed.recv() => match commit {
                Some(commit) => matters(&commit),
                None => return,
            },
            _ = tick.tick() => true,
        };
        let mut matters = matters;
        while let Ok(commit) = committed.try_recv() {
            matters |= self::matters(&commit);
        }
        if matters && let Err(error) = look(&bridge, &mut known).await {
            tracing::warn!(%error, "allocation: the store could not be read; tried again soon");
        }
        bridge.board.tidy(tokio::time::Instant::now());
    }
}

/// Whether a commit can change who waits or who is free.
fn matters(commit: &Committed) -> bool {
    commit.roster
        || commit.changes.iter().any(|change| {
            change.conversation.is_waiting()
                || change.before.is_some_and(|before| before != change.conversation.stage_name())
        })
}

async fn look(bridge: &Arc<Bridge>, known: &mut HashMap<TechnicianId, Presence>) -> Result<(), StoreError> {
    let rows = bridge.read.technicians().await?;
    bridge.board.set_presences(rows.iter().map(|row| (row.id.clone(), row.presence)).collect());
    presence_changes(bridge, &rows, known).await?;
    let waiting = bridge.read.waiting(AT_ONCE).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let policy = bridge.policy.current();
    let candidates: Vec<Candidate> = rows.iter().filter_map(|row| candidate(&policy.policy, row)).collect();
    let (now, mut open) = (bridge.now(), HashMap::new());
    let mut is_open =
        |queue: &QueueId| *open.entry(queue.clone()).or_insert_with(|| bridge.board.is_open(queue, now));
    let within_hours = waiting.iter().filter(|conversation| is_open(&conversation.queue));
    let asked: Vec<Waiting> = within_hours.filter_map(|c| as_waiting(&policy.policy, c)).collect();
    let proposals = proposals(&asked, candidates, &policy.policy, |who| bridge.board.is_away(who));
    let applies = proposals.into_iter().filter_map(|(id, to)| {
        let conversation = waiting.iter().find(|conversation| conversation.id == id)?;
        Some(proposal(bridge, &policy.policy, conversation, to))
    });
    for applied in futures_util::future::join_all(applies.map(|apply| bridge.writer.apply(apply))).await {
        applied?;
    }
    Ok(())
}

/// Whoever a platform shows as away is asked for what nobody else can take.
fn proposals(
    asked: &[Waiting],
    candidates: Vec<Candidate>,
    policy: &Policy,
    is_away: impl Fn(&TechnicianId) -> bool,
) -> Vec<(ConversationId, OfferTo)> {
    let (away, here): (Vec<Candidate>, Vec<Candidate>) =
        candidates.into_iter().partition(|candidate| is_away(&candidate.id));
    let mut proposals = propose(asked, &here, policy);
    if !away.is_empty() {
        let left = |waiting: &&Waiting| !proposals.iter().any(|(id, _)| *id == waiting.conversation);
        let left: Vec<Waiting> = asked.iter().filter(left).cloned().collect();
        proposals.extend(propose(&left, &away, policy));
    }
    proposals
}

fn proposal(bridge: &Bridge, policy: &Policy, conversation: &Conversation, to: OfferTo) -> Apply {
    let seq = conversation.seq;
    let guard = match &to {
        OfferTo::One(technician) => {
            let capacity = policy.technicians.get(technician).map_or(0, |t| t.capacity);
            Guard::Capacity { seq, technician: technician.clone(), capacity }
        }
        OfferTo::Everyone => Guard::Seq(seq),
    };
    Apply {
        cause: Cause::Roster(conversation.id, format!("offer:{seq}")),
        target: Target::Conversation(conversation.id),
        at: bridge.now(),
        body: EventBody::Roster(RosterEvent::Proposed { to }),
        content: None,
        refs: Refs::default(),
        guard: Some(guard),
    }
}

fn candidate(policy: &Policy, row: &TechnicianRow) -> Option<Candidate> {
    let technician = policy.technicians.get(&row.id)?;
    let member = policy.queues.iter().filter(|(_, queue)| queue.technicians.contains(&row.id));
    Some(Candidate {
        id: row.id.clone(),
        presence: row.presence,
        load: row.load,
        capacity: technician.capacity,
        skills: technician.skills.clone(),
        languages: technician.languages.clone(),
        last_assigned: row.last_assigned,
        queues: member.map(|(name, _)| name.clone()).collect(),
    })
}

fn as_waiting(policy: &Policy, conversation: &Conversation) -> Option<Waiting> {
    let Stage::Handover(handover) = &conversation.stage else { return None };
    Some(Waiting {
        conversation: conversation.id,
        queue: conversation.queue.clone(),
        priority: conversation.priority,
        front: handover.front,
        since: handover.since,
        excluded: handover.excluded.clone(),
        sticky: conversation.last_technician.clone().or_else(|| conversation.familiar.clone()),
        skills: policy.queue(&conversation.queue).skills,
        language: conversation.requester.language.clone(),
    })
}

/// Tells conversations about technicians who came or went since the last look. After a start everybody who is off
/// counts as just gone: the core ignores what it knows already.
async fn presence_changes(
    bridge: &Arc<Bridge>,
    rows: &[TechnicianRow],
    known: &mut HashMap<TechnicianId, Presence>,
) -> Result<(), StoreError> {
    for row in rows {
        let before = known.insert(row.id.clone(), row.presence);
        let event = match (before, row.presence) {
            (before, Presence::Offline) if before != Some(Presence::Offline) => {
                RosterEvent::WentOffline { technician: row.id.clone() }
            }
            // After a start, somebody who is on may have come back just before the program ended.
            (before, Presence::Available) if before != Some(Presence::Available) => {
                RosterEvent::CameBack { technician: row.id.clone() }
            }
            // Busy is not gone.
            (None | Some(Presence::Offline), Presence::Busy | Presence::Away) => {
                RosterEvent::CameBack { technician: row.id.clone() }
            }
            _ => continue,
        };
        tell(bridge, row, event).await?;
    }
    Ok(())
}

async fn tell(bridge: &Arc<Bridge>, row: &TechnicianRow, event: RosterEvent) -> Result<(), StoreError> {
    let mut concerned = bridge.read.of_technician(&row.id).await?;
    if matches!(event, RosterEvent::CameBack { .. }) {
        concerned.retain(|conversation| match &conversation.stage {
            Stage::Assigned(assigned) => assigned.offline.is_some(),
            Stage::Assisting(_) | Stage::Handover(_) | Stage::Closed(_) => false,
        });
        let waiting = bridge.read.waiting(AT_ONCE).await?;
        concerned.extend(waiting.into_iter().filter(|conversation| match &conversation.stage {
            Stage::Handover(handover) => handover.excluded.contains(&row.id),
            Stage::Assisting(_) | Stage::Assigned(_) | Stage::Closed(_) => false,
        }));
    }
    let word = match event {
        RosterEvent::CameBack { .. } => "back",
        RosterEvent::WentOffline { .. } | RosterEvent::Proposed { .. } | RosterEvent::ClaimRefused { .. } => {
            "off"
        }
    };
    for conversation in concerned {
        let apply = Apply {
            cause: Cause::Roster(conversation.id, format!("{word}:{}:{}", row.id, row.since.0)),
            target: Target::Conversation(conversation.id),
            at: bridge.now(),
            body: EventBody::Roster(event.clone()),
            content: None,
            refs: Refs::default(),
            guard: None,
        };
        bridge.writer.apply(apply).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: &str, load: u32) -> Candidate {
        Candidate {
            id: id.into(),
            presence: Presence::Available,
            load,
            capacity: 1,
            skills: Vec::new(),
            languages: Vec::new(),
            last_assigned: None,
            queues: vec!["default".into()],
        }
    }

    fn waiting(number: i64) -> Waiting {
        Waiting {
            conversation: ConversationId(number),
            queue: "default".into(),
            priority: 0,
            front: false,
            since: deskbridge_contract::Timestamp(number),
            excluded: Vec::new(),
            sticky: None,
            skills: Vec::new(),
            language: "en".into(),
        }
    }

    /// Being away is no reason to be left out: it only lets others go first.
    #[test]
    fn whoever_is_away_is_asked_last() {
        let policy = Policy::default();
        let asked = [waiting(1), waiting(2), waiting(3)];
        let all = || vec![candidate("ana", 0), candidate("bob", 0), candidate("cem", 1)];
        let offers = |away: &[&str]| -> Vec<(i64, OfferTo)> {
            let made = proposals(&asked, all(), &policy, |who| away.contains(&who.as_str()));
            made.into_iter().map(|(id, to)| (id.0, to)).collect()
        };
        let to = |id: &str| OfferTo::One(id.into());
        assert_eq!(offers(&[]), [(1, to("ana")), (2, to("bob"))]);
        assert_eq!(offers(&["ana"]), [(1, to("bob")), (2, to("ana"))]);
        assert_eq!(offers(&["ana", "bob"]), [(1, to("ana")), (2, to("bob"))]);
    }
}
