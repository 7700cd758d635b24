//! Tables as large as a busy server's.

use crate::filling::{self, Words};

/// Tables with how many units of rows they have, and what a row is made of (see [`filling::insert`]).
const TABLES: [(&str, usize, &str); 13] = [
    ("users", 10, "[i], 'user' || i, 'user' || i, 'hash', i, 'skeleton' || i"),
    (
        "rooms",
        10,
        "[i], 'room', 'open', 'link' || i, i, 2, case when i % 2 = 0 then 'direct' else 'room' end, \
         case when i % 2 = 0 then 'key' || i end, '', false, 0, case when i % 10 = 0 then 30 end, 1, 30",
    ),
    ("sessions", 20, "[i], [(i + 1) / 2], 0, i, i, i, 'browser'"),
    (
        "members",
        20,
        "[(i + 1) / 2], [i / 4 + 2 - i % 2], case when i % 2 = 0 then 'owner' else 'member' end, i, i % 30, false, 0, i % 5 = 0",
    ),
    ("messages", 30, "[(i + 29) / 30], i, [i], 'message', [(i + 30) / 31], i, cast('a body as long as most are' as BYTES), null"),
    ("pins", 5, "[i], [i * 30], [i], i"),
    ("removed_rooms", 2, "[i + 1000000]"),
    ("bans", 5, "[i], [i + 1], [i], i"),
    ("audit_log", 20, "[(i + 19) / 20], [i], i, [i], 'rename', null, 'name'"),
    ("files", 20, "[i], [(i + 19) / 20], [(i + 19) / 20], 10, 10, i, case when i % 20 = 0 then null else [i + 3] end"),
    ("file_pieces", 20, "[i], [(i + 4) / 5], (i % 5) * 10, 10"),
    ("turn_keys", 1, "'key' || i, cast('hash' || i as BYTES), i"),
    ("diagnostic_reports", 1, "[i], [i / 2 + 1], i, 'browser', 'verdict', 'steps'"),
];

/// The statements that fill the tables, with so many rows to a unit.
pub(crate) fn statements(unit: usize, words: &Words) -> Vec<String> {
    TABLES.iter().map(|(table, units, values)| filling::insert(words, table, units * unit, values)).collect()
}
