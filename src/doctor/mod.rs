//! `webcall doctor`: looks for what keeps calls from working, and says for each check what it found, what that means and what to do.
//!
//! One file a check: facts are gathered (sockets, files, the clock), then judged by a pure function, which the tests know by tables. It
//! reads the settings as the server does and writes nothing, but for a probe in the bucket of files. Called by `main`; with `--probe` it
//! is the second machine that looks at a server from outside. STUN as in RFC 8489, TURN as in RFC 8656, both from
//! `webcall_media::turn::probe`.
//!
//! ```text
//! options -> { server, ports, address, tcp, turn_secret, certificate, clock, database, bucket, limits, outside } -> finding -> report
//! ```

mod address;
mod bucket;
mod certificate;
mod clock;
mod database;
mod finding;
mod http;
mod limits;
mod options;
mod outside;
mod ports;
mod report;
mod server;
mod tcp;
mod tls;
mod turn_secret;
mod udp;

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};

use webcall_media::addresses::{Decision, Situation, decide};
use webcall_media::probe::{mapped_addresses, situation};

use thiserror::Error;

use crate::config::{Args, Config, ConfigError};
use crate::diagnostics;
use crate::store::{Store, StoreError};
use finding::Finding;
use options::{Examination, Task};
use ports::{Answered, Use};
use turn_secret::gather as try_turn_secret;

/// Whether anything keeps calls from working.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing that was found.
    NoFault,
    /// Something does.
    Faults,
}

