//! Whole tables that may be read, each for a reason.

/// Tables that do not grow with use: a named maximum keeps them small.
const BOUNDED: [(&str, &str); 2] = [
    ("turn_keys", "made by hand on the command line, 100 at most"),
    ("diagnostic_reports", "the newest few thousand are kept, and each new one lets the oldest go"),
];

/// Statements that read a whole table which grows: how they begin, which table, and why they may.
const ALLOWED: [(&str, &str, &str); 4] = [
    (
        "select count(*) from rooms",
        "rooms",
        "a figure of the metrics page, along the shortest index: milliseconds for 100,000 rooms",
    ),
    ("select count(*), cast(coalesce(sum(size_bytes)", "files", "once after the start; counted on from there"),
    (
        "select room_id from removed_rooms order by room_id limit",
        "removed_rooms",
        "in the order of its key, and no further than its limit",
    ),
    (
        "select history_id from e2ee_removed_histories order by history_id limit",
        "e2ee_removed_histories",
        "in the order of its key, and no further than its limit",
    ),
];

/// Whether a statement may read all of a table.
pub(crate) fn may_read_all(statement: &str, table: &str) -> bool {
    BOUNDED.iter().any(|(bounded, _)| *bounded == table)
        || ALLOWED.iter().any(|(beginning, allowed, _)| statement.starts_with(beginning) && *allowed == table)
}
