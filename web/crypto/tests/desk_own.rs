//! What a browser keeps of its own device, whenever its page dies: records that may not be published yet, a request, key packages.

mod browser;

use browser::{Browser, nobody};
use serde_json::{Value, json};
use webcall_crypto::desk::Bytes;

const ANN: &str = "00000000-0000-7000-8000-000000000001";

fn who(browser: &mut Browser) -> Value {
    browser.does(json!({ "op": "who" }))
}

fn learn(browser: &mut Browser, records: &Value) {
    browser.does(json!({ "op": "learn", "user": ANN, "records": records }));
}

/// The record by which one vouches for who asks.
fn vouched(by: &mut Browser, asking: &Value) -> Value {
    by.does(json!({ "op": "vouch", "request": asking["request"], "previous": null, "now_ms": 2 }))["record"].clone()
}

#[test]
fn a_page_that_dies_before_it_published_its_records_has_them_after_a_reload() {
    let mut ann = Browser::first(ANN, 1);
    ann.reloads();
    assert_eq!(who(&mut ann)["records"], ann.records);
    let records = ann.records.clone();
    learn(&mut ann, &records);
    let mut phone = nobody(ANN, 9);
    let asking = phone.does(json!({ "op": "ask", "user": ANN }));
    let record = vouched(&mut ann, &asking);
    ann.reloads();
    assert_eq!(who(&mut ann)["records"], json!([records[0], records[1], record]), "what it made for others too");
    phone.does(json!({ "op": "certified", "record": record }));
    assert_eq!(who(&mut phone)["records"], json!([record]));
}

#[test]
fn a_record_that_another_overtook_is_kept_no_longer() {
    let mut ann = Browser::first(ANN, 1);
    let records = ann.records.clone();
    assert_eq!(ann.fails(json!({ "op": "revoke", "device": ann.device, "previous": null, "now_ms": 3 })), "unknown_user");
    learn(&mut ann, &records);
    let [mut phone, mut laptop] = [nobody(ANN, 8), nobody(ANN, 9)];
    let [phones, laptops] = [&mut phone, &mut laptop].map(|browser| browser.does(json!({ "op": "ask", "user": ANN })));
    let (published, late) = (vouched(&mut ann, &phones), vouched(&mut ann, &laptops));
    learn(&mut ann, &json!([records[0], records[1], published]));
    ann.reloads();
    assert_eq!(who(&mut ann)["records"], json!([records[0], records[1], published]));
    let again = vouched(&mut ann, &laptops);
    assert_ne!(again, late, "made anew it follows the newest");
    learn(&mut ann, &json!([records[0], records[1], published, again]));
}

#[test]
fn who_asks_is_the_same_device_after_a_reload_and_after_a_record_of_another() {
    let mut ann = Browser::first(ANN, 1);
    let records = ann.records.clone();
    learn(&mut ann, &records);
    let [mut phone, mut laptop] = [nobody(ANN, 8), nobody(ANN, 9)];
    let [phones, laptops] = [&mut phone, &mut laptop].map(|browser| browser.does(json!({ "op": "ask", "user": ANN })));
    assert_eq!(who(&mut phone), phones);
    phone.resumes();
    assert_eq!(who(&mut phone), phones);
    let [for_phone, for_laptop] = [&phones, &laptops].map(|asking| vouched(&mut ann, asking));
    assert_eq!(phone.fails(json!({ "op": "certified", "record": for_laptop })), "other_device");
    assert_eq!(phone.fails(json!({ "op": "certified", "record": "AAAA" })), "malformed");
    phone.resumes();
    let seated = phone.does(json!({ "op": "certified", "record": for_phone }));
    assert_eq!(seated["device"], phones["device"]);
    assert!(!phone.kept.contains_key("asking"), "it asks no longer");
    assert_eq!(phone.fails(json!({ "op": "ask", "user": ANN })), "other_device");
    laptop.resumes();
    laptop.does(json!({ "op": "first", "user": ANN, "now_ms": 1 }));
    assert!(!laptop.kept.contains_key("asking"), "by another way");
}

#[test]
fn t1_a_device_that_came_without_this_ones_doing_is_news_until_the_person_knows_of_it() {
    let mut ann = Browser::first(ANN, 1);
    let records = ann.records.clone();
    learn(&mut ann, &records);
    let news = |browser: &mut Browser| browser.does(json!({ "op": "new_devices" }))["devices"].clone();
    assert_eq!(news(&mut ann), json!([]), "this device is none");
    let [mut phone, mut ghost] = [nobody(ANN, 8), nobody(ANN, 9)];
    let asking = phone.does(json!({ "op": "ask", "user": ANN }));
    let by_ann = vouched(&mut ann, &asking);
    phone.device = phone.does(json!({ "op": "certified", "record": by_ann }))["device"].clone();
    let chain = json!([records[0], records[1], by_ann]);
    for browser in [&mut ann, &mut phone] {
        learn(browser, &chain);
        assert_eq!(news(browser), json!([]), "nor one that the person vouched for here, nor who was there before");
    }
    // Who has the identity's key, as a device has it that was removed since.
    let mut removed = ann.copy();
    let asking = ghost.does(json!({ "op": "ask", "user": ANN }));
    let by_removed = vouched(&mut removed, &asking);
    let chain = json!([records[0], records[1], by_ann, by_removed]);
    for browser in [&mut ann, &mut phone] {
        learn(browser, &chain);
        assert_eq!(news(browser), json!([asking["device"]]));
        browser.reloads();
        assert_eq!(news(browser), json!([asking["device"]]), "after a reload too");
    }
    ann.does(json!({ "op": "saw_devices", "devices": [asking["device"], "AAAAAAAAAAAAAAAAAAAAAA=="] }));
    assert_eq!(news(&mut ann), json!([]));
    assert_eq!(news(&mut phone), json!([asking["device"]]), "each device tells");
    let revoked = ann.does(json!({ "op": "revoke", "device": asking["device"], "previous": null, "now_ms": 3 }));
    learn(&mut phone, &json!([records[0], records[1], by_ann, by_removed, revoked["record"]]));
    assert_eq!(news(&mut phone), json!([]), "once it is removed there is nothing to know");
}

