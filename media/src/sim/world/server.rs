//! The server of a world: one SFU for each worker, with the way between them, on which nothing takes time.
//!
//! Callers go to the workers in turn, so that with several workers every call is spread.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use super::UNIX_TIME;
use crate::api::Levels;
use crate::counters::{Counter, Counters};
use crate::handover::{WorkerId, WorkerSet};
use crate::id::{ParticipantId, RoomId};
use crate::outbox::Outbox;
use crate::random::Random;
use crate::sfu::{Sfu, SfuConfig, Sizes};
use crate::transport::{Candidates, Certificate};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const FIRST_PORT: u16 = 50_000;

pub(super) struct Server {
    workers: Vec<Worker>,
    participants: HashMap<ParticipantId, (RoomId, usize)>,
    joined: usize,
    /// Of the calls that begin from here on.
    pub(super) levels: Levels,
}

pub(super) struct Worker {
    pub(super) sfu: Sfu,
    pub(super) out: Outbox,
    config: Arc<SfuConfig>,
    counters: Arc<Counters>,
}

impl Server {
    pub(super) fn new(now: Instant, workers: usize, random: &mut Random) -> Self {
        let certificate = Arc::new(Certificate::with_default_provider().expect("the provider makes certificates"));
        let worker = |index: usize| {
            let udp = vec![SocketAddr::new(ADDRESS, FIRST_PORT + index as u16)];
            let candidates = Candidates { udp, ..Candidates::default() };
            let config = Arc::new(SfuConfig { certificate: certificate.clone(), worker: WorkerId(index as u8), candidates });
            let counters = Arc::new(Counters::default());
            let sfu = Sfu::new(config.clone(), counters.clone(), now, UNIX_TIME, u64::from(random.next_u32()));
            Worker { sfu, out: Outbox::default(), config, counters }
        };
        Self { workers: (0..workers).map(worker).collect(), participants: HashMap::new(), joined: 0, levels: Levels::Told }
    }

    /// Lets somebody join through the next worker.
    pub(super) fn join(&mut self, room: RoomId, participant: ParticipantId) {
        let index = self.joined % self.workers.len();
        self.joined += 1;
        let mut others = WorkerSet::default();
        for (_, part) in self.participants.values().filter(|(other, part)| *other == room && *part != index) {
            others.insert(WorkerId(*part as u8));
        }
        self.participants.insert(participant, (room, index));
        let Worker { sfu, out, .. } = &mut self.workers[index];
        sfu.join(room, participant, (others, self.levels), out);
    }

    /// The worker of somebody; of strangers the first.
    pub(super) fn index_of(&self, participant: ParticipantId) -> usize {
        self.participants.get(&participant).map_or(0, |(_, index)| *index)
    }

    pub(super) fn worker_of(&mut self, participant: ParticipantId) -> &mut Worker {
        let index = self.index_of(participant);
        &mut self.workers[index]
    }

    pub(super) fn leave(&mut self, now: Instant, participant: ParticipantId) {
        let Worker { sfu, out, .. } = self.worker_of(participant);
        sfu.leave(now, participant, out);
        self.participants.remove(&participant);
    }

    pub(super) fn worker(&mut self, index: usize) -> &mut Worker {
        &mut self.workers[index]
    }

    pub(super) fn len(&self) -> usize {
        self.workers.len()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.workers.iter().filter_map(|worker| worker.sfu.poll_timeout()).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for Worker { sfu, out, .. } in &mut self.workers {
            if sfu.poll_timeout().is_some_and(|at| at <= now) {
                sfu.handle_timeout(now, out);
            }
        }
    }

    /// Carries letters and packets between the workers; whether there were any.
    pub(super) fn exchange(&mut self, now: Instant) -> bool {
        let mut is_quiet = true;
        for from in 0..self.workers.len() {
            for (to, letter) in std::mem::take(&mut self.workers[from].out.letters) {
                is_quiet = false;
                let Worker { sfu, out, .. } = &mut self.workers[usize::from(to.0)];
                sfu.read(now, letter, out);
            }
            for (to, batch) in std::mem::take(&mut self.workers[from].out.batches) {
                is_quiet = false;
                self.workers[usize::from(to.0)].sfu.take_over(now, WorkerId(from as u8), &batch);
                self.workers[from].out.take_back(batch);
            }
        }
        !is_quiet
    }

    /// A worker loses everything and starts afresh; who was there must join again.
    pub(super) fn crash(&mut self, now: Instant, index: usize) -> Vec<ParticipantId> {
        let worker = &mut self.workers[index];
        let lost = worker.sfu.participants();
        worker.sfu.part(&mut worker.out);
        worker.sfu = Sfu::new(worker.config.clone(), worker.counters.clone(), now, UNIX_TIME, 99);
        lost
    }

    pub(super) fn count(&self, counter: Counter) -> u64 {
        self.workers.iter().map(|worker| worker.counters.get(counter)).sum()
    }

    /// Of all workers.
    pub(super) fn sizes(&self) -> Vec<Sizes> {
        self.workers.iter().map(|worker| worker.sfu.sizes()).collect()
    }
}
