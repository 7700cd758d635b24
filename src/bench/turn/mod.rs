//! `webcall bench turn`: what a TURN server relays for a second of its processor time. A server of this program is started, or another
//! one is taken that has a user with a password; devices and peers on this machine send each other packets through it.
//!
//! ```text
//! options -> mod (the course) -> { server, load::turn (allocations, packets), floor (the raw relay loop) } -> report
//! ```

mod floor;
mod options;
mod report;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use webcall_media::load::turn::{Account, Relayed, Totals, TurnGenerator};
use webcall_media::turn::Secret;

pub(super) use floor::run_raw_relay;

use super::api::{Api, random_password};
use super::connect::Origin;
use super::machine::{self, Processors, Usage};
use super::measure::Measured;
use super::server::OwnServer;
use super::session::progress;
use super::{BenchError, options as common};
use options::Options;
use report::Report;

/// How long what is under way may take once nobody sends any more; what comes later counts as lost.
const DRAIN: Duration = Duration::from_secs(3);
/// How often it is looked meanwhile whether all has come.
const DRAIN_STEP: Duration = Duration::from_millis(50);
/// The user of the server that is started.
const USER: &str = "bench";
/// Allocations after which it is told how many there are.
const STEP: usize = 500;
/// Files that a process has open beside the sockets of allocations: its own, its database's, its connections'.
const OTHER_FILES: u64 = 100;

