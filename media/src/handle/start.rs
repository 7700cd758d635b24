//! Brings the workers up: ports, certificate, addresses, threads. All ports are bound before the first thread starts, so that a start
//! that fails leaves nothing behind.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{WorkerHandle, relaying};
use crate::addresses::{Situation, decide};
use crate::api::MediaEvent;
use crate::config::MediaConfig;
use crate::counters::Counters;
use crate::error::StartError;
use crate::handover::{MAX_WORKERS, WorkerId};
use crate::net::{
    MAILBOX, Mailbox, MediaSocket, Neighbours, Owners, SOCKET, TURN, TurnFigures, TurnListener, TurnParts, Worker, WorkerParts,
};
use crate::probe::situation;
use crate::sfu::SfuConfig;
use crate::transport::{Candidates, Certificate};
use crate::turn::TurnConfig;

/// The workers, and where they are reached otherwise than by UDP on their own ports.
pub(super) struct Started {
    pub(super) workers: Vec<WorkerHandle>,
    /// TURN by UDP; empty without it.
    pub(super) turn_addresses: Vec<SocketAddr>,
    /// TURN and media by TCP; empty without it.
    pub(super) tcp_addresses: Vec<SocketAddr>,
}

/// Opens ports and starts threads.
pub(super) fn start_workers(config: &MediaConfig, events: &mpsc::Sender<MediaEvent>) -> Result<Started, StartError> {
    let certificate = Arc::new(Certificate::with_default_provider().map_err(|error| StartError::Certificate(error.to_string()))?);
    let situation = situation(&config.advertised, &config.stun_servers);
    let addresses = advertised(&situation);
    if addresses.is_empty() {
        return Err(StartError::NoAddress);
    }
    let workers = 0..config.workers.clamp(1, MAX_WORKERS);
    let bound = workers.map(|index| bind(config, index)).collect::<Result<Vec<_>, _>>()?;
    let mailboxes = bound.iter().map(Bound::mailbox).collect::<Result<Vec<_>, _>>()?;
    let neighbours = Neighbours::introduce(&mailboxes);
    let candidates: Vec<Vec<SocketAddr>> = bound
        .iter()
        .enumerate()
        .map(|(index, bound)| {
            let port = config.advertised_port.map_or(bound.port, |first| first.saturating_add(index as u16));
            at_port(&addresses, port)
        })
        .collect();
    let ports: Vec<u16> = bound.iter().map(|bound| bound.port).collect();
    let own = situation.interfaces.iter().map(|interface| interface.ip).collect();
    let grounds = relaying::Grounds { own, addresses: &addresses, buffer_bytes: config.socket_buffer_bytes };
    let relaying = config.turn.as_ref().map(|turn| relaying::start(turn, &grounds, &candidates, &ports));
    let relaying = relaying.transpose()?;
    let tcp_addresses = config.tcp_port.map(|port| one_a_family(&at_port(&addresses, port))).unwrap_or_default();
    let turn_port = relaying.as_ref().map(|relaying| relaying.port);
    let owners = relaying.as_ref().map(|relaying| relaying.owners.clone()).unwrap_or_default();
    let mut engines: VecDeque<_> = relaying.map(|relaying| relaying.engines).unwrap_or_default().into();
    let start = |(index, ((bound, mailbox), neighbours)): (usize, ((Bound, Arc<Mailbox>), Neighbours))| {
        let Bound { socket, poll, port } = bound;
        let counters = Arc::new(Counters::default());
        let figures = TurnFigures::default();
        let engine = engines.pop_front().map(|engine| turn_parts(engine, &poll, &owners, &figures));
        let turn = engine.transpose().map_err(|source| StartError::TurnPort { port: turn_port.unwrap_or(0), source })?;
        let sfu = Arc::new(SfuConfig {
            certificate: certificate.clone(),
            worker: WorkerId(index as u8),
            candidates: Candidates { udp: candidates[index].clone(), tcp: tcp_addresses.clone() },
        });
        let parts = WorkerParts {
            index,
            neighbours,
            poll,
            socket,
            turn,
            mailbox: mailbox.clone(),
            events: events.clone(),
            counters: counters.clone(),
            config: sfu,
        };
        std::thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || Worker::new(parts).run())
            .map_err(StartError::Thread)?;
        Ok(WorkerHandle { mailbox, counters, figures, port })
    };
    let workers = bound.into_iter().zip(mailboxes).zip(neighbours).enumerate().map(start).collect::<Result<_, _>>()?;
    Ok(Started { workers, turn_addresses: turn_port.map(|port| at_port(&addresses, port)).unwrap_or_default(), tcp_addresses })
}

fn at_port(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect()
}

/// For TCP, the fall-back of a fall-back: browsers check every pair of candidates, and each connection costs both sides.
fn one_a_family(all: &[SocketAddr]) -> Vec<SocketAddr> {
    let first = |is_of_family: fn(&SocketAddr) -> bool| all.iter().copied().find(is_of_family);
    [first(SocketAddr::is_ipv4), first(SocketAddr::is_ipv6)].into_iter().flatten().collect()
}

/// What others are told; what is to be said of it goes to the log, without an address.
fn advertised(situation: &Situation) -> Vec<IpAddr> {
    let decision = decide(situation);
    for warning in decision.warnings {
        tracing::warn!(code = warning.code(), "{}", warning.explanation());
    }
    decision.advertised
}

fn turn_parts(
    (mut listener, config): (TurnListener, TurnConfig),
    poll: &mio::Poll,
    owners: &Arc<Owners>,
    figures: &TurnFigures,
) -> std::io::Result<TurnParts> {
    let registry = poll.registry().try_clone()?;
    registry.register(listener.source(), TURN, mio::Interest::READABLE)?;
    Ok(TurnParts { listener, registry, config, owners: owners.clone(), figures: figures.clone() })
}

/// The opened port of a worker.
struct Bound {
    socket: MediaSocket,
    poll: mio::Poll,
    port: u16,
}

impl Bound {
    fn mailbox(&self) -> Result<Arc<Mailbox>, StartError> {
        let failed = |source| StartError::Bind { port: self.port, source };
        Ok(Arc::new(Mailbox::new(mio::Waker::new(self.poll.registry(), MAILBOX).map_err(failed)?)))
    }
}

/// Opens the port of a worker.
fn bind(config: &MediaConfig, index: usize) -> Result<Bound, StartError> {
    let wanted = if config.udp_port == 0 { 0 } else { config.udp_port.saturating_add(index as u16) };
    let failed = |source| StartError::Bind { port: wanted, source };
    let mut socket = MediaSocket::bind(wanted, config.socket_buffer_bytes).map_err(failed)?;
    let port = socket.port().map_err(failed)?;
    let poll = mio::Poll::new().map_err(failed)?;
    poll.registry().register(socket.source(), SOCKET, mio::Interest::READABLE).map_err(failed)?;
    Ok(Bound { socket, poll, port })
}
