//! Several files sent at once: platforms that send one message each have them joined here into the first one's.
//!
//! Every part is an event with a cause of its own, stored before it is acknowledged: parts may come in different batches,
//! late, or twice, and none is lost. What is shown of the message is held until no part joins it any more; a part that
//! comes later than that, or has words of its own, is a message by itself.

use std::borrow::Cow;

use deskbridge_contract::{Content, RemoteMessageId, Timestamp};
use deskbridge_conversation::policy::{ALBUM_HOLD, ALBUM_OPEN};
use deskbridge_conversation::{DeskEvent, EventBody, MessageId, RequesterEvent, Stage};

use crate::job::{Apply, RemoteRef, Target};
use crate::rows::{LinkRow, MessageRow};

use super::Batch;
use super::target::Place;

/// Which part of a message the whole album's own name is, beyond any that is shown.
pub const WHOLE: u16 = u16::MAX;

/// The name under which the message of an album is found again. No platform has such a message.
fn whole(content: Option<&Content>) -> Option<RemoteMessageId> {
    let album = content?.album.as_ref()?;
    Some(RemoteMessageId(format!("album:{}", album.id)))
}

/// Until when a message is held back for its parts.
pub(super) fn held_until(row: &MessageRow) -> Option<Timestamp> {
    row.content.album.as_ref()?.since.map(|since| since + ALBUM_HOLD)
}

/// The reference to the whole of which an event's message is a part.
pub(super) fn whole_of(apply: &Apply) -> Option<RemoteRef> {
    let remote = whole(apply.content.as_ref())?;
    let address = match &apply.target {
        Target::Requester { address, .. } | Target::Desk { address } => address,
        Target::Conversation(_) => return None,
    };
    Some(RemoteRef { channel: address.channel.clone(), room: address.room.clone(), remote })
}

impl Batch<'_> {
    /// Puts a further part to the message of the first one. `false`: it is a message by itself.
    pub(super) fn join_album(&mut self, apply: &Apply, place: &Place) -> bool {
        let (Some(whole), Some(content), Some(remote)) =
            (whole_of(apply), &apply.content, posted(&apply.body))
        else {
            return false;
        };
        let here = &place.conversation;
        let hit = self.hit(Some(&whole)).filter(|hit| hit.conversation == here.id);
        let hit = hit.filter(|hit| Some(hit.session) == place.session);
        let Some((message, session, stored)) =
            hit.and_then(|hit| Some((hit.message?, hit.session, hit.content.clone()?)))
        else {
            return false;
        };
        let since = stored.album.as_ref().and_then(|album| album.since);
        let is_open = since.is_some_and(|since| self.now.since(since) <= ALBUM_OPEN);
        // An end or a hand back meanwhile let go of what was held (D13): perhaps it is shown already.
        let let_go = matches!(here.stage, Stage::Closed(_)) || here.stretch.from > message.seq;
        if !is_open || let_go || !content.text.trim().is_empty() {
            return false;
        }
        let mut joined = stored;
        let part = u16::try_from(joined.attachments.len()).unwrap_or(WHOLE);
        joined.attachments.extend(content.attachments.iter().cloned());
        self.replace_content(message, &joined);
        let RemoteRef { channel, room, .. } = whole;
        let (conversation, message) = (here.id, Some(message));
        let link = LinkRow { conversation, session, message, channel, room, remote: remote.clone(), part };
        self.link(link, Some(&joined));
        true
    }

    /// The album's name leads to the message of its first part.
    pub(super) fn begin_album(&mut self, link: &LinkRow, content: &Content) {
        if let Some(remote) = whole(Some(content)) {
            self.link(LinkRow { remote, part: WHOLE, ..link.clone() }, Some(content));
        }
    }

    /// An edit of one part changes the words of the whole; the other parts' files stay.
    pub(super) fn with_all_parts<'a>(&self, apply: &'a Apply) -> Cow<'a, Apply> {
        let Some(stored) = self.hit(apply.refs.target.as_ref()).and_then(|hit| hit.content.as_ref()) else {
            return Cow::Borrowed(apply);
        };
        match &apply.content {
            Some(said) if said.album.is_some() && stored.album.is_some() => {
                let text = if said.text.is_empty() { stored.text.clone() } else { said.text.clone() };
                Cow::Owned(Apply { content: Some(Content { text, ..stored.clone() }), ..apply.clone() })
            }
            Some(_) | None => Cow::Borrowed(apply),
        }
    }

    /// Shown when no part joins any more.
    pub(super) fn hold_for_parts(&mut self, message: MessageId, not_before: &mut Option<Timestamp>) {
        let Some(until) = self.touched.new_message(message).and_then(|row| held_until(row)) else { return };
        if not_before.is_none_or(|due| due < until) {
            *not_before = Some(until);
        }
    }
}

/// The platform's name of a message that is posted.
fn posted(body: &EventBody) -> Option<&RemoteMessageId> {
    match body {
        EventBody::Requester { what: RequesterEvent::Posted { remote, .. }, .. } => Some(remote),
        EventBody::Desk { what: DeskEvent::Posted { remote, .. }, .. } => remote.as_ref(),
        EventBody::Requester { .. }
        | EventBody::Bystander { .. }
        | EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Delivery(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => None,
    }
}
