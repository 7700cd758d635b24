//! What users publish about their keys, and the log of it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall::bus::{Hint, Received};
use webcall_trust::{Hash, Signed, TreeHead, UserKeys, leaf_hash, verify_consistency, verify_inclusion, verify_inclusion_of_all};

use super::groups::together;
use super::{Person, ask, decode, encode, pair, publish, refusal};
use crate::mls::{Identity, mutations};
use crate::server::{PASSWORD, TestServer};

async fn chain(server: &TestServer, who: &Person, of: &str) -> Vec<(Vec<u8>, u64)> {
    let (status, body) = who.ask(server, Method::GET, &format!("users/{of}/keys"), None).await;
    assert_eq!(status, StatusCode::OK);
    let records = body["records"].as_array().unwrap().iter();
    records.map(|record| (decode(&record["record"]), record["leaf"].as_u64().unwrap())).collect()
}

fn replayed(of: &Person, chain: &[(Vec<u8>, u64)]) -> UserKeys {
    UserKeys::replay(of.identity.user, chain.iter().map(|(record, _)| record.as_slice())).unwrap()
}

#[tokio::test]
async fn what_a_user_publishes_is_replayed_to_the_same_picture_by_who_shares_a_room_and_seen_by_nobody_else() {
    let server = TestServer::start().await;
    let (ann, mut ben, _) = pair(&server).await;
    let eve = Person::new(&server, "eve").await;
    let second = ben.another_device(&server).await;
    let mut hints = server.app.bus.subscribe();
    let revocation = ben.identity.revocation(&ben.device);
    assert_eq!(publish(&server, &ben.session, &revocation).await.0, StatusCode::CREATED);
    let Received::Hint(Hint::KeysChanged { user }) = hints.next().await else { panic!("nobody is told") };
    assert_eq!(user.to_string(), ben.session.user);
    for who in [&ann, &ben] {
        let keys = replayed(&ben, &chain(&server, who, &ben.session.user).await);
        assert_eq!(keys.devices().copied().collect::<Vec<_>>(), [second.certificate]);
        assert_eq!(keys.identity(), ben.identity.key.public());
    }
    for of in [ben.session.user.as_str(), "0192f0c1-2b3c-7d4e-8f50-617283940506", "x"] {
        let answer = eve.ask(&server, Method::GET, &format!("users/{of}/keys"), None).await;
        assert_eq!(refusal(&answer), (404, "user_not_found"));
    }
}

