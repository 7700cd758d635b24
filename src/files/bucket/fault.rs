//! What a store answers instead of what was asked, and what that means.

use thiserror::Error;

use crate::error::Error as Refusal;

/// Codes with which stores say that nothing more fits in, beside the status 507.
const FULL: [&str; 4] = ["QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "ServiceQuotaExceeded"];
/// Codes that pass by themselves, beside statuses of 500 and more.
const PASSING: [&str; 3] = ["SlowDown", "RequestTimeout", "OperationAborted"];
/// A code is a word; what is longer is none.
const MAX_CODE_BYTES: usize = 64;

/// Why a bucket did not do what was asked. Says nothing of keys and signatures.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BucketError {
    /// Nobody answers, not in time, or not in HTTP.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
    /// It answers, and refuses.
    #[error("the store refuses: {status} {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The store's own code; empty when it gave none.
        code: String,
    },
    /// It answers with something else than what was asked for.
    #[error("the store answers what was not asked: {0}")]
    Strange(&'static str),
    /// There is no such object.
    #[error("the store has no such object")]
    Missing,
    /// Nothing more fits in.
    #[error("the store is full")]
    Full,
}

impl BucketError {
    /// What an answer means that is no success.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        let code = code(body);
        match (status, code) {
            (507, _) => Self::Full,
            (_, code) if FULL.contains(&code) => Self::Full,
            (404, "NoSuchKey") => Self::Missing,
            _ => Self::Refused { status, code: code.to_owned() },
        }
    }

    /// Whether the same may succeed a moment later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, code } => *status >= 500 || *status == 429 || PASSING.contains(&code.as_str()),
            Self::Strange(_) | Self::Missing | Self::Full => false,
        }
    }

    /// As the one who asked for a file is told. A store that is away or set up wrongly is no fault of theirs: they may come again.
    pub(in crate::files) fn told(self) -> Refusal {
        match self {
            Self::Full => Refusal::DiskFull,
            Self::Missing => Refusal::FileNotFound,
            error => {
                tracing::warn!(%error, "the bucket of files does not serve");
                Refusal::StorageUnavailable
            }
        }
    }
}

/// The code in an error document. Anything else in it is not looked at, since it may repeat what was sent.
fn code(body: &[u8]) -> &str {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map_or("", |(code, _)| code);
    let is_word = code.len() <= MAX_CODE_BYTES && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word { code } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_means_full_missing_or_refused_and_only_load_passes() {
        let answer = |status, code: &str| BucketError::of(status, format!("<Error><Code>{code}</Code></Error>").as_bytes());
        for (status, code) in
            [(507, "XMinioStorageFull"), (507, "?"), (400, "XMinioAdminBucketQuotaExceeded"), (403, "QuotaExceeded")]
        {
            assert!(matches!(answer(status, code), BucketError::Full), "{status} {code}");
        }
        assert!(matches!(answer(404, "NoSuchKey"), BucketError::Missing));
        for (status, code, passes) in [
            (404, "NoSuchBucket", false),
            (403, "SignatureDoesNotMatch", false),
            (503, "SlowDown", true),
            (500, "InternalError", true),
            (400, "RequestTimeout", true),
            (429, "", true),
            (301, "PermanentRedirect", false),
        ] {
            let error = answer(status, code);
            assert!(matches!(&error, BucketError::Refused { .. }), "{error}");
            assert_eq!(error.is_passing(), passes, "{error}");
        }
    }

    #[test]
    fn a_document_that_is_no_word_gives_no_code() {
        for body in
            ["", "<Code>", "<Code>two words</Code>", "<Code>AKIA/secret</Code>", &format!("<Code>{}</Code>", "x".repeat(65))]
        {
            assert_eq!(code(body.as_bytes()), "", "{body}");
        }
        assert_eq!(code(b"<?xml?><Error><Code>NoSuchKey</Code><Key>k</Key></Error>"), "NoSuchKey");
        assert_eq!(code(b"\xff<Code>NoSuchKey</Code>"), "");
    }
}
