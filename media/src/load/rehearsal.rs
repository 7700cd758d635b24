//! A call without sockets and threads, in virtual time: what a packet costs in the SFU alone, and whether it allocates.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::api::Levels;
use crate::counters::{Counter, Counters};
use crate::demux::{Protocol, classify};
use crate::error::MediaError;
use crate::handover::{WorkerId, WorkerSet};
use crate::id::{ParticipantId, RoomId};
use crate::outbox::Outbox;
use crate::sfu::{Sfu, SfuConfig};
use crate::synthetic::{Identity, Participant, Settings, SyntheticError};
use crate::transport::{Candidates, Certificate, Path};

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 50_000);
/// The wall clock at the beginning: 2026-11-23 00:00 UTC.
const UNIX_TIME: Duration = Duration::from_secs(1_795_392_000);
/// The grain of virtual time: what is sent within it arrives in one turn.
const STEP: Duration = Duration::from_millis(1);

/// Why a rehearsal cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// Somebody could not be made.
    #[error(transparent)]
    Synthetic(#[from] SyntheticError),
    /// The SFU did not let somebody in.
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// An SFU and the participants of one call.
pub struct Rehearsal {
    now: Instant,
    sfu: Sfu,
    out: Outbox,
    counters: Arc<Counters>,
    people: Vec<Participant>,
    datagram: Vec<u8>,
}

impl Rehearsal {
    /// Lets everybody in, in this order.
    pub fn new(people: Vec<Settings>) -> Result<Self, RehearsalError> {
        let now = Instant::now();
        let certificate = Certificate::with_default_provider().map_err(|_| SyntheticError::Transport)?;
        let candidates = Candidates { udp: vec![SERVER], ..Candidates::default() };
        let config = SfuConfig { certificate: Arc::new(certificate), worker: WorkerId::default(), candidates };
        let counters = Arc::new(Counters::default());
        let mut sfu = Sfu::new(Arc::new(config), counters.clone(), now, UNIX_TIME, 1);
        let (mut out, identity) = (Outbox::default(), Identity::generate()?);
        let mut joined = Vec::new();
        for (number, settings) in people.into_iter().enumerate() {
            let id = ParticipantId(number as u64 + 1);
            let mut participant = Participant::new(now, UNIX_TIME, settings, &identity, id.0)?;
            sfu.join(RoomId(1), id, (WorkerSet::default(), Levels::Told), &mut out);
            let answer = sfu.negotiate(now, id, &participant.offer(), &mut out)?;
            participant.accept(now, &answer)?;
            joined.push(participant);
        }
        Ok(Self { now, sfu, out, counters, people: joined, datagram: Vec::with_capacity(2_048) })
    }

    /// Lets the call go on for so long. `around` is called with what the SFU does for media, turn by turn, and has to do it.
    pub fn run(&mut self, span: Duration, mut around: impl FnMut(&mut dyn FnMut())) {
        let end = self.now + span;
        while self.now < end {
            self.now += STEP;
            for person in 0..self.people.len() {
                self.people[person].handle_timeout(self.now);
                self.pass_on(person, &mut around);
            }
            let mut is_done = false;
            while !is_done {
                let Self { now, sfu, out, .. } = self;
                around(&mut || is_done = sfu.forward(*now, out));
                self.deliver();
            }
            self.sfu.handle_timeout(self.now, &mut self.out);
            self.deliver();
        }
    }

    /// Packets forwarded so far.
    pub fn forwarded(&self) -> u64 {
        self.counters.get(Counter::PacketsForwarded)
    }

    /// The participants.
    pub fn people(&self) -> &[Participant] {
        &self.people
    }

    fn pass_on(&mut self, person: usize, around: &mut impl FnMut(&mut dyn FnMut())) {
        let Self { now, sfu, out, people, datagram, .. } = self;
        let path = Path::udp(address_of(person), None);
        while let Some(sent) = people[person].poll_transmit() {
            datagram.clear();
            datagram.extend_from_slice(sent);
            let mut handle = || sfu.handle_datagram(*now, path, datagram, out);
            match classify(sent) {
                Protocol::Rtp => around(&mut handle),
                _ => handle(),
            }
        }
    }

    fn deliver(&mut self) {
        for transmit in self.out.transmits() {
            self.datagram.clear();
            self.datagram.extend_from_slice(self.out.contents(std::slice::from_ref(transmit)));
            if let Some(person) = self.people.get_mut(person_at(transmit.path.remote)) {
                person.handle_datagram(self.now, &mut self.datagram);
            }
        }
        self.out.clear_transmits();
        self.out.events.clear();
    }
}

fn address_of(person: usize) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 1_000 + person as u16))
}

fn person_at(address: SocketAddr) -> usize {
    usize::from(address.port().wrapping_sub(1_000))
}
