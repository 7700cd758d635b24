//! PostgreSQL is away for ten seconds: calls go on, requests are refused for now, and everything recovers by itself.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::binary::{Caller, Server};
use crate::call::Call;
use crate::postgres::Postgres;
use crate::writers::{Writers, must_be_for_now};
use crate::{soon, until};

/// For how long.
const AWAY: Duration = Duration::from_secs(10);
/// Connections that a server may have to the database, as `store/open.rs` says.
const MOST_CONNECTIONS: i64 = 16;
/// Messages that show that it works.
const SOME: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stands_still_ends_no_call_and_loses_nothing() {
    stay_up(Postgres::freeze, Postgres::thaw).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_started_again_ends_no_call_and_loses_nothing() {
    stay_up(Postgres::stop, Postgres::go_on).await;
}

async fn stay_up(leave: fn(&Postgres), come_back: fn(&Postgres)) {
    let postgres = Postgres::start();
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), Some(&postgres.url()));
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let (room, link) = ann.room().await;
    bob.join(&link).await.unwrap();
    let mut call = Call::begin(&[&ann, &bob], &room).await;
    let writers = Writers::start(&[&ann, &bob, &ann, &bob], &room, 100, &["busy"]);
    until("messages", async || writers.acknowledged() >= SOME).await;

    leave(&postgres);
    let left = Instant::now();
    let mut refusals = 0;
    while left.elapsed() < AWAY {
        refusals += soon("refusals", refuse_everything(&ann, &room)).await;
        call.must_answer().await;
        call.must_show_more().await;
    }
    assert!(ready(&server).await == StatusCode::SERVICE_UNAVAILABLE, "not ready while the database is away");
    println!("away: {refusals} requests refused, {} messages refused", writers.refused());
    come_back(&postgres);

    until("a server that is ready", async || ready(&server).await == StatusCode::OK).await;
    let before = writers.acknowledged();
    until("messages again", async || writers.acknowledged() >= before + SOME).await;
    call.must_answer().await;
    call.must_show_more().await;
    println!("the longest time without a new picture: {:?}", call.longest_gap());
    let written = writers.finish().await;
    written.must_be_there(&ann, &room).await;
    assert!(connections(&postgres).await <= MOST_CONNECTIONS, "the server must not storm the database");
    assert!(server.lives());
}

/// Requests of each kind are answered while the database is away, and say when to come again. How many.
async fn refuse_everything(ann: &Caller, room: &str) -> usize {
    let requests = [
        (Method::GET, "rooms".to_owned(), None),
        (Method::GET, format!("rooms/{room}/messages"), None),
        (Method::PUT, format!("rooms/{room}/read"), Some(json!({"seq": 1}))),
        (Method::PATCH, format!("rooms/{room}"), Some(json!({"topic": "away"}))),
        (Method::GET, "me/sessions".to_owned(), None),
    ];
    let count = requests.len();
    let asked = requests.map(|(method, path, body)| async move { ann.ask(method, &path, body).await.expect("it answers") });
    for answer in futures_util::future::join_all(asked).await {
        must_be_for_now(&answer, &["busy", "timed_out"]);
    }
    count
}

async fn ready(server: &Server) -> StatusCode {
    reqwest::get(format!("{}/readyz", server.url)).await.unwrap().status()
}

async fn connections(postgres: &Postgres) -> i64 {
    let mut connection = PgConnection::connect_with(&postgres.options()).await.unwrap();
    let sql = "select count(*) from pg_stat_activity where application_name = 'webcall'";
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}
