//! Carries a connection of TURN, or of a participant's packets, between its socket and the media worker that understands it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;
use webcall_media::turn::Transport;
use webcall_media::{Grouping, Media, TcpInlet, TcpOutlet, has_first_packet};

/// What is read at a time, bytes: a TLS record.
const CHUNK_BYTES: usize = 16 << 10;
/// How long the first packet of a participant's connection may take to arrive whole.
const FIRST_PACKET_TIME: Duration = Duration::from_secs(5);
/// The longest first packet: a connectivity check (RFC 6544 §3) of about 100 bytes, behind its length.
const MAX_FIRST_BYTES: usize = 2_048;
/// A connection that takes nothing for so long is dead: calls recover from it sooner by another.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// Carries TURN until either side has had enough.
pub(super) async fn carry_turn(
    media: &Media,
    io: impl AsyncRead + AsyncWrite,
    remote: SocketAddr,
    transport: Transport,
    stopped: impl Future<Output = ()>,
) {
    if let Ok((inlet, outlet)) = media.connect_turn(transport, remote) {
        let grouping = if transport == Transport::Tls { Grouping::Single } else { Grouping::Many };
        carry(io, Vec::new(), inlet, (outlet, grouping), stopped).await;
    }
}

/// Carries a participant's packets; the first says to which worker.
pub(super) async fn carry_packets(
    media: &Media,
    io: impl AsyncRead + AsyncWrite + Unpin,
    remote: SocketAddr,
    local: SocketAddr,
    stopped: impl Future<Output = ()>,
) {
    let mut io = io;
    let mut first = Vec::new();
    let reading = async {
        while !has_first_packet(&first) && first.len() <= MAX_FIRST_BYTES {
            let before = first.len();
            let read = io.read_buf(&mut first).await.ok()?;
            if read == 0 || first.len() == before {
                return None;
            }
        }
        Some(())
    };
    if timeout(FIRST_PACKET_TIME, reading).await.ok().flatten().is_none() {
        return;
    }
    if let Ok((inlet, outlet)) = media.connect_ice(remote, local, &first) {
        carry(io, first, inlet, (outlet, Grouping::Many), stopped).await;
    }
}

async fn carry(
    io: impl AsyncRead + AsyncWrite,
    first: Vec<u8>,
    mut inlet: TcpInlet,
    (mut outlet, grouping): (TcpOutlet, Grouping),
    stopped: impl Future<Output = ()>,
) {
    let (mut reading, mut writing) = split(io);
    let receive = async {
        let mut buffer = vec![0; CHUNK_BYTES];
        if !inlet.write(&first).await {
            return;
        }
        loop {
            match reading.read(&mut buffer).await {
                // A half-closed connection is closed: nothing asks for answers any more.
                Ok(0) | Err(_) => return,
                Ok(len) if !inlet.write(&buffer[..len]).await => return,
                Ok(_) => {}
            }
        }
    };
    let send = async {
        let mut buffer = Vec::new();
        loop {
            outlet.read(&mut buffer, grouping).await;
            if buffer.is_empty() {
                break;
            }
            let write = async {
                writing.write_all(&buffer).await?;
                writing.flush().await
            };
            if !matches!(timeout(WRITE_TIME, write).await, Ok(Ok(()))) {
                return;
            }
        }
        // Says goodbye where there is TLS; what cannot be said is not missed.
        let _ = timeout(WRITE_TIME, writing.shutdown()).await;
    };
    tokio::select! {
        () = receive => {}
        () = send => {}
        () = stopped => {}
    }
}
