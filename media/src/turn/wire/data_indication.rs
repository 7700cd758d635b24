//! Data indications (RFC 8656 §11.3), written in front of a payload without an allocation: they are the return path of everyone who
//! has not bound a channel.

use std::net::SocketAddr;

use super::address::write_xored;
use crate::turn::codec::{COOKIE, HEADER_BYTES, TransactionId, attribute, method};

/// Bytes of a whole head with an IPv6 peer: header, XOR-PEER-ADDRESS, header of DATA.
pub(in crate::turn) const DATA_INDICATION_BYTES: usize = HEADER_BYTES + 4 + 20 + 4;
/// The class bits of an indication (RFC 8489 §5).
const INDICATION: u16 = 0x0010;

/// Writes what stands in front of the payload; how many bytes it takes. The payload and its padding to four bytes follow. `None` for a
/// payload that fits into no message.
pub(in crate::turn) fn data_indication_head(
    out: &mut [u8; DATA_INDICATION_BYTES],
    id: &TransactionId,
    peer: SocketAddr,
    payload_bytes: usize,
) -> Option<usize> {
    let mut address = [0; 20];
    let address_bytes = write_xored(&mut address, peer, id);
    let head_bytes = HEADER_BYTES + 4 + address_bytes + 4;
    let message_bytes = head_bytes + payload_bytes.next_multiple_of(4);
    let body_bytes = u16::try_from(message_bytes - HEADER_BYTES).ok()?;
    let payload_bytes = u16::try_from(payload_bytes).ok()?;
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        out[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&(method::DATA | INDICATION).to_be_bytes());
    put(&body_bytes.to_be_bytes());
    put(&COOKIE);
    put(id);
    put(&attribute::XOR_PEER_ADDRESS.to_be_bytes());
    put(&[0, address_bytes as u8]);
    put(&address[..address_bytes]);
    put(&attribute::DATA.to_be_bytes());
    put(&payload_bytes.to_be_bytes());
    Some(head_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::wire::{Class, Message};

    #[test]
    fn an_indication_carries_the_peer_and_the_payload() {
        for (peer, payload) in [("1.2.3.4:5", &b"abc"[..]), ("[2001:db8::1]:9", b""), ("9.9.9.9:65535", b"abcd")] {
            let peer: SocketAddr = peer.parse().unwrap();
            let mut head = [0; DATA_INDICATION_BYTES];
            let len = data_indication_head(&mut head, &[9; 12], peer, payload.len()).unwrap();
            let mut bytes = [&head[..len], payload].concat();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let message = Message::read(&bytes).expect("it is STUN");
            assert_eq!((message.class, message.method), (Class::Indication, method::DATA));
            assert_eq!(message.peers().collect::<Vec<_>>(), [Some(peer)]);
            assert_eq!(message.data(), Some(payload));
        }
    }

    #[test]
    fn none_is_written_for_more_than_a_message_can_hold() {
        let mut head = [0; DATA_INDICATION_BYTES];
        let peer = "1.2.3.4:5".parse().unwrap();
        assert_eq!(data_indication_head(&mut head, &[9; 12], peer, 65_535), None);
        assert!(data_indication_head(&mut head, &[9; 12], peer, 65_507).is_some());
    }
}
