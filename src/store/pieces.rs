//! What a bucket holds of the files that people send: which objects, and which bytes of the file each has. A piece counts once its row
//! is here, together with the bytes that it brings; an object without a row is nothing. Rows go with their file.

use sqlx::FromRow;

use super::{Result, Store, in_transaction, on_reader};
use crate::id::{FileId, PieceId};

/// A piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct PieceRow {
    /// The identifier.
    pub id: PieceId,
    /// Where in the file it begins.
    pub at_bytes: i64,
    /// How many bytes it has.
    pub size_bytes: i64,
}

/// Pieces that were written, and what they change.
#[derive(Clone, Copy, Debug)]
pub struct NewPieces<'a> {
    /// In order and without gaps.
    pub pieces: &'a [PieceRow],
    /// The piece whose bytes the first of them has, too.
    pub instead_of: Option<PieceId>,
}

impl Store {
    /// The piece with which a file ends so far.
    pub async fn last_piece(&self, file: FileId) -> Result<Option<PieceRow>> {
        let sql = "select id, at_bytes, size_bytes from file_pieces where file_id = $1 order by at_bytes desc limit 1";
        Ok(on_reader!(self, pool => sqlx::query_as::<Db, PieceRow>(sql).bind(file).fetch_optional(pool).await?))
    }

    /// Some pieces of a file in order, from the one that has the byte `from_bytes`.
    pub async fn pieces(&self, file: FileId, from_bytes: i64, at_most: i64) -> Result<Vec<PieceRow>> {
        let sql = "select id, at_bytes, size_bytes from file_pieces where file_id = $1 and at_bytes >= (select coalesce(max(at_bytes), 0) \
                   from file_pieces where file_id = $1 and at_bytes <= $2) order by at_bytes limit $3";
        Ok(on_reader!(self, pool => {
            sqlx::query_as::<Db, PieceRow>(sql).bind(file).bind(from_bytes).bind(at_most).fetch_all(pool).await?
        }))
    }

    /// Whether a piece counts.
    pub async fn has_piece(&self, id: PieceId) -> Result<bool> {
        let sql = "select id from file_pieces where id = $1";
        let row: Option<(PieceId,)> = on_reader!(self, pool => sqlx::query_as::<Db, _>(sql).bind(id).fetch_optional(pool).await?);
        Ok(row.is_some())
    }

    /// Counts bytes that are safe in new pieces, or that are lost, if so many counted before. Returns whether they did and the file is
    /// still to come.
    pub async fn receive_pieces(&self, file: FileId, (from_bytes, to_bytes): (i64, i64), new: &NewPieces<'_>) -> Result<bool> {
        in_transaction!(self, tx => {
            let rows = sqlx::query::<Db>(super::files::RECEIVE)
                .bind(to_bytes)
                .bind(file)
                .bind(from_bytes)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            if rows != 1 {
                tx.rollback().await?;
                return Ok(false);
            }
            if let Some(replaced) = new.instead_of {
                sqlx::query::<Db>("delete from file_pieces where id = $1").bind(replaced).execute(&mut *tx).await?;
            }
            for piece in new.pieces {
                sqlx::query::<Db>("insert into file_pieces (id, file_id, at_bytes, size_bytes) values ($1, $2, $3, $4)")
                    .bind(piece.id)
                    .bind(file)
                    .bind(piece.at_bytes)
                    .bind(piece.size_bytes)
                    .execute(&mut *tx)
                    .await?;
            }
            tx.commit().await?;
        });
        Ok(true)
    }
}
