-- Rooms whose calls hide from the server who speaks; said when a room is made, and only of those that are encrypted.

alter table rooms add column strict boolean not null default false;
