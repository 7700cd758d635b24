-- Keys with which programs fetch credentials for TURN. The hash of a key is kept, not the key.
create table turn_keys (
    name text primary key not null,
    key_hash blob not null unique,
    created_at integer not null
) strict, without rowid;
