//! Files in a bucket: what is different there from a folder. What is the same is in `files.rs`.

use std::path::Path;

use futures_util::stream;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::oneshot;
use webcall::config::BucketConfig;
use webcall::error::Error;
use webcall::files::{self, BucketError, Swept};

use crate::authority::Authority;
use crate::bucket::{Fault, SECRET, TestBucket};
use crate::files::{Place, Stage, bytes, id};
use crate::server::{TestServer, code};

const MIB: usize = 1 << 20;

/// More than any request is tried again.
const FOR_LONG: usize = 1_000;

async fn stage() -> Stage {
    Stage::beside(TestBucket::start().await, &[]).await
}

#[tokio::test]
async fn a_file_of_many_pieces_is_read_whole_and_across_their_ends() {
    let stage = stage().await;
    let whole = bytes(9 * MIB + 5);
    let file = stage.sent(&whole).await;
    assert_eq!(stage.kept(&file).len(), 3, "of four megabytes and less");
    assert!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap() == whole);
    for (from, to) in [(4 * MIB - 1, 4 * MIB), (4 * MIB, 8 * MIB), (4 * MIB - 1, 8 * MIB + 1), (8 * MIB + 7, 9 * MIB + 4)] {
        let range = format!("bytes={from}-{}", to - 1);
        let response = stage.read(&stage.ann, &file, &[("range", &range)]).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert!(response.bytes().await.unwrap() == whole[from..to], "{range}");
    }
    assert!(!stage.server.app.config.files.folder.exists(), "nothing goes to the folder");
}

#[tokio::test]
async fn small_requests_do_not_make_many_pieces() {
    let stage = stage().await;
    let whole = bytes(300_000);
    let file = stage.announced(whole.len()).await;
    for (number, part) in whole.chunks(30_000).enumerate() {
        assert_eq!(stage.send(&file, number * 30_000, part).await.status(), StatusCode::OK);
        assert!(stage.kept(&file).len() <= 2);
    }
    assert!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap() == whole);
}

#[tokio::test]
async fn another_node_goes_on_with_a_file_and_of_two_at_once_one_counts() {
    let stage = stage().await;
    let variables = stage.bucket().variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let other = stage.server.start_beside(&variables).await;
    let whole = bytes(2 * MIB);
    let file = stage.announced(whole.len()).await;
    assert_eq!(stage.send(&file, 0, &whole[..MIB]).await.status(), StatusCode::OK);

    // A request hangs on the first node while the sender goes on at the second.
    let (hold, held) = oneshot::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let late = stream::once(async move {
        begun.send(()).unwrap();
        held.await.unwrap();
        Ok::<_, std::convert::Infallible>(vec![0; MIB])
    });
    let (app, principal, of) = (stage.server.app.clone(), stage.principal(), id(&file));
    let first = tokio::spawn(async move { files::receive(&app, &principal, of, MIB as u64, None, Box::pin(late)).await });
    begins.await.unwrap();
    let request = other.request(Method::PATCH, &format!("{file}?offset={MIB}")).bearer_auth(&stage.ann.access_token);
    let request = request.header("content-type", "application/octet-stream").body(whole[MIB..].to_vec());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    hold.send(()).unwrap();
    assert!(matches!(first.await.unwrap(), Err(Error::WrongOffset)));
    assert!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap() == whole, "what was acknowledged is untouched");
    assert_eq!(stage.kept(&file).len(), 2, "what does not count is gone");
    let read = other.get(&file).bearer_auth(&stage.ann.access_token).send().await.unwrap();
    assert!(read.bytes().await.unwrap() == whole, "the other node reads all of it, too");
}

#[tokio::test]
async fn a_lost_piece_with_which_a_file_ends_is_asked_for_again() {
    let stage = stage().await;
    let file = stage.announced(8).await;
    assert_eq!(stage.send(&file, 0, b"abcdef").await.status(), StatusCode::OK);
    stage.kept(&file).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    assert_eq!(code(stage.send(&file, 6, b"gh").await).await, "wrong_offset");
    assert_eq!(stage.received(&file).await, json!(0));
    assert_eq!(stage.send(&file, 0, b"abcdefgh").await.status(), StatusCode::OK);
    assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), b"abcdefgh"[..]);
}

