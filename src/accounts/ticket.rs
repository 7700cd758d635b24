//! One-time tickets for the WebSocket. A browser cannot send a header with its upgrade, and an access token in the address would end
//! up in logs; so a signed-in page fetches a ticket, good once and for 30 s, and offers it as a subprotocol. They live in memory:
//! a restart costs the page one more request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use super::{Principal, living_session};
use crate::app::App;
use crate::error::Error;
use crate::id::{SessionId, UserId};
use crate::time::Timestamp;

/// How long a ticket is good. It is used within milliseconds; a slow phone may need some seconds.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// Tickets outstanding at a time, about 2 MB. When so many are unexpired, further ones are answered `busy`.
const MAX_TICKETS: usize = 10_000;
const TICKET_BYTES: usize = 32;

/// The tickets that were given out and not used yet.
#[derive(Default)]
pub struct Tickets {
    outstanding: Mutex<HashMap<[u8; TICKET_BYTES], Ticket>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticket {
    user: UserId,
    session: SessionId,
    expires_at: Timestamp,
}

impl Tickets {
    /// Gives out a ticket; `None` when too many are outstanding.
    fn issue(&self, principal: &Principal, now: Timestamp) -> Option<String> {
        let mut code = [0; TICKET_BYTES];
        SystemRandom::new().fill(&mut code).expect("the system gives random numbers");
        let mut outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        if outstanding.len() >= MAX_TICKETS {
            outstanding.retain(|_, ticket| now < ticket.expires_at);
        }
        if outstanding.len() >= MAX_TICKETS {
            return None;
        }
        let ticket = Ticket { user: principal.user, session: principal.session, expires_at: now.plus(TICKET_LIFE) };
        outstanding.insert(code, ticket);
        Some(URL_SAFE_NO_PAD.encode(code))
    }

    /// Takes a ticket out of circulation.
    fn take(&self, text: &str, now: Timestamp) -> Option<Ticket> {
        let code: [u8; TICKET_BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let mut outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        outstanding.remove(&code).filter(|ticket| now < ticket.expires_at)
    }
}

/// Gives a signed-in user a ticket for one WebSocket.
pub fn issue_ticket(app: &App, principal: &Principal) -> Result<String, Error> {
    app.limits.ticket(principal.user)?;
    app.tickets.issue(principal, app.clock.now()).ok_or(Error::Busy)
}

/// Who holds this ticket. It is used up, whatever the answer.
pub async fn redeem_ticket(app: &App, ticket: &str) -> Result<Principal, Error> {
    let ticket = app.tickets.take(ticket, app.clock.now()).ok_or(Error::TicketInvalid)?;
    living_session(app, ticket.session, ticket.user).await?.ok_or(Error::SessionEnded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Username;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn principal() -> Principal {
        Principal { user: UserId::new(NOW), session: SessionId::new(NOW), username: Username::parse("ann").unwrap() }
    }

    #[test]
    fn a_ticket_is_good_once() {
        let (tickets, principal) = (Tickets::default(), principal());
        let text = tickets.issue(&principal, NOW).unwrap();
        assert_eq!(tickets.take(&text, NOW).map(|ticket| ticket.session), Some(principal.session));
        assert_eq!(tickets.take(&text, NOW), None);
    }

    #[test]
    fn a_ticket_is_good_for_30_seconds() {
        let tickets = Tickets::default();
        let text = tickets.issue(&principal(), NOW).unwrap();
        assert_eq!(tickets.take(&text, NOW.plus(TICKET_LIFE)), None);
    }

    #[test]
    fn outstanding_tickets_are_bounded_and_expired_ones_make_room() {
        let (tickets, principal) = (Tickets::default(), principal());
        for _ in 0..MAX_TICKETS {
            assert!(tickets.issue(&principal, NOW).is_some());
        }
        assert_eq!(tickets.issue(&principal, NOW), None);
        assert!(tickets.issue(&principal, NOW.plus(TICKET_LIFE)).is_some());
    }

    #[test]
    fn garbage_is_no_ticket() {
        for garbage in ["", "AAAA", "%", &"A".repeat(10_000)] {
            assert_eq!(Tickets::default().take(garbage, NOW), None);
        }
    }
}
