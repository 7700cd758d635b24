-- Keys with which programs fetch credentials for TURN. The hash of a key is kept, not the key.
create table turn_keys (
    name text primary key,
    key_hash bytea not null unique,
    created_at bigint not null
);
