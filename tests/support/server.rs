//! A whole server for one test: a fresh data folder, a port that the system chose, a clock that the test moves, cheap passwords.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use webcall::app::{App, Foundations};
use webcall::calls::Calls;
use webcall::config::{Args, Config, DEFAULT_WINDOWS_PER_USER, Database};
use webcall::http;
use webcall::port::{self, Service};
use webcall::shutdown::Shutdown;
use webcall::signal::{Signalling, Timing};
use webcall::store::Store;
use webcall::time::{Clock, Timestamp};
use webcall_media::turn::{RelayConfig, TurnConfig};
use webcall_media::{Media, MediaConfig, TurnSettings};

pub(crate) const REGISTRATION_SECRET: &str = "let me in";
pub(crate) const PASSWORD: &str = "correct horse battery";
const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// A running server; dropping it stops it.
pub(crate) struct TestServer {
    pub(crate) app: App,
    address: SocketAddr,
    client: reqwest::Client,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

/// A signed-in session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) access_token: String,
    /// `name=value`, as a browser would send it.
    pub(crate) cookie: String,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with these environment variables.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_from(variables, MediaConfig { workers: 1, udp_port: 0, ..MediaConfig::default() }, |_| {}).await
    }

    /// Starts with a TURN server, whose ports the system chooses.
    pub(crate) async fn start_with_turn() -> Self {
        let ports = 61_000..=65_535;
        let relay = RelayConfig { ports: ports.clone(), all_ports: ports, ..RelayConfig::default() };
        let common = TurnConfig { relay, ..TurnConfig::default() };
        let turn = Some(TurnSettings { udp_port: 0, common, own_tcp_ports: Vec::new() });
        Self::start_from(&[], MediaConfig { workers: 1, udp_port: 0, turn, ..MediaConfig::default() }, |_| {}).await
    }

    /// Starts with a folder for files of the test's own; `least_free_bytes`: what must stay free there, if not as usual.
    pub(crate) async fn start_with_files(folder: &Path, least_free_bytes: Option<u64>) -> Self {
        let media = MediaConfig { workers: 1, udp_port: 0, ..MediaConfig::default() };
        let adjust = |config: &mut Config| {
            config.files.folder = folder.join("files");
            if let Some(least) = least_free_bytes {
                (config.files.least_free_bytes, config.files.least_free_percent) = (least, 0);
            }
        };
        Self::start_from(&[], media, adjust).await
    }

    /// Starts as another node: with the database of a server that is there.
    pub(crate) async fn start_beside(&self, variables: &[(&str, &str)]) -> Self {
        self.start_beside_with(variables, |_| {}).await
    }

    /// Starts with the database and the data folder's files of a server that is there.
    pub(crate) async fn start_beside_with_files(&self, variables: &[(&str, &str)]) -> Self {
        self.start_beside_with(variables, |config| config.files.folder = self.app.config.files.folder.clone()).await
    }

    async fn start_beside_with(&self, variables: &[(&str, &str)], adjust: impl FnOnce(&mut Config)) -> Self {
        let database = format!("sqlite:{}", self.app.config.data_dir.join("webcall.db").display());
        let secrets = &self.app.config.secrets;
        let shared = [("DATABASE_URL", database.as_str()), ("JWT_SECRET", secrets.jwt.expose())];
        let media = MediaConfig { workers: 1, udp_port: 0, ..MediaConfig::default() };
        Self::start_from(&[variables, &shared].concat(), media, adjust).await
    }

    async fn start_from(variables: &[(&str, &str)], media: MediaConfig, adjust: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut variables: HashMap<&str, &str> = variables.iter().copied().collect();
        variables.entry("REGISTRATION_SECRET").or_insert(REGISTRATION_SECRET);
        let args = Args { data_dir: folder.path().to_owned(), turn_config: None };
        let mut config = Config::load(&args, |name| variables.get(name).map(ToString::to_string)).unwrap();
        config.password_cost = 4;
        adjust(&mut config);
        let Database::Sqlite(file) = &config.database else { panic!("these tests use SQLite") };
        let store = Store::open_sqlite(file).await.unwrap();
        let (media, events) = Media::start(&media).unwrap();
        let calls = Calls::new(media.clone(), DEFAULT_WINDOWS_PER_USER);
        tokio::spawn(calls.clone().run(events));
        let app = App::new(Foundations {
            config,
            clock: Clock::manual(START),
            store,
            media,
            calls,
            tls: None,
            shutdown: Shutdown::default(),
        });
        let signalling = Signalling::start(&app, Timing::default());

        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving =
            tokio::spawn(port::serve(listener, Service::http(http::router(&app, signalling.routes())), app.shutdown.clone()));
        Self { app, address, client: reqwest::Client::new(), serving, _folder: folder }
    }

    /// A request to a path.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.request(Method::POST, path).json(body).send().await.unwrap()
    }

    /// Waits until it serves no more.
    pub(crate) async fn ended(&mut self) {
        (&mut self.serving).await.unwrap();
    }

    /// `Host` of this server.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// Registers and signs in.
    pub(crate) async fn register(&self, username: &str) -> Session {
        let body = json!({"username": username, "password": PASSWORD, "registration_secret": REGISTRATION_SECRET});
        let response = self.post("/api/v1/auth/register", &body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        Session::of(response).await
    }

    /// Signs in once more.
    pub(crate) async fn login(&self, username: &str) -> Session {
        let response = self.post("/api/v1/auth/login", &json!({"username": username, "password": PASSWORD})).await;
        assert_eq!(response.status(), StatusCode::OK);
        Session::of(response).await
    }

    /// Sends the refresh cookie.
    pub(crate) async fn refresh(&self, cookie: &str) -> Response {
        self.request(Method::POST, "/api/v1/auth/refresh").header("cookie", cookie).send().await.unwrap()
    }

    /// Asks as somebody; gives the status and the body, `null` when there is none.
    pub(crate) async fn ask(&self, session: &Session, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.request(method, path).bearer_auth(&session.access_token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }

    /// Makes a room and gives it.
    pub(crate) async fn room(&self, session: &Session, name: &str) -> Value {
        self.make_room(session, json!({"name": name, "encryption": "open"})).await
    }

    /// Makes an encrypted room and gives it.
    pub(crate) async fn encrypted_room(&self, session: &Session, name: &str) -> Value {
        self.make_room(session, json!({"name": name, "encryption": "mls"})).await
    }

    async fn make_room(&self, session: &Session, body: Value) -> Value {
        let (status, room) = self.ask(session, Method::POST, "/api/v1/rooms", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED);
        room
    }

    /// Joins a room by its link.
    pub(crate) async fn join(&self, session: &Session, room: &Value) {
        let body = json!({"code": room["link_code"]});
        let (status, _) = self.ask(session, Method::POST, "/api/v1/rooms/join", Some(body)).await;
        assert_eq!(status, StatusCode::OK);
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.app.shutdown.begin();
    }
}

impl Session {
    /// The session that an answer of the log-in routes gives.
    pub(crate) async fn of(response: Response) -> Self {
        let cookie = cookie(&response);
        let body: Value = response.json().await.unwrap();
        Self {
            user: body["user"]["id"].as_str().unwrap().to_owned(),
            access_token: body["access_token"].as_str().unwrap().to_owned(),
            cookie,
        }
    }
}

/// `name=value` of the cookie that an answer sets.
pub(crate) fn cookie(response: &Response) -> String {
    let header = response.headers()["set-cookie"].to_str().unwrap();
    header.split(';').next().unwrap().to_owned()
}

/// The stable code of a problem document, whose form is checked on the way.
pub(crate) async fn code(response: Response) -> String {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    problem["code"].as_str().unwrap().to_owned()
}
