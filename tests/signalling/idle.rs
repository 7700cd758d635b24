//! Many who say nothing, and one who reads nothing: the others hear everything, in order.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webcall::chat::{self, Draft};
use webcall::id::MessageId;
use webcall::signal::Timing;
use webcall::signal::protocol::{Entry, ServerMessage};

use crate::client::Client;
use crate::server::Server;

/// Accounts of those who say nothing; each has as many windows as it may.
const ACCOUNTS: usize = 10;
const WINDOWS: usize = 20;
/// Each as large as it may be: more than the system and the server hold for one who reads nothing.
const MESSAGES: usize = 300;
const BODY_BYTES: usize = 64_000;
const PATIENCE: Duration = Duration::from_secs(120);
/// What the server holds for one client at most, encoded, with what the system may hold on both sides of a connection of this machine.
const MOST_HELD_MESSAGES: usize = 250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_many_idle_and_one_who_reads_nothing_the_others_get_every_entry_and_that_one_is_told_to_look() {
    // As long as the disk needs: who reads nothing is given up later than usual.
    let server = Server::start_with(Timing { write_limit: PATIENCE, silence_limit: 2 * PATIENCE, ..Timing::default() }).await;
    let (ann, ben, eve) = (server.register("ann").await, server.register("ben").await, server.register("eve").await);
    let mut idle = Vec::new();
    for n in 0..ACCOUNTS {
        let account = server.register(&format!("idle{n}")).await;
        for _ in 0..WINDOWS {
            idle.push(Client::connect(&server, &account).await);
        }
    }
    let room = server.room(&[&ann, &ben, &eve]).await;
    let mut bens = Client::connect(&server, &ben).await;
    let mut eves = Client::connect(&server, &eve).await;
    let body = URL_SAFE_NO_PAD.encode(vec![7; BODY_BYTES]);
    for seq in 1..=MESSAGES {
        let id = MessageId::new(server.app.clock.now()).to_string();
        let draft = Draft::parse(&id, &body, &[]).unwrap();
        // In turns, since neither may write so much alone.
        let sender = [&ann, &ben][seq % 2];
        chat::post(&server.app, sender, room, draft).unwrap().outcome().await.unwrap();
        assert_eq!(entry(&mut bens).await.expect("nothing is left out").seq, seq as i64);
    }
    // Eve begins to read: what was held for her, then that there is more, then nothing of what came behind it.
    let mut held = 0;
    while let Some(entry) = entry(&mut eves).await {
        held += 1;
        assert_eq!(entry.seq, held);
    }
    assert!(held <= MOST_HELD_MESSAGES as i64, "{held} messages were held");
    eves.must(webcall::signal::protocol::ClientMessage::Ping {}).await;
    assert_eq!(server.signalling.connections(), ACCOUNTS * WINDOWS + 2);
    assert_eq!(idle.iter_mut().map(|client| client.events_so_far().len()).sum::<usize>(), 0);
}

/// The next one, or that something was left out. Who came into the room before may be told late.
async fn entry(client: &mut Client) -> Option<Entry> {
    loop {
        match client.event().await {
            ServerMessage::Entry { entry, .. } => return Some(entry),
            ServerMessage::Resync {} => return None,
            ServerMessage::RoomChanged { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}
