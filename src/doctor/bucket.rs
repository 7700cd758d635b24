//! The bucket of files, when one is set: can an object be written, read, found and deleted there. A probe of some bytes is the one thing
//! that this command writes, and it deletes it again.

use std::time::Duration;

use tokio::time::timeout;

use super::finding::Finding;
use crate::config::BucketConfig;
use crate::files::{self, BucketError};
use crate::time::Clock;

const CHECK: &str = "bucket of files";
/// For all of its requests; each has limits of its own, and is tried again when the store stumbles.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the probe.
pub(super) async fn gather(config: &BucketConfig) -> Result<(), BucketError> {
    let given_up = || BucketError::Unreachable("no answer in time".to_owned());
    timeout(PATIENCE, files::probe(config, Clock::System.now())).await.unwrap_or_else(|_| Err(given_up()))
}

/// What it means.
pub(super) fn judge(outcome: &Result<(), BucketError>) -> Finding {
    let Err(error) = outcome else { return Finding::ok(CHECK, "an object can be written, read, found and deleted") };
    let (code, todo) = match error {
        BucketError::Full => ("bucket_full", "make room in the store, or raise its quota"),
        BucketError::Unreachable(_) => (
            "bucket_unreachable",
            "check FILES_S3_ENDPOINT, FILES_S3_PATH_STYLE, the store, and FILES_S3_CA_FILE for a certificate of your own",
        ),
        _ => (
            "bucket_refuses",
            "check FILES_S3_BUCKET, FILES_S3_REGION, FILES_S3_KEY_ID and FILES_S3_SECRET, what the key may do, and the clock",
        ),
    };
    Finding::fault(CHECK, code, error.to_string()).means("files cannot be sent, or cannot be read").todo(todo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_finding() {
        let denied = "AccessDenied";
        let refused = || BucketError::Refused { status: 403, code: denied.to_owned() };
        for (outcome, code) in [
            (Ok(()), "ok"),
            (Err(BucketError::Full), "bucket_full"),
            (Err(BucketError::Unreachable("refused".to_owned())), "bucket_unreachable"),
            (Err(refused()), "bucket_refuses"),
            (Err(BucketError::Strange("a listing")), "bucket_refuses"),
        ] {
            assert_eq!(judge(&outcome).code, code);
        }
        assert!(judge(&Err(refused())).found.contains("403 AccessDenied"));
    }
}
