-- The tables of migrations/sqlite/0002_console.sql. Keys compare as bytes, as they do there.

-- The account of a technician. Without a password nobody can sign in by it yet.
create table accounts (
    technician text collate "C" primary key,
    login text collate "C" not null unique,
    password text,
    disabled bigint not null,
    created bigint not null,
    changed bigint not null
);

-- Sessions of browsers and one-time links, by the hash of their secret.
create table logins (
    sha256 text collate "C" primary key,
    kind text not null,
    technician text collate "C",
    created bigint not null,
    seen bigint not null,
    expires bigint not null
);
create index logins_technician on logins (technician) where technician is not null;
create index logins_expires on logins (expires);

-- Canned replies, drafts, settings. `owner` is '' for what belongs to everybody.
create table kept (
    kind text collate "C" not null,
    owner text collate "C" not null,
    key text collate "C" not null,
    value text not null,
    updated bigint not null,
    primary key (kind, owner, key)
);
