//! What a device hands over to one that it vouches for: for whom it opens, and from whom it is taken.

mod browser;
mod support;

use browser::{Browser, nobody};
use serde_json::{Value, json};
use support::{NOW_MS, User, asks};
use webcall_crypto::{Device, DeviceRequest, Fault, MasterKey, NewDevice, StateKey};
use webcall_trust::{Refusal, mls};

const ANN: &str = "00000000-0000-7000-8000-000000000001";

/// The device that was vouched for by its request.
fn vouched(user: &mut User, new: &NewDevice) -> Device {
    let record = user.identity.vouch(user.id, new.request(), user.keys().head(), NOW_MS).expect("its own");
    user.publish(record);
    new.certified(record).expect("the certificate for it")
}

#[test]
fn what_is_handed_over_opens_for_the_device_of_the_request_alone() {
    let (mut user, first) = User::new(1);
    let (asked, other) = (asks(user.id), asks(user.id));
    let master = MasterKey::random();
    let handed = first.hand_over(asked.request(), &user.identity, &master).expect("for a request of its user");
    let (phone, laptop) = (vouched(&mut user, &asked), vouched(&mut user, &other));
    let (identity, received) = phone.receive(&user.keys(), &handed).expect("it is for this one");
    assert_eq!((identity.public(), received), (user.identity.public(), master));
    assert_eq!(laptop.receive(&user.keys(), &handed).err(), Some(Fault::OtherDevice));
    let (stranger, theirs) = User::new(2);
    assert_eq!(theirs.receive(&stranger.keys(), &handed).err(), Some(Refusal::OtherUser.into()));
    assert_eq!(theirs.hand_over(asked.request(), &stranger.identity, &MasterKey::random()), Err(Refusal::OtherUser.into()));
}

#[test]
fn t6_what_a_device_sealed_that_does_not_count_is_refused() {
    let (mut user, first) = User::new(1);
    let asked = asks(user.id);
    let (second, mallorys) = (user.further_device(), User::new(1));
    let phone = vouched(&mut user, &asked);
    let master = MasterKey::random();
    let by = |device: &Device| device.hand_over(asked.request(), &user.identity, &master).expect("for a request of its user");
    let (by_second, by_stranger) = (by(&second), by(&mallorys.1));
    assert!(phone.receive(&user.keys(), &by_second).is_ok(), "as long as it counts");
    assert_eq!(phone.receive(&user.keys(), &by_stranger).err(), Some(Refusal::NotVouched.into()));
    let of_another = first.hand_over(asked.request(), &mallorys.0.identity, &master).expect("any identity can be sealed");
    assert_eq!(phone.receive(&user.keys(), &of_another).err(), Some(Refusal::IdentityChanged.into()));
    user.revoke(&second);
    assert_eq!(phone.receive(&user.keys(), &by_second).err(), Some(Refusal::NotVouched.into()));
}

#[test]
fn t5_what_a_device_asks_hands_over_keeps_and_shows_passes_for_nothing_else() {
    let (mut user, first) = User::new(1);
    let asked = asks(user.id);
    let handed = first.hand_over(asked.request(), &user.identity, &MasterKey::random()).expect("for a request of its user");
    let mut phone = vouched(&mut user, &asked);
    let key = StateKey::new([3; 32]);
    let kept = phone.save(&key).expect("kept");
    let package = phone.make_key_packages(1).expect("few").remove(0);
    let kinds = [asked.request().to_bytes(), handed, kept, package];
    for (of, bytes) in kinds.iter().enumerate() {
        let read_as = [
            DeviceRequest::from_bytes(bytes).is_ok(),
            phone.receive(&user.keys(), bytes).is_ok(),
            Device::load(&key, phone.id(), bytes, 1).is_ok(),
            mls::key_package(bytes).is_ok(),
        ];
        assert_eq!(read_as, std::array::from_fn(|kind| kind == of), "kind {of}");
    }
}

