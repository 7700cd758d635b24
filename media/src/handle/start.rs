//! Brings the workers up: ports, certificate, addresses, threads. All ports are bound before the first thread starts, so that a start
//! that fails leaves nothing behind.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::WorkerHandle;
use crate::api::MediaEvent;
use crate::config::MediaConfig;
use crate::counters::Counters;
use crate::error::StartError;
use crate::net::{MAILBOX, Mailbox, MediaSocket, SOCKET, Worker, WorkerParts, advertised_addresses};
use crate::sfu::SfuConfig;
use crate::transport::Certificate;

pub(super) fn start_workers(config: &MediaConfig, events: &mpsc::Sender<MediaEvent>) -> Result<Vec<WorkerHandle>, StartError> {
    let certificate = Arc::new(Certificate::with_default_provider().map_err(|error| StartError::Certificate(error.to_string()))?);
    let addresses = if config.advertised.is_empty() { advertised_addresses() } else { config.advertised.clone() };
    if addresses.is_empty() {
        return Err(StartError::NoAddress);
    }
    let workers = 0..config.workers.max(1);
    let bound = workers.map(|index| bind(config, index)).collect::<Result<Vec<_>, _>>()?;
    let start = |(index, (socket, poll, port)): (usize, (MediaSocket, mio::Poll, u16))| {
        let failed = |source| StartError::Bind { port, source };
        let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), MAILBOX).map_err(failed)?));
        let counters = Arc::new(Counters::default());
        let advertised_port = config.advertised_port.map_or(port, |first| first.saturating_add(index as u16));
        let sfu = Arc::new(SfuConfig {
            certificate: certificate.clone(),
            candidates: addresses.iter().map(|ip| SocketAddr::new(*ip, advertised_port)).collect(),
        });
        let parts = WorkerParts {
            index,
            poll,
            socket,
            mailbox: mailbox.clone(),
            events: events.clone(),
            counters: counters.clone(),
            config: sfu,
        };
        std::thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || Worker::new(parts).run())
            .map_err(StartError::Thread)?;
        Ok(WorkerHandle { mailbox, counters, port })
    };
    bound.into_iter().enumerate().map(start).collect()
}

/// Opens the port of a worker.
fn bind(config: &MediaConfig, index: usize) -> Result<(MediaSocket, mio::Poll, u16), StartError> {
    let wanted = if config.udp_port == 0 { 0 } else { config.udp_port.saturating_add(index as u16) };
    let failed = |source| StartError::Bind { port: wanted, source };
    let mut socket = MediaSocket::bind(wanted, config.socket_buffer_bytes).map_err(failed)?;
    let port = socket.port().map_err(failed)?;
    let poll = mio::Poll::new().map_err(failed)?;
    poll.registry().register(&mut socket.io, SOCKET, mio::Interest::READABLE).map_err(failed)?;
    Ok((socket, poll, port))
}
