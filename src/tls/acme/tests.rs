use rustls_acme::acme::AcmeError;

use super::*;
use crate::tls::CertificateSource;

const HOUR: Duration = Duration::from_secs(3_600);

fn status(validity: Option<(Timestamp, Timestamp)>) -> CertificateStatus {
    CertificateStatus {
        source: CertificateSource::Acme,
        names: Vec::new(),
        not_before: validity.map(|(from, _)| from),
        not_after: validity.map(|(_, until)| until),
        last_error: None,
    }
}

#[test]
fn an_order_is_due_when_a_third_of_the_life_is_left() {
    let start = Timestamp::from_millis(1_790_000_000_000);
    let valid_for_90_hours = status(Some((start, start.plus(90 * HOUR))));
    assert_eq!(order_due_in(&status(None), start), Duration::ZERO);
    assert_eq!(order_due_in(&valid_for_90_hours, start), 60 * HOUR);
    assert_eq!(order_due_in(&valid_for_90_hours, start.plus(59 * HOUR)), HOUR);
    assert_eq!(order_due_in(&valid_for_90_hours, start.plus(100 * HOUR)), Duration::ZERO);
}

#[test]
fn a_refusal_tells_the_name_and_the_authoritys_reason() {
    let auth = serde_json::json!({
        "status": "invalid",
        "identifier": {"type": "dns", "value": "call.example"},
        "challenges": [
            {"type": "dns-01", "url": "https://ca/1", "token": "t"},
            {"type": "http-01", "url": "https://ca/2", "token": "t", "error": {"type": "x", "detail": "nobody\nlistens"}},
        ],
    });
    let failure = Failure::of(&OrderError::BadAuth(serde_json::from_value(auth).unwrap()));
    assert_eq!(failure.fault, Fault::Refused);
    assert_eq!(failure.problem, "the authority did not accept the proof for call.example: nobody listens");
}

#[test]
fn an_authority_that_is_not_reached_is_asked_again_sooner_than_one_that_refuses() {
    let unreachable = AcmeError::Io(Error::from(std::io::ErrorKind::ConnectionRefused));
    let failure = Failure::of(&OrderError::Acme(unreachable));
    assert_eq!(failure.fault, Fault::Trouble);
    assert!(failure.problem.contains("refused"), "{}", failure.problem);
}

#[test]
fn an_authoritys_long_answer_is_cut() {
    assert_eq!(printable(&"ä".repeat(10_000)).chars().count(), MAX_PROBLEM_CHARACTERS);
}

#[test]
fn roots_that_are_none_are_refused_with_the_name_of_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    for (text, expected) in [
        ("", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", "is no text in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be a root"),
    ] {
        fs::write(&path, text).unwrap();
        let message = trusting(&path).unwrap_err().to_string();
        assert!(message.contains("roots.pem") && message.contains(expected), "{message}");
    }
    assert!(trusting(&folder.path().join("missing.pem")).unwrap_err().to_string().contains("missing.pem"));
}

#[test]
fn the_folder_of_keys_is_for_the_servers_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/acme");
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    make_private(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}
