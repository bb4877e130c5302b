-- Who signs in to the console, what is open for them, and what is written there and not in the configuration's file.

-- The account of a technician. Without a password nobody can sign in by it yet.
create table accounts (
    technician text primary key,
    login text not null unique,
    password text,
    disabled integer not null,
    created integer not null,
    changed integer not null
) strict, without rowid;

-- Sessions of browsers and one-time links, by the hash of their secret.
create table logins (
    sha256 text primary key,
    kind text not null,
    technician text,
    created integer not null,
    seen integer not null,
    expires integer not null
) strict, without rowid;
create index logins_technician on logins (technician) where technician is not null;
create index logins_expires on logins (expires);

-- Canned replies, drafts, settings. `owner` is '' for what belongs to everybody.
create table kept (
    kind text not null,
    owner text not null,
    key text not null,
    value text not null,
    updated integer not null,
    primary key (kind, owner, key)
) strict, without rowid;
