//! Everything that was said in a conversation, whole, for whoever wants to read more of it than a desk room shows.
//!
//! Not here: the transcript that a desk's thread begins with (`render`); how a channel shows it, and in how many pages.

use deskbridge_contract::{Address, RemoteUserId};
use deskbridge_conversation::{Audience, ConversationId, identity};
use deskbridge_store::StoreError;
use deskbridge_store::rows::MessageRow;

use super::{Bridge, render};

/// Messages that are read; of a longer conversation the latest would be missing, which is said.
const MOST: u32 = 5_000;

impl Bridge {
    /// What requester and technicians wrote to each other, and the assistant; for technicians, and only in a desk room that
    /// has the conversation. `None` for everybody and everything else.
    pub async fn history(
        &self,
        at: &Address,
        reference: &str,
        user: &RemoteUserId,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let policy = self.policy.current();
        let technician = identity::technician(&policy.policy, &identity::name(&at.channel, user));
        let id: Option<i64> = reference.strip_prefix('#').and_then(|number| number.parse().ok());
        let (Some(_), Some(_), Some(id)) = (policy.policy.desk(at), technician, id) else { return Ok(None) };
        let found = self.board.conversation(self.read.as_ref(), ConversationId(id)).await?;
        let here = |session: &deskbridge_conversation::Session| session.address == *at;
        let Some(conversation) = found.filter(|conversation| conversation.sessions.iter().any(here)) else {
            return Ok(None);
        };
        let rows = self.read.messages(conversation.id, 0, false, MOST).await?;
        let said = rows.iter().filter(|row: &&MessageRow| !row.deleted && row.audience == Audience::Public);
        let line = |row| render::transcript_line(&policy.policy, &conversation, at, row, usize::MAX);
        let mut lines: Vec<String> = said.map(line).collect();
        if rows.len() >= MOST as usize {
            lines.push("_… and more, which only the console shows_".to_owned());
        }
        Ok(Some(lines))
    }
}
