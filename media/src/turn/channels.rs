//! The channels of one allocation (RFC 8656 §12): number to peer and back, each found in a sorted array.
//!
//! A binding that has ended still keeps its number and its peer from others for five minutes (§12.1), because packets for the former may
//! be on their way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::wire::ChannelNumber;

/// How long a binding lives (RFC 8656 §12: exactly this).
pub(super) const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);
/// How long number and peer then stay taken.
const REBINDING_PAUSE: Duration = Duration::from_secs(300);

/// Where what is sent on a channel goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Route {
    /// To the SFU of this process.
    Sfu,
    /// Through the relay's socket.
    Socket,
}

/// One binding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Channel {
    pub(super) number: ChannelNumber,
    pub(super) peer: SocketAddr,
    pub(super) route: Route,
    ends: Instant,
}

/// Why a channel was not bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BindError {
    /// The number is another peer's, or the peer has another number.
    Taken,
    /// There are as many as there may be.
    Full,
}

#[derive(Default)]
pub(super) struct Channels {
    /// By number.
    channels: Vec<Channel>,
    /// By peer.
    numbers: Vec<(SocketAddr, ChannelNumber)>,
}

impl Channels {
    /// The live binding of a number.
    pub(super) fn of_number(&self, now: Instant, number: ChannelNumber) -> Option<&Channel> {
        let at = self.at_number(number).ok()?;
        Some(&self.channels[at]).filter(|channel| now < channel.ends)
    }

    /// The live number of a peer.
    pub(super) fn of_peer(&self, now: Instant, peer: SocketAddr) -> Option<ChannelNumber> {
        let at = self.at_peer(peer).ok()?;
        self.of_number(now, self.numbers[at].1).map(|channel| channel.number)
    }

    /// Whether [`Self::bind`] would succeed.
    pub(super) fn may_bind(
        &mut self,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
        max: usize,
    ) -> Result<(), BindError> {
        self.keep(|channel| now < channel.ends + REBINDING_PAUSE);
        match (self.at_number(number), self.at_peer(peer)) {
            (Ok(at), Ok(_)) if self.channels[at].peer == peer => Ok(()),
            (Err(_), Err(_)) if self.channels.len() >= max => Err(BindError::Full),
            (Err(_), Err(_)) => Ok(()),
            _ => Err(BindError::Taken),
        }
    }

    /// Binds or refreshes.
    pub(super) fn bind(
        &mut self,
        now: Instant,
        (number, peer): (ChannelNumber, SocketAddr),
        route: Route,
        max: usize,
    ) -> Result<(), BindError> {
        self.may_bind(now, number, peer, max)?;
        let channel = Channel { number, peer, route, ends: now + CHANNEL_LIFETIME };
        match self.at_number(number) {
            Ok(at) => self.channels[at] = channel,
            Err(at) => self.channels.insert(at, channel),
        }
        if let Err(at) = self.at_peer(peer) {
            self.numbers.insert(at, (peer, number));
        }
        Ok(())
    }

    /// Takes back those that do not pass; how many.
    pub(super) fn keep(&mut self, mut passes: impl FnMut(&Channel) -> bool) -> usize {
        let before = self.channels.len();
        self.channels.retain(|channel| passes(channel));
        if self.channels.len() < before {
            let channels = &self.channels;
            self.numbers.retain(|(_, number)| channels.binary_search_by_key(number, |channel| channel.number).is_ok());
        }
        before - self.channels.len()
    }

    /// Changes the route of those whose peer became, or is no longer, an address of the SFU.
    pub(super) fn reroute(&mut self, route: impl Fn(SocketAddr) -> Route) {
        for channel in &mut self.channels {
            channel.route = route(channel.peer);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.channels.len()
    }

    fn at_number(&self, number: ChannelNumber) -> Result<usize, usize> {
        self.channels.binary_search_by_key(&number, |channel| channel.number)
    }

    fn at_peer(&self, peer: SocketAddr) -> Result<usize, usize> {
        self.numbers.binary_search_by_key(&peer, |(peer, _)| *peer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(low: u16) -> ChannelNumber {
        ChannelNumber::new(0x4000 + low).unwrap()
    }

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::from(([8, 8, 8, 8], port))
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn bind(channels: &mut Channels, now: Instant, low: u16, port: u16) -> Result<(), BindError> {
        channels.bind(now, (number(low), peer(port)), Route::Socket, 4)
    }

    #[test]
    fn a_channel_is_found_both_ways_for_ten_minutes() {
        let now = Instant::now();
        let mut channels = Channels::default();
        bind(&mut channels, now, 1, 9).unwrap();
        assert_eq!(channels.of_number(now + seconds(599), number(1)).map(|channel| channel.peer), Some(peer(9)));
        assert_eq!(channels.of_peer(now + seconds(599), peer(9)), Some(number(1)));
        assert_eq!(channels.of_number(now + seconds(600), number(1)), None);
        assert_eq!(channels.of_peer(now + seconds(600), peer(9)), None);
        assert_eq!(channels.of_peer(now, peer(8)), None);
    }

    /// Group 26 of the security tests.
    #[test]
    fn number_and_peer_stay_taken_for_five_minutes_after_the_end() {
        let now = Instant::now();
        let mut channels = Channels::default();
        bind(&mut channels, now, 1, 9).unwrap();
        for late in [seconds(0), seconds(599), seconds(601), seconds(899)] {
            assert_eq!(bind(&mut channels, now + late, 1, 8), Err(BindError::Taken));
            assert_eq!(bind(&mut channels, now + late, 2, 9), Err(BindError::Taken));
        }
        bind(&mut channels, now + seconds(700), 1, 9).expect("the same pair may come back");
        bind(&mut channels, now + seconds(700 + 900), 1, 8).expect("the pause is over");
        bind(&mut channels, now + seconds(700 + 900), 2, 9).expect("for the peer too");
    }

    #[test]
    fn no_more_are_bound_than_may_be() {
        let now = Instant::now();
        let mut channels = Channels::default();
        (0..4).for_each(|low| bind(&mut channels, now, low, low + 1).unwrap());
        assert_eq!(bind(&mut channels, now, 4, 5), Err(BindError::Full));
        bind(&mut channels, now, 3, 4).expect("a refresh is none more");
        assert_eq!(channels.keep(|channel| channel.number != number(0)), 1);
        bind(&mut channels, now, 4, 5).unwrap();
        bind(&mut channels, now, 0, 1).unwrap_err();
    }

    proptest! {
        #[test]
        fn numbers_and_peers_always_belong_together(steps in proptest::collection::vec((0u16..6, 1u16..7, 0u64..500), 1..200)) {
            let mut now = Instant::now();
            let mut channels = Channels::default();
            for (low, port, wait) in steps {
                now += seconds(wait);
                if bind(&mut channels, now, low, port).is_ok() {
                    prop_assert_eq!(channels.of_peer(now, peer(port)), Some(number(low)));
                }
                prop_assert!(channels.len() <= 4);
                prop_assert_eq!(channels.numbers.len(), channels.channels.len());
                for (peer, number) in &channels.numbers {
                    let at = channels.at_number(*number).unwrap();
                    prop_assert_eq!(channels.channels[at].peer, *peer);
                }
            }
        }
    }
}
