//! Tables as large as a busy server's.

use crate::filling::{self, Words};

/// Tables with how many units of rows they have, and what a row is made of (see [`filling::insert`]).
const TABLES: [(&str, usize, &str); 25] = [
    ("users", 10, "[i], 'user' || i, 'user' || i, 'hash', i, 'skeleton' || i"),
    (
        "rooms",
        10,
        "[i], 'room', 'open', false, 'link' || i, i, 2, case when i % 2 = 0 then 'direct' else 'room' end, \
         case when i % 2 = 0 then 'key' || i end, '', false, 0, case when i % 10 = 0 then 30 end, 1, 30",
    ),
    ("sessions", 20, "[i], [(i + 1) / 2], 0, i, i, i, 'browser'"),
    (
        "members",
        20,
        "[(i + 1) / 2], [i / 4 + 2 - i % 2], case when i % 2 = 0 then 'owner' else 'member' end, i, i % 30, false, 0, i % 5 = 0, \
         case when i % 3 = 0 then cast('invitation' as BYTES) end",
    ),
    ("messages", 30, "[(i + 29) / 30], i, [i], 'message', [(i + 30) / 31], i, cast('a body as long as most are' as BYTES), null"),
    ("pins", 5, "[i], [i * 30], [i], i"),
    ("removed_rooms", 2, "[i + 1000000]"),
    ("bans", 5, "[i], [i + 1], [i], i"),
    ("audit_log", 20, "[(i + 19) / 20], [i], i, [i], 'rename', null, 'name'"),
    ("files", 20, "[i], [(i + 19) / 20], [(i + 19) / 20], 10, 10, i, case when i % 20 = 0 then null else [i + 3] end"),
    ("file_pieces", 20, "[i], [(i + 4) / 5], (i % 5) * 10, 10"),
    ("e2ee_records", 20, "[(i + 1) / 2], i % 2, cast('a record' as BYTES), i"),
    ("session_devices", 20, "[i], [i]"),
    ("e2ee_devices", 20, "[(i + 1) / 2], [i], cast('a certificate' as BYTES)"),
    (
        "e2ee_key_packages",
        40,
        "cast('hash' || i as BYTES), [(i + 3) / 4], [(i + 1) / 2], i % 20 = 0, case when i % 3 = 0 then null else cast('package' as BYTES) \
         end, i",
    ),
    ("e2ee_groups", 10, "cast('group' || i as BYTES), [i], [i], 3, cast('group info' as BYTES), cast('tree' as BYTES), 40, i"),
    (
        "e2ee_commits",
        30,
        "[(i + 2) / 3], i % 3, cast('commit' as BYTES), case when i % 3 = 0 then cast('welcome' as BYTES) end, i",
    ),
    (
        "e2ee_inbox",
        20,
        "[i], [(i + 1) / 2], [i], [(i + 1) / 2], case when i % 2 = 1 then [i + 1] end, case when i % 2 = 0 then 1 end, \
         case when i % 2 = 1 then cast('message' as BYTES) end, i",
    ),
    ("e2ee_ever_members", 20, "[(i + 1) / 2], [i / 4 + 2 - i % 2]"),
    ("e2ee_removed_histories", 2, "[i + 1000000]"),
    ("e2ee_backups", 20, "[(i + 1) / 2], 'slot' || (i % 2), i, cast('sealed' as BYTES)"),
    ("e2ee_log", 1, "case when i = 1 then 'records' else 'other' || i end, i"),
    ("e2ee_log_nodes", 40, "i % 10, i / 10, cast('hash' as BYTES)"),
    ("turn_keys", 1, "'key' || i, cast('hash' || i as BYTES), i"),
    ("diagnostic_reports", 1, "[i], [i / 2 + 1], i, 'browser', 'verdict', 'steps'"),
];

/// The statements that fill the tables, with so many rows to a unit.
pub(crate) fn statements(unit: usize, words: &Words) -> Vec<String> {
    TABLES.iter().map(|(table, units, values)| filling::insert(words, table, units * unit, values)).collect()
}
