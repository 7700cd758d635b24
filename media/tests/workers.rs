//! Several workers: where rooms go, what is refused, and how far a crash reaches.

mod independent;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use independent::{Call, Manner, Participant, address_of, converse, local_config, soon};
use webcall_media::{Media, MediaConfig, MediaError, MediaEvent, Offer, ParticipantId, RoomId, Source, StartError};

const IPV4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn workers(workers: usize) -> MediaConfig {
    MediaConfig { workers, ..local_config(IPV4) }
}

/// Joins and negotiates without a word over the wire; the port that the answer names.
async fn port_given(media: &Media, room: RoomId, id: u64) -> u16 {
    media.join(room, ParticipantId(id)).expect("there is room");
    let mut participant = Participant::new(ParticipantId(id), Manner::FIRST, IPV4).await;
    participant.negotiate(media, 1).await.expect("an answer");
    address_of(&participant.answer).port()
}

#[tokio::test]
async fn rooms_are_spread_over_workers_and_each_room_stays_on_one() {
    let call = Call::start(&workers(3));
    let ports: HashSet<u16> = call.media.ports().into_iter().collect();
    assert_eq!(ports.len(), 3, "each worker has a port of its own");
    assert!(!ports.contains(&0));
    let mut of_room = HashMap::new();
    for room in 1..=3 {
        of_room.insert(room, port_given(&call.media, RoomId(room.into()), room).await);
    }
    assert_eq!(of_room.values().copied().collect::<HashSet<_>>(), ports, "an idle worker is taken first");
    for room in 1..=3 {
        assert_eq!(port_given(&call.media, RoomId(room.into()), 10 + room).await, of_room[&room]);
    }
    call.media.leave(ParticipantId(2));
    call.media.leave(ParticipantId(12));
    assert_eq!(port_given(&call.media, RoomId(4), 4).await, of_room[&2], "the worker whose room ended is the idle one");
}

#[tokio::test]
async fn who_asks_for_a_worker_is_put_on_it_and_not_on_one_that_is_not_there() {
    let call = Call::start(&workers(3));
    let ports = call.media.ports();
    for (worker, id) in [2, 0, 1, 2].into_iter().zip(1..) {
        call.media.join_on(worker, RoomId(1), ParticipantId(id)).expect("the worker is there");
        let mut participant = Participant::new(ParticipantId(id), Manner::FIRST, IPV4).await;
        participant.negotiate(&call.media, 1).await.expect("an answer");
        assert_eq!(address_of(&participant.answer).port(), ports[worker]);
    }
    let refused = call.media.join_on(3, RoomId(1), ParticipantId(9)).expect_err("there are three");
    assert_eq!((&refused, refused.code()), (&MediaError::UnknownWorker(3), "unknown_worker"));
    assert_eq!(call.media.set_wishes(ParticipantId(9), Vec::new()), Err(MediaError::UnknownParticipant(ParticipantId(9))));
}

#[tokio::test]
async fn a_call_that_outgrows_a_worker_goes_on_over_the_others() {
    let mut call = Call::start(&MediaConfig { participants_per_worker: 1, ..workers(2) });
    let room = RoomId(1);
    let [mut anna, mut boris] = call.pair(room, [1, 2]).await;
    assert_ne!(address_of(&anna.answer).port(), address_of(&boris.answer).port(), "each on a worker of its own");
    converse(&mut anna, &mut boris, 1).await;
    assert!(call.count("batches_handed_over", "") > 0);

    call.media.crash_worker_of(boris.id).expect("the worker is there");
    let lost = call.event("lost", |event| matches!(event, MediaEvent::Lost { .. }).then(|| event.clone())).await;
    assert_eq!(lost, MediaEvent::Lost { participant: boris.id }, "the other part of the call goes on");
    call.media.leave(boris.id);
    let clara = ParticipantId(3);
    assert_eq!(port_given(&call.media, room, clara.0).await, address_of(&boris.answer).port());
}

#[tokio::test]
async fn a_full_call_takes_nobody_until_somebody_leaves() {
    let call = Call::start(&MediaConfig { max_participants: 2, ..workers(1) });
    let [one, other, third] = [1, 2, 3].map(ParticipantId);
    let room = RoomId(1);
    call.media.join(room, one).expect("the first");
    call.media.join(room, other).expect("the second");
    let refused = call.media.join(room, third).expect_err("the third");
    assert_eq!((&refused, refused.code()), (&MediaError::RoomFull(room), "call_full"));
    call.media.join(RoomId(2), third).expect("another room is another call");
    call.media.leave(third);
    call.media.leave(one);
    call.media.join(room, third).expect("a place is free");
}

