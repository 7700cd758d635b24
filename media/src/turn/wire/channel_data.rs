//! ChannelData messages (RFC 8656 §12.4): four bytes of header in front of the payload, padded over TCP only.

use std::ops::RangeInclusive;

/// Bytes of the header: channel number and length.
pub(in crate::turn) const CHANNEL_HEADER_BYTES: usize = 4;
/// The channel numbers that may be bound: those of RFC 5766 §11. RFC 8656 §12 leaves clients the lower quarter of them, for sockets that
/// other protocols share; older clients, coturn's among them, choose from all, and TURN has its port to itself here.
pub(in crate::turn) const CHANNELS: RangeInclusive<u16> = 0x4000..=0x7fff;

/// A channel number within [`CHANNELS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(in crate::turn) struct ChannelNumber(u16);

impl ChannelNumber {
    /// `None` for a number that cannot be bound.
    pub(in crate::turn) fn new(number: u16) -> Option<Self> {
        CHANNELS.contains(&number).then_some(Self(number))
    }
}

/// Reads a ChannelData message; `None` when it is none or says that it is longer than it is. What stands behind the payload is padding.
pub(in crate::turn) fn read_channel_data(message: &[u8]) -> Option<(ChannelNumber, &[u8])> {
    let (&[high, low, len_high, len_low], rest) = message.split_first_chunk::<CHANNEL_HEADER_BYTES>()?;
    let number = ChannelNumber::new(u16::from_be_bytes([high, low]))?;
    let payload = rest.get(..usize::from(u16::from_be_bytes([len_high, len_low])))?;
    Some((number, payload))
}

/// The header in front of a payload; `None` for one that no datagram can have.
pub(in crate::turn) fn channel_header(channel: ChannelNumber, payload_bytes: usize) -> Option<[u8; CHANNEL_HEADER_BYTES]> {
    let [len_high, len_low] = u16::try_from(payload_bytes).ok()?.to_be_bytes();
    let [high, low] = channel.0.to_be_bytes();
    Some([high, low, len_high, len_low])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: u16) -> ChannelNumber {
        ChannelNumber::new(number).unwrap()
    }

    #[test]
    fn a_payload_is_found_behind_its_header_and_padding_is_not_part_of_it() {
        assert_eq!(read_channel_data(&[0x40, 1, 0, 2, 7, 8]), Some((channel(0x4001), &[7, 8][..])));
        assert_eq!(read_channel_data(&[0x40, 1, 0, 2, 7, 8, 0, 0]), Some((channel(0x4001), &[7, 8][..])));
        assert_eq!(read_channel_data(&[0x7f, 0xff, 0, 0]), Some((channel(0x7fff), &[][..])));
    }

    #[test]
    fn a_message_that_is_cut_or_outside_the_numbers_is_none() {
        for bytes in [&[0x40, 0, 0, 3, 1, 2][..], &[0x40, 0, 0], &[], &[0x80, 0, 0, 0], &[0x3f, 0xff, 0, 0], &[0xff, 0, 0, 0]] {
            assert_eq!(read_channel_data(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_header_that_is_written_is_read_back_and_none_is_written_for_more_than_a_datagram() {
        let header = channel_header(channel(0x4abc), 3).unwrap();
        assert_eq!(read_channel_data(&[&header[..], b"abc"].concat()), Some((channel(0x4abc), &b"abc"[..])));
        assert_eq!(channel_header(channel(0x4000), 65_536), None);
    }
}