#[tokio::test]
async fn keys_of_who_was_in_a_rooms_group_stay_readable_to_its_members_when_they_have_left() {
    let server = TestServer::start().await;
    let (ann, _, ben, _, room) = together(&server).await;
    let eve = Person::new(&server, "eve").await;
    server.join(&eve.session, &room).await;
    for who in [&ben, &eve] {
        let member = format!("/api/v1/rooms/{}/members/{}", room["id"].as_str().unwrap(), who.session.user);
        assert_eq!(server.ask(&who.session, Method::DELETE, &member, None).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(chain(&server, &ann, &ben.session.user).await.len(), 2);
    let refused = async |who: &Person, of: &Person| {
        refusal(&who.ask(&server, Method::GET, &format!("users/{}/keys", of.session.user), None).await) == (404, "user_not_found")
    };
    assert!(refused(&ann, &eve).await, "who never came into the group");
    assert!(refused(&ben, &ann).await, "who has left sees nobody");
    assert_eq!(
        refusal(&ann.claim(&server, &[&ben.session.user]).await),
        (404, "user_not_found"),
        "nor is anybody added who has left"
    );
}

#[tokio::test]
async fn t1_nobody_publishes_a_device_that_the_identity_did_not_sign() {
    let server = TestServer::start().await;
    let (ann, mut ben, _) = pair(&server).await;
    let mut impostor = Identity { key: crate::mls::Key::new(), ..ben.identity.clone() };
    let (_, foreign_key) = impostor.device();
    let (_, of_ben) = ben.identity.clone().device();
    let mut no_claim_of_ann = Identity { head: [0; 32], ..ann.identity.clone() };
    let (_, out_of_order) = no_claim_of_ann.device();
    for (who, record, expected) in [
        (&ben, &foreign_key, (409, "out_of_order")),
        (&ann, &of_ben, (422, "other_user")),
        (&ann, &out_of_order, (409, "out_of_order")),
    ] {
        assert_eq!(refusal(&publish(&server, &who.session, record).await), expected);
    }
    let (_, whole) = ben.identity.clone().device();
    for mutated in mutations(&whole, 8) {
        let answer = publish(&server, &ben.session, &mutated).await;
        assert!(answer.0.is_client_error(), "{answer:?}");
    }
    assert_eq!(replayed(&ben, &chain(&server, &ann, &ben.session.user).await).devices().count(), 1);
    ben.another_device(&server).await;
    assert_eq!(replayed(&ben, &chain(&server, &ann, &ben.session.user).await).devices().count(), 2, "the same, signed, is taken");
}

#[tokio::test]
async fn t3_an_identity_is_replaced_only_by_who_knows_the_password() {
    let server = TestServer::start().await;
    let (ann, ben, _) = pair(&server).await;
    let mut next = Identity { key: crate::mls::Key::new(), ..ben.identity.clone() };
    let record = encode(&next.claim());
    for password in [json!(null), json!("wrong password")] {
        let body = json!({"record": record, "password": password});
        let answer = ask(&server, &ben.session, Method::POST, "keys/records", Some(body)).await;
        assert_eq!(refusal(&answer), (403, "wrong_password"));
    }
    let body = json!({"record": record, "password": PASSWORD});
    assert_eq!(ask(&server, &ben.session, Method::POST, "keys/records", Some(body)).await.0, StatusCode::CREATED);
    let keys = replayed(&ben, &chain(&server, &ann, &ben.session.user).await);
    assert_eq!((keys.identity(), keys.devices().count()), (next.key.public(), 0));
    let answer = ben.upload(&server, &ben.device, json!({"key_packages": [encode(&ben.device.key_package())]})).await;
    assert_eq!(refusal(&answer), (422, "unknown_device"), "devices went with the identity");
}

#[tokio::test]
async fn of_two_records_that_follow_the_same_one_is_published() {
    let server = TestServer::start().await;
    let (ann, ben, _) = pair(&server).await;
    let records: Vec<Vec<u8>> = (0..8).map(|_| ben.identity.clone().device().1).collect();
    let answers = futures_util::future::join_all(records.iter().map(|record| publish(&server, &ben.session, record))).await;
    let mut refusals: Vec<_> = answers.iter().map(refusal).collect();
    refusals.sort_unstable();
    assert_eq!((refusals[0], &refusals[1..]), ((201, ""), &[(409, "out_of_order"); 7][..]));
    assert_eq!(chain(&server, &ann, &ben.session.user).await.len(), 3);
}

async fn head(server: &TestServer, who: &Person) -> TreeHead {
    let (status, body) = who.ask(server, Method::GET, "log/head", None).await;
    assert_eq!(status, StatusCode::OK);
    *Signed::<TreeHead>::checked(&decode(&body["head"])).unwrap().statement()
}

fn hashes(path: &Value) -> Vec<Hash> {
    path.as_array().unwrap().iter().map(|hash| decode(hash).try_into().unwrap()).collect()
}

#[tokio::test]
async fn t4_the_log_proves_every_record_and_that_it_only_grows() {
    let server = TestServer::start().await;
    let (ann, mut ben, _) = pair(&server).await;
    let mut heads = vec![head(&server, &ann).await];
    for _ in 0..3 {
        ben.another_device(&server).await;
        heads.push(head(&server, &ann).await);
    }
    let last = *heads.last().unwrap();
    assert_eq!((last.size, last.log), (7, heads[0].log));
    for of in [&ann, &ben] {
        for (record, leaf) in chain(&server, &ann, &of.session.user).await {
            let (_, proof) = ann.ask(&server, Method::GET, &format!("log/inclusion?leaf={leaf}"), None).await;
            let under = *Signed::<TreeHead>::checked(&decode(&proof["head"])).unwrap().statement();
            assert_eq!((under.size, under.root), (last.size, last.root));
            let verify = |record: &[u8]| verify_inclusion(leaf_hash(record), leaf, last.size, &hashes(&proof["path"]), last.root);
            assert_eq!(verify(&record), Ok(()));
            assert!(verify(b"another record").is_err());
        }
    }
    for earlier in &heads {
        let path = format!("log/consistency?from={}&to={}", earlier.size, last.size);
        let (_, proof) = ann.ask(&server, Method::GET, &path, None).await;
        let verify = |root| verify_consistency(earlier.size, root, last.size, last.root, &hashes(&proof["path"]));
        assert_eq!(verify(earlier.root), Ok(()));
        assert!(verify([7; 32]).is_err(), "a log that went another way");
    }
}

/// What the chain's answer has for a proof in a log of this size.
async fn proof_in(server: &TestServer, who: &Person, of: &str, size: u64) -> Value {
    let (status, body) = who.ask(server, Method::GET, &format!("users/{of}/keys?size={size}"), None).await;
    assert_eq!(status, StatusCode::OK);
    body["proof"].clone()
}

#[tokio::test]
async fn t3_a_chain_comes_with_the_proof_that_all_of_it_is_in_the_log_of_a_size_and_with_none_that_is_not() {
    let server = TestServer::start().await;
    let (ann, mut ben, _) = pair(&server).await;
    let of = ben.session.user.clone();
    let before = head(&server, &ann).await;
    ben.another_device(&server).await;
    let last = head(&server, &ann).await;
    let leaves: Vec<(u64, Hash)> =
        chain(&server, &ann, &of).await.iter().map(|(record, leaf)| (*leaf, leaf_hash(record))).collect();
    assert_eq!(leaves.len(), 3);
    let path = hashes(&proof_in(&server, &ann, &of, last.size).await);
    assert_eq!(verify_inclusion_of_all(&leaves, last.size, &path, last.root), Ok(()));
    assert!(verify_inclusion_of_all(&leaves[..2], last.size, &path, last.root).is_err());
    for size in [0, before.size, last.size + 1, u64::MAX] {
        assert_eq!(proof_in(&server, &ann, &of, size).await, Value::Null, "{size}");
    }
    let eve = server.register("eve").await;
    let (status, body) = ask(&server, &eve, Method::GET, &format!("users/{}/keys?size={}", eve.user, last.size), None).await;
    assert_eq!((status, &body["proof"], &body["records"]), (StatusCode::OK, &Value::Null, &json!([])), "nothing is in no log");
    let wrong = ask(&server, &eve, Method::GET, &format!("users/{}/keys?size=-1", eve.user), None).await;
    assert_eq!(refusal(&wrong), (400, "malformed"));
}

#[tokio::test]
async fn proofs_of_what_is_not_there_are_refused() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    let ask = async |path: &str| ask(&server, &ann, Method::GET, path, None).await;
    assert_eq!(ask("log/head").await.0, StatusCode::OK, "an empty log has a head");
    for (path, expected) in [
        ("log/inclusion?leaf=0", (422, "invalid_leaf")),
        ("log/inclusion?leaf=18446744073709551615", (422, "invalid_leaf")),
        ("log/inclusion?leaf=-1", (400, "malformed")),
        ("log/inclusion", (400, "malformed")),
        ("log/consistency?from=0&to=0", (422, "invalid_sizes")),
        ("log/consistency?from=1&to=18446744073709551615", (422, "invalid_sizes")),
    ] {
        assert_eq!(refusal(&ask(path).await), expected, "{path}");
    }
}

#[tokio::test]
async fn publishing_is_slowed_down() {
    let server = TestServer::start().await;
    let ann = server.register("ann").await;
    for _ in 0..30 {
        assert_eq!(refusal(&publish(&server, &ann, b"no record").await), (422, "malformed"));
    }
    assert_eq!(refusal(&publish(&server, &ann, b"no record").await), (429, "rate_limited"));
}
