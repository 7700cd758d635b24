//! Who sits in whose seats: a pure decision, made again whenever the feeds, the wishes or the speakers change.
//!
//! While there are seats enough everyone is seated. Otherwise, in this order: pinned feeds, the loudest speakers, shared
//! screens, in a call that hides levels those whose microphones are on, last switched on first (nobody knows who speaks there, and all who
//! are seated are heard), feeds that the viewer can see, those already seated, the earliest in the call. Nobody who stays seated moves to another
//! seat, since each move costs a keyframe and a moment of the wrong picture.

use std::time::Instant;

use crate::id::FeedId;

/// A feed that could be seated, as one viewer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) feed: FeedId,
    pub(crate) is_pinned: bool,
    /// Among the loudest three now; without levels, among the three whose microphones were switched on last.
    pub(crate) is_loud: bool,
    pub(crate) is_screen: bool,
    pub(crate) is_visible: bool,
    /// In a call without levels: since when its microphone is on, if it is.
    pub(crate) on_since: Option<Instant>,
    /// Who came first.
    pub(crate) since: Instant,
}

/// The feed for each seat, given who sits there now.
pub(crate) fn assign(seats: &[Option<FeedId>], candidates: &[Candidate]) -> Vec<Option<FeedId>> {
    let mut ranked: Vec<&Candidate> = candidates.iter().collect();
    if ranked.len() > seats.len() {
        ranked.sort_by_key(|c| {
            let is_seated = seats.contains(&Some(c.feed));
            let wanted = (c.is_pinned, c.is_loud, c.is_screen, c.on_since, c.is_visible, is_seated);
            (std::cmp::Reverse(wanted), c.since, c.feed)
        });
        ranked.truncate(seats.len());
    }
    ranked.sort_by_key(|c| (c.since, c.feed));
    let mut result: Vec<Option<FeedId>> =
        seats.iter().map(|seat| seat.filter(|feed| ranked.iter().any(|c| c.feed == *feed))).collect();
    let mut newcomers = ranked.iter().map(|c| c.feed).filter(|feed| !seats.contains(&Some(*feed)));
    for seat in result.iter_mut().filter(|seat| seat.is_none()) {
        *seat = newcomers.next();
    }
    result
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Came after those made before.
    fn feed(n: u32) -> Candidate {
        let since = Instant::now();
        Candidate {
            feed: FeedId(n),
            is_pinned: false,
            is_loud: false,
            is_screen: false,
            is_visible: false,
            on_since: None,
            since,
        }
    }

    fn seats(numbers: &[u32]) -> Vec<Option<FeedId>> {
        numbers.iter().map(|n| (*n != 0).then_some(FeedId(*n))).collect()
    }

    #[test]
    fn everyone_is_seated_in_order_while_there_are_seats_enough() {
        let all = [feed(1), feed(2), feed(3)];
        assert_eq!(assign(&seats(&[0, 0, 0, 0]), &all), seats(&[1, 2, 3, 0]));
    }

    #[test]
    fn who_stays_does_not_move_when_others_leave_and_come() {
        let all = [feed(2), feed(3), feed(4)];
        assert_eq!(assign(&seats(&[1, 2, 3, 0]), &all), seats(&[4, 2, 3, 0]));
    }

    #[test]
    fn the_pinned_the_loud_the_screen_and_the_visible_are_seated_before_others_in_that_order() {
        let mut all: Vec<Candidate> = (1..=6).map(feed).collect();
        all[2].is_visible = true;
        all[3].is_screen = true;
        all[4].is_loud = true;
        all[5].is_pinned = true;
        assert_eq!(assign(&seats(&[0]), &all), seats(&[6]));
        assert_eq!(assign(&seats(&[0, 0]), &all), seats(&[5, 6]));
        assert_eq!(assign(&seats(&[0, 0, 0]), &all), seats(&[4, 5, 6]));
        assert_eq!(assign(&seats(&[0, 0, 0, 0]), &all), seats(&[3, 4, 5, 6]));
        assert_eq!(assign(&seats(&[0, 0, 0, 0, 0]), &all), seats(&[1, 3, 4, 5, 6]));
    }

    #[test]
    fn a_quiet_newcomer_does_not_push_out_somebody_seated_but_a_speaker_does() {
        let mut all: Vec<Candidate> = (1..=3).map(feed).collect();
        all[0].since = Instant::now() + Duration::from_secs(1);
        assert_eq!(assign(&seats(&[1, 2]), &all), seats(&[1, 2]));
        all[2].is_loud = true;
        assert_eq!(assign(&seats(&[1, 2]), &all), seats(&[3, 2]), "the last in the call gives way");
    }

    #[test]
    fn without_levels_whoever_switched_on_last_is_seated_before_who_is_seen_or_seated_but_after_screens() {
        let mut all: Vec<Candidate> = (1..=5).map(feed).collect();
        let now = Instant::now();
        all[0].is_visible = true;
        all[1].on_since = Some(now + Duration::from_secs(2));
        all[2].on_since = Some(now + Duration::from_secs(1));
        all[3].is_screen = true;
        assert_eq!(assign(&seats(&[5]), &all), seats(&[4]));
        assert_eq!(assign(&seats(&[5, 0]), &all), seats(&[2, 4]));
        assert_eq!(assign(&seats(&[5, 1, 0]), &all), seats(&[2, 3, 4]), "all who are on can be heard");
        assert_eq!(assign(&seats(&[0, 0, 0, 0]), &all), seats(&[1, 2, 3, 4]));
    }

    #[test]
    fn no_feed_is_ever_seated_twice() {
        let all: Vec<Candidate> = (1..=9).map(feed).collect();
        for taken in [[0, 0, 0], [9, 0, 1], [4, 5, 6]] {
            let result = assign(&seats(&taken), &all);
            for (i, seat) in result.iter().enumerate() {
                assert!(seat.is_some() && !result[..i].contains(seat));
            }
        }
    }
}
