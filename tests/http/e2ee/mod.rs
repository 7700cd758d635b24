//! End-to-end encryption as a client meets the server.

mod backups;
mod fuzz;
mod groups;
mod invitations;
mod keys;
mod packages;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::mls::{Device, Identity};
use crate::server::{Session, TestServer};

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

/// Asks below `/api/v1/e2ee`.
pub(crate) async fn ask(
    server: &TestServer,
    who: &Session,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    server.ask(who, method, &format!("/api/v1/e2ee/{path}"), body).await
}

/// Status and code of a refusal; the code is empty when it was none.
pub(crate) fn refusal((status, body): &(StatusCode, Value)) -> (u16, &str) {
    (status.as_u16(), body["code"].as_str().unwrap_or_default())
}

pub(crate) async fn publish(server: &TestServer, who: &Session, record: &[u8]) -> (StatusCode, Value) {
    ask(server, who, Method::POST, "keys/records", Some(json!({"record": encode(record)}))).await
}

/// An account with an identity and a device that counts.
pub(crate) struct Person {
    pub(crate) session: Session,
    pub(crate) identity: Identity,
    pub(crate) device: Device,
}

impl Person {
    pub(crate) async fn new(server: &TestServer, name: &str) -> Self {
        let session = server.register(name).await;
        let mut identity = Identity::new(&session.user);
        let claim = identity.claim();
        let (device, record) = identity.device();
        for record in [claim, record] {
            assert_eq!(publish(server, &session, &record).await.0, StatusCode::CREATED);
        }
        Self { session, identity, device }
    }

    /// One more device that counts.
    pub(crate) async fn another_device(&mut self, server: &TestServer) -> Device {
        let (device, record) = self.identity.device();
        assert_eq!(publish(server, &self.session, &record).await.0, StatusCode::CREATED);
        device
    }

    pub(crate) async fn ask(&self, server: &TestServer, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        ask(server, &self.session, method, path, body).await
    }

    pub(crate) async fn upload(&self, server: &TestServer, device: &Device, body: Value) -> (StatusCode, Value) {
        self.ask(server, Method::POST, &format!("devices/{}/key-packages", device.id()), Some(body)).await
    }

    pub(crate) async fn claim(&self, server: &TestServer, users: &[&str]) -> (StatusCode, Value) {
        self.ask(server, Method::POST, "key-packages/claim", Some(json!({"users": users}))).await
    }
}

/// Ann and Ben, who share an encrypted room.
pub(crate) async fn pair(server: &TestServer) -> (Person, Person, Value) {
    let (ann, ben) = (Person::new(server, "ann").await, Person::new(server, "ben").await);
    let room = server.encrypted_room(&ann.session, "Wednesday").await;
    server.join(&ben.session, &room).await;
    (ann, ben, room)
}
