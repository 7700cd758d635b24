//! What the fuzz targets feed with bytes of anybody: messages of strangers and of users, ChannelData, the framing of TCP, first bytes.
//! Each function holds its own claims; none may panic.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::auth::{Scope, issue_credential};
use super::codec::{Crypto, Writer, attribute, method};
use super::wire::{Message, channel_header, read_channel_data};
use super::{
    Batch, FIRST_BYTES, FirstBytes, Link, ListenerId, OpenError, RelayAddress, RelayId, RelaySockets, Secret, TcpFraming, To,
    Turn, TurnConfig, first_bytes,
};

const SECRET: &str = "fuzzed";
const UNIX_S: u64 = 1_700_000_000;

/// Sockets that nobody ever sends anything through.
struct NoSockets;

impl RelaySockets for NoSockets {
    fn open(&mut self, _: RelayId, _: SocketAddr) -> Result<(), OpenError> {
        Ok(())
    }

    fn close(&mut self, _: RelayId) {}
}

fn engine(now: Instant) -> Turn {
    let mut config = TurnConfig::default();
    let relay = IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9));
    config.relay.v4 = Some(RelayAddress { bind: relay, advertised: relay });
    config.auth.shared_secrets = vec![Secret::new(SECRET)];
    Turn::new(config, now, Duration::from_secs(UNIX_S), 1).expect("the configuration is right")
}

fn link() -> Link {
    Link::Udp { listener: ListenerId(0), remote: SocketAddr::from(([8, 8, 8, 8], 40_000)), local_ip: None }
}

/// A datagram of a stranger: at most one answer, of at most twice the bytes with their headers, to where it came from; and no state.
pub(crate) fn turn_message(now: Instant, bytes: &[u8]) {
    let (mut turn, mut out) = (engine(now), Batch::default());
    turn.handle_client(now, &link(), bytes, &mut NoSockets, &mut out);
    let runs: Vec<_> = out.runs().collect();
    assert!(runs.len() <= 1);
    for run in runs {
        assert!(run.to == link().to() && run.count == 1);
        assert!(run.bytes.len() + 28 <= 2 * (bytes.len() + 28));
    }
    assert!(!turn.has_allocation(now, &link()));
    assert_eq!(turn.poll_timeout(), None);
    if let Some(message) = Message::read(bytes) {
        assert!(message.peers().count() <= bytes.len() / 8);
        assert!(message.data().is_none_or(|data| data.len() < bytes.len()));
    }
}

/// Requests of a user who may allocate, each a method in one byte and the length of its attributes in another: no peer is reached that
/// the filter refuses, and everything is given back at the end.
pub(crate) fn turn_request(mut now: Instant, input: &[u8]) {
    let (mut turn, mut out, mut sockets) = (engine(now), Batch::default(), NoSockets);
    let nonce = challenge(&mut turn, now);
    let mut rest = input;
    while let Some((&[method, len], after)) = rest.split_first_chunk() {
        let (attributes, after) = after.split_at(usize::from(len).min(after.len()));
        rest = after;
        now += Duration::from_secs(u64::from(len));
        out.clear();
        let Some(request) = signed(method, attributes, &nonce) else { continue };
        turn.handle_client(now, &link(), &request, &mut sockets, &mut out);
        turn.handle_timeout(now, &mut sockets);
        for run in out.runs() {
            assert!(matches!(run.to, To::Client { .. }), "a request moves no data");
        }
    }
    turn.close_all(now, &mut sockets);
    assert_eq!(turn.counters().relays() + turn.counters().ports_in_use(), 0);
}

fn challenge(turn: &mut Turn, now: Instant) -> Vec<u8> {
    let mut out = Batch::default();
    let mut writer = Writer::new(method::ALLOCATE, [1; 12]);
    writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    turn.handle_client(now, &link(), &writer.finish(), &mut NoSockets, &mut out);
    let answer = out.runs().next().expect("a request is answered");
    Message::read(answer.bytes).and_then(|message| message.nonce).expect("a nonce is offered").to_vec()
}

/// `None` when the attributes forbid a signature behind them.
fn signed(method: u8, attributes: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
    let crypto = Crypto::new().expect("the crate has cryptography");
    let credential = issue_credential(&Secret::new(SECRET), "fuzz", Scope::Any, UNIX_S + 1_000_000).expect("the id is right");
    let mut writer = Writer::new(u16::from(method & 0x0f), [2; 12]);
    let mut rest = attributes;
    // Attributes as they come; what is cut is left out.
    while let Some((&[high, low, _, len], after)) = rest.split_first_chunk() {
        let (value, after) = after.split_at(usize::from(len).min(after.len()));
        writer.attribute(u16::from_be_bytes([high, low]), value);
        rest = after;
    }
    writer.attribute(attribute::USERNAME, credential.username.as_bytes());
    writer.attribute(attribute::REALM, b"webcall");
    writer.attribute(attribute::NONCE, nonce);
    let key = crypto.long_term_key(&credential.username, "webcall", &credential.password).expect("a key");
    writer.integrity(&key, &crypto).then(|| writer.finish())
}

/// A ChannelData message: its payload lies within it, and its header is written as it was.
pub(crate) fn channel_data(bytes: &[u8]) {
    let Some((number, payload)) = read_channel_data(bytes) else { return };
    let header = channel_header(number, payload.len()).expect("it came in one message");
    assert_eq!(header, bytes[..4]);
    assert_eq!(payload, &bytes[4..4 + payload.len()]);
}

/// Bytes of a TCP connection, the first one saying how they are cut: any cuts give the same messages, and the same end.
pub(crate) fn tcp_framing(input: &[u8]) {
    let Some((&step, bytes)) = input.split_first() else { return };
    let whole = framed(bytes.chunks(bytes.len().max(1)));
    let cut = framed(bytes.chunks(usize::from(step).max(1)));
    assert_eq!(whole, cut);
    assert_eq!(whole, framed(bytes.chunks(1)));
}

fn framed<'a>(parts: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let (mut framing, mut messages) = (TcpFraming::default(), Vec::new());
    for part in parts {
        if framing.receive(part, |message| messages.push(message.to_vec())).is_err() {
            return (messages, false);
        }
        assert!(framing.waiting_bytes() <= super::MAX_TCP_MESSAGE_BYTES);
    }
    (messages, true)
}

/// The first bytes of a connection: told within ten, and never differently with more of them.
pub(crate) fn connection(bytes: &[u8]) {
    let mut told = FirstBytes::TooFew;
    for len in 0..=bytes.len().min(2 * FIRST_BYTES) {
        let now = first_bytes(&bytes[..len]);
        assert!(told == FirstBytes::TooFew || now == told);
        assert!(len < FIRST_BYTES || now != FirstBytes::TooFew);
        told = now;
    }
}
