//! The framing of STUN, DTLS and media over a TCP connection to the SFU (RFC 4571 §2, RFC 6544 §10.1): each packet behind its length in
//! two bytes.
//!
//! One [`PacketFraming`] for each connection. A packet is put together in its own memory and handed on in place, because SRTP opens it
//! there.

/// Bytes of the length.
pub(crate) const LENGTH_BYTES: usize = 2;
/// The longest packet taken: what a path of Ethernet carries as a datagram, with room. Each connection may hold this much of a packet
/// that never ends.
const MAX_PACKET_BYTES: usize = 2_048;

/// A packet is longer than any that is sent: nobody knows what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooLong;

/// Puts the packets of one connection together.
#[derive(Default)]
pub(crate) struct PacketFraming {
    /// The length, then the packet, as far as they have come.
    partial: Vec<u8>,
}

impl PacketFraming {
    /// Takes what was received, however it was cut, and hands on every packet that is whole.
    pub(crate) fn receive(&mut self, mut bytes: &[u8], mut handle: impl FnMut(&mut [u8])) -> Result<(), TooLong> {
        while !bytes.is_empty() {
            let wanted = match packet_bytes(&self.partial) {
                Some(packet) if packet > MAX_PACKET_BYTES => return Err(TooLong),
                Some(packet) => LENGTH_BYTES + packet,
                None => LENGTH_BYTES,
            };
            let (missing, rest) = bytes.split_at((wanted - self.partial.len()).min(bytes.len()));
            self.partial.extend_from_slice(missing);
            bytes = rest;
            if packet_bytes(&self.partial).is_some_and(|packet| self.partial.len() == LENGTH_BYTES + packet) {
                handle(&mut self.partial[LENGTH_BYTES..]);
                self.partial.clear();
            }
        }
        Ok(())
    }
}

/// How long the packet is that begins here.
fn packet_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)))
}

/// What stands before a packet of this length; `None` when it is longer than a length can say.
pub(crate) fn length_of(packet: &[u8]) -> Option<[u8; LENGTH_BYTES]> {
    u16::try_from(packet.len()).ok().map(u16::to_be_bytes)
}

/// The first packet of a connection, once it is there: what says whose connection it is.
pub(crate) fn first_packet(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(LENGTH_BYTES..LENGTH_BYTES + packet_bytes(bytes)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
        packets.iter().flat_map(|packet| [&length_of(packet).unwrap()[..], packet].concat()).collect()
    }

    #[test]
    fn a_packet_longer_than_any_is_refused_at_its_length() {
        let mut framing = PacketFraming::default();
        assert_eq!(framing.receive(&[0x08, 0x01, 1], |_| panic!("there is none")), Err(TooLong));
        let largest = vec![7; MAX_PACKET_BYTES];
        let mut seen = 0;
        PacketFraming::default().receive(&framed(&[largest]), |packet| seen = packet.len()).unwrap();
        assert_eq!(seen, MAX_PACKET_BYTES);
    }

    #[test]
    fn the_first_packet_is_there_when_it_is_whole() {
        assert_eq!(first_packet(&[]), None);
        assert_eq!(first_packet(&[0, 2, 5]), None);
        assert_eq!(first_packet(&[0, 2, 5, 6, 9]), Some(&[5, 6][..]));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_packets(
            packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
            cuts in proptest::collection::vec(1usize..600, 1..40),
        ) {
            let bytes = framed(&packets);
            let (mut framing, mut seen, mut rest) = (PacketFraming::default(), Vec::new(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                let (part, after) = rest.split_at((*cut).min(rest.len()));
                framing.receive(part, |packet| seen.push(packet.to_vec())).unwrap();
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, packets);
        }

        #[test]
        fn any_bytes_are_packets_or_an_end_and_little_is_kept(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
        ) {
            let mut framing = PacketFraming::default();
            for part in parts {
                if framing.receive(&part, |_| {}).is_err() {
                    break;
                }
                prop_assert!(framing.partial.len() < LENGTH_BYTES + MAX_PACKET_BYTES);
            }
        }
    }
}
