-- Erasing people, and second factors of accounts.

-- By what hashes are salted: a requester's tombstone is the cause `er:<hash>`, its `now` until when nothing of theirs is
-- taken in. See src/store/tombstone.rs.
create table salts (
    name text primary key,
    value text not null
);
insert into salts (name, value)
    values ('tombstones', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));
