//! A client of the protocol over a real WebSocket. Every wait has a generous bound, so that a test fails instead of hanging.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use webcall::accounts::Principal;
use webcall::id::RoomId;
use webcall::signal::protocol::{
    ClientFrame, ClientMessage, MediaState, ModeratorAction, Participant, Resume, ServerFrame, ServerMessage, Source, VERSION,
};

use crate::server::Server;

const PATIENCE: Duration = Duration::from_secs(20);

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Looks again and again, until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(what, looking).await;
}

/// A WebSocket before anything was said.
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

/// How an upgrade was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) code: String,
}

impl Socket {
    /// Upgrades with these headers.
    pub(crate) async fn open(server: &Server, origin: Option<&str>, subprotocols: &str) -> Result<Self, Refused> {
        let mut request = format!("ws://{}/api/v1/ws", server.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        request.headers_mut().insert("sec-websocket-protocol", subprotocols.parse().unwrap());
        match soon("the upgrade", connect_async(request)).await {
            Ok((socket, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "webcall.v1");
                Ok(Self(socket))
            }
            Err(tungstenite::Error::Http(response)) => {
                let body: serde_json::Value = serde_json::from_slice(response.body().as_deref().unwrap()).unwrap();
                let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
                Err(Refused { status: response.status(), content_type, code: body["code"].as_str().unwrap().to_owned() })
            }
            Err(error) => panic!("neither let in nor refused: {error}"),
        }
    }

    pub(crate) async fn connect(server: &Server, principal: &Principal) -> Self {
        let (origin, ticket) = (format!("http://{}", server.address), server.ticket(principal));
        Self::open(server, Some(&origin), &format!("webcall.v1, ticket.{ticket}")).await.expect("must be let in")
    }

    pub(crate) async fn send(&mut self, message: Message) {
        soon("sending", self.0.send(message)).await.unwrap();
    }

    pub(crate) async fn say(&mut self, id: u32, message: ClientMessage) {
        self.send(Message::text(serde_json::to_string(&ClientFrame { id, message }).unwrap())).await;
    }

    /// The next frame, or the code that the server closes with (1006 when it only ends).
    pub(crate) async fn hear(&mut self) -> Result<ServerFrame, u16> {
        loop {
            match soon("a message", self.0.next()).await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(other)) => panic!("unexpected: {other:?}"),
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// Reads on until the server closes.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear().await {
                return code;
            }
        }
    }
}

/// A client that has said hello. Checks that the numbers of the server's messages have no gap.
pub(crate) struct Client {
    pub(crate) socket: Socket,
    pub(crate) secret: String,
    pub(crate) resumed: bool,
    pub(crate) last_seq: u64,
    /// Oneself in the call.
    pub(crate) me: String,
    /// The call that was entered last.
    pub(crate) call: String,
    next_id: u32,
    pub(crate) events: VecDeque<ServerMessage>,
}

impl Client {
    pub(crate) async fn connect(server: &Server, principal: &Principal) -> Self {
        Self::greet(Socket::connect(server, principal).await, None).await
    }

    /// Continues what `earlier` was, or tries to.
    pub(crate) async fn resume(server: &Server, principal: &Principal, earlier: &Self) -> Self {
        let resume = Resume { connection: earlier.secret.clone(), last_seq: earlier.last_seq };
        let mut client = Self::greet(Socket::connect(server, principal).await, Some(resume)).await;
        client.me.clone_from(&earlier.me);
        client.call.clone_from(&earlier.call);
        client
    }

    pub(crate) async fn greet(mut socket: Socket, resume: Option<Resume>) -> Self {
        socket.say(1, ClientMessage::Hello { version: VERSION, resume: resume.clone() }).await;
        let ServerFrame { seq, message } = socket.hear().await.unwrap();
        let ServerMessage::Welcome { id: 1, connection, resumed, .. } = message else { panic!("no welcome: {message:?}") };
        assert_eq!(seq, if resumed { resume.unwrap().last_seq } else { 1 });
        let (me, call, events) = (String::new(), String::new(), VecDeque::new());
        Self { socket, secret: connection, resumed, last_seq: seq, me, call, next_id: 100, events }
    }

