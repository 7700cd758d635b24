use webcall_crypto::safety::{
    CALL_EMOJI, EMOJI, MAX_QR_TEXT_BYTES, Party, QR_BYTES, QrCode, SAFETY_DIGITS, SAFETY_WORDS, SafetyError, Squares, call_emoji,
    safety_number, safety_words, squares,
};
use webcall_trust::UserId;

use crate::people::{ANN, BEN, identity, public};

const MALLORY: UserId = UserId([7; 16]);

fn party(user: UserId) -> Party {
    Party { user, identity: public(&identity(user)) }
}

/// As somebody sees a user whose key Mallory put in the place of the real one.
fn replaced(user: UserId) -> Party {
    Party { user, identity: public(&identity(MALLORY)) }
}

#[test]
fn two_people_see_one_number_if_they_see_the_same_keys_and_else_two() {
    let number = safety_number(&party(ANN), &party(BEN));
    assert_eq!(number.len(), SAFETY_DIGITS);
    assert!(number.bytes().all(|digit| digit.is_ascii_digit()));
    assert_eq!(safety_number(&party(BEN), &party(ANN)), number);
    let seen_by_ann = safety_number(&party(ANN), &replaced(BEN));
    let seen_by_ben = safety_number(&replaced(ANN), &party(BEN));
    assert_ne!(seen_by_ann, number);
    assert_ne!(seen_by_ann, seen_by_ben);
    let swapped = (Party { user: ANN, ..party(BEN) }, Party { user: BEN, ..party(ANN) });
    assert_ne!(safety_number(&swapped.0, &swapped.1), number, "whose key it is counts");
}

#[test]
fn the_words_of_two_people_are_the_same_if_they_see_the_same_keys_and_each_of_them_stands_for_half() {
    let words = safety_words(&party(ANN), &party(BEN));
    assert_eq!(safety_words(&party(BEN), &party(ANN)), words);
    assert!(words.iter().all(|word| *word < EMOJI));
    let halves = |words: [u8; SAFETY_WORDS]| words.as_chunks::<{ SAFETY_WORDS / 2 }>().0.to_vec();
    let [seen_by_ann, seen_by_ben] =
        [(party(ANN), replaced(BEN)), (replaced(ANN), party(BEN))].map(|(ann, ben)| halves(safety_words(&ann, &ben)));
    let in_common = |seen: &[[u8; SAFETY_WORDS / 2]]| halves(words).iter().filter(|half| seen.contains(half)).count();
    assert_eq!((in_common(&seen_by_ann), in_common(&seen_by_ben)), (1, 1), "the half of whose key is the real one");
    assert!(seen_by_ann.iter().all(|half| !seen_by_ben.contains(half)), "no half is made of both");
}

/// What a camera sees: each square some dots wide, with light around.
fn scanned(squares: &Squares) -> Result<String, rqrr::DeQRError> {
    const DOTS: usize = 4;
    const QUIET: usize = 4;
    let size = (squares.rows.len() + 2 * QUIET) * DOTS;
    let dark = |at: usize| (at / DOTS).checked_sub(QUIET);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(size, size, |x, y| {
        let square = dark(y).zip(dark(x)).and_then(|(y, x)| squares.rows.get(y)?.as_bytes().get(x));
        if square == Some(&b'1') { 0 } else { 255 }
    });
    image.detect_grids()[0].decode().map(|(_, text)| text)
}

#[test]
fn what_is_drawn_is_read_again_by_another_decoder() {
    let link = format!("https://a-long-name.example.org:8443/settings#device={}", "Zz-_09".repeat(33));
    for text in ["webcall-safety:AAAA", &link, &"x".repeat(MAX_QR_TEXT_BYTES), "кириллица"] {
        let drawn = squares(text).unwrap();
        assert!(drawn.rows.iter().all(|row| row.len() == drawn.rows.len()), "square");
        assert_eq!(scanned(&drawn).unwrap(), text);
    }
    let mut torn = squares(&link).unwrap();
    let rows = torn.rows.len();
    torn.rows[rows / 3..2 * rows / 3].fill("0".repeat(rows));
    assert!(scanned(&torn).is_err(), "the decoder looks at all of it");
    assert_eq!(squares(&"x".repeat(MAX_QR_TEXT_BYTES + 1)), Err(SafetyError::Malformed));
}

#[test]
fn a_code_that_is_scanned_says_whether_both_see_the_same_keys() {
    let shown = QrCode::new(&party(ANN), &party(BEN));
    let scanned = QrCode::parse(shown.as_bytes()).unwrap();
    assert_eq!(scanned.check(&party(BEN), &party(ANN)), Ok(()));
    assert_eq!(scanned.check(&party(BEN), &replaced(ANN)), Err(SafetyError::OtherKeys), "Ben sees another key of Ann");
    let of_deceived = QrCode::new(&party(ANN), &replaced(BEN));
    assert_eq!(of_deceived.check(&party(BEN), &party(ANN)), Err(SafetyError::OtherKeys), "Ann sees another key of Ben");
    assert_eq!(scanned.check(&party(ANN), &party(BEN)), Err(SafetyError::OtherPeople), "one's own code");
    assert_eq!(scanned.check(&party(MALLORY), &party(ANN)), Err(SafetyError::OtherPeople));
}

#[test]
fn a_code_that_was_changed_cut_or_lengthened_is_refused() {
    let shown = QrCode::new(&party(ANN), &party(BEN));
    let bytes = shown.as_bytes();
    assert_eq!(bytes.len(), QR_BYTES);
    // Each check hashes 10,400 times, so not every byte of the fingerprints.
    for at in (0..bytes.len()).step_by(6) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert!(QrCode::parse(&changed).and_then(|code| code.check(&party(BEN), &party(ANN))).is_err(), "{at}");
        assert_eq!(QrCode::parse(&bytes[..at]), Err(SafetyError::Malformed));
    }
    assert_eq!(QrCode::parse(&[bytes, &[0]].concat()), Err(SafetyError::Malformed));
    assert_eq!(QrCode::parse(&[&[2], &bytes[1..]].concat()), Err(SafetyError::UnknownVersion));
}

#[test]
fn all_in_a_group_see_the_emoji_that_belong_to_its_epoch() {
    let emoji = call_emoji(&[1; 32]);
    assert_eq!(emoji, call_emoji(&[1; 32]));
    assert_ne!(emoji, call_emoji(&[2; 32]));
    let all: Vec<_> = (0..=255).flat_map(|byte| call_emoji(&[byte; 32])).collect();
    assert_eq!(all.len(), 256 * CALL_EMOJI);
    assert!((0..EMOJI).all(|index| all.contains(&index)) && all.iter().all(|index| *index < EMOJI));
}
