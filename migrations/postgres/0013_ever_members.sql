-- Who ever was in the group of a room: their keys stay readable there when they have left, or nobody who was away could follow what they did
-- meanwhile, and no new device what they wrote.

create table e2ee_ever_members (
    room_id uuid not null references rooms (id) on delete cascade,
    user_id uuid not null references users (id) on delete cascade,
    primary key (room_id, user_id)
);

create index e2ee_ever_members_by_user on e2ee_ever_members (user_id);

insert into e2ee_ever_members (room_id, user_id)
select m.room_id, m.user_id from members m join rooms r on r.id = m.room_id where r.encryption = 'mls'
union
select m.room_id, m.sender from messages m join rooms r on r.id = m.room_id join users u on u.id = m.sender where r.encryption = 'mls';
