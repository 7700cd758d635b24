use std::collections::BTreeSet;

use webcall_crypto::chat::{
    ChatError, Content, Envelope, MAX_CONTENT_BYTES, MAX_ENVELOPE_BYTES, MAX_SEALED_PER_EPOCH, OwnThread, Writer,
};

use crate::people::{ANN, LEAF, ROOM, device, device_key, draft, epoch_key, hear, message, say};

#[test]
fn what_one_says_the_other_hears_with_all_that_belongs_to_it() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let first = hear(&say(&mut own, 1, 1, b"hello").unwrap()).unwrap();
    let second = hear(&say(&mut own, 2, 2, "héllo".as_bytes()).unwrap()).unwrap();
    assert_eq!((first.body.content.as_bytes(), second.body.content.as_bytes()), (&b"hello"[..], "héllo".as_bytes()));
    assert_eq!((first.body.previous, second.body.previous), ([0; 32], first.hash));
    let said = draft(b"hello");
    assert_eq!(
        (first.body.kind, first.body.at_ms, first.body.seen, first.body.head),
        (said.kind, said.at_ms, said.seen, said.head)
    );
    assert_eq!((first.place.epoch, first.place.leaf, first.place.message), (1, LEAF, message(1)));
}

#[test]
fn the_server_learns_one_of_few_sizes() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let lengths = (0..MAX_CONTENT_BYTES).step_by(97).chain([MAX_CONTENT_BYTES]);
    let sizes: BTreeSet<_> =
        lengths.zip(0..).map(|(length, number)| say(&mut own, number, number, &vec![b'x'; length]).unwrap().len()).collect();
    // 98 bytes of header and 16 of the tag; a body and its signature have at least 179.
    assert_eq!(sizes, [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384].map(|padded| 98 + padded + 16).into());
    assert_eq!(sizes.last(), Some(&MAX_ENVELOPE_BYTES));
}

#[test]
fn the_longest_message_passes_and_a_longer_one_is_refused() {
    let longest = vec![b'x'; MAX_CONTENT_BYTES];
    let sealed = say(&mut OwnThread::new(ROOM, device(ANN)), 1, 1, &longest).unwrap();
    assert_eq!(hear(&sealed).unwrap().body.content.as_bytes(), longest);
    assert_eq!(Content::new(vec![b'x'; MAX_CONTENT_BYTES + 1]), Err(ChatError::TooLong));
    assert!(hear(&say(&mut OwnThread::new(ROOM, device(ANN)), 1, 1, b"").unwrap()).is_ok(), "an empty one passes");
}

#[test]
fn one_message_has_nothing_in_common_with_the_next() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let one = say(&mut own, 1, 1, b"same words").unwrap();
    let other = say(&mut own, 1, 2, b"same words").unwrap();
    let equal = one[66..].iter().zip(&other[66..]).filter(|(one, other)| one == other).count();
    assert!(equal < 30, "commitment and ciphertext: {equal} of {} bytes", one.len() - 66);
}

/// One key and nonce for two plaintexts would give both away.
#[test]
fn an_id_is_sealed_once_in_an_epoch_also_after_a_restart() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    say(&mut own, 1, 1, b"first").unwrap();
    assert_eq!(say(&mut own, 1, 1, b"second"), Err(ChatError::AlreadySealed));
    let mut again = OwnThread::from_bytes(&own.to_bytes()).unwrap();
    assert_eq!(again, own);
    assert_eq!(say(&mut again, 1, 1, b"second"), Err(ChatError::AlreadySealed));
    assert!(say(&mut again, 2, 1, b"second").is_ok(), "the key of another epoch is another");
    assert_eq!(say(&mut again, 1, 2, b"third"), Err(ChatError::EpochPassed), "what was sealed there is forgotten");
    assert!(say(&mut again, 2, 2, b"third").is_ok());
}

#[test]
fn a_device_that_seals_too_much_in_an_epoch_has_to_commit() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let (key, device_key) = (epoch_key(1), device_key(ANN));
    let writer = Writer { epoch: 1, leaf: LEAF, key: &key, device_key: &device_key };
    for number in 0..MAX_SEALED_PER_EPOCH as u64 {
        own.seal(writer, message(number), draft(b"x")).unwrap();
    }
    assert_eq!(own.seal(writer, message(u64::MAX), draft(b"x")), Err(ChatError::EpochExhausted));
    let key = epoch_key(2);
    assert!(own.seal(Writer { epoch: 2, key: &key, ..writer }, message(u64::MAX), draft(b"x")).is_ok());
}

#[test]
fn a_message_follows_the_last_one_that_was_accepted() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    let first = hear(&say(&mut own, 1, 1, b"first").unwrap()).unwrap();
    let (key, device_key) = (epoch_key(1), device_key(ANN));
    let writer = Writer { epoch: 1, leaf: LEAF, key: &key, device_key: &device_key };
    let refused = hear(&own.seal(writer, message(2), draft(b"refused by the server")).unwrap()).unwrap();
    let next = hear(&say(&mut own, 1, 3, b"next").unwrap()).unwrap();
    assert_eq!((refused.body.previous, next.body.previous), (first.hash, first.hash));
}

#[test]
fn what_a_device_keeps_of_its_sending_is_read_whole_or_not_at_all() {
    let mut own = OwnThread::new(ROOM, device(ANN));
    say(&mut own, 1, 1, b"first").unwrap();
    let kept = own.to_bytes();
    for cut in 0..kept.len() {
        assert!(OwnThread::from_bytes(&kept[..cut]).is_err(), "{cut}");
    }
    assert_eq!(OwnThread::from_bytes(&[&kept[..], &[0]].concat()), Err(ChatError::Malformed));
    assert_eq!(OwnThread::from_bytes(&[&[2], &kept[1..]].concat()), Err(ChatError::UnknownVersion));
}

#[test]
fn bytes_that_are_no_envelope_are_refused_whatever_their_length() {
    for length in (0..2_000).chain([MAX_ENVELOPE_BYTES, MAX_ENVELOPE_BYTES + 1, 40_000]) {
        for byte in [0, 1, 0xff] {
            assert!(Envelope::parse(&vec![byte; length]).is_err(), "{length} of {byte}");
        }
    }
}
