//! The texts of the read side.
//!
//! Not here: their arguments (`reader.rs`), what a batch loads (`lookups.rs`).

use std::collections::HashMap;

use deskbridge_conversation::RequesterId;
use serde_json::json;

use super::rows::Rows;
use super::{On, Text, text};
use crate::job::StoreError;
use crate::rows::{TicketAttachment, TicketChange, TicketComment, TicketRow};

pub(crate) static CONVERSATION: Text =
    text!("conversations: one", "select state from conversations where id = $1");

macro_rules! conversations {
    ($name:literal, $narrow:literal) => {
        text!(
            $name,
            "select state from conversations where ",
            $narrow,
            " and (cast($1 as text) is null or stage = $1) and (cast($2 as text) is null or queue = $2)
             and (cast($3 as text) is null or assignee = $3) and (cast($4 as text) is null or requester = $4)
             and (cast($7 as text) is null or exists (select 1 from labels as l
                 where l.label = $7 and l.conversation = conversations.id))
             and id < $5 order by id desc limit $6"
        )
    };
}
pub(crate) static CONVERSATIONS: Text = conversations!("conversations: list", "1 = 1");
pub(crate) static CONVERSATIONS_OF_REQUESTER: Text =
    conversations!("conversations: list by requester", "requester = $4");
pub(crate) static CONVERSATIONS_OF_ASSIGNEE: Text =
    conversations!("conversations: list by assignee", "assignee = $3");
pub(crate) static CONVERSATIONS_IN_STAGE: Text = conversations!("conversations: list by stage", "stage = $1");
pub(crate) static CONVERSATIONS_LABELLED: Text = conversations!(
    "conversations: list by label",
    "id in (select conversation from labels where label = $7)"
);

pub(crate) static MESSAGES: Text = text!(
    "messages: list",
    "select ",
    MESSAGE,
    " from messages as m where m.conversation = $1 and m.seq >= $2
         and ($3 = 1 or m.audience in ('public', 'requester')) order by m.seq, m.n limit $4"
);
pub(crate) static MESSAGE: Text = text!(
    "messages: one",
    "select ",
    MESSAGE,
    " from messages as m where m.conversation = $1 and m.seq = $2 and m.n = $3"
);
pub(crate) static LOG: Text = text!(
    "log: list",
    "select ",
    LOG,
    " from log where conversation = $1 and seq >= $2 order by seq limit $3"
);
pub(crate) static DELIVERIES: Text = text!(
    "outbox: list",
    "select ",
    OUTBOX,
    " from outbox as o where o.conversation = $1 order by o.seq, o.n"
);
pub(crate) static ATTEMPTS: Text = text!(
    "attempts: list",
    "select ",
    ATTEMPT,
    " from attempts where conversation = $1 order by seq, n, attempt"
);
pub(crate) static OPEN_OUTBOX: Text = text!(
    "outbox: list open",
    "select ",
    OUTBOX,
    " from outbox as o where o.state in ('queued', 'attempting') and (o.conversation, o.seq, o.n) > ($1, $2, $3)
         order by o.conversation, o.seq, o.n limit $4"
);
pub(crate) static OPEN_OUTBOX_OF: Text = text!(
    "outbox: list open of one",
    "select ",
    OUTBOX,
    " from outbox as o where o.state in ('queued', 'attempting') and o.conversation = $1 order by o.seq, o.n"
);
pub(crate) static LINKS: Text = text!(
    "links: list",
    "select ",
    LINK,
    " from links where conversation = $1 and session = $2 and message = $3 order by part, channel, room, remote"
);
pub(crate) static LINKS_BETWEEN: Text = text!(
    "links: between",
    "select ",
    LINK,
    " from links where channel = $1 and room = $2 and remote > $3 and remote <= $4 order by remote limit $5"
);
/// All parts of the post that the message `$3` is shown in, of whichever part it is.
pub(crate) static JOINT: Text = text!(
    "joints: list",
    "select ",
    JOINT,
    " from joints where conversation = $1 and session = $2 and lead = coalesce(
         (select j.lead from joints as j where j.conversation = $1 and j.session = $2 and j.message = $3), $3)
     order by nth"
);
pub(crate) static DUE: Text = text!(
    "conversations: due",
    "select id, wake_at from conversations where wake_at <= $1 order by wake_at, id limit $2"
);
pub(crate) static NEXT_WAKE: Text =
    text!("conversations: next", "select min(wake_at) from conversations where wake_at is not null");
