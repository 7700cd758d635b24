//! Order in a room: its settings, muting in chat, bans, handing over, and the log of it all.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Connection as _;
use webcall::bus::{Hint, Received};
use webcall::config::Database;

use crate::policy::{Stage, is_refused};
use crate::server::Session;

impl Stage {
    async fn change(&self, who: &Session, body: Value) -> (StatusCode, Value) {
        self.server.ask(who, Method::PATCH, &self.path, Some(body)).await
    }

    async fn change_member(&self, who: &Session, whom: &Session, body: Value) -> (StatusCode, Value) {
        self.server.ask(who, Method::PATCH, &format!("{}/members/{}", self.path, whom.user), Some(body)).await
    }

    async fn ban(&self, who: &Session, method: Method, whom: &str) -> (StatusCode, Value) {
        self.server.ask(who, method, &format!("{}/bans/{whom}", self.path), None).await
    }

    async fn seen(&self, who: &Session) -> Value {
        self.server.ask(who, Method::GET, &self.path, None).await.1
    }

    async fn audit(&self, query: &str) -> (StatusCode, Value) {
        self.server.ask(&self.owner, Method::GET, &format!("{}/audit{query}", self.path), None).await
    }

    async fn join_again(&self, who: &Session) -> (StatusCode, Value) {
        let code = self.seen(&self.owner).await["link_code"].clone();
        self.server.ask(who, Method::POST, "/api/v1/rooms/join", Some(json!({"code": code}))).await
    }
}

#[tokio::test]
async fn moderators_set_topic_lock_and_slow_mode_and_only_the_owner_retention() {
    let stage = Stage::set().await;
    for (body, name, value) in [
        (json!({"topic": "  guitars  "}), "topic", json!("guitars")),
        (json!({"topic": ""}), "topic", json!("")),
        (json!({"locked": true}), "locked", json!(true)),
        (json!({"slow_mode_s": 3600}), "slow_mode_s", json!(3_600)),
    ] {
        is_refused(stage.change(&stage.member, body.clone()).await, "not_allowed");
        let (status, room) = stage.change(&stage.moderator, body).await;
        assert_eq!((status, &room[name]), (StatusCode::OK, &value));
        assert_eq!(stage.seen(&stage.member).await[name], value);
    }
    for who in [&stage.member, &stage.moderator] {
        is_refused(stage.change(who, json!({"retention_days": 30})).await, "not_allowed");
        is_refused(stage.change(who, json!({"retention_days": null})).await, "not_allowed");
    }
    for days in [json!(30), Value::Null] {
        assert_eq!(stage.change(&stage.owner, json!({"retention_days": days})).await.1["retention_days"], days);
    }
}

#[tokio::test]
async fn settings_change_all_together_or_not_at_all() {
    let stage = Stage::set().await;
    is_refused(stage.change(&stage.moderator, json!({"topic": "guitars", "retention_days": 1})).await, "not_allowed");
    is_refused(stage.change(&stage.owner, json!({"topic": "guitars", "slow_mode_s": -1})).await, "invalid_slow_mode");
    assert_eq!(stage.seen(&stage.owner).await["topic"], "");
    let body = json!({"name": "Thursday", "topic": "guitars", "locked": true, "slow_mode_s": 5, "retention_days": 90});
    let (_, room) = stage.change(&stage.owner, body.clone()).await;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&room[name], value);
    }
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused_with_codes() {
    let stage = Stage::set().await;
    for (body, code) in [
        (json!({"topic": "ж".repeat(501)}), "invalid_topic"),
        (json!({"topic": "a\nb"}), "invalid_topic"),
        (json!({"topic": "a\u{2067}b"}), "invalid_topic"),
        (json!({"topic": "\u{200b}"}), "invalid_topic"),
        (json!({"name": "\u{1f3b8}".repeat(76)}), "invalid_room_name"),
        (json!({"slow_mode_s": 3_601}), "invalid_slow_mode"),
        (json!({"retention_days": 0}), "invalid_retention"),
        (json!({"retention_days": 3_651}), "invalid_retention"),
        (json!({"retention_days": "1"}), "malformed"),
        (json!({"slow_mode_s": 1.5}), "malformed"),
        (json!({"slow_mode_s": 1e30}), "malformed"),
        (json!({"locked": 1}), "malformed"),
        (json!({"chat_muted": true}), "malformed"),
    ] {
        is_refused(stage.change(&stage.owner, body).await, code);
    }
    assert_eq!(stage.change(&stage.owner, json!({"name": "Cafe\u{301}"})).await.1["name"], "Caf\u{e9}");
}

