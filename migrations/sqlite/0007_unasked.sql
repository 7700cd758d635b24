-- The member was put into a direct conversation by somebody else: it does not count as one of theirs.
alter table members add column unasked integer not null default 0;
