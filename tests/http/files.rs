//! Files: announcing, sending in pieces, breaking off and going on, reading, limits, and what is removed. The same in both places where
//! files are kept.

use std::convert::Infallible;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::{Method, Response, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use sqlx::Connection;
use tokio::sync::oneshot;
use webcall::accounts::{Principal, Username};
use webcall::error::Error;
use webcall::files::{self, Swept};
use webcall::id::{FileId, MessageId, RoomId, SessionId};
use webcall::store::FileSet;

use crate::bucket::TestBucket;
use crate::server::{Session, TestServer, code};

/// Makes two tests of one function that takes the place where files are kept.
#[macro_export]
macro_rules! on_both_places {
    ($($name:ident)*) => {
        $(mod $name {
            use $crate::files::Place;

            #[tokio::test]
            async fn in_a_folder() {
                super::$name(Place::Folder).await;
            }

            #[tokio::test]
            async fn in_a_bucket() {
                super::$name(Place::Bucket).await;
            }
        })*
    };
}

on_both_places! {
    an_upload_that_broke_off_goes_on_where_it_ended_and_the_bytes_are_the_same
    what_a_crash_left_behind_does_not_count
    bytes_at_another_place_or_beyond_the_size_are_refused_and_change_nothing
    a_request_that_says_no_offset_or_another_type_is_refused
    of_two_requests_at_once_the_newer_goes_on_where_the_older_was
    a_request_that_brings_no_byte_for_half_a_minute_ends_and_what_came_counts
    a_file_is_bounded_by_its_size_by_what_its_sender_has_and_by_what_the_server_has
    files_that_count_for_nothing_else_are_bounded_by_how_many_the_server_has
    a_sender_has_twenty_unfinished_files_at_most
    a_file_of_others_looks_like_none
    a_file_is_never_something_that_a_browser_would_show_or_run
    one_part_of_a_file_can_be_read
    a_file_whose_bytes_are_missing_is_none
    an_empty_file_is_complete_at_once
    a_file_that_is_taken_back_leaves_nothing
    the_sweeper_removes_what_no_message_took_for_a_day_and_what_a_deleted_message_left
    a_walk_removes_files_of_gone_messages_and_rooms_and_bytes_that_nobody_claims
}

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Where files are kept.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Folder,
    Bucket,
}

/// Ann with a room that ben is in and eve is not.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    bucket: Option<TestBucket>,
    pub(crate) ann: Session,
    ben: Session,
    eve: Session,
    room: String,
}

impl Stage {
    pub(crate) async fn set(place: Place) -> Self {
        Self::set_with(place, &[]).await
    }

    /// With these settings.
    async fn set_with(place: Place, variables: &[(&str, &str)]) -> Self {
        match place {
            Place::Folder => Self::on(TestServer::start_with(variables).await).await,
            Place::Bucket => Self::beside(TestBucket::start().await, variables).await,
        }
    }

    pub(crate) async fn beside(bucket: TestBucket, variables: &[(&str, &str)]) -> Self {
        let of_bucket = bucket.variables();
        let all: Vec<_> =
            of_bucket.iter().map(|(name, value)| (*name, value.as_str())).chain(variables.iter().copied()).collect();
        Self { bucket: Some(bucket), ..Self::on(TestServer::start_with(&all).await).await }
    }

    /// The bucket in which files are kept.
    pub(crate) fn bucket(&self) -> &TestBucket {
        self.bucket.as_ref().unwrap()
    }

    pub(crate) fn bucket_mut(&mut self) -> &mut TestBucket {
        self.bucket.as_mut().unwrap()
    }

    pub(crate) async fn on(server: TestServer) -> Self {
        let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
        let room = server.room(&ann, "Wednesday").await;
        server.join(&ben, &room).await;
        let room = room["id"].as_str().unwrap().to_owned();
        Self { server, bucket: None, ann, ben, eve, room }
    }

    pub(crate) async fn announce(&self, who: &Session, size: usize) -> (StatusCode, Value) {
        let path = format!("/api/v1/rooms/{}/files", self.room);
        self.server.ask(who, Method::POST, &path, Some(json!({"size": size}))).await
    }

