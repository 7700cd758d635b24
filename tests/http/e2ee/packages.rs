//! Key packages.

use openmls::prelude::Capabilities;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use webcall_trust::mls;

use super::{Person, decode, encode, pair, refusal};
use crate::mls::{Device, Form, bytes, mutations};
use crate::server::TestServer;

fn several(device: &Device, count: usize) -> Value {
    json!((0..count).map(|_| encode(&device.key_package())).collect::<Vec<_>>())
}

async fn stock(server: &TestServer, who: &Person, device: &Device) -> Value {
    let (status, body) = who.ask(server, Method::GET, &format!("devices/{}/key-packages", device.id()), None).await;
    assert_eq!(status, StatusCode::OK);
    body
}

#[tokio::test]
async fn a_claim_gives_one_package_for_each_device_that_counts() {
    let server = TestServer::start().await;
    let (ann, mut ben, _) = pair(&server).await;
    let (second, without, revoked) =
        (ben.another_device(&server).await, ben.another_device(&server).await, ben.another_device(&server).await);
    for device in [&ben.device, &second, &revoked] {
        let (status, stock) = ben.upload(&server, device, json!({"key_packages": several(device, 2)})).await;
        assert_eq!((status, stock), (StatusCode::CREATED, json!({"key_packages": 2, "last_resort": false})));
    }
    let revocation = ben.identity.revocation(&revoked);
    assert_eq!(super::publish(&server, &ben.session, &revocation).await.0, StatusCode::CREATED);
    let (status, claimed) = ann.claim(&server, &[&ben.session.user, &ann.session.user]).await;
    assert_eq!(status, StatusCode::OK);
    let claimed = claimed["key_packages"].as_array().unwrap();
    let mut devices: Vec<_> = claimed.iter().map(|one| one["device"].as_str().unwrap()).collect();
    devices.sort_unstable();
    let mut expected = [ben.device.id(), second.id()];
    expected.sort_unstable();
    assert_eq!(devices, expected, "not {} and not {}", without.id(), revoked.id());
    for one in claimed {
        assert_eq!((&one["user"], &one["last_resort"]), (&json!(ben.session.user), &json!(false)));
        let (_, certificate) = mls::key_package(&decode(&one["key_package"])).unwrap();
        let of = if one["device"] == ben.device.id() { &ben.device } else { &second };
        assert_eq!(certificate, of.certificate);
    }
    assert_eq!(stock(&server, &ben, &second).await["key_packages"], 1);
}

#[tokio::test]
async fn packages_are_claimed_only_of_who_shares_a_room() {
    let server = TestServer::start().await;
    let (ann, ben, _) = pair(&server).await;
    let eve = Person::new(&server, "eve").await;
    ben.upload(&server, &ben.device, json!({"key_packages": several(&ben.device, 1)})).await;
    let answer = eve.claim(&server, &[&ben.session.user]).await;
    assert_eq!(refusal(&answer), (404, "user_not_found"));
    let answer = ann.claim(&server, &[&ben.session.user, &eve.session.user]).await;
    assert_eq!(refusal(&answer), (404, "user_not_found"));
    assert_eq!(stock(&server, &ben, &ben.device).await["key_packages"], 1, "a refusal costs nobody a package");
    assert_eq!(refusal(&ann.claim(&server, &["x"; 101]).await), (404, "user_not_found"));
    assert_eq!(refusal(&ann.claim(&server, &[ann.session.user.as_str(); 101]).await), (422, "invalid_users"));
}

#[tokio::test]
async fn a_claim_of_several_that_is_refused_takes_nothing_of_what_one_may_claim_of_the_others() {
    let server = TestServer::start().await;
    let (ann, ben, _) = pair(&server).await;
    let eve = Person::new(&server, "eve").await;
    for _ in 0..41 {
        let answer = ann.claim(&server, &[&ben.session.user, &eve.session.user]).await;
        assert_eq!(refusal(&answer), (404, "user_not_found"));
    }
    for _ in 0..40 {
        assert_eq!(ann.claim(&server, &[&ben.session.user]).await.0, StatusCode::OK);
    }
    assert_eq!(refusal(&ann.claim(&server, &[&ben.session.user]).await), (429, "rate_limited"), "the limit is there");
}

