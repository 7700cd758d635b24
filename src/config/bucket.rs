//! The bucket of an S3-compatible store in which files are kept: `FILES_S3_…`. All of it or nothing: half of it is refused with the name
//! of what is missing, since files that silently went to the folder would be looked for in the bucket later.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rusty_s3::{Bucket, Credentials, UrlStyle};

use super::ConfigError;
use super::environment::Variables;

const ENDPOINT: &str = "FILES_S3_ENDPOINT";
const BUCKET: &str = "FILES_S3_BUCKET";
const REGION: &str = "FILES_S3_REGION";
const KEY_ID: &str = "FILES_S3_KEY_ID";
const SECRET: &str = "FILES_S3_SECRET";
const PATH_STYLE: &str = "FILES_S3_PATH_STYLE";
const CA_FILE: &str = "FILES_S3_CA_FILE";
/// What there is no default for.
const NEEDED: [&str; 4] = [ENDPOINT, BUCKET, KEY_ID, SECRET];
const ALL: [&str; 7] = [ENDPOINT, BUCKET, REGION, KEY_ID, SECRET, PATH_STYLE, CA_FILE];
/// What stores that know no regions answer to.
const DEFAULT_REGION: &str = "us-east-1";

/// Where the bucket is and who may use it. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// Its address.
    pub bucket: Bucket,
    /// Who asks.
    pub credentials: Credentials,
    /// Whose certificates are believed in place of those that browsers believe.
    pub roots: Option<Arc<RootCertStore>>,
}

impl BucketConfig {
    /// Nothing when no variable is set.
    pub(super) fn from_variables(variables: &Variables<'_>) -> Result<Option<Self>, ConfigError> {
        let Some(present) = ALL.into_iter().find(|name| variables.text(name).is_some()) else { return Ok(None) };
        if let Some(name) = NEEDED.into_iter().find(|name| variables.text(name).is_none()) {
            let problem = format!("is missing: {present} is set, and a bucket needs {}", NEEDED.join(", "));
            return Err(ConfigError::Variable { name, problem });
        }
        let text = |name| variables.text(name).unwrap_or_default();
        let style = match variables.parse(PATH_STYLE, super::parse_switch)? {
            Some(false) => UrlStyle::VirtualHost,
            Some(true) | None => UrlStyle::Path,
        };
        let region = variables.text(REGION).unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let name = parse_name(text(BUCKET)).map_err(|problem| ConfigError::Variable { name: BUCKET, problem })?;
        let bucket = parse_bucket(&text(ENDPOINT), style, name, region)
            .map_err(|problem| ConfigError::Variable { name: ENDPOINT, problem })?;
        let roots = variables.text(CA_FILE).map(PathBuf::from).map(|path| read_roots(&path)).transpose()?;
        Ok(Some(Self { bucket, credentials: Credentials::new(text(KEY_ID), text(SECRET)), roots }))
    }
}

/// What every store takes as a name (3 to 63 small letters, digits, dots and hyphens), and nothing that means another path in an address.
fn parse_name(text: String) -> Result<String, String> {
    let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let fits = (3..=63).contains(&text.len()) && text.bytes().all(is_fine) && !text.starts_with('.') && !text.contains("..");
    if fits { Ok(text) } else { Err("must be 3 to 63 small letters, digits, dots and hyphens".to_owned()) }
}

/// Somebody may put a password into the address: no part of it goes into the message.
fn parse_bucket(endpoint: &str, style: UrlStyle, name: String, region: String) -> Result<Bucket, String> {
    let refused = || "must be the store's address like https://s3.example.org, without user, query or fragment".to_owned();
    if endpoint.contains(['@', '?', '#']) {
        return Err(refused());
    }
    let endpoint = endpoint.parse().map_err(|_| refused())?;
    Bucket::new(endpoint, style, name, region).map_err(|_| refused())
}

fn read_roots(path: &Path) -> Result<Arc<RootCertStore>, ConfigError> {
    let problem = |problem: &str| ConfigError::Variable { name: CA_FILE, problem: format!("({}) {problem}", path.display()) };
    let pem = std::fs::read(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(&pem) {
        let root = root.map_err(|_| problem("is no text in PEM form"))?;
        roots.add(root).map_err(|_| problem("holds a certificate that cannot be a root"))?;
    }
    if roots.is_empty() { Err(problem("holds no certificate in PEM form")) } else { Ok(Arc::new(roots)) }
}