/// Carries out what the arguments after `bench turn` say.
pub(super) fn run(arguments: Vec<OsString>) -> Result<(), BenchError> {
    let Some(options) = Options::parse(arguments)? else {
        println!("{}", common::USAGE);
        return Ok(());
    };
    crate::process::raise_open_files();
    check_open_files(options.allocations)?;
    let processors = Processors::share().filter(|_| options.target.is_none());
    if let Some(processors) = &processors {
        machine::keep_to(&processors.generator);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let report = runtime.block_on(carry_out(&options, processors.as_ref()))?;
    println!("{}", if options.is_json { report.json() } else { report.table() });
    Ok(())
}

/// The generator takes two sockets for each allocation, the server, which inherits the limit, one.
fn check_open_files(allocations: usize) -> Result<(), BenchError> {
    let wanted = 2 * allocations as u64 + OTHER_FILES;
    match crate::process::open_files_allowed().filter(|allowed| *allowed < wanted) {
        None => Ok(()),
        Some(allowed) => Err(BenchError::OpenFiles { what: "allocations", count: allocations, wanted, allowed }),
    }
}

async fn carry_out(options: &Options, processors: Option<&Processors>) -> Result<Report, BenchError> {
    let (server, idle_bytes) = measure_server(options, processors).await?;
    let floor = match options.has_floor && options.target.is_none() {
        true => {
            progress("the raw relay loop, under the same load");
            Some(floor::measure_raw_relay(options, processors).await?)
        }
        false => None,
    };
    Ok(Report { options: options.clone(), server, floor, idle_bytes })
}

/// What was found, and the server's memory before anybody allocated.
async fn measure_server(options: &Options, processors: Option<&Processors>) -> Result<(Measured, Option<u64>), BenchError> {
    let (account, own) = match &options.target {
        Some(target) => {
            let password = std::env::var("WEBCALL_BENCH_PASSWORD").unwrap_or_default();
            (Account { server: target.server, username: target.user.clone(), password: Secret::new(password) }, None)
        }
        None => {
            progress("starting a server");
            let password = random_password()?;
            let own = OwnServer::start(&settings(options, &password), processors).await?;
            let server = turn_address(&own).await?;
            (Account { server, username: USER.to_owned(), password: Secret::new(password) }, Some(own))
        }
    };
    let pid = own.as_ref().map(OwnServer::pid).or(options.target.as_ref().and_then(|target| target.pid));
    let idle_bytes = pid.and_then(machine::usage).map(|usage| usage.rss_bytes);
    let relayed = Relayed::allocate(&account, options.allocations, |made| {
        if made.is_multiple_of(STEP) {
            progress(&format!("{made} of {} allocations", options.allocations));
        }
    })?;
    let (relayed, measured) = measure(relayed, options, pid).await?;
    if own.is_none() {
        relayed.release()?;
    }
    Ok((measured, idle_bytes))
}

/// Nothing stands in the way of one user on one machine: neither limits of their number nor of bandwidth, nor the addresses.
fn settings(options: &Options, password: &str) -> String {
    let Options { allocations, workers, .. } = options;
    // The ports lie below those that the system gives to the sockets of the load.
    format!(
        "[media]\nworkers = {workers}\nudp_port = 0\nadvertised = [\"127.0.0.1\"]\nsocket_buffer_bytes = 16777216\n\n\
         [turn]\nudp_port = 0\nrelay_port_min = 2000\nrelay_port_max = 32000\nmax_allocations = {}\n\
         max_allocations_per_user = {allocations}\nmax_allocations_per_ip = {allocations}\n\
         bandwidth_per_allocation_bps = 0\nbandwidth_per_user_bps = 0\nbandwidth_per_ip_bps = 0\nbandwidth_total_bps = 0\n\
         users = [{{ name = \"{USER}\", password = \"{password}\" }}]\npeers_allow = [\"127.0.0.1\"]\n",
        allocations * workers
    )
}

/// Where its TURN server is: it chose the port itself.
async fn turn_address(own: &OwnServer) -> Result<SocketAddr, BenchError> {
    let urls = Api::register(Origin::parse(&own.url, None)?, &own.registration_secret).await?.ice_urls().await?;
    let address = |url: &String| url.strip_prefix("turn:")?.strip_suffix("?transport=udp")?.parse().ok();
    urls.iter().find_map(address).ok_or_else(|| BenchError::call("asking for the TURN server", "there is none"))
}

/// Sends and measures; gives the sockets back.
async fn measure(relayed: Relayed, options: &Options, pid: Option<u32>) -> Result<(Relayed, Measured), BenchError> {
    progress(&format!("warming up for {} s, measuring for {} s", options.warmup.as_secs(), options.measured.as_secs()));
    let generator = TurnGenerator::start(relayed, options.load)?;
    tokio::time::sleep(options.warmup).await;
    let before = generator.totals()?;
    let usage_before = usages(pid);
    tokio::time::sleep(options.measured).await;
    let usage_after = usages(pid);
    let after = generator.totals()?;
    let end = fall_silent(&generator).await?;
    let cpu = |[before, after]: [Option<Usage>; 2]| Some(after?.cpu_seconds - before?.cpu_seconds);
    let measured = Measured {
        seconds: after.at.duration_since(before.at).as_secs_f64(),
        forwarded_packets: after.received - before.received,
        server_cpu_seconds: cpu([usage_before[0], usage_after[0]]),
        generator_cpu_seconds: cpu([usage_before[1], usage_after[1]]),
        generator_idle_seconds: Some((after.idle - before.idle).as_secs_f64()),
        rss_bytes: usage_after[0].map(|usage| usage.rss_bytes),
        lost: lost(&before, &end),
        undecodable: end.damaged - before.damaged,
        latency: after.latency,
        keyframes: 0,
    };
    Ok((generator.stop()?, measured))
}

async fn fall_silent(generator: &TurnGenerator) -> Result<Totals, BenchError> {
    generator.fall_silent()?;
    let began = Instant::now();
    loop {
        tokio::time::sleep(DRAIN_STEP).await;
        let totals = generator.totals()?;
        if totals.sent == totals.received || began.elapsed() > DRAIN {
            return Ok(totals);
        }
    }
}

/// Of the server and of this process.
fn usages(pid: Option<u32>) -> [Option<Usage>; 2] {
    [pid.and_then(machine::usage), machine::usage(std::process::id())]
}

/// What was sent and never came, without what was lost before the measurement began.
fn lost(before: &Totals, end: &Totals) -> u64 {
    (end.sent - end.received).saturating_sub(before.missing)
}
