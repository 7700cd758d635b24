//! What survives a broken socket, and for whom.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use webcall::signal::Timing;
use webcall::signal::protocol::{LeaveReason, ServerMessage, Source};

use crate::client::{Client, mute};
use crate::server::Server;

fn short_window() -> Timing {
    Timing { resume_window: Duration::from_millis(50), ..Timing::default() }
}

#[tokio::test]
async fn a_resumed_connection_keeps_its_participant_and_gets_exactly_what_it_missed() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    assert!(matches!(anns.event().await, ServerMessage::ParticipantJoined { .. }));
    drop_socket(&mut anns).await;
    bobs.must(mute(Source::Camera, true)).await;
    bobs.must(mute(Source::Camera, false)).await;
    let mut back = Client::resume(&server, &ann, &anns).await;
    assert!(back.resumed);
    assert_eq!(back.secret, anns.secret);
    for _ in 0..2 {
        let event = back.event().await;
        assert!(matches!(event, ServerMessage::ParticipantChanged { .. }), "{event:?}");
    }
    back.must(mute(Source::Microphone, true)).await;
    assert_eq!(server.app.calls.in_call(room), 2);
}

#[tokio::test]
async fn what_the_answer_to_a_ping_shows_to_have_arrived_is_not_kept() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut client = Client::enter(&server, &ann, room).await;
    client.must(mute(Source::Camera, true)).await;
    client.socket.send(Message::Pong(client.last_seq.to_be_bytes().to_vec().into())).await;
    client.must(mute(Source::Camera, false)).await;
    client.last_seq -= 1;
    drop_socket(&mut client).await;
    let mut back = Client::resume(&server, &ann, &client).await;
    assert!(back.resumed, "what came later is kept");
    drop_socket(&mut back).await;
    client.last_seq = 1;
    assert!(!Client::resume(&server, &ann, &client).await.resumed);
}

/// The TCP connection ends without a word.
async fn drop_socket(client: &mut Client) {
    match client.socket.0.get_mut() {
        MaybeTlsStream::Plain(tcp) => tcp.shutdown().await.unwrap(),
        _ => unreachable!("tests use no TLS"),
    }
}

#[tokio::test]
async fn whoever_does_not_come_back_in_time_is_out() {
    let server = Server::start_with(short_window()).await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let anns = Client::enter(&server, &ann, room).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    let participant = anns.me.clone();
    drop(anns.socket);
    assert_eq!(bobs.event().await, ServerMessage::ParticipantLeft { participant, reason: LeaveReason::TimedOut });
    assert_eq!(server.app.calls.in_call(room), 1);
}

#[tokio::test]
async fn who_closes_the_page_is_out_at_once() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    for code in [CloseCode::Normal, CloseCode::Away] {
        let mut anns = Client::enter(&server, &ann, room).await;
        assert!(matches!(bobs.event().await, ServerMessage::ParticipantJoined { .. }));
        anns.socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
        let left = ServerMessage::ParticipantLeft { participant: anns.me.clone(), reason: LeaveReason::Left };
        assert_eq!(bobs.event().await, left);
    }
}

#[tokio::test]
async fn the_earlier_socket_is_closed_when_its_connection_is_resumed() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut first = Client::enter(&server, &ann, room).await;
    let mut second = Client::resume(&server, &ann, &first).await;
    assert!(second.resumed);
    assert_eq!(first.socket.close_code().await, 4409);
    second.must(mute(Source::Camera, true)).await;
    assert_eq!(server.app.calls.in_call(room), 1);
}

#[tokio::test]
async fn another_session_cannot_resume_and_does_no_harm_by_trying() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let anns_phone = server.login("ann").await;
    let room = server.room(&[&ann]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    for thief in [&bob, &anns_phone] {
        let stolen = Client::resume(&server, thief, &anns).await;
        assert!(!stolen.resumed);
        assert_ne!(stolen.secret, anns.secret);
    }
    anns.must(mute(Source::Camera, true)).await;
}

#[tokio::test]
async fn an_unknown_secret_starts_afresh() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let mut anns = Client::connect(&server, &ann).await;
    anns.secret = "x".repeat(1_000);
    assert!(!Client::resume(&server, &ann, &anns).await.resumed);
}

#[tokio::test]
async fn who_claims_to_have_seen_what_was_never_sent_starts_afresh_and_leaves_no_ghost() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    anns.last_seq += 1;
    let mut again = Client::resume(&server, &ann, &anns).await;
    assert!(!again.resumed);
    let participants = again.join(room).await;
    assert_eq!(participants.len(), 1, "{participants:?}");
}
