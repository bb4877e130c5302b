//! Brings the `tsvector` table up to date, in batches and off the acknowledging path.
//!
//! Not here: how words are cut (`crate::search`), queries (`sql/lists.rs`).

use deskbridge_contract::Content;

use super::PostgresBackend;
use crate::job::StoreError;
use crate::search;
use crate::sql::rows::{Rows, json};
use crate::sql::{Text, text};

/// Takes messages off the queue; several nodes share the work.
static TAKE: Text = Text {
    name: "search: take",
    sqlite: "",
    postgres: "with taken as (
             delete from search_queue where (conversation, seq, n) in
                 (select conversation, seq, n from search_queue order by conversation, seq, n limit $1
                     for update skip locked)
             returning conversation, seq, n)
         select t.conversation, t.seq, t.n, m.deleted, m.now, m.content from taken as t
         join messages as m on m.conversation = t.conversation and m.seq = t.seq and m.n = t.n",
};
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
    let taken = on.rows(&TAKE, &[i64::from(limit).into()]).await?;
    let (mut put, mut drop) = (Rows::new(), Rows::new());
    for row in &taken {
        let id = row.id(0)?;
        if row.flag(3)? {
            drop.push_id(id, []);
        } else {
            let words = search::words(&search::text_of(&row.json::<Content>(5)?));
            put.push_id(id, [row.int(4)?.into(), json(&words)]);
        }
    }
    if put.count() > 0 {
        on.run(&PUT, &[put.finish().as_str().into()]).await?;
    }
    if drop.count() > 0 {
        on.run(&DROP, &[drop.finish().as_str().into()]).await?;
    }
    on.plain("commit").await?;
    Ok(u32::try_from(taken.len()).unwrap_or(limit))
}
