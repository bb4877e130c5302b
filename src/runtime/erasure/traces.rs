//! What of a person is not in their conversations themselves: in the log, among the unreadable events, in answers given.
//!
//! Not here: the order in which it is looked through (`erasure`).

use std::collections::BTreeSet;

use deskbridge_contract::{Address, ChannelName};
use deskbridge_conversation::{
    Conversation, EventBody, Outcome, RequesterEvent, RequesterId, SessionId, SessionRole, erasure,
};
use deskbridge_store::rows::{KeptRow, LogRow};
use deskbridge_store::{Admin, Forgotten, StoreError};

use super::PAGE;
use crate::runtime::Bridge;

/// Events in quarantine that are looked through.
const QUARANTINE: u32 = 100_000;

impl Bridge {
    /// Blanks in the log what says where somebody was, or a word of theirs.
    pub(super) async fn scrub_log(&self, of: &Conversation) -> Result<(), StoreError> {
        let mut from = 0;
        loop {
            let page = self.read.log(of.id, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.seq + 1;
            let log: Vec<LogRow> = page.into_iter().filter_map(|row| scrubbed(of, row)).collect();
            if !log.is_empty() {
                self.writer.admin(Admin::Forget(Forgotten { log, ..Forgotten::default() })).await?;
            }
        }
    }

    /// Unreadable events that name the person or a place of theirs.
    pub(super) async fn quarantined(
        &self,
        channel: &ChannelName,
        requesters: &[RequesterId],
        at: &[Address],
    ) -> Result<Vec<i64>, StoreError> {
        let users = requesters.iter().filter_map(|name| name.as_str().split_once(':')).map(|(_, user)| user);
        let rooms = at.iter().flat_map(|at| {
            [Some(at.room.as_str()), at.thread.as_ref().map(|thread| thread.as_str())].into_iter().flatten()
        });
        let words: BTreeSet<&str> = users.chain(rooms).filter(|word| !word.is_empty()).collect();
        let rows = self.read.quarantine(QUARANTINE).await?;
        let theirs = rows.iter().filter(|row| row.channel == *channel);
        Ok(theirs.filter(|row| words.iter().any(|word| names(&row.raw, word))).map(|row| row.id).collect())
    }

    /// What was done stays done; what was answered may name somebody who is erased now.
    pub(super) async fn forget_answers(&self) -> Result<(), StoreError> {
        for row in self.read.kept(KeptRow::ANSWERED, "").await? {
            if let Some(row) = row.without_answer() {
                self.writer.admin(Admin::Keep(row)).await?;
            }
        }
        Ok(())
    }
}

/// As a word of its own: `17` does not name whom `1723` does.
fn names(raw: &[u8], word: &str) -> bool {
    let word = word.as_bytes();
    let inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    raw.windows(word.len()).enumerate().any(|(at, window)| {
        window == word
            && !inside(at.checked_sub(1).and_then(|at| raw.get(at)))
            && !inside(raw.get(at + word.len()))
    })
}

/// The row as it may stay, when it may not stay as it is.
fn scrubbed(of: &Conversation, mut row: LogRow) -> Option<LogRow> {
    let place = |session| {
        let session = of.session(session)?;
        matches!(session.role, SessionRole::Requester { .. }).then(|| erasure::nowhere(of.id, session))
    };
    let before = row.event.body.clone();
    let body = &mut row.event.body;
    erasure::without_words(body);
    let (session, at) = match body {
        EventBody::Requester { session, what: RequesterEvent::RoomMoved { to } } => (*session, Some(to)),
        EventBody::Delivery(delivery) => match &mut delivery.outcome {
            Outcome::Sent { address: to, .. }
            | Outcome::Partly { address: to, .. }
            | Outcome::Moved { to } => (delivery.session, Some(to)),
            Outcome::Failed { .. }
            | Outcome::Unknown { .. }
            | Outcome::Gone { .. }
            | Outcome::ThreadGone { .. } => (delivery.session, None),
        },
        EventBody::Requester { session, .. } => (*session, None),
        EventBody::Bystander { session, what: RequesterEvent::RoomMoved { to }, .. } => (*session, Some(to)),
        EventBody::Bystander { session, .. } => (*session, None),
        EventBody::Desk { .. }
        | EventBody::Assistant(_)
        | EventBody::Roster(_)
        | EventBody::Ticket(_)
        | EventBody::Timer { .. }
        | EventBody::Erased { .. } => (SessionId(0), None),
    };
    if let (Some(at), Some(nowhere)) = (at, place(session)) {
        *at = nowhere;
    }
    (row.event.body != before).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        for (raw, word, is) in [
            (r#"{"from":{"id":17},"text":"x"}"#, "17", true),
            (r#"{"from":{"id":1723}}"#, "17", false),
            (r#"{"user":"U1ANA"}"#, "U1ANA", true),
            (r#"{"user":"XU1ANA"}"#, "U1ANA", false),
            ("17", "17", true),
            ("", "17", false),
        ] {
            assert_eq!(names(raw.as_bytes(), word), is, "{raw} {word}");
        }
    }
}
