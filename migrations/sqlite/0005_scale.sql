-- What a username looks like, so that of names that are taken for one another only one is given away: see src/accounts/skeleton.rs,
-- which this follows. Null for who was there before and has a name like an older account's: they keep it.
alter table users add column username_skeleton text;

-- The capital I before all is lower case; then the letters; then runs of dots, halved until the longest of 32 is one.
update users set username_skeleton =
    replace(replace(replace(replace(replace(replace(replace(lower(replace(username, 'I', 'l')),
    '1', 'l'), '0', 'o'), 'm', 'rn'), 'w', 'vv'), 'd', 'cl'), '_', '.'), '-', '.');
update users set username_skeleton = trim(
    replace(replace(replace(replace(replace(username_skeleton, '..', '.'), '..', '.'), '..', '.'), '..', '.'), '..', '.'), '.');
update users set username_skeleton = null where id in (
    select id from (
        select id, row_number() over (partition by username_skeleton order by created_at, id) as place from users
    ) ranked where place > 1
);
create unique index users_by_skeleton on users (username_skeleton);

-- Sessions end so long after they began, whether they are used or not.
create index sessions_by_beginning on sessions (created_at);
