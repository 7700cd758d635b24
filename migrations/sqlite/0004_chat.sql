-- Rooms hold a log of entries, numbered without gaps. A direct conversation is a room without a name, a link and an owner.
alter table rooms add column kind text not null default 'room';
-- Of a direct conversation: its members, so that the same people find the same conversation.
alter table rooms add column direct_key text;
alter table rooms add column topic text not null default '';
alter table rooms add column locked integer not null default 0;
alter table rooms add column slow_mode_s integer not null default 0;
-- Entries older than this are removed; null keeps them for ever.
alter table rooms add column retention_days integer;
alter table rooms add column first_seq integer not null default 1;
alter table rooms add column last_seq integer not null default 0;
create unique index rooms_by_direct_key on rooms (direct_key) where direct_key is not null;
create index rooms_by_retention on rooms (id) where retention_days is not null;

-- The last entry that the member has read.
alter table members add column read_seq integer not null default 0;
-- May read but not write.
alter table members add column chat_muted integer not null default 0;
-- Kept in rooms with slow mode only.
alter table members add column last_message_at integer not null default 0;

-- No reference to rooms: a room is deleted at once, what it held little by little.
create table messages (
    room_id blob not null,
    seq integer not null,
    -- Made by who sent it, so that sending again is the same message.
    id blob not null,
    -- message, deletion, pin, unpin.
    kind text not null,
    sender blob not null,
    sent_at integer not null,
    -- Opaque; null once deleted, and in what is no message.
    body blob,
    -- The message that a deletion or a pin is about.
    target blob,
    primary key (room_id, seq)
) strict;

create unique index messages_by_id on messages (room_id, id);

create table pins (
    room_id blob not null references rooms (id) on delete cascade,
    message_id blob not null,
    pinned_by blob not null,
    pinned_at integer not null,
    primary key (room_id, message_id)
) strict, without rowid;

-- Deleted rooms whose entries and files are still to be removed.
create table removed_rooms (
    room_id blob primary key not null
) strict, without rowid;

create table bans (
    room_id blob not null references rooms (id) on delete cascade,
    user_id blob not null references users (id) on delete cascade,
    banned_by blob not null,
    banned_at integer not null,
    primary key (room_id, user_id)
) strict, without rowid;

-- What owners and moderators did.
create table audit_log (
    room_id blob not null references rooms (id) on delete cascade,
    id blob not null,
    at integer not null,
    actor blob not null,
    act text not null,
    -- Whom it was done to.
    subject blob,
    -- A new name, topic, role or number.
    detail text not null,
    primary key (room_id, id)
) strict, without rowid;

create table files (
    id blob primary key not null,
    room_id blob not null,
    user_id blob not null references users (id) on delete cascade,
    size_bytes integer not null,
    received_bytes integer not null,
    created_at integer not null,
    -- The message that it came with; a file without one is removed after a day.
    message_id blob
) strict, without rowid;

create index files_by_room on files (room_id, message_id);
create index files_by_user on files (user_id);
create index files_unsent on files (created_at) where message_id is null;
