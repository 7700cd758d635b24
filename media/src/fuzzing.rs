//! Ways in for the fuzz targets of `media/fuzz`: everything that parses bytes from the network, one function each. Not part of the face.

use crate::transport::fuzzing as transport;

/// Tells a datagram's protocol.
pub fn demux(datagram: &[u8]) {
    let _ = crate::demux::classify(datagram);
}

/// A STUN datagram.
pub fn stun(datagram: &[u8]) {
    transport::stun(datagram);
}

/// The body of a DTLS ClientHello.
pub fn client_hello(body: &[u8]) {
    transport::client_hello(body);
}

/// DTLS datagrams, each behind its length in one byte.
pub fn dtls(input: &[u8]) {
    transport::dtls(input);
}

/// An SRTP or SRTCP packet behind the length of its header in one byte.
pub fn srtp(input: &[u8]) {
    transport::srtp(input);
}
