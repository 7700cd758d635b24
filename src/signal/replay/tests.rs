use super::*;

fn ok(id: u32) -> ServerMessage {
    ServerMessage::Ok { id }
}

fn away(bytes: usize) -> Encoded {
    Encoded::of(&ServerMessage::RoomChanged { room: "x".repeat(bytes) })
}

fn after(replay: &Replay, seen: u64) -> Option<Vec<String>> {
    replay.after(seen).map(|frames| frames.iter().map(|frame| frame.text.to_string()).collect())
}

fn numbers(replay: &Replay, seen: u64) -> Vec<u64> {
    replay.after(seen).unwrap().iter().map(|frame| frame.seq).collect()
}

#[test]
fn messages_are_numbered_from_one() {
    let mut replay = Replay::default();
    assert_eq!(replay.push(ok(7)).text.as_str(), r#"{"seq":1,"type":"ok","id":7}"#);
    assert_eq!(replay.push(ok(8)).text.as_str(), r#"{"seq":2,"type":"ok","id":8}"#);
}

#[test]
fn a_message_encoded_once_reads_like_one_of_the_connection_s_own() {
    let (mut own, mut shared) = (Replay::default(), Replay::default());
    assert_eq!(own.push(ok(7)).text, shared.push_encoded(&Encoded::of(&ok(7))).text);
    assert_eq!(own.push(ok(8)).text, shared.push_encoded(&Encoded::of(&ok(8))).text);
}

#[test]
fn exactly_what_was_missed_is_replayed_in_order() {
    let mut replay = Replay::default();
    replay.push(ok(1));
    replay.push_encoded(&away(1));
    replay.push(ok(3));
    assert_eq!(after(&replay, 3), Some(vec![]));
    assert_eq!(after(&replay, 2), Some(vec![r#"{"seq":3,"type":"ok","id":3}"#.to_owned()]));
    assert_eq!(numbers(&replay, 0), [1, 2, 3]);
}

#[test]
fn a_number_that_was_never_sent_cannot_be_continued() {
    let mut replay = Replay::default();
    replay.push(ok(1));
    assert_eq!(after(&replay, 2), None);
    assert_eq!(after(&replay, u64::MAX), None);
}

#[test]
fn what_arrived_is_no_longer_kept_and_the_rest_is_still_replayed() {
    let mut replay = Replay::default();
    for id in 1..=4 {
        replay.push(ok(id));
    }
    replay.confirm(2);
    assert_eq!(after(&replay, 1), None);
    assert_eq!(numbers(&replay, 2), [3, 4]);
    replay.confirm(u64::MAX);
    assert_eq!(after(&replay, 4), Some(vec![]), "numbers that were never sent confirm what was");
    assert_eq!(replay.call.bytes, 0);
    assert_eq!(replay.push(ok(9)).seq, 5);
    assert_eq!(numbers(&replay, 4), [5]);
}

#[test]
fn who_missed_more_messages_of_a_call_than_are_kept_cannot_resume() {
    let mut replay = Replay::default();
    for _ in 0..=MAX_CALL_MESSAGES {
        replay.push(ok(1));
    }
    assert_eq!(after(&replay, 0), None);
    assert_eq!(after(&replay, 1).unwrap().len(), MAX_CALL_MESSAGES);
}

#[test]
fn chat_pushes_no_message_of_a_call_out_and_a_resync_takes_the_place_of_what_was_given_up() {
    let mut replay = Replay::default();
    replay.push(ok(1));
    for _ in 0..MAX_CHAT_MESSAGES + 2 {
        replay.push_encoded(&away(1));
    }
    replay.push(ok(2));
    // Of 2 to 259 the first two were given up.
    let all = after(&replay, 0).unwrap();
    assert_eq!(all[..2], [r#"{"seq":1,"type":"ok","id":1}"#, r#"{"seq":3,"type":"resync"}"#]);
    let expected: Vec<u64> = [1, 3].into_iter().chain(4..=MAX_CHAT_MESSAGES as u64 + 4).collect();
    assert_eq!(numbers(&replay, 0), expected);
    assert_eq!(numbers(&replay, 2)[0], 3, "some of it was given up");
    assert_eq!(after(&replay, 3).unwrap().len(), MAX_CHAT_MESSAGES + 1, "nothing that was missed was given up");
    assert!(!after(&replay, 3).unwrap().iter().any(|text| text.contains("resync")));
}

#[test]
fn no_more_bytes_are_kept_than_allowed_but_always_the_newest_message() {
    let mut replay = Replay::default();
    let answer = |bytes| ServerMessage::Answer { id: 1, sdp: "x".repeat(bytes) };
    for _ in 0..10 {
        replay.push(answer(200_000));
        replay.push_encoded(&away(60_000));
        for kept in [&replay.call, &replay.chat] {
            assert!(kept.bytes <= kept.max_bytes);
            assert_eq!(kept.bytes, kept.frames.iter().map(|frame| frame.text.len()).sum::<usize>());
        }
    }
    assert_eq!((replay.call.frames.len(), replay.chat.frames.len()), (5, 4));
    replay.push(answer(2 * MAX_CALL_BYTES));
    assert_eq!(replay.call.frames.len(), 1);
}
