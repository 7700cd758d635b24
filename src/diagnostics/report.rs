//! What a browser found out on `/diagnostics`: typed, bounded, without addresses of people; and keeping it for the operator.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounds::{Label, Percent, Reason, UpTo};
use crate::accounts::Principal;
use crate::app::App;
use crate::error::Error;
use crate::id::ReportId;
use crate::store::{AddedReport, NewReport, ReportLimits};

/// Reports that are kept, some 1 kB each. Of more, the oldest go: an operator looks at the latest.
pub const KEPT_REPORTS: i64 = 500;
/// How long a report is kept. Networks change; a report of last year explains nothing.
pub const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Reports of one user in `USER_PERIOD`. More would let one user push those of others out.
const MAX_OF_USER: i64 = 10;
const USER_PERIOD: Duration = Duration::from_secs(3600);
/// The most ports of one step: the most workers that a server has.
const MAX_PORTS: usize = 64;

/// What a browser found out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The browser's name and version: 1 to 60 of letters, digits and ` ._-/()`.
    #[schema(value_type = String, max_length = 60)]
    pub browser: Label,
    /// What follows from the steps.
    pub verdict: Verdict,
    /// Each at most once.
    #[schema(value_type = Vec<Step>, max_items = 9)]
    pub steps: Steps,
}

/// What is at fault, by the page's judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing.
    Good,
    /// The server has too much to do to take anybody into a call.
    ServerBusy,
    /// A proxy in between passes no WebSocket.
    WebsocketBlocked,
    /// Nothing reaches the media ports, over UDP or TCP.
    MediaUnreachable,
    /// Nothing gets through over UDP, and the server offers nothing else.
    UdpUnreachable,
    /// The network lets no UDP through; TCP works.
    UdpBlocked,
    /// The media ports are closed; the relay works over UDP.
    MediaPortsBlocked,
    /// Some of the media ports are closed.
    PortsClosed,
    /// A connection stood, but no picture or sound came back.
    EchoFailed,
    /// Camera and microphone cannot be used.
    Devices,
    /// The camera cannot be used.
    Camera,
    /// The microphone cannot be used.
    Microphone,
    /// Many packets are lost.
    Lossy,
    /// Packets take long.
    Slow,
    /// The direct way works, a way for strict networks does not.
    FallbackBroken,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum StepName {
    Websocket,
    Udp,
    IceTcp,
    TurnUdp,
    TurnTcp,
    TurnTls,
    Camera,
    Microphone,
    Echo,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It works.
    Good,
    /// It does not.
    Bad,
    /// The server does not offer it.
    NotOffered,
    /// It was not tried, because something before it failed.
    Skipped,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What.
    pub name: StepName,
    /// How it went.
    pub outcome: Outcome,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 40)]
    pub reason: Option<Reason>,
    /// How long it took until it worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, maximum = 120_000)]
    pub took_ms: Option<UpTo<120_000>>,
    /// The server's media ports, each tried on its own; for `udp`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 64)]
    pub ports: Vec<Port>,
    /// For `echo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

/// One of the server's media ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// Its number; 0 when no answer named one.
    pub port: u16,
    /// Whether it was reached.
    pub outcome: Outcome,
    /// Why it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 40)]
    pub reason: Option<Reason>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, maximum = 120_000)]
    pub took_ms: Option<UpTo<120_000>>,
}

/// What an echo call through the SFU measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Packets lost on the way to the server, in thousandths.
    #[schema(value_type = u32, maximum = 1_000)]
    pub loss_up_permille: Percent,
    /// Packets lost on the way back, in thousandths.
    #[schema(value_type = u32, maximum = 1_000)]
    pub loss_down_permille: Percent,
    /// To the server and back; `None` where the browser does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, maximum = 60_000)]
    pub round_trip_ms: Option<UpTo<60_000>>,
    /// Sent, in kbit/s.
    #[schema(value_type = u32, maximum = 1_000_000)]
    pub sent_kbps: UpTo<1_000_000>,
    /// Received, in kbit/s.
    #[schema(value_type = u32, maximum = 1_000_000)]
    pub received_kbps: UpTo<1_000_000>,
    /// Pictures a second that came back.
    #[schema(value_type = u32, maximum = 1_000)]
    pub frames_per_second: UpTo<1_000>,
}

