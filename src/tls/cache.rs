//! What survives a restart of an ACME certificate: the account's key and the certificate with its key, in files that only the server's
//! user reads. A file is replaced as a whole, so that a crash leaves the former one; the `DirCache` of rustls-acme writes in place, and
//! half a chain passes there for a whole one. What is stored is served also when the disk is full: that costs an order at the next start
//! and nothing now. Called by the state machine of rustls-acme.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use ring::digest::{Context, SHA256};
use rustls_acme::{AccountCache, CertCache};
use tokio::fs;
use tokio::io::AsyncWriteExt;

use super::pair::Pair;
use super::served::Served;

/// Bytes of a digest in a file's name. They keep apart what one data folder holds for changed settings: a few files.
const NAME_BYTES: usize = 8;

/// The folder, and where its certificate is served.
pub(super) struct Cache {
    folder: PathBuf,
    served: Arc<Served>,
}

impl Cache {
    pub(super) fn new(folder: PathBuf, served: Arc<Served>) -> Self {
        Self { folder, served }
    }

    fn certificate(&self, names: &[String], directory_url: &str) -> PathBuf {
        self.folder.join(format!("certificate-{}.pem", digest(names, directory_url)))
    }

    fn account(&self, contact: &[String], directory_url: &str) -> PathBuf {
        self.folder.join(format!("account-{}.der", digest(contact, directory_url)))
    }
}

#[async_trait]
impl CertCache for Cache {
    type EC = Error;

    async fn load_cert(&self, domains: &[String], directory_url: &str) -> Result<Option<Vec<u8>>, Error> {
        let found = read(&self.certificate(domains, directory_url)).await?;
        let status = self.served.status();
        match &found {
            Some(pem) => self.served.restore(parse(pem)?),
            None if status.not_after.is_none() && status.last_error.is_none() => {
                tracing::info!(names = ?status.names, "a certificate is being obtained; TLS connections fail until there is one");
            }
            None => {}
        }
        Ok(found)
    }

    async fn store_cert(&self, domains: &[String], directory_url: &str, pem: &[u8]) -> Result<(), Error> {
        let stored = replace(&self.certificate(domains, directory_url), pem).await;
        self.served.replace(parse(pem)?);
        stored
    }
}

#[async_trait]
impl AccountCache for Cache {
    type EA = Error;

    async fn load_account(&self, contact: &[String], directory_url: &str) -> Result<Option<Vec<u8>>, Error> {
        read(&self.account(contact, directory_url)).await
    }

    async fn store_account(&self, contact: &[String], directory_url: &str, key: &[u8]) -> Result<(), Error> {
        replace(&self.account(contact, directory_url), key).await
    }
}

/// One text holds the key and the chain.
fn parse(pem: &[u8]) -> Result<Pair, Error> {
    Pair::from_pem(pem, pem).map_err(|problem| Error::new(ErrorKind::InvalidData, problem))
}

fn digest(parts: &[String], directory_url: &str) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part.as_bytes());
        context.update(&[0]);
    }
    context.update(directory_url.as_bytes());
    context.finish().as_ref()[..NAME_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// All or nothing, readable by the server's user alone.
async fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let draft = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&draft, path).await
}

#[cfg(test)]
mod tests;
