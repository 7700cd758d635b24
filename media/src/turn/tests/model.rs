//! Whether a packet passes, against a model that remembers everything and knows nothing of tables: for any history of permissions,
//! channels, refreshes and time, the engine relays exactly what the model says, to whom it says.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;

use super::client::{Client, channel_data, read_data};
use super::net::{Net, addr, config, tcp, to, udp};
use crate::turn::To;

const PEERS: [&str; 4] = ["1.1.1.1:5000", "1.1.1.1:6000", "2.2.2.2:5000", "10.0.0.9:5000"];
const CHANNELS: u16 = 3;
const MAX_PERMISSIONS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    Permit(usize),
    Bind(u16, usize),
    Refresh(u32),
    SendOnChannel(u16),
    SendIndication(usize),
    PeerSends(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = 0..PEERS.len();
    prop_oneof![
        2 => peer.clone().prop_map(Step::Permit),
        2 => (0..CHANNELS, peer.clone()).prop_map(|(channel, peer)| Step::Bind(channel, peer)),
        1 => prop::sample::select(vec![0, 600, 1_200]).prop_map(Step::Refresh),
        3 => (0..CHANNELS).prop_map(Step::SendOnChannel),
        3 => peer.clone().prop_map(Step::SendIndication),
        3 => peer.prop_map(Step::PeerSends),
        3 => prop::sample::select(vec![1, 60, 150, 299, 300, 400]).prop_map(Step::Pass),
    ]
}

/// What one client may do, in seconds since the beginning.
#[derive(Default)]
struct Model {
    now: u64,
    ends: u64,
    permissions: HashMap<IpAddr, u64>,
    /// Every binding that was ever made and still counts for something.
    channels: HashMap<u16, (usize, u64)>,
}

impl Model {
    fn is_alive(&self) -> bool {
        self.now < self.ends
    }

    fn is_closed(peer: usize) -> bool {
        peer == 3
    }

    fn is_permitted(&self, peer: usize) -> bool {
        self.is_alive() && self.permissions.get(&addr(PEERS[peer]).ip()).is_some_and(|ends| self.now < *ends)
    }

    fn permit(&mut self, peer: usize) -> Option<u16> {
        if !self.is_alive() {
            return Some(437);
        }
        if Self::is_closed(peer) {
            return Some(403);
        }
        let now = self.now;
        self.permissions.retain(|_, ends| now < *ends);
        let ip = addr(PEERS[peer]).ip();
        if !self.permissions.contains_key(&ip) && self.permissions.len() == MAX_PERMISSIONS {
            return Some(508);
        }
        self.permissions.insert(ip, now + 300);
        None
    }

    fn bind(&mut self, channel: u16, peer: usize) -> Option<u16> {
        if !self.is_alive() {
            return Some(437);
        }
        if Self::is_closed(peer) {
            return Some(403);
        }
        let now = self.now;
        self.channels.retain(|_, (_, ends)| now < *ends + 300);
        let is_taken = |(number, (bound, _)): (&u16, &(usize, u64))| (*number == channel) != (*bound == peer);
        if self.channels.iter().any(is_taken) {
            return Some(400);
        }
        if let Some(code) = self.permit(peer) {
            return Some(code);
        }
        self.channels.insert(channel, (peer, now + 600));
        None
    }

    fn channel(&self, channel: u16) -> Option<usize> {
        self.channels.get(&channel).filter(|(_, ends)| self.is_alive() && self.now < *ends).map(|(peer, _)| *peer)
    }

    fn channel_of(&self, peer: usize) -> Option<u16> {
        (0..CHANNELS).find(|channel| self.channel(*channel) == Some(peer))
    }
}

struct Pair {
    net: Net,
    client: Client,
    relayed: SocketAddr,
    model: Model,
}

impl Pair {
    fn new(is_tcp: bool) -> Self {
        let mut config = config();
        config.limits.max_permissions = MAX_PERMISSIONS;
        let mut net = Net::with(config);
        let link = if is_tcp { tcp(1, "8.8.8.8:40000") } else { udp("8.8.8.8:40000") };
        let (client, relayed) = Client::bob(link).allocated(&mut net);
        Self { net, client, relayed, model: Model { ends: 600, ..Model::default() } }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Permit(peer) => {
                assert_eq!(self.client.permit(&mut self.net, &[addr(PEERS[peer])]), self.model.permit(peer));
            }
            Step::Bind(channel, peer) => {
                assert_eq!(self.client.bind(&mut self.net, 0x4000 + channel, addr(PEERS[peer])), self.model.bind(channel, peer));
            }
            Step::Refresh(seconds) => {
                let expected = if self.model.is_alive() { None } else { Some(437) };
                assert_eq!(self.client.refresh(&mut self.net, seconds).code, expected);
                if expected.is_none() {
                    self.model.ends = self.model.now + u64::from(seconds);
                }
            }
            Step::SendOnChannel(channel) => {
                let sent = self.net.send(&self.client.link, &channel_data(0x4000 + channel, b"up", 2));
                self.assert_sent(&sent, self.model.channel(channel));
            }
            Step::SendIndication(peer) => {
                let indication = self.client.indicate(addr(PEERS[peer]), b"up");
                let sent = self.net.send(&self.client.link, &indication);
                self.assert_sent(&sent, Some(peer).filter(|peer| self.model.is_permitted(*peer)));
            }
            Step::PeerSends(peer) => self.peer_sends(peer),
            Step::Pass(seconds) => {
                self.net.pass(seconds);
                self.model.now += seconds;
            }
        }
    }

    fn assert_sent(&self, sent: &[super::net::Sent], expected: Option<usize>) {
        let peers: Vec<_> = sent
            .iter()
            .map(|sent| match sent.to {
                To::Peer { remote, .. } => (remote, &sent.bytes[..]),
                _ => panic!("{sent:?}"),
            })
            .collect();
        assert_eq!(peers, expected.map(|peer| (addr(PEERS[peer]), &b"up"[..])).as_slice());
    }

    fn peer_sends(&mut self, peer: usize) {
        let down = self.net.peer_sends(addr(PEERS[peer]), self.relayed, b"down");
        if !self.model.is_permitted(peer) {
            return assert_eq!(down, []);
        }
        assert_eq!((down.len(), down[0].to), (1, to(&self.client.link)));
        match self.model.channel_of(peer) {
            Some(channel) => assert_eq!(down[0].bytes, channel_data(0x4000 + channel, b"down", 0)),
            None => assert_eq!(read_data(&down[0].bytes), (addr(PEERS[peer]), b"down".to_vec())),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn exactly_what_is_permitted_or_bound_passes_whatever_happened_before(
        is_tcp: bool,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut pair = Pair::new(is_tcp);
        steps.iter().for_each(|step| pair.take(step));
        [Step::Pass(2_000), Step::SendOnChannel(0)].iter().for_each(|step| pair.take(step));
        pair.net.assert_empty();
    }
}
