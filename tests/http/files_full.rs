//! A full disk: the files lie on a file system of one megabyte, mounted in a namespace of the test's own.

use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::files::{Stage, bytes};
use crate::server::{TestServer, code};

/// Says to the test that it runs where the small disk is mounted, and where that is.
const SMALL_DISK: &str = "WEBCALL_TEST_SMALL_DISK";

/// Mounts the disk, then runs the program that follows it. Nobody else sees the mount, and it goes with the program.
const MOUNT: &str = "mount -t tmpfs -o size=1m tmpfs \"$WEBCALL_TEST_SMALL_DISK\" && exec \"$@\"";

#[test]
fn a_full_disk_is_said_and_what_is_there_can_be_read() {
    if let Some(disk) = std::env::var_os(SMALL_DISK) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(on_a_small_disk(Path::new(&disk)));
    }
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "files_full::a_full_disk_is_said_and_what_is_there_can_be_read"])
        .env(SMALL_DISK, folder.path())
        .status()
        .expect("unshare(1) of util-linux is needed");
    assert!(status.success(), "{status}");
}

async fn on_a_small_disk(disk: &Path) {
    let server = TestServer::start_with_files(disk, None).await;
    let stage = Stage::on(server).await;
    let (status, problem) = stage.announce(&stage.ann, 1).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("disk_full")), "a gigabyte stays free");

    let stage = Stage::on(TestServer::start_with_files(disk, Some(0)).await).await;
    let (small, large) = (bytes(100_000), bytes(900_000));
    let there = stage.sent(&small).await;
    let file = stage.announced(large.len()).await;
    // Somebody else fills the disk meanwhile.
    std::fs::write(disk.join("other"), bytes(200_000)).unwrap();
    let response = stage.send(&file, 0, &large).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(code(response).await, "disk_full");

    assert_eq!(stage.read(&stage.ann, &there, &[]).await.bytes().await.unwrap(), small);
    let received = usize::try_from(stage.received(&file).await.as_u64().unwrap()).unwrap();
    assert!(0 < received && received < large.len(), "{received}");
    std::fs::remove_file(disk.join("other")).unwrap();
    assert_eq!(stage.send(&file, received, &large[received..]).await.status(), StatusCode::OK, "it goes on once there is room");
    assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), large);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NO_CONTENT);
}
