//! As much of the interface over HTTP as a benchmark needs: an account, a room, tickets.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::BenchError;

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Somebody who is signed in at a server.
#[derive(Clone)]
pub(super) struct Api {
    /// Host and port.
    pub(super) authority: String,
    token: String,
}

impl Api {
    /// Reads the address of a server: `http://host:port`.
    fn at(url: &str) -> Result<Self, BenchError> {
        let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let authority = authority.filter(|authority| !authority.is_empty() && !authority.contains('/'));
        let authority =
            authority.ok_or_else(|| BenchError::call("the server's address", "must be like http://localhost:8080"))?;
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Self { authority, token: String::new() })
    }

    /// Makes an account.
    pub(super) async fn register(url: &str, secret: &str) -> Result<Self, BenchError> {
        Self::register_as(url, secret, "bench").await
    }

    /// Makes an account of this name.
    pub(super) async fn register_as(url: &str, secret: &str, username: &str) -> Result<Self, BenchError> {
        let body = json!({ "username": username, "password": random_password()?, "registration_secret": secret });
        Self::at(url)?.signed_in("registering", "/auth/register", &body).await
    }

    /// Signs in.
    pub(super) async fn log_in(url: &str, username: &str, password: &str) -> Result<Self, BenchError> {
        Self::at(url)?.signed_in("signing in", "/auth/login", &json!({ "username": username, "password": password })).await
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
        let stream = TcpStream::connect(&self.authority).await.map_err(BenchError::of(act))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(BenchError::of(act))?;
        tokio::spawn(connection);
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("host", &self.authority)
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