#[tokio::test]
async fn t1_a_package_of_a_device_that_its_user_did_not_sign_is_refused() {
    let server = TestServer::start().await;
    let (ann, ben, _) = pair(&server).await;
    let (ghost, _) = ben.identity.clone().device();
    let mut impostor = crate::mls::Identity { key: crate::mls::Key::new(), ..ben.identity.clone() };
    let (foreign, _) = impostor.device();
    let upload = async |who: &Person, to: &Device, package: Vec<u8>| {
        who.upload(&server, to, json!({"key_packages": [encode(&package)]})).await
    };
    let named_after_another = Form { certificate: Some(ben.device.certificate.to_bytes()), ..Form::default() };
    for (who, to, package, expected) in [
        (&ben, &ghost, ghost.key_package(), "unknown_device"),
        (&ben, &ben.device, ghost.key_package(), "not_vouched"),
        (&ben, &ben.device, foreign.key_package(), "not_vouched"),
        (&ben, &ben.device, ann.device.key_package(), "not_vouched"),
        (&ben, &ben.device, bytes(&ghost.package(named_after_another)), "credential"),
        (&ann, &ben.device, ben.device.key_package(), "unknown_device"),
    ] {
        assert_eq!(refusal(&upload(who, to, package).await), (422, expected));
    }
    assert_eq!(refusal(&upload(&ben, &ben.device, ben.device.key_package()).await), (201, ""));
}

#[tokio::test]
async fn packages_that_live_too_long_or_know_too_little_are_refused() {
    let server = TestServer::start().await;
    let (_, ben, _) = pair(&server).await;
    let upload = async |form: Form, key: &str| {
        let package = json!(encode(&bytes(&ben.device.package(form))));
        let body = if key == "last_resort" { json!({key: package}) } else { json!({key: [package]}) };
        ben.upload(&server, &ben.device, body).await
    };
    let knows_little = Capabilities::new(None, Some(&[mls::SUITE]), Some(&[]), Some(&[]), None);
    let last_resort = Form { last_resort: true, ..Form::default() };
    for (form, key, expected) in [
        (Form { lifetime_s: Some(mls::MAX_LIFETIME_S * 2), ..Form::default() }, "key_packages", (422, "lifetime")),
        (Form { capabilities: Some(knows_little), ..Form::default() }, "key_packages", (422, "capabilities")),
        (last_resort.clone(), "key_packages", (422, "key_package")),
        (Form::default(), "last_resort", (422, "key_package")),
        (last_resort, "last_resort", (201, "")),
        (Form::default(), "key_packages", (201, "")),
    ] {
        assert_eq!(refusal(&upload(form, key).await), expected, "{key}");
    }
}

/// An X25519 key of small order in the place of a good one, signed anew: the form is right, the key is not.
#[tokio::test]
async fn t20_a_package_with_a_key_that_agrees_with_everybody_on_the_same_secret_is_refused() {
    let server = TestServer::start().await;
    let (_, ben, _) = pair(&server).await;
    for point in [[0; 32], one()] {
        let package = crate::mls::with_init_key(&ben.device, point);
        let answer = ben.upload(&server, &ben.device, json!({"key_packages": [encode(&package)]})).await;
        assert_eq!(refusal(&answer), (422, "weak_key"));
    }
    let sound = crate::mls::with_init_key(&ben.device, [9; 32]);
    let answer = ben.upload(&server, &ben.device, json!({"key_packages": [encode(&sound)]})).await;
    assert_eq!(refusal(&answer), (201, ""), "the same way, with a key that is sound");
}

fn one() -> [u8; 32] {
    let mut point = [0; 32];
    point[0] = 1;
    point
}

