//! `webcall bench chat`: messages a second that a server stores for good before it acknowledges them, and how long each takes; and how
//! soon a message is with a crowd of connected members. A server is started on SQLite, or on the PostgreSQL that is named. The floor
//! is the same database alone: one row, one commit, again and again.
//!
//! ```text
//! options -> mod (the course) -> { server, crowd (accounts, rooms, members), floor (raw commits) } -> report
//! ```

mod crowd;
mod floor;
mod options;
mod report;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::machine::{self, Processors};
use super::server::OwnServer;
use super::session::progress;
use super::{BenchError, options as common};
use crowd::{Sender, Watcher};
use options::Options;
use report::{Delivered, Report, Stored};

/// Carries out what the arguments after `bench chat` say.
pub(super) fn run(arguments: Vec<OsString>) -> Result<(), BenchError> {
    let Some(options) = Options::parse(arguments)? else {
        println!("{}", common::USAGE);
        return Ok(());
    };
    crate::process::raise_open_files();
    let processors = Processors::share();
    if let Some(processors) = &processors {
        machine::keep_to(&processors.generator);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let report = runtime.block_on(carry_out(&options, processors.as_ref()))?;
    println!("{}", if options.is_json { report.json() } else { report.table() });
    Ok(())
}

async fn carry_out(options: &Options, processors: Option<&Processors>) -> Result<Report, BenchError> {
    progress("starting a server");
    let own = OwnServer::start_for_chat(options.database.as_deref(), processors).await?;
    progress(&format!("{} accounts, {} rooms", options.senders, options.rooms));
    let (senders, link) = crowd::gather(&own, options.senders, options.rooms).await?;
    let stored = store(options, senders, own.pid()).await?;
    let delivered = match options.members {
        0 => None,
        members => {
            progress(&format!("{members} connected members"));
            Some(deliver(options, &own, &link, members).await?)
        }
    };
    drop(own);
    progress("the database alone");
    let floor = floor::measure(options.database.as_deref(), options.measured).await?;
    Ok(Report { options: options.clone(), stored, delivered, floor_commits_per_second: floor })
}

/// All send, each its next message once the last one is acknowledged.
async fn store(options: &Options, senders: Vec<Sender>, pid: u32) -> Result<Stored, BenchError> {
    progress(&format!("warming up for {} s, measuring for {} s", options.warmup.as_secs(), options.measured.as_secs()));
    let from = Instant::now() + options.warmup;
    let until = from + options.measured;
    let body = Arc::new(crowd::body(options.bytes));
    let mut sending = JoinSet::new();
    for mut sender in senders {
        let body = Arc::clone(&body);
        sending.spawn(async move {
            let mut times = Vec::new();
            while Instant::now() < until {
                let began = Instant::now();
                sender.send(&body).await?;
                if began >= from {
                    times.push(began.elapsed());
                }
            }
            Ok::<_, BenchError>(times)
        });
    }
    tokio::time::sleep_until(from.into()).await;
    let before = machine::usage(pid);
    tokio::time::sleep_until(until.into()).await;
    let after = machine::usage(pid);
    let mut times = Vec::new();
    while let Some(sent) = sending.join_next().await {
        times.extend(sent.map_err(BenchError::of("sending"))??);
    }
    let cpu_seconds = before.zip(after).map(|(before, after)| after.cpu_seconds - before.cpu_seconds);
    Ok(Stored { seconds: options.measured.as_secs_f64(), cpu_seconds, times })
}

/// One message after the other to a room that many look at.
async fn deliver(options: &Options, own: &OwnServer, link: &str, members: usize) -> Result<Delivered, BenchError> {
    const MESSAGES: usize = 50;
    const PAUSE: Duration = Duration::from_millis(100);
    let (mut sender, mut watchers) = crowd::audience(own, link, members).await?;
    let body = crowd::body(options.bytes);
    let mut times = Vec::with_capacity(MESSAGES * members);
    for _ in 0..MESSAGES {
        let began = Instant::now();
        let id = sender.send(&body).await?;
        for arrived in Watcher::all_have(&mut watchers, &id).await? {
            times.push(arrived.saturating_duration_since(began));
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(Delivered { members, times })
}
