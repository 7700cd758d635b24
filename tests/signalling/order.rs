//! Raised hands and reactions; what moderators did in a call, in the log; what bans and roles do to who is in one.

use webcall::calls::Emoji;
use webcall::role::Role;
use webcall::rooms;
use webcall::signal::protocol::{ClientMessage, LeaveReason, ModeratorAction, Participant, ServerMessage, Source};
use webcall::store::AuditAct;

use crate::client::{Client, moderate};
use crate::server::Server;

fn hand(raised: bool) -> ClientMessage {
    ClientMessage::Hand { raised }
}

fn react(emoji: &str) -> ClientMessage {
    ClientMessage::React { emoji: emoji.to_owned() }
}

/// The next change of somebody.
async fn change(client: &mut Client) -> Participant {
    loop {
        if let ServerMessage::ParticipantChanged { participant } = client.event().await {
            return participant;
        }
    }
}

#[tokio::test]
async fn a_raised_hand_is_seen_by_everybody_and_by_who_comes_later() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    let before = server.app.clock.now().as_millis();
    anns.must(hand(true)).await;
    let raised_at = change(&mut anns).await.hand_raised_at.unwrap();
    assert!(raised_at >= before);
    anns.must(hand(true)).await;
    let mut bobs = Client::connect(&server, &bob).await;
    let hands: Vec<_> = bobs.join(room).await.into_iter().map(|participant| participant.hand_raised_at).collect();
    assert_eq!(hands, [Some(raised_at), None]);
    anns.must(hand(false)).await;
    assert_eq!(change(&mut bobs).await.hand_raised_at, None);
}

#[tokio::test]
async fn a_moderator_lowers_a_hand_and_a_member_only_their_own() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let (mut anns, mut bobs) = (Client::enter(&server, &ann, room).await, Client::enter(&server, &bob, room).await);
    anns.must(hand(true)).await;
    assert_eq!(bobs.refused(moderate(&anns.me, ModeratorAction::LowerHand {})).await, "not_allowed");
    bobs.must(hand(true)).await;
    anns.must(moderate(&bobs.me, ModeratorAction::LowerHand {})).await;
    let lowered = [change(&mut bobs).await, change(&mut bobs).await, change(&mut bobs).await];
    assert_eq!(
        lowered.map(|p| (p.participant == bobs.me, p.hand_raised_at.is_some())),
        [(false, true), (true, true), (true, false)]
    );
}

#[tokio::test]
async fn a_reaction_is_seen_by_everybody_and_what_is_none_is_refused() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    bobs.must(react("🎉")).await;
    let expected = ServerMessage::Reaction { participant: bobs.me.clone(), emoji: "🎉".to_owned() };
    assert_eq!(anns.event().await, expected);
    assert!(matches!(bobs.event().await, ServerMessage::ParticipantJoined { .. }));
    assert_eq!(bobs.event().await, expected);
    for bad in ["", "hello", "🎉🎉🎉🎉🎉🎉🎉🎉🎉", "\u{0}"] {
        assert_eq!(bobs.refused(react(bad)).await, "invalid_emoji");
    }
    let refused = async |client: &mut Client| loop {
        if let ServerMessage::Error { code, .. } = client.ask(react("👍")).await {
            return code;
        }
    };
    assert_eq!(refused(&mut bobs).await, "rate_limited");
    anns.must(react("👍")).await;
}

#[tokio::test]
async fn reactions_end_no_connection_however_many_there_are() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    let bobs = Client::enter(&server, &bob, room).await;
    let (actor, thumb) = (u64::from_str_radix(&bobs.me, 16).unwrap(), Emoji::parse("👍").unwrap());
    // More at once than any queue holds, before the connections' tasks have their turn.
    for second in 0..1_000 {
        let at = server.app.clock.now().plus(std::time::Duration::from_secs(second));
        server.app.calls.react(webcall_media::ParticipantId(actor), &thumb, at).unwrap();
    }
    anns.must(ClientMessage::Ping {}).await;
    assert_eq!(server.app.calls.in_call(room), 2);
    assert!(anns.events.iter().any(|event| matches!(event, ServerMessage::Reaction { .. })));
}

#[tokio::test]
async fn reactions_are_not_kept_for_who_is_away() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut anns = Client::enter(&server, &ann, room).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    assert!(matches!(anns.event().await, ServerMessage::ParticipantJoined { .. }));
    anns.lose_socket(&server).await;
    bobs.must(react("👍")).await;
    bobs.must(hand(true)).await;
    let mut back = Client::resume(&server, &ann, &anns).await;
    assert!(back.resumed);
    assert!(matches!(back.event().await, ServerMessage::ParticipantChanged { .. }), "the hand, and no reaction before it");
}

#[tokio::test]
async fn what_a_moderator_does_in_a_call_is_recorded_once_and_a_lowered_hand_is_not() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let (mut anns, mut bobs) = (Client::enter(&server, &ann, room).await, Client::enter(&server, &bob, room).await);
    let source = Source::Microphone;
    bobs.must(hand(true)).await;
    for action in [
        ModeratorAction::LowerHand {},
        ModeratorAction::Mute { source },
        ModeratorAction::Mute { source },
        ModeratorAction::Allow { source },
        ModeratorAction::Remove {},
    ] {
        anns.must(moderate(&bobs.me, action)).await;
    }
    // The server's end waits for what is being written.
    server.app.shutdown.begin();
    server.app.shutdown.finished().await;
    let mut acts: Vec<_> = rooms::acts(&server.app, &ann, room, None, 10).await.unwrap();
    assert!(acts.iter().all(|act| act.actor == ann.user && act.subject == Some(bob.user)));
    acts.sort_by_key(|act| format!("{:?}", act.act));
    let acts: Vec<_> = acts.iter().map(|act| (act.act, act.detail.as_str())).collect();
    assert_eq!(acts, [(AuditAct::Allow, "microphone"), (AuditAct::Forbid, "microphone"), (AuditAct::RemoveFromCall, "")]);
}

#[tokio::test]
async fn a_ban_ends_the_call_of_who_is_banned() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let mut bobs = Client::enter(&server, &bob, room).await;
    rooms::ban(&server.app, &ann, room, bob.user).await.unwrap();
    let removed = ServerMessage::Removed { reason: LeaveReason::RoomGone };
    // Bob's joining the room may still be told.
    while bobs.event().await != removed {}
    let again = ClientMessage::Join { room: room.to_string(), muted: vec![] };
    assert_eq!(bobs.refused(again).await, "room_not_found");
}

#[tokio::test]
async fn a_room_that_is_handed_over_changes_both_roles_in_the_call() {
    let server = Server::start().await;
    let (ann, bob) = (server.register("ann").await, server.register("bob").await);
    let room = server.room(&[&ann, &bob]).await;
    let (mut anns, mut bobs) = (Client::enter(&server, &ann, room).await, Client::enter(&server, &bob, room).await);
    server.promote(&ann, room, bob.user, Role::Owner).await;
    let mut roles = [change(&mut bobs).await, change(&mut bobs).await].map(|p| (p.username, format!("{:?}", p.role)));
    roles.sort();
    assert_eq!(roles, [("ann", "Moderator"), ("bob", "Owner")].map(|(name, role)| (name.to_owned(), role.to_owned())));
    assert_eq!(anns.refused(moderate(&bobs.me, ModeratorAction::Remove {})).await, "not_allowed");
    bobs.must(moderate(&anns.me, ModeratorAction::Remove {})).await;
}