    pub(crate) async fn announced(&self, size: usize) -> String {
        let (status, file) = self.announce(&self.ann, size).await;
        assert_eq!((status, &file["received"], &file["size"]), (StatusCode::CREATED, &json!(0), &json!(size)));
        format!("/api/v1/files/{}", file["id"].as_str().unwrap())
    }

    pub(crate) async fn send(&self, file: &str, offset: usize, bytes: &[u8]) -> Response {
        let request = self.server.request(Method::PATCH, &format!("{file}?offset={offset}")).bearer_auth(&self.ann.access_token);
        request.header("content-type", "application/octet-stream").body(bytes.to_vec()).send().await.unwrap()
    }

    pub(crate) async fn received(&self, file: &str) -> Value {
        self.server.ask(&self.ann, Method::GET, &format!("{file}/state"), None).await.1["received"].clone()
    }

    /// Announces and sends a file.
    pub(crate) async fn sent(&self, bytes: &[u8]) -> String {
        let file = self.announced(bytes.len()).await;
        assert_eq!(self.send(&file, 0, bytes).await.status(), StatusCode::OK);
        file
    }

    pub(crate) async fn read(&self, who: &Session, file: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.server.get(file).bearer_auth(&who.access_token);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    /// Makes a message take a file along.
    async fn attach(&self, file: &str, message: MessageId) {
        let (room, files) = (self.room.parse().unwrap(), FileSet::new(vec![id(file)]).unwrap());
        assert!(self.server.app.store.attach_files(room, self.principal().user, message, &files).await.unwrap());
    }

    pub(crate) fn principal(&self) -> Principal {
        Principal {
            user: self.ann.user.parse().unwrap(),
            session: SessionId::from_bytes([0; 16]),
            username: Username::parse("ann").unwrap(),
        }
    }

    fn on_disk(&self, file: &str) -> PathBuf {
        self.server.app.config.files.folder.join(kept_as(file))
    }

    /// What is kept of a file, whether it counts or not.
    pub(crate) fn kept(&self, file: &str) -> Vec<PathBuf> {
        match &self.bucket {
            Some(bucket) => bucket.objects(&format!("files/{}", kept_as(file))),
            None => Some(self.on_disk(file)).filter(|path| path.exists()).into_iter().collect(),
        }
    }

    /// Makes bytes that do not count, as a crash leaves them, or of a file that is unknown.
    fn leave_bytes(&self, file: &str) {
        let torn = b"torn, and more than fits";
        if let Some(bucket) = &self.bucket {
            return bucket.plant(&format!("files/{}/{OLD}", kept_as(file)), torn);
        }
        std::fs::create_dir_all(self.on_disk(file).parent().unwrap()).unwrap();
        let mut options = std::fs::OpenOptions::new();
        options.append(true).create(true).open(self.on_disk(file)).unwrap().write_all(torn).unwrap();
    }
}

/// Made long before the tests' time.
const OLD: &str = "0192f0c1-2b3c-7d4e-8f50-617283940506";

/// Where a file is in its place.
fn kept_as(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap();
    format!("{}/{name}", &name[name.len() - 2..])
}

pub(crate) fn id(file: &str) -> FileId {
    file.rsplit('/').next().unwrap().parse().unwrap()
}

/// Bytes that do not repeat soon.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

async fn an_upload_that_broke_off_goes_on_where_it_ended_and_the_bytes_are_the_same(place: Place) {
    let stage = Stage::set(place).await;
    let whole = bytes(3_000_000);
    let file = stage.announced(whole.len()).await;
    let sent = 1_234_567;
    let mut connection = TcpStream::connect(stage.server.host()).unwrap();
    let head = format!(
        "PATCH {file}?offset=0 HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/octet-stream\r\n\
         content-length: {}\r\n\r\n",
        stage.server.host(),
        stage.ann.access_token,
        whole.len()
    );
    let first = [head.as_bytes(), &whole[..sent]].concat();
    tokio::task::spawn_blocking(move || {
        connection.write_all(&first).unwrap();
        connection.shutdown(Shutdown::Both).unwrap();
    })
    .await
    .unwrap();

    let all_counted = async { while stage.received(&file).await != json!(sent) {} };
    tokio::time::timeout(Duration::from_secs(60), all_counted).await.expect("what was received counts");
    let response = stage.send(&file, sent, &whole[sent..]).await;
    let state: Value = response.json().await.unwrap();
    assert_eq!(state, json!({"id": id(&file), "received": whole.len(), "size": whole.len()}));
    let read = stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap();
    assert_eq!(sha256(&read), sha256(&whole));
}

async fn what_a_crash_left_behind_does_not_count(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.announced(8).await;
    assert_eq!(stage.send(&file, 0, b"abcd").await.status(), StatusCode::OK);
    stage.leave_bytes(&file);
    assert_eq!(stage.received(&file).await, json!(4));
    assert_eq!(stage.send(&file, 4, b"efgh").await.status(), StatusCode::OK);
    assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), b"abcdefgh"[..]);
}

