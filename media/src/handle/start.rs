//! Brings the workers up: ports, certificate, addresses, threads.

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
    let start = |index: usize| {
        let offset = index as u16;
        let wanted = if config.udp_port == 0 { 0 } else { config.udp_port.saturating_add(offset) };
        let bind = |source| StartError::Bind { port: wanted, source };
        let mut socket = MediaSocket::bind(wanted, config.socket_buffer_bytes).map_err(bind)?;
        let port = socket.port().map_err(bind)?;
        let advertised_port = config.advertised_port.map_or(port, |first| first.saturating_add(offset));
        let poll = mio::Poll::new().map_err(bind)?;
        poll.registry().register(&mut socket.io, SOCKET, mio::Interest::READABLE).map_err(bind)?;
        let mailbox = Arc::new(Mailbox::new(mio::Waker::new(poll.registry(), MAILBOX).map_err(bind)?));
        let counters = Arc::new(Counters::default());
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
    (0..config.workers.max(1)).map(start).collect()
}
