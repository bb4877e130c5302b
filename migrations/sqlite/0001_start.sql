-- Times are microseconds UTC; ids of messages and effects are (conversation, seq, n); JSON is text. See src/store/rows.rs.
-- No foreign keys between hot tables: the writer is the only one who writes, and each check costs a look-up.

create table counters (
    name text primary key,
    number integer not null
) strict, without rowid;
insert into counters (name, number) values ('conversation', 0), ('ticket', 0), ('search', 0);

-- Idempotency keys of everything that was ever applied.
create table causes (
    key text primary key,
    conversation integer not null,
    now integer not null
) strict, without rowid;

-- Columns before `state` derive from it, so that lists and scans need not parse it.
create table conversations (
    id integer primary key,
    seq integer not null,
    version integer not null,
    stage text not null,
    queue text not null,
    requester text not null,
    assignee text,
    offered text,
    priority integer not null,
    front integer not null,
    -- Set while it waits without an offer.
    waiting_since integer,
    -- The latest wait that ended with a technician: from, to. They stay when the stage moves on.
    waited_from integer,
    accepted integer,
    wake_at integer,
    opened integer not null,
    updated integer not null,
    closed integer,
    state text not null
) strict;
create index conversations_wake on conversations (wake_at) where wake_at is not null;
create index conversations_waiting on conversations (priority desc, front desc, waiting_since, id)
    where waiting_since is not null;
create index conversations_assignee on conversations (assignee) where assignee is not null;
create index conversations_offered on conversations (offered) where offered is not null;
create index conversations_stage on conversations (stage, id);
create index conversations_requester on conversations (requester, id);
create index conversations_accepted on conversations (accepted) where accepted is not null;

create table sessions (
    conversation integer not null,
    session integer not null,
    requester integer not null,
    address text not null,
    primary key (conversation, session)
) strict, without rowid;
create index sessions_address on sessions (address, conversation);

-- Big tables that grow at the end have a rowid and a narrow index on their key: a batch then touches fewer pages than
-- with rows ordered by conversation. The search index needs messages.pos, and it tells in which order they came.
create table messages (
    pos integer primary key,
    conversation integer not null,
    seq integer not null,
    n integer not null,
    audience text not null,
    deleted integer not null,
    now integer not null,
    at integer not null,
    edited integer,
    reply_to text,
    author text not null,
    content text not null
) strict;
create unique index messages_id on messages (conversation, seq, n);

create table log (
    pos integer primary key,
    conversation integer not null,
    seq integer not null,
    cause text not null,
    policy text not null,
    event text not null
) strict;
create unique index log_id on log (conversation, seq);

create table outbox (
    pos integer primary key,
    conversation integer not null,
    seq integer not null,
    n integer not null,
    lane text not null,
    state text not null,
    weight text not null,
    turn integer,
    not_before integer,
    attempts integer not null,
    lease_until integer,
    created integer not null,
    updated integer not null,
    -- The message that a Post shows, so that it can be cancelled.
    posts text,
    -- See DeliveryOp::coalesces.
    coalesces text,
    error text,
    effect text not null
) strict;
create unique index outbox_id on outbox (conversation, seq, n);
create index outbox_open on outbox (conversation, seq, n) where state in ('queued', 'attempting');
create index outbox_coalesces on outbox (lane, coalesces) where state = 'queued' and coalesces is not null;
create index outbox_failed on outbox (conversation) where state = 'failed';

create table attempts (
    conversation integer not null,
    seq integer not null,
    n integer not null,
    attempt integer not null,
    started integer not null,
    ended integer,
    outcome text,
    primary key (conversation, seq, n, attempt)
) strict, without rowid;

-- `message` is '' for a session's card.
create table links (
    channel text not null,
    room text not null,
    remote text not null,
    conversation integer not null,
    session integer not null,
    message text not null,
    part integer not null,
    primary key (channel, room, remote)
) strict, without rowid;
create index links_message on links (conversation, session, message, part);

create table technicians (
    id text primary key,
    presence text not null,
    since integer not null,
    load integer not null,
    missed integer not null,
    last_assigned integer
) strict, without rowid;

create table presence_log (
    id integer primary key,
    technician text not null,
    presence text not null,
    now integer not null
) strict;
create index presence_log_technician on presence_log (technician, now);

create table requesters (
    id text primary key,
    name text not null,
    language text not null,
    away integer not null,
    first_opened integer not null,
    last_opened integer not null
) strict, without rowid;

-- `<channel>:<remote user id>` of a requester; more than one once two are joined.
create table identities (
    identity text primary key,
    requester text not null
) strict, without rowid;
create index identities_requester on identities (requester);

create table tickets (
    number integer primary key,
    key text not null unique,
    conversation integer,
    status text not null,
    priority integer not null,
    requester text not null,
    technician text,
    created integer not null,
    updated integer not null,
    summary text not null,
    description text not null
) strict;
create unique index tickets_open on tickets (conversation) where status = 'open' and conversation is not null;
create index tickets_conversation on tickets (conversation) where conversation is not null;

create table ticket_comments (
    id integer primary key,
    ticket integer not null references tickets (number),
    key text not null unique,
    author text not null,
    public integer not null,
    now integer not null,
    text text not null
) strict;
create index ticket_comments_ticket on ticket_comments (ticket);

create table ticket_history (
    id integer primary key,
    ticket integer not null references tickets (number),
    who text not null,
    what text not null,
    now integer not null
) strict;
create index ticket_history_ticket on ticket_history (ticket);

create table ticket_attachments (
    id integer primary key,
    ticket integer not null references tickets (number),
    blob text not null,
    name text not null,
    unique (ticket, blob)
) strict;

create table blobs (
    id text primary key,
    conversation integer,
    size integer not null,
    created integer not null,
    sha256 text not null,
    mime text not null,
    name text not null
) strict, without rowid;
create index blobs_conversation on blobs (conversation) where conversation is not null;

create table quarantine (
    id integer primary key,
    channel text not null,
    now integer not null,
    why text not null,
    raw blob not null
) strict;

create table shelves (
    channel text not null,
    key text not null,
    value text not null,
    primary key (channel, key)
) strict, without rowid;

create table tokens (
    id text primary key,
    name text not null,
    sha256 text not null unique,
    scopes text not null,
    technician text,
    created integer not null,
    expires integer,
    revoked integer not null
) strict, without rowid;

-- Each hash covers the row before; see src/store/audit.rs.
create table audit (
    id integer primary key,
    now integer not null,
    who text,
    act text not null,
    conversation integer,
    hash text not null
) strict;

create table feedback (
    conversation integer not null,
    seq integer not null,
    n integer not null,
    helpful integer not null,
    now integer not null,
    primary key (conversation, seq, n)
) strict, without rowid;

-- The rowid is messages.pos. Words are cut by src/store/search.rs; contentless, so that no text is kept twice.
create virtual table search using fts5 (
    words,
    content = '',
    contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2'
);

-- Messages that were indexed and have changed since.
create table search_queue (
    conversation integer not null,
    seq integer not null,
    n integer not null,
    primary key (conversation, seq, n)
) strict, without rowid;
