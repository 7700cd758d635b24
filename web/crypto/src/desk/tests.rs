//! What a request that fails leaves behind: nothing. That keeping fails is brought about by counters at their end.

use super::*;

const USER: &str = "00000000-0000-7000-8000-000000000001";
const OTHER: &str = "00000000-0000-7000-8000-000000000002";
const ROOM: &str = "00000000-0000-7000-8000-0000000000aa";

fn asked(desk: &mut Desk, request: &serde_json::Value) -> Outcome {
    desk.handle(serde_json::from_value(request.clone()).unwrap())
}

/// Whatever is changed can be kept no longer: the counters have come to their end.
fn wear_out(desk: &mut Desk) {
    let Person::Present { device, .. } = &mut desk.person else { panic!("a device") };
    Rc::make_mut(device).wear_out();
    Rc::make_mut(&mut desk.directory).wear_out();
}

#[test]
fn what_could_not_be_kept_is_not_in_memory_either() {
    let mut desk = Desk::new(StateKey::new([1; 32]));
    let first = asked(&mut desk, &serde_json::json!({ "op": "first", "user": USER, "now_ms": 1 }));
    let Ok(Answer::Device { records, .. }) = first.answer else { panic!("a device") };
    let learn = serde_json::json!({ "op": "learn", "user": USER, "records": records });
    let packages = serde_json::json!({ "op": "key_packages", "count": 3, "last_resort": true });
    let user = desk.device().unwrap().user();
    wear_out(&mut desk);
    assert_eq!(with_states(&mut desk, &learn).answer, Err(Fault::Full));
    assert_eq!(asked(&mut desk, &packages).answer, Err(Fault::Full));
    assert_eq!((desk.directory.records(user).len(), desk.device().unwrap().key_packages().count()), (0, 0));

    let mut desk = Desk::new(StateKey::new([1; 32]));
    let first = asked(&mut desk, &serde_json::json!({ "op": "first", "user": USER, "now_ms": 1 }));
    let Ok(Answer::Device { records, .. }) = first.answer else { panic!("a device") };
    let learn = serde_json::json!({ "op": "learn", "user": USER, "records": records });
    assert!(
        with_states(&mut desk, &learn).answer.is_ok() && asked(&mut desk, &packages).answer.is_ok(),
        "as long as it can be kept it is"
    );
    assert_eq!((desk.directory.records(user).len(), desk.device().unwrap().key_packages().count()), (2, 4));
}

/// Ann has made a room and a welcome for a package of the other desk.
fn welcome_for(package: &Bytes, records: &[Bytes], user: &str) -> (Bytes, Vec<Bytes>) {
    let mut ann = Desk::new(StateKey::new([2; 32]));
    let first = asked(&mut ann, &serde_json::json!({ "op": "first", "user": OTHER, "now_ms": 1 }));
    let Ok(Answer::Device { records: own, .. }) = first.answer else { panic!("a device") };
    let room = serde_json::json!({ "kind": "room", "id": ROOM });
    let requests = [
        serde_json::json!({ "op": "learn", "user": user, "records": records }),
        serde_json::json!({ "op": "learn", "user": OTHER, "records": own }),
        serde_json::json!({ "op": "create", "group": room, "stay": null }),
        serde_json::json!({ "op": "accepted", "group": room }),
        serde_json::json!({ "op": "change", "group": room, "add": [package], "users": [user], "remove": [] }),
    ];
    let mut last = None;
    for request in requests {
        last = Some(with_states(&mut ann, &request).answer.unwrap());
    }
    let Some(Answer::Group(Look { outgoing: Some(sent), .. })) = last else { panic!("a commit") };
    (sent.welcome.unwrap(), own)
}

/// Nothing is kept yet of whatever it needs.
fn with_states(desk: &mut Desk, request: &serde_json::Value) -> Outcome {
    let mut outcome = asked(desk, request);
    while let Some(name) = outcome.needs {
        let open = serde_json::json!({ "op": "open_state", "name": name, "sealed": null });
        assert_eq!(asked(desk, &open).answer, Ok(Answer::Done));
        outcome = asked(desk, request);
    }
    outcome
}

#[test]
fn of_what_failed_in_the_middle_nothing_is_handed_out_and_nothing_stays() {
    for wears_out in [true, false] {
        let mut desk = Desk::new(StateKey::new([1; 32]));
        let first = asked(&mut desk, &serde_json::json!({ "op": "first", "user": USER, "now_ms": 1 }));
        let Ok(Answer::Device { records, .. }) = first.answer else { panic!("a device") };
        let made = asked(&mut desk, &serde_json::json!({ "op": "key_packages", "count": 1, "last_resort": false }));
        let Ok(Answer::KeyPackages { packages, .. }) = made.answer else { panic!("packages") };
        let (welcome, others) = welcome_for(&packages[0], &records, USER);
        for (user, records) in [(USER, &records), (OTHER, &others)] {
            let learn = serde_json::json!({ "op": "learn", "user": user, "records": records });
            assert!(with_states(&mut desk, &learn).answer.is_ok());
        }
        if wears_out {
            wear_out(&mut desk);
        }
        // The group, its marks, its keys and whom it met are ready when the device's state turns out not to be.
        let joined = with_states(&mut desk, &serde_json::json!({ "op": "join", "welcome": welcome }));
        let look = serde_json::json!({ "op": "look", "group": { "kind": "room", "id": ROOM } });
        if wears_out {
            assert_eq!((joined.answer, joined.keep.len()), (Err(Fault::Full), 0));
            assert_eq!(with_states(&mut desk, &look).answer, Err(Fault::NotOpen));
            assert_eq!(desk.device().unwrap().key_packages().count(), 1, "the package is not used up");
        } else {
            assert!(joined.answer.is_ok() && joined.keep.len() == 6);
            assert!(with_states(&mut desk, &look).answer.is_ok());
            assert_eq!(desk.device().unwrap().key_packages().count(), 0);
        }
    }
}
