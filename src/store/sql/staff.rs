//! Accounts, logins, and what people keep: their statements, both ways.
//!
//! Not here: hashing, what a kept value means (the API).

use deskbridge_conversation::TechnicianId;

use super::changes::Plan;
use super::decode::{Row, damaged};
use super::rows::{Rows, last_of};
use super::{Text, text};
use crate::backend::Changes;
use crate::job::StoreError;
use crate::rows::{AccountRow, KeptRow, LoginKind, LoginRow};

static SAVE_ACCOUNTS: Text = text!(
    "accounts: save",
    "insert into accounts (technician, login, password, disabled, created, changed)
     select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint),
         cast(value->>5 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(technician) do update set login = excluded.login, password = excluded.password, disabled = excluded.disabled,
         created = excluded.created, changed = excluded.changed"
);
static END_LOGINS: Text =
    text!("logins: end", "delete from logins where sha256 in (select value from ", KEYS, ")");
static SAVE_LOGINS: Text = text!(
    "logins: save",
    "insert into logins (sha256, kind, technician, created, seen, expires)
     select value->>0, value->>1, value->>2, cast(value->>3 as bigint), cast(value->>4 as bigint),
         cast(value->>5 as bigint)
     from ",
    ROWS,
    UPSERT,
    "(sha256) do update set kind = excluded.kind, technician = excluded.technician, created = excluded.created,
         seen = excluded.seen, expires = excluded.expires"
);
static KEEP: Text = text!(
    "kept: save",
    "insert into kept (kind, owner, key, value, updated)
     select value->>0, value->>1, value->>2, value->>3, cast(value->>4 as bigint) from ",
    ROWS,
    UPSERT,
    "(kind, owner, key) do update set value = excluded.value, updated = excluded.updated"
);
static DROP_KEPT: Text = text!(
    "kept: drop",
    "delete from kept where (kind, owner, key) in (select value->>0, value->>1, value->>2 from ",
    ROWS,
    ")"
);

/// Where what is there is what was compared, in one statement each: another node is told so by the number of rows.
static SWAP: Text = text!(
    "kept: replace",
    "update kept set value = rows.value->>4, updated = cast(rows.value->>5 as bigint) from ",
    ROWS,
    " where kept.kind = rows.value->>0 and kept.owner = rows.value->>1 and kept.key = rows.value->>2
         and kept.value = rows.value->>3"
);
static SWAP_IN: Text = text!(
    "kept: first",
    "insert into kept (kind, owner, key, value, updated)
     select value->>0, value->>1, value->>2, value->>3, cast(value->>4 as bigint) from ",
    ROWS,
    UPSERT,
    "(kind, owner, key) do nothing"
);
static SWAP_OUT: Text = text!(
    "kept: last",
    "delete from kept where (kind, owner, key) in (select k.kind, k.owner, k.key from ",
    ROWS,
    " cross join kept as k where k.kind = rows.value->>0 and k.owner = rows.value->>1 and k.key = rows.value->>2
         and k.value = rows.value->>3)"
);

pub(crate) fn write(changes: &Changes, plan: &mut Plan<'_>) {
    let mut rows = Rows::new();
    for row in last_of(&changes.accounts, |row| &row.technician) {
        rows.push([
            row.technician.as_str().into(),
            (&row.login).into(),
            row.password.as_deref().into(),
            row.disabled.into(),
            row.created.into(),
            row.changed.into(),
        ]);
    }
    plan.add(&SAVE_ACCOUNTS, rows);
    let mut rows = Rows::new();
    for sha256 in &changes.ended_logins {
        rows.push_key(sha256);
    }
    plan.add(&END_LOGINS, rows);
    let mut rows = Rows::new();
    for row in last_of(&changes.logins, |row| &row.sha256) {
        rows.push([
            (&row.sha256).into(),
            row.kind.name().into(),
            row.technician.as_ref().map(|technician| technician.as_str()).into(),
            row.created.into(),
            row.seen.into(),
            row.expires.into(),
        ]);
    }
    plan.add(&SAVE_LOGINS, rows);
    let (mut saved, mut dropped) = (Rows::new(), Rows::new());
    for row in last_of(&changes.kept, |row| (&row.kind, &row.owner, &row.key)) {
        let key = [(&row.kind).into(), (&row.owner).into(), (&row.key).into()];
        match &row.value {
            Some(value) => {
                let [kind, owner, key] = key;
                saved.push([kind, owner, key, value.into(), row.updated.into()]);
            }
            None => dropped.push(key),
        }
    }
    plan.add(&KEEP, saved);
    plan.add(&DROP_KEPT, dropped);
    swaps(changes, plan);
}

