//! The course of a benchmark: a server, calls, a measurement, the same for the raw loop, a report.

use std::io::Write;
use std::time::Duration;

use super::BenchError;
use super::adapter::Adapter;
use super::api::Api;
use super::calls::Calls;
use super::connect::Origin;
use super::floor::measure_floor;
use super::machine::{self, Processors};
use super::measure::{Measured, measure};
use super::options::{Options, Running, Scenario, Target};
use super::plan::Plan;
use super::report::{Joins, Report};
use super::server::{OwnServer, call_settings};

/// What a storm of joins may take beyond the time over which it is spread.
const STORM_LIMIT: Duration = Duration::from_secs(5);

/// Carries a benchmark out and prints what it found.
pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    crate::process::raise_open_files();
    let processors = Processors::share().filter(|_| options.target.is_none());
    if let Some(processors) = &processors {
        machine::keep_to(&processors.generator);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let report = runtime.block_on(carry_out(options, processors.as_ref()))?;
    println!("{}", if options.is_json { report.json() } else { report.table() });
    Ok(())
}

async fn carry_out(options: &Options, processors: Option<&Processors>) -> Result<Report, BenchError> {
    let found = measure_server(options, processors).await?;
    let floor = match options.has_floor && options.target.is_none() && options.scenario != Scenario::Join {
        true => {
            progress("the raw loop, under the same load");
            Some(measure_floor(options, processors).await?)
        }
        false => None,
    };
    Ok(Report { options: options.clone(), server: found.measured, joins: found.joins, floor, idle_bytes: found.idle_bytes })
}

/// What was found out about the server.
struct Found {
    measured: Measured,
    joins: Option<Joins>,
    idle_bytes: Option<u64>,
}

async fn measure_server(options: &Options, processors: Option<&Processors>) -> Result<Found, BenchError> {
    let (server, own) = match &options.target {
        Some(Target { server: Running::WebCall { url, user, ca_file }, .. }) => {
            let password = std::env::var("WEBCALL_BENCH_PASSWORD").unwrap_or_default();
            let origin = Origin::parse(url, ca_file.as_deref())?;
            (Adapter::WebCall(Api::log_in(origin, user, &password).await?), None)
        }
        Some(Target { server: Running::Janus { authority }, .. }) => (Adapter::Janus(authority.clone()), None),
        None => {
            progress("starting a server");
            let own = OwnServer::start(&call_settings(options.workers), processors).await?;
            let origin = Origin::parse(&own.url, None)?;
            (Adapter::WebCall(Api::register(origin, &own.registration_secret).await?), Some(own))
        }
    };
    let pid = own.as_ref().map(OwnServer::pid).or(options.target.as_ref().and_then(|target| target.pid));
    let idle_bytes = pid.and_then(machine::usage).map(|usage| usage.rss_bytes);
    let plans: Vec<Plan> = (0..options.rooms).map(|room| Plan::new(options, room)).collect();
    if let Adapter::WebCall(api) = &server {
        check_windows(api, &plans).await?;
    }
    let mut calls = Calls::open(server, plans).await?;
    let result = measure_calls(options, &mut calls, pid).await;
    calls.close().await;
    let (measured, joins) = result?;
    Ok(Found { measured, joins, idle_bytes })
}

/// One account opens all windows: a server that allows fewer is told of before anybody joins.
async fn check_windows(api: &Api, plans: &[Plan]) -> Result<(), BenchError> {
    let allowed = api.windows_per_user().await?;
    let wanted = plans.iter().map(|plan| plan.people.len()).sum::<usize>();
    if wanted <= allowed {
        return Ok(());
    }
    let problem = format!(
        "{wanted} participants of one account are wanted and {allowed} allowed; ask for fewer, or start it with WINDOWS_PER_USER={wanted}"
    );
    Err(BenchError::call("asking the server how many may join", problem))
}

async fn measure_calls(options: &Options, calls: &mut Calls, pid: Option<u32>) -> Result<(Measured, Option<Joins>), BenchError> {
    calls.let_senders_in().await?;
    calls.wait_connected().await?;
    if options.scenario == Scenario::Join {
        tokio::time::sleep(options.warmup).await;
        let generator = calls.generator();
        let measuring = measure(&generator, pid, options.measured + STORM_LIMIT);
        let (measured, joined) = tokio::join!(measuring, calls.let_others_in(options.measured));
        let joins = Joins::of(&generator, calls.began(), joined.err().map(|error| error.to_string()))?;
        return Ok((measured?, Some(joins)));
    }
    calls.let_others_in(Duration::ZERO).await?;
    calls.wait_connected().await?;
    calls.look_at_senders(options.width_px);
    progress(&format!("warming up for {} s, measuring for {} s", options.warmup.as_secs(), options.measured.as_secs()));
    tokio::time::sleep(options.warmup).await;
    Ok((measure(&calls.generator(), pid, options.measured).await?, None))
}

/// One line on standard error, so that standard output holds the result alone.
pub(super) fn progress(what: &str) {
    // Whoever closed it does not want to know.
    let _ = writeln!(std::io::stderr(), "-- {what}");
}