#[tokio::test]
async fn bytes_that_the_disk_lost_are_asked_for_again() {
    let stage = Stage::set(Place::Folder).await;
    let file = stage.announced(8).await;
    assert_eq!(stage.send(&file, 0, b"abcdef").await.status(), StatusCode::OK);
    std::fs::OpenOptions::new().write(true).open(stage.on_disk(&file)).unwrap().set_len(2).unwrap();
    assert_eq!(code(stage.send(&file, 6, b"gh").await).await, "wrong_offset");
    assert_eq!(stage.received(&file).await, json!(2));
    assert_eq!(stage.send(&file, 2, b"cdefgh").await.status(), StatusCode::OK);
    assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), b"abcdefgh"[..]);
}

async fn bytes_at_another_place_or_beyond_the_size_are_refused_and_change_nothing(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.announced(8).await;
    assert_eq!(stage.send(&file, 0, b"abcd").await.status(), StatusCode::OK);
    for offset in [0, 3, 5, 8, 9] {
        let response = stage.send(&file, offset, b"x").await;
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(code(response).await, "wrong_offset", "{offset}");
    }
    let response = stage.send(&file, 4, b"efghi").await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(code(response).await, "file_too_large");
    assert_eq!(stage.received(&file).await, json!(4));
    // The same without saying so first: pieces that fit count, the one that does not is refused.
    let pieces = stream::iter([Ok::<_, Infallible>(&b"ef"[..]), Ok(b"ghi")]);
    let outcome = files::receive(&stage.server.app, &stage.principal(), id(&file), 4, None, pieces).await;
    assert!(matches!(outcome, Err(Error::FileTooLarge { limit_bytes: 8 })), "{outcome:?}");
    assert_eq!(stage.received(&file).await, json!(6));
    assert_eq!(stage.send(&file, 6, b"gh").await.status(), StatusCode::OK);
    assert_eq!(stage.send(&file, 8, b"").await.status(), StatusCode::OK, "nothing more is no fault");
}

async fn a_request_that_says_no_offset_or_another_type_is_refused(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.announced(8).await;
    let send = async |path: &str, content_type: &str| {
        let request = stage.server.request(Method::PATCH, path).bearer_auth(&stage.ann.access_token);
        code(request.header("content-type", content_type).body("x").send().await.unwrap()).await
    };
    for query in ["", "?offset=", "?offset=-1", "?offset=x", "?offset=99999999999999999999"] {
        assert_eq!(send(&format!("{file}{query}"), "application/octet-stream").await, "malformed", "{query}");
    }
    assert_eq!(send(&format!("{file}?offset=0"), "text/html").await, "unsupported_media_type");
}

