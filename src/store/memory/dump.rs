//! The export over the tables.
//!
//! Not here: the form of a line (`crate::export`).

use std::io::Write;

use async_trait::async_trait;

use crate::export::{Export, Lines};
use crate::job::StoreError;

use super::Memory;

#[async_trait]
impl Export for Memory {
    async fn export(&self, out: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let tables = self.snapshot();
        let mut lines = Lines::new(out);
        for (key, (conversation, now)) in &tables.causes {
            lines.cause(key, *conversation, *now)?;
        }
        tables.log.values().try_for_each(|row| lines.log(row))?;
        tables.conversations.values().try_for_each(|row| lines.conversation(row))?;
        tables.sessions.values().try_for_each(|row| lines.session(row))?;
        tables.messages.values().try_for_each(|row| lines.message(row))?;
        tables.outbox.values().try_for_each(|row| lines.outbox(row))?;
        tables.attempts.values().try_for_each(|row| lines.attempt(row))?;
        tables.links.values().try_for_each(|row| lines.link(row))?;
        tables.joints.values().try_for_each(|row| lines.joint(row))?;
        tables.technicians.values().try_for_each(|row| lines.technician(row))?;
        for (technician, presence, now) in &tables.presences {
            lines.presence(technician, *presence, *now)?;
        }
        for ((channel, key), value) in &tables.shelf {
            lines.shelf(channel, key, value)?;
        }
        tables.quarantine.iter().try_for_each(|row| lines.quarantine(row))?;
        tables.blobs.values().try_for_each(|row| lines.blob(row))?;
        tables.kept.values().try_for_each(|row| lines.kept(row))?;
        tables.audit.iter().try_for_each(|row| lines.audit(row))?;
        tables.tickets.values().try_for_each(|row| lines.ticket(row))?;
        for (message, (helpful, now)) in &tables.feedback {
            lines.feedback(*message, *helpful, *now)?;
        }
        Ok(())
    }
}
