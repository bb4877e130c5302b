//! A room got a new address (Telegram: a group became a supergroup): configuration and conversations follow.
//!
//! Not here: how a platform says so (the adapters).

use deskbridge_contract::{Address, RoomId, Timestamp};
use deskbridge_conversation::policy::Policy;
use deskbridge_conversation::{
    Conversation, DeskActor, DeskEvent, EventBody, RequesterEvent, Session, SessionId, Via,
};
use deskbridge_store::read::ConversationFilter;
use deskbridge_store::{Admin, Apply, Cause, Read, Refs, StoreError, Target};

use super::{Bridge, render};

/// Conversations read in one go.
const PAGE: u32 = 500;

fn shelf_key(room: &RoomId) -> String {
    format!("moved:{room}")
}

/// Desk rooms of the configuration that moved since it was written, by what is on the shelf.
pub async fn moved(read: &dyn Read, policy: Policy) -> Result<Policy, StoreError> {
    moved_before(read, policy, &[]).await
}

/// As [`moved`], at a time when nothing had moved to `later` yet.
pub async fn moved_before(
    read: &dyn Read,
    mut policy: Policy,
    later: &[&Address],
) -> Result<Policy, StoreError> {
    for (channel, settings) in &mut policy.channels {
        let is_later = |to: &str| later.iter().any(|at| at.channel == *channel && at.room.as_str() == to);
        for desk in &mut settings.desks {
            // A room can move more than once.
            for _ in 0..8 {
                match read.shelf(channel, &shelf_key(&desk.room)).await? {
                    Some(to) if !is_later(&to) => desk.room = RoomId(to),
                    Some(_) | None => break,
                }
            }
        }
    }
    Ok(policy)
}

/// Desks of the policy follow a move.
pub fn follow(policy: &mut Policy, from: &Address, to: &Address) {
    if let Some(settings) = policy.channels.get_mut(&from.channel) {
        for desk in settings.desks.iter_mut().filter(|desk| desk.room == from.room) {
            desk.room = to.room.clone();
        }
    }
}

/// The session whose room moved, and where to, if an event tells that.
pub fn told(body: &EventBody) -> Option<(SessionId, &Address)> {
    match body {
        EventBody::Requester { session, what: RequesterEvent::RoomMoved { to } }
        | EventBody::Desk { via: Via::Room { session, .. }, what: DeskEvent::RoomMoved { to }, .. } => {
            Some((*session, to))
        }
        _ => None,
    }
}

impl Bridge {
    /// Re-keys every conversation that has a session there, then remembers the move: what is on the shelf is done.
    /// On an error the platform has to say so again; doing it twice is doing it once.
    pub async fn room_moved(&self, from: &Address, to: &Address) -> Result<(), StoreError> {
        let key = shelf_key(&from.room);
        if self.read.shelf(&from.channel, &key).await?.as_deref() == Some(to.room.as_str()) {
            return Ok(());
        }
        self.rekey_all(from, to).await?;
        let put = Admin::PutShelf { channel: from.channel.clone(), key, value: to.room.0.clone() };
        self.writer.admin(put).await?;
        let _one = self.changing.lock().await;
        let mut policy = self.policy.current().policy.clone();
        follow(&mut policy, from, to);
        self.policy.replace(policy);
        Ok(())
    }

    async fn rekey_all(&self, from: &Address, to: &Address) -> Result<(), StoreError> {
        let mut before = None;
        loop {
            let filter = ConversationFilter { before, limit: PAGE, ..ConversationFilter::default() };
            let page = self.read.conversations(&filter).await?;
            before = page.last().map(|conversation| conversation.id);
            let full = page.len() >= PAGE as usize;
            let applies = page.iter().flat_map(|conversation| rekeys(conversation, from, to, self.now()));
            for applied in futures_util::future::join_all(applies.map(|apply| self.writer.apply(apply))).await
            {
                applied?;
            }
            if !full {
                return Ok(());
            }
        }
    }
}

fn rekeys(conversation: &Conversation, from: &Address, to: &Address, now: Timestamp) -> Vec<Apply> {
    let here =
        |session: &&Session| session.address.channel == from.channel && session.address.room == from.room;
    let event = |session: &Session| {
        if render::is_requester(session) {
            EventBody::Requester { session: session.id, what: RequesterEvent::RoomMoved { to: to.clone() } }
        } else {
            EventBody::Desk {
                by: DeskActor::Outsider,
                via: Via::Room { session: session.id, user: "".into(), interaction: None },
                what: DeskEvent::RoomMoved { to: to.clone() },
            }
        }
    };
    let applies = conversation.sessions.iter().filter(here).map(|session| Apply {
        cause: Cause::Roster(conversation.id, format!("moved:{}:{}", session.id.0, to.room)),
        target: Target::Conversation(conversation.id),
        at: now,
        body: event(session),
        content: None,
        refs: Refs::default(),
        guard: None,
    });
    applies.collect()
}
