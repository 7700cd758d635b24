use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use webcall_crypto::chat::{
    Body, ChatError, Content, Head, MAX_AWAITED, MAX_REMEMBERED, MAX_SEALED_PER_EPOCH, Opened, OwnThread, Place, RoomId, Thread,
    Verdict,
};
use webcall_trust::DeviceId;

use crate::people::{ANN, BEN, LEAF, ROOM, device, hear, message, say};

fn thread() -> Thread {
    Thread::new(ROOM, device(ANN))
}

/// Ann's messages as they come out of their envelopes, without the sealing: `number`, in `epoch`, after `previous`.
fn opened(number: u64, epoch: u64, previous: [u8; 32]) -> Opened {
    let place = Place { room: ROOM, epoch, leaf: LEAF, device: device(ANN), message: message(number) };
    let content = Content::new(Vec::new()).expect("empty");
    let body = Body { kind: 1, at_ms: 1, previous, seen: [0; 32], head: Head { size: 0, root: [0; 32] }, content };
    Opened { place, body, hash: Sha256::digest(number.to_be_bytes()).into() }
}

/// As an honest device writes them, `per_epoch` in each epoch.
fn chain(count: u64, per_epoch: u64) -> Vec<Opened> {
    let mut messages = Vec::new();
    for number in 0..count {
        let previous = messages.last().map_or([0; 32], |last: &Opened| last.hash);
        messages.push(opened(number, number / per_epoch, previous));
    }
    messages
}

fn verdicts(thread: &mut Thread, messages: &[Opened], order: &[usize]) -> Vec<Verdict> {
    order.iter().map(|at| thread.observe(&messages[*at]).expect("of this thread")).collect()
}

#[test]
fn t23_sealed_messages_tell_what_the_server_left_out_held_back_and_repeated() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let sealed: Vec<_> = (0..5).map(|number| say(&mut own, 1 + number / 3, number, b"x").unwrap()).collect();
    let messages: Vec<_> = sealed.iter().map(|sealed| hear(sealed).unwrap()).collect();
    use Verdict::{First, Gap, Late, Next, Repeated};
    assert_eq!(verdicts(&mut thread(), &messages, &[0, 1, 2, 3, 4]), [First, Next, Next, Next, Next], "nothing was done");
    assert_eq!(verdicts(&mut thread(), &messages, &[0, 1, 3, 4]), [First, Next, Gap, Next], "one left out");
    assert_eq!(verdicts(&mut thread(), &messages, &[0, 2, 1, 3]), [First, Gap, Late, Next], "two swapped");
    assert_eq!(verdicts(&mut thread(), &messages, &[0, 1, 1, 0, 2]), [First, Next, Repeated, Repeated, Next]);
    assert_eq!(verdicts(&mut thread(), &messages, &[0, 4, 1, 2, 3]), [First, Gap, Verdict::Fork, Next, Late]);
    assert_eq!(verdicts(&mut thread(), &messages, &[2, 3, 1]), [First, Next, Late], "from the middle on");
}

#[test]
fn t23_an_id_is_shown_once_whatever_comes_under_it() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let first = hear(&say(&mut own, 1, 1, b"pay 10").unwrap()).unwrap();
    let same_id = hear(&say(&mut own, 2, 1, b"pay 1000").unwrap()).unwrap();
    let mut thread = thread();
    assert_eq!(thread.observe(&first), Ok(Verdict::First));
    assert_eq!(thread.observe(&same_id), Ok(Verdict::IdReused));
    assert_eq!(thread.observe(&first), Ok(Verdict::Repeated));
    let next = hear(&say(&mut own, 2, 2, b"thanks").unwrap()).unwrap();
    assert_eq!(thread.observe(&next), Ok(Verdict::Gap), "it follows what was not taken");
}

#[test]
fn t23_a_message_of_another_room_or_device_is_none_of_a_threads() {
    let message = opened(1, 1, [0; 32]);
    assert_eq!(Thread::new(RoomId([8; 16]), device(ANN)).observe(&message), Err(ChatError::OtherRoom));
    assert_eq!(Thread::new(ROOM, device(BEN)).observe(&message), Err(ChatError::OtherSender));
    assert_eq!(Thread::new(ROOM, DeviceId(ANN.0)).observe(&message), Ok(Verdict::First));
}

#[test]
fn a_sender_that_goes_on_from_an_older_state_is_seen() {
    let messages = chain(3, 10);
    let mut thread = thread();
    verdicts(&mut thread, &messages, &[0, 1, 2]);
    assert_eq!(thread.observe(&opened(50, 1, messages[1].hash)), Ok(Verdict::Fork));
    assert_eq!(thread.observe(&opened(51, 1, [0; 32])), Ok(Verdict::Fork), "and one that begins anew");
    assert_eq!(thread.observe(&opened(52, 1, opened(51, 1, [0; 32]).hash)), Ok(Verdict::Next));
}

