//! Every table with its columns, in an order in which none refers to a later one. `tests/vault.rs` compares the list with the schema of
//! both databases: a table or column that a migration adds and this list forgets fails there, not in somebody's restored backup.

/// What a column holds, whatever the databases call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 16 bytes, `uuid`.
    Id,
    /// Text without NUL, which PostgreSQL does not take.
    Text,
    /// 64 bits, signed.
    Integer,
    /// True or false; 1 or 0 in SQLite.
    Flag,
    /// Any bytes.
    Bytes,
}

use Kind::{Bytes, Flag, Id, Integer, Text};

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The names of its columns, as they stand in a statement.
    pub(super) fn column_list(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}

/// All tables.
pub const TABLES: &[Table] = &[
    Table {
        name: "users",
        columns: &[
            ("id", Id),
            ("username", Text),
            ("username_folded", Text),
            ("password_hash", Text),
            ("created_at", Integer),
            ("username_skeleton", Text),
        ],
    },
    Table {
        name: "sessions",
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("generation", Integer),
            ("rotated_at", Integer),
            ("created_at", Integer),
            ("last_used_at", Integer),
            ("user_agent", Text),
        ],
    },
    Table {
        name: "rooms",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("encryption", Text),
            ("strict", Flag),
            ("link_code", Text),
            ("created_at", Integer),
            ("member_count", Integer),
            ("kind", Text),
            ("direct_key", Text),
            ("topic", Text),
            ("locked", Flag),
            ("slow_mode_s", Integer),
            ("retention_days", Integer),
            ("first_seq", Integer),
            ("last_seq", Integer),
        ],
    },
    Table {
        name: "members",
        columns: &[
            ("room_id", Id),
            ("user_id", Id),
            ("role", Text),
            ("joined_at", Integer),
            ("read_seq", Integer),
            ("chat_muted", Flag),
            ("last_message_at", Integer),
            ("unasked", Flag),
            ("invitation", Bytes),
        ],
    },
    Table {
        name: "diagnostic_reports",
        columns: &[("id", Id), ("user_id", Id), ("created_at", Integer), ("browser", Text), ("verdict", Text), ("steps", Text)],
    },
    Table { name: "turn_keys", columns: &[("name", Text), ("key_hash", Bytes), ("created_at", Integer)] },
    Table {
        name: "messages",
        columns: &[
            ("room_id", Id),
            ("seq", Integer),
            ("id", Id),
            ("kind", Text),
            ("sender", Id),
            ("sent_at", Integer),
            ("body", Bytes),
            ("target", Id),
        ],
    },
    Table { name: "pins", columns: &[("room_id", Id), ("message_id", Id), ("pinned_by", Id), ("pinned_at", Integer)] },
    Table { name: "removed_rooms", columns: &[("room_id", Id)] },
    Table { name: "bans", columns: &[("room_id", Id), ("user_id", Id), ("banned_by", Id), ("banned_at", Integer)] },
    Table {
        name: "audit_log",
        columns: &[("room_id", Id), ("id", Id), ("at", Integer), ("actor", Id), ("act", Text), ("subject", Id), ("detail", Text)],
    },
    Table {
        name: "files",
        columns: &[
            ("id", Id),
            ("room_id", Id),
            ("user_id", Id),
            ("size_bytes", Integer),
            ("received_bytes", Integer),
            ("created_at", Integer),
            ("message_id", Id),
        ],
    },
    Table { name: "e2ee_records", columns: &[("user_id", Id), ("number", Integer), ("record", Bytes), ("leaf", Integer)] },
    Table { name: "session_devices", columns: &[("session_id", Id), ("device_id", Id)] },
    Table { name: "e2ee_devices", columns: &[("user_id", Id), ("device_id", Id), ("certificate", Bytes)] },
    Table {
        name: "e2ee_key_packages",
        columns: &[
            ("hash", Bytes),
            ("user_id", Id),
            ("device_id", Id),
            ("last_resort", Flag),
            ("package", Bytes),
            ("expires_at", Integer),
        ],
    },
    Table {
        name: "e2ee_groups",
        columns: &[
            ("id", Bytes),
            ("room_id", Id),
            ("history_id", Id),
            ("epoch", Integer),
            ("group_info", Bytes),
            ("state", Bytes),
            ("kept_bytes", Integer),
            ("created_at", Integer),
        ],
    },
    Table {
        name: "e2ee_commits",
        columns: &[("history_id", Id), ("epoch", Integer), ("commit_bytes", Bytes), ("welcome", Bytes), ("created_at", Integer)],
    },
    Table {
        name: "e2ee_inbox",
        columns: &[
            ("id", Id),
            ("user_id", Id),
            ("device_id", Id),
            ("history_id", Id),
            ("sender", Id),
            ("epoch", Integer),
            ("body", Bytes),
            ("created_at", Integer),
        ],
    },
    Table { name: "e2ee_ever_members", columns: &[("room_id", Id), ("user_id", Id)] },
    Table { name: "e2ee_removed_histories", columns: &[("history_id", Id)] },
    Table { name: "e2ee_backups", columns: &[("user_id", Id), ("slot", Text), ("version", Integer), ("body", Bytes)] },
    Table { name: "e2ee_log", columns: &[("name", Text), ("size", Integer)] },
    Table { name: "e2ee_log_nodes", columns: &[("level", Integer), ("place", Integer), ("hash", Bytes)] },
    Table { name: "file_pieces", columns: &[("id", Id), ("file_id", Id), ("at_bytes", Integer), ("size_bytes", Integer)] },
];
