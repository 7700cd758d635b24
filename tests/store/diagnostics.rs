//! `store/diagnostics.rs`.

use std::time::Duration;

use webcall::id::{ReportId, UserId};
use webcall::store::{AddedReport, NewReport, ReportLimits, Store};
use webcall::time::Timestamp;

use crate::{NOW, on_both, user};

on_both! {
    a_report_is_kept_with_whose_it_is_newest_first
    a_user_s_reports_are_limited_for_a_while_and_others_are_not_touched
    of_too_many_reports_the_oldest_go
    old_reports_are_swept_and_others_stay
}

const LIMITS: ReportLimits = ReportLimits { of_user: 100, since: Timestamp::from_millis(0), kept: 100 };

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

async fn add(store: &Store, user: UserId, seconds: u64, limits: ReportLimits) -> AddedReport {
    let created_at = at(seconds);
    let verdict = seconds.to_string();
    let id = ReportId::new(created_at);
    let report = NewReport { id, user, created_at, browser: "Firefox 140", verdict: &verdict, steps: "[]" };
    store.add_report(&report, &limits).await.unwrap()
}

async fn verdicts(store: &Store) -> Vec<String> {
    store.reports().await.unwrap().into_iter().map(|row| row.verdict).collect()
}

async fn a_report_is_kept_with_whose_it_is_newest_first(store: &Store) {
    let (ann, _) = user(store).await;
    let name = store.user(ann).await.unwrap().unwrap().username;
    assert_eq!(store.reports().await.unwrap(), []);
    for seconds in [1, 3, 2] {
        assert_eq!(add(store, ann, seconds, LIMITS).await, AddedReport::Added);
    }
    assert_eq!(verdicts(store).await, ["3", "2", "1"]);
    let newest = store.reports().await.unwrap().remove(0);
    assert_eq!((newest.username, newest.created_at), (name, at(3)));
    assert_eq!((newest.browser.as_str(), newest.steps.as_str()), ("Firefox 140", "[]"));
}

async fn a_user_s_reports_are_limited_for_a_while_and_others_are_not_touched(store: &Store) {
    let ((ann, _), (ben, _)) = (user(store).await, user(store).await);
    let limits = |since| ReportLimits { of_user: 2, since: at(since), kept: 100 };
    assert_eq!(add(store, ann, 10, limits(0)).await, AddedReport::Added);
    assert_eq!(add(store, ann, 20, limits(0)).await, AddedReport::Added);
    assert_eq!(add(store, ann, 30, limits(0)).await, AddedReport::TooMany { oldest: at(10) });
    assert_eq!(add(store, ben, 31, limits(0)).await, AddedReport::Added);
    assert_eq!(add(store, ann, 40, limits(10)).await, AddedReport::Added, "the first one counts no longer");
    assert_eq!(verdicts(store).await, ["40", "31", "20", "10"]);
}

async fn of_too_many_reports_the_oldest_go(store: &Store) {
    let (ann, _) = user(store).await;
    for seconds in 1..=5 {
        add(store, ann, seconds, ReportLimits { kept: 3, ..LIMITS }).await;
    }
    assert_eq!(verdicts(store).await, ["5", "4", "3"]);
}

async fn old_reports_are_swept_and_others_stay(store: &Store) {
    let (ann, _) = user(store).await;
    for seconds in 1..=3 {
        add(store, ann, seconds, LIMITS).await;
    }
    assert_eq!(store.sweep_reports(at(2)).await.unwrap(), 2);
    assert_eq!(verdicts(store).await, ["3"]);
    assert_eq!(store.sweep_reports(at(2)).await.unwrap(), 0);
}
