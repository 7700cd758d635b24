-- Identifiers are UUIDs, times Unix milliseconds.
create table users (
    id uuid primary key not null,
    username text not null,
    -- The name in lower case: names are unique without regard to case.
    username_folded text not null unique,
    password_hash text not null,
    created_at bigint not null
);

create table sessions (
    id uuid primary key not null,
    user_id uuid not null references users (id) on delete cascade,
    -- How often the refresh token was exchanged; only the token of this generation (and briefly the one before) is good.
    generation bigint not null,
    rotated_at bigint not null,
    created_at bigint not null,
    last_used_at bigint not null,
    user_agent text not null
);

create index sessions_by_user on sessions (user_id, last_used_at);
create index sessions_by_last_use on sessions (last_used_at);

create table rooms (
    id uuid primary key not null,
    name text not null,
    -- Fixed at creation.
    encryption text not null,
    link_code text not null unique,
    created_at bigint not null,
    member_count bigint not null
);

create table members (
    room_id uuid not null references rooms (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    role text not null,
    joined_at bigint not null,
    primary key (room_id, user_id)
);

create index members_by_user on members (user_id);
-- One owner for each room.
create unique index members_owner on members (room_id) where role = 'owner';
