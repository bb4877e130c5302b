//! The export of either database: page after page by primary key, in one read transaction.
//!
//! Not here: the form of a line (`export.rs`).

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use deskbridge_contract::ChannelName;
use deskbridge_conversation::{SessionId, TechnicianId};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection};

use super::decode::Row;
use super::fault::fault;
use super::reader::{Pool, Reader};
use super::{Arg, On, Text, lists, staff, text};
use crate::export::{Export, Lines};
use crate::job::StoreError;
use crate::rows::{ConversationRow, SessionRow};

const PAGE: i64 = 1000;

/// A connection of its own, not one of the pool: when the caller goes away in the middle, it is closed, and with it
/// the transaction (a pool would hand it to the next one as it is).
enum Source {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Source {
    async fn open(pool: &Pool) -> Result<Source, StoreError> {
        let source = match pool {
            Pool::Sqlite(pool) => pool.connect_options().connect().await.map(Source::Sqlite),
            Pool::Postgres(pool) => pool.connect_options().connect().await.map(Source::Postgres),
        };
        let mut source = source.map_err(|error| fault("connecting for the export", &error))?;
        match &mut source {
            Source::Sqlite(conn) => On::Sqlite(conn).plain("begin").await?,
            Source::Postgres(conn) => {
                On::Postgres(conn).plain("begin isolation level repeatable read read only").await?;
            }
        }
        Ok(source)
    }

    fn on(&mut self) -> On<'_> {
        match self {
            Source::Sqlite(conn) => On::Sqlite(conn),
            Source::Postgres(conn) => On::Postgres(conn),
        }
    }

    async fn close(self) {
        // Nothing was written; a failing goodbye changes nothing.
        let _ = match self {
            Source::Sqlite(conn) => conn.close().await,
            Source::Postgres(conn) => conn.close().await,
        };
    }

    /// `text` takes the key of the row before as its first arguments, then the page's size. `key`: that of a row.
    async fn pages(
        &mut self,
        text: &'static Text,
        first: Vec<Key>,
        key: impl Fn(&Row) -> Result<Vec<Key>, StoreError>,
        mut line: impl FnMut(&Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut after = first;
        loop {
            let mut args: Vec<Arg<'_>> = after.iter().map(Key::arg).collect();
            args.push(PAGE.into());
            let rows = self.on().rows(text, &args).await?;
            rows.iter().try_for_each(&mut line)?;
            match rows.last() {
                Some(last) => after = key(last)?,
                None => return Ok(()),
            }
        }
    }
}

enum Key {
    Int(i64),
    Text(String),
}

impl Key {
    fn arg(&self) -> Arg<'_> {
        match self {
            Key::Int(value) => Arg::Int(*value),
            Key::Text(value) => Arg::Text(value),
        }
    }
}

/// Before every integer key of `n` columns.
fn ints(n: usize) -> Vec<Key> {
    (0..n).map(|_| Key::Int(i64::MIN)).collect()
}

/// Before every text key: no key is empty.
fn texts(n: usize) -> Vec<Key> {
    (0..n).map(|_| Key::Text(String::new())).collect()
}

fn int_key<const N: usize>(at: [usize; N]) -> impl Fn(&Row) -> Result<Vec<Key>, StoreError> {
    move |row| at.iter().map(|at| row.int(*at).map(Key::Int)).collect()
}

fn text_key<const N: usize>(at: [usize; N]) -> impl Fn(&Row) -> Result<Vec<Key>, StoreError> {
    move |row| at.iter().map(|at| row.text(*at).map(Key::Text)).collect()
}

static CAUSES: Text =
    text!("causes: export", "select key, conversation, now from causes where key > $1 order by key limit $2");
static LOG: Text = text!(
    "log: export",
    "select ",
    LOG,
    " from log where (conversation, seq) > ($1, $2) order by conversation, seq limit $3"
);
static CONVERSATIONS: Text = text!(
    "conversations: export",
    "select id, state, wake_at, updated from conversations where id > $1 order by id limit $2"
);
static SESSIONS: Text = text!(
    "sessions: export",
    "select conversation, session, requester, address from sessions where (conversation, session) > ($1, $2)
     order by conversation, session limit $3"
);
static MESSAGES: Text = text!(
    "messages: export",
    "select ",
    MESSAGE,
    " from messages as m where (m.conversation, m.seq, m.n) > ($1, $2, $3)
     order by m.conversation, m.seq, m.n limit $4"
);
static OUTBOX: Text = text!(
    "outbox: export",
    "select ",
    OUTBOX,
    " from outbox as o where (o.conversation, o.seq, o.n) > ($1, $2, $3)
     order by o.conversation, o.seq, o.n limit $4"
);
static ATTEMPTS: Text = text!(
    "attempts: export",
    "select ",
    ATTEMPT,
    " from attempts where (conversation, seq, n, attempt) > ($1, $2, $3, $4)
     order by conversation, seq, n, attempt limit $5"
);
static LINKS: Text = text!(
    "links: export",
    "select ",
    LINK,
    " from links where (channel, room, remote) > ($1, $2, $3) order by channel, room, remote limit $4"
);
static JOINTS: Text = text!(
    "joints: export",
    "select ",
    JOINT,
    " from joints where (conversation, session, message) > ($1, $2, $3)
     order by conversation, session, message limit $4"
);
static PRESENCE: Text = text!(
    "presence_log: export",
    "select id, technician, presence, now from presence_log where id > $1 order by id limit $2"
);
static SHELVES: Text = text!(
    "shelves: export",
    "select channel, key, value from shelves where (channel, key) > ($1, $2) order by channel, key limit $3"
);
static QUARANTINE: Text =
    text!("quarantine: export", "select ", QUARANTINE, " from quarantine where id > $1 order by id limit $2");
