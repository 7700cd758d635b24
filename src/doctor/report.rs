//! How findings are shown: a list for people, in the order of the checks and with a mark at each, or one JSON object.

use std::fmt::Write;

use serde::Serialize;

use super::finding::{Finding, Severity};

/// The form of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Text,
    Json,
}

#[derive(Serialize)]
struct Report<'a> {
    healthy: bool,
    findings: &'a [Finding],
}

pub(super) fn has_fault(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Fault)
}

/// The whole report, ending with a line break.
pub(super) fn write(findings: &[Finding], form: Form) -> String {
    match form {
        Form::Text => text(findings),
        Form::Json => {
            let report = Report { healthy: !has_fault(findings), findings };
            let json = serde_json::to_string_pretty(&report).expect("strings are JSON");
            json + "\n"
        }
    }
}

fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { check, severity, code, found, means, todo } in findings {
        let (mark, code) = match severity {
            Severity::Ok => ("   ok  ", String::new()),
            Severity::Note => ("  note ", format!(" [{code}]")),
            Severity::Warning => ("WARNING", format!(" [{code}]")),
            Severity::Fault => (" FAULT ", format!(" [{code}]")),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{mark}  {check}: {found}{code}");
        for (word, sentence) in [("means", means), ("to do", todo)].iter().filter(|(_, sentence)| !sentence.is_empty()) {
            let _ = writeln!(text, "           {word}: {sentence}");
        }
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (faults, warnings) = (count(Severity::Fault), count(Severity::Warning));
    let _ = writeln!(text, "\nfaults: {faults}, warnings: {warnings}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok("clock", "right"),
            Finding::fault("UDP ports", "udp_closed", "no answer from UDP port 3478").means("nobody hears").todo("open it"),
        ]
    }

    #[test]
    fn a_fault_is_shown_with_its_code_its_meaning_and_what_to_do() {
        let text = write(&findings(), Form::Text);
        for part in [
            "ok    clock: right\n",
            "FAULT   UDP ports: no answer from UDP port 3478 [udp_closed]",
            "means: nobody hears",
            "to do: open it",
            "faults: 1, warnings: 0",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn the_json_says_whether_there_is_a_fault() {
        let report = |findings: &[Finding]| serde_json::from_str::<serde_json::Value>(&write(findings, Form::Json)).unwrap();
        let whole = report(&findings());
        assert_eq!((&whole["healthy"], &whole["findings"][1]["code"]), (&false.into(), &"udp_closed".into()));
        assert_eq!(whole["findings"][1]["severity"], "fault");
        assert_eq!(report(&findings()[..1])["healthy"], true);
    }
}
