//! Whether a bucket can be used: an object is written, read back, found and deleted again.

use hyper::body::Bytes;

use super::{Bucket, BucketError};
use crate::config::BucketConfig;
use crate::id::PieceId;
use crate::time::Timestamp;

/// Beside the files, so that nobody takes it for one.
const FOLDER: &str = "probe/";
const CONTENT: &[u8] = b"webcall";

/// Tries everything that the server does there. What cannot be deleted again stays: some bytes below `probe/`.
pub async fn probe(config: &BucketConfig, now: Timestamp) -> Result<(), BucketError> {
    let bucket = Bucket::new(config);
    let name = format!("{FOLDER}{}", PieceId::new(now));
    bucket.put(&name, Bytes::from_static(CONTENT)).await?;
    let outcome = find(&bucket, &name).await;
    bucket.delete(&name).await?;
    outcome
}

async fn find(bucket: &Bucket, name: &str) -> Result<(), BucketError> {
    // Part of it, since a store that knows no ranges cannot be used.
    let read = bucket.read(name, (1, CONTENT.len() as u64)).await?.all().await?;
    if read != CONTENT[1..] {
        return Err(BucketError::Strange("other bytes than were written"));
    }
    let listed = bucket.list(name, None).await?;
    if listed.names == [name] { Ok(()) } else { Err(BucketError::Strange("a listing without what was written")) }
}