    /// Connects and enters the call of a room.
    pub(crate) async fn enter(server: &Server, principal: &Principal, room: RoomId) -> Self {
        let mut client = Self::connect(server, principal).await;
        client.join(room).await;
        client
    }

    /// Enters the call of a room; returns who is in.
    pub(crate) async fn join(&mut self, room: RoomId) -> Vec<Participant> {
        match self.ask(ClientMessage::Join { room: room.to_string(), muted: vec![] }).await {
            ServerMessage::Joined { call, participant, participants, .. } => {
                (self.me, self.call) = (participant, call);
                participants
            }
            other => panic!("not joined: {other:?}"),
        }
    }

    /// The socket breaks, and the server has noticed; the client means to come back.
    pub(crate) async fn lose_socket(&mut self, server: &Server) {
        let before = server.signalling.detached();
        soon("the close", self.socket.0.close(None)).await.unwrap();
        while self.socket.hear().await.is_ok() {}
        until("the broken socket", || server.signalling.detached() > before).await;
    }

    /// Says something and waits for the answer; what comes in between is kept for [`Client::event`].
    pub(crate) async fn ask(&mut self, message: ClientMessage) -> ServerMessage {
        self.next_id += 1;
        let id = self.next_id;
        self.socket.say(id, message).await;
        loop {
            let message = self.hear().await.expect("the connection must stay");
            match request_of(&message) {
                Some(of) if of == id => return message,
                Some(other) => panic!("an answer to {other} instead of {id}: {message:?}"),
                None => self.events.push_back(message),
            }
        }
    }

    pub(crate) async fn must(&mut self, message: ClientMessage) {
        let answer = self.ask(message.clone()).await;
        assert!(matches!(answer, ServerMessage::Ok { .. }), "{message:?}: {answer:?}");
    }

    /// The code of the error that a request is answered with.
    pub(crate) async fn refused(&mut self, message: ClientMessage) -> String {
        match self.ask(message.clone()).await {
            ServerMessage::Error { code, .. } => code,
            other => panic!("{message:?} is not refused: {other:?}"),
        }
    }

    /// The next thing that the server says of its own accord, leaving out what the media core says of its state.
    pub(crate) async fn event(&mut self) -> ServerMessage {
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => self.hear().await.expect("the connection must stay"),
            };
            if !matches!(event, ServerMessage::Media { state: MediaState::Disconnected }) {
                return event;
            }
        }
    }

    /// Waits for an event and forgets those before it.
    pub(crate) async fn until_event(&mut self, what: &str, mut is_it: impl FnMut(&ServerMessage) -> bool) {
        soon(what, async { while !is_it(&self.event().await) {} }).await;
    }

    /// What came since [`Client::event`] was asked last; makes sense after an answer.
    pub(crate) fn events_so_far(&mut self) -> Vec<ServerMessage> {
        self.events.drain(..).collect()
    }

    pub(crate) async fn hear(&mut self) -> Result<ServerMessage, u16> {
        let ServerFrame { seq, message } = self.socket.hear().await?;
        assert_eq!(seq, self.last_seq + 1, "a gap before {message:?}");
        self.last_seq = seq;
        Ok(message)
    }
}

pub(crate) fn mute(source: Source, muted: bool) -> ClientMessage {
    ClientMessage::Mute { source, muted }
}

pub(crate) fn moderate(participant: &str, action: ModeratorAction) -> ClientMessage {
    ClientMessage::Moderate { participant: participant.to_owned(), action }
}

fn request_of(message: &ServerMessage) -> Option<u32> {
    match message {
        ServerMessage::Welcome { id, .. }
        | ServerMessage::Ok { id }
        | ServerMessage::Error { id, .. }
        | ServerMessage::Joined { id, .. }
        | ServerMessage::Posted { id, .. }
        | ServerMessage::Page { id, .. }
        | ServerMessage::Pinned { id, .. }
        | ServerMessage::Acted { id, .. }
        | ServerMessage::Answer { id, .. } => Some(*id),
        _ => None,
    }
}