pub(crate) static WAITING: Text = text!(
    "conversations: waiting",
    "select state from conversations where waiting_since is not null
         order by priority desc, front desc, waiting_since, id limit $1"
);
pub(crate) static OF_TECHNICIAN: Text = text!(
    "conversations: of a technician",
    "select state from conversations where id in
         (select id from conversations where assignee = $1 union select id from conversations where offered = $1)
     order by id"
);
pub(crate) static TECHNICIANS: Text =
    text!("technicians: list", "select ", TECHNICIAN, " from technicians order by id");

/// SQLite: by rowid, which is the order of storing and the one that FTS5 walks without sorting.
pub(crate) static SEARCH: Text = Text {
    name: "search",
    sqlite: concat!(
        "select ",
        super::part!(MESSAGE),
        " from search cross join messages as m on m.pos = search.rowid
         where search match $1 and m.deleted = 0 and ($2 = 1 or m.audience in ('public', 'requester'))
             and m.now < $3
         order by search.rowid desc limit $4"
    ),
    postgres: concat!(
        "select ",
        super::part!(MESSAGE),
        " from search as s join messages as m on m.conversation = s.conversation and m.seq = s.seq and m.n = s.n
         where s.words @@ $1::text::tsquery and m.deleted = 0
             and ($2 = 1 or m.audience in ('public', 'requester')) and s.now < $3
         order by s.now desc, s.conversation desc, s.seq desc, s.n desc limit $4"
    ),
};

