//! The server with one thing added: at SIGUSR1 its media workers crash. For the browser test that callers come back by themselves.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use webcall::config::Command;

#[tokio::main]
async fn main() -> ExitCode {
    let Ok(Command::Serve(args)) = Command::parse(std::env::args_os().skip(1)) else { return ExitCode::FAILURE };
    webcall::telemetry::init();
    let mut crash = signal(SignalKind::user_defined1()).expect("the system takes one more signal");
    let Ok(running) = webcall::start(&args).await else { return ExitCode::FAILURE };
    let media = running.app.media.clone();
    tokio::spawn(async move {
        while crash.recv().await.is_some() {
            let _ = media.crash_workers();
        }
    });
    running.until_stopped().await.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