#[test]
fn t22_whatever_byte_of_what_is_handed_over_is_changed_is_noticed() {
    let (mut user, first) = User::new(1);
    let asked = asks(user.id);
    let handed = first.hand_over(asked.request(), &user.identity, &MasterKey::random()).expect("for a request of its user");
    let phone = vouched(&mut user, &asked);
    for at in 0..handed.len() {
        let mut changed = handed.clone();
        changed[at] ^= 1;
        assert!(phone.receive(&user.keys(), &changed).is_err(), "{at}");
        assert!(phone.receive(&user.keys(), &handed[..at]).is_err(), "{at}");
    }
    assert!(phone.receive(&user.keys(), &handed).is_ok(), "as it was");
}

/// Through the door: Ann, her phone that she vouched for, and what she handed over to it.
fn with_phone() -> (Browser, Browser, Value) {
    let mut ann = Browser::first(ANN, 1);
    let records = ann.records.clone();
    ann.does(json!({ "op": "learn", "user": ANN, "records": records }));
    ann.does(json!({ "op": "backup_begin" }));
    let mut phone = nobody(ANN, 9);
    let asking = phone.does(json!({ "op": "ask", "user": ANN }));
    let handed = ann.does(json!({ "op": "hand_over", "request": asking["request"] }))["handover"].clone();
    let record =
        ann.does(json!({ "op": "vouch", "request": asking["request"], "previous": null, "now_ms": 2 }))["record"].clone();
    phone.device = phone.does(json!({ "op": "certified", "record": record }))["device"].clone();
    let records = json!([records[0], records[1], record]);
    phone.does(json!({ "op": "learn", "user": ANN, "records": records }));
    (ann, phone, handed)
}

fn take(handed: &Value) -> Value {
    json!({ "op": "take_handover", "handover": handed })
}

#[test]
fn a_device_that_was_handed_the_keys_makes_ways_back_and_vouches_for_others_also_after_a_reload() {
    let (mut ann, mut phone, handed) = with_phone();
    phone.reloads();
    let mut tablet = nobody(ANN, 10);
    let vouch = json!({ "op": "vouch", "request": tablet.does(json!({ "op": "ask", "user": ANN }))["request"], "previous": null, "now_ms": 3 });
    assert_eq!(phone.fails(&vouch), "no_identity");
    assert_eq!(phone.fails(json!({ "op": "add_recovery_code" })), "no_master_key");
    phone.does(take(&handed));
    phone.reloads();
    let record = phone.does(&vouch)["record"].clone();
    tablet.does(json!({ "op": "certified", "record": record }));
    phone.does(json!({ "op": "add_recovery_code" }));
    let made = phone.does(json!({ "op": "unlockers" }));
    let taken = ann.does(json!({ "op": "take_unlockers", "blob": made["blob"] }));
    assert_eq!(taken["unlockers"], made["unlockers"], "both have the same master key");
}

#[test]
fn t6_a_device_that_has_the_keys_takes_none_and_one_without_them_hands_none_over() {
    let (mut ann, mut phone, handed) = with_phone();
    assert_eq!(ann.fails(take(&handed)), "already_there", "it never asked");
    let mut tablet = nobody(ANN, 10);
    let asking = tablet.does(json!({ "op": "ask", "user": ANN }));
    assert_eq!(tablet.fails(take(&handed)), "no_device");
    let hand_over = json!({ "op": "hand_over", "request": asking["request"] });
    assert_eq!(phone.fails(&hand_over), "no_identity");
    assert_eq!(phone.fails(take(&json!("AAAA"))), "malformed");
    phone.does(take(&handed));
    assert_eq!(phone.fails(take(&handed)), "already_there");
    phone.does(&hand_over);
    let mut ben = Browser::first("00000000-0000-7000-8000-000000000002", 2);
    assert_eq!(ben.fails(&hand_over), "no_master_key");
    ben.does(json!({ "op": "backup_begin" }));
    assert_eq!(ben.fails(&hand_over), "other_user");
    assert_eq!(ann.fails(json!({ "op": "hand_over", "request": "AAAA" })), "malformed");
}