#[tokio::test]
async fn a_store_that_stumbles_once_is_asked_again_and_nobody_notices() {
    let stage = stage().await;
    for fault in [Fault::Away, Fault::Answer(503, "SlowDown"), Fault::Answer(500, "InternalError")] {
        stage.bucket().fail(Method::PUT, fault.clone(), 1);
        let file = stage.sent(b"abc").await;
        stage.bucket().fail(Method::GET, fault, 1);
        assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), b"abc"[..]);
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_said_and_what_was_acknowledged_is_there_when_it_is_back() {
    let stage = stage().await;
    let there = stage.sent(b"abc").await;
    let file = stage.announced(MIB).await;
    let whole = bytes(MIB);
    assert_eq!(stage.send(&file, 0, &whole[..MIB / 2]).await.status(), StatusCode::OK);
    for (fault, expected) in [
        (Fault::Away, "storage_unavailable"),
        (Fault::Answer(503, "SlowDown"), "storage_unavailable"),
        (Fault::Answer(403, "AccessDenied"), "storage_unavailable"),
        (Fault::Answer(404, "NoSuchBucket"), "storage_unavailable"),
        (Fault::Answer(507, "XMinioStorageFull"), "disk_full"),
        (Fault::Answer(403, "QuotaExceeded"), "disk_full"),
    ] {
        stage.bucket().fail(Method::PUT, fault, FOR_LONG);
        let response = stage.send(&file, MIB / 2, &whole[MIB / 2..]).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
        assert_eq!(code(response).await, expected);
        assert_eq!(stage.received(&file).await, json!(MIB / 2), "nothing is acknowledged that is not kept");
    }
    stage.bucket().fail(Method::GET, Fault::Away, FOR_LONG);
    let response = stage.read(&stage.ann, &there, &[]).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(code(response).await, "storage_unavailable");

    stage.bucket().recover();
    assert_eq!(stage.send(&file, MIB / 2, &whole[MIB / 2..]).await.status(), StatusCode::OK);
    assert!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap() == whole);
    assert_eq!(stage.read(&stage.ann, &there, &[]).await.bytes().await.unwrap(), b"abc"[..]);
}

#[tokio::test]
async fn a_store_that_nobody_runs_is_said_and_used_as_soon_as_it_is_there() {
    let mut stage = Stage::beside(TestBucket::closed(), &[]).await;
    let file = stage.announced(3).await;
    let response = stage.send(&file, 0, b"abc").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "10");
    assert_eq!(code(response).await, "storage_unavailable");
    stage.bucket_mut().open();
    assert_eq!(stage.send(&file, 0, b"abc").await.status(), StatusCode::OK);
    assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), b"abc"[..]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_answers_is_given_up_after_three_times_twenty_seconds() {
    // The system takes connections; nobody reads from them.
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let bucket = rusty_s3::Bucket::new(endpoint, rusty_s3::UrlStyle::Path, "webcall", "us-east-1").unwrap();
    let config = BucketConfig { bucket, credentials: rusty_s3::Credentials::new("key", SECRET), roots: None };
    let begun = tokio::time::Instant::now();
    let error = files::probe(&config, webcall::time::Clock::System.now()).await.unwrap_err();
    assert!(matches!(&error, BucketError::Unreachable(_)), "{error}");
    assert!((60..90).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_upload_that_nobody_finishes_leaves_nothing_after_a_day() {
    let stage = stage().await;
    let file = stage.announced(6 * MIB).await;
    assert_eq!(stage.send(&file, 0, &bytes(5 * MIB)).await.status(), StatusCode::OK);
    assert_eq!(stage.bucket().objects("").len(), 2);
    stage.server.advance(std::time::Duration::from_secs(25 * 3_600));
    assert_eq!(files::sweep(&stage.server.app).await.unwrap(), Swept { files: 1, orphans: 0 });
    assert_eq!(stage.bucket().objects("").len(), 0);
}

#[tokio::test]
async fn what_could_not_be_deleted_is_deleted_by_a_later_walk_and_nothing_that_may_yet_count() {
    let stage = stage().await;
    let file = stage.sent(b"abc").await;
    stage.bucket().fail(Method::DELETE, Fault::Answer(403, "AccessDenied"), FOR_LONG);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.kept(&file).len(), 1);
    stage.bucket().recover();
    stage.bucket().plant("files/readme.txt", b"of somebody else");
    let walk = async || files::walk(&stage.server.app).await.unwrap();
    assert_eq!(walk().await, Swept::default(), "its row might be about to come");
    stage.server.advance(std::time::Duration::from_secs(25 * 3_600));
    assert_eq!(walk().await, Swept { files: 0, orphans: 1 });
    assert_eq!(stage.kept(&file).len(), 0);
    assert_eq!(stage.bucket().objects("files/readme.txt").len() + stage.bucket().objects("files").len(), 1);
}

#[tokio::test]
async fn more_objects_than_one_listing_holds_are_all_deleted() {
    let stage = stage().await;
    let file = stage.sent(b"abc").await;
    let name = file.rsplit('/').next().unwrap();
    for number in 0..1_100 {
        let piece = format!("0192f0c1-2b3c-7d4e-8f50-{number:012}");
        stage.bucket().plant(&format!("files/{}/{name}/{piece}", &name[name.len() - 2..]), b"x");
    }
    assert_eq!(stage.kept(&file).len(), 1_101);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.kept(&file).len(), 0);
}