#[tokio::test]
async fn a_participant_is_in_one_call_at_a_time() {
    let call = Call::start(&workers(2));
    let one = ParticipantId(1);
    call.media.join(RoomId(1), one).expect("the first");
    for room in [1, 2] {
        let refused = call.media.join(RoomId(room), one).expect_err("a second time");
        assert_eq!((&refused, refused.code()), (&MediaError::AlreadyJoined(one), "already_in_call"));
    }
    call.media.leave(one);
    call.media.leave(one);
    call.media.join(RoomId(2), one).expect("after leaving");
}

#[tokio::test]
async fn requests_of_somebody_who_is_in_no_call_are_refused() {
    let call = Call::start(&workers(2));
    let stranger = ParticipantId(1);
    let unknown = MediaError::UnknownParticipant(stranger);
    let offer = Offer { sdp: String::new(), tracks: Vec::new(), seats: Vec::new() };
    assert_eq!(call.media.negotiate(stranger, offer).await, Err(unknown.clone()));
    assert_eq!(call.media.set_wishes(stranger, Vec::new()), Err(unknown.clone()));
    assert_eq!(call.media.set_muted(stranger, Source::Camera, true), Err(unknown.clone()));
    assert_eq!(call.media.set_forbidden(stranger, Source::Camera, true), Err(unknown.clone()));
    assert_eq!(call.media.crash_worker_of(stranger), Err(unknown.clone()));
    call.media.leave(stranger);
    assert_eq!(unknown.code(), "not_in_call");
}

#[tokio::test]
async fn a_worker_that_cannot_keep_up_says_so_takes_leaves_and_recovers() {
    let call = Call::start(&MediaConfig { max_participants: usize::MAX, ..workers(1) });
    let [busy, leaving] = [1, 2].map(ParticipantId);
    call.media.join(RoomId(1), busy).expect("there is room");
    call.media.join(RoomId(1), leaving).expect("there is room");
    let participant = Participant::new(busy, Manner::FIRST, IPV4).await;
    let offer = participant.with(|driver| {
        driver.connection.add_seats(20);
        driver.connection.offer(Instant::now())
    });
    let offer = offer.await;
    let Filled { answers, joined, refused } = fill_queue(&call.media, busy, &offer);
    call.media.leave(leaving);
    for answer in answers {
        soon("each request that was taken is answered", answer).await.expect("an answer");
    }
    assert_eq!(call.media.negotiate(leaving, offer.clone()).await, Err(MediaError::UnknownParticipant(leaving)));
    call.media.join(RoomId(1), refused).expect("what was refused was not half done");
    soon("the worker recovered", call.media.negotiate(refused, offer)).await.expect("an answer");
    assert_eq!(call.count("participants", ""), joined + 2, "neither a join nor the leave was lost");
}

/// Joins that were taken before the queue was filled, and may wait in it yet.
const BEFORE: u64 = 2;

/// A queue that was full a moment ago.
struct Filled<'a> {
    answers: Vec<Answer<'a>>,
    joined: u64,
    /// Whose join was refused.
    refused: ParticipantId,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, MediaError>> + Send + 'a>>;

/// Lets others join until one is refused. Offers among the joins keep the worker busy; the last one is in the full queue, so that the
/// queue was emptied once all are answered.
fn fill_queue<'a>(media: &'a Media, busy: ParticipantId, offer: &Offer) -> Filled<'a> {
    let mut answers: Vec<Answer<'a>> = Vec::new();
    for joined in 0..1_000_000 {
        if joined % 500 == 0 {
            let mut answer: Answer<'a> = Box::pin(media.negotiate(busy, offer.clone()));
            match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => answers.push(answer),
                // Answered already, or refused as the join will be.
                Poll::Ready(result) => assert!(matches!(result, Ok(_) | Err(MediaError::Busy))),
            }
        }
        let other = ParticipantId(1000 + joined);
        match media.join(RoomId(2), other) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!((&error, error.code()), (&MediaError::Busy, "media_busy"));
                assert!(BEFORE + joined + answers.len() as u64 >= 1024, "{joined} joins were taken");
                return Filled { answers, joined, refused: other };
            }
        }
    }
    panic!("the queue has no bound");
}

