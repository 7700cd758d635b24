//! A real S3-compatible server for one test (s3s-fs, on a folder of its own), which checks signatures. The test can take it away, make it
//! answer with an error, or look at what it holds.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) const KEY_ID: &str = "files-of-webcall";
pub(crate) const SECRET: &str = "a-key-that-nobody-sees";
const NAME: &str = "webcall";

/// What the server does with the requests of a method instead of serving them.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Closes the connection without an answer.
    Away,
    /// Answers so.
    Answer(u16, &'static str),
}

#[derive(Default)]
struct State {
    /// Whose requests fail, and how many of them still do.
    fault: Mutex<Option<(Method, Fault, usize)>>,
    requests: AtomicUsize,
}

/// A server with one bucket; dropping it stops it.
pub(crate) struct TestBucket {
    folder: TempDir,
    port: u16,
    tls: Option<TlsAcceptor>,
    state: Arc<State>,
    socket: Option<TcpSocket>,
    serving: Option<tokio::task::JoinHandle<()>>,
}

impl TestBucket {
    pub(crate) async fn start() -> Self {
        Self::closed().opened()
    }

    /// With TLS.
    pub(crate) async fn start_with_tls(config: ServerConfig) -> Self {
        let mut closed = Self::closed();
        closed.tls = Some(TlsAcceptor::from(Arc::new(config)));
        closed.opened()
    }

    /// Has its port and refuses connections there.
    pub(crate) fn closed() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let port = socket.local_addr().unwrap().port();
        Self { folder, port, tls: None, state: Arc::default(), socket: Some(socket), serving: None }
    }

    fn opened(mut self) -> Self {
        self.open();
        self
    }

    /// Serves from now on.
    pub(crate) fn open(&mut self) {
        let mut builder = S3ServiceBuilder::new(FileSystem::new(self.folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let listener = self.socket.take().unwrap().listen(1_024).unwrap();
        self.serving = Some(tokio::spawn(accept(listener, builder.build(), Arc::clone(&self.state), self.tls.clone())));
    }

    /// The settings of a server that keeps its files here.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("FILES_S3_ENDPOINT", format!("{}://localhost:{}", if self.tls.is_some() { "https" } else { "http" }, self.port)),
            ("FILES_S3_BUCKET", NAME.to_owned()),
            ("FILES_S3_KEY_ID", KEY_ID.to_owned()),
            ("FILES_S3_SECRET", SECRET.to_owned()),
        ]
    }

    /// From now on so many requests of a method fail.
    pub(crate) fn fail(&self, method: Method, fault: Fault, requests: usize) {
        *self.state.fault.lock().unwrap() = Some((method, fault, requests));
    }

    /// From now on nothing fails.
    pub(crate) fn recover(&self) {
        *self.state.fault.lock().unwrap() = None;
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// The objects below a name, in order.
    pub(crate) fn objects(&self, below: &str) -> Vec<PathBuf> {
        let mut objects = Vec::new();
        gather(&self.folder.path().join(NAME).join(below), &mut objects);
        objects.sort();
        objects
    }

    /// Puts an object beside the server.
    pub(crate) fn plant(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(NAME).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

impl Drop for TestBucket {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

fn gather(folder: &Path, objects: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() { gather(&path, objects) } else { objects.push(path) }
    }
}

async fn accept(listener: TcpListener, service: S3Service, state: Arc<State>, tls: Option<TlsAcceptor>) {
    // Ends with its connections.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (service, state, tls) = (service.clone(), Arc::clone(&state), tls.clone());
        connections.spawn(serve(stream, service, state, tls));
    }
}

async fn serve(stream: TcpStream, service: S3Service, state: Arc<State>, tls: Option<TlsAcceptor>) {
    let answer = service_fn(move |request| answer(request, service.clone(), Arc::clone(&state)));
    let builder = hyper::server::conn::http1::Builder::new();
    // A connection that is broken off is what some tests want.
    let _ = match tls {
        None => builder.serve_connection(TokioIo::new(stream), answer).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => builder.serve_connection(TokioIo::new(stream), answer).await,
            Err(_) => return,
        },
    };
}

async fn answer(request: Request<Incoming>, service: S3Service, state: Arc<State>) -> Result<Response<s3s::Body>, String> {
    state.requests.fetch_add(1, Ordering::Relaxed);
    match state.take(request.method()) {
        None => hyper::service::Service::call(&service, request).await.map_err(|error| format!("{error:?}")),
        Some(Fault::Away) => Err("away".to_owned()),
        Some(Fault::Answer(status, code)) => {
            let document = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
            Ok(Response::builder().status(status).body(document.into()).unwrap())
        }
    }
}

impl State {
    fn take(&self, method: &Method) -> Option<Fault> {
        let mut fault = self.fault.lock().unwrap();
        let (_, kind, left) = fault.as_mut().filter(|(failing, _, left)| failing == method && *left > 0)?;
        *left -= 1;
        Some(kind.clone())
    }
}