#[tokio::test]
async fn files_that_lay_in_the_folder_before_are_read_finished_and_deleted_there() {
    let before = Stage::set(Place::Folder).await;
    let (there, begun) = (before.sent(b"abc").await, before.announced(6).await);
    assert_eq!(before.send(&begun, 0, b"abc").await.status(), StatusCode::OK);
    let bucket = TestBucket::start().await;
    let variables = bucket.variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let after = before.server.start_beside_with_files(&variables).await;
    let send = |file: &str, offset: usize, body: &'static str| {
        let request = after.request(Method::PATCH, &format!("{file}?offset={offset}")).bearer_auth(&before.ann.access_token);
        request.header("content-type", "application/octet-stream").body(body).send()
    };
    let read =
        async |server: &TestServer, file: &str| server.get(file).bearer_auth(&before.ann.access_token).send().await.unwrap();
    assert_eq!(send(&begun, 3, "def").await.unwrap().status(), StatusCode::OK);
    assert_eq!(read(&after, &there).await.bytes().await.unwrap(), b"abc"[..]);
    assert_eq!(read(&after, &begun).await.bytes().await.unwrap(), b"abcdef"[..]);
    assert_eq!((before.kept(&there).len(), bucket.requests()), (1, 0));
    assert_eq!(after.ask(&before.ann, Method::DELETE, &there, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(before.kept(&there).len(), 0);

    let new = before.announced(3).await;
    assert_eq!(send(&new, 0, "new").await.unwrap().status(), StatusCode::OK);
    assert_eq!((bucket.objects("files").len(), before.kept(&new).len()), (1, 0));
    // The other way round: the bucket was taken out of the settings.
    assert_eq!(code(read(&before.server, &new).await).await, "storage_unavailable");
}

#[tokio::test]
async fn a_store_is_reached_by_tls_when_its_authority_is_trusted_and_not_otherwise() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (cert, key) = authority.issue(&["localhost"], 2060).write(folder.path());
    for (trusted, expected) in [(authority.root_pem(), "ok"), (Authority::new().root_pem(), "storage_unavailable")] {
        let roots = folder.path().join("roots.pem");
        std::fs::write(&roots, trusted).unwrap();
        let bucket = TestBucket::start_with_tls(tls(&cert, &key)).await;
        let stage = Stage::beside(bucket, &[("FILES_S3_CA_FILE", roots.to_str().unwrap())]).await;
        let file = stage.announced(3).await;
        let response = stage.send(&file, 0, b"abc").await;
        let outcome = if response.status() == StatusCode::OK { "ok".to_owned() } else { code(response).await };
        assert_eq!(outcome, expected);
    }
}

fn tls(cert: &Path, key: &Path) -> rustls::ServerConfig {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = CertificateDer::pem_file_iter(cert).unwrap().map(Result::unwrap).collect();
    builder.with_no_client_auth().with_single_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_store_and_shown_nowhere() {
    let bucket = TestBucket::start().await;
    let stage = Stage::beside(bucket, &[("FILES_S3_SECRET", "another-secret")]).await;
    let file = stage.announced(3).await;
    assert_eq!(code(stage.send(&file, 0, b"abc").await).await, "storage_unavailable");
    let config = stage.server.app.config.files.bucket.clone().unwrap();
    assert!(!format!("{config:?} {:?}", stage.server.app.files).contains("another-secret"));
    let error = files::probe(&config, stage.server.app.clock.now()).await.unwrap_err().to_string();
    assert!(error.contains("403 SignatureDoesNotMatch") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn a_probe_leaves_nothing_behind_and_says_what_is_wrong() {
    let bucket = TestBucket::start().await;
    let stage = Stage::beside(bucket, &[]).await;
    let config = stage.server.app.config.files.bucket.clone().unwrap();
    let now = stage.server.app.clock.now();
    files::probe(&config, now).await.unwrap();
    assert_eq!(stage.bucket().objects("").len(), 0);
    for (method, code) in [(Method::PUT, "AccessDenied"), (Method::GET, "NoSuchBucket"), (Method::DELETE, "AccessDenied")] {
        stage.bucket().fail(method, Fault::Answer(403, code), FOR_LONG);
        let error = files::probe(&config, now).await.unwrap_err().to_string();
        assert!(error.contains(code) && !error.contains(SECRET), "{error}");
    }
}
