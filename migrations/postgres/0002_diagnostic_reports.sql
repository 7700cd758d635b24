-- What people's browsers found on /diagnostics, for the operator. No addresses.
create table diagnostic_reports (
    id uuid primary key not null,
    user_id uuid not null references users (id) on delete cascade,
    created_at bigint not null,
    browser text not null,
    verdict text not null,
    -- The steps with their results and figures, as JSON; checked before they were stored.
    steps text not null
);

create index diagnostic_reports_by_time on diagnostic_reports (created_at, id);
create index diagnostic_reports_by_user on diagnostic_reports (user_id, created_at);
