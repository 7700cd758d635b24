-- What a group left behind goes little by little, and not in the transaction that deletes its room or puts another group in its place: commits
-- and what waits for devices hang on the group's history, which has a name of its own. What is kept of a group is counted in bytes.

create table e2ee_groups_next (
    -- One byte for the kind, then the identifier of the room.
    id blob primary key not null,
    room_id blob not null references rooms (id) on delete cascade,
    -- Names its commits and what waits; another one for another group of the same room.
    history_id blob not null,
    epoch integer not null,
    -- Of this epoch, signed by who made it, without the tree.
    group_info blob not null,
    -- What the server knows of it in this epoch, as openmls keeps a public group: the tree among it.
    state blob not null,
    -- Of its commits and welcomes that are kept.
    kept_bytes integer not null,
    created_at integer not null
) strict;

insert into e2ee_groups_next (id, room_id, history_id, epoch, group_info, state, kept_bytes, created_at)
select g.id, g.room_id, randomblob(16), g.epoch, g.group_info, g.state,
    (select cast(coalesce(sum(length(c.commit_bytes) + coalesce(length(c.welcome), 0)), 0) as integer) from e2ee_commits c where c.group_id = g.id),
    g.created_at
from e2ee_groups g;

create table e2ee_commits_next (
    history_id blob not null,
    -- In which it was made; it leads to the next.
    epoch integer not null,
    commit_bytes blob not null,
    -- For those whom it adds, until all have fetched it.
    welcome blob,
    created_at integer not null,
    primary key (history_id, epoch)
) strict;

insert into e2ee_commits_next (history_id, epoch, commit_bytes, welcome, created_at)
select g.history_id, c.epoch, c.commit_bytes, c.welcome, c.created_at
from e2ee_commits c join e2ee_groups_next g on g.id = c.group_id;

-- What waits for one device until it fetches it.
create table e2ee_inbox_next (
    id blob primary key not null,
    user_id blob not null,
    device_id blob not null,
    history_id blob not null,
    -- Who left a message; null for a welcome.
    sender blob,
    -- Of the commit with the welcome; null for a message.
    epoch integer,
    -- Null for a welcome, which stands once with its commit.
    body blob,
    created_at integer not null,
    foreign key (user_id, device_id) references e2ee_devices (user_id, device_id) on delete cascade
) strict;

insert into e2ee_inbox_next (id, user_id, device_id, history_id, epoch, body, created_at)
select i.id, i.user_id, i.device_id, g.history_id, i.epoch, i.body, i.created_at
from e2ee_inbox i join e2ee_groups_next g on g.id = i.group_id;

drop table e2ee_inbox;
drop table e2ee_commits;
drop table e2ee_groups;
alter table e2ee_groups_next rename to e2ee_groups;
alter table e2ee_commits_next rename to e2ee_commits;
alter table e2ee_inbox_next rename to e2ee_inbox;

create index e2ee_groups_by_room on e2ee_groups (room_id);
create unique index e2ee_groups_by_history on e2ee_groups (history_id);
create index e2ee_commits_by_age on e2ee_commits (created_at);
create index e2ee_commits_with_welcome on e2ee_commits (created_at) where welcome is not null;
create index e2ee_inbox_by_device on e2ee_inbox (user_id, device_id, id);
create index e2ee_inbox_by_history on e2ee_inbox (history_id, epoch);
create index e2ee_inbox_by_age on e2ee_inbox (created_at);

-- Histories of groups that are gone, until all of them is removed.
create table e2ee_removed_histories (
    history_id blob primary key not null
) strict, without rowid;