/// The steps of a report: each at most once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step>", into = "Vec<Step>")]
pub struct Steps(Vec<Step>);

impl Steps {
    /// In the page's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Step> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Step>> for Steps {
    type Error = &'static str;

    fn try_from(steps: Vec<Step>) -> Result<Self, &'static str> {
        let is_again = |index: usize| steps[..index].iter().any(|earlier| earlier.name == steps[index].name);
        if (0..steps.len()).any(is_again) {
            return Err("a step stands twice");
        }
        if steps.iter().any(|step| step.ports.len() > MAX_PORTS) {
            return Err("too many ports");
        }
        Ok(Self(steps))
    }
}

impl From<Steps> for Vec<Step> {
    fn from(steps: Steps) -> Self {
        steps.0
    }
}

/// Keeps a report for the operator.
pub async fn file(app: &App, principal: &Principal, report: &Report) -> Result<(), Error> {
    let now = app.clock.now();
    let steps = serde_json::to_string(&report.steps).map_err(|error| Error::Internal(Box::new(error)))?;
    let verdict = word(report.verdict);
    let (id, browser) = (ReportId::new(now), report.browser.as_str());
    let row = NewReport { id, user: principal.user, created_at: now, browser, verdict: &verdict, steps: &steps };
    let limits = ReportLimits { of_user: MAX_OF_USER, since: now.minus(USER_PERIOD), kept: KEPT_REPORTS };
    match app.store.add_report(&row, &limits).await? {
        AddedReport::Added => Ok(()),
        AddedReport::TooMany { oldest } => {
            let wait = oldest.plus(USER_PERIOD).since(now);
            Err(Error::RateLimited { retry_after_s: wait.as_secs().max(1) })
        }
    }
}

/// Removes the reports that are older than they may get. Returns how many.
pub async fn sweep(app: &App) -> Result<u64, Error> {
    Ok(app.store.sweep_reports(app.clock.now().minus(KEPT_FOR)).await?)
}

/// A value of one of the enums above as the page writes it.
pub(super) fn word(value: impl Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"browser": "Firefox 140", "verdict": "ports_closed", "steps": [
        {"name": "udp", "outcome": "bad", "reason": "no_path", "ports": [{"port": 50000, "outcome": "good", "took_ms": 12}]},
        {"name": "echo", "outcome": "good", "figures": {"loss_up_permille": 1, "loss_down_permille": 2, "round_trip_ms": 30,
            "sent_kbps": 900, "received_kbps": 850, "frames_per_second": 30}}]}"#;

    fn read(text: &str) -> Result<Report, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn what_a_page_writes_is_read_and_written_the_same() {
        let report = read(REPORT).unwrap();
        assert_eq!(word(report.verdict), "ports_closed");
        assert_eq!(serde_json::from_str::<Steps>(&serde_json::to_string(&report.steps).unwrap()).unwrap(), report.steps);
    }

    #[test]
    fn what_is_out_of_bounds_unknown_or_twice_is_refused() {
        for (part, instead) in [
            ("Firefox 140", "\\u001b[31m"),
            ("ports_closed", "nobody_knows"),
            ("no_path", "192.0.2.7"),
            ("50000", "70000"),
            ("\"took_ms\": 12", "\"took_ms\": 120001"),
            ("\"loss_up_permille\": 1", "\"loss_up_permille\": 1001"),
            ("\"name\": \"echo\"", "\"name\": \"udp\""),
            ("\"name\": \"echo\"", "\"name\": \"echo\", \"address\": \"192.0.2.7\""),
        ] {
            let changed = REPORT.replace(part, instead);
            assert_ne!(changed, REPORT);
            assert!(read(&changed).is_err(), "{changed}");
        }
        let port = r#"{"port": 50000, "outcome": "good", "took_ms": 12}"#;
        assert!(read(&REPORT.replace(port, &vec![port; MAX_PORTS].join(","))).is_ok());
        assert!(read(&REPORT.replace(port, &vec![port; MAX_PORTS + 1].join(","))).is_err());
    }
}
