//! What people do in the world: join, offer, wish, move, leave.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use super::{Caller, CallerKey, UNIX_TIME, Worker, World};
use crate::api::Wish;
use crate::error::MediaError;
use crate::id::{FeedKind, ParticipantId, RoomId, Source};
use crate::random::Random;
use crate::sim::network::{Direction, Network, Tally};
use crate::synthetic::{Participant, Settings};

impl World {
    /// Lets somebody join and connect, over a network like this in both directions.
    pub(crate) fn join(&mut self, room: u128, settings: Settings, network: Network) -> CallerKey {
        let key = self.callers.len();
        let id = ParticipantId(u64::from(settings.source));
        let seed = |random: &mut Random| u64::from(random.next_u32());
        let synthetic = Participant::new(self.now, UNIX_TIME + self.elapsed(), settings, &self.identity, seed(&mut self.random))
            .expect("the provider gives random numbers");
        let (up, down) = (Direction::new(network, seed(&mut self.random)), Direction::new(network, seed(&mut self.random)));
        let address = self.fresh_address(key);
        let seated = Vec::new();
        let caller = Caller { id, synthetic, address, up, down, wakes_at: None, seated, wishes: Vec::new(), renegotiations: 0 };
        self.callers.push(caller);
        self.server.join(RoomId(room), id);
        self.offer(key).expect("the first offer is answered");
        key
    }

    /// Offers now, and takes the answer.
    pub(crate) fn offer(&mut self, key: CallerKey) -> Result<(), MediaError> {
        let caller = &mut self.callers[key];
        let offer = caller.synthetic.offer();
        let Worker { sfu, out, .. } = self.server.worker_of(caller.id);
        let answer = sfu.negotiate(self.now, caller.id, &offer, out)?;
        caller.synthetic.accept(self.now, &answer).expect("a synthetic participant understands the answer");
        caller.seated.resize(caller.synthetic.seats(), None);
        self.settle(key);
        Ok(())
    }

    pub(crate) fn leave(&mut self, key: CallerKey) {
        self.server.leave(self.now, self.callers[key].id);
        self.collect();
    }

    pub(crate) fn set_muted(&mut self, key: CallerKey, source: Source, muted: bool) {
        let id = self.callers[key].id;
        let Worker { sfu, out, .. } = self.server.worker_of(id);
        sfu.set_muted(self.now, id, source, muted, out);
        self.collect();
    }

    pub(crate) fn set_forbidden(&mut self, key: CallerKey, source: Source, forbidden: bool) {
        let id = self.callers[key].id;
        let Worker { sfu, out, .. } = self.server.worker_of(id);
        sfu.set_forbidden(self.now, id, source, forbidden, out);
        self.collect();
    }

    /// Says how wide a viewer shows others: (whose, width, pinned).
    pub(crate) fn wish(&mut self, key: CallerKey, wishes: &[(CallerKey, u32, bool)]) {
        let wish = |&(of, width_px, pinned): &(CallerKey, u32, bool)| Wish {
            participant: self.callers[of].id,
            kind: FeedKind::Person,
            width_px,
            pinned,
        };
        let wishes: Vec<Wish> = wishes.iter().map(wish).collect();
        let id = self.callers[key].id;
        let Worker { sfu, out, .. } = self.server.worker_of(id);
        sfu.set_wishes(self.now, id, &wishes, out);
        self.callers[key].wishes = wishes;
        self.collect();
    }

    /// Gives a caller another address. Datagrams to the old one are lost from now on.
    pub(crate) fn move_address(&mut self, key: CallerKey) {
        self.by_address.remove(&self.callers[key].address);
        let address = self.fresh_address(key);
        self.callers[key].address = address;
    }

    /// Gives a caller an address that was another's.
    pub(crate) fn take_address(&mut self, key: CallerKey, address: SocketAddr) {
        self.by_address.remove(&self.callers[key].address);
        self.by_address.insert(address, key);
        self.callers[key].address = address;
    }

    fn fresh_address(&mut self, key: CallerKey) -> SocketAddr {
        let host = Ipv4Addr::new(198, 51, (self.by_address.len() >> 8) as u8, (self.by_address.len() & 0xff) as u8);
        let address = SocketAddr::new(host.into(), 1_024 + (self.random.next_u32() % 60_000) as u16);
        self.by_address.insert(address, key);
        address
    }

    pub(crate) fn set_network(&mut self, key: CallerKey, up: Network, down: Network) {
        self.callers[key].up.set(up);
        self.callers[key].down.set(down);
    }

    /// What the network did to datagrams of a caller: on the way up, and down.
    pub(crate) fn network(&self, key: CallerKey) -> (Tally, Tally) {
        (self.callers[key].up.tally, self.callers[key].down.tally)
    }

    pub(crate) fn caller(&self, key: CallerKey) -> &Caller {
        &self.callers[key]
    }

    /// Changes a participant, and sends what it says to that.
    pub(crate) fn with<T>(&mut self, key: CallerKey, change: impl FnOnce(&mut Participant, Instant) -> T) -> T {
        let result = change(&mut self.callers[key].synthetic, self.now);
        self.settle(key);
        result
    }

    pub(crate) fn address_of(&self, key: CallerKey) -> SocketAddr {
        self.callers[key].address
    }
}
