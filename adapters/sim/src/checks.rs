//! What this platform refuses by itself: places that are gone, paces exceeded, content over its limits.
//!
//! Not here: planned faults.

use bytes::Bytes;
use deskbridge_contract::{
    Address, Attachment, AttachmentSource, Content, OperationKind, RemoteMessageId, SendError, Support,
    ThreadStyle,
};

use crate::style::Style;
use crate::view::File;
use crate::world::State;

impl State {
    /// Whether the place of an operation is still there.
    pub(crate) fn check_place(&mut self, to: &Address, style: &Style) -> Result<(), SendError> {
        let Some(room) = self.rooms.get(&to.room) else { return self.check_no_thread(to) };
        if let Some(moved) = &room.moved_to {
            let to = Address { room: moved.clone(), ..to.clone() };
            return Err(SendError::Moved { to });
        }
        if room.gone {
            return Err(SendError::Gone { why: "blocked or removed".to_owned() });
        }
        let Some(thread) = &to.thread else { return Ok(()) };
        let under = RemoteMessageId(thread.0.clone());
        let hangs_under = style.capabilities.threads == ThreadStyle::RootIsCard
            && room.thread(thread).is_none()
            && room.message(&under).is_some_and(|m| !m.deleted);
        if hangs_under || room.thread(thread).is_some_and(|t| !t.deleted) {
            return Ok(());
        }
        Err(SendError::ThreadGone { why: "the thread is not there".to_owned() })
    }

    fn check_no_thread(&self, to: &Address) -> Result<(), SendError> {
        match &to.thread {
            Some(_) => Err(SendError::ThreadGone { why: "the thread is not there".to_owned() }),
            None => Ok(()),
        }
    }

    /// Answers as a platform does whose limits are exceeded, by the world's clock.
    pub(crate) fn check_pace(
        &mut self,
        to: &Address,
        kind: OperationKind,
        style: &Style,
    ) -> Result<(), SendError> {
        let (now, room, limits) = (self.now(), &to.room, &style.limits);
        if !limits.counted.is_empty() && !limits.counted.contains(&kind) {
            return Ok(());
        }
        let room_kind = limits.room_kind.and_then(|kind| kind(to));
        let paces = room_kind.and_then(|kind| limits.room_kinds.get(kind)).unwrap_or(&limits.room);
        let all = limits.account.iter().chain(&limits.room).chain(limits.room_kinds.values().flatten());
        let longest = all.map(|p| p.per).max();
        self.paced.retain(|(_, at)| now.since(*at) < longest.unwrap_or_default());
        let per_room = paces.iter().map(|p| (p, true));
        for (pace, of_room) in limits.account.iter().map(|p| (p, false)).chain(per_room) {
            let within =
                self.paced.iter().filter(|(r, at)| (!of_room || r == room) && now.since(*at) < pace.per);
            let oldest = within.clone().map(|(_, at)| *at).min();
            if within.count() >= pace.count as usize {
                let after = oldest.map(|at| (at + pace.per).since(now));
                return Err(SendError::Retry { after, why: "too many requests".to_owned() });
            }
        }
        self.paced.push((room.clone(), now));
        Ok(())
    }
}

pub(crate) fn supported(support: Support, what: &str) -> Result<(), SendError> {
    match support {
        Support::Native | Support::Emulate => Ok(()),
        Support::Drop => Err(SendError::rejected(format!("this channel cannot {what}"))),
    }
}

/// Refuses what `fit` should not have let through.
pub(crate) fn check_content(
    content: &Content,
    files: &[(File, Bytes)],
    style: &Style,
) -> Result<(), SendError> {
    let caps = &style.capabilities;
    let too = |what: &str| Err(SendError::Rejected { why: format!("too {what}"), fixable: true });
    let has_files = !files.is_empty() || content.attachments.iter().any(is_there);
    let longest = if has_files { caps.max_caption } else { caps.max_text };
    if content.text.encode_utf16().count() > longest {
        return too("long");
    }
    if content.actions.len() > caps.max_actions {
        return too("many buttons");
    }
    if files.len() > caps.max_attachments {
        return too("many files");
    }
    if files.iter().any(|(file, _)| file.size > caps.max_upload_bytes) {
        return too("big a file");
    }
    if content.is_empty() && files.is_empty() {
        return Err(SendError::rejected("the message is empty"));
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b":#@._-".contains(&b);
    if content.actions.iter().any(|a| a.id.len() > 48 || a.id.is_empty() || !a.id.bytes().all(plain)) {
        return Err(SendError::rejected("an action's id is not what the contract says"));
    }
    Ok(())
}

fn is_there(attachment: &Attachment) -> bool {
    !matches!(attachment.source, AttachmentSource::Missing { .. })
}
