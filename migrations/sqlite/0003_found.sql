-- What technicians find things by: labels of conversations, names of requesters, words of tickets.

-- Derives from the conversations' states.
create table labels (
    label text not null,
    conversation integer not null,
    primary key (label, conversation)
) strict, without rowid;
create index labels_conversation on labels (conversation);

-- Words as src/store/search.rs cuts them, each between blanks. What was stored before is cut roughly; names are cut anew
-- with their owner's next conversation.
alter table requesters add column words text not null default '';
update requesters set words = ' ' || lower(name) || ' ';
create index requesters_opened on requesters (last_opened, id);

alter table tickets add column words text not null default '';
update tickets set words = ' t ' || printf('%06d', number) || ' ' || number || ' ' || lower(summary) || ' ' || lower(requester) || ' ';