static BLOBS: Text =
    text!("blobs: export", "select ", BLOB, " from blobs where id > $1 order by id limit $2");
static AUDIT: Text =
    text!("audit: export", "select ", AUDIT, " from audit where id > $1 order by id limit $2");
static TICKETS: Text =
    text!("tickets: export", "select ", TICKET, " from tickets where number > $1 order by number limit $2");
static FEEDBACK: Text = text!(
    "feedback: export",
    "select conversation, seq, n, helpful, now from feedback where (conversation, seq, n) > ($1, $2, $3)
     order by conversation, seq, n limit $4"
);

#[async_trait]
impl Export for Reader {
    async fn export(&self, out: &mut (dyn Write + Send)) -> Result<(), StoreError> {
        let mut source = Source::open(&self.pool).await?;
        let mut lines = Lines::new(out);
        talk(&mut source, &mut lines).await?;
        deliveries(&mut source, &mut lines).await?;
        rest(&mut source, &mut lines).await?;
        source.close().await;
        Ok(())
    }
}

async fn talk(source: &mut Source, lines: &mut Lines<'_>) -> Result<(), StoreError> {
    let line = |row: &Row| lines.cause(row.str(0)?, row.int(1)?, row.time(2)?);
    source.pages(&CAUSES, texts(1), text_key([0]), line).await?;
    source.pages(&LOG, ints(2), int_key([0, 1]), |row| lines.log(&row.log()?)).await?;
    let line = |row: &Row| {
        lines.conversation(&ConversationRow {
            state: Arc::new(row.json(1)?),
            wake_at: row.maybe_time(2)?,
            updated: row.time(3)?,
        })
    };
    source.pages(&CONVERSATIONS, ints(1), int_key([0]), line).await?;
    let line = |row: &Row| {
        let (conversation, session) = (row.conversation(0)?, SessionId(row.small(1)?));
        lines.session(&SessionRow { conversation, session, requester: row.flag(2)?, address: row.text(3)? })
    };
    source.pages(&SESSIONS, ints(2), int_key([0, 1]), line).await?;
    source.pages(&MESSAGES, ints(3), int_key([0, 1, 2]), |row| lines.message(&row.message()?)).await
}

async fn deliveries(source: &mut Source, lines: &mut Lines<'_>) -> Result<(), StoreError> {
    source.pages(&OUTBOX, ints(3), int_key([0, 1, 2]), |row| lines.outbox(&row.outbox()?)).await?;
    source.pages(&ATTEMPTS, ints(4), int_key([0, 1, 2, 3]), |row| lines.attempt(&row.attempt()?)).await?;
    source.pages(&LINKS, texts(3), text_key([3, 4, 5]), |row| lines.link(&row.link()?)).await?;
    let first = vec![Key::Int(i64::MIN), Key::Int(i64::MIN), Key::Text(String::new())];
    let key = |row: &Row| Ok(vec![Key::Int(row.int(0)?), Key::Int(row.int(1)?), Key::Text(row.text(2)?)]);
    source.pages(&JOINTS, first, key, |row| lines.joint(&row.joint()?)).await
}

async fn rest(source: &mut Source, lines: &mut Lines<'_>) -> Result<(), StoreError> {
    for row in source.on().rows(&lists::TECHNICIANS, &[]).await? {
        lines.technician(&row.technician()?)?;
    }
    let line = |row: &Row| lines.presence(&TechnicianId(row.text(1)?), row.named(2)?, row.time(3)?);
    source.pages(&PRESENCE, ints(1), int_key([0]), line).await?;
    let line = |row: &Row| lines.shelf(ChannelName(row.text(0)?).as_str(), row.str(1)?, row.str(2)?);
    source.pages(&SHELVES, texts(2), text_key([0, 1]), line).await?;
    source.pages(&QUARANTINE, ints(1), int_key([0]), |row| lines.quarantine(&row.quarantine()?)).await?;
    source.pages(&BLOBS, texts(1), text_key([0]), |row| lines.blob(&row.blob()?)).await?;
    source.pages(&staff::KEPT_ALL, texts(3), text_key([0, 1, 2]), |row| lines.kept(&row.kept()?)).await?;
    source.pages(&AUDIT, ints(1), int_key([0]), |row| lines.audit(&row.audit()?)).await?;
    tickets(source, lines).await?;
    let line = |row: &Row| lines.feedback(row.id(0)?, row.flag(3)?, row.time(4)?);
    source.pages(&FEEDBACK, ints(3), int_key([0, 1, 2]), line).await
}

async fn tickets(source: &mut Source, lines: &mut Lines<'_>) -> Result<(), StoreError> {
    let mut after = i64::MIN;
    loop {
        let rows = source.on().rows(&TICKETS, &[after.into(), PAGE.into()]).await?;
        let page = rows.iter().map(Row::ticket).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.number;
        for ticket in lists::with_details(&mut source.on(), page).await? {
            lines.ticket(&ticket)?;
        }
    }
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &CAUSES,
    &LOG,
    &CONVERSATIONS,
    &SESSIONS,
    &MESSAGES,
    &OUTBOX,
    &ATTEMPTS,
    &LINKS,
    &JOINTS,
    &PRESENCE,
    &SHELVES,
    &QUARANTINE,
    &BLOBS,
    &AUDIT,
    &TICKETS,
    &FEEDBACK,
];
