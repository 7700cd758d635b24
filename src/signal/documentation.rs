//! Holds `PROTOCOL.md` to what is spoken: every example on the page is a message, every message has an example or a row, and every code is
//! explained. Exists in tests only.

use std::collections::BTreeSet;

use webcall_media::{MediaError, ParticipantId, RoomId};

use super::outgoing::CloseCode;
use super::protocol::{ClientFrame, ServerFrame};
use super::refusal::Refusal;
use crate::calls::CallError;
use crate::error::Error;

const PAGE: &str = include_str!("PROTOCOL.md");
const DECLARATIONS: &str = include_str!("../../web/protocol.d.ts");

fn examples(arrow: &str) -> impl Iterator<Item = &'static str> {
    PAGE.lines().filter_map(move |line| line.strip_prefix(arrow))
}

#[test]
fn every_example_is_a_message_as_it_is_spoken() {
    for example in examples("-> ") {
        let frame: ClientFrame = serde_json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        let spoken = serde_json::to_value(&frame).unwrap();
        assert_eq!(spoken, serde_json::from_str::<serde_json::Value>(example).unwrap());
    }
    for example in examples("<- ") {
        let frame: ServerFrame = serde_json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert_eq!(serde_json::to_string(&frame).unwrap(), example);
    }
}

#[test]
fn every_message_has_an_example() {
    let types: BTreeSet<_> = DECLARATIONS.lines().filter_map(|line| line.trim().strip_prefix("type: ")).collect();
    assert!(types.len() > 20, "{types:?}");
    for name in types {
        let name = name.trim_end_matches(';');
        let is_shown = examples("-> ").chain(examples("<- ")).any(|example| example.contains(&format!("\"type\":{name}")));
        assert!(is_shown, "{name} has no example");
    }
}

#[test]
fn every_error_code_is_explained() {
    let participant = ParticipantId(1);
    let media = [
        MediaError::UnknownParticipant(participant),
        MediaError::AlreadyJoined(participant),
        MediaError::RoomFull(RoomId(1)),
        MediaError::BadOffer(""),
        MediaError::OfferMismatch(""),
        MediaError::TooManyTracks,
        MediaError::Busy,
    ];
    let calls = [
        CallError::NotInCall,
        CallError::UnknownParticipant,
        CallError::Full,
        CallError::TooManyWindows,
        CallError::MutedByModerator,
        CallError::NotAllowed,
        CallError::RateLimited,
    ];
    let refusals = [
        Refusal::Malformed(String::new()),
        Refusal::Binary,
        Refusal::TooManyMessages,
        Refusal::HelloExpected,
        Refusal::AlreadyGreeted,
        Refusal::VersionUnsupported,
        Refusal::TooManyConnections,
        Refusal::AlreadyInCall,
        Refusal::OfferPending,
        Refusal::Cancelled,
        Refusal::TooManyTracks,
        Refusal::TooManyWishes,
        Refusal::SdpTooLarge,
        Refusal::BadMid,
        Refusal::NotWatching,
        Refusal::NoEmoji,
        Refusal::from(&Error::RoomNotFound),
        Refusal::from(&Error::Busy),
        Refusal::from(&Error::MessageIdTaken),
        Refusal::from(&Error::MessageNotFound),
        Refusal::from(&Error::TooManyPins),
        Refusal::from(&Error::FileNotFound),
        Refusal::from(&Error::RoomLocked),
        Refusal::from(&Error::ChatMuted),
        Refusal::from(&Error::SlowMode { retry_after_s: 1 }),
        Refusal::from(&Error::RateLimited { retry_after_s: 1 }),
        Refusal::from(&Error::DiskFull),
        Refusal::from(&Error::Internal("".into())),
    ];
    let calls = calls.into_iter().chain(media.into_iter().map(CallError::from)).map(Refusal::from);
    for refusal in refusals.into_iter().chain(calls) {
        assert!(PAGE.contains(&format!("\n| `{}` |", refusal.code())), "{} is not explained", refusal.code());
    }
}

#[test]
fn every_close_code_is_explained() {
    for code in CloseCode::ALL {
        assert!(PAGE.contains(&format!("\n| {} |", code.0)), "{} is not explained", code.0);
    }
}