async fn of_two_requests_at_once_the_newer_goes_on_where_the_older_was(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.announced(8).await;
    let (hangs, hanging) = oneshot::channel();
    let pieces = stream::once(async { Ok::<_, Infallible>(b"abcd") }).chain(stream::once(async move {
        hangs.send(()).unwrap();
        std::future::pending().await
    }));
    let (app, principal) = (stage.server.app.clone(), stage.principal());
    let of = id(&file);
    let older = tokio::spawn(async move { files::receive(&app, &principal, of, 0, None, pieces.boxed()).await });
    hanging.await.unwrap();
    // What came of the older one counts, so the newer one is told where to go on.
    let response = stage.send(&file, 0, b"12345678").await;
    assert_eq!(response.status(), StatusCode::CONFLICT);
    assert_eq!(code(response).await, "wrong_offset");
    assert_eq!(older.await.unwrap().unwrap().received_bytes, 4);
    assert_eq!(stage.send(&file, 4, b"efgh").await.status(), StatusCode::OK);
    assert_eq!(stage.read(&stage.ann, &file, &[]).await.bytes().await.unwrap(), b"abcdefgh"[..]);
}

async fn a_request_that_brings_no_byte_for_half_a_minute_ends_and_what_came_counts(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.announced(8).await;
    let (stalled, stalls) = oneshot::channel();
    let pieces = stream::once(async { Ok::<_, Infallible>(b"abcd") }).chain(stream::once(async move {
        stalled.send(()).unwrap();
        std::future::pending().await
    }));
    let (app, principal) = (stage.server.app.clone(), stage.principal());
    let of = id(&file);
    let upload = tokio::spawn(async move { files::receive(&app, &principal, of, 0, None, pieces.boxed()).await });
    stalls.await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert!(matches!(upload.await.unwrap(), Err(Error::TimedOut)));
    assert_eq!(stage.received(&file).await, json!(4));
}

async fn a_file_is_bounded_by_its_size_by_what_its_sender_has_and_by_what_the_server_has(place: Place) {
    const MB: usize = 1 << 20;
    let settings = [("MAX_FILE_MB", "2"), ("MAX_FILES_MB_PER_USER", "3"), ("MAX_FILES_MB", "4")];
    let stage = Stage::set_with(place, &settings).await;
    let facts: Value = stage.server.get("/api/v1/config").send().await.unwrap().json().await.unwrap();
    assert_eq!(facts["files"], json!({"max_file_bytes": 2 * MB, "max_user_bytes": 3 * MB}));

    let refused = async |who, size| {
        let (status, problem) = stage.announce(who, size).await;
        (status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    };
    assert_eq!(refused(&stage.ann, 2 * MB + 1).await, (413, "file_too_large".to_owned()));
    assert_eq!(refused(&stage.ann, usize::MAX).await, (413, "file_too_large".to_owned()));
    let file = stage.announced(2 * MB).await;
    assert_eq!(refused(&stage.ann, MB + 1).await, (409, "file_quota_exceeded".to_owned()));
    stage.announced(MB).await;
    assert_eq!(refused(&stage.ben, MB + 1).await, (503, "disk_full".to_owned()));
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.announce(&stage.ben, 2 * MB).await.0, StatusCode::CREATED, "what is deleted no longer counts");
}

async fn files_that_count_for_nothing_else_are_bounded_by_how_many_the_server_has(place: Place) {
    let stage = Stage::set_with(place, &[("MAX_FILES", "2"), ("MAX_FILES_MB", "1")]).await;
    let file = stage.announced(1).await;
    let (_, problem) = stage.announce(&stage.ann, 1 << 20).await;
    assert_eq!(problem["code"], "disk_full", "too many bytes");
    stage.announced(1).await;
    let (status, problem) = stage.announce(&stage.ben, 1).await;
    assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("disk_full")));
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.announce(&stage.ben, 1).await.0, StatusCode::CREATED, "what is deleted no longer counts");
}

async fn a_sender_has_twenty_unfinished_files_at_most(place: Place) {
    let stage = Stage::set(place).await;
    let first = stage.announced(1).await;
    for _ in 1..20 {
        stage.announced(1).await;
    }
    let (status, problem) = stage.announce(&stage.ann, 1).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("too_many_uploads")));
    assert_eq!(stage.send(&first, 0, b"x").await.status(), StatusCode::OK);
    stage.announced(1).await;
}

