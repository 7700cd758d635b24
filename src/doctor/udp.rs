//! Questions by UDP: is somebody at this address, and does the TURN server there take this credential. The messages are those of
//! `webcall_media::turn::probe`; here are the sockets and the times.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;
use webcall_media::turn::probe::{AllocateProbe, AllocateStep, BindingProbe};

/// A question is sent so often before its silence counts: two losses in a row are survived.
const TRIES: usize = 3;
/// How long each waits. Longer than any path over the earth and a busy server.
const WAIT: Duration = Duration::from_millis(500);
/// Steps of an allocation: a nonce, a newer nonce, the answer.
const MAX_STEPS: usize = 4;
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 1_500;

/// What came of an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Allocation {
    /// Granted and given back; peers are told this address.
    Granted(IpAddr),
    /// Refused with this STUN code.
    Refused(u16),
    /// Nothing came that could be read.
    Silent,
}

/// Sends a Binding request; the address from which it was seen, or `None` when nobody answers.
pub(super) async fn ask(address: SocketAddr) -> Option<SocketAddr> {
    let (socket, probe) = (connected(address).await?, BindingProbe::new()?);
    exchange(&socket, &probe.request(), |datagram| probe.read(datagram)).await
}

/// Makes an allocation and gives it back.
pub(super) async fn allocate(address: SocketAddr, username: &str, password: &str) -> Allocation {
    allocate_at(address, username, password).await.unwrap_or(Allocation::Silent)
}

async fn allocate_at(address: SocketAddr, username: &str, password: &str) -> Option<Allocation> {
    let socket = connected(address).await?;
    let (mut probe, mut request) = AllocateProbe::begin(username, password)?;
    for _ in 0..MAX_STEPS {
        match exchange(&socket, &request, |datagram| probe.read(datagram)).await? {
            AllocateStep::Send(next) => request = next,
            AllocateStep::Granted { relayed, release } => {
                // If it is lost, the allocation ends by itself.
                let _ = socket.send(&release).await;
                return Some(Allocation::Granted(relayed.ip()));
            }
            AllocateStep::Refused(code) => return Some(Allocation::Refused(code)),
        }
    }
    None
}

async fn connected(address: SocketAddr) -> Option<UdpSocket> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.ok()?;
    socket.connect(address).await.ok()?;
    Some(socket)
}

/// Sends until something comes that `read` takes.
async fn exchange<T>(socket: &UdpSocket, request: &[u8], mut read: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
    for _ in 0..TRIES {
        // A refusal of the try before is reported here; this one may arrive.
        let _ = socket.send(request).await;
        if let Ok(Some(found)) = timeout(WAIT, receive(socket, &mut read)).await {
            return Some(found);
        }
    }
    None
}

/// Waits for something that `read` takes; `None` as soon as the system says that the port is refused.
async fn receive<T>(socket: &UdpSocket, read: &mut impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
    let mut answer = [0; MAX_ANSWER_BYTES];
    loop {
        let len = socket.recv(&mut answer).await.ok()?;
        if let Some(found) = read(&answer[..len]) {
            return Some(found);
        }
    }
}
