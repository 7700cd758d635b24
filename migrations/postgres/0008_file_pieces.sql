-- What a bucket holds of a file: each piece is an object that is written once. A file without pieces lies in the folder of files.
create table file_pieces (
    -- The last part of the object's name.
    id uuid primary key not null,
    file_id uuid not null references files (id) on delete cascade,
    -- Where in the file it begins. Pieces follow one another without gaps.
    at_bytes bigint not null,
    size_bytes bigint not null
);

create unique index file_pieces_by_file on file_pieces (file_id, at_bytes);
