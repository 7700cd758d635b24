//! As much of the interface over HTTP as a benchmark needs: an account, a room, tickets.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::BenchError;
use super::connect::Origin;

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Somebody who is signed in at a server.
#[derive(Clone)]
pub(super) struct Api {
    /// Where the server is.
    pub(super) origin: Origin,
    token: String,
}

impl Api {
    /// Makes an account.
    pub(super) async fn register(origin: Origin, secret: &str) -> Result<Self, BenchError> {
        Self::register_as(origin, secret, "bench").await
    }

    /// Makes an account of this name.
    pub(super) async fn register_as(origin: Origin, secret: &str, username: &str) -> Result<Self, BenchError> {
        let body = json!({ "username": username, "password": random_password()?, "registration_secret": secret });
        Self::at(origin).signed_in("registering", "/auth/register", &body).await
    }

    /// Signs in.
    pub(super) async fn log_in(origin: Origin, username: &str, password: &str) -> Result<Self, BenchError> {
        let body = json!({ "username": username, "password": password });
        Self::at(origin).signed_in("signing in", "/auth/login", &body).await
    }

    fn at(origin: Origin) -> Self {
        Self { origin, token: String::new() }
    }

    async fn signed_in(mut self, act: &'static str, path: &str, body: &Value) -> Result<Self, BenchError> {
        let answer = self.call(act, Method::POST, path, Some(body)).await?;
        self.token = text(act, &answer, "access_token")?;
        Ok(self)
    }

    /// Makes an open room; its id.
    pub(super) async fn create_room(&self) -> Result<String, BenchError> {
        let act = "making a room";
        let answer = self.call(act, Method::POST, "/rooms", Some(&json!({ "name": "bench", "encryption": "open" }))).await?;
        text(act, &answer, "id")
    }

    /// Makes an open room; its id and the code of its link.
    pub(super) async fn create_room_with_link(&self) -> Result<(String, String), BenchError> {
        let act = "making a room";
        let answer = self.call(act, Method::POST, "/rooms", Some(&json!({ "name": "bench", "encryption": "open" }))).await?;
        Ok((text(act, &answer, "id")?, text(act, &answer, "link_code")?))
    }

    /// Becomes a member by a link; the room's id.
    pub(super) async fn join_room(&self, link_code: &str) -> Result<String, BenchError> {
        let act = "joining a room";
        text(act, &self.call(act, Method::POST, "/rooms/join", Some(&json!({ "code": link_code }))).await?, "id")
    }

    /// For `Authorization`.
    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub(super) async fn delete_room(&self, room: &str) -> Result<(), BenchError> {
        self.call("deleting the room", Method::DELETE, &format!("/rooms/{room}"), None).await.map(|_| ())
    }

    /// How many windows of one user the server lets into a call.
    pub(super) async fn windows_per_user(&self) -> Result<usize, BenchError> {
        let answer = self.call("reading the server's limits", Method::GET, "/config", None).await?;
        Ok(answer["windows_per_user"].as_u64().unwrap_or(1) as usize)
    }

    /// Where STUN and TURN servers are, as browsers are told.
    pub(super) async fn ice_urls(&self) -> Result<Vec<String>, BenchError> {
        let answer = self.call("asking for ICE servers", Method::GET, "/ice-servers", None).await?;
        let urls = answer["ice_servers"].as_array().into_iter().flatten().filter_map(|server| server["urls"].as_array());
        Ok(urls.flatten().filter_map(|url| url.as_str().map(str::to_owned)).collect())
    }

    /// A ticket for a WebSocket.
    pub(super) async fn ticket(&self) -> Result<String, BenchError> {
        let act = "fetching a ticket";
        text(act, &self.call(act, Method::POST, "/ws-ticket", None).await?, "ticket")
    }

    async fn call(&self, act: &'static str, method: Method, path: &str, body: Option<&Value>) -> Result<Value, BenchError> {
        let stream = self.origin.connect().await.map_err(BenchError::of(act))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(BenchError::of(act))?;
        tokio::spawn(connection);
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", self.origin.authority())
            .header("content-type", "application/json")
            .header("authorization", self.authorization())
            .body(Full::new(bytes))
            .map_err(BenchError::of(act))?;
        let response = sender.send_request(request).await.map_err(BenchError::of(act))?;
        let status = response.status();
        let limited = http_body_util::Limited::new(response.into_body(), MAX_ANSWER_BYTES);
        let bytes = limited.collect().await.map_err(|error| BenchError::call(act, error.to_string()))?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if !status.is_success() {
            let code = answer["code"].as_str().unwrap_or("no code");
            return Err(BenchError::call(act, format!("the server answered {status} ({code})")));
        }
        Ok(answer)
    }
}

fn text(act: &'static str, answer: &Value, name: &str) -> Result<String, BenchError> {
    answer[name].as_str().map(str::to_owned).ok_or_else(|| BenchError::call(act, format!("the answer has no `{name}`")))
}

pub(super) fn random_password() -> Result<String, BenchError> {
    use ring::rand::SecureRandom;
    let mut bytes = [0; 16];
    ring::rand::SystemRandom::new().fill(&mut bytes).map_err(|_| BenchError::call("making a password", "no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
