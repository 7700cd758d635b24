-- The member was put into a direct conversation by somebody else: it does not count as one of theirs.
alter table members add column unasked boolean not null default false;
