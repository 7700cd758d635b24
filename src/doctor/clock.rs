//! The clock, compared with the `Date` of an HTTP server (RFC 9110 §6.6.1), which has a resolution of a second. Credentials, tokens and
//! certificates are judged by it.

use std::time::{Duration, SystemTime};

use hyper::Uri;

use super::finding::Finding;
use super::http;

const CHECK: &str = "clock";
/// Beyond, certificates just issued are refused and times in a chat are visibly wrong. Below a second, `Date` itself is not that exact.
const TOLERANCE: Duration = Duration::from_secs(60);

/// When the answer was made, by its server and by this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) theirs: SystemTime,
    pub(super) ours: SystemTime,
}

/// Asks for the time.
pub(super) async fn gather(url: &str) -> Result<Facts, String> {
    let uri: Uri = url.parse().map_err(|_| "not an address".to_owned())?;
    if uri.scheme_str() != Some("http") {
        return Err("the address must begin with http://".to_owned());
    }
    let host = uri.host().ok_or("the address names no host")?;
    let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
    let connection = http::connect(&authority).await?;
    let answer = http::get(connection, &authority, uri.path_and_query().map_or("/", |path| path.as_str())).await?;
    let ours = SystemTime::now();
    let header = |name: &str| answer.headers.get(name)?.to_str().ok();
    let theirs = header("date").and_then(|date| httpdate::parse_http_date(date).ok()).ok_or("the answer has no Date")?;
    // What comes from a cache was made before (RFC 9111 §5.1).
    let age = header("age").and_then(|age| age.parse().ok()).map(Duration::from_secs).unwrap_or_default();
    Ok(Facts { theirs: theirs + age.min(MAX_AGE), ours })
}

/// An age beyond this is no honest cache's.
const MAX_AGE: Duration = Duration::from_secs(366 * 24 * 3600);

/// What it means.
pub(super) fn judge(facts: &Result<Facts, String>) -> Finding {
    let Facts { theirs, ours } = match facts {
        Ok(facts) => facts,
        Err(why) => {
            return Finding::note(CHECK, "clock_unknown", format!("not compared: {why}"))
                .todo("give an http:// server that can be reached with --time-url URL");
        }
    };
    let (ahead, off) = match ours.duration_since(*theirs) {
        Ok(off) => ("ahead", off),
        Err(error) => ("behind", error.duration()),
    };
    let found = format!("{} s {ahead} of the time of another server", off.as_secs());
    if off <= TOLERANCE {
        return Finding::ok(CHECK, found);
    }
    Finding::fault(CHECK, "clock_wrong", found)
        .means("TURN credentials and sign-ins end too early or too late, certificates are refused, messages have wrong times")
        .todo("let the machine keep its time: timedatectl set-ntp true, or chrony")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    fn judged(theirs_s: u64, ours_s: u64) -> (Severity, String) {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let finding = judge(&Ok(Facts { theirs: at(theirs_s), ours: at(ours_s) }));
        (finding.severity, finding.found)
    }

    #[test]
    fn a_minute_is_tolerated_in_both_directions_and_no_more() {
        for (theirs, ours, severity, part) in [
            (10_000, 10_000, Severity::Ok, "0 s"),
            (10_000, 10_060, Severity::Ok, "60 s ahead"),
            (10_000, 10_061, Severity::Fault, "61 s ahead"),
            (10_060, 10_000, Severity::Ok, "60 s behind"),
            (13_600, 10_000, Severity::Fault, "3600 s behind"),
        ] {
            let (found, text) = judged(theirs, ours);
            assert!(found == severity && text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_server_that_cannot_be_asked_is_no_fault() {
        assert_eq!(judge(&Err("refused".to_owned())).severity, Severity::Note);
    }

    #[tokio::test]
    async fn the_age_of_a_cached_answer_is_added_to_its_date() {
        let (url, date) = (answering("date: Sun, 06 Nov 1994 08:49:37 GMT\r\nage: 3600\r\n").await, 784_111_777);
        let theirs = gather(&url).await.unwrap().theirs;
        assert_eq!(theirs, SystemTime::UNIX_EPOCH + Duration::from_secs(date + 3_600));
        assert_eq!(gather(&answering("x: y\r\n").await).await.unwrap_err(), "the answer has no Date");
        assert!(gather("https://example.org/").await.is_err() && gather("nonsense").await.is_err());
    }

    /// A server that answers one request with these headers.
    async fn answering(headers: &'static str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.read(&mut [0; 1024]).await.unwrap();
            connection.write_all(format!("HTTP/1.1 204 No Content\r\n{headers}\r\n").as_bytes()).await.unwrap();
        });
        url
    }
}