#[tokio::test]
async fn members_are_muted_in_chat_by_those_above_them_and_see_it() {
    let stage = Stage::set().await;
    let mute = || json!({"chat_muted": true});
    for (who, whom) in [
        (&stage.member, &stage.other),
        (&stage.member, &stage.member),
        (&stage.moderator, &stage.moderator),
        (&stage.moderator, &stage.owner),
        (&stage.owner, &stage.owner),
    ] {
        is_refused(stage.change_member(who, whom, mute()).await, "not_allowed");
    }
    let mut hints = stage.server.app.bus.subscribe();
    assert_eq!(stage.change_member(&stage.moderator, &stage.member, mute()).await.0, StatusCode::NO_CONTENT);
    let user = stage.member.user.parse().unwrap();
    assert!(matches!(hints.next().await, Received::Hint(Hint::RoleChanged { user: whose, .. }) if whose == user));
    let seen = stage.seen(&stage.member).await;
    assert_eq!(seen["chat_muted"], true);
    let of =
        |name: &str| seen["members"].as_array().unwrap().iter().find(|m| m["username"] == name).unwrap()["chat_muted"].clone();
    assert_eq!((of("member"), of("other")), (json!(true), json!(false)));
    assert_eq!(stage.change_member(&stage.owner, &stage.moderator, mute()).await.0, StatusCode::NO_CONTENT);
    is_refused(stage.change_member(&stage.moderator, &stage.moderator, json!({"chat_muted": false})).await, "not_allowed");
    is_refused(stage.change_member(&stage.owner, &stage.member, json!({"muted": true})).await, "malformed");
}

#[tokio::test]
async fn who_becomes_a_moderator_may_write() {
    let stage = Stage::set().await;
    stage.change_member(&stage.owner, &stage.member, json!({"chat_muted": true})).await;
    let (status, _) = stage.change_member(&stage.owner, &stage.member, json!({"role": "moderator"})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let seen = stage.seen(&stage.member).await;
    assert_eq!((&seen["role"], &seen["chat_muted"]), (&json!("moderator"), &json!(false)));
    let (status, _) = stage.change_member(&stage.owner, &stage.other, json!({"role": "moderator", "chat_muted": true})).await;
    assert_eq!(
        (status, &stage.seen(&stage.other).await["chat_muted"]),
        (StatusCode::NO_CONTENT, &json!(true)),
        "unless both are asked"
    );
}

#[tokio::test]
async fn the_owner_hands_the_room_over_and_keeps_order_in_it() {
    let stage = Stage::set().await;
    let owner = || json!({"role": "owner"});
    is_refused(stage.change_member(&stage.moderator, &stage.member, owner()).await, "not_allowed");
    is_refused(stage.change_member(&stage.moderator, &stage.moderator, owner()).await, "not_allowed");
    is_refused(stage.change_member(&stage.member, &stage.owner, owner()).await, "not_allowed");
    is_refused(stage.change_member(&stage.owner, &stage.owner, owner()).await, "not_allowed");
    let both = json!({"role": "owner", "chat_muted": false});
    is_refused(stage.change_member(&stage.owner, &stage.member, both).await, "malformed");
    let mut hints = stage.server.app.bus.subscribe();
    assert_eq!(stage.change_member(&stage.owner, &stage.member, owner()).await.0, StatusCode::NO_CONTENT);
    for who in [&stage.owner, &stage.member] {
        let user = who.user.parse().unwrap();
        assert!(matches!(hints.next().await, Received::Hint(Hint::RoleChanged { user: whose, .. }) if whose == user));
    }
    assert_eq!(stage.seen(&stage.member).await["role"], "owner");
    assert_eq!(stage.seen(&stage.owner).await["role"], "moderator");
    is_refused(stage.change_member(&stage.owner, &stage.other, owner()).await, "not_allowed");
    let own = format!("{}/members/{}", stage.path, stage.owner.user);
    assert_eq!(stage.server.ask(&stage.owner, Method::DELETE, &own, None).await.0, StatusCode::NO_CONTENT, "and may leave");
}

#[tokio::test]
async fn the_banned_are_out_and_stay_out_until_unbanned() {
    let stage = Stage::set().await;
    for (who, whom) in [
        (&stage.member, &stage.other),
        (&stage.moderator, &stage.owner),
        (&stage.moderator, &stage.moderator),
        (&stage.owner, &stage.owner),
    ] {
        is_refused(stage.ban(who, Method::PUT, &whom.user).await, "not_allowed");
    }
    let nobody = "0192f0c1-2b3c-7d4e-8f50-617283940506";
    for whom in [nobody, "x"] {
        is_refused(stage.ban(&stage.moderator, Method::PUT, whom).await, "member_not_found");
        is_refused(stage.ban(&stage.moderator, Method::DELETE, whom).await, "ban_not_found");
    }
    let mut hints = stage.server.app.bus.subscribe();
    for _ in 0..2 {
        assert_eq!(stage.ban(&stage.moderator, Method::PUT, &stage.other.user).await.0, StatusCode::NO_CONTENT);
    }
    let user = stage.other.user.parse().unwrap();
    assert!(matches!(hints.next().await, Received::Hint(Hint::MemberRemoved { user: whose, .. }) if whose == user));
    assert_eq!(stage.seen(&stage.other).await["code"], "room_not_found");
    let (status, problem) = stage.join_again(&stage.other).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("banned")));

    let bans = format!("{}/bans", stage.path);
    is_refused(stage.server.ask(&stage.member, Method::GET, &bans, None).await, "not_allowed");
    let expected = json!({"bans": [{"user": stage.other.user, "username": "other", "banned_by": stage.moderator.user,
        "banned_at": stage.server.app.clock.now().as_millis()}]});
    assert_eq!(stage.server.ask(&stage.moderator, Method::GET, &bans, None).await, (StatusCode::OK, expected));

    is_refused(stage.ban(&stage.member, Method::DELETE, &stage.other.user).await, "not_allowed");
    assert_eq!(stage.ban(&stage.moderator, Method::DELETE, &stage.other.user).await.0, StatusCode::NO_CONTENT);
    is_refused(stage.ban(&stage.moderator, Method::DELETE, &stage.other.user).await, "ban_not_found");
    assert_eq!(stage.join_again(&stage.other).await.0, StatusCode::OK);
}