#[test]
fn t23_what_a_thread_forgot_cannot_be_shown_to_it_again() {
    let messages = chain(3_000, 400);
    let mut thread = thread();
    for (at, message) in messages.iter().enumerate() {
        assert_eq!(thread.observe(message), Ok(if at == 0 { Verdict::First } else { Verdict::Next }));
    }
    for message in &messages {
        let verdict = thread.observe(message).unwrap();
        assert!(matches!(verdict, Verdict::Repeated | Verdict::Stale), "{verdict:?}");
    }
    assert_eq!(thread.observe(&messages[0]), Ok(Verdict::Stale));
    assert_eq!(thread.observe(&messages[2_999 - MAX_REMEMBERED + 1]), Ok(Verdict::Repeated));
    assert_eq!(thread.observe(&opened(3_000, 7, messages[2_999].hash)), Ok(Verdict::Next), "and goes on");
}

#[test]
fn a_device_that_seals_as_much_as_it_may_is_never_silenced() {
    let per_epoch = MAX_SEALED_PER_EPOCH as u64;
    let messages = chain(3 * per_epoch, per_epoch);
    let mut thread = thread();
    // The server leaves out every fifth message, and all the others are taken nevertheless.
    for (at, message) in messages.iter().enumerate().filter(|(at, _)| at % 5 != 4) {
        let verdict = thread.observe(message).unwrap();
        assert_eq!(
            verdict,
            if at == 0 {
                Verdict::First
            } else if at % 5 == 0 {
                Verdict::Gap
            } else {
                Verdict::Next
            }
        );
    }
}

/// Numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        let digest = Sha256::digest(self.0.to_be_bytes());
        self.0 = u64::from_be_bytes(*digest.first_chunk().expect("32 bytes"));
        self.0 % bound
    }
}

#[test]
fn t23_no_server_makes_a_thread_take_a_message_twice() {
    for seed in 0..8 {
        let mut dice = Dice(seed);
        let messages = chain(2_500, 1 + dice.below(MAX_SEALED_PER_EPOCH as u64));
        let (mut thread, mut held, mut taken) = (thread(), Vec::new(), BTreeSet::new());
        let (mut at, mut steps, mut new) = (0, 0, 0);
        while at < messages.len() {
            steps += 1;
            let message = match dice.below(10) {
                0 => {
                    held.push(at);
                    at += 1;
                    continue;
                }
                1 if !held.is_empty() => {
                    let which = usize::try_from(dice.below(held.len() as u64)).unwrap();
                    &messages[held.swap_remove(which)]
                }
                2..4 => &messages[usize::try_from(dice.below(at as u64 + 1)).unwrap()],
                _ => {
                    at += 1;
                    &messages[at - 1]
                }
            };
            let verdict = thread.observe(message).unwrap();
            if verdict.is_taken() {
                new += 1;
                assert!(taken.insert(message.place.message), "seed {seed}, step {steps}: {verdict:?}");
            }
            if steps % 500 == 0 {
                assert_eq!(Thread::from_bytes(&thread.to_bytes()), Ok(thread.clone()));
            }
        }
        assert!(new > 1_500, "seed {seed}: most of what is new is taken, {new}");
    }
}

#[test]
fn a_thread_stays_small_whatever_is_held_back() {
    let messages = chain(6_000, 500);
    let mut thread = thread();
    for message in messages.iter().step_by(2) {
        thread.observe(message).unwrap();
    }
    let most = 200 + MAX_REMEMBERED * 56 + MAX_AWAITED * 32;
    assert!(thread.to_bytes().len() <= most, "{} of {most}", thread.to_bytes().len());
}

#[test]
fn what_is_kept_of_a_thread_is_read_whole_or_not_at_all() {
    let mut thread = thread();
    verdicts(&mut thread, &chain(5, 2), &[0, 1, 3]);
    let kept = thread.to_bytes();
    assert_eq!(Thread::from_bytes(&kept), Ok(thread));
    for cut in 0..kept.len() {
        assert!(Thread::from_bytes(&kept[..cut]).is_err(), "{cut}");
    }
    assert_eq!(Thread::from_bytes(&[&kept[..], &[0]].concat()), Err(ChatError::Malformed));
    assert_eq!(Thread::from_bytes(&[&[2], &kept[1..]].concat()), Err(ChatError::UnknownVersion));
}
