//! The asynchronous façade of the media core: what the server calls. It owns the mailboxes of the workers and knows which
//! worker a participant is on; everything else happens in the workers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::api::{Levels, MediaEvent, Offer, Wish};
use crate::config::MediaConfig;
use crate::counters::{Counter, CounterRow, Counters};
use crate::error::{MediaError, StartError};
use crate::handover::{WorkerId, WorkerSet};
use crate::id::{ParticipantId, RoomId, Source};
use crate::net::{Command, Mailbox, TurnFigures};
use placement::Load;
use tcp::TcpIds;
pub use tcp::{TcpRefused, has_first_packet};

mod placement;
mod relaying;
mod start;
mod tcp;

/// Events waiting for the server. A worker keeps what does not fit and offers it again.
const EVENT_QUEUE: usize = 4096;

/// The running media core. Cheap to clone; the workers stop when the last clone is gone.
#[derive(Clone)]
pub struct Media(Arc<Shared>);

struct Shared {
    workers: Vec<WorkerHandle>,
    turn_addresses: Vec<SocketAddr>,
    tcp_addresses: Vec<SocketAddr>,
    tcp_ids: TcpIds,
    directory: Mutex<Directory>,
    max_participants: usize,
    participants_per_worker: usize,
}

struct WorkerHandle {
    mailbox: Arc<Mailbox>,
    counters: Arc<Counters>,
    figures: TurnFigures,
    port: u16,
}

/// Who is where.
#[derive(Default)]
struct Directory {
    participants: HashMap<ParticipantId, (RoomId, usize)>,
    /// The participants of each call on each worker.
    rooms: HashMap<RoomId, Vec<usize>>,
}

impl Media {
    /// Binds the ports and starts the workers. The receiver gives what the media core tells of its own accord.
    pub fn start(config: &MediaConfig) -> Result<(Self, mpsc::Receiver<MediaEvent>), StartError> {
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let start::Started { workers, turn_addresses, tcp_addresses } = start::start_workers(config, &events)?;
        let shared = Shared {
            workers,
            turn_addresses,
            tcp_addresses,
            tcp_ids: TcpIds::default(),
            directory: Mutex::default(),
            max_participants: config.max_participants,
            participants_per_worker: config.participants_per_worker,
        };
        Ok((Self(Arc::new(shared)), receiver))
    }

    /// Puts a participant into a room's call. Nothing flows until [`Media::negotiate`].
    ///
    /// After [`MediaEvent::Lost`] the participant must [`Media::leave`] before joining again.
    pub fn join(&self, room: RoomId, participant: ParticipantId) -> Result<(), MediaError> {
        self.join_at(room, participant, None, Levels::Told)
    }

    /// The same in a call that hides from the server who speaks: packets do not say how loud they are, browsers send sound at a constant
    /// bitrate, and there are no [`MediaEvent::Speakers`]. The first who joins decides for all of a call.
    pub fn join_strict(&self, room: RoomId, participant: ParticipantId) -> Result<(), MediaError> {
        self.join_at(room, participant, None, Levels::Hidden)
    }

    /// The same on one worker, by its place in [`Media::ports`]: for trying whether its port is reached.
    pub fn join_on(&self, worker: usize, room: RoomId, participant: ParticipantId) -> Result<(), MediaError> {
        self.join_at(room, participant, Some(worker), Levels::Told)
    }

    fn join_at(&self, room: RoomId, participant: ParticipantId, wanted: Option<usize>, levels: Levels) -> Result<(), MediaError> {
        // The request goes out under the lock: a leave from elsewhere must not overtake the join that it ends, and the workers of a call
        // hear of one another in one order.
        let mut directory = self.directory();
        if directory.participants.contains_key(&participant) {
            return Err(MediaError::AlreadyJoined(participant));
        }
        let (worker, others) = directory.place(room, wanted, &self.0)?;
        directory.add(room, participant, worker, self.0.workers.len());
        self.0.workers[worker].mailbox.send(Command::Join { room, participant, others, levels }).inspect_err(|_| {
            directory.remove(participant);
        })
    }

    /// Answers an SDP offer: the first, one that adds tracks or seats, or one that restarts ICE.
    pub async fn negotiate(&self, participant: ParticipantId, offer: Offer) -> Result<String, MediaError> {
        let (reply, answer) = oneshot::channel();
        self.send(participant, Command::Negotiate { participant, offer, reply })?;
        answer.await.unwrap_or(Err(MediaError::Busy))
    }

    /// Takes a participant out of the call. Not one more packet of theirs is forwarded once the worker has seen this.
    pub fn leave(&self, participant: ParticipantId) {
        let mut directory = self.directory();
        if let Some(worker) = directory.remove(participant) {
            // A leave is taken even by a full mailbox; only a worker that is gone cannot, and then there is nothing to leave.
            let _ = self.0.workers[worker].mailbox.send(Command::Leave { participant });
        }
    }

    /// Says how large the participant shows which feeds. Replaces the earlier wishes.
    pub fn set_wishes(&self, participant: ParticipantId, wishes: Vec<Wish>) -> Result<(), MediaError> {
        self.send(participant, Command::SetWishes { participant, wishes })
    }

    /// Says that the participant switched a source off or on by themselves, so that nobody waits for its keyframe.
    pub fn set_muted(&self, participant: ParticipantId, source: Source, muted: bool) -> Result<(), MediaError> {
        self.send(participant, Command::SetMuted { participant, source, muted })
    }

