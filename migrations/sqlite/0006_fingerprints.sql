-- By what the fingerprints of requests are keyed: what is kept of a body for its idempotency key tells nothing without.
insert into salts (name, value) values ('fingerprints', lower(hex(randomblob(32))));