#[tokio::test]
async fn a_crash_is_told_to_those_it_hit_and_nobody_else_notices() {
    let mut call = Call::start(&workers(2));
    let (hit, spared) = (RoomId(1), RoomId(2));
    let [mut anna, mut boris] = call.pair(hit, [1, 2]).await;
    let [mut clara, mut dora] = call.pair(spared, [3, 4]).await;
    let ports = [&anna, &clara].map(|participant| address_of(&participant.answer).port());
    assert_ne!(ports[0], ports[1]);
    converse(&mut anna, &mut boris, 1).await;
    converse(&mut clara, &mut dora, 1).await;
    let _ = call.unawaited();

    call.media.crash_worker_of(anna.id).expect("the worker is there");
    let mut lost = HashSet::new();
    while lost.len() < 2 {
        let next = call.event("lost", |event| match event {
            MediaEvent::Lost { participant } => Some(*participant),
            _ => None,
        });
        lost.insert(next.await);
        converse(&mut clara, &mut dora, 2 + lost.len() as u16).await;
    }
    assert_eq!(lost, HashSet::from([anna.id, boris.id]));
    assert_eq!(call.count("worker_crashes", ""), 1);

    // They come back with connections of their own and are answered on the port that they were on.
    for participant in [&anna, &boris] {
        call.media.leave(participant.id);
    }
    let [mut anna, mut boris] = call.pair(hit, [1, 2]).await;
    assert_eq!(address_of(&anna.answer).port(), ports[0], "the worker goes on, on the same port");
    converse(&mut anna, &mut boris, 1).await;
    converse(&mut clara, &mut dora, 10).await;
    let about_the_spared = call.unawaited().into_iter().filter(|event| {
        let about = |id: &ParticipantId| [clara.id, dora.id].contains(id);
        match event {
            MediaEvent::Lost { participant } | MediaEvent::Disconnected { participant } => about(participant),
            MediaEvent::Seats { participant, .. } | MediaEvent::Renegotiate { participant } => about(participant),
            MediaEvent::Connected { participant } | MediaEvent::LeftOut { participant, .. } => about(participant),
            MediaEvent::Speakers { room, .. } => *room == spared,
        }
    });
    assert_eq!(about_the_spared.collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn whoever_joins_while_the_worker_crashes_is_in_the_call_all_the_same() {
    let mut call = Call::start(&workers(1));
    let room = RoomId(1);
    let first = ParticipantId(1);
    call.media.join(room, first).expect("there is room");
    call.media.crash_worker_of(first).expect("the worker is there");
    let [mut anna, mut boris] = call.pair(room, [2, 3]).await;
    converse(&mut anna, &mut boris, 1).await;
    let lost = call.event("lost", |event| matches!(event, MediaEvent::Lost { .. }).then(|| event.clone())).await;
    assert_eq!(lost, MediaEvent::Lost { participant: first });
}

#[tokio::test]
async fn a_worker_that_has_to_stop_does_so_even_right_after_a_crash() {
    let call = Call::start(&workers(1));
    let one = ParticipantId(1);
    call.media.join(RoomId(1), one).expect("there is room");
    for _ in 0..3 {
        call.media.crash_worker_of(one).expect("the worker is there");
    }
    let port = call.media.ports()[0];
    call.stop().await;
    UdpSocket::bind(("::", port)).expect("the port is free");
}

#[tokio::test]
async fn the_workers_stop_and_free_their_ports_with_the_last_handle() {
    let call = Call::start(&workers(2));
    let ports = call.media.ports();
    let last = call.media.clone();
    let again = || Media::start(&MediaConfig { udp_port: ports[0], ..workers(1) });
    drop(last);
    assert!(again().is_err(), "a clone was dropped, and the others go on");
    call.stop().await;
    for port in &ports {
        drop(UdpSocket::bind(("::", *port)).expect("the port is free"));
    }
    again().expect("another media core can have it");
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_the_others_are_given_back() {
    let is_free = |port: &u16| UdpSocket::bind(("::", *port)).is_ok() && UdpSocket::bind(("::", *port + 1)).is_ok();
    // Below the ports that systems give out by themselves, so that no other test takes them meanwhile.
    let first = (21_000..30_000).step_by(2).find(is_free).expect("two ports in a row");
    let taken = UdpSocket::bind(("::", first + 1)).expect("it is free");
    let Err(error) = Media::start(&MediaConfig { udp_port: first, ..workers(2) }) else { panic!("the second port is taken") };
    let StartError::Bind { port, .. } = &error else { panic!("another error: {error}") };
    assert_eq!(*port, first + 1);
    assert!(error.to_string().contains(&(first + 1).to_string()), "{error}");
    UdpSocket::bind(("::", first)).expect("the first port is not held");
    drop(taken);
    let (media, _events) = Media::start(&MediaConfig { udp_port: first, ..workers(2) }).expect("both are free now");
    assert_eq!(media.ports(), [first, first + 1]);
}