#[test]
fn a_request_that_was_changed_where_it_is_kept_is_not_taken_up() {
    let mut phone = nobody(ANN, 8);
    phone.does(json!({ "op": "ask", "user": ANN }));
    let sealed: Bytes = serde_json::from_value(phone.kept["asking"].clone()).expect("base64");
    let mut changed = sealed.clone();
    *changed.0.last_mut().expect("bytes") ^= 1;
    phone.does(json!({ "op": "resume", "asking": changed }));
    assert_eq!(phone.fails(json!({ "op": "who" })), "no_device", "it asks anew: nobody has vouched for it yet");
    phone.does(json!({ "op": "resume", "asking": sealed }));
    assert_eq!(phone.does(json!({ "op": "who" }))["type"], "asking");
    phone.does(json!({ "op": "resume", "asking": null }));
    assert_eq!(phone.fails(json!({ "op": "who" })), "no_device", "nothing is kept, so nobody is here");
}

#[test]
fn key_packages_can_always_be_made_and_those_that_expired_go() {
    let mut ann = Browser::first(ANN, 1);
    let make = |count: u64, last_resort: bool| json!({ "op": "key_packages", "count": count, "last_resort": last_resort });
    for _ in 0..3 {
        let made = ann.does(make(100, true));
        assert_eq!(made["packages"].as_array().map(Vec::len), Some(100));
    }
    ann.does(make(255, true));
    for too_many in [make(256, true), make(u64::MAX, true)] {
        assert_eq!(ann.fails(too_many), "full");
    }
    let before = ann.kept["device"].as_str().map(str::len);
    ann.does(json!({ "op": "forget_expired", "now_ms": 1_000_000 }));
    assert_eq!(ann.kept["device"].as_str().map(str::len), before, "none has expired yet");
    ann.does(json!({ "op": "forget_expired", "now_ms": 8_000_000_000_000_u64 }));
    assert!(ann.kept["device"].as_str().map(str::len) < Some(before.expect("a state") / 10), "all have");
}

#[test]
fn who_has_neither_a_device_nor_a_way_back_begins_anew_and_counts_with_others_once_they_accept_it() {
    let mut ann = Browser::first(ANN, 1);
    let old = ann.records.clone();
    learn(&mut ann, &old);
    let mut fresh = nobody(ANN, 7);
    let made = fresh.does(json!({ "op": "begin_anew", "user": ANN, "records": old, "now_ms": 9 }));
    fresh.device = made["device"].clone();
    fresh.reloads();
    assert_eq!(who(&mut fresh)["records"], made["records"], "as with a first device");
    let chain = json!([old[0], old[1], made["records"][0], made["records"][1]]);
    learn(&mut fresh, &chain);
    fresh.does(json!({ "op": "vouch", "request": nobody(ANN, 8).does(json!({ "op": "ask", "user": ANN }))["request"], "previous": null, "now_ms": 10 }));
    assert_eq!(ann.does(json!({ "op": "learn", "user": ANN, "records": chain }))["changed"], true, "the old device is out");
    assert_eq!(fresh.fails(json!({ "op": "begin_anew", "user": ANN, "records": chain, "now_ms": 11 })), "other_device");
}

#[test]
fn a_device_that_was_never_published_is_forgotten_where_others_went_on_without_it_and_one_that_was_never_is() {
    let [mut ann, mut other] = [1, 2].map(|seed| Browser::first(ANN, seed));
    let (own, chain) = (ann.records.clone(), other.records.clone());
    let back = |records: &Value| json!({ "op": "step_back", "records": records });
    assert_eq!(ann.fails(back(&own)), "other_device", "it is there");
    assert_eq!(ann.fails(back(&json!([own[0]]))), "other_device", "its identity is, and it will be");
    ann.does(back(&chain));
    assert_eq!(ann.kept.keys().cloned().collect::<Vec<_>>(), Vec::<String>::new(), "nothing of it is kept");
    assert_eq!(ann.fails(json!({ "op": "who" })), "no_device");
    let asking = ann.does(json!({ "op": "ask", "user": ANN }));
    learn(&mut other, &chain);
    let record = vouched(&mut other, &asking);
    ann.device = ann.does(json!({ "op": "certified", "record": record }))["device"].clone();
    ann.reloads();
    assert_eq!(other.fails(back(&own)), "other_device", "no server has it forget its keys");
}
