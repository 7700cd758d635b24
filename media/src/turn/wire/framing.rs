//! The framing of STUN and ChannelData over TCP and TLS (RFC 8489 §6.2.2, RFC 8656 §12.5): both say how long they are, ChannelData is
//! padded to four bytes.
//!
//! What arrives whole is handed on in place; only a message that is cut is copied, until its rest is there. One of these per connection.

use thiserror::Error;

use crate::turn::codec::{COOKIE, HEADER_BYTES};

/// The largest message taken from a TCP connection. Media and data channels stay below 1,500 bytes; each connection may hold this much of
/// a message that never ends, so more costs memory under attack.
pub const MAX_TCP_MESSAGE_BYTES: usize = 16 << 10;
/// What tells how long a message is: the whole of ChannelData's header, and of STUN's what ends with the cookie.
const CHANNEL_HEADER_BYTES: usize = 4;
const STUN_PREFIX_BYTES: usize = 8;

/// Why a TCP connection has to be closed: after either nobody knows where the next message begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum FramingError {
    /// The bytes are neither STUN nor ChannelData.
    #[error("neither STUN nor ChannelData")]
    NotTurn,
    /// The message is longer than [`MAX_TCP_MESSAGE_BYTES`].
    #[error("a message is too long")]
    TooLong,
}

/// Puts the messages of one TCP connection together.
#[derive(Default)]
pub struct TcpFraming {
    /// The beginning of a message whose end is still to come.
    partial: Vec<u8>,
}

