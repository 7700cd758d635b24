//! The face of an independent participant: what a test asks of it, and what it got.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::rtcp;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use webcall_media::{Media, MediaError, ParticipantId};

use super::connection::{Connection, Manner};
use super::driver::{Driver, Feedback, Order};
use super::packets::{Losses, Received, Sending};
use super::soon;

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
            raw: Vec::new(),
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

    /// Sends bytes that are no packet of the connection's, from its own address.
    pub(crate) async fn send_raw(&self, to: SocketAddr, bytes: Vec<u8>) {
        self.with(move |driver| driver.raw.push((to, bytes))).await;
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