pub(crate) static TICKET: Text = text!("tickets: one", "select ", TICKET, " from tickets where number = $1");
pub(crate) static TICKETS: Text = text!(
    "tickets: list",
    "select ",
    TICKET,
    " from tickets where number < $1 order by number desc limit $2"
);
pub(crate) static TICKET_OF: Text = text!(
    "tickets: of a conversation",
    "select ",
    TICKET,
    " from tickets where conversation = $1 order by number desc limit 1"
);
static COMMENTS: Text = text!(
    "ticket_comments: list",
    "select ticket, author, text, public, now from ticket_comments
     where ticket in (select cast(value as bigint) from ",
    KEYS,
    ") order by id"
);
static HISTORY: Text = text!(
    "ticket_history: list",
    "select ticket, who, what, now from ticket_history where ticket in (select cast(value as bigint) from ",
    KEYS,
    ") order by id"
);
static ATTACHMENTS: Text = text!(
    "ticket_attachments: list",
    "select ticket, blob, name from ticket_attachments where ticket in (select cast(value as bigint) from ",
    KEYS,
    ") order by id"
);

pub(crate) static CONVERSATIONS_AT: Text = text!(
    "sessions: at an address",
    "select distinct conversation from sessions where address = $1 order by conversation"
);
pub(crate) static SPOKE_IN: Text = text!(
    "messages: of somebody in others' conversations",
    "select distinct conversation from messages where substr(author, 1, length($1)) = $1 order by conversation"
);
/// How a message's author begins who was somebody else in a conversation.
pub(crate) fn bystander(id: &RequesterId) -> String {
    format!("{{\"bystander\":{{\"id\":{},", json!(id.as_str()))
}
pub(crate) static SHELF_FIND: Text = Text {
    name: "shelves: find",
    sqlite: "select key from shelves where channel = $1 and key >= $2 and key < $3 and instr(value, $4) > 0 order by key",
    postgres: "select key from shelves where channel = $1 and key >= $2 and key < $3 and strpos(value, $4) > 0 order by key",
};
pub(crate) static BLOBS_OF: Text =
    text!("blobs: of one", "select ", BLOB, " from blobs where conversation = $1 order by id");
pub(crate) static BLOB: Text = text!("blobs: one", "select ", BLOB, " from blobs where id = $1");
pub(crate) static SHELF: Text =
    text!("shelves: one", "select value from shelves where channel = $1 and key = $2");
pub(crate) static SHELF_MANY: Text = text!(
    "shelves: several",
    "select s.key, s.value from ",
    KEYS,
    " cross join shelves as s where s.channel = $2 and s.key = rows.value"
);
pub(crate) static TOKEN_BY_HASH: Text =
    text!("tokens: one", "select ", TOKEN, " from tokens where sha256 = $1");
pub(crate) static TOKENS: Text = text!("tokens: list", "select ", TOKEN, " from tokens order by created, id");
pub(crate) static QUARANTINE: Text =
    text!("quarantine: list", "select ", QUARANTINE, " from quarantine order by id desc limit $1");
pub(crate) static AUDIT: Text =
    text!("audit: list", "select ", AUDIT, " from audit order by id desc limit $1");
pub(crate) static FEEDBACK: Text = text!(
    "feedback: of a conversation",
    "select conversation, seq, n, helpful from feedback where conversation = $1 order by seq, n"
);
pub(crate) static COUNTS: Text = text!(
    "counts",
    "select (select count(*) from conversations), (select count(*) from messages),
         (select count(*) from outbox where state in ('queued', 'attempting')),
         (select count(*) from outbox where state = 'failed'), (select count(*) from quarantine)"
);
pub(crate) static RECENT_WAITS: Text = text!(
    "conversations: recent waits",
    "select queue, accepted, waited_from from conversations where accepted >= $1
         order by accepted desc, id desc limit $2"
);
pub(crate) static PING: Text = text!("ping", "select cast(1 as bigint)");

/// Fills in comments, history and attachments: three statements, however many tickets.
pub(crate) async fn with_details(
    on: &mut On<'_>,
    mut tickets: Vec<TicketRow>,
) -> Result<Vec<TicketRow>, StoreError> {
    if tickets.is_empty() {
        return Ok(tickets);
    }
    let mut numbers = Rows::new();
    let mut place = HashMap::new();
    for (at, ticket) in tickets.iter().enumerate() {
        numbers.push_number(ticket.number);
        place.insert(ticket.number, at);
    }
    let numbers = numbers.finish();
    let args = [numbers.as_str().into()];
    for row in on.rows(&COMMENTS, &args).await? {
        if let Some(at) = place.get(&row.int(0)?) {
            let (author, text, public, now) = (row.text(1)?, row.text(2)?, row.flag(3)?, row.time(4)?);
            tickets[*at].comments.push(TicketComment { author, text, public, now });
        }
    }
    for row in on.rows(&HISTORY, &args).await? {
        if let Some(at) = place.get(&row.int(0)?) {
            let (by, what, now) = (row.text(1)?, row.text(2)?, row.time(3)?);
            tickets[*at].history.push(TicketChange { by, what, now });
        }
    }
    for row in on.rows(&ATTACHMENTS, &args).await? {
        if let Some(at) = place.get(&row.int(0)?) {
            let (blob, name) = (row.text(1)?, row.text(2)?);
            tickets[*at].attachments.push(TicketAttachment { blob, name });
        }
    }
    Ok(tickets)
}

/// For the test that looks at their plans.
#[cfg(test)]
pub(super) static TEXTS: &[&Text] = &[
    &CONVERSATION,
    &CONVERSATIONS,
    &CONVERSATIONS_OF_REQUESTER,
    &CONVERSATIONS_OF_ASSIGNEE,
    &CONVERSATIONS_IN_STAGE,
    &CONVERSATIONS_LABELLED,
    &MESSAGES,
    &MESSAGE,
    &LOG,
    &DELIVERIES,
    &ATTEMPTS,
    &OPEN_OUTBOX,
    &OPEN_OUTBOX_OF,
    &LINKS,
    &LINKS_BETWEEN,
    &JOINT,
    &DUE,
    &NEXT_WAKE,
    &WAITING,
    &OF_TECHNICIAN,
    &TECHNICIANS,
    &SEARCH,
    &TICKET,
    &TICKETS,
    &TICKET_OF,
    &COMMENTS,
    &HISTORY,
    &ATTACHMENTS,
    &BLOB,
    &BLOBS_OF,
    &SHELF_FIND,
    &CONVERSATIONS_AT,
    &SPOKE_IN,
    &SHELF,
    &SHELF_MANY,
    &TOKEN_BY_HASH,
    &TOKENS,
    &QUARANTINE,
    &AUDIT,
    &FEEDBACK,
    &COUNTS,
    &RECENT_WAITS,
    &PING,
];
