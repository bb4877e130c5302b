-- Deliveries that became several operations: what is on the platform so far, so that the rest goes on behind it.

-- JSON, a list of what the platform made of each operation, in order; null where nothing is there, or all of it.
alter table outbox add column shown text;