#[tokio::test]
async fn t21_a_package_is_used_once_and_a_drained_device_has_its_last_resort() {
    let server = TestServer::start().await;
    let (ann, ben, room) = pair(&server).await;
    let carla = Person::new(&server, "carla").await;
    server.join(&carla.session, &room).await;
    let packages = several(&ben.device, 4);
    let last_resort = encode(&bytes(&ben.device.package(Form { last_resort: true, ..Form::default() })));
    let body = json!({"key_packages": packages, "last_resort": last_resort});
    assert_eq!(ben.upload(&server, &ben.device, body).await.0, StatusCode::CREATED);
    let ben_id = [ben.session.user.as_str()];
    let claims = futures_util::future::join_all((0..40).map(|_| ann.claim(&server, &ben_id))).await;
    let mut given: Vec<Value> = claims.into_iter().map(|(_, body)| body["key_packages"][0].clone()).collect();
    given.sort_by_key(|one| one["last_resort"].as_bool());
    let mut once: Vec<_> = given[..4].iter().map(|one| one["key_package"].as_str().unwrap()).collect();
    once.sort_unstable();
    let mut uploaded: Vec<_> = packages.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    uploaded.sort_unstable();
    assert_eq!(once, uploaded, "each was given to one");
    assert!(given[4..].iter().all(|one| one["key_package"] == last_resort.as_str() && one["last_resort"] == true));
    assert_eq!(refusal(&ann.claim(&server, &ben_id).await), (429, "rate_limited"), "one member does not drain another");
    assert_eq!(carla.claim(&server, &ben_id).await.0, StatusCode::OK);
    let again = json!({"key_packages": [packages[0]]});
    assert_eq!(refusal(&ben.upload(&server, &ben.device, again).await), (409, "key_package_reused"));
    for expected in [(201, ""), (409, "key_package_reused")] {
        let package = json!({"key_packages": [encode(&crate::mls::with_init_key(&ben.device, [9; 32]))]});
        assert_eq!(refusal(&ben.upload(&server, &ben.device, package).await), expected, "the same key in another package");
    }
}

#[tokio::test]
async fn no_more_packages_are_kept_than_a_device_may_have() {
    let server = TestServer::start().await;
    let (_, ben, _) = pair(&server).await;
    let upload = async |count| ben.upload(&server, &ben.device, json!({"key_packages": several(&ben.device, count)})).await;
    assert_eq!(refusal(&upload(101).await), (409, "too_many_key_packages"));
    assert_eq!(upload(100).await.1["key_packages"], 100);
    assert_eq!(refusal(&upload(1).await), (409, "too_many_key_packages"));
}

#[tokio::test]
async fn t22_no_bytes_in_place_of_a_package_stop_the_server() {
    let server = TestServer::start().await;
    let (_, ben, _) = pair(&server).await;
    let whole = ben.device.key_package();
    for mutated in mutations(&whole, 24) {
        let answer = ben.upload(&server, &ben.device, json!({"key_packages": [encode(&mutated)]})).await;
        assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
    }
    assert_eq!(ben.upload(&server, &ben.device, json!({"key_packages": [encode(&whole)]})).await.0, StatusCode::CREATED);
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn who_speaks_for_a_device_is_signed_out_when_it_is_revoked() {
    let server = TestServer::start().await;
    let (_, mut ben, _) = pair(&server).await;
    let lost = ben.another_device(&server).await;
    let elsewhere = server.login("ben").await;
    let path = |device: &Device| format!("devices/{}/key-packages", device.id());
    let asked = super::ask(&server, &elsewhere, Method::GET, &path(&lost), None).await;
    assert_eq!(asked.0, StatusCode::OK);
    stock(&server, &ben, &ben.device).await;
    let revocation = ben.identity.revocation(&lost);
    assert_eq!(super::publish(&server, &ben.session, &revocation).await.0, StatusCode::CREATED);
    let asked = super::ask(&server, &elsewhere, Method::GET, &path(&ben.device), None).await;
    assert_eq!(asked.0, StatusCode::UNAUTHORIZED);
    stock(&server, &ben, &ben.device).await;
}
