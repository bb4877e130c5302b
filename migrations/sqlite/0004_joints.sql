-- Messages that are shown in the post of another, because their room's pace left no room for a post of their own.
-- The link to the platform's message is that of `lead`; `nth` counts from 1, `lead` itself being the part before.
create table joints (
    conversation integer not null,
    session integer not null,
    message text not null,
    lead text not null,
    nth integer not null,
    primary key (conversation, session, message)
) strict, without rowid;
create index joints_lead on joints (conversation, session, lead, nth);