impl TcpFraming {
    /// Takes what was received, however it was cut, and hands on every message that is whole. Messages keep their padding.
    pub fn receive(&mut self, mut bytes: &[u8], mut handle: impl FnMut(&[u8])) -> Result<(), FramingError> {
        while !self.partial.is_empty() && !bytes.is_empty() {
            // Exactly what is missing of the header, then of the message.
            let wanted = match message_bytes(&self.partial)? {
                Length::Known(whole) => whole,
                Length::Unknown { header_bytes } => header_bytes,
            };
            let (missing, rest) = bytes.split_at((wanted - self.partial.len()).min(bytes.len()));
            self.partial.extend_from_slice(missing);
            bytes = rest;
            if message_bytes(&self.partial)? == Length::Known(self.partial.len()) {
                handle(&self.partial);
                self.partial.clear();
            }
        }
        while !bytes.is_empty() {
            let whole = match message_bytes(bytes)? {
                Length::Known(whole) if whole <= bytes.len() => whole,
                _ => break,
            };
            let (message, rest) = bytes.split_at(whole);
            handle(message);
            bytes = rest;
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// Bytes that are kept of a message whose end is still to come; at most [`MAX_TCP_MESSAGE_BYTES`].
    pub fn waiting_bytes(&self) -> usize {
        self.partial.len()
    }
}

#[derive(PartialEq, Eq)]
enum Length {
    Known(usize),
    /// This much has to be there to tell.
    Unknown {
        header_bytes: usize,
    },
}

/// How long the message is that begins here, with its padding.
fn message_bytes(bytes: &[u8]) -> Result<Length, FramingError> {
    let (header_bytes, fixed_bytes) = match bytes.first() {
        None => return Ok(Length::Unknown { header_bytes: 1 }),
        Some(0x00..=0x3f) => (STUN_PREFIX_BYTES, HEADER_BYTES),
        Some(0x40..=0x7f) => (CHANNEL_HEADER_BYTES, CHANNEL_HEADER_BYTES),
        Some(_) => return Err(FramingError::NotTurn),
    };
    if bytes.len() < header_bytes {
        return Ok(Length::Unknown { header_bytes });
    }
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    let is_stun = header_bytes == STUN_PREFIX_BYTES;
    if is_stun && (bytes[4..8] != COOKIE || length % 4 != 0) {
        return Err(FramingError::NotTurn);
    }
    let whole = fixed_bytes + length.next_multiple_of(4);
    if whole > MAX_TCP_MESSAGE_BYTES { Err(FramingError::TooLong) } else { Ok(Length::Known(whole)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stun(body_bytes: u16) -> Vec<u8> {
        let [high, low] = body_bytes.to_be_bytes();
        let mut bytes = vec![0, 1, high, low];
        bytes.extend(COOKIE);
        bytes.resize(20 + usize::from(body_bytes), 3);
        bytes
    }

    fn channel(payload_bytes: u16) -> Vec<u8> {
        let [high, low] = payload_bytes.to_be_bytes();
        let mut bytes = vec![0x40, 7, high, low];
        bytes.resize(4 + usize::from(payload_bytes.next_multiple_of(4)), 5);
        bytes
    }

    fn received(framing: &mut TcpFraming, bytes: &[u8]) -> Result<Vec<Vec<u8>>, FramingError> {
        let mut messages = Vec::new();
        framing.receive(bytes, |message| messages.push(message.to_vec())).map(|()| messages)
    }

    #[test]
    fn messages_that_arrive_together_or_byte_by_byte_are_the_same() {
        let messages = [stun(0), channel(0), channel(1), stun(8), channel(1_200), stun(100)];
        let all = messages.concat();
        assert_eq!(received(&mut TcpFraming::default(), &all).unwrap(), messages);
        let mut framing = TcpFraming::default();
        let by_byte: Vec<_> = all.chunks(1).flat_map(|byte| received(&mut framing, byte).unwrap()).collect();
        assert_eq!(by_byte, messages);
        assert_eq!(framing.waiting_bytes(), 0);
    }

    #[test]
    fn what_is_neither_stun_nor_channel_data_ends_the_connection() {
        assert_eq!(received(&mut TcpFraming::default(), &[0x80, 0, 0, 0]), Err(FramingError::NotTurn));
        assert_eq!(received(&mut TcpFraming::default(), b"PUT / HTTP/1.1\r\n\r\n"), Err(FramingError::TooLong), "as a length");
        let mut without_cookie = stun(0);
        without_cookie[5] ^= 1;
        assert_eq!(received(&mut TcpFraming::default(), &without_cookie), Err(FramingError::NotTurn));
        let mut odd = stun(0);
        odd[3] = 2;
        assert_eq!(received(&mut TcpFraming::default(), &odd), Err(FramingError::NotTurn));
    }

    #[test]
    fn a_message_of_64_kib_is_refused_at_its_header() {
        let mut framing = TcpFraming::default();
        assert_eq!(received(&mut framing, &[0x40, 0, 0xff, 0xff]), Err(FramingError::TooLong));
        assert_eq!(received(&mut TcpFraming::default(), &stun(0xfffc)[..8]), Err(FramingError::TooLong));
        let largest = channel((MAX_TCP_MESSAGE_BYTES - 4) as u16);
        assert_eq!(received(&mut TcpFraming::default(), &largest).unwrap(), [largest]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_messages_and_keeps_little(
            lengths in proptest::collection::vec((any::<bool>(), 0u16..400), 1..20),
            cuts in proptest::collection::vec(1usize..600, 1..40),
        ) {
            let messages: Vec<_> =
                lengths.iter().map(|&(is_stun, len)| if is_stun { stun(len / 4 * 4) } else { channel(len) }).collect();
            let all = messages.concat();
            let (mut framing, mut seen, mut rest) = (TcpFraming::default(), Vec::new(), &all[..]);
            for cut in cuts.iter().cycle() {
                let (part, after) = rest.split_at((*cut).min(rest.len()));
                seen.extend(received(&mut framing, part).unwrap());
                prop_assert!(framing.waiting_bytes() < 420);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(seen, messages);
        }

        #[test]
        fn any_bytes_are_messages_or_an_end_and_never_more_than_the_limit_is_kept(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
        ) {
            let mut framing = TcpFraming::default();
            for part in parts {
                if received(&mut framing, &part).is_err() {
                    break;
                }
                prop_assert!(framing.waiting_bytes() <= MAX_TCP_MESSAGE_BYTES);
            }
        }
    }
}
