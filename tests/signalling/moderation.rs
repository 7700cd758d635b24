//! What moderators can do in a call, and to whom.

use webcall::role::Role;
use webcall::signal::protocol::{ClientMessage, LeaveReason, ModeratorAction, ServerMessage, Source, SourceState};

use crate::client::{Client, moderate, mute};
use crate::server::Server;

const MUTE: ModeratorAction = ModeratorAction::Mute { source: Source::Microphone };
const ALLOW: ModeratorAction = ModeratorAction::Allow { source: Source::Microphone };

/// An owner, a moderator and a member in a call, in this order.
async fn call() -> (Server, [Client; 3]) {
    let server = Server::start().await;
    let (ann, bob, cid) = (server.register("ann").await, server.register("bob").await, server.register("cid").await);
    let room = server.room(&[&ann, &bob, &cid]).await;
    server.promote(&ann, room, bob.user, Role::Moderator).await;
    let clients = [
        Client::enter(&server, &ann, room).await,
        Client::enter(&server, &bob, room).await,
        Client::enter(&server, &cid, room).await,
    ];
    (server, clients)
}

#[tokio::test]
async fn a_moderators_mute_holds_until_it_is_lifted() {
    let (_server, [_, mut moderator, mut member]) = call().await;
    moderator.must(moderate(&member.me, MUTE)).await;
    assert_eq!(member.refused(mute(Source::Microphone, false)).await, "muted_by_moderator");
    member.must(mute(Source::Camera, false)).await;
    assert_eq!(member.refused(moderate(&member.me.clone(), ALLOW)).await, "not_allowed");
    moderator.must(moderate(&member.me, ALLOW)).await;
    member.must(mute(Source::Microphone, false)).await;
}

#[tokio::test]
async fn members_moderate_nobody_and_nobody_moderates_an_owner() {
    let (_server, [mut owner, mut moderator, mut member]) = call().await;
    for action in [MUTE, ALLOW, ModeratorAction::Remove {}] {
        assert_eq!(member.refused(moderate(&moderator.me, action)).await, "not_allowed");
        assert_eq!(member.refused(moderate(&owner.me, action)).await, "not_allowed");
        assert_eq!(moderator.refused(moderate(&owner.me, action)).await, "not_allowed");
        assert_eq!(moderator.refused(moderate("0000000000000000", action)).await, "unknown_participant");
    }
    owner.must(moderate(&moderator.me, MUTE)).await;
    owner.must(moderate(&owner.me.clone(), MUTE)).await;
}

#[tokio::test]
async fn who_is_removed_is_told_and_so_are_the_others() {
    let (_server, [mut owner, mut moderator, mut member]) = call().await;
    moderator.must(moderate(&member.me, ModeratorAction::Remove {})).await;
    assert_eq!(member.event().await, ServerMessage::Removed { reason: LeaveReason::Removed });
    let left = ServerMessage::ParticipantLeft { participant: member.me.clone(), reason: LeaveReason::Removed };
    loop {
        match owner.event().await {
            ServerMessage::ParticipantJoined { .. } => {}
            event => break assert_eq!(event, left),
        }
    }
    assert_eq!(moderator.refused(moderate(&member.me, MUTE)).await, "unknown_participant");
    assert_eq!(member.refused(ClientMessage::Leave {}).await, "not_in_call");
}

#[tokio::test]
async fn a_participant_of_another_room_is_out_of_reach() {
    let (server, [mut owner, _moderator, _member]) = call().await;
    let dan = server.register("dan").await;
    let other = server.room(&[&dan]).await;
    let dans = Client::enter(&server, &dan, other).await;
    assert_eq!(owner.refused(moderate(&dans.me, ModeratorAction::Remove {})).await, "unknown_participant");
    assert_eq!(server.app.calls.in_call(other), 1);
}

#[tokio::test]
async fn everybody_sees_the_same_switches() {
    let (_server, clients) = call().await;
    let [mut owner, _moderator, mut member] = clients;
    member.must(mute(Source::Microphone, true)).await;
    owner.must(moderate(&member.me, MUTE)).await;
    let mut seen: Vec<Vec<SourceState>> = Vec::new();
    while seen.len() < 2 {
        if let ServerMessage::ParticipantChanged { participant } = owner.event().await {
            assert_eq!(participant.participant, member.me);
            seen.push(participant.sources);
        }
    }
    // Nothing is offered yet, so nothing is listed; the switches themselves are shown once it is (`calls`).
    assert_eq!(seen, vec![vec![], vec![]]);
}
