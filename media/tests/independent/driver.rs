//! The I/O of an independent participant: one task with its socket and its clock around the sans-IO connection.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::{rtcp, rtp};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};

use super::BOUND;
use super::connection::{Connection, MID_EXTENSION, Naming};
use super::packets::{Losses, Received, Sending};

/// The largest datagram that anybody sends here.
const MAX_DATAGRAM_BYTES: usize = 2048;
/// The connection's timers are not looked at more often than this.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Something that a test does with the connection, between two datagrams.
pub(super) type Order = Box<dyn FnOnce(&mut Driver) + Send>;
pub(super) type Feedback = Box<dyn rtcp::Packet>;

/// The I/O around one connection: all of its socket and clock.
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    pub(super) socket: UdpSocket,
    pub(super) local: SocketAddr,
    pub(super) losses: Losses,
    /// Datagrams that go out as they are.
    pub(super) raw: Vec<(SocketAddr, Vec<u8>)>,
    pub(super) received: mpsc::UnboundedSender<Received>,
    pub(super) feedback: mpsc::UnboundedSender<Feedback>,
    pub(super) state: watch::Sender<RTCPeerConnectionState>,
}

impl Driver {
    /// Runs until the participant is dropped.
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
        loop {
            self.drain().await;
            let wait = self.pc().poll_timeout().map_or(BOUND, |at| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => order(&mut self),
                    None => return,
                },
                result = self.socket.recv_from(&mut buffer) => {
                    // A refused port of somebody who left shows as an error here; it concerns nobody.
                    if let Ok((len, from)) = result {
                        self.read(&buffer[..len], from);
                    }
                }
                () = tokio::time::sleep(wait.max(SHORTEST_WAIT)) => {
                    let _ = self.pc().handle_timeout(Instant::now());
                }
            }
        }
    }

    fn pc(&mut self) -> &mut RTCPeerConnection {
        &mut self.connection.pc
    }

    /// Takes everything out of the connection that it has to give.
    async fn drain(&mut self) {
        for (to, bytes) in self.raw.drain(..) {
            self.socket.send_to(&bytes, to).await.expect("loopback takes it");
        }
        while let Some(out) = self.connection.pc.poll_write() {
            if !takes_loss(&mut self.losses.next_sent, &out.message) {
                // What a closed port answers is no concern of the sender's.
                let _ = self.socket.send_to(&out.message, out.transport.peer_addr).await;
            }
        }
        while let Some(event) = self.pc().poll_event() {
            if let RTCPeerConnectionEvent::OnConnectionStateChangeEvent(state) = event {
                self.state.send_replace(state);
            }
        }
        while let Some(message) = self.pc().poll_read() {
            match message.message {
                RTCMessage::RtpPacket(track, packet) => _ = self.received.send(Received { track, packet }),
                RTCMessage::RtcpPacket(_, packets) => {
                    packets.into_iter().for_each(|packet| _ = self.feedback.send(packet));
                }
                _ => {}
            }
        }
    }

    fn read(&mut self, datagram: &[u8], peer_addr: SocketAddr) {
        let message = BytesMut::from(datagram);
        if takes_loss(&mut self.losses.next_received, &message) {
            return;
        }
        let transport =
            TransportContext { local_addr: self.local, peer_addr, ecn: None, transport_protocol: TransportProtocol::UDP };
        // Whatever it thinks of a datagram shows in what it does next.
        let _ = self.pc().handle_read(TaggedBytesMut { now: Instant::now(), transport, message });
    }

    pub(super) fn write(&mut self, sending: Sending) {
        let Connection { pc, manner, ssrcs, microphone, camera, .. } = &mut self.connection;
        let is_audio = sending.source.is_audio();
        let (id, ssrc, payload_type) =
            if is_audio { (*microphone, ssrcs.audio, manner.opus) } else { (*camera, ssrcs.video, manner.vp8) };
        let mut header = rtp::Header {
            version: 2,
            marker: !is_audio,
            payload_type,
            sequence_number: sending.seq,
            timestamp: sending.timestamp,
            ssrc,
            ..Default::default()
        };
        let mut sender = pc.rtp_sender(id).expect("the track is there");
        if manner.naming == Naming::Mids {
            let extensions = &sender.get_parameters().rtp_parameters.header_extensions;
            let mid = extensions.iter().find(|extension| extension.uri == MID_EXTENSION).expect("negotiated");
            let value = if is_audio { "0" } else { "1" };
            header.set_extension(mid.id as u8, Bytes::from_static(value.as_bytes())).expect("it fits");
        }
        let packet = rtp::Packet { header, payload: Bytes::from(sending.payload) };
        sender.write_rtp(Instant::now(), packet).expect("the packet is one of the track's");
    }
}

/// Whether this datagram is the one to be lost; if so, it was the last.
fn takes_loss(next: &mut Option<u8>, datagram: &[u8]) -> bool {
    let is_it = matches!(datagram, [128..=191, second, ..] if Some(second & 0x7f) == *next);
    if is_it {
        *next = None;
    }
    is_it
}