    /// Forbids or allows a source: while forbidden, the server forwards none of it whatever the page does.
    pub fn set_forbidden(&self, participant: ParticipantId, source: Source, forbidden: bool) -> Result<(), MediaError> {
        self.send(participant, Command::SetForbidden { participant, source, forbidden })
    }

    /// Waits until every worker has answered: its loop turns. The caller sets the limit of its patience.
    pub async fn answers(&self) -> Result<(), MediaError> {
        for worker in &self.0.workers {
            let (reply, answer) = oneshot::channel();
            worker.mailbox.send(Command::Ping { reply })?;
            answer.await.map_err(|_| MediaError::Busy)?;
        }
        Ok(())
    }

    /// The counters of all workers added up, as (stable name, labels, value) rows for the metrics page.
    pub fn counters(&self) -> Vec<CounterRow> {
        let workers: Vec<&Counters> = self.0.workers.iter().map(|worker| &*worker.counters).collect();
        let mut rows = Counters::sum(&workers);
        for worker in &self.0.workers {
            let figures = worker.figures.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for row in figures {
                match rows.iter_mut().find(|known| (known.name, &known.labels) == (row.name, &row.labels)) {
                    Some(known) => known.value += row.value,
                    None => rows.push(row),
                }
            }
        }
        rows
    }

    /// Where the TURN server is reached by UDP, best first; empty without one.
    pub fn turn_addresses(&self) -> &[SocketAddr] {
        &self.0.turn_addresses
    }

    /// Where the server's TCP port is reached for media and TURN, best first; empty when it is not.
    pub fn tcp_addresses(&self) -> &[SocketAddr] {
        &self.0.tcp_addresses
    }

    /// The UDP ports of the workers, in order.
    pub fn ports(&self) -> Vec<u16> {
        self.0.workers.iter().map(|worker| worker.port).collect()
    }

    /// Makes the worker of a participant panic, to test that the crash is contained.
    #[doc(hidden)]
    pub fn crash_worker_of(&self, participant: ParticipantId) -> Result<(), MediaError> {
        self.send(participant, Command::Crash)
    }

    /// Makes every worker panic.
    #[doc(hidden)]
    pub fn crash_workers(&self) -> Result<(), MediaError> {
        self.0.workers.iter().try_for_each(|worker| worker.mailbox.send(Command::Crash))
    }

    fn send(&self, participant: ParticipantId, command: Command) -> Result<(), MediaError> {
        let worker = self.directory().worker_of(participant).ok_or(MediaError::UnknownParticipant(participant))?;
        self.0.workers[worker].mailbox.send(command)
    }

    fn directory(&self) -> MutexGuard<'_, Directory> {
        self.0.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        let _ = self.mailbox.send(Command::Stop);
    }
}

impl WorkerHandle {
    fn load(&self) -> Load {
        let busy_permille = self.counters.get(Counter::BusyPermille);
        Load { busy_permille, is_shedding: self.counters.get(Counter::Shedding) > 0, ..Load::default() }
    }
}

impl Directory {
    /// The worker for one more participant of a call, the wanted one if any, and the other workers that have a part of it.
    fn place(&self, room: RoomId, wanted: Option<usize>, shared: &Shared) -> Result<(usize, WorkerSet), MediaError> {
        let mut loads: Vec<Load> = shared.workers.iter().map(WorkerHandle::load).collect();
        for parts in self.rooms.values() {
            for (load, part) in loads.iter_mut().zip(parts) {
                load.participants += part;
            }
        }
        for (load, part) in loads.iter_mut().zip(self.rooms.get(&room).into_iter().flatten()) {
            load.of_this_call = *part;
        }
        if loads.iter().map(|load| load.of_this_call).sum::<usize>() >= shared.max_participants {
            return Err(MediaError::RoomFull(room));
        }
        let worker = match wanted {
            None => placement::choose(&loads, shared.participants_per_worker).ok_or(MediaError::Busy)?,
            Some(worker) => match loads.get(worker) {
                None => return Err(MediaError::UnknownWorker(worker)),
                Some(load) if load.is_shedding => return Err(MediaError::Busy),
                Some(_) => worker,
            },
        };
        let mut others = WorkerSet::default();
        for (other, _) in loads.iter().enumerate().filter(|(other, load)| *other != worker && load.of_this_call > 0) {
            others.insert(WorkerId(other as u8));
        }
        Ok((worker, others))
    }

    fn add(&mut self, room: RoomId, participant: ParticipantId, worker: usize, workers: usize) {
        self.participants.insert(participant, (room, worker));
        self.rooms.entry(room).or_insert_with(|| vec![0; workers])[worker] += 1;
    }

    fn worker_of(&self, participant: ParticipantId) -> Option<usize> {
        self.participants.get(&participant).map(|(_, worker)| *worker)
    }

    /// Forgets a participant; says on which worker they were.
    fn remove(&mut self, participant: ParticipantId) -> Option<usize> {
        let (room, worker) = self.participants.remove(&participant)?;
        let parts = self.rooms.get_mut(&room)?;
        parts[worker] -= 1;
        if parts.iter().all(|part| *part == 0) {
            self.rooms.remove(&room);
        }
        Some(worker)
    }
}
