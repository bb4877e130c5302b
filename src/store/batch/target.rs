//! Finds the conversation that an event belongs to, and opens one where none is.
//!
//! Not here: what the event does there (the stages); whether a late message reopens (the closed stage asks).

use std::sync::Arc;

use deskbridge_contract::Address;
use deskbridge_conversation::{
    Closed, Conversation, ConversationId, DeskThread, EventBody, QueueId, Requester, RequesterEvent,
    RequesterVerb, Session, SessionId, SessionRole, Stage, TechnicianId, Via, Wish,
};

use crate::backend::RemoteHit;
use crate::job::{Refs, RemoteRef, Target};

use super::Batch;
use super::keys::named;

pub(super) enum Located {
    At(Place),
    /// No such conversation, or none at this address.
    Nowhere,
    /// It is about something that we do not know, and nothing comes of it.
    Meaningless,
}

pub(super) struct Place {
    pub(super) conversation: Arc<Conversation>,
    /// The session that the address is, when the target was one.
    pub(super) session: Option<SessionId>,
    pub(super) opened: bool,
}

/// When a requester's event opens a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// When there is none, or the latest was closed too long ago (L1, L8).
    Afresh,
    /// When there is none at all: an old conversation can still be rated or asked about.
    First,
    /// It is about what was said before; nothing was.
    Never,
}

impl Batch<'_> {
    pub(super) fn locate(&self, target: &Target, body: &EventBody, refs: &Refs) -> Located {
        match target {
            Target::Conversation(id) => match self.conversations.get(id) {
                Some(conversation) => {
                    Located::At(Place { conversation: conversation.clone(), session: None, opened: false })
                }
                None => Located::Nowhere,
            },
            Target::Requester { address, requester, queue, priority, force_new, shared } => {
                if let Some(place) = self.of_words(address, body, refs) {
                    return Located::At(place);
                }
                let is_another = |place: &Place| *shared && place.conversation.requester.id != requester.id;
                let mut latest = self.latest(address, is_requester);
                if latest.as_ref().is_some_and(is_another) {
                    latest = self.of_own_button(address, requester, body, refs).or(latest);
                }
                let opens = opens(body);
                let over = latest.as_ref().is_some_and(|place| {
                    opens == Opens::Afresh
                        && (self.is_over(place) || (is_another(place) && is_free(place, address, body)))
                });
                match latest {
                    Some(place) if !force_new && !over => Located::At(place),
                    Some(_) | None if opens == Opens::Never => Located::Meaningless,
                    before => {
                        let mut conversation = self.open(address, requester, queue, *priority);
                        let theirs = before.filter(|place| !is_another(place));
                        conversation.familiar = theirs.and_then(|place| helper_of(&place.conversation));
                        Located::At(Place {
                            session: conversation.sessions.first().map(|s| s.id),
                            conversation: Arc::new(conversation),
                            opened: true,
                        })
                    }
                }
            }
            Target::Desk { address } => {
                match self.latest(address, is_open_desk).or_else(|| self.of_card(address, refs)) {
                    Some(place) => Located::At(place),
                    None => Located::Nowhere,
                }
            }
        }
    }

    /// The latest conversation with a session at the address.
    fn latest(&self, address: &Address, what: fn(&Session) -> bool) -> Option<Place> {
        let id = self.addresses.get(&address.key())?;
        let conversation = self.conversations.get(id)?;
        let session =
            conversation.sessions.iter().find(|session| session.address == *address && what(session))?;
        Some(Place { session: Some(session.id), conversation: conversation.clone(), opened: false })
    }

    /// An edit, a deletion, a reaction or a button belongs to the conversation that has the message, even when a later
    /// one is open at the same address.
    fn of_words(&self, address: &Address, body: &EventBody, refs: &Refs) -> Option<Place> {
        let id = match body {
            EventBody::Requester {
                what:
                    RequesterEvent::Edited { .. }
                    | RequesterEvent::Deleted { .. }
                    | RequesterEvent::Reacted { .. },
                ..
            } => self.hit(refs.target.as_ref())?.conversation,
            EventBody::Requester { .. }
            | EventBody::Bystander { .. }
            | EventBody::Desk { .. }
            | EventBody::Assistant(_)
            | EventBody::Roster(_)
            | EventBody::Ticket(_)
            | EventBody::Delivery(_)
            | EventBody::Timer { .. }
            | EventBody::Erased { .. } => named(body)?.conversation,
        };
        let conversation = self.conversations.get(&id)?;
        // The same room: an id that somebody made up leads nowhere.
        let session = conversation
            .sessions
            .iter()
            .find(|session| is_requester(session) && session.address == *address)?;
        Some(Place { session: Some(session.id), conversation: conversation.clone(), opened: false })
    }

    /// A button of before is about its own matter, although the room is somebody else's by now.
    fn of_own_button(
        &self,
        address: &Address,
        requester: &Requester,
        body: &EventBody,
        refs: &Refs,
    ) -> Option<Place> {
        let EventBody::Requester { what: RequesterEvent::Pressed { .. }, .. } = body else { return None };
        let hit = self.hit(refs.target.as_ref())?;
        let conversation = self.conversations.get(&hit.conversation)?;
        let session = conversation.session(hit.session)?;
        let own = conversation.requester.id == requester.id;
        (own && is_requester(session) && session.address == *address).then(|| Place {
            session: Some(session.id),
            conversation: conversation.clone(),
            opened: false,
        })
    }

    /// Where a room has no thread for it, a reaction or a reply to the card names the conversation.
    fn of_card(&self, address: &Address, refs: &Refs) -> Option<Place> {
        let hit = self.hit(refs.target.as_ref()).or_else(|| self.hit(refs.reply_to.as_ref()))?;
        let conversation = self.conversations.get(&hit.conversation)?;
        let session = conversation.session(hit.session).filter(|session| !is_requester(session))?;
        let same_room = session.address.channel == address.channel && session.address.room == address.room;
        same_room.then(|| Place {
            session: Some(session.id),
            conversation: conversation.clone(),
            opened: false,
        })
    }

    pub(super) fn hit(&self, remote: Option<&RemoteRef>) -> Option<&RemoteHit> {
        self.remotes.get(remote?)
    }

    fn is_over(&self, place: &Place) -> bool {
        match &place.conversation.stage {
            Stage::Closed(Closed { at, .. }) => self.now.since(*at) > self.policy.policy.reopen_window,
            Stage::Assisting(_) | Stage::Handover(_) | Stage::Assigned(_) => false,
        }
    }

    /// The number is taken only when the event is recorded.
    fn open(&self, address: &Address, requester: &Requester, queue: &QueueId, priority: u8) -> Conversation {
        let id = ConversationId(self.last_conversation + 1);
        Conversation::open(id, requester.clone(), address.clone(), queue.clone(), priority, self.now)
    }
}

