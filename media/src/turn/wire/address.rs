//! Transport addresses as XOR-PEER-ADDRESS and its kin carry them (RFC 8489 §14.2), read without a copy of the message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::turn::codec::{COOKIE, TransactionId};

/// The family number of IPv4 (RFC 8489 §14.1).
pub(super) const IPV4: u8 = 1;
/// The family number of IPv6.
pub(super) const IPV6: u8 = 2;

/// Reads the value of a XORed address; `None` when it is none.
pub(in crate::turn) fn read_xored(value: &[u8], id: &TransactionId) -> Option<SocketAddr> {
    let (&[_, family, high, low], ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([high ^ COOKIE[0], low ^ COOKIE[1]]);
    let ip = match family {
        IPV4 => IpAddr::V4(Ipv4Addr::from(xored::<4>(ip.try_into().ok()?, id))),
        IPV6 => IpAddr::V6(Ipv6Addr::from(xored::<16>(ip.try_into().ok()?, id))),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Writes the value of a XORed address; how many bytes it takes.
pub(super) fn write_xored(out: &mut [u8; 20], address: SocketAddr, id: &TransactionId) -> usize {
    let [high, low] = address.port().to_be_bytes();
    out[2..4].copy_from_slice(&[high ^ COOKIE[0], low ^ COOKIE[1]]);
    match address.ip() {
        IpAddr::V4(ip) => {
            out[..2].copy_from_slice(&[0, IPV4]);
            out[4..8].copy_from_slice(&xored(ip.octets(), id));
            8
        }
        IpAddr::V6(ip) => {
            out[..2].copy_from_slice(&[0, IPV6]);
            out[4..].copy_from_slice(&xored(ip.octets(), id));
            20
        }
    }
}

fn xored<const N: usize>(mut bytes: [u8; N], id: &TransactionId) -> [u8; N] {
    for (byte, pad) in bytes.iter_mut().zip(COOKIE.iter().chain(id)) {
        *byte ^= pad;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_a_wrong_length_is_no_address() {
        let id = [7; 12];
        for address in ["1.2.3.4:5", "[2001:db8::9]:65535", "0.0.0.0:0"] {
            let address: SocketAddr = address.parse().unwrap();
            let mut bytes = [0; 20];
            let len = write_xored(&mut bytes, address, &id);
            assert_eq!(read_xored(&bytes[..len], &id), Some(address));
            assert_eq!(read_xored(&bytes[..len - 1], &id), None);
        }
        assert_eq!(read_xored(&[0, 3, 0, 0, 1, 2, 3, 4], &id), None, "no such family");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_address_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..24), id: [u8; 12]) {
            if let Some(address) = read_xored(&bytes, &id) {
                let mut again = [0; 20];
                let len = write_xored(&mut again, address, &id);
                prop_assert_eq!(&again[1..len], &bytes[1..]);
            }
        }
    }
}
