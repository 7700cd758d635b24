//! One participant's WebSocket: enters the call, negotiates, says how large others are shown, and stays until dropped.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use webcall_media::Source;
use webcall_media::load::Generator;
use webcall_media::synthetic::{Identity, Participant, Settings};

use super::BenchError;
use super::api::Api;
use super::connect::Connection;
use crate::signal::protocol::Source as WireSource;
use crate::signal::protocol::{
    ClientFrame, ClientMessage, FeedKind, SeatOffer, ServerFrame, ServerMessage, TrackOffer, VERSION, Wish,
};

/// How long an answer may take. A storm of joins waits in a queue.
const PATIENCE: Duration = Duration::from_secs(30);

/// Filled with zeros at each read: the library's 128 KiB were half of what a thousand listeners cost the generator.
const READ_BUFFER_BYTES: usize = 8 << 10;

/// Whom somebody looks at, and how large.
pub(super) struct Shown {
    pub(super) participants: Vec<String>,
    pub(super) width_px: u32,
}

/// A participant in the call.
pub(super) struct Line {
    socket: WebSocketStream<Connection>,
    next_id: u32,
    /// Oneself.
    pub(super) me: String,
    /// When the ticket was asked for.
    pub(super) began: Instant,
}

impl Line {
    /// Enters the call of a room with a participant of these settings, which `generator` drives from then on.
    pub(super) async fn join(
        api: &Api,
        room: &str,
        settings: Settings,
        identity: &Identity,
        generator: &Generator,
    ) -> Result<Self, BenchError> {
        let began = Instant::now();
        let mut line = Self::open(api, began).await?;
        line.ask("hello", ClientMessage::Hello { version: VERSION, resume: None }).await?;
        let join = ClientMessage::Join { room: room.to_owned(), muted: Vec::new() };
        let ServerMessage::Joined { participant, .. } = line.ask("join", join).await? else {
            return Err(BenchError::call("join", "an answer of another kind"));
        };
        line.me = participant;
        let (epoch, unix_time) = generator.epoch();
        let seed = u64::from(settings.source);
        let mut participant = Participant::new(epoch, unix_time, settings, identity, seed)?;
        let offer = participant.offer();
        let tracks = offer.tracks.into_iter().map(|track| TrackOffer { mid: track.mid, source: wire_source(track.source) });
        let seats = offer.seats.into_iter().map(|seat| SeatOffer { audio_mid: seat.audio_mid, video_mid: seat.video_mid });
        let offer = ClientMessage::Offer { sdp: offer.sdp, tracks: tracks.collect(), seats: seats.collect() };
        let ServerMessage::Answer { sdp, .. } = line.ask("offer", offer).await? else {
            return Err(BenchError::call("offer", "an answer of another kind"));
        };
        participant.accept(Instant::now(), &sdp)?;
        let server = participant.server().ok_or_else(|| BenchError::call("offer", "the answer has no address"))?;
        generator.add(participant, server)?;
        Ok(line)
    }

    /// A connection that is in no call and hears what is written.
    pub(super) async fn listen(api: &Api) -> Result<Self, BenchError> {
        let mut line = Self::open(api, Instant::now()).await?;
        line.ask("hello", ClientMessage::Hello { version: VERSION, resume: None }).await?;
        Ok(line)
    }

    /// Waits for a message; when it came.
    pub(super) async fn entry(&mut self, id: &str) -> Result<Instant, BenchError> {
        let act = "waiting for a message";
        let arriving = async {
            while let Some(message) = self.socket.next().await {
                let arrived = Instant::now();
                if let Message::Text(text) = message.map_err(BenchError::of(act))?
                    && text.contains(id)
                {
                    return Ok(arrived);
                }
            }
            Err(BenchError::call(act, "the server closed the connection"))
        };
        tokio::time::timeout(PATIENCE, arriving).await.unwrap_or_else(|_| Err(BenchError::call(act, "it never came")))
    }

    async fn open(api: &Api, began: Instant) -> Result<Self, BenchError> {
        let act = "opening the WebSocket";
        let ticket = api.ticket().await?;
        let mut request = api.origin.websocket("/api/v1/ws").into_client_request().map_err(BenchError::of(act))?;
        let headers = [("origin", api.origin.as_page()), ("sec-websocket-protocol", format!("webcall.v1, ticket.{ticket}"))];
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().map_err(BenchError::of(act))?);
        }
        let stream = api.origin.connect().await.map_err(BenchError::of(act))?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let opened = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        let (socket, _) = opened.map_err(BenchError::of(act))?;
        Ok(Self { socket, next_id: 0, me: String::new(), began })
    }

    async fn show(&mut self, participants: &[String], width: u32) -> Result<(), BenchError> {
        let wish = |participant: &String| Wish { participant: participant.clone(), kind: FeedKind::Person, width, pinned: false };
        let wishes = participants.iter().filter(|participant| **participant != self.me).map(wish).collect();
        self.ask("view", ClientMessage::View { wishes }).await.map(|_| ())
    }

    /// Keeps the connection alive until the server ends it; says meanwhile, once it is known, whom the participant looks at.
    pub(super) async fn stay(mut self, shown: oneshot::Receiver<Shown>) {
        tokio::select! {
            () = self.read_on() => return,
            shown = shown => match shown {
                Ok(Shown { participants, width_px }) if self.show(&participants, width_px).await.is_ok() => {}
                _ => return,
            }
        }
        self.read_on().await;
    }

    /// Reads until the server ends the connection. The library answers pings meanwhile.
    pub(super) async fn read_on(&mut self) {
        while self.socket.next().await.is_some_and(|message| message.is_ok()) {}
    }

    async fn ask(&mut self, act: &'static str, message: ClientMessage) -> Result<ServerMessage, BenchError> {
        self.next_id += 1;
        let id = self.next_id;
        let text = serde_json::to_string(&ClientFrame { id, message }).map_err(BenchError::of(act))?;
        self.socket.send(Message::text(text)).await.map_err(BenchError::of(act))?;
        let answer = tokio::time::timeout(PATIENCE, self.answer_to(act, id)).await;
        answer.unwrap_or_else(|_| Err(BenchError::call(act, "no answer")))
    }

    async fn answer_to(&mut self, act: &'static str, wanted: u32) -> Result<ServerMessage, BenchError> {
        while let Some(message) = self.socket.next().await {
            let message = message.map_err(BenchError::of(act))?;
            let Message::Text(text) = message else { continue };
            let Ok(ServerFrame { message, .. }) = serde_json::from_str(&text) else { continue };
            match message {
                ServerMessage::Error { id, code, message } if id == wanted || id == 0 => {
                    return Err(BenchError::call(act, format!("{message} ({code})")));
                }
                ServerMessage::Welcome { id, .. }
                | ServerMessage::Ok { id }
                | ServerMessage::Joined { id, .. }
                | ServerMessage::Answer { id, .. }
                    if id == wanted =>
                {
                    return Ok(message);
                }
                _ => {}
            }
        }
        Err(BenchError::call(act, "the server closed the connection"))
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
