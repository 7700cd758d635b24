//! A virtual network between one synthetic client and one server transport. Every decision comes from the seed, time is counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::demux::{Protocol, classify};
use crate::transport::dtls::{DtlsClient, DtlsEvent};
use crate::transport::ice::{IceCredentials, IcePlace};
use crate::transport::ice_client::IceClient;
use crate::transport::srtp::{DtlsRole, SrtpOpener, SrtpProfile, SrtpSealer, from_keying_material};
use crate::transport::{Certificate, DtlsError, Fingerprint, Path, StunOutcome, Transport, TransportEvent};

/// How bad the network is, the same in both directions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quality {
    pub(super) loss_percent: u64,
    pub(super) repeated_percent: u64,
    pub(super) delay: Duration,
    /// Up to this much more delay, drawn for each datagram, so that they overtake each other.
    pub(super) jitter: Duration,
}

pub(super) const PERFECT: Quality =
    Quality { loss_percent: 0, repeated_percent: 0, delay: Duration::from_millis(10), jitter: Duration::ZERO };
pub(super) const BAD: Quality =
    Quality { loss_percent: 25, repeated_percent: 10, delay: Duration::from_millis(30), jitter: Duration::from_millis(60) };

/// A seeded source of numbers (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

#[derive(Clone, Copy)]
enum To {
    Server,
    Client,
}

struct InFlight {
    at: Instant,
    to: To,
    from: SocketAddr,
    bytes: Vec<u8>,
}

pub(super) struct Client {
    pub(super) ice: IceClient,
    pub(super) dtls: DtlsClient,
    pub(super) srtp: Option<(SrtpProfile, SrtpSealer, SrtpOpener)>,
    pub(super) error: Option<DtlsError>,
    pub(super) is_closed: bool,
    /// Where its datagrams come from, as the server sees it.
    pub(super) address: SocketAddr,
    has_started: bool,
    provider: Arc<Certificate>,
}

/// Changes what the client sends, e.g. to fragment it.
pub(super) type Rewrite = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>>>;

pub(super) struct Pair {
    pub(super) now: Instant,
    pub(super) client: Client,
    pub(super) server: Transport,
    pub(super) events: Vec<TransportEvent>,
    pub(super) retired: Vec<String>,
    pub(super) quality: Quality,
    pub(super) rewrite: Option<Rewrite>,
    dice: Dice,
    in_flight: Vec<InFlight>,
    sent_at: Instant,
}

