//! Brings the `tsvector` table up to date, in batches and off the acknowledging path.
//!
//! Not here: how words are cut (`crate::search`), queries (`sql/lists.rs`).

use deskbridge_contract::Content;

use super::PostgresBackend;
use crate::job::StoreError;
use crate::search;
use crate::sql::rows::{Rows, json};
use crate::sql::{Text, text};

/// What is due; several nodes share the work. The messages are locked with it, so that the words are those that are stored
/// when this commits: whoever changes, deletes or erases one waits, and finds what was indexed. One that is being changed
/// stays in the queue for whoever changes it, who looks at the queue after the commit. Nobody is waited for here.
static DUE: Text = Text {
    name: "search: due",
    sqlite: "",
    postgres: "select q.conversation, q.seq, q.n, m.deleted, m.now, m.content from search_queue as q
         join messages as m on m.conversation = q.conversation and m.seq = q.seq and m.n = q.n
         order by q.conversation, q.seq, q.n limit $1
         for update of q skip locked for share of m skip locked",
};
static TAKE: Text = text!(
    "search: take",
    "delete from search_queue where (conversation, seq, n) in
         (select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint) from ",
    ROWS,
    ")"
);
static PUT: Text = Text {
    name: "search: put",
    sqlite: "",
    postgres: "insert into search (conversation, seq, n, now, words)
         select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint),
             cast(value->>3 as bigint),
             array_to_tsvector(array(select distinct jsonb_array_elements_text((value->>4)::jsonb)))
         from jsonb_array_elements($1::text::jsonb) as rows (value)
         on conflict (conversation, seq, n) do update set words = excluded.words",
};
static DROP: Text = text!(
    "search: drop",
    "delete from search where (conversation, seq, n) in
         (select cast(value->>0 as bigint), cast(value->>1 as bigint), cast(value->>2 as bigint) from ",
    ROWS,
    ")"
);

pub(super) async fn index(backend: &mut PostgresBackend, limit: u32) -> Result<u32, StoreError> {
    let mut on = backend.begin().await?;
    let due = on.rows(&DUE, &[i64::from(limit).into()]).await?;
    let (mut taken, mut put, mut drop) = (Rows::new(), Rows::new(), Rows::new());
    for row in &due {
        let id = row.id(0)?;
        taken.push_id(id, []);
        if row.flag(3)? {
            drop.push_id(id, []);
        } else {
            let words = search::words(&search::text_of(&row.json::<Content>(5)?));
            put.push_id(id, [row.int(4)?.into(), json(&words)]);
        }
    }
    if taken.count() > 0 {
        on.run(&TAKE, &[taken.finish().as_str().into()]).await?;
    }
    if put.count() > 0 {
        on.run(&PUT, &[put.finish().as_str().into()]).await?;
    }
    if drop.count() > 0 {
        on.run(&DROP, &[drop.finish().as_str().into()]).await?;
    }
    on.plain("commit").await?;
    Ok(u32::try_from(due.len()).unwrap_or(limit))
}
