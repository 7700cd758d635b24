//! How the databases go about each statement of the store: none reads a whole table that grows.
//!
//! Nobody lists the statements a second time. The conformance tests of the store are run once more while every statement that reaches a
//! database is recorded, and what is written in `src/store` and was not recorded fails the test. Then tables as large as a busy server's
//! are asked for the plan of each: SQLite with statistics and without, PostgreSQL for the plan that holds for any value.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

#[path = "support/filling.rs"]
mod filling;
#[path = "support/postgres.rs"]
mod postgres;

#[path = "store/common.rs"]
mod common;

#[path = "plans/empty.rs"]
mod empty;
#[path = "plans/exceptions.rs"]
mod exceptions;
#[path = "plans/filled.rs"]
mod filled;
#[path = "plans/on_postgres.rs"]
mod on_postgres;
#[path = "plans/on_sqlite.rs"]
mod on_sqlite;
#[path = "plans/recorder.rs"]
mod recorder;
#[path = "plans/sources.rs"]
mod sources;

use std::collections::BTreeSet;

use common::{NOW, act, room, room_of, user};
use empty::Opener;
use recorder::Recorder;
use tokio::sync::Mutex;

/// The tests of the store; a module that is missing here leaves statements unrecorded, which fails.
macro_rules! conformance {
    ($($name:ident $path:literal)*) => {
        $(#[path = $path] mod $name;)*

        async fn conform(opener: &mut Opener) {
            $($name::run_all(opener).await;)*
        }
    };
}

conformance! {
    audit "store/audit.rs"
    bans "store/bans.rs"
    diagnostics "store/diagnostics.rs"
    e2ee "store/e2ee.rs"
    files "store/files.rs"
    groups "store/groups.rs"
    members "store/members.rs"
    messages "store/messages.rs"
    rooms "store/rooms.rs"
    sessions "store/sessions.rs"
    turn_keys "store/turn_keys.rs"
    users "store/users.rs"
}

/// Parameters of one statement that SQLite takes; PostgreSQL takes 65,535.
const MAX_PARAMETERS: usize = 32_766;

/// What is recorded belongs to one database at a time, and to no other test of this process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test]
async fn no_statement_of_the_store_reads_a_whole_table_that_grows() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let recorder = Recorder::start();
    let on_sqlite = recorder.during(Box::pin(conform(&mut Opener::sqlite()))).await;
    let on_postgres = recorder.during(Box::pin(conform(&mut Opener::postgres().await))).await;

    // PostgreSQL has one statement more than SQLite, which needs no locks.
    let recorded = &on_sqlite | &on_postgres;
    assert_eq!(missing(&recorded), [""; 0], "written in src/store, and run by no conformance test");
    for recorded in [&on_sqlite, &on_postgres] {
        for statement in recorded {
            assert!(parameters(statement) <= MAX_PARAMETERS, "{statement}");
            let words = statement.split(|c: char| !c.is_ascii_alphanumeric());
            assert_eq!(words.clone().find(|word| ["like", "ilike", "glob"].contains(word)), None, "wildcards: {statement}");
        }
    }
    let mut faults = on_sqlite::full_scans(&on_sqlite).await;
    faults.extend(on_postgres::full_scans(&on_postgres).await);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The positive control: what would be a fault is found as one, in every form that a plan gives it.
#[tokio::test]
async fn a_full_scan_is_found_on_both_databases() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let scans = [
        "select id from messages where sender = $1",
        "select count(*) from members where role = $1",
        "select m.seq from rooms r join messages m on m.room_id = r.id where m.kind = $1",
        "delete from files where size_bytes = $1",
        "update members set read_seq = 1 where joined_at = $1",
        // Along an index, but along the whole of it.
        "select room_id, id from messages order by room_id, id",
        "select count(*) from sessions where user_id = $1 or last_used_at > $2 or user_agent = $3",
    ];
    let searches = [
        "select id from messages where room_id = $1 and seq > $2 order by seq limit 10",
        "select u.username from members m join users u on u.id = m.user_id where m.room_id = $1",
    ];
    let statements = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let found = |faults: Vec<String>| -> Vec<bool> {
        scans.iter().chain(&searches).map(|text| faults.iter().any(|fault| fault.contains(text))).collect()
    };
    let expected = [[true; 7].as_slice(), &[false; 2]].concat();
    let all = statements(&[scans.as_slice(), &searches].concat());
    assert_eq!(found(on_sqlite::full_scans(&all).await), expected, "on SQLite");
    assert_eq!(found(on_postgres::full_scans(&all).await), expected, "on PostgreSQL");
}

/// Texts in the sources that are part of no recorded statement.
fn missing(recorded: &BTreeSet<String>) -> Vec<String> {
    let run = |text: &String| recorded.iter().any(|statement| statement.contains(text.as_str()));
    sources::statements().into_iter().filter(|text| !run(text)).collect()
}

/// `$1` and so on, or `?`.
fn parameters(statement: &str) -> usize {
    let numbered = statement.split('$').skip(1).filter_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    });
    numbered.max().unwrap_or(0).max(statement.matches('?').count())
}

/// Makes one function that runs every test of a module, each on an empty store.
#[macro_export]
macro_rules! on_both {
    ($($name:ident)*) => {
        pub(crate) async fn run_all(opener: &mut $crate::empty::Opener) {
            $(
                let store = opener.empty().await;
                $name(&store).await;
                store.close().await;
            )*
        }
    };
}
