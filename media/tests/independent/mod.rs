//! An independent participant: the peer connection of the `rtc` crate over a UDP socket of its own, driven by a task.
//!
//! It knows the server only by [`Media`] and by what comes over the socket; no code of ours reads or writes its packets. The tests
//! that use it wait for events, each for at most [`BOUND`].

mod call;
mod connection;
mod tap;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rtc::peer_connection::RTCPeerConnection;
use rtc::peer_connection::event::RTCPeerConnectionEvent;
use rtc::peer_connection::message::RTCMessage;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::{rtcp, rtp};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use webcall_media::{Media, MediaError, ParticipantId, Source};

pub(crate) use call::{Call, SeatIds, local_config};
pub(crate) use connection::{Connection, Manner, Naming, Ssrcs};

/// How long anything may take. Generous: the machine may be busy, and nothing here measures time.
pub(crate) const BOUND: Duration = Duration::from_secs(20);
/// The largest datagram that anybody sends here.
const MAX_DATAGRAM_BYTES: usize = 2048;
/// The connection's timers are not looked at more often than this.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Awaits something that must happen within [`BOUND`].
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(BOUND, future).await {
        Ok(value) => value,
        Err(_) => panic!("did not happen within {BOUND:?}: {what}"),
    }
}

/// A packet as the application of the other implementation gets it.
#[derive(Debug)]
pub(crate) struct Received {
    /// The track of the answer, e.g. `v1`: the picture of seat 1.
    pub(crate) track: String,
    pub(crate) packet: rtp::Packet,
}

/// A packet to send.
#[derive(Clone)]
pub(crate) struct Sending {
    pub(crate) source: Source,
    pub(crate) seq: u16,
    pub(crate) timestamp: u32,
    pub(crate) payload: Vec<u8>,
}

/// One frame of sound; its payload is opaque to everybody here.
pub(crate) fn sound(seq: u16) -> Sending {
    Sending { source: Source::Microphone, seq, timestamp: 960 * u32::from(seq), payload: format!("sound {seq}").into_bytes() }
}

/// A whole VP8 keyframe in one packet: a descriptor without picture id, then the frame (RFC 7741 §§4.2, 4.3).
pub(crate) fn keyframe(seq: u16) -> Sending {
    let mut payload = vec![0x10, 0x50, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];
    payload.extend_from_slice(format!("keyframe {seq}").as_bytes());
    Sending { source: Source::Camera, seq, timestamp: 3000 * u32::from(seq), payload }
}

/// A datagram that the network is to lose: the next RTP of this payload type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Losses {
    pub(crate) next_sent: Option<u8>,
    pub(crate) next_received: Option<u8>,
}

type Order = Box<dyn FnOnce(&mut Driver) + Send>;

pub(crate) struct Participant {
    pub(crate) id: ParticipantId,
    pub(crate) manner: Manner,
    /// The answer to the newest offer.
    pub(crate) answer: String,
    orders: mpsc::UnboundedSender<Order>,
    received: mpsc::UnboundedReceiver<Received>,
    feedback: mpsc::UnboundedReceiver<Feedback>,
    state: watch::Receiver<RTCPeerConnectionState>,
}

type Feedback = Box<dyn rtcp::Packet>;

impl Participant {
    /// Opens a socket on `host`. The participant has to be in a call already; nothing is sent before [`Self::negotiate`].
    pub(crate) async fn new(id: ParticipantId, manner: Manner, host: IpAddr) -> Self {
        let socket = UdpSocket::bind((host, 0)).await.expect("a port on loopback");
        let local = socket.local_addr().expect("it is bound");
        let connection = Connection::new(Instant::now(), id.0, manner, local);
        let (orders, order_receiver) = mpsc::unbounded_channel();
        let (received_sender, received) = mpsc::unbounded_channel();
        let (feedback_sender, feedback) = mpsc::unbounded_channel();
        let (state_sender, state) = watch::channel(RTCPeerConnectionState::New);
        let driver = Driver {
            connection,
            socket,
            local,
            losses: Losses::default(),
            received: received_sender,
            feedback: feedback_sender,
            state: state_sender,
        };
        tokio::spawn(driver.run(order_receiver));
        Self { id, manner, answer: String::new(), orders, received, feedback, state }
    }

