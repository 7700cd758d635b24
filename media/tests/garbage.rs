//! What anybody may send to a media port: nothing of it disturbs a call, and it is counted.

mod independent;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use independent::{Call, Participant, Ssrcs, address_of, converse, local_config};
use tokio::net::UdpSocket;
use webcall_media::RoomId;

const ROOM: RoomId = RoomId(1);
/// The largest payload of a UDP datagram over IPv4.
const LARGEST_BYTES: usize = 65_507;
/// Sent between two exchanges of the call. With more, several of the largest could fill a socket buffer of the usual size, and what the
/// kernel drops then is no finding.
const BATCH: usize = 5;

/// A small generator (xorshift64*), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 56) as u8).collect()
    }

    /// Random bytes behind a given beginning.
    fn after(&mut self, beginning: &[u8], len: usize) -> Vec<u8> {
        [beginning, &self.bytes(len)].concat()
    }
}

/// A binding request for a user fragment of the server's, without what proves who sends it.
fn unproven_request(ufrag: &str) -> Vec<u8> {
    let username = format!("{ufrag}:zzzz");
    let padded = username.len().next_multiple_of(4);
    let mut bytes = vec![0x00, 0x01];
    bytes.extend(((4 + padded) as u16).to_be_bytes());
    bytes.extend([0x21, 0x12, 0xa4, 0x42]);
    bytes.extend([7; 12]);
    bytes.extend([0x00, 0x06]);
    bytes.extend((username.len() as u16).to_be_bytes());
    bytes.extend(username.as_bytes());
    bytes.resize(20 + 4 + padded, 0);
    bytes
}

/// Malformed and forged datagrams of every protocol on the port.
fn garbage(ufrag: &str, ssrcs: Ssrcs) -> Vec<Vec<u8>> {
    let mut random = Random(0x5eed);
    let mut all = vec![Vec::new(), vec![0], vec![0xff; 3], random.bytes(LARGEST_BYTES)];
    all.extend((0..60).map(|_| {
        let len = (random.next() % 1500) as usize;
        random.bytes(len)
    }));
    let request = unproven_request(ufrag);
    all.extend((0..=request.len()).map(|len| request[..len].to_vec()));
    // DTLS 1.2 records in the clear: a fatal alert, a close, handshakes cut short, a record that says it is longer than it is.
    all.push(vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40]);
    all.push(vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 10, 0, 2, 1, 0]);
    all.push(random.after(&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 11, 0xff, 0xff], 200));
    all.push(random.after(&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 12, 0, 100], 100));
    all.push(random.after(&[23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 13, 0, 60], 60));
    all.push(random.after(&[20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 14, 0, 1, 1], 0));
    for ssrc in [ssrcs.audio, ssrcs.video, ssrcs.video_rtx, 42] {
        let number = ssrc.to_be_bytes();
        // RTP with one byte behind the header, with an extension that runs over the end, with 15 CSRCs, and as long as can be.
        for (beginning, len) in [([0x80, 96], 1), ([0x90, 96], 6), ([0xbf, 111], 400), ([0x80, 96], LARGEST_BYTES - 12)] {
            all.push(random.after(&[&beginning[..], &[0, 9, 0, 0, 0, 0], &number].concat(), len));
        }
        // RTCP: a BYE and a sender report in the clear, a length that runs over the end.
        for kind in [203, 200] {
            all.push(random.after(&[&[0x81, kind, 0xff, 0xff][..], &number].concat(), 60));
        }
    }
    all
}

/// Everything dropped so far, whatever the reason.
fn dropped(call: &Call) -> u64 {
    call.media.counters().iter().filter(|row| row.name == "packets_dropped").map(|row| row.value).sum()
}

struct Scene {
    call: Call,
    anna: Participant,
    boris: Participant,
    server: SocketAddr,
    garbage: Vec<Vec<u8>>,
}

impl Scene {
    async fn begin() -> Self {
        let mut call = Call::start(&local_config(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let [mut anna, mut boris] = call.pair(ROOM, [1, 2]).await;
        converse(&mut anna, &mut boris, 1).await;
        let _ = call.unawaited();
        let ufrag = anna.answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a user fragment");
        let (server, garbage) = (address_of(&anna.answer), garbage(ufrag, Ssrcs::of(anna.id.0)));
        Self { call, anna, boris, server, garbage }
    }

    /// What must be true when the garbage was sent between exchanges of the call; `answered` of it were worth an answer.
    fn assert_undisturbed(&mut self, dropped_before: u64, answered: usize) {
        assert_eq!(self.call.unawaited(), [], "nobody heard of it");
        assert_eq!(self.call.count("worker_crashes", ""), 0);
        assert_eq!(self.call.count("participants", ""), 2);
        let dropped = dropped(&self.call) - dropped_before;
        let expected = (self.garbage.len() - answered) as u64;
        assert!(dropped >= expected, "{dropped} of {expected} were counted: {:?}", self.drops());
    }

    fn drops(&self) -> Vec<(&'static str, u64)> {
        let rows = self.call.media.counters().into_iter().filter(|row| row.name == "packets_dropped" && row.value > 0);
        rows.filter_map(|row| Some((row.labels.first()?.1, row.value))).collect()
    }
}

#[tokio::test]
async fn garbage_of_strangers_does_not_disturb_a_call_and_is_counted() {
    let mut scene = Scene::begin().await;
    let before = dropped(&scene.call);
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    for (round, batch) in scene.garbage.chunks(BATCH).enumerate() {
        for datagram in batch {
            stranger.send_to(datagram, scene.server).await.expect("loopback takes it");
        }
        converse(&mut scene.anna, &mut scene.boris, 2 + round as u16).await;
    }
    scene.assert_undisturbed(before, 0);
    assert!(scene.call.count("packets_dropped", "unknown_source") > 0);
    assert!(scene.call.count("packets_dropped", "not_media") > 0);
    assert!(scene.call.count("packets_dropped", "bad_stun") > 0);
}

#[tokio::test]
async fn garbage_from_a_participants_own_address_does_not_disturb_the_call_and_is_counted() {
    let mut scene = Scene::begin().await;
    let before = dropped(&scene.call);
    for (round, batch) in scene.garbage.chunks(BATCH).enumerate() {
        for datagram in batch {
            scene.anna.send_raw(scene.server, datagram.clone()).await;
        }
        converse(&mut scene.anna, &mut scene.boris, 2 + round as u16).await;
    }
    // Clear handshake records may be repetitions of a client that did not get our last flight.
    let is_handshake = |datagram: &&Vec<u8>| matches!(datagram[..], [20 | 22, 0xfe, ..]);
    let answered = scene.garbage.iter().filter(is_handshake).count();
    scene.assert_undisturbed(before, answered);
    assert!(scene.call.count("packets_dropped", "bad_dtls") > 0);
    assert!(scene.call.count("packets_dropped", "authentication") > 0);
    assert!(scene.call.count("packets_dropped", "malformed_rtp") > 0);
}
