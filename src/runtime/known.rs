//! What people said at a place, for channels that look what of it is still there.
//!
//! Not here: when a channel looks, and what it makes of it (the adapters).

use std::collections::HashSet;

use deskbridge_contract::{Address, Known, RemoteMessageId, RemoteUserId};
use deskbridge_conversation::{Author, DeskEvent, EventBody, RequesterEvent, Via};
use deskbridge_store::StoreError;
use deskbridge_store::rows::LinkRow;

use super::Bridge;

impl Bridge {
    /// Only what came in from that very place, not what was shown there.
    pub async fn known(
        &self,
        at: &Address,
        after: &RemoteMessageId,
        until: &RemoteMessageId,
        except: &[RemoteMessageId],
    ) -> Result<Vec<Known>, StoreError> {
        let most = u32::try_from(Known::MOST).unwrap_or(u32::MAX);
        let links = self.read.links_between(&at.channel, &at.room, after, until, most).await?;
        let except: HashSet<&RemoteMessageId> = except.iter().collect();
        let mut known = Vec::new();
        for link in links.into_iter().filter(|link| !except.contains(&link.remote)) {
            if let Some(by) = self.said_at(at, &link).await? {
                known.push(Known { message: link.remote, by });
            }
        }
        Ok(known)
    }

    /// Who wrote it there. `None`: nobody did, it belongs elsewhere, or it is deleted.
    async fn said_at(&self, at: &Address, link: &LinkRow) -> Result<Option<RemoteUserId>, StoreError> {
        let Some(id) = link.message else { return Ok(None) };
        let found = self.board.conversation(self.read.as_ref(), link.conversation).await?;
        let session = found.as_ref().and_then(|conversation| conversation.session(link.session));
        if session.is_none_or(|session| session.address != *at) {
            return Ok(None);
        }
        let Some(row) = self.read.message(id).await?.filter(|row| !row.deleted) else { return Ok(None) };
        let log = self.read.log(id.conversation, id.seq, 1).await?;
        let Some(said) = log.into_iter().next().filter(|said| said.seq == id.seq) else { return Ok(None) };
        let by = match said.event.body {
            EventBody::Requester { session, what: RequesterEvent::Posted { .. } }
                if session == link.session =>
            {
                let Author::Requester(who) = &row.author else { return Ok(None) };
                who.as_str().strip_prefix(&format!("{}:", at.channel)).map(RemoteUserId::from)
            }
            EventBody::Bystander { session, by, what: RequesterEvent::Posted { .. } }
                if session == link.session =>
            {
                by.as_str().strip_prefix(&format!("{}:", at.channel)).map(RemoteUserId::from)
            }
            EventBody::Desk {
                via: Via::Room { session, user, .. }, what: DeskEvent::Posted { .. }, ..
            } if session == link.session => Some(user),
            _ => None,
        };
        // A person who was erased has no name left there.
        Ok(by.filter(|by| !by.as_str().is_empty()))
    }
}
