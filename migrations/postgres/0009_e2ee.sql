-- What the server keeps for end-to-end encryption: public keys, sealed bytes and their order. Nothing here opens anything.

-- What each user published about their keys, in order. See trust/src/chain.rs.
create table e2ee_records (
    user_id uuid not null references users (id) on delete cascade,
    -- From 0, without gaps.
    number bigint not null,
    record bytea not null,
    -- Its place in the log of all records.
    leaf bigint not null,
    primary key (user_id, number)
);

-- Devices that count: the outcome of the records.
create table e2ee_devices (
    user_id uuid not null references users (id) on delete cascade,
    -- Chosen by the device; another user may have the same.
    device_id uuid not null,
    -- As it stands in the record and in every leaf of the device.
    certificate bytea not null,
    primary key (user_id, device_id)
);

create table e2ee_key_packages (
    -- SHA-256 of the package.
    hash bytea primary key not null,
    user_id uuid not null,
    device_id uuid not null,
    -- Given out again and again when no other is left; one for each device.
    last_resort boolean not null,
    -- Null once given out: the row stays until the package would have expired, so that it is not uploaded again.
    package bytea,
    expires_at bigint not null,
    foreign key (user_id, device_id) references e2ee_devices (user_id, device_id) on delete cascade
);

create index e2ee_key_packages_by_device on e2ee_key_packages (user_id, device_id, last_resort, expires_at);
create index e2ee_key_packages_by_expiry on e2ee_key_packages (expires_at);

create table e2ee_groups (
    -- One byte for the kind, then the identifier of the room or the call.
    id bytea primary key not null,
    room_id uuid not null references rooms (id) on delete cascade,
    epoch bigint not null,
    -- Of this epoch, signed by who made it, without the tree.
    group_info bytea not null,
    -- What the server knows of it in this epoch, as openmls keeps a public group: the tree among it.
    state bytea not null,
    created_at bigint not null
);

create index e2ee_groups_by_room on e2ee_groups (room_id);

create table e2ee_commits (
    group_id bytea not null references e2ee_groups (id) on delete cascade,
    -- In which it was made; it leads to the next.
    epoch bigint not null,
    commit_bytes bytea not null,
    -- For those whom it adds.
    welcome bytea,
    created_at bigint not null,
    primary key (group_id, epoch)
);

create index e2ee_commits_by_age on e2ee_commits (created_at);

-- What waits for one device until it fetches it.
create table e2ee_inbox (
    id uuid primary key not null,
    user_id uuid not null,
    device_id uuid not null,
    group_id bytea not null references e2ee_groups (id) on delete cascade,
    -- Of the commit with the welcome; null for a message.
    epoch bigint,
    -- Null for a welcome, which stands once with its commit.
    body bytea,
    created_at bigint not null,
    foreign key (user_id, device_id) references e2ee_devices (user_id, device_id) on delete cascade
);

create index e2ee_inbox_by_device on e2ee_inbox (user_id, device_id, id);
create index e2ee_inbox_by_group on e2ee_inbox (group_id);
create index e2ee_inbox_by_age on e2ee_inbox (created_at);

-- Sealed by the user's own devices.
create table e2ee_backups (
    user_id uuid not null references users (id) on delete cascade,
    slot text not null,
    -- From 1; rises with every write.
    version bigint not null,
    body bytea not null,
    primary key (user_id, slot)
);

-- The append-only log of all records: its length, and the hashes of its complete subtrees. See trust/src/log.rs.
create table e2ee_log (
    name text primary key not null,
    size bigint not null
);

create table e2ee_log_nodes (
    level bigint not null,
    place bigint not null,
    hash bytea not null,
    primary key (level, place)
);