/// Carries out what the arguments after `doctor` say, and prints what was found.
pub fn run(arguments: Vec<OsString>) -> Result<Verdict, DoctorError> {
    let (task, form) = options::parse(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the system lets threads start");
    let findings = match task {
        Task::Help => {
            println!("{}", options::USAGE);
            return Ok(Verdict::NoFault);
        }
        Task::Reports(args) => {
            print!("{}", runtime.block_on(reports(&args))?);
            return Ok(Verdict::NoFault);
        }
        Task::Probe { host, ports } => runtime.block_on(outside::probe(&host, &ports)),
        Task::Examine(examination) => runtime.block_on(examine(&examination, |name| std::env::var(name).ok())),
    };
    // A name that is being looked up has no end of its own, and nobody waits for it any more.
    runtime.shutdown_background();
    print!("{}", report::write(&findings, form));
    Ok(if report::has_fault(&findings) { Verdict::Faults } else { Verdict::NoFault })
}

/// What browsers have found on the page `/diagnostics`.
async fn reports(args: &Args) -> Result<String, DoctorError> {
    let config = Config::inspect(args, |name| std::env::var(name).ok())?;
    let store = Store::open(&config.database).await?;
    let text = diagnostics::print_reports(&store).await;
    store.close().await;
    Ok(text?)
}

/// Why it could not look.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DoctorError {
    /// The command line or a setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The reports cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All checks of this machine, in the order in which a server comes up.
async fn examine(examination: &Examination, variable: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let inspected = Config::inspect(&examination.args, &variable);
    let places = certificate::Places::of(examination, inspected.as_ref().ok());
    match &inspected {
        Ok(config) => {
            findings.push(Finding::ok("settings", "they can be read and fit together"));
            examine_server(config, examination, &mut findings).await;
        }
        Err(error) => findings.push(
            Finding::fault("settings", "configuration_invalid", error.to_string())
                .means("the server cannot start; what depends on the settings is left out below")
                .todo("change that setting; .env.example and turn.toml explain each"),
        ),
    }
    let certificates = certificate::gather(&places).await;
    if certificates.is_empty() {
        findings.push(certificate::judge_none());
    }
    findings.extend(certificates.iter().map(certificate::judge));
    findings.push(clock::judge(&clock::gather(&examination.time_url).await));
    findings
}

/// What depends on the settings.
async fn examine_server(config: &Config, examination: &Examination, findings: &mut Vec<Finding>) {
    let server = server::gather(config.port).await;
    findings.push(server::judge(&server));
    findings.push(database::judge(&database::gather(&config.database, &server.occupant).await));
    findings.push(database::judge_disk(database::free_bytes(&config.data_dir)));
    if let Some(bucket) = &config.files.bucket {
        findings.push(bucket::judge(&bucket::gather(bucket).await));
    }

    let (situation, seen) = look_around(config, examination).await;
    let decision = decide(&situation);
    let ports = ports::configured(&config.media);
    let here = asked_here(&situation, &decision);
    let mut elsewhere: Vec<(IpAddr, Option<bool>)> =
        address::not_here(&situation, &decision.advertised).into_iter().map(|ip| (ip, None)).collect();
    if server.is_running() {
        let answers = ports::ask(&here, &ports).await;
        findings.push(ports::judge_running(&answers));
        let told = tcp::told(config);
        findings.extend(tcp::judge_unasked(told));
        if let tcp::Told::Port(port) = told {
            let at: Vec<SocketAddr> = here.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
            findings.push(tcp::judge(&tcp::ask_all(&at).await));
        }
        for (ip, answers) in &mut elsewhere {
            *answers = Some(answers_there(*ip, config).await);
        }
        if let Some(turn) = reachable_turn(&answers) {
            findings.push(turn_secret::judge(try_turn_secret(turn, config.secrets.turn[0].expose()).await));
        }
    } else {
        findings.push(ports::judge_stopped(&ports, &ports::taken(&ports)));
    }
    let name = examination.domain.clone().or_else(|| decision.advertised.first().map(IpAddr::to_string));
    let process = server.process.as_ref().filter(|_| server.is_running()).map(|process| process.id);
    findings.push(address::judge(&address::Facts { situation, decision, seen, elsewhere }));
    findings.push(limits::judge_files(limits::gather_files(&config.media, process)));
    findings.push(limits::judge_buffers(limits::gather_buffers(&config.media)));
    findings.push(outside::advice(&ports, &name.unwrap_or_else(|| "HOST".to_owned())));
}

/// What this machine has, and what STUN servers see: those of the command line, else those of the settings.
async fn look_around(config: &Config, examination: &Examination) -> (Situation, Vec<IpAddr>) {
    let (configured, of_settings) = (config.media.advertised.clone(), config.media.stun_servers.clone());
    let given = examination.stun.clone();
    let look = move || {
        let situation = situation(&configured, &of_settings);
        let seen = match (given.is_empty(), situation.mapped.is_empty()) {
            (false, _) => mapped_addresses(&given),
            (true, false) => situation.mapped.clone(),
            // The settings name addresses, so that the start asks nobody; here the answer speaks for or against them.
            (true, true) => mapped_addresses(&of_settings),
        };
        (situation, seen)
    };
    tokio::task::spawn_blocking(look).await.expect("looking at interfaces does not panic")
}

/// The addresses of this machine at which its server must answer: those that are advertised, and without any, those that would be.
fn asked_here(situation: &Situation, decision: &Decision) -> Vec<IpAddr> {
    let elsewhere = address::not_here(situation, &decision.advertised);
    let here: Vec<IpAddr> = decision.advertised.iter().copied().filter(|ip| !elsewhere.contains(ip)).collect();
    if !here.is_empty() {
        return here;
    }
    decide(&Situation { configured: Vec::new(), mapped: Vec::new(), ..situation.clone() }).advertised
}

/// Whether the first media port, as it is told, or the TURN port answers at an address that no interface has.
async fn answers_there(ip: IpAddr, config: &Config) -> bool {
    let media = config.media.advertised_port.unwrap_or(config.media.udp_port);
    let turn = config.media.turn.as_ref().map(|turn| (turn.udp_port, Use::Turn));
    let ports: Vec<(u16, Use)> = [(media, Use::Media)].into_iter().chain(turn).filter(|(port, _)| *port != 0).collect();
    ports::ask(&[ip], &ports).await.iter().any(|answer| answer.is_answered)
}

fn reachable_turn(answers: &[Answered]) -> Option<SocketAddr> {
    let turn = answers.iter().filter(|answer| answer.purpose == Use::Turn);
    turn.max_by_key(|answer| answer.is_answered).map(|answer| answer.address)
}