    /// Offers microphone, camera, the seats so far and `new_seats` more, and takes the server's answer.
    pub(crate) async fn negotiate(&mut self, media: &Media, new_seats: usize) -> Result<(), MediaError> {
        let offer = self.with(move |driver| {
            driver.connection.add_seats(new_seats);
            driver.connection.offer(Instant::now())
        });
        let offer = offer.await;
        self.answer = soon("an answer", media.negotiate(self.id, offer)).await?;
        let answer = RTCSessionDescription::answer(self.answer.clone()).expect("the answer is SDP");
        let taken = self.with(move |driver| driver.connection.pc.set_remote_description(Instant::now(), answer)).await;
        taken.unwrap_or_else(|error| panic!("the answer is refused: {error}\n{}", self.answer));
        Ok(())
    }

    pub(crate) async fn connected(&mut self) {
        let state = self.state.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        soon("the peer connection connects", state).await.expect("the task goes on");
    }

    pub(crate) async fn send(&self, sending: Sending) {
        self.with(move |driver| driver.write(sending)).await;
    }

    /// The next packet that reached the application.
    pub(crate) async fn receive(&mut self) -> Received {
        soon("a packet", self.received.recv()).await.expect("the task goes on")
    }

    /// The next RTCP packet of this kind that reached the application.
    pub(crate) async fn feedback<P: rtcp::Packet + Clone + 'static>(&mut self) -> P {
        let next = async {
            loop {
                let packet = self.feedback.recv().await.expect("the task goes on");
                if let Some(packet) = packet.as_any().downcast_ref::<P>() {
                    return packet.clone();
                }
            }
        };
        soon(std::any::type_name::<P>(), next).await
    }

    pub(crate) async fn lose(&self, losses: Losses) {
        self.with(move |driver| driver.losses = losses).await;
    }

    /// Does something with the connection, between two datagrams.
    pub(crate) async fn with<T: Send + 'static>(&self, order: impl FnOnce(&mut Driver) -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        let order = move |driver: &mut Driver| {
            // Nobody waits any more when the test has failed.
            let _ = done.send(order(driver));
        };
        assert!(self.orders.send(Box::new(order)).is_ok(), "the task goes on");
        result.await.expect("the task goes on")
    }
}

/// The I/O around one connection: all of its socket and clock.
pub(crate) struct Driver {
    pub(crate) connection: Connection,
    socket: UdpSocket,
    local: SocketAddr,
    losses: Losses,
    received: mpsc::UnboundedSender<Received>,
    feedback: mpsc::UnboundedSender<Feedback>,
    state: watch::Sender<RTCPeerConnectionState>,
}

impl Driver {
    /// Runs until the participant is dropped.
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
        loop {
            self.drain().await;
            let wait = self.pc().poll_timeout().map_or(BOUND, |at| at.saturating_duration_since(Instant::now()));
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => order(&mut self),
                    None => return,
                },
                result = self.socket.recv_from(&mut buffer) => self.read(result, &buffer),
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

    fn read(&mut self, result: io::Result<(usize, SocketAddr)>, buffer: &[u8]) {
        let Ok((len, peer_addr)) = result else { return };
        let message = BytesMut::from(&buffer[..len]);
        if takes_loss(&mut self.losses.next_received, &message) {
            return;
        }
        let transport =
            TransportContext { local_addr: self.local, peer_addr, ecn: None, transport_protocol: TransportProtocol::UDP };
        // Whatever it thinks of a datagram shows in what it does next.
        let _ = self.pc().handle_read(TaggedBytesMut { now: Instant::now(), transport, message });
    }

    fn write(&mut self, sending: Sending) {
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
            let mid = extensions.iter().find(|extension| extension.uri == connection::MID_EXTENSION).expect("negotiated");
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
