-- Rooms hold a log of entries, numbered without gaps. A direct conversation is a room without a name, a link and an owner.
alter table rooms add column kind text not null default 'room';
-- Of a direct conversation: its members, so that the same people find the same conversation.
alter table rooms add column direct_key text;
alter table rooms add column topic text not null default '';
alter table rooms add column locked boolean not null default false;
alter table rooms add column slow_mode_s bigint not null default 0;
-- Entries older than this are removed; null keeps them for ever.
alter table rooms add column retention_days bigint;
alter table rooms add column first_seq bigint not null default 1;
alter table rooms add column last_seq bigint not null default 0;
create unique index rooms_by_direct_key on rooms (direct_key) where direct_key is not null;
create index rooms_by_retention on rooms (id) where retention_days is not null;

-- The last entry that the member has read.
alter table members add column read_seq bigint not null default 0;
-- May read but not write.
alter table members add column chat_muted boolean not null default false;
-- Kept in rooms with slow mode only.
alter table members add column last_message_at bigint not null default 0;

-- No reference to rooms: a room is deleted at once, what it held little by little.
create table messages (
    room_id uuid not null,
    seq bigint not null,
    -- Made by who sent it, so that sending again is the same message.
    id uuid not null,
    -- message, deletion, pin, unpin.
    kind text not null,
    sender uuid not null,
    sent_at bigint not null,
    -- Opaque; null once deleted, and in what is no message.
    body bytea,
    -- The message that a deletion or a pin is about.
    target uuid,
    primary key (room_id, seq)
);

create unique index messages_by_id on messages (room_id, id);

create table pins (
    room_id uuid not null references rooms (id) on delete cascade,
    message_id uuid not null,
    pinned_by uuid not null,
    pinned_at bigint not null,
    primary key (room_id, message_id)
);

-- Deleted rooms whose entries and files are still to be removed.
create table removed_rooms (
    room_id uuid primary key not null
);

create table bans (
    room_id uuid not null references rooms (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    banned_by uuid not null,
    banned_at bigint not null,
    primary key (room_id, user_id)
);

-- What owners and moderators did.
create table audit_log (
    room_id uuid not null references rooms (id) on delete cascade,
    id uuid not null,
    at bigint not null,
    actor uuid not null,
    act text not null,
    -- Whom it was done to.
    subject uuid,
    -- A new name, topic, role or number.
    detail text not null,
    primary key (room_id, id)
);

create table files (
    id uuid primary key not null,
    room_id uuid not null,
    user_id uuid not null references users (id) on delete cascade,
    size_bytes bigint not null,
    received_bytes bigint not null,
    created_at bigint not null,
    -- The message that it came with; a file without one is removed after a day.
    message_id uuid
);

create index files_by_room on files (room_id, message_id);
create index files_by_user on files (user_id);
create index files_unsent on files (created_at) where message_id is null;
