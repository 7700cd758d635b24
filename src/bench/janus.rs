//! Janus as the server to be measured: its videoroom plugin over its WebSocket API. One publisher or one subscriber is one handle.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use webcall_media::load::Generator;
use webcall_media::synthetic::{Identity, Participant, Settings};

use super::BenchError;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Janus ends a session of which it hears nothing for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A session with one handle.
pub(super) struct JanusLine {
    socket: WebSocketStream<TcpStream>,
    session: u64,
    handle: u64,
    next: u64,
    /// The feed that others subscribe to; empty for who only receives.
    pub(super) me: String,
    pub(super) began: Instant,
}

/// Makes a room on the Janus at this address, `host:port`; its number.
pub(super) async fn create_room(authority: &str) -> Result<String, BenchError> {
    let mut line = JanusLine::open(authority).await?;
    let body = json!({
        "request": "create", "publishers": 200, "bitrate": 0, "fir_freq": 0, "audiocodec": "opus", "videocodec": "vp8",
        "notify_joining": false,
    });
    let answer = line.message("making a room", body, None).await?;
    let room = answer["plugindata"]["data"]["room"].as_u64();
    // The handle is closed with the socket; the room stays.
    room.map(|room| room.to_string()).ok_or_else(|| BenchError::call("making a room", answer.to_string()))
}

impl JanusLine {
    /// Joins as a publisher when the settings send something, else as a subscriber of `feeds`.
    pub(super) async fn join(
        authority: &str,
        (room, feeds): (&str, &[String]),
        settings: Settings,
        identity: &Identity,
        generator: &Generator,
    ) -> Result<Self, BenchError> {
        let began = Instant::now();
        let mut line = Self::open(authority).await?;
        line.began = began;
        let room: u64 = room.parse().map_err(|_| BenchError::call("join", "a room of Janus is a number"))?;
        let (epoch, unix_time) = generator.epoch();
        let sends = settings.camera.is_some() || settings.microphone.is_some();
        let seed = u64::from(settings.source);
        let mut participant = Participant::new(epoch, unix_time, settings, identity, seed)?;
        if sends {
            line.publish(room, &mut participant).await?;
        } else {
            line.subscribe(room, feeds, &mut participant).await?;
        }
        let server = participant.server().ok_or_else(|| BenchError::call("join", "Janus offers no address"))?;
        generator.add(participant, server)?;
        Ok(line)
    }

    async fn publish(&mut self, room: u64, participant: &mut Participant) -> Result<(), BenchError> {
        let body = json!({ "request": "join", "ptype": "publisher", "room": room });
        let joined = self.message("join", body, None).await?;
        self.me = joined["plugindata"]["data"]["id"].as_u64().map(|id| id.to_string()).unwrap_or_default();
        // As the DTLS client of a server that waits, like everywhere else.
        let sdp = with_candidate(&participant.offer().sdp.replace("a=setup:actpass", "a=setup:active"));
        let jsep = json!({ "type": "offer", "sdp": sdp, "trickle": false });
        let answer = self.message("publish", json!({ "request": "publish" }), Some(jsep)).await?;
        let sdp = answer["jsep"]["sdp"].as_str().ok_or_else(|| BenchError::call("publish", answer.to_string()))?;
        Ok(participant.accept(Instant::now(), sdp)?)
    }

    async fn subscribe(&mut self, room: u64, feeds: &[String], participant: &mut Participant) -> Result<(), BenchError> {
        let streams: Vec<Value> = feeds.iter().filter_map(|feed| Some(json!({ "feed": feed.parse::<u64>().ok()? }))).collect();
        let body = json!({ "request": "join", "ptype": "subscriber", "room": room, "streams": streams });
        let offer = self.message("subscribe", body, None).await?;
        let sdp = offer["jsep"]["sdp"].as_str().ok_or_else(|| BenchError::call("subscribe", offer.to_string()))?;
        let jsep =
            json!({ "type": "answer", "sdp": with_candidate(&participant.answer(Instant::now(), sdp)?), "trickle": false });
        self.message("start", json!({ "request": "start" }), Some(jsep)).await.map(|_| ())
    }

    /// Keeps the session alive until the server ends it.
    pub(super) async fn stay(mut self) {
        let mut pulse = tokio::time::interval(KEEP_ALIVE);
        loop {
            tokio::select! {
                message = self.socket.next() => if message.is_none_or(|message| message.is_err()) { return },
                _ = pulse.tick() => {
                    let text = json!({ "janus": "keepalive", "session_id": self.session, "transaction": "alive" }).to_string();
                    if self.socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    async fn open(authority: &str) -> Result<Self, BenchError> {
        let act = "opening a session";
        let mut request = format!("ws://{authority}/").into_client_request().map_err(BenchError::of(act))?;
        let protocol = "janus-protocol".parse().map_err(BenchError::of(act))?;
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.map_err(BenchError::of(act))?;
        let mut line = Self { socket, session: 0, handle: 0, next: 0, me: String::new(), began: Instant::now() };
        line.session = id(&line.request(act, json!({ "janus": "create" })).await?)?;
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        line.handle = id(&line.request(act, attach).await?)?;
        Ok(line)
    }

    async fn message(&mut self, act: &'static str, body: Value, jsep: Option<Value>) -> Result<Value, BenchError> {
        let mut message = json!({ "janus": "message", "body": body });
        if let Some(jsep) = jsep {
            message["jsep"] = jsep;
        }
        self.request(act, message).await
    }

    /// Asks, and waits for what answers; an `ack` only says that it was heard.
    async fn request(&mut self, act: &'static str, mut request: Value) -> Result<Value, BenchError> {
        self.next += 1;
        let transaction = self.next.to_string();
        request["transaction"] = json!(transaction);
        if self.session != 0 {
            request["session_id"] = json!(self.session);
        }
        if self.handle != 0 {
            request["handle_id"] = json!(self.handle);
        }
        self.socket.send(Message::text(request.to_string())).await.map_err(BenchError::of(act))?;
        let answer = tokio::time::timeout(PATIENCE, self.answer(act, &transaction)).await;
        answer.unwrap_or_else(|_| Err(BenchError::call(act, "no answer")))
    }

    async fn answer(&mut self, act: &'static str, transaction: &str) -> Result<Value, BenchError> {
        while let Some(message) = self.socket.next().await {
            let Message::Text(text) = message.map_err(BenchError::of(act))? else { continue };
            let Ok(answer) = serde_json::from_str::<Value>(&text) else { continue };
            if answer["transaction"] != transaction || answer["janus"] == "ack" {
                continue;
            }
            let error = [&answer["error"], &answer["plugindata"]["data"]["error"]].into_iter().find(|error| !error.is_null());
            return match error {
                Some(error) => Err(BenchError::call(act, error.to_string())),
                None => Ok(answer),
            };
        }
        Err(BenchError::call(act, "Janus closed the connection"))
    }
}

/// Janus waits for a candidate of the other side before it looks at checks. Where those come from it then sees for itself.
fn with_candidate(sdp: &str) -> String {
    sdp.replacen("a=mid:0\r\n", "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n", 1)
}

fn id(answer: &Value) -> Result<u64, BenchError> {
    answer["data"]["id"].as_u64().ok_or_else(|| BenchError::call("opening a session", answer.to_string()))
}