async fn a_file_of_others_looks_like_none(place: Place) {
    let stage = Stage::set(place).await;
    let (status, problem) = stage.announce(&stage.eve, 1).await;
    assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("room_not_found")));
    let unsent = stage.sent(b"abc").await;
    let sent = stage.sent(b"abc").await;
    stage.attach(&sent, MessageId::from_bytes([1; 16])).await;
    let nowhere = "/api/v1/files/0192f0c1-2b3c-7d4e-8f50-617283940506".to_owned();
    for (who, file) in [
        (&stage.eve, &sent),
        (&stage.eve, &unsent),
        (&stage.ben, &unsent),
        (&stage.eve, &nowhere),
        (&stage.eve, &"/api/v1/files/x".to_owned()),
    ] {
        for (method, path) in
            [(Method::GET, file.clone()), (Method::GET, format!("{file}/state")), (Method::DELETE, file.clone())]
        {
            let (status, problem) = stage.server.ask(who, method.clone(), &path, None).await;
            assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("file_not_found")), "{method} {path}");
        }
        let request = stage.server.request(Method::PATCH, &format!("{file}?offset=3")).bearer_auth(&who.access_token);
        let response = request.header("content-type", "application/octet-stream").body("").send().await.unwrap();
        assert_eq!(code(response).await, "file_not_found");
    }
    assert_eq!(stage.read(&stage.ben, &sent, &[]).await.status(), StatusCode::OK);
    let member = format!("/api/v1/rooms/{}/members/{}", stage.room, stage.ben.user);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &member, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(code(stage.read(&stage.ben, &sent, &[]).await).await, "file_not_found", "no member any more");
    let nobody = stage.server.get(&sent).send().await.unwrap();
    assert_eq!(code(nobody).await, "not_signed_in");
}

async fn a_file_is_never_something_that_a_browser_would_show_or_run(place: Place) {
    let stage = Stage::set(place).await;
    let page = b"<script>alert(1)</script>";
    let file = stage.sent(page).await;
    let request = stage.server.request(Method::HEAD, &file).bearer_auth(&stage.ann.access_token);
    let head = request.send().await.unwrap();
    let get = stage.read(&stage.ann, &file, &[]).await;
    for response in [&head, &get] {
        assert_eq!(response.status(), StatusCode::OK);
        for (name, value) in [
            ("content-type", "application/octet-stream"),
            ("content-disposition", "attachment"),
            ("content-security-policy", "sandbox"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("accept-ranges", "bytes"),
            ("content-length", "25"),
        ] {
            assert_eq!(response.headers()[name], value, "{name}");
        }
    }
    assert_eq!(get.headers()["etag"], head.headers()["etag"]);
    let etag = get.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(get.bytes().await.unwrap(), page[..]);
    assert_eq!(head.bytes().await.unwrap(), b""[..]);
    assert_eq!(stage.read(&stage.ann, &file, &[("if-none-match", &etag)]).await.status(), StatusCode::NOT_MODIFIED);
}

async fn one_part_of_a_file_can_be_read(place: Place) {
    let stage = Stage::set(place).await;
    let whole = bytes(300_000);
    let file = stage.sent(&whole).await;
    for (range, from, to) in [("bytes=0-9", 0, 10), ("bytes=131000-263000", 131_000, 263_001), ("bytes=-5", 299_995, 300_000)] {
        let response = stage.read(&stage.ann, &file, &[("range", range)]).await;
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(response.headers()["content-range"], format!("bytes {from}-{}/300000", to - 1).as_str());
        assert_eq!(response.headers()["content-length"], (to - from).to_string().as_str());
        assert_eq!(response.headers()["content-security-policy"], "sandbox");
        assert_eq!(response.bytes().await.unwrap(), whole[from..to]);
    }
    let stale = [("range", "bytes=0-9"), ("if-range", "\"other\"")];
    assert_eq!(stage.read(&stage.ann, &file, &stale).await.bytes().await.unwrap(), whole);
    let behind = stage.read(&stage.ann, &file, &[("range", "bytes=300000-")]).await;
    assert_eq!(behind.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(behind.headers()["content-range"], "bytes */300000");
    assert_eq!(code(behind).await, "range_not_satisfiable");
}

async fn a_file_whose_bytes_are_missing_is_none(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.sent(b"abc").await;
    stage.kept(&file).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    assert_eq!(code(stage.read(&stage.ann, &file, &[]).await).await, "file_not_found");
}

async fn an_empty_file_is_complete_at_once(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.announced(0).await;
    let response = stage.read(&stage.ann, &file, &[]).await;
    assert_eq!((response.status(), &response.headers()["content-length"]), (StatusCode::OK, &"0".parse().unwrap()));
    assert_eq!(response.bytes().await.unwrap(), b""[..]);
}

async fn a_file_that_is_taken_back_leaves_nothing(place: Place) {
    let stage = Stage::set(place).await;
    let file = stage.sent(b"abc").await;
    assert_eq!(stage.kept(&file).len(), 1);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.kept(&file).len(), 0);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &file, None).await.0, StatusCode::NOT_FOUND);
}

