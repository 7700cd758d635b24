//! Who may do what in a room, as HTTP enforces it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::bus::{Hint, Received};

use crate::server::{Session, TestServer};

/// A room with one of each role, and one more member.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) owner: Session,
    pub(crate) moderator: Session,
    pub(crate) member: Session,
    pub(crate) other: Session,
    pub(crate) path: String,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let server = TestServer::start().await;
        let owner = server.register("owner").await;
        let room = server.room(&owner, "Wednesday").await;
        let path = format!("/api/v1/rooms/{}", room["id"].as_str().unwrap());
        let mut guests = Vec::new();
        for name in ["moderator", "member", "other"] {
            let guest = server.register(name).await;
            server.join(&guest, &room).await;
            guests.push(guest);
        }
        let [moderator, member, other] = guests.try_into().unwrap();
        let stage = Self { server, owner, moderator, member, other, path };
        assert_eq!(stage.promote(&stage.owner, &stage.moderator, "moderator").await.0, StatusCode::NO_CONTENT);
        stage
    }

    async fn promote(&self, who: &Session, whom: &Session, role: &str) -> (StatusCode, Value) {
        let path = format!("{}/members/{}", self.path, whom.user);
        self.server.ask(who, Method::PATCH, &path, Some(json!({"role": role}))).await
    }

    async fn remove(&self, who: &Session, whom: &Session) -> (StatusCode, Value) {
        self.server.ask(who, Method::DELETE, &format!("{}/members/{}", self.path, whom.user), None).await
    }
}

pub(crate) fn is_refused((status, problem): (StatusCode, Value), code: &str) {
    assert!(status.is_client_error(), "{status} {problem}");
    assert_eq!(problem["code"], code);
}

#[tokio::test]
async fn moderators_rename_and_relink_and_members_do_not() {
    let stage = Stage::set().await;
    for body in [json!({"name": "Thursday"}), json!({"reset_link": true})] {
        let (status, _) = stage.server.ask(&stage.moderator, Method::PATCH, &stage.path, Some(body.clone())).await;
        assert_eq!(status, StatusCode::OK);
        is_refused(stage.server.ask(&stage.member, Method::PATCH, &stage.path, Some(body)).await, "not_allowed");
    }
}

#[tokio::test]
async fn only_the_owner_deletes_a_room() {
    let stage = Stage::set().await;
    for who in [&stage.moderator, &stage.member] {
        is_refused(stage.server.ask(who, Method::DELETE, &stage.path, None).await, "not_allowed");
    }
    assert_eq!(stage.server.ask(&stage.owner, Method::DELETE, &stage.path, None).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn only_the_owner_changes_roles() {
    let stage = Stage::set().await;
    is_refused(stage.promote(&stage.moderator, &stage.member, "moderator").await, "not_allowed");
    is_refused(stage.promote(&stage.member, &stage.member, "moderator").await, "not_allowed");
    is_refused(stage.promote(&stage.owner, &stage.owner, "member").await, "not_allowed");
    is_refused(stage.promote(&stage.owner, &stage.member, "king").await, "malformed");
    let mut hints = stage.server.app.bus.subscribe();
    assert_eq!(stage.promote(&stage.owner, &stage.moderator, "member").await.0, StatusCode::NO_CONTENT);
    let user = stage.moderator.user.parse().unwrap();
    assert!(matches!(hints.next().await, Received::Hint(Hint::RoleChanged { user: whose, .. }) if whose == user));
    is_refused(stage.remove(&stage.moderator, &stage.member).await, "not_allowed");
}

#[tokio::test]
async fn members_are_removed_by_those_above_them_and_leave_by_themselves() {
    let stage = Stage::set().await;
    is_refused(stage.remove(&stage.member, &stage.other).await, "not_allowed");
    is_refused(stage.remove(&stage.moderator, &stage.owner).await, "not_allowed");
    is_refused(stage.remove(&stage.owner, &stage.owner).await, "owner_cannot_leave");

    let mut hints = stage.server.app.bus.subscribe();
    assert_eq!(stage.remove(&stage.moderator, &stage.other).await.0, StatusCode::NO_CONTENT);
    let user = stage.other.user.parse().unwrap();
    assert!(matches!(hints.next().await, Received::Hint(Hint::MemberRemoved { user: whose, .. }) if whose == user));
    is_refused(stage.server.ask(&stage.other, Method::GET, &stage.path, None).await, "room_not_found");
    is_refused(stage.remove(&stage.moderator, &stage.other).await, "member_not_found");

    assert_eq!(stage.remove(&stage.member, &stage.member).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.remove(&stage.owner, &stage.moderator).await.0, StatusCode::NO_CONTENT);
    let (_, seen) = stage.server.ask(&stage.owner, Method::GET, &stage.path, None).await;
    assert_eq!(seen["member_count"], 1);
}