#[tokio::test]
async fn who_left_before_can_still_be_banned() {
    let stage = Stage::set().await;
    let own = format!("{}/members/{}", stage.path, stage.other.user);
    stage.server.ask(&stage.other, Method::DELETE, &own, None).await;
    assert_eq!(stage.ban(&stage.moderator, Method::PUT, &stage.other.user).await.0, StatusCode::NO_CONTENT);
    assert_eq!(stage.join_again(&stage.other).await.1["code"], "banned");
}

#[tokio::test]
async fn the_owner_reads_every_act_with_who_whom_and_what() {
    let stage = Stage::set().await;
    let at = stage.server.app.clock.now().as_millis();
    let member = &stage.member;
    let acts: [(Method, String, Value, Value); 9] = [
        (Method::PATCH, String::new(), json!({"name": "Thursday"}), json!(["rename", null, "Thursday"])),
        (Method::PATCH, String::new(), json!({"topic": "guitars"}), json!(["topic", null, "guitars"])),
        (Method::PATCH, String::new(), json!({"locked": true}), json!(["lock", null, ""])),
        (Method::PATCH, String::new(), json!({"locked": false}), json!(["unlock", null, ""])),
        (Method::PATCH, String::new(), json!({"slow_mode_s": 30}), json!(["slow_mode", null, "30"])),
        (Method::PATCH, String::new(), json!({"reset_link": true}), json!(["reset_link", null, ""])),
        (Method::PATCH, format!("/members/{}", member.user), json!({"chat_muted": true}), json!(["mute_in_chat", "member", ""])),
        (
            Method::PATCH,
            format!("/members/{}", member.user),
            json!({"chat_muted": false}),
            json!(["unmute_in_chat", "member", ""]),
        ),
        (Method::DELETE, format!("/members/{}", member.user), Value::Null, json!(["remove", "member", ""])),
    ];
    for (n, (method, path, body, expected)) in acts.into_iter().enumerate() {
        stage.server.advance(std::time::Duration::from_millis(1));
        let body = Some(body).filter(|body| !body.is_null());
        let (status, answer) = stage.server.ask(&stage.moderator, method, &format!("{}{path}", stage.path), body).await;
        assert!(status.is_success(), "{expected}: {answer}");
        let (_, page) = stage.audit("?limit=1").await;
        let act = &page["acts"][0];
        assert_eq!(json!([act["act"], act["subject_name"], act["detail"]]), expected);
        assert_eq!((&act["actor_name"], &act["actor"]), (&json!("moderator"), &json!(stage.moderator.user)));
        assert_eq!(act["at"], at + 1 + n as i64);
    }
    let (_, all) = stage.audit("").await;
    let all = all["acts"].as_array().unwrap();
    assert_eq!(
        (all.len(), &all[9]["act"], &all[9]["detail"]),
        (10, &json!("role"), &json!("moderator")),
        "with the promotion before"
    );
    let (_, rest) = stage.audit(&format!("?before={}&limit=100", all[7]["id"].as_str().unwrap())).await;
    assert_eq!(rest["acts"].as_array().unwrap()[..], all[8..]);
}

