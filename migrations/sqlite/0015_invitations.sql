-- What a member shows to be let into a room's group; only members' clients can tell whether it is good.
alter table members add column invitation blob;
