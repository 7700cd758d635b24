use std::os::unix::fs::PermissionsExt;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::*;
use crate::tls::{CertificateSource, CertificateStatus};

const DIRECTORY: &str = "https://ca/directory";

/// A key and a certificate until that year, as an authority's answer is kept.
fn pem(until_year: i32) -> String {
    let mut params = CertificateParams::new(["call.test".to_owned()]).unwrap();
    params.not_after = date_time_ymd(until_year, 1, 1);
    let key = KeyPair::generate().unwrap();
    format!("{}\n{}", key.serialize_pem(), params.self_signed(&key).unwrap().pem())
}

fn cache(folder: &Path) -> Cache {
    let served = Served::new(CertificateSource::Acme, &["call.test".parse().unwrap()]);
    Cache::new(folder.to_owned(), Arc::new(served))
}

fn status(cache: &Cache) -> CertificateStatus {
    cache.served.status()
}

fn names() -> Vec<String> {
    vec!["call.test".to_owned()]
}

#[tokio::test]
async fn what_was_stored_is_found_by_the_same_settings_only_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let (first, text) = (cache(folder.path()), pem(2060));
    first.store_cert(&names(), DIRECTORY, text.as_bytes()).await.unwrap();
    first.store_account(&[], DIRECTORY, b"key").await.unwrap();
    for entry in folder.path().read_dir().unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    let second = cache(folder.path());
    assert_eq!(second.load_account(&[], DIRECTORY).await.unwrap().as_deref(), Some(&b"key"[..]));
    assert_eq!(second.load_account(&["mailto:a@b".to_owned()], DIRECTORY).await.unwrap(), None);
    assert_eq!(second.load_cert(&["other.test".to_owned()], DIRECTORY).await.unwrap(), None);
    assert_eq!(second.load_cert(&names(), "https://another/directory").await.unwrap(), None);
    assert_eq!(status(&second).not_after, None);
    assert_eq!(second.load_cert(&names(), DIRECTORY).await.unwrap(), Some(text.into_bytes()));
    assert_eq!(status(&second), status(&first));
}

#[tokio::test]
async fn a_certificate_is_served_though_the_disk_does_not_take_it() {
    let folder = tempfile::tempdir().unwrap();
    let cache = cache(&folder.path().join("missing"));
    assert!(cache.store_cert(&names(), DIRECTORY, pem(2060).as_bytes()).await.is_err());
    assert!(status(&cache).not_after.is_some());
}

#[tokio::test]
async fn a_kept_certificate_replaces_none_that_is_valid_for_longer_and_forgives_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let (older, newer) = (pem(2050), pem(2060));
    let cache = cache(folder.path());
    cache.store_cert(&names(), DIRECTORY, newer.as_bytes()).await.unwrap();
    let newest = status(&cache).not_after;
    replace(&cache.certificate(&names(), DIRECTORY), older.as_bytes()).await.unwrap();
    cache.served.failed("refused".to_owned());
    cache.load_cert(&names(), DIRECTORY).await.unwrap();
    assert_eq!((status(&cache).not_after, status(&cache).last_error.as_deref()), (newest, Some("refused")));

    replace(&cache.certificate(&names(), DIRECTORY), newer.as_bytes()).await.unwrap();
    cache.load_cert(&names(), DIRECTORY).await.unwrap();
    assert_eq!(status(&cache).last_error.as_deref(), Some("refused"), "a renewal that fails is still failing");
}

#[tokio::test]
async fn half_a_file_is_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, text) = (cache(folder.path()), pem(2060));
    for len in [0, text.len() / 3, text.len() - 30] {
        replace(&cache.certificate(&names(), DIRECTORY), &text.as_bytes()[..len]).await.unwrap();
        let error = cache.load_cert(&names(), DIRECTORY).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(status(&cache).not_after, None);
    }
}