#[tokio::test]
async fn what_changes_nothing_and_what_is_refused_is_not_recorded() {
    let stage = Stage::set().await;
    let before = stage.audit("").await.1;
    stage
        .change(
            &stage.owner,
            json!({"name": "Wednesday", "topic": "", "locked": false, "slow_mode_s": 0, "retention_days": null}),
        )
        .await;
    stage.change(&stage.owner, json!({})).await;
    stage.change_member(&stage.owner, &stage.member, json!({"chat_muted": false, "role": "member"})).await;
    stage.change_member(&stage.owner, &stage.member, json!({})).await;
    stage.change(&stage.member, json!({"topic": "guitars"})).await;
    stage.ban(&stage.member, Method::PUT, &stage.other.user).await;
    let own = format!("{}/members/{}", stage.path, stage.member.user);
    assert_eq!(stage.server.ask(&stage.member, Method::DELETE, &own, None).await.0, StatusCode::NO_CONTENT, "leaving is no act");
    assert_eq!(stage.audit("").await.1, before);
}

#[tokio::test]
async fn the_log_is_for_the_owner_and_its_pages_have_bounds() {
    let stage = Stage::set().await;
    let audit = format!("{}/audit", stage.path);
    for who in [&stage.moderator, &stage.member] {
        is_refused(stage.server.ask(who, Method::GET, &audit, None).await, "not_allowed");
    }
    for (query, code) in [
        ("?limit=0", "invalid_limit"),
        ("?limit=101", "invalid_limit"),
        ("?limit=-1", "invalid_limit"),
        ("?limit=x", "malformed"),
        ("?before=x", "malformed"),
        ("?after=1", "malformed"),
    ] {
        is_refused(stage.audit(query).await, code);
    }
}

#[tokio::test]
async fn moderators_act_only_so_fast() {
    let stage = Stage::set().await;
    let mut refused = None;
    // Some pass while the others are on their way.
    for n in 0..600 {
        let (status, problem) = stage.change(&stage.moderator, json!({"locked": n % 2 == 0})).await;
        if status != StatusCode::OK {
            assert!(n >= 300, "{n}");
            refused = Some((status, problem));
            break;
        }
    }
    let refused = refused.expect("one is too many");
    assert_eq!(refused.0, StatusCode::TOO_MANY_REQUESTS);
    is_refused(refused, "rate_limited");
    assert_eq!(stage.change(&stage.owner, json!({"topic": "others are not slowed down"})).await.0, StatusCode::OK);
}

#[tokio::test]
async fn in_a_direct_conversation_there_is_no_order_to_keep() {
    let stage = Stage::set().await;
    let Database::Sqlite(file) = &stage.server.app.config.database else { panic!("these tests use SQLite") };
    let mut database = sqlx::SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    sqlx::query("update rooms set kind = 'direct'").execute(&mut database).await.unwrap();
    // Whatever the role: that of an owner, which nobody has there, gives nothing either.
    for (path, method, body) in [
        (String::new(), Method::PATCH, json!({"name": "Thursday"})),
        (String::new(), Method::PATCH, json!({"reset_link": true})),
        (String::new(), Method::PATCH, json!({"topic": "guitars"})),
        (String::new(), Method::PATCH, json!({"locked": true})),
        (String::new(), Method::PATCH, json!({"slow_mode_s": 1})),
        (String::new(), Method::PATCH, json!({"retention_days": 1})),
        (String::new(), Method::DELETE, Value::Null),
        (format!("/members/{}", stage.other.user), Method::PATCH, json!({"role": "moderator"})),
        (format!("/members/{}", stage.other.user), Method::PATCH, json!({"role": "owner"})),
        (format!("/members/{}", stage.other.user), Method::PATCH, json!({"chat_muted": true})),
        (format!("/members/{}", stage.other.user), Method::DELETE, Value::Null),
        (format!("/bans/{}", stage.other.user), Method::PUT, Value::Null),
        (format!("/bans/{}", stage.other.user), Method::DELETE, Value::Null),
        ("/bans".to_owned(), Method::GET, Value::Null),
        ("/audit".to_owned(), Method::GET, Value::Null),
    ] {
        for who in [&stage.owner, &stage.member] {
            let body = Some(body.clone()).filter(|body| !body.is_null());
            is_refused(stage.server.ask(who, method.clone(), &format!("{}{path}", stage.path), body).await, "not_allowed");
        }
    }
}
