//! Whose a test call is, how large it gets, and that it ends. On a real media core; offers that it answers are made by browsers.

use webcall_media::{MediaConfig, TrackOffer};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn test_calls() -> TestCalls {
    let config = MediaConfig { workers: 2, udp_port: 0, ..MediaConfig::default() };
    TestCalls::new(Media::start(&config).unwrap().0)
}

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

/// Whether the media core still knows somebody.
fn is_in_media(calls: &TestCalls, participant: ParticipantId) -> bool {
    calls.media.set_wishes(participant, Vec::new()).is_ok()
}

#[tokio::test]
async fn a_test_call_takes_twelve_and_only_of_its_own_user_and_lets_all_go_at_its_end() {
    let calls = test_calls();
    let (id, _over) = calls.begin(user(1), NOW).unwrap();
    let participants: Vec<_> = (0..MAX_PARTICIPANTS).map(|number| calls.admit(user(1), id, Some(number % 2)).unwrap()).collect();
    assert!(matches!(calls.admit(user(1), id, None), Err(Error::TestCallFull)));
    assert!(matches!(calls.admit(user(2), id, None), Err(Error::TestCallNotFound)));
    assert!(matches!(calls.end(user(2), id), Err(Error::TestCallNotFound)));
    assert!(participants.iter().all(|participant| is_in_media(&calls, *participant)));
    calls.end(user(1), id).unwrap();
    assert!(!participants.iter().any(|participant| is_in_media(&calls, *participant)));
    assert!(matches!(calls.end(user(1), id), Err(Error::TestCallNotFound)));
}

#[tokio::test]
async fn a_new_test_call_ends_the_user_s_earlier_one_and_the_server_has_sixteen_at_most() {
    let calls = test_calls();
    let (first, over) = calls.begin(user(0), NOW).unwrap();
    let participant = calls.admit(user(0), first, None).unwrap();
    let mut going_on = Vec::new();
    for number in 0..16 {
        going_on.push(calls.begin(user(number), NOW).unwrap());
    }
    over.await.expect_err("the earlier call is gone, and its sender with it");
    assert!(!is_in_media(&calls, participant));
    assert!(matches!(calls.begin(user(16), NOW), Err(Error::TooManyTestCalls)));
    assert!(calls.begin(user(3), NOW).is_ok(), "one's own is replaced");
    calls.end(user(0), going_on[0].0).unwrap();
    assert!(calls.begin(user(16), NOW).is_ok());
}

#[tokio::test]
async fn a_test_call_ends_by_time_and_with_the_server() {
    let calls = test_calls();
    let (stopped, stopping) = (Shutdown::default(), Shutdown::default());
    stopping.begin();
    for (life, shutdown) in [(Duration::ZERO, stopped), (LIFE, stopping)] {
        let (id, over) = calls.begin(user(1), NOW).unwrap();
        let participant = calls.admit(user(1), id, None).unwrap();
        calls.clone().last(id, over, life, shutdown).await;
        assert!(!is_in_media(&calls, participant));
        assert!(matches!(calls.admit(user(1), id, None), Err(Error::TestCallNotFound)));
    }
}

#[tokio::test]
async fn whose_offer_is_refused_takes_no_place() {
    let calls = test_calls();
    let (id, _over) = calls.begin(user(1), NOW).unwrap();
    let tracks = vec![TrackOffer { mid: "0".to_owned(), source: webcall_media::Source::Camera }];
    let offer = Offer { sdp: "v=0".to_owned(), tracks, seats: Vec::new() };
    for _ in 0..=MAX_PARTICIPANTS {
        let refused = calls.enter(user(1), id, None, offer.clone()).await.unwrap_err();
        assert_eq!(refused.code(), "bad_offer");
    }
    let refused = calls.enter(user(1), id, Some(2), offer).await.unwrap_err();
    assert_eq!(refused.code(), "unknown_worker");
    assert!(calls.lock()[&id].participants.is_empty());
}
