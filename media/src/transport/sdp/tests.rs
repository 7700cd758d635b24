use super::*;
use crate::api::Levels;
use crate::codec::Codec;
use crate::error::MediaError;

/// What Chromium 156 offers: a microphone, a camera with three layers, two seats.
const CHROMIUM: &str = include_str!("fixtures/chromium.sdp");

fn parse(sdp: &str) -> Result<ParsedOffer, MediaError> {
    ParsedOffer::parse(sdp)
}

#[test]
fn chromiums_offer_is_read_whole() {
    let offer = parse(CHROMIUM).expect("a browser's offer");
    let kinds: Vec<_> = offer.lines.iter().map(|line| (line.kind.expect("known"), line.sends, line.receives)).collect();
    use MediaKind::{Audio, Video};
    let seat = [(Audio, false, true), (Video, false, true)];
    assert_eq!(kinds, [&[(Audio, true, false), (Video, true, false)], &seat[..], &seat[..]].concat());
    let camera = offer.line("1").expect("the camera's line");
    let codecs: Vec<_> = camera.codecs.iter().map(|entry| entry.codec).collect();
    assert_eq!(codecs, [Codec::Vp8, Codec::H264, Codec::Av1, Codec::Vp9]);
    assert!(camera.codecs.iter().all(|entry| entry.rtx_payload_type.is_some()));
    assert_eq!(camera.rids, ["q", "h", "f"]);
    assert_eq!(camera.extensions.mid, Some(4));
    assert_eq!((camera.extensions.rid, camera.extensions.repaired_rid), (Some(10), Some(11)));
    let microphone = offer.line("0").expect("the microphone's line");
    assert_eq!(microphone.codecs.iter().map(|entry| entry.codec).collect::<Vec<_>>(), [Codec::Opus]);
    assert_eq!(microphone.ssrc, Some(662_157_685));
    assert_eq!(microphone.extensions.audio_level, Some(1));
}

#[test]
fn firefoxs_ways_are_understood() {
    let sdp = CHROMIUM
        .replace("profile-id=0", "max-fs=12288;max-fr=60")
        .replace("a=extmap:4 urn", "a=extmap:4/sendrecv urn")
        .replace("a=fingerprint:sha-256", "a=fingerprint:SHA-256");
    let offer = parse(&sdp).expect("still an offer");
    let camera = offer.line("1").expect("the camera's line");
    assert!(camera.codec_set().contains(Codec::Vp9), "without a profile, VP9 means profile 0");
    assert_eq!(camera.extensions.mid, Some(4));
}

#[test]
fn an_offer_without_what_a_session_needs_is_refused_and_says_what() {
    let without =
        |needle: &str| CHROMIUM.lines().filter(|l| !l.starts_with(needle)).map(|l| format!("{l}\r\n")).collect::<String>();
    for needle in ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=mid", "m="] {
        let refused = parse(&without(needle)).expect_err(needle);
        assert_eq!(refused.code(), "bad_offer", "{needle}: {refused}");
    }
    assert!(parse("").is_err() && parse("hello").is_err());
    let twice = CHROMIUM.replace("a=mid:1\r\n", "a=mid:0\r\n");
    assert_eq!(parse(&twice).expect_err("a mid twice"), MediaError::BadOffer("a mid stands twice"));
    let huge = CHROMIUM.to_owned() + &"a=x\r\n".repeat(50_000);
    assert_eq!(parse(&huge).expect_err("too large").code(), "bad_offer");
}

#[test]
fn an_answer_sends_one_codec_on_a_track_and_every_codec_to_a_seat() {
    let offer = parse(CHROMIUM).expect("a browser's offer");
    let chosen = offer.line("1").and_then(|line| line.codecs.iter().find(|entry| entry.codec == Codec::H264)).expect("H264");
    let lines = offer.answer_lines(|line| match line.mid.as_str() {
        "0" => LineAnswer::Track { codec: &line.codecs[0] },
        "1" => LineAnswer::Track { codec: chosen },
        "2" | "3" => LineAnswer::Seat { seat: 0, ids: OutgoingIds { ssrc: 1000, rtx_ssrc: 1001 } },
        _ => LineAnswer::Refused,
    });
    let parse = |text: &str| text.parse().expect("an address");
    let candidates =
        Candidates { udp: vec![parse("192.0.2.1:5000"), parse("[2001:db8::1]:5000")], tcp: vec![parse("192.0.2.1:443")] };
    let answer = Answer {
        version: 3,
        ufrag: "uuuu",
        pwd: "pwd",
        fingerprint: "sha-256 AA:BB",
        candidates: &candidates,
        levels: Levels::Told,
        lines,
    }
    .write();
    let sections: Vec<&str> = answer.split("m=").collect();
    assert_eq!(sections.len(), 7, "every line of the offer has its answer");
    assert!(sections[0].contains("a=group:BUNDLE 0 1 2 3\r\n") && sections[0].contains("a=ice-lite\r\n"));
    assert!(sections[1].contains("a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"));
    assert!(sections[1].contains("2001:db8::1 5000 typ host"));
    assert!(sections[1].contains("a=candidate:3 1 tcp 1520435199 192.0.2.1 443 typ host tcptype passive\r\n"));
    assert!(sections[0].contains("a=setup:passive\r\n") && sections[1].contains("a=setup:passive\r\n"));
    assert!(sections[2].contains("H264/90000") && !sections[2].contains("VP8"));
    assert!(sections[2].contains("a=simulcast:recv q;h;f") && sections[2].contains("transport-cc"));
    assert!(sections[4].contains("VP8") && sections[4].contains("AV1") && sections[4].contains("a=msid:seat0 v0"));
    assert!(sections[4].contains("a=ssrc-group:FID 1000 1001") && !sections[4].contains("transport-cc"));
    assert!(sections[5].starts_with("audio 0 ") && sections[6].starts_with("video 0 "));
}

/// The answer for a microphone and a seat.
fn spoken_answer(levels: Levels) -> String {
    let offer = parse(CHROMIUM).expect("a browser's offer");
    let lines = offer.answer_lines(|line| match line.mid.as_str() {
        "0" => LineAnswer::Track { codec: &line.codecs[0] },
        "2" => LineAnswer::Seat { seat: 0, ids: OutgoingIds { ssrc: 1000, rtx_ssrc: 1001 } },
        _ => LineAnswer::Refused,
    });
    let candidates = Candidates::default();
    Answer { version: 1, ufrag: "uuuu", pwd: "pwd", fingerprint: "sha-256 AA:BB", candidates: &candidates, levels, lines }.write()
}

#[test]
fn where_levels_are_hidden_an_answer_takes_none_and_asks_for_sound_of_constant_bitrate_without_pauses() {
    let told = spoken_answer(Levels::Told);
    assert!(told.contains("ssrc-audio-level") && !told.contains("cbr="), "{told}");
    let hidden = spoken_answer(Levels::Hidden);
    assert!(!hidden.contains("ssrc-audio-level"), "{hidden}");
    assert_eq!(hidden.matches("useinbandfec=1;cbr=1;usedtx=0\r\n").count(), 2, "alike in every line: {hidden}");
    assert!(hidden.contains("sdes:mid") && hidden.contains("transport-wide-cc"), "the others stay");
}

proptest::proptest! {
    #[test]
    fn no_mangled_offer_makes_parsing_panic(at in 0usize..10_000, len in 0usize..60, with in ".{0,20}") {
        let mut mangled = CHROMIUM.to_owned();
        let at = at.min(mangled.len());
        let end = (at + len).min(mangled.len());
        mangled.replace_range(at..end, &with);
        let _ = parse(&mangled);
    }
}
