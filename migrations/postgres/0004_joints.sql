-- Messages that are shown in the post of another, because their room's pace left no room for a post of their own.
-- The link to the platform's message is that of `lead`; `nth` counts from 1, `lead` itself being the part before.
create table joints (
    conversation bigint not null,
    session bigint not null,
    message text collate "C" not null,
    lead text collate "C" not null,
    nth bigint not null,
    primary key (conversation, session, message)
);
create index joints_lead on joints (conversation, session, lead, nth);
