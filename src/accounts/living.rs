//! Sessions that were found living a moment ago, so that not each request of a busy client asks the store for its own. An end that
//! this server made or was told of counts at once; one whose hint was lost counts after [`REMEMBERED`].

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Principal;
use crate::id::SessionId;
use crate::time::Timestamp;

/// How long a session is taken for living unasked. Long enough for whoever writes or pages on, and short enough that an end that
/// nobody told of takes effect while one looks on.
const REMEMBERED: Duration = Duration::from_secs(2);
/// Sessions remembered, some 150 bytes each. When so many are remembered, the old ones are forgotten, and if none is old, all.
const MAX_SESSIONS: usize = 20_000;

/// The sessions.
#[derive(Default)]
pub struct LivingSessions {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    found: HashMap<SessionId, Found>,
    /// How many ends there were.
    ends: u64,
}

struct Found {
    principal: Principal,
    at: Timestamp,
}

/// A moment before the store is asked: what it answers is not remembered if a session ended since.
#[derive(Clone, Copy)]
pub(super) struct Asking(u64);

impl Found {
    /// A clock that was set back makes nothing young again.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.at.plus(REMEMBERED)
    }
}

impl LivingSessions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose session this is, if it was found living a moment ago.
    pub(super) fn find(&self, session: SessionId, now: Timestamp) -> Option<Principal> {
        self.state().found.get(&session).filter(|found| found.is_fresh(now)).map(|found| found.principal.clone())
    }

    /// Call it before the store is asked.
    pub(super) fn asking(&self) -> Asking {
        Asking(self.state().ends)
    }

    /// The store said that this session lives.
    pub(super) fn remember(&self, principal: &Principal, asked: Asking, now: Timestamp) {
        let mut state = self.state();
        if state.ends != asked.0 {
            return;
        }
        if state.found.len() >= MAX_SESSIONS {
            state.found.retain(|_, found| found.is_fresh(now));
        }
        if state.found.len() >= MAX_SESSIONS {
            state.found.clear();
        }
        state.found.insert(principal.session, Found { principal: principal.clone(), at: now });
    }

    /// This session is no more.
    pub fn end(&self, session: SessionId) {
        let mut state = self.state();
        state.ends += 1;
        state.found.remove(&session);
    }

    /// Any session may have ended: hints were lost.
    pub fn forget_all(&self) {
        let mut state = self.state();
        state.ends += 1;
        state.found.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Username;
    use crate::id::UserId;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn principal() -> Principal {
        Principal { user: UserId::new(NOW), session: SessionId::new(NOW), username: Username::parse("ann").unwrap() }
    }

    #[test]
    fn a_living_session_is_remembered_for_a_moment_and_not_before_it_was_found() {
        let (living, principal) = (LivingSessions::default(), principal());
        living.remember(&principal, living.asking(), NOW);
        assert_eq!(living.find(principal.session, NOW), Some(principal.clone()));
        assert_eq!(living.find(principal.session, NOW.plus(REMEMBERED)), None);
        assert_eq!(living.find(principal.session, NOW.minus(Duration::from_millis(1))), None, "the clock was set back");
    }

    #[test]
    fn an_end_counts_at_once() {
        let (living, principal) = (LivingSessions::default(), principal());
        living.remember(&principal, living.asking(), NOW);
        living.end(principal.session);
        assert_eq!(living.find(principal.session, NOW), None);
        living.remember(&principal, living.asking(), NOW);
        living.forget_all();
        assert_eq!(living.find(principal.session, NOW), None);
    }

    #[test]
    fn an_answer_of_the_store_that_an_end_overtook_is_not_remembered() {
        let (living, principal) = (LivingSessions::default(), principal());
        let asked = living.asking();
        living.end(principal.session);
        living.remember(&principal, asked, NOW);
        assert_eq!(living.find(principal.session, NOW), None);
    }

    #[test]
    fn sessions_are_remembered_in_a_bounded_number() {
        let living = LivingSessions::default();
        let mut principal = principal();
        for n in 0..=MAX_SESSIONS as u128 {
            principal.session = SessionId::from_bytes(n.to_be_bytes());
            living.remember(&principal, living.asking(), NOW);
        }
        assert!(living.state().found.len() <= MAX_SESSIONS);
        assert!(living.find(principal.session, NOW).is_some());
    }
}