pub(super) fn certificate() -> Arc<Certificate> {
    Arc::new(Certificate::generate(rtc_crypto::default_provider().unwrap()).unwrap())
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Pair {
    pub(super) fn new(seed: u64, quality: Quality, profiles: &[SrtpProfile]) -> Self {
        let (ours, theirs) = (certificate(), certificate());
        let fingerprints = (ours.fingerprint(), theirs.fingerprint());
        Self::with_fingerprints(seed, quality, profiles, ours, theirs, fingerprints)
    }

    /// `fingerprints`: of the server and of the client, as the signalling says.
    pub(super) fn with_fingerprints(
        seed: u64,
        quality: Quality,
        profiles: &[SrtpProfile],
        server: Arc<Certificate>,
        client: Arc<Certificate>,
        fingerprints: (Fingerprint, Fingerprint),
    ) -> Self {
        let now = Instant::now();
        let unknown = IceCredentials { ufrag: String::new(), password: String::new() };
        let mut ice = IceClient::new(now, Arc::clone(client.provider()), unknown).unwrap();
        let server = Transport::new(now, server, IcePlace::default(), fingerprints.1, ice.local().ufrag.clone()).unwrap();
        ice.set_remote(server.local_credentials().clone());
        let client = Client {
            ice,
            dtls: DtlsClient::new(Arc::clone(&client), fingerprints.0, profiles),
            srtp: None,
            error: None,
            is_closed: false,
            address: address("192.0.2.7:40000"),
            has_started: false,
            provider: client,
        };
        Self {
            now,
            client,
            server,
            events: Vec::new(),
            retired: Vec::new(),
            quality,
            rewrite: None,
            dice: Dice::new(seed),
            in_flight: Vec::new(),
            sent_at: now,
        }
    }

    pub(super) fn path(&self) -> Path {
        Path::udp(self.client.address, None)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.server.is_connected() && self.client.srtp.is_some()
    }

    /// Runs until the condition holds, for at most this long. Returns whether it held.
    pub(super) fn run_until(&mut self, at_most: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + at_most;
        loop {
            if condition(self) {
                return true;
            }
            let timers = [Some(self.client.ice.poll_timeout()), self.client.dtls.poll_timeout(), self.server.poll_timeout()];
            let next = timers.into_iter().flatten().chain(self.in_flight.iter().map(|datagram| datagram.at)).min().unwrap();
            if next > end {
                self.now = end;
                return false;
            }
            self.now = self.now.max(next);
            self.step();
        }
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn step(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) = self.in_flight.drain(..).partition(|datagram| datagram.at <= now);
        self.in_flight = later;
        for datagram in due {
            match datagram.to {
                To::Server => self.at_server(datagram.from, &datagram.bytes),
                To::Client => self.at_client(&datagram.bytes),
            }
        }
        let mut sent = Vec::new();
        let event = self.server.handle_timeout(now, &mut |path, bytes| sent.push((path, bytes.to_vec())));
        self.events.extend(event);
        self.post_from_server(sent);
        self.client_timers();
    }

    /// A datagram arrives at the server.
    pub(super) fn at_server(&mut self, from: SocketAddr, bytes: &[u8]) {
        let path = Path::udp(from, None);
        let mut sent = Vec::new();
        let mut out = |path: Path, bytes: &[u8]| sent.push((path, bytes.to_vec()));
        match classify(bytes) {
            Protocol::Stun => {
                if let StunOutcome::Answered { retired_ufrag, event, .. } =
                    self.server.handle_stun(self.now, bytes, path, &mut out)
                {
                    self.retired.extend(retired_ufrag);
                    self.events.extend(event);
                }
            }
            Protocol::Dtls => {
                let event = self.server.handle_dtls(self.now, bytes, path, &mut out);
                self.events.extend(event);
            }
            _ => {}
        }
        self.post_from_server(sent);
    }

    fn post_from_server(&mut self, sent: Vec<(Path, Vec<u8>)>) {
        for (path, bytes) in sent {
            // What goes to an address that the client has left is lost.
            if path.remote == self.client.address {
                self.post(To::Client, path.remote, &bytes);
            }
        }
    }

    fn at_client(&mut self, bytes: &[u8]) {
        match classify(bytes) {
            Protocol::Stun => {
                let confirmed = self.client.ice.handle_datagram(self.now, bytes);
                if confirmed.is_some() && !self.client.has_started {
                    self.client.has_started = true;
                    self.client.dtls.start(self.now).unwrap();
                }
            }
            Protocol::Dtls => match self.client.dtls.handle_datagram(self.now, bytes) {
                Ok(None) => {}
                Ok(Some(DtlsEvent::Closed)) => self.client.is_closed = true,
                Ok(Some(DtlsEvent::Connected(material))) => {
                    let crypto = self.client.provider.provider().crypto();
                    let (sealer, opener) = from_keying_material(&material, DtlsRole::Client, crypto).unwrap();
                    self.client.srtp = Some((material.profile, sealer, opener));
                }
                Err(error) => self.client.error = Some(error),
            },
            _ => {}
        }
        self.client_transmits();
    }

    fn client_timers(&mut self) {
        let mut checks = Vec::new();
        self.client.ice.handle_timeout(self.now, &mut |bytes| checks.push(bytes.to_vec()));
        for check in checks {
            self.post(To::Server, self.client.address, &check);
        }
        if let Err(error) = self.client.dtls.handle_timeout(self.now) {
            self.client.error = Some(error);
        }
        self.client_transmits();
    }

    pub(super) fn client_transmits(&mut self) {
        while let Some(bytes) = self.client.dtls.poll_transmit() {
            let datagrams = self.rewrite.as_mut().map_or_else(|| vec![bytes.to_vec()], |rewrite| rewrite(&bytes));
            for datagram in datagrams {
                self.post(To::Server, self.client.address, &datagram);
            }
        }
    }

    fn post(&mut self, to: To, from: SocketAddr, bytes: &[u8]) {
        let copies = 1 + u64::from(self.dice.below(100) < self.quality.repeated_percent);
        for _ in 0..copies {
            if self.dice.below(100) < self.quality.loss_percent {
                continue;
            }
            let jitter_us = self.dice.below(self.quality.jitter.as_micros() as u64 + 1);
            // Without jitter the order is kept.
            self.sent_at = self.sent_at.max(self.now) + Duration::from_nanos(1);
            let at = self.sent_at + self.quality.delay + Duration::from_micros(jitter_us);
            self.in_flight.push(InFlight { at, to, from, bytes: bytes.to_vec() });
        }
    }
}
