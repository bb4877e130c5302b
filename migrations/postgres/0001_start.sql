-- The tables of migrations/sqlite/0001_start.sql. Keys compare as bytes, as they do there.
-- Times are microseconds UTC; ids of messages and effects are (conversation, seq, n); JSON is text. See src/store/rows.rs.
-- No foreign keys between hot tables: the writer is the only one who writes, and each check costs a look-up.

create table counters (
    name text collate "C" primary key,
    number bigint not null
);
insert into counters (name, number) values ('conversation', 0), ('ticket', 0);

-- Idempotency keys of everything that was ever applied.
create table causes (
    key text collate "C" primary key,
    conversation bigint not null,
    now bigint not null
);

-- Columns before `state` derive from it, so that lists and scans need not parse it.
create table conversations (
    id bigint primary key,
    seq bigint not null,
    version bigint not null,
    stage text collate "C" not null,
    queue text collate "C" not null,
    requester text collate "C" not null,
    assignee text collate "C",
    offered text collate "C",
    priority bigint not null,
    front bigint not null,
    -- Set while it waits without an offer.
    waiting_since bigint,
    -- The latest wait that ended with a technician: from, to. They stay when the stage moves on.
    waited_from bigint,
    accepted bigint,
    wake_at bigint,
    opened bigint not null,
    updated bigint not null,
    closed bigint,
    state text not null
) with (fillfactor = 80);
create index conversations_wake on conversations (wake_at) where wake_at is not null;
create index conversations_waiting on conversations (priority desc, front desc, waiting_since, id)
    where waiting_since is not null;
create index conversations_assignee on conversations (assignee) where assignee is not null;
create index conversations_offered on conversations (offered) where offered is not null;
create index conversations_stage on conversations (stage, id);
create index conversations_requester on conversations (requester, id);
create index conversations_accepted on conversations (accepted) where accepted is not null;

create table sessions (
    conversation bigint not null,
    session bigint not null,
    requester bigint not null,
    address text collate "C" not null,
    primary key (conversation, session)
);
create index sessions_address on sessions (address, conversation);

create table messages (
    conversation bigint not null,
    seq bigint not null,
    n bigint not null,
    audience text not null,
    deleted bigint not null,
    now bigint not null,
    at bigint not null,
    edited bigint,
    reply_to text,
    author text not null,
    content text not null,
    primary key (conversation, seq, n)
);

create table log (
    conversation bigint not null,
    seq bigint not null,
    cause text not null,
    policy text not null,
    event text not null,
    primary key (conversation, seq)
);

create table outbox (
    conversation bigint not null,
    seq bigint not null,
    n bigint not null,
    lane text collate "C" not null,
    state text collate "C" not null,
    weight text not null,
    turn bigint,
    not_before bigint,
    attempts bigint not null,
    lease_until bigint,
    created bigint not null,
    updated bigint not null,
    -- The message that a Post shows, so that it can be cancelled.
    posts text,
    -- See DeliveryOp::coalesces.
    coalesces text collate "C",
    error text,
    effect text not null,
    primary key (conversation, seq, n)
) with (fillfactor = 80);
create index outbox_open on outbox (conversation, seq, n) where state in ('queued', 'attempting');
create index outbox_coalesces on outbox (lane, coalesces) where state = 'queued' and coalesces is not null;
create index outbox_failed on outbox (conversation) where state = 'failed';

create table attempts (
    conversation bigint not null,
    seq bigint not null,
    n bigint not null,
    attempt bigint not null,
    started bigint not null,
    ended bigint,
    outcome text,
    primary key (conversation, seq, n, attempt)
);

-- `message` is '' for a session's card.
create table links (
    channel text collate "C" not null,
    room text collate "C" not null,
    remote text collate "C" not null,
    conversation bigint not null,
    session bigint not null,
    message text collate "C" not null,
    part bigint not null,
    primary key (channel, room, remote)
);
create index links_message on links (conversation, session, message, part);

create table technicians (
    id text collate "C" primary key,
    presence text not null,
    since bigint not null,
    load bigint not null,
    missed bigint not null,
    last_assigned bigint
);

create table presence_log (
    id bigint primary key,
    technician text collate "C" not null,
    presence text not null,
    now bigint not null
);
create index presence_log_technician on presence_log (technician, now);

create table requesters (
    id text collate "C" primary key,
    name text not null,
    language text not null,
    away bigint not null,
    first_opened bigint not null,
    last_opened bigint not null
);

-- `<channel>:<remote user id>` of a requester; more than one once two are joined.
create table identities (
    identity text collate "C" primary key,
    requester text collate "C" not null
);
create index identities_requester on identities (requester);

create table tickets (
    number bigint primary key,
    key text collate "C" not null unique,
    conversation bigint,
    status text not null,
    priority bigint not null,
    requester text collate "C" not null,
    technician text collate "C",
    created bigint not null,
    updated bigint not null,
    summary text not null,
    description text not null
);
create unique index tickets_open on tickets (conversation) where status = 'open' and conversation is not null;
create index tickets_conversation on tickets (conversation) where conversation is not null;

create table ticket_comments (
    id bigint generated always as identity primary key,
    ticket bigint not null references tickets (number),
    key text collate "C" not null unique,
    author text not null,
    public bigint not null,
    now bigint not null,
    text text not null
);
create index ticket_comments_ticket on ticket_comments (ticket);

create table ticket_history (
    id bigint generated always as identity primary key,
    ticket bigint not null references tickets (number),
    who text not null,
    what text not null,
    now bigint not null
);
create index ticket_history_ticket on ticket_history (ticket);

create table ticket_attachments (
    id bigint generated always as identity primary key,
    ticket bigint not null references tickets (number),
    blob text collate "C" not null,
    name text not null,
    unique (ticket, blob)
);

create table blobs (
    id text collate "C" primary key,
    conversation bigint,
    size bigint not null,
    created bigint not null,
    sha256 text not null,
    mime text not null,
    name text not null
);
create index blobs_conversation on blobs (conversation) where conversation is not null;

create table quarantine (
    id bigint primary key,
    channel text collate "C" not null,
    now bigint not null,
    why text not null,
    raw bytea not null
);

create table shelves (
    channel text collate "C" not null,
    key text collate "C" not null,
    value text not null,
    primary key (channel, key)
);

create table tokens (
    id text collate "C" primary key,
    name text not null,
    sha256 text not null unique,
    scopes text not null,
    technician text collate "C",
    created bigint not null,
    expires bigint,
    revoked bigint not null
);

-- Each hash covers the row before; see src/store/audit.rs.
create table audit (
    id bigint primary key,
    now bigint not null,
    who text,
    act text not null,
    conversation bigint,
    hash text not null
);

create table feedback (
    conversation bigint not null,
    seq bigint not null,
    n bigint not null,
    helpful bigint not null,
    now bigint not null,
    primary key (conversation, seq, n)
);

-- Words are cut by src/store/search.rs, so the vector holds them as they are.
create table search (
    conversation bigint not null,
    seq bigint not null,
    n bigint not null,
    now bigint not null,
    words tsvector not null,
    primary key (conversation, seq, n)
);
create index search_words on search using gin (words);
create index search_now on search (now desc, conversation desc, seq desc, n desc);

-- Messages to be indexed: new ones, and those that have changed since.
create table search_queue (
    conversation bigint not null,
    seq bigint not null,
    n bigint not null,
    primary key (conversation, seq, n)
);
