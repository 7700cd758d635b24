-- Which of the user's devices for end-to-end encryption spoke through a session: when one of them is revoked, the session ends with it.

create table session_devices (
    session_id uuid not null references sessions (id) on delete cascade,
    device_id uuid not null,
    primary key (session_id, device_id)
);
