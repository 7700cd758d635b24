//! `webcall bench chat`: messages a second that a server stores for good before it acknowledges them, and how long each takes; and how
//! soon a message is with a crowd of connected members. A server is started on SQLite, or on the PostgreSQL that is named. The floor
//! is the same database alone: one row, one commit, again and again.
//!
//! ```text
//! options -> mod (the course) -> { server, crowd (accounts, rooms, members, idle ones), floor (raw commits) } -> report
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
use crowd::{Accounts, Idle, Listener, Sender, Watcher};
use options::Options;
use report::{BesideIdle, Delivered, Measured, Report, Stored};

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
    let (writing, link) = Accounts::that_write(&own, options.senders, options.rooms).await?;
    let listening = Accounts::that_listen(&own, &link, options.members).await?;
    let course = Course { options, own: &own, writing, listening };
    let (alone, beside_idle) = match options.idle {
        0 => (course.measure().await?, None),
        connections => course.without_and_with_idle(&link, connections).await?,
    };
    drop(own);
    progress("the database alone");
    let floor = floor::measure(options.database.as_deref(), options.measured).await?;
    Ok(Report { options: options.clone(), alone, beside_idle, floor_commits_per_second: floor })
}

/// What is measured, once or twice.
struct Course<'a> {
    options: &'a Options,
    own: &'a OwnServer,
    writing: Accounts,
    listening: Accounts,
}

impl Course<'_> {
    async fn measure(&self) -> Result<Measured, BenchError> {
        let stored = store(self.options, self.writing.senders().await?, self.own.pid()).await?;
        let delivered = match self.options.members {
            0 => None,
            members => {
                progress(&format!("{members} connected members"));
                Some(deliver(self.options, &self.listening, members).await?)
            }
        };
        Ok(Measured { stored, delivered })
    }

    /// The same twice: with a listener who reads, and with one who never does beside connections over which nothing happens.
    async fn without_and_with_idle(&self, busy: &str, connections: usize) -> Result<(Measured, Option<BesideIdle>), BenchError> {
        let account = Listener::account(self.own, busy).await?;
        let reads = Listener::open(&account, true).await?;
        let alone = self.measure().await?;
        drop(reads);
        progress(&format!("{connections} idle connections, and one that never reads"));
        let memory = || machine::usage(self.own.pid()).map(|usage| usage.rss_bytes);
        let before = memory();
        let mut idle = Idle::open(self.own, connections).await?;
        let bytes_each = before.zip(memory()).map(|(before, after)| after.saturating_sub(before) / connections as u64);
        let never_reads = Listener::open(&account, false).await?;
        let measured = self.measure().await?;
        drop(never_reads);
        idle.all_stayed()?;
        Ok((alone, Some(BesideIdle { connections, bytes_each, measured })))
    }
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
async fn deliver(options: &Options, listening: &Accounts, members: usize) -> Result<Delivered, BenchError> {
    const MESSAGES: usize = 50;
    const PAUSE: Duration = Duration::from_millis(100);
    let (mut sender, mut watchers) = listening.audience(members).await?;
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
