//! Accounts that write, each over a connection of its own that stays open, and members that listen.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::task::JoinSet;

use crate::bench::BenchError;
use crate::bench::api::Api;
use crate::bench::connect::Origin;
use crate::bench::server::OwnServer;
use crate::bench::signalling::Line;
use crate::id::MessageId;
use crate::time::Clock;

/// Accounts of an audience, and of idle connections: each has many windows, because making an account costs a quarter of a second.
const AUDIENCE_ACCOUNTS: usize = 20;

/// A message's body of so many random bytes, as it is sent.
pub(super) fn body(bytes: usize) -> String {
    let mut body = vec![0; bytes];
    SystemRandom::new().fill(&mut body).expect("the system gives random numbers");
    URL_SAFE_NO_PAD.encode(body)
}

/// One who writes to one room.
pub(super) struct Sender {
    connection: SendRequest<Full<Bytes>>,
    authority: String,
    authorization: String,
    path: String,
}

impl Sender {
    async fn connect(api: &Api, room: &str) -> Result<Self, BenchError> {
        let act = "connecting";
        let stream = api.origin.connect().await?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(BenchError::of(act))?;
        tokio::spawn(driver);
        let path = format!("/api/v1/rooms/{room}/messages");
        Ok(Self { connection, authority: api.origin.authority().to_owned(), authorization: api.authorization(), path })
    }

    /// Sends a message and waits until it is acknowledged. Returns its identifier.
    pub(super) async fn send(&mut self, body: &str) -> Result<String, BenchError> {
        let act = "sending a message";
        let id = MessageId::new(Clock::System.now()).to_string();
        let request = Request::post(&self.path)
            .header("host", &self.authority)
            .header("content-type", "application/json")
            .header("authorization", &self.authorization)
            .body(Full::new(Bytes::from(format!("{{\"id\":\"{id}\",\"body\":\"{body}\"}}"))))
            .map_err(BenchError::of(act))?;
        let response = self.connection.send_request(request).await.map_err(BenchError::of(act))?;
        let status = response.status();
        let answer = response.into_body().collect().await.map_err(BenchError::of(act))?.to_bytes();
        if status == hyper::StatusCode::CREATED {
            return Ok(id);
        }
        Err(BenchError::call(act, format!("{status}: {}", String::from_utf8_lossy(&answer))))
    }
}

/// Accounts, each with the room that it is a member of.
pub(super) struct Accounts(Vec<(Api, String)>);

impl Accounts {
    /// Who write, with their rooms. Also gives the link of the first room.
    pub(super) async fn that_write(own: &OwnServer, senders: usize, rooms: usize) -> Result<(Self, String), BenchError> {
        let (mut open, mut accounts) = (Vec::new(), Vec::new());
        for n in 0..senders {
            let api = register(own, &format!("bench{n}")).await?;
            if n < rooms {
                open.push(api.create_room_with_link().await?);
            }
            let (room, link) = &open[n % rooms];
            api.join_room(link).await?;
            accounts.push((api, room.clone()));
        }
        let (_, link) = open.swap_remove(0);
        Ok((Self(accounts), link))
    }

    /// Those of an audience of the room behind a link.
    pub(super) async fn that_listen(own: &OwnServer, link: &str, members: usize) -> Result<Self, BenchError> {
        let mut accounts = Vec::new();
        for n in 0..AUDIENCE_ACCOUNTS.min(members) {
            let api = register(own, &format!("listener{n}")).await?;
            let room = api.join_room(link).await?;
            accounts.push((api, room));
        }
        Ok(Self(accounts))
    }

    /// Each with a connection to write over. All at once, now: a server closes connections that say nothing for a while.
    pub(super) async fn senders(&self) -> Result<Vec<Sender>, BenchError> {
        let mut senders = Vec::new();
        for (api, room) in &self.0 {
            senders.push(Sender::connect(api, room).await?);
        }
        Ok(senders)
    }

    /// So many that listen to the room, and one who writes there.
    pub(super) async fn audience(&self, members: usize) -> Result<(Sender, Vec<Watcher>), BenchError> {
        let mut watchers = Vec::new();
        for (api, _) in self.0.iter().cycle().take(members) {
            watchers.push(Watcher(Line::listen(api).await?));
        }
        let (api, room) = &self.0[0];
        Ok((Sender::connect(api, room).await?, watchers))
    }
}

async fn register(own: &OwnServer, name: &str) -> Result<Api, BenchError> {
    Api::register_as(Origin::parse(&own.url, None)?, &own.registration_secret, name).await
}

/// One connected member.
pub(super) struct Watcher(Line);

impl Watcher {
    /// Waits until everybody has a message; when each had it.
    pub(super) async fn all_have(watchers: &mut [Self], id: &str) -> Result<Vec<Instant>, BenchError> {
        futures_util::future::try_join_all(watchers.iter_mut().map(|watcher| watcher.0.entry(id))).await
    }
}

/// Connections over which nothing happens: their people share one quiet room. They end with this value.
pub(super) struct Idle(JoinSet<()>);

impl Idle {
    /// Opens so many.
    pub(super) async fn open(own: &OwnServer, connections: usize) -> Result<Self, BenchError> {
        let first = register(own, "idle0").await?;
        let (_, quiet_room) = first.create_room_with_link().await?;
        let mut accounts = vec![first];
        for n in 1..AUDIENCE_ACCOUNTS {
            let api = register(own, &format!("idle{n}")).await?;
            api.join_room(&quiet_room).await?;
            accounts.push(api);
        }
        let mut idle = JoinSet::new();
        for api in accounts.iter().cycle().take(connections) {
            let mut line = Line::listen(api).await?;
            idle.spawn(async move { line.read_on().await });
        }
        Ok(Self(idle))
    }

    /// Fails when the server ended one of them.
    pub(super) fn all_stayed(&mut self) -> Result<(), BenchError> {
        match self.0.try_join_next() {
            None => Ok(()),
            Some(_) => Err(BenchError::call("idling", "the server ended an idle connection")),
        }
    }
}

/// One more member of the busy room, who is told all that is written there. Ends with this value.
pub(super) struct Listener {
    _task: JoinSet<()>,
}

impl Listener {
    /// An account for one.
    pub(super) async fn account(own: &OwnServer, busy: &str) -> Result<Api, BenchError> {
        let api = register(own, "listener").await?;
        api.join_room(busy).await?;
        Ok(api)
    }

    /// One who reads, or one whose end of the connection fills up.
    pub(super) async fn open(account: &Api, reads: bool) -> Result<Self, BenchError> {
        let mut line = Line::listen(account).await?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            if reads {
                line.read_on().await;
            } else {
                std::future::pending::<()>().await;
            }
        });
        Ok(Self { _task: task })
    }
}
