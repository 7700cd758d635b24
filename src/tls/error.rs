//! Why TLS cannot start. The messages name files and never what is in a private key.

use std::path::PathBuf;

use thiserror::Error;

use super::certificate::CertificateUnreadable;

/// Why TLS cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file or folder cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `TLS_CERT` and `TLS_KEY` are no pair.
    #[error("TLS_CERT {} with TLS_KEY {}: {problem}", cert.display(), key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        problem: PairProblem,
    },
    /// `ACME_CA_FILE` holds no root that can be used.
    #[error("ACME_CA_FILE {}: {problem}", path.display())]
    Roots {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The cryptography does not offer what TLS needs.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// What is wrong with a certificate and its private key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PairProblem {
    /// A PEM section that begins and does not end.
    #[error("the PEM form is cut off in the middle of a section")]
    Cut,
    /// No PEM section `CERTIFICATE`.
    #[error("there is no certificate in PEM form")]
    NoCertificate,
    /// A certificate that is none.
    #[error(transparent)]
    Certificate(#[from] CertificateUnreadable),
    /// No PEM section with a private key.
    #[error("there is no private key in PEM form without a password")]
    NoKey,
    /// A key of a kind that TLS does not use here.
    #[error("the private key is neither RSA, ECDSA on P-256 or P-384, nor Ed25519")]
    Key,
    /// The key is another certificate's.
    #[error("the private key is not the certificate's: the first certificate of the file must be the server's own")]
    Mismatch,
}
