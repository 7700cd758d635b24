//! A call of two synthetic participants: real packets, real signalling.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use webcall::signal::protocol::{
    ClientFrame, ClientMessage, SeatOffer, ServerFrame, ServerMessage, Source as WireSource, TrackOffer, VERSION,
};
use webcall_media::Source;
use webcall_media::load::Generator;
use webcall_media::synthetic::{Identity, Participant, Settings, VideoCodec};

use crate::binary::Caller;
use crate::{soon, until};

/// Pictures that show that it goes on.
const SOME_PICTURES: u64 = 10;

/// A running call.
pub(crate) struct Call {
    lines: Vec<Line>,
    generator: Arc<Generator>,
}

impl Call {
    /// Lets people into the call of a room; returns once each sees another.
    pub(crate) async fn begin(people: &[&Caller], room: &str) -> Self {
        let generator = Arc::new(Generator::start().unwrap());
        let identity = Identity::generate().unwrap();
        let mut lines = Vec::new();
        for (n, caller) in people.iter().enumerate() {
            let settings = Settings::caller(u32::try_from(n).unwrap() + 1, &[VideoCodec::Vp8], 2);
            lines.push(Line::join(caller, room, settings, &identity, &generator).await);
        }
        let call = Self { lines, generator };
        call.must_show_more().await;
        call
    }

    /// Everybody sees new pictures.
    pub(crate) async fn must_show_more(&self) {
        let before = self.shown();
        let is_more = || self.shown().iter().zip(&before).all(|(now, before)| *now >= before + SOME_PICTURES);
        until("pictures", async || is_more()).await;
    }

    fn shown(&self) -> Vec<u64> {
        let shown =
            |participant: &mut Participant| (0..participant.seats()).map(|seat| participant.video(seat).shown).sum::<u64>();
        self.generator.ask(move |_, people| people.map(shown).collect()).unwrap()
    }

    /// The server answers what is asked in the call, and nobody was thrown out of it.
    pub(crate) async fn must_answer(&mut self) {
        for line in &mut self.lines {
            for raised in [true, false] {
                let answer = line.ask(ClientMessage::Hand { raised }).await;
                assert!(matches!(answer, ServerMessage::Ok { .. }), "{answer:?}");
            }
        }
    }

    /// The longest time that anybody saw no new picture.
    pub(crate) fn longest_gap(&self) -> Duration {
        let longest = |participant: &mut Participant| {
            (0..participant.seats()).map(|seat| participant.video(seat).longest_gap).max().unwrap_or_default()
        };
        self.generator.ask(move |_, people| people.map(longest).max()).unwrap().unwrap_or_default()
    }
}

/// One participant's signalling.
struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u32,
}

impl Line {
    async fn join(caller: &Caller, room: &str, settings: Settings, identity: &Identity, generator: &Generator) -> Self {
        let ticket = caller.must(Method::POST, "ws-ticket", None).await.expect("it answers");
        let address = caller.url.replace("http://", "ws://") + "/api/v1/ws";
        let mut request = address.into_client_request().unwrap();
        let protocols = format!("webcall.v1, ticket.{}", ticket["ticket"].as_str().unwrap());
        for (name, value) in [("origin", caller.url.clone()), ("sec-websocket-protocol", protocols)] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (socket, _) = soon("the upgrade", connect_async(request)).await.unwrap();
        let mut line = Self { socket, next_id: 0 };
        line.ask(ClientMessage::Hello { version: VERSION, resume: None }).await;
        let joined = line.ask(ClientMessage::Join { room: room.to_owned(), muted: Vec::new() }).await;
        assert!(matches!(joined, ServerMessage::Joined { .. }), "{joined:?}");

        let (epoch, unix_time) = generator.epoch();
        let seed = u64::from(settings.source);
        let mut participant = Participant::new(epoch, unix_time, settings, identity, seed).unwrap();
        let offer = participant.offer();
        let tracks = offer.tracks.into_iter().map(|track| TrackOffer { mid: track.mid, source: wire_source(track.source) });
        let seats = offer.seats.into_iter().map(|seat| SeatOffer { audio_mid: seat.audio_mid, video_mid: seat.video_mid });
        let offer = ClientMessage::Offer { sdp: offer.sdp, tracks: tracks.collect(), seats: seats.collect() };
        let ServerMessage::Answer { sdp, .. } = line.ask(offer).await else { panic!("the offer must be answered") };
        participant.accept(Instant::now(), &sdp).unwrap();
        let server = participant.server().expect("the answer has an address");
        generator.add(participant, server).unwrap();
        line
    }

    /// Says something and waits for its answer.
    async fn ask(&mut self, message: ClientMessage) -> ServerMessage {
        self.next_id += 1;
        let wanted = self.next_id;
        let text = serde_json::to_string(&ClientFrame { id: wanted, message }).unwrap();
        soon("sending", self.socket.send(Message::text(text))).await.unwrap();
        loop {
            let message = soon("an answer", self.socket.next()).await.expect("the connection must stay").unwrap();
            let Message::Text(text) = message else { continue };
            let ServerFrame { message, .. } = serde_json::from_str(&text).unwrap();
            match &message {
                ServerMessage::Removed { reason } => panic!("removed from the call: {reason:?}"),
                ServerMessage::Welcome { id, .. }
                | ServerMessage::Ok { id }
                | ServerMessage::Error { id, .. }
                | ServerMessage::Joined { id, .. }
                | ServerMessage::Answer { id, .. }
                    if *id == wanted =>
                {
                    return message;
                }
                _ => {}
            }
        }
    }
}

fn wire_source(source: Source) -> WireSource {
    match source {
        Source::Microphone => WireSource::Microphone,
        Source::Camera => WireSource::Camera,
        Source::Screen => WireSource::Screen,
        Source::ScreenAudio => WireSource::ScreenAudio,
    }
}
