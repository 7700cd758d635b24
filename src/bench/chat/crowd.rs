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

use crate::bench::BenchError;
use crate::bench::api::Api;
use crate::bench::connect::Origin;
use crate::bench::server::OwnServer;
use crate::bench::signalling::Line;
use crate::id::MessageId;
use crate::time::Clock;

/// Accounts of an audience: each has many windows, because making an account costs a quarter of a second.
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

/// Makes accounts and rooms, and puts each account into its room. Also gives the link of the first room.
pub(super) async fn gather(own: &OwnServer, senders: usize, rooms: usize) -> Result<(Vec<Sender>, String), BenchError> {
    let (mut open, mut accounts) = (Vec::new(), Vec::new());
    for n in 0..senders {
        let api = Api::register_as(Origin::parse(&own.url, None)?, &own.registration_secret, &format!("bench{n}")).await?;
        if n < rooms {
            open.push(api.create_room_with_link().await?);
        }
        let (room, link) = &open[n % rooms];
        api.join_room(link).await?;
        accounts.push((api, room.clone()));
    }
    // All at once, now: a server closes connections that say nothing for a while.
    let mut gathered = Vec::new();
    for (api, room) in &accounts {
        gathered.push(Sender::connect(api, room).await?);
    }
    let (_, link) = open.swap_remove(0);
    Ok((gathered, link))
}

/// One connected member.
pub(super) struct Watcher(Line);

impl Watcher {
    /// Waits until everybody has a message; when each had it.
    pub(super) async fn all_have(watchers: &mut [Self], id: &str) -> Result<Vec<Instant>, BenchError> {
        futures_util::future::try_join_all(watchers.iter_mut().map(|watcher| watcher.0.entry(id))).await
    }
}

/// A crowd that listens to a room, and one who writes there.
pub(super) async fn audience(own: &OwnServer, link: &str, members: usize) -> Result<(Sender, Vec<Watcher>), BenchError> {
    let mut accounts = Vec::new();
    for n in 0..AUDIENCE_ACCOUNTS.min(members) {
        let api = Api::register_as(Origin::parse(&own.url, None)?, &own.registration_secret, &format!("listener{n}")).await?;
        let room = api.join_room(link).await?;
        accounts.push((api, room));
    }
    let mut watchers = Vec::new();
    for n in 0..members {
        watchers.push(Watcher(Line::listen(&accounts[n % accounts.len()].0).await?));
    }
    let (api, room) = &accounts[0];
    Ok((Sender::connect(api, room).await?, watchers))
}
