use webcall_crypto::MasterKey;
use webcall_crypto::unlock::{
    Effort, MAX_CREDENTIAL_BYTES, MAX_PASSPHRASE_BYTES, MAX_UNLOCKER_BYTES, MAX_UNLOCKERS, Passkey, Passphrase, PrfOutput,
    RecoveryCode, Secret, UnlockError, Unlocker, Unlockers, Way,
};

use crate::people::{ANN, BEN};

fn master() -> MasterKey {
    MasterKey::new([3; 32])
}

fn code() -> RecoveryCode {
    RecoveryCode::new(*b"0123456789abcdef")
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into()).expect("long enough")
}

fn by_code() -> Unlocker {
    Unlocker::new(&master(), ANN, Way::RecoveryCode, Secret::RecoveryCode(&code())).expect("of one kind")
}

fn by_passkey(credential: u8) -> Unlocker {
    let passkey = Passkey::new(vec![credential; 20]).expect("short enough");
    let prf = PrfOutput::new([credential; 32]);
    Unlocker::new(&master(), ANN, Way::Passkey(passkey), Secret::Passkey(&prf)).expect("of one kind")
}

#[test]
fn each_way_leads_to_the_master_key_and_no_other_secret_does() {
    let phrase = passphrase("correct horse battery");
    let by_phrase = Unlocker::new(&master(), ANN, Way::Passphrase(Effort::standard()), Secret::Passphrase(&phrase)).unwrap();
    assert_eq!(by_phrase.unlock(ANN, Secret::Passphrase(&phrase)), Ok(master()));
    let other = passphrase("correct horse batteru");
    assert_eq!(by_phrase.unlock(ANN, Secret::Passphrase(&other)), Err(UnlockError::WrongSecret));
    assert_eq!(by_code().unlock(ANN, Secret::RecoveryCode(&code())), Ok(master()));
    assert_eq!(by_code().unlock(ANN, Secret::RecoveryCode(&RecoveryCode::random())), Err(UnlockError::WrongSecret));
    assert_eq!(by_passkey(1).unlock(ANN, Secret::Passkey(&PrfOutput::new([1; 32]))), Ok(master()));
    assert_eq!(by_passkey(1).unlock(ANN, Secret::Passkey(&PrfOutput::new([2; 32]))), Err(UnlockError::WrongSecret));
    assert_eq!(by_passkey(1).unlock(ANN, Secret::RecoveryCode(&code())), Err(UnlockError::OtherKind));
}

#[test]
fn t27_one_unlocker_gone_leaves_the_others_working() {
    let mut unlockers = Unlockers::new(ANN);
    let passkey = by_passkey(1);
    unlockers.add(passkey.clone()).unwrap();
    assert!(!unlockers.is_backed_up(&master()), "one is none");
    unlockers.add(by_code()).unwrap();
    assert!(unlockers.is_backed_up(&master()));
    assert_eq!(unlockers.remove(passkey.id()), Ok(passkey.clone()));
    assert_eq!(unlockers.remove(passkey.id()), Err(UnlockError::NotThere));
    assert!(!unlockers.is_backed_up(&master()));
    let left: Vec<_> = unlockers.iter().map(|unlocker| unlocker.unlock(ANN, Secret::RecoveryCode(&code()))).collect();
    assert_eq!(left, [Ok(master())]);
}

#[test]
fn a_server_cannot_pretend_that_there_is_a_backup() {
    let mut unlockers = Unlockers::new(ANN);
    unlockers.add(by_code()).unwrap();
    let of_another_key = Unlocker::new(&MasterKey::new([4; 32]), ANN, Way::RecoveryCode, Secret::RecoveryCode(&code())).unwrap();
    let of_another_user = Unlocker::new(&master(), BEN, Way::RecoveryCode, Secret::RecoveryCode(&code())).unwrap();
    unlockers.add(of_another_key).unwrap();
    unlockers.add(of_another_user).unwrap();
    assert!(!unlockers.is_backed_up(&master()));
    unlockers.add(by_passkey(1)).unwrap();
    assert!(unlockers.is_backed_up(&master()));
}

