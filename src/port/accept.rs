//! The accept loop: connections within bounds, and an end that lets requests finish.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use webcall_media::turn::{Admission, AdmissionLimits, Transport};

use super::opening::{self, Opened, Speaks};
use super::{Service, media};
use crate::http;
use crate::shutdown::Shutdown;

/// HTTP connections, and those that have not said yet what they are, at a time; a WebSocket stops counting once it is open. Further ones
/// wait in the kernel's queue. Each costs a file descriptor and some 20 kB.
const MAX_CONNECTIONS: usize = 4_096;
/// How many of these one address (IPv6: one /64) may have, so that nobody takes all. An office behind one address has some for each
/// browser.
const MAX_CONNECTIONS_PER_IP: u32 = 1_024;
/// How long requests may take to finish once the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Waiting for file descriptors to become free when there are none.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections of a port share.
struct Shared {
    service: Service,
    shutdown: Shutdown,
    all: Counted,
    of_media: Counted,
}

/// Counts connections by address.
struct Counted {
    admission: Mutex<Admission>,
    limits: AdmissionLimits,
}

/// A connection that counts until this is dropped.
struct Place<'a> {
    counted: &'a Counted,
    ip: IpAddr,
}

/// Serves until stopping begins, then lets the requests that are under way finish.
pub async fn serve(listener: TcpListener, service: Service, shutdown: Shutdown) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    let of_media = Counted::new(service.media_limits);
    let limits = AdmissionLimits {
        max_connections: usize::MAX,
        max_connections_per_ip: MAX_CONNECTIONS_PER_IP,
        ..AdmissionLimits::default()
    };
    let shared = Arc::new(Shared { service, shutdown: shutdown.clone(), all: Counted::new(limits), of_media });
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.begun() => break,
        };
        match accepted {
            Ok((stream, remote)) => {
                let shared = shared.clone();
                connections.spawn(async move { shared.connection(stream, remote, place).await });
            }
            Err(error) => {
                // A connection that was reset before it was accepted, or too many open files: neither ends the server.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_TIME, connections.wait()).await.is_err() {
        tracing::warn!("stopping although some requests have not finished");
    }
}

impl Shared {
    async fn connection(&self, stream: TcpStream, remote: SocketAddr, place: OwnedSemaphorePermit) {
        // Signalling and media send small frames that must not wait for each other; a socket that refuses works all the same.
        let _ = stream.set_nodelay(true);
        let (remote, Ok(local)) = (canonical(remote), stream.local_addr().map(canonical)) else { return };
        let Some(counted) = self.all.admit(remote.ip()) else { return };
        // Who has not said anything yet, as a browser's connection in reserve, is not waited for when the server stops.
        let opening = opening::open(stream, remote, &self.service.proxies);
        let Some(opened) = self.unless_stopping(opening).await else { return };
        if opened.speaks == Speaks::Tls {
            let Some(tls) = &self.service.tls else { return };
            let Some(opened) = self.unless_stopping(opening::decrypt(opened, tls)).await else { return };
            return self.serve_opened(opened, local, Transport::Tls, (place, counted)).await;
        }
        self.serve_opened(opened, local, Transport::Tcp, (place, counted)).await;
    }

    async fn unless_stopping<T>(&self, opening: impl Future<Output = Option<T>>) -> Option<T> {
        tokio::select! {
            opened = opening => opened,
            () = self.shutdown.begun() => None,
        }
    }

    async fn serve_opened<S>(
        &self,
        opened: Opened<S>,
        local: SocketAddr,
        transport: Transport,
        places: (OwnedSemaphorePermit, Place<'_>),
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Opened { io, remote, speaks } = opened;
        let version = match speaks {
            Speaks::Http(version) => version,
            Speaks::Turn | Speaks::Packets => {
                drop(places);
                let Some(_counted) = self.of_media.admit(remote.ip()) else { return };
                let Some(media) = &self.service.media else { return };
                let stopped = self.shutdown.begun();
                if speaks == Speaks::Turn {
                    return media::carry_turn(media, io, remote, transport, stopped).await;
                }
                return media::carry_packets(media, io, remote, local, stopped).await;
            }
            // A handshake within a handshake.
            Speaks::Tls => return,
        };
        let router = if transport == Transport::Tls { &self.service.encrypted } else { &self.service.plain };
        if let Some(router) = router {
            http::serve_connection(io, version, remote, router.clone(), &self.shutdown).await;
        }
        drop(places);
    }
}

impl Counted {
    fn new(limits: AdmissionLimits) -> Self {
        Self { admission: Mutex::default(), limits }
    }

    fn admit(&self, ip: IpAddr) -> Option<Place<'_>> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner).admit(ip, &self.limits).ok()?;
        Some(Place { counted: self, ip })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.counted.admission.lock().unwrap_or_else(PoisonError::into_inner).release(self.ip);
    }
}

/// IPv4 as such, also where it came in on a socket of both families.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
