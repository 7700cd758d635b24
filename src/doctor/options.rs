//! The command line of `webcall doctor`.

use std::ffi::OsString;
use std::path::PathBuf;

use webcall_media::addresses::StunServer;

use super::report::Form;
use crate::config::{Args, ConfigError};

/// What `webcall doctor --help` prints.
pub(super) const USAGE: &str = "\
webcall doctor: what keeps calls from working here

Usage: webcall doctor [options]                       on the server, with the server's environment and options
       webcall doctor --reports [--data DIR]         what people's browsers found on the page /diagnostics
       webcall doctor --probe HOST [--ports PORTS]    on another machine: can it reach the server by UDP?

  --data DIR          the server's data folder (default ./data)
  --turn-config FILE  the server's turn.toml (default ./turn.toml when there is one)
  --stun HOST:PORT    ask this STUN server from which address it sees this machine; may be given several times
  --tls HOST:PORT     look at the certificate there, as a browser meets it (default: DOMAIN, port 443, when DOMAIN is set)
  --domain NAME       the name that the certificate must have (default: DOMAIN)
  --time-url URL      compare the clock with this http:// server (default http://connectivity-check.ubuntu.com/)
  --ports PORTS       UDP ports to ask, like 3478,50000-50003 (default 3478,50000)
  --json              one JSON object instead of a list

Ends with 1 when there is a fault. Nothing is written, no setting is changed; an allocation on the TURN server is given back at once, and a
probe in the bucket of files, where one is set, is deleted.";

/// A server that answers by HTTP without redirection, with a `Date` of its own.
const DEFAULT_TIME_URL: &str = "http://connectivity-check.ubuntu.com/";
/// STUN servers that may be given.
const MAX_STUN_SERVERS: usize = 8;
/// UDP ports that may be asked: as many as there can be workers, and TURN.
pub(super) const MAX_PORTS: usize = 65;

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Task {
    /// Look at this machine.
    Examine(Box<Examination>),
    /// Show what browsers have found.
    Reports(Args),
    /// Ask another one.
    Probe { host: String, ports: Vec<u16> },
    /// Print how it is used.
    Help,
}

/// Where to look on this machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Examination {
    pub(super) args: Args,
    pub(super) stun: Vec<StunServer>,
    /// `host:port`.
    pub(super) tls: Option<String>,
    pub(super) domain: Option<String>,
    pub(super) time_url: String,
}

/// Reads the arguments after `doctor`.
pub(super) fn parse(arguments: Vec<OsString>) -> Result<(Task, Form), ConfigError> {
    let (mut data, mut turn_config, mut probe, mut tls, mut domain) = (None, None, None, None, None);
    let mut wants_reports = false;
    let (mut stun, mut form, mut time_url) = (Vec::new(), Form::Text, DEFAULT_TIME_URL.to_owned());
    let mut ports = vec![3478, 50_000];
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let name = argument.to_str().unwrap_or_default().to_owned();
        let mut value = || arguments.next().ok_or_else(|| wrong(&name, "needs a value"));
        match name.as_str() {
            "--data" => data = Some(PathBuf::from(value()?)),
            "--turn-config" => turn_config = Some(PathBuf::from(value()?)),
            "--probe" => probe = Some(text(&name, value()?)?),
            "--tls" => tls = Some(text(&name, value()?)?),
            "--domain" => domain = Some(text(&name, value()?)?),
            "--time-url" => time_url = text(&name, value()?)?,
            "--ports" => {
                ports = parse_ports(&text(&name, value()?)?).ok_or_else(|| wrong(&name, "must be like 3478,50000-50003"))?;
            }
            "--stun" if stun.len() == MAX_STUN_SERVERS => return Err(wrong(&name, "may be given eight times at most")),
            "--stun" => stun.push(text(&name, value()?)?.parse().map_err(|error| wrong(&name, &format!("{error}")))?),
            "--reports" => wants_reports = true,
            "--json" => form = Form::Json,
            "--help" | "-h" => return Ok((Task::Help, form)),
            _ => return Err(ConfigError::Argument(format!("unknown argument `{}`", argument.display()))),
        }
    }
    let args = Args::or_default(data, turn_config);
    if wants_reports {
        return Ok((Task::Reports(args), form));
    }
    let examination = || Examination { args, stun, tls, domain, time_url };
    let task = match probe {
        Some(host) => Task::Probe { host, ports },
        None => Task::Examine(Box::new(examination())),
    };
    Ok((task, form))
}

fn wrong(name: &str, problem: &str) -> ConfigError {
    ConfigError::Argument(format!("{name} {problem}"))
}

fn text(name: &str, value: OsString) -> Result<String, ConfigError> {
    value.into_string().ok().filter(|text| !text.is_empty()).ok_or_else(|| wrong(name, "needs a value that is text"))
}

fn parse_ports(text: &str) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first == 0 || last < first || usize::from(last - first) >= MAX_PORTS {
            return None;
        }
        ports.extend(first..=last);
    }
    ports.sort_unstable();
    ports.dedup();
    (ports.len() <= MAX_PORTS).then_some(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<(Task, Form), ConfigError> {
        parse(arguments.iter().map(OsString::from).collect())
    }

    #[test]
    fn every_option_is_read() {
        let given = "--data /d --turn-config /t --stun a:1 --stun b --tls h:443 --domain h --time-url http://t/ --json";
        let (task, form) = read(&given.split(' ').collect::<Vec<_>>()).unwrap();
        let Task::Examine(examination) = task else { panic!("must examine") };
        assert_eq!((examination.stun.len(), examination.stun[1].port, form), (2, 3478, Form::Json));
        assert_eq!(examination.args, Args { data_dir: "/d".into(), turn_config: Some("/t".into()) });
        assert_eq!((examination.tls.as_deref(), examination.domain.as_deref()), (Some("h:443"), Some("h")));
        let (task, _) = read(&["--probe", "calls.example", "--ports", "3478,50000-50002,50001"]).unwrap();
        assert_eq!(task, Task::Probe { host: "calls.example".to_owned(), ports: vec![3478, 50_000, 50_001, 50_002] });
        assert_eq!(read(&["--data", "/d", "-h"]).unwrap().0, Task::Help);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        for (arguments, part) in [
            (&["--port", "1"][..], "unknown argument `--port`"),
            (&["--stun"], "--stun needs a value"),
            (&["--stun", "http://x"], "--stun must look like"),
            (&["--ports", "0"], "--ports must be like"),
            (&["--ports", "1-65535"], "--ports must be like"),
            (&["--ports", "5-4"], "--ports must be like"),
            (&["--tls", ""], "--tls needs a value"),
        ] {
            assert!(read(arguments).unwrap_err().to_string().contains(part), "{arguments:?}");
        }
    }
}
