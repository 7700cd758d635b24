//! How much an SFU keeps, for tests that nothing is kept which should not be.

use super::Sfu;

/// Entries in everything that could grow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sizes {
    rooms: usize,
    room_keys: usize,
    participants: usize,
    seated: usize,
    addresses: usize,
    known_addresses: usize,
    ufrags: usize,
    publications: usize,
    feeds: usize,
    inbound: usize,
    routes: usize,
}

impl Sfu {
    pub(crate) fn sizes(&self) -> Sizes {
        let participants = || self.rooms.iter().flat_map(|(_, room)| room.participants.iter().map(|(_, p)| p));
        let publications = || self.rooms.iter().flat_map(|(_, room)| room.publications.iter().map(|(_, p)| p));
        Sizes {
            rooms: self.rooms.len(),
            room_keys: self.room_keys.len(),
            participants: self.participants.len(),
            seated: participants().flat_map(|p| &p.seats).filter(|seat| seat.feed.is_some()).count(),
            addresses: self.by_address.len(),
            known_addresses: participants().map(|p| p.addresses.len()).sum(),
            ufrags: self.by_ufrag.len(),
            publications: publications().count(),
            feeds: self.rooms.iter().map(|(_, room)| room.feeds.len()).sum(),
            inbound: participants().map(|p| p.inbound.len()).sum(),
            routes: publications().map(|p| p.routes.len()).sum(),
        }
    }
}
