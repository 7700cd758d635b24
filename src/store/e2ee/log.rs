//! The append-only log of all records (RFC 9162 §2.1): its length and the hashes of its complete subtrees. Appending is in `records.rs`.

use std::collections::BTreeMap;

use webcall_trust::{Hash, Node};

use super::chunks::fetch_chunks;
use super::{Result, Store, StoreError, on_reader};

pub(super) const SELECT_NODE: &str = "select hash from e2ee_log_nodes where level = $1 and place = $2";
pub(super) const INSERT_NODE: &str = "insert into e2ee_log_nodes (level, place, hash) values ($1, $2, $3)";

const WANTED: &str = "with wanted (level, place) as (";
const FOUND: &str =
    ") select n.level, n.place, n.hash from wanted w join e2ee_log_nodes n on n.level = w.level and n.place = w.place";

impl Store {
    /// How many records the log has.
    pub async fn log_size(&self) -> Result<u64> {
        let sql = "select size from e2ee_log where name = 'records'";
        let row: Option<(i64,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).fetch_optional(pool).await?);
        Ok(row.map_or(0, |(size,)| size.unsigned_abs()))
    }

    /// The hashes of these subtrees; [`StoreError::Damaged`] when one is not there, which those within the log's size are.
    pub async fn log_nodes(&self, nodes: &[Node]) -> Result<BTreeMap<Node, Hash>> {
        let keys: Vec<(i64, i64)> = nodes.iter().map(|node| key(*node)).collect();
        let rows: Vec<(i64, i64, Vec<u8>)> = on_reader!(self, pool => {
            let mut connection = pool.acquire().await?;
            fetch_chunks!(connection, Db, &keys => (i64, i64, Vec<u8>), WANTED, |mut row, (level, place)| {
                row.push_bind(*level).push_bind(*place);
            }, FOUND)
        });
        let mut found = BTreeMap::new();
        for (level, place, bytes) in rows {
            let level = u8::try_from(level).map_err(|_| StoreError::Damaged(format!("level {level} of the log")))?;
            found.insert(Node { level, index: place.unsigned_abs() }, hash(&bytes)?);
        }
        match nodes.iter().find(|node| !found.contains_key(node)) {
            Some(missing) => Err(StoreError::Damaged(format!("the log has no {missing:?}"))),
            None => Ok(found),
        }
    }
}

/// A node as it stands in the table. The log is shorter than 2^63.
pub(super) fn key(node: Node) -> (i64, i64) {
    (i64::from(node.level), node.index.cast_signed())
}

/// A hash as it stands in the table.
pub(super) fn hash(bytes: &[u8]) -> Result<Hash> {
    bytes.try_into().map_err(|_| StoreError::Damaged("a hash of the log has not 32 bytes".to_owned()))
}
