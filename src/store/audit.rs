//! The audit trail's hash chain (S110): each row's hash covers the row before it, so a changed or missing row shows.
//!
//! Not here: which acts are audited (the core says so), where the rows are kept (the backends).

use deskbridge_contract::Timestamp;
use deskbridge_conversation::ConversationId;
use sha2::{Digest, Sha256};

use crate::rows::AuditRow;

/// The hash before the first row.
pub const GENESIS: &str = "";

/// The row that follows one with the hash `previous`.
pub fn next(
    previous: &str,
    id: i64,
    now: Timestamp,
    by: Option<String>,
    act: String,
    conversation: Option<ConversationId>,
) -> AuditRow {
    let mut row = AuditRow { id, now, by, act, conversation, hash: String::new() };
    row.hash = seal(previous, &row);
    row
}

/// SHA-256 over the previous hash and the row, in hexadecimal. The row's own `hash` does not enter.
pub fn seal(previous: &str, row: &AuditRow) -> String {
    // A JSON array is unambiguous whatever the texts hold.
    let canonical = serde_json::json!([row.id, row.now.0, row.by, row.act, row.conversation.map(|id| id.0)]);
    let mut hash = Sha256::new();
    hash.update(previous.as_bytes());
    hash.update(canonical.to_string().as_bytes());
    hex::encode(hash.finalize())
}

/// Checks rows in ascending order of id that follow a row with the hash `previous`; answers the id of the first row
/// that does not fit.
pub fn verify<'a>(previous: &str, rows: impl IntoIterator<Item = &'a AuditRow>) -> Result<(), i64> {
    let mut previous = previous.to_owned();
    for row in rows {
        if seal(&previous, row) != row.hash {
            return Err(row.id);
        }
        previous.clone_from(&row.hash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s110_a_changed_or_missing_row_breaks_the_chain() {
        let mut rows = Vec::new();
        let mut previous = GENESIS.to_owned();
        for id in 1..=4 {
            let row = next(&previous, id, Timestamp(id), Some("ana".into()), format!("act {id}"), None);
            previous.clone_from(&row.hash);
            rows.push(row);
        }
        assert_eq!(verify(GENESIS, &rows), Ok(()));
        let mut changed = rows.clone();
        changed[1].act = "nothing".into();
        assert_eq!(verify(GENESIS, &changed), Err(2));
        rows.remove(2);
        assert_eq!(verify(GENESIS, &rows), Err(4));
    }
}
