//! Certificates as somebody who connects meets them: served from files and replaced when these change, and obtained from a real ACME
//! server, which proves the names by connecting to the test.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/pebble.rs"]
mod pebble;

mod acme;
mod command;
mod files;
mod front;
mod logs;
mod visitor;

use std::time::Duration;

use webcall::tls::{CertificateStatus, Tls};

/// Waits for a status; long, so that only what never comes fails.
async fn until(tls: &Tls, reached: impl FnMut(&CertificateStatus) -> bool) -> CertificateStatus {
    let mut changes = tls.subscribe();
    let found = tokio::time::timeout(Duration::from_secs(120), changes.wait_for(reached)).await;
    found.unwrap_or_else(|_| panic!("never reached: {:?}", tls.status())).unwrap().clone()
}