async fn the_sweeper_removes_what_no_message_took_for_a_day_and_what_a_deleted_message_left(place: Place) {
    let stage = Stage::set(place).await;
    let message = MessageId::from_bytes([1; 16]);
    let (forgotten, deleted, kept) = (stage.sent(b"abc").await, stage.sent(b"abc").await, stage.sent(b"abc").await);
    stage.attach(&deleted, message).await;
    stage.attach(&kept, MessageId::from_bytes([2; 16])).await;
    let sweep = async || files::sweep(&stage.server.app).await.unwrap();
    assert_eq!(sweep().await, Swept::default());
    stage.server.app.store.detach_files(stage.room.parse().unwrap(), message).await.unwrap();
    assert_eq!(sweep().await, Swept { files: 1, orphans: 0 });
    assert_eq!((stage.kept(&deleted).len(), stage.kept(&forgotten).len()), (0, 1));
    stage.server.advance(DAY);
    assert_eq!(sweep().await, Swept { files: 1, orphans: 0 });
    assert_eq!((stage.kept(&forgotten).len(), stage.kept(&kept).len()), (0, 1));
    assert_eq!(stage.read(&stage.ann, &kept, &[]).await.status(), StatusCode::UNAUTHORIZED, "a day is longer than a token");
}

async fn a_walk_removes_files_of_gone_messages_and_rooms_and_bytes_that_nobody_claims(place: Place) {
    let stage = Stage::set(place).await;
    let (kept, lost) = (stage.sent(b"abc").await, stage.sent(b"abc").await);
    let message = MessageId::from_bytes([1; 16]);
    stage.attach(&kept, message).await;
    stage.attach(&lost, MessageId::from_bytes([2; 16])).await;
    write_message(&stage, message).await;
    stage.leave_bytes(OLD);
    let walk = async || files::walk(&stage.server.app).await.unwrap();
    assert_eq!(walk().await, Swept { files: 1, orphans: 1 });
    assert_eq!((stage.kept(&kept).len(), stage.kept(&lost).len(), stage.kept(OLD).len()), (1, 0, 0));
    assert_eq!(stage.read(&stage.ben, &kept, &[]).await.status(), StatusCode::OK);
    assert_eq!(walk().await, Swept::default());
    let room = format!("/api/v1/rooms/{}", stage.room);
    assert_eq!(stage.server.ask(&stage.ann, Method::DELETE, &room, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(walk().await, Swept { files: 1, orphans: 0 });
    assert_eq!(stage.kept(&kept).len(), 0);
}

/// A message in the room, beside the server.
async fn write_message(stage: &Stage, message: MessageId) {
    let file = stage.server.app.config.data_dir.join("webcall.db");
    let mut connection = sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    let room: RoomId = stage.room.parse().unwrap();
    sqlx::query(
        "insert into messages (room_id, seq, id, kind, sender, sent_at, body) values ($1, 1, $2, 'message', $3, 1, x'00')",
    )
    .bind(room)
    .bind(message)
    .bind(stage.principal().user)
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
}
