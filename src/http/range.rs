//! One part of something that has bytes: `Range`, `If-Range` (RFC 9110 §13.1.5 and §14.2). Several parts, other units and what cannot
//! be read are answered with the whole, as the RFC allows.

use axum::http::HeaderMap;
use axum::http::header::{IF_RANGE, RANGE};

/// What is to be sent of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// Everything.
    Whole,
    /// The bytes from the first up to and without the second.
    Part(u64, u64),
    /// A part that lies behind the end.
    Unsatisfiable,
}

/// What a request wants of `size_bytes` bytes whose entity tag is `etag`.
pub(super) fn wanted(headers: &HeaderMap, etag: &str, size_bytes: u64) -> Wanted {
    if headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != etag.as_bytes()) {
        return Wanted::Whole;
    }
    let mut ranges = headers.get_all(RANGE).iter();
    match (ranges.next().and_then(|range| range.to_str().ok()), ranges.next()) {
        (Some(range), None) => parse(range, size_bytes).unwrap_or(Wanted::Whole),
        _ => Wanted::Whole,
    }
}

fn parse(range: &str, size_bytes: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(part(size_bytes.saturating_sub(suffix), size_bytes, size_bytes));
    }
    let first = number(first)?;
    let end = if last.is_empty() { u64::MAX } else { number(last).filter(|last| *last >= first)?.saturating_add(1) };
    Some(part(first, end, size_bytes))
}

fn part(from: u64, to: u64, size_bytes: u64) -> Wanted {
    if from < size_bytes && from < to { Wanted::Part(from, to.min(size_bytes)) } else { Wanted::Unsatisfiable }
}

/// Digits only: `parse` alone would take a sign. More than fit are more than anything has.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(range: &'static str, if_range: Option<&'static str>, size_bytes: u64) -> Wanted {
        let mut headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
        headers.extend(if_range.map(|tag| (IF_RANGE, HeaderValue::from_static(tag))));
        wanted(&headers, "\"tag\"", size_bytes)
    }

    #[test]
    fn one_part_is_read_and_everything_else_is_the_whole() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0, 1)),
            ("bytes=2-4", Wanted::Part(2, 5)),
            ("Bytes = 2-", Wanted::Part(2, 10)),
            ("bytes=9-99", Wanted::Part(9, 10)),
            ("bytes=-3", Wanted::Part(7, 10)),
            ("bytes=-99", Wanted::Part(0, 10)),
            ("bytes=0-99999999999999999999999", Wanted::Part(0, 10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=4-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
        ] {
            assert_eq!(of(range, None, 10), expected, "{range}");
        }
        assert_eq!(of("bytes=0-", None, 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn a_part_of_something_else_than_the_other_side_has_is_the_whole() {
        assert_eq!(of("bytes=0-0", Some("\"tag\""), 10), Wanted::Part(0, 1));
        assert_eq!(of("bytes=0-0", Some("\"other\""), 10), Wanted::Whole);
        assert_eq!(of("bytes=0-0", Some("W/\"tag\""), 10), Wanted::Whole);
    }
}