/// A thread is of whoever began it. In a room without threads the next person's words begin a matter of their own once the
/// last one is closed; thanks and small talk do not.
fn is_free(place: &Place, address: &Address, body: &EventBody) -> bool {
    let closed = matches!(place.conversation.stage, Stage::Closed(_));
    closed && address.thread.is_none() && asks_for_something(body)
}

fn asks_for_something(body: &EventBody) -> bool {
    match body {
        EventBody::Requester { what: RequesterEvent::Posted { gist, .. }, .. } => {
            !gist.wordless && !matches!(gist.wish, Some(Wish::Thanks | Wish::Yes | Wish::No))
        }
        EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => false,
    }
}

/// Who helped there, or in a conversation before it.
fn helper_of(conversation: &Conversation) -> Option<TechnicianId> {
    conversation.last_technician.clone().or_else(|| conversation.familiar.clone())
}

fn is_requester(session: &Session) -> bool {
    matches!(session.role, SessionRole::Requester { .. })
}

/// A room itself is no conversation while its thread is being opened; several may be waiting for theirs.
fn is_open_desk(session: &Session) -> bool {
    match &session.role {
        SessionRole::Requester { .. } => false,
        SessionRole::Desk { thread, .. } => *thread == DeskThread::Open || session.address.thread.is_some(),
    }
}

fn opens(body: &EventBody) -> Opens {
    match body {
        EventBody::Requester { what, .. } => match what {
            RequesterEvent::Started | RequesterEvent::Posted { .. } => Opens::Afresh,
            RequesterEvent::Pressed { verb } => match verb {
                RequesterVerb::Human | RequesterVerb::StartOver | RequesterVerb::NewRequest => Opens::Afresh,
                RequesterVerb::KeepAssistant
                | RequesterVerb::Yes
                | RequesterVerb::No
                | RequesterVerb::SameIssue
                | RequesterVerb::Status
                | RequesterVerb::Close
                | RequesterVerb::Rate { .. }
                | RequesterVerb::Tag { .. }
                | RequesterVerb::Feedback { .. } => Opens::First,
            },
            RequesterEvent::Edited { .. }
            | RequesterEvent::Deleted { .. }
            | RequesterEvent::Reacted { .. }
            | RequesterEvent::Left
            | RequesterEvent::Returned
            | RequesterEvent::RoomMoved { .. } => Opens::Never,
        },
        EventBody::Bystander { .. }
        | EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => Opens::Never,
    }
}

/// Whoever made the event knew an address; the session's number is known only here.
pub fn set_session(body: &mut EventBody, real: SessionId) {
    match body {
        EventBody::Requester { session, .. }
        | EventBody::Bystander { session, .. }
        | EventBody::Desk { via: Via::Room { session, .. }, .. } => *session = real,
        EventBody::Desk { via: Via::Console, .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => {}
    }
}
