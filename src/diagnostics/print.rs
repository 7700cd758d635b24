//! The kept reports as a text for the operator's terminal: `webcall doctor --reports`. Everything in it was checked before it was stored.

use std::fmt::Write;

use super::report::{Figures, Step, Steps, word};
use crate::store::{ReportRow, Store, StoreError};
use crate::time::Timestamp;

/// All kept reports, newest first: when, who, with what, the verdict, and a line for each step.
pub async fn print_reports(store: &Store) -> Result<String, StoreError> {
    let reports = store.reports().await?;
    if reports.is_empty() {
        return Ok("No reports. They come from people who open /diagnostics.\n".to_owned());
    }
    let mut text = format!("{} reports, newest first (times in UTC)\n", reports.len());
    for report in &reports {
        // Writing to a string cannot fail.
        let _ = write_report(&mut text, report);
    }
    Ok(text)
}

fn write_report(text: &mut String, report: &ReportRow) -> std::fmt::Result {
    let ReportRow { username, browser, verdict, steps, .. } = report;
    writeln!(text, "\n{}  {verdict}  {username}  {browser}", utc(report.created_at))?;
    match serde_json::from_str::<Steps>(steps) {
        Ok(steps) => steps.iter().try_for_each(|step| write_step(text, step)),
        Err(_) => writeln!(text, "  (of another version)"),
    }
}

fn write_step(text: &mut String, step: &Step) -> std::fmt::Result {
    let mut details: Vec<String> = step.reason.iter().map(ToString::to_string).collect();
    details.extend(step.took_ms.map(|took| format!("{} ms", took.get())));
    for port in &step.ports {
        let reason = port.reason.as_ref().map_or(String::new(), |reason| format!(" {reason}"));
        let took = port.took_ms.map_or(String::new(), |took| format!(" {} ms", took.get()));
        details.push(format!("port {} {}{reason}{took}", port.port, word(port.outcome)));
    }
    details.extend(step.figures.as_ref().map(figures));
    let line = format!("  {:<11} {:<12} {}", word(step.name), word(step.outcome), details.join(", "));
    writeln!(text, "{}", line.trim_end())
}

fn figures(figures: &Figures) -> String {
    let tenths = |permille: u32| format!("{}.{} %", permille / 10, permille % 10);
    let round_trip = figures.round_trip_ms.map_or(String::new(), |ms| format!(", round trip {} ms", ms.get()));
    format!(
        "lost {} up and {} down{round_trip}, {} kbit/s up and {} kbit/s down, {} frames/s",
        tenths(figures.loss_up_permille.get()),
        tenths(figures.loss_down_permille.get()),
        figures.sent_kbps.get(),
        figures.received_kbps.get(),
        figures.frames_per_second.get(),
    )
}

/// Date and time to the minute, by the proleptic Gregorian calendar; days to dates as in Howard Hinnant's
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn utc(at: Timestamp) -> String {
    let (days, seconds) = (at.as_secs().div_euclid(86_400), at.as_secs().rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Years begin in March here, so that the leap day is the last one.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00"),
            (951_782_399, "2000-02-28 23:59"),
            (951_782_400, "2000-02-29 00:00"),
            (951_868_800, "2000-03-01 00:00"),
            (1_790_000_000, "2026-09-21 14:13"),
            (4_107_542_399, "2100-02-28 23:59"),
            (4_107_542_400, "2100-03-01 00:00"),
        ] {
            assert_eq!(utc(Timestamp::from_millis(seconds * 1_000)), expected);
        }
    }
}
