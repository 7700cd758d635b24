//! What the media core refuses, and what its accidents look like from outside. Media itself is tested with media.

use webcall::signal::protocol::{ClientMessage, LeaveReason, SeatOffer, ServerMessage, Source, TrackOffer};
use webcall_media::ParticipantId;

use crate::client::Client;
use crate::server::Server;

#[tokio::test]
async fn an_offer_that_is_no_sdp_is_refused_and_another_can_be_made() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    let room = server.room(&[&ann]).await;
    let mut client = Client::enter(&server, &ann, room).await;
    for sdp in ["", "v=0", "\u{0}\u{1}\u{2}", &"a=".repeat(50_000)] {
        let tracks = vec![TrackOffer { mid: "0".to_owned(), source: Source::Microphone }];
        assert_eq!(client.refused(ClientMessage::Offer { sdp: sdp.to_owned(), tracks, seats: vec![] }).await, "bad_offer");
    }
}

/// What Chromium offers: a microphone, a camera, two seats.
const OFFER: &str = include_str!("../../media/src/transport/sdp/fixtures/chromium.sdp");

#[tokio::test]
async fn in_a_strict_room_no_offer_is_answered_with_levels_and_sound_is_asked_for_at_a_constant_bitrate() {
    let server = Server::start().await;
    let ann = server.register("ann").await;
    assert!(OFFER.contains("ssrc-audio-level") && !OFFER.contains("cbr="), "the offer has levels");
    for (room, is_strict) in [(server.encrypted_room(&[&ann]).await, false), (server.strict_room(&[&ann]).await, true)] {
        let mut client = Client::connect(&server, &ann).await;
        let joined = client.ask(ClientMessage::Join { room: room.to_string(), muted: vec![] }).await;
        assert!(matches!(joined, ServerMessage::Joined { strict, .. } if strict == is_strict), "{joined:?}");
        let tracks = vec![TrackOffer { mid: "0".to_owned(), source: Source::Microphone }];
        let seats = vec![SeatOffer { audio_mid: "2".to_owned(), video_mid: "3".to_owned() }];
        let answered = client.ask(ClientMessage::Offer { sdp: OFFER.to_owned(), tracks, seats }).await;
        let ServerMessage::Answer { sdp, .. } = answered else { panic!("{answered:?}") };
        assert_eq!((sdp.contains("ssrc-audio-level"), sdp.contains("cbr=1;usedtx=0")), (!is_strict, is_strict), "{sdp}");
    }
}

#[tokio::test]
async fn after_the_crash_of_a_worker_its_callers_are_told_and_can_join_again() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut clients = [Client::enter(&server, &ann, room).await, Client::enter(&server, &bob, room).await];
    let participant = ParticipantId(u64::from_str_radix(&clients[0].me, 16).unwrap());
    server.app.media.crash_worker_of(participant).unwrap();
    for client in &mut clients {
        loop {
            match client.event().await {
                ServerMessage::Removed { reason } => break assert_eq!(reason, LeaveReason::MediaLost),
                ServerMessage::ParticipantJoined { .. } | ServerMessage::ParticipantLeft { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(server.app.calls.in_call(room), 0);
    for client in &mut clients {
        client.join(room).await;
    }
}
