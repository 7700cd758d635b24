//! Drives synthetic participants in real time: one thread, one socket for each, as many browsers would have.
//!
//! The thread never sleeps while it has participants: on loopback a server pays for waking the one that it sends to, which no server does
//! whose packets leave through a network card.
//!
//! A participant is added once it has its answer, runs until the generator is dropped, and is looked at by [`Generator::ask`]. A
//! datagram's time of arrival is the kernel's, so that the generator's own queue is in no figure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crate::net::{PlainBuffers, PlainSocket};
use crate::synthetic::Participant;

const WAKE: mio::Token = mio::Token(usize::MAX);
/// Sockets reported by one wait; the others are reported by the next.
const READY: usize = 1024;

/// Why the generator could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// A socket could not be made.
    #[error("a participant's socket cannot be opened: {0}")]
    Socket(#[from] io::Error),
    /// The thread ended.
    #[error("the load generator stopped")]
    Gone,
}

/// The thread that drives participants.
pub struct Generator {
    epoch: (Instant, Duration),
    requests: Option<mpsc::Sender<Request>>,
    waker: mio::Waker,
    thread: Option<JoinHandle<()>>,
}

type Request = Box<dyn FnOnce(&mut Engine) + Send>;

impl Generator {
    /// Starts the thread.
    pub fn start() -> Result<Self, GeneratorError> {
        let poll = mio::Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKE)?;
        let (requests, receiver) = mpsc::channel();
        let unix_time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let epoch = (Instant::now(), unix_time);
        let engine = Engine::new(poll, receiver, epoch);
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(move || engine.run())?;
        Ok(Self { epoch, requests: Some(requests), waker, thread: Some(thread) })
    }

    /// One moment by the monotonic and by the wall clock. Participants made with it agree to the microsecond.
    pub fn epoch(&self) -> (Instant, Duration) {
        self.epoch
    }

    /// Drives a participant that sends to `server` from now on. Gives the address of its socket.
    pub fn add(&self, participant: Participant, server: SocketAddr) -> Result<SocketAddr, GeneratorError> {
        self.request(move |engine| engine.add(participant, server))?.map_err(GeneratorError::Socket)
    }

    /// Looks at, or changes, all participants, in the order in which they were added.
    pub fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(Instant, &mut dyn Iterator<Item = &mut Participant>) -> T + Send + 'static,
    ) -> Result<T, GeneratorError> {
        self.request(move |engine| engine.ask(question))
    }

    fn request<T: Send + 'static>(&self, act: impl FnOnce(&mut Engine) -> T + Send + 'static) -> Result<T, GeneratorError> {
        let (reply, answer) = mpsc::channel();
        let request: Request = Box::new(move |engine| {
            // Whoever asked may have gone.
            let _ = reply.send(act(engine));
        });
        let requests = self.requests.as_ref().ok_or(GeneratorError::Gone)?;
        requests.send(request).map_err(|_| GeneratorError::Gone)?;
        self.waker.wake()?;
        answer.recv().map_err(|_| GeneratorError::Gone)
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Driven {
    participant: Participant,
    socket: PlainSocket,
    /// The soonest time in the queue for this participant.
    due: Option<Instant>,
}

struct Engine {
    poll: mio::Poll,
    requests: mpsc::Receiver<Request>,
    driven: Vec<Driven>,
    /// Participants by when time asks something of them. An entry that was overtaken by a sooner one does no harm.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    buffers: PlainBuffers,
    /// As [`Generator::epoch`].
    epoch: (Instant, Duration),
    is_over: bool,
}

impl Engine {
    fn new(poll: mio::Poll, requests: mpsc::Receiver<Request>, epoch: (Instant, Duration)) -> Self {
        Self {
            poll,
            requests,
            driven: Vec::new(),
            due: BinaryHeap::new(),
            buffers: PlainBuffers::default(),
            epoch,
            is_over: false,
        }
    }

    fn run(mut self) {
        let mut ready = mio::Events::with_capacity(READY);
        while !self.is_over {
            let wait = (!self.driven.is_empty()).then_some(Duration::ZERO);
            // An interrupted wait is a short one.
            let _ = self.poll.poll(&mut ready, wait);
            for event in &ready {
                match event.token() {
                    WAKE => self.carry_out(),
                    mio::Token(index) => self.receive(index),
                }
            }
            self.do_what_is_due();
        }
    }

    fn carry_out(&mut self) {
        loop {
            match self.requests.try_recv() {
                Ok(request) => request(self),
                Err(mpsc::TryRecvError::Empty) => return,
                Err(mpsc::TryRecvError::Disconnected) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    fn add(&mut self, participant: Participant, server: SocketAddr) -> io::Result<SocketAddr> {
        let mut socket = PlainSocket::connect(server)?;
        let address = socket.local_address()?;
        let index = self.driven.len();
        self.poll.registry().register(&mut socket.io, mio::Token(index), mio::Interest::READABLE)?;
        self.driven.push(Driven { participant, socket, due: None });
        self.settle(index);
        Ok(address)
    }

    fn ask<T>(&mut self, question: impl FnOnce(Instant, &mut dyn Iterator<Item = &mut Participant>) -> T) -> T {
        let answer = question(Instant::now(), &mut self.driven.iter_mut().map(|driven| &mut driven.participant));
        (0..self.driven.len()).for_each(|index| self.settle(index));
        answer
    }

    fn receive(&mut self, index: usize) {
        let Some(driven) = self.driven.get_mut(index) else { return };
        let (instant, unix_time) = self.epoch;
        let participant = &mut driven.participant;
        while driven.socket.receive(&mut self.buffers, |arrived, datagram| {
            let since = arrived.and_then(|arrived| arrived.checked_sub(unix_time));
            participant.handle_datagram(since.map_or_else(Instant::now, |since| instant + since), datagram);
        }) {}
        self.settle(index);
    }

    fn do_what_is_due(&mut self) {
        loop {
            let now = Instant::now();
            let Some(&Reverse((at, index))) = self.due.peek().filter(|Reverse((at, _))| *at <= now) else { return };
            self.due.pop();
            let driven = &mut self.driven[index];
            if driven.due == Some(at) {
                driven.due = None;
                driven.participant.handle_timeout(now);
                self.settle(index);
            }
        }
    }

    /// Sends what the participant has to say, and notes when it wants to be called.
    fn settle(&mut self, index: usize) {
        let driven = &mut self.driven[index];
        while let Some(datagram) = driven.participant.poll_transmit() {
            driven.socket.send(datagram);
        }
        let wanted = driven.participant.poll_timeout();
        if let Some(at) = wanted.filter(|at| driven.due.is_none_or(|due| *at < due)) {
            driven.due = Some(at);
            self.due.push(Reverse((at, index)));
        }
    }
}