fn swaps(changes: &Changes, plan: &mut Plan<'_>) {
    let (mut replaced, mut first, mut last) = (Rows::new(), Rows::new(), Rows::new());
    for (before, row) in &changes.swapped {
        let [kind, owner, key] = [(&row.kind).into(), (&row.owner).into(), (&row.key).into()];
        match (before, &row.value) {
            (Some(before), Some(value)) => {
                replaced.push([kind, owner, key, before.into(), value.into(), row.updated.into()]);
            }
            (None, Some(value)) => first.push([kind, owner, key, value.into(), row.updated.into()]),
            (Some(before), None) => last.push([kind, owner, key, before.into()]),
            // Came and went within the batch.
            (None, None) => {}
        }
    }
    plan.add_exact(&SWAP, replaced);
    plan.add_exact(&SWAP_IN, first);
    plan.add_exact(&SWAP_OUT, last);
}

pub(crate) static ACCOUNT: Text =
    text!("accounts: one", "select ", ACCOUNT, " from accounts where technician = $1");
pub(crate) static ACCOUNT_BY_LOGIN: Text =
    text!("accounts: by login", "select ", ACCOUNT, " from accounts where login = $1");
pub(crate) static ACCOUNTS: Text =
    text!("accounts: list", "select ", ACCOUNT, " from accounts order by technician");
pub(crate) static LOGIN: Text = text!("logins: one", "select ", LOGIN, " from logins where sha256 = $1");
pub(crate) static LOGINS_OF: Text =
    text!("logins: of one", "select ", LOGIN, " from logins where technician = $1");
pub(crate) static LOGINS_EXPIRED: Text =
    text!("logins: expired", "select ", LOGIN, " from logins where expires <= $1 order by expires limit $2");
pub(crate) static KEPT: Text =
    text!("kept: list", "select ", KEPT, " from kept where kind = $1 and owner = $2 order by key");
pub(crate) static KEPT_ONE: Text =
    text!("kept: one", "select ", KEPT, " from kept where kind = $1 and owner = $2 and key = $3");
pub(crate) static KEPT_ALL: Text = text!(
    "kept: export",
    "select ",
    KEPT,
    " from kept where (kind, owner, key) > ($1, $2, $3) order by kind, owner, key limit $4"
);

impl Row {
    pub(crate) fn account(&self) -> Result<AccountRow, StoreError> {
        Ok(AccountRow {
            technician: TechnicianId(self.text(0)?),
            login: self.text(1)?,
            password: self.maybe_text(2)?,
            disabled: self.flag(3)?,
            created: self.time(4)?,
            changed: self.time(5)?,
        })
    }

    pub(crate) fn login(&self) -> Result<LoginRow, StoreError> {
        Ok(LoginRow {
            sha256: self.text(0)?,
            kind: LoginKind::from_name(self.str(1)?).ok_or_else(|| damaged("a login's kind"))?,
            technician: self.maybe_text(2)?.map(TechnicianId),
            created: self.time(3)?,
            seen: self.time(4)?,
            expires: self.time(5)?,
        })
    }

    pub(crate) fn kept(&self) -> Result<KeptRow, StoreError> {
        Ok(KeptRow {
            kind: self.text(0)?,
            owner: self.text(1)?,
            key: self.text(2)?,
            value: Some(self.text(3)?),
            updated: self.time(4)?,
        })
    }
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &SAVE_ACCOUNTS,
    &END_LOGINS,
    &SAVE_LOGINS,
    &KEEP,
    &DROP_KEPT,
    &SWAP,
    &SWAP_IN,
    &SWAP_OUT,
    &ACCOUNT,
    &ACCOUNT_BY_LOGIN,
    &ACCOUNTS,
    &LOGIN,
    &LOGINS_OF,
    &LOGINS_EXPIRED,
    &KEPT,
    &KEPT_ONE,
    &KEPT_ALL,
];