#[test]
fn the_same_unlocker_or_passkey_counts_once_and_there_are_not_too_many() {
    let mut unlockers = Unlockers::new(ANN);
    let passkey = by_passkey(1);
    unlockers.add(passkey.clone()).unwrap();
    assert_eq!(unlockers.add(passkey), Err(UnlockError::AlreadyThere));
    assert_eq!(unlockers.add(by_passkey(1)), Err(UnlockError::AlreadyThere), "the same credential with another id");
    assert_eq!(unlockers.add(by_passkey(2)), Ok(()));
    for _ in 2..MAX_UNLOCKERS {
        unlockers.add(by_code()).unwrap();
    }
    assert_eq!(unlockers.add(by_code()), Err(UnlockError::TooMany));
}

#[test]
fn an_unlocker_is_of_no_use_to_another_user() {
    let bytes = by_code().to_bytes();
    let there = Unlocker::from_bytes(&bytes).unwrap();
    assert_eq!(there.unlock(BEN, Secret::RecoveryCode(&code())), Err(UnlockError::WrongSecret));
    assert_eq!(there.unlock(ANN, Secret::RecoveryCode(&code())), Ok(master()));
    assert!(there.is_of(&master(), ANN) && !there.is_of(&master(), BEN));
}

#[test]
fn t7_whatever_byte_of_an_unlocker_is_changed_cut_or_added_is_noticed() {
    let ways: [(Unlocker, Secret<'_>); 2] =
        [(by_code(), Secret::RecoveryCode(&code())), (by_passkey(1), Secret::Passkey(&PrfOutput::new([1; 32])))];
    for (unlocker, secret) in ways {
        let bytes = unlocker.to_bytes();
        assert!(bytes.len() <= MAX_UNLOCKER_BYTES);
        assert_eq!(Unlocker::from_bytes(&bytes), Ok(unlocker));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let read = Unlocker::from_bytes(&changed);
            assert!(read.and_then(|unlocker| unlocker.unlock(ANN, secret)).is_err(), "{at}");
            assert!(Unlocker::from_bytes(&bytes[..at]).is_err(), "{at}");
        }
        assert!(Unlocker::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
    assert_eq!(Unlocker::from_bytes(&[1; MAX_UNLOCKER_BYTES + 1]), Err(UnlockError::TooLong));
}

#[test]
fn a_server_can_set_the_work_of_a_guess_neither_low_nor_absurdly_high() {
    let standard = Effort::standard();
    assert_eq!((standard.memory_kib, standard.passes, standard.lanes), (65_536, 3, 1));
    assert_ne!(standard.salt, Effort::standard().salt);
    let with = |memory_kib, passes, lanes| Effort { memory_kib, passes, lanes, ..standard }.checked().is_ok();
    assert!(with(65_536, 3, 1) && with(262_144, 8, 1));
    let outside = [(65_535, 3, 1), (8, 3, 1), (65_536, 2, 1), (65_536, 0, 1), (262_145, 3, 1), (u32::MAX, 3, 1), (65_536, 9, 1)];
    for (memory_kib, passes, lanes) in outside.into_iter().chain([(65_536, u32::MAX, 1), (65_536, 3, 0), (65_536, 3, 2)]) {
        assert!(!with(memory_kib, passes, lanes), "{memory_kib} {passes} {lanes}");
    }
    let phrase = passphrase("correct horse battery");
    let low = Way::Passphrase(Effort { memory_kib: 8, ..standard });
    let made = Unlocker::new(&master(), ANN, low, Secret::Passphrase(&phrase));
    assert_eq!(made, Err(UnlockError::EffortOutOfBounds));
    let honest = Unlocker::new(&master(), ANN, Way::Passphrase(standard), Secret::Passphrase(&phrase)).unwrap();
    let mut lowered = honest.to_bytes();
    lowered[18..22].copy_from_slice(&8u32.to_be_bytes());
    assert_eq!(Unlocker::from_bytes(&lowered), Err(UnlockError::EffortOutOfBounds));
    let mut raised = honest.to_bytes();
    raised[18..22].copy_from_slice(&65_600u32.to_be_bytes());
    let raised = Unlocker::from_bytes(&raised).unwrap();
    assert_eq!(raised.unlock(ANN, Secret::Passphrase(&phrase)), Err(UnlockError::WrongSecret), "within, but not what was sealed");
}

#[test]
fn a_recovery_code_is_read_as_people_write_it() {
    let code = code();
    let text = code.to_text();
    assert_eq!(text.len(), 34);
    assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4; 7]);
    assert!(text.chars().all(|character| character == '-' || "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(character)));
    for written in [
        text.to_string(),
        text.to_lowercase(),
        text.replace('-', ""),
        text.replace('-', " \u{2013} "),
        format!("  {}\n", text.replace('-', "  ")),
        text.replace('0', "O").replace('1', "l"),
        text.replace('0', "o").replace('1', "I"),
    ] {
        assert_eq!(RecoveryCode::parse(&written), Ok(code.clone()), "{written}");
    }
    for _ in 0..100 {
        let code = RecoveryCode::random();
        assert_eq!(RecoveryCode::parse(&code.to_text()), Ok(code));
    }
}

#[test]
fn a_slip_in_a_recovery_code_is_told() {
    let text = code().to_text().replace('-', "");
    let mut undetected = 0;
    for at in 0..text.len() {
        for symbol in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars().filter(|symbol| !text[at..].starts_with(*symbol)) {
            let wrong = format!("{}{symbol}{}", &text[..at], &text[at + 1..]);
            match RecoveryCode::parse(&wrong) {
                Err(error) => assert_eq!(error, UnlockError::CodeMistyped),
                Ok(other) => {
                    assert_ne!(other, code());
                    undetected += 1;
                }
            }
        }
    }
    assert!(undetected <= 3, "12 bits let one in 4,096 pass: {undetected} of 868");
    assert_eq!(RecoveryCode::parse(&text[1..]), Err(UnlockError::CodeLength));
    assert_eq!(RecoveryCode::parse(&format!("{text}0")), Err(UnlockError::CodeLength));
    assert_eq!(RecoveryCode::parse(""), Err(UnlockError::CodeLength));
    assert_eq!(RecoveryCode::parse(&"-".repeat(1_000_000)), Err(UnlockError::CodeLength));
    for character in ['U', 'u', '!', 'é', 'О'] {
        assert_eq!(RecoveryCode::parse(&text.replacen(&text[..1], &character.to_string(), 1)), Err(UnlockError::CodeCharacter));
    }
}

#[test]
fn passphrases_and_credentials_have_bounds() {
    assert_eq!(Passphrase::new("ninechars".into()).unwrap_err(), UnlockError::TooShort);
    assert!(Passphrase::new("десять зна".into()).is_ok(), "characters count, not bytes");
    assert!(Passphrase::new("x".repeat(MAX_PASSPHRASE_BYTES)).is_ok());
    assert_eq!(Passphrase::new("x".repeat(MAX_PASSPHRASE_BYTES + 1)).unwrap_err(), UnlockError::TooLong);
    let longest = Passkey::new(vec![1; MAX_CREDENTIAL_BYTES]).unwrap();
    let prf = PrfOutput::new([1; 32]);
    let unlocker = Unlocker::new(&master(), ANN, Way::Passkey(longest), Secret::Passkey(&prf)).unwrap();
    assert_eq!(unlocker.to_bytes().len(), MAX_UNLOCKER_BYTES);
    assert_eq!(Unlocker::from_bytes(&unlocker.to_bytes()), Ok(unlocker));
    assert_eq!(Passkey::new(vec![1; MAX_CREDENTIAL_BYTES + 1]), Err(UnlockError::TooLong));
    assert_eq!(Passkey::new(Vec::new()), Err(UnlockError::Malformed));
}

#[test]
fn t25_no_secret_is_shown() {
    let secrets = format!("{:?} {:?} {:?} {:?}", code(), passphrase("correct horse"), PrfOutput::new([213; 32]), master());
    assert_eq!(secrets, "RecoveryCode(secret) Passphrase(secret) PrfOutput(secret) MasterKey(secret)");
}
