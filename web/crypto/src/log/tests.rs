//! Logs of a test: an honest one, one that parts from it at some place, and what a device makes of either.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use webcall_trust::{Node, PublicKey, consistency_path, inclusion_of_all, nodes_of_append, root};

use super::*;

/// Records that are numbers; from `parts_at` on those of another world.
struct Server {
    nodes: BTreeMap<Node, Hash>,
    parts_at: u64,
    key: SigningKey,
}

impl Server {
    fn new(parts_at: u64, key: u8) -> Self {
        let (mut server, mut nodes) =
            (Self { nodes: BTreeMap::new(), parts_at, key: SigningKey::from_bytes(&[key; 32]) }, BTreeMap::new());
        for at in 0..40 {
            let complete = nodes_of_append(at, leaf_hash(&server.record(at)), |node| nodes[&node]);
            nodes.extend(complete);
        }
        server.nodes = nodes;
        server
    }

    fn record(&self, at: u64) -> Vec<u8> {
        [at.to_be_bytes().as_slice(), &[u8::from(at >= self.parts_at)]].concat()
    }

    fn head(&self, size: u64) -> Head {
        Head { size, root: root(size, &mut |node| self.nodes[&node]) }
    }

    fn signed(&self, size: u64) -> Signed<TreeHead> {
        let log = PublicKey(self.key.verifying_key().to_bytes());
        Signed::sign(TreeHead { log, size, root: self.head(size).root, at_ms: size }, &self.key)
    }

    fn path(&self, from: u64, to: u64) -> Vec<Hash> {
        consistency_path(from, to, &mut |node| self.nodes[&node]).unwrap_or_default()
    }

    fn inclusion(&self, leaves: &[u64], size: u64) -> Inclusion {
        let path = inclusion_of_all(leaves, size, &mut |node| self.nodes[&node]).unwrap();
        Inclusion { size, leaves: leaves.to_vec(), path }
    }
}

fn is_contradicted(view: &LogView) -> bool {
    view.is_contradicted_among(|_| true)
}

fn honest() -> Server {
    Server::new(u64::MAX, 1)
}

/// A device that has seen the honest log at this size.
fn device(size: u64) -> LogView {
    let mut view = LogView::default();
    assert_eq!(view.take(&honest().signed(size), 0, &[]), Ok(true));
    view
}

const ANN: (UserId, DeviceId) = (UserId([1; 16]), DeviceId([2; 16]));

fn why(view: &LogView) -> Vec<Why> {
    view.alarms().iter().map(|alarm| alarm.why).collect()
}

#[test]
fn a_log_that_only_grows_is_followed_and_one_that_was_rewritten_is_not() {
    let server = honest();
    for (from, to) in [(1, 1), (1, 2), (7, 40), (8, 40), (32, 33)] {
        let mut view = device(from);
        assert_eq!(view.take(&server.signed(to), from, &server.path(from, to)), Ok(true));
        assert_eq!((view.head(), is_contradicted(&view)), (server.head(to), false));
        for parts_at in 0..from {
            let (mut view, other) = (device(from), Server::new(parts_at, 1));
            assert_eq!(view.take(&other.signed(to), from, &other.path(from, to)), Ok(false), "{parts_at} of {from} to {to}");
            assert_eq!((view.head(), why(&view)), (server.head(from), vec![Why::NotConsistent]));
        }
    }
}

#[test]
fn t4_a_log_that_shrinks_or_is_not_proven_is_a_contradiction_and_the_longest_stays() {
    let server = honest();
    for to in [0, 1, 19, 21, 40] {
        let mut view = device(20);
        assert_eq!(view.take(&server.signed(to), 20, &[]), Ok(false), "no proof to {to}");
        assert_eq!((view.head(), why(&view)), (server.head(20), vec![Why::NotConsistent]));
    }
    let mut view = device(20);
    assert_eq!(view.take(&server.signed(19), 20, &server.path(19, 20)), Ok(true), "an answer that was overtaken");
    assert_eq!((view.head(), is_contradicted(&view)), (server.head(20), false));
}

#[test]
fn t4_another_key_of_the_log_is_a_contradiction_even_over_the_same_records() {
    let (server, other) = (honest(), Server::new(u64::MAX, 2));
    let mut view = device(20);
    assert_eq!(view.take(&other.signed(21), 20, &server.path(20, 21)), Ok(false));
    assert_eq!(why(&view), [Why::OtherLog]);
    let mut view = device(20);
    assert_eq!(view.take(&server.signed(21), 20, &server.path(20, 21)), Ok(true));
}

#[test]
fn a_proof_from_another_head_than_the_newest_is_to_be_asked_for_again() {
    let server = honest();
    let mut view = device(20);
    for from in [0, 19, 21] {
        assert_eq!(view.take(&server.signed(30), from, &server.path(20, 30)), Err(Fault::OldProof));
    }
    assert_eq!(view.take(&server.signed(30), 20, &server.path(20, 30)), Ok(true));
}

#[test]
fn heads_of_the_same_log_are_known_however_far_apart() {
    let server = honest();
    let mut view = device(20);
    assert_eq!(view.hear(ANN, Head { size: 0, root: [0; 32] }, None), Ok(Heard::Known), "it says nothing");
    assert_eq!(view.hear(ANN, server.head(20), None), Ok(Heard::Known));
    assert_eq!(view.hear(ANN, server.head(7), None), Ok(Heard::Unknown));
    let path = server.path(7, 20);
    assert_eq!(view.hear(ANN, server.head(7), Some(Explained { to: 20, path: &path })), Ok(Heard::Known));
    assert_eq!(view.hear(ANN, server.head(7), None), Ok(Heard::Known), "and is not asked about again");
    assert_eq!(view.hear(ANN, server.head(30), None), Ok(Heard::Ahead));
    view.take(&server.signed(40), 20, &server.path(20, 40)).unwrap();
    assert_eq!(view.hear(ANN, server.head(20), None), Ok(Heard::Known), "it was the newest once");
    let path = server.path(30, 40);
    assert_eq!(view.hear(ANN, server.head(30), Some(Explained { to: 40, path: &path })), Ok(Heard::Known));
    assert!(!is_contradicted(&view));
}

#[test]
fn t4_a_head_of_another_log_is_a_split_view_that_names_whose_device_said_so() {
    let server = honest();
    let split = Why::SplitView { user: ANN.0, device: ANN.1 };
    for size in [1, 7, 16, 20, 30] {
        let other = Server::new(size - 1, 1);
        for lying_proof in [&server, &other] {
            let mut view = device(20);
            let path = lying_proof.path(size, 20);
            let heard = view.hear(ANN, other.head(size), Some(Explained { to: 20, path: &path }));
            assert_eq!((heard, why(&view)), (Ok(Heard::Split), vec![split]), "{size}");
            assert_eq!((view.alarms()[0].said, view.alarms()[0].here), (other.head(size), server.head(20)));
        }
    }
    let mut view = device(20);
    assert_eq!(
        view.hear(ANN, server.head(30), Some(Explained { to: 20, path: &[] })),
        Ok(Heard::Split),
        "the server has no more"
    );
    let mut view = device(20);
    assert_eq!(view.hear(ANN, Server::new(3, 1).head(20), None), Ok(Heard::Split), "the same size needs no proof");
}

#[test]
fn a_proof_to_a_head_that_is_not_known_proves_and_contradicts_nothing() {
    let server = honest();
    let mut view = device(20);
    for (said, to) in [(7, 19), (7, 21), (30, 19), (30, 40), (7, 7)] {
        let path = server.path(7, 20);
        assert_eq!(view.hear(ANN, server.head(said), Some(Explained { to, path: &path })), Err(Fault::OldProof), "{said} {to}");
    }
    assert!(!is_contradicted(&view));
}

#[test]
fn who_goes_on_regardless_is_not_asked_again_about_the_same_user_but_about_the_next() {
    let other = Server::new(3, 1);
    let mut view = device(20);
    assert_eq!(view.hear(ANN, other.head(20), None), Ok(Heard::Split));
    assert!(is_contradicted(&view));
    view = LogView::from_bytes(&view.to_bytes()).unwrap();
    assert!(is_contradicted(&view), "after a reload too");
    let among = |user: u8| view.is_contradicted_among(|of| of == UserId([user; 16]));
    assert!((0..=255).filter(|user| among(*user)).count() == 1, "of whoever contradicts it, and of nobody else");
    view.accept();
    assert_eq!((is_contradicted(&view), view.alarms().len(), view.head().size), (false, 1, 20));
    assert_eq!(view.hear((ANN.0, DeviceId([3; 16])), other.head(20), None), Ok(Heard::Split));
    assert!(!is_contradicted(&view));
    view.hear((UserId([9; 16]), DeviceId([3; 16])), other.head(20), None).unwrap();
    assert!(is_contradicted(&view));
}

#[test]
fn who_goes_on_with_a_server_that_lost_its_log_begins_with_what_it_has_now() {
    let other = Server::new(3, 2);
    let mut view = device(20);
    view.take(&other.signed(9), 20, &[]).unwrap();
    assert_eq!(view.hear(ANN, other.head(9), None), Ok(Heard::Later), "while the server contradicts itself nobody else is named");
    view.accept();
    assert_eq!((is_contradicted(&view), view.alarms().len(), view.head().size), (false, 0, 0));
    assert_eq!(view.take(&other.signed(9), 0, &[]), Ok(true));
    assert_eq!(view.hear(ANN, other.head(9), None), Ok(Heard::Known));
}

#[test]
fn t3_records_count_only_when_all_of_them_are_proven_to_be_in_a_log_that_is_known() {
    let (server, view) = (honest(), device(20));
    let records: Vec<_> = [3, 4, 19].map(|at| server.record(at)).to_vec();
    let proof = server.inclusion(&[3, 4, 19], 20);
    assert_eq!(view.check(&records, Some(&proof)), Ok(()));
    assert_eq!(view.check(&records, None), Err(Fault::NotLogged), "withheld");
    assert_eq!(view.check(&records[..2], Some(&proof)), Err(Fault::NotLogged));
    let swapped = [records[0].clone(), b"swapped".to_vec(), records[2].clone()];
    assert_eq!(view.check(&swapped, Some(&proof)), Err(Fault::NotLogged));
    let more = [&records[..], &[b"one more".to_vec()]].concat();
    assert_eq!(view.check(&more, Some(&proof)), Err(Fault::NotLogged));
    let elsewhere = Inclusion { leaves: vec![3, 5, 19], ..proof.clone() };
    assert_eq!(view.check(&records, Some(&elsewhere)), Err(Fault::NotLogged));
    let long = Inclusion { path: vec![[0; 32]; MAX_PATH + 1], ..proof };
    assert_eq!(view.check(&records, Some(&long)), Err(Fault::NotLogged));
    assert_eq!(
        view.check(&records, Some(&server.inclusion(&[3, 4, 19], 21))),
        Err(Fault::OldProof),
        "of a head that is not known"
    );
    let other = Server::new(4, 1);
    let records: Vec<_> = [3, 4, 19].map(|at| other.record(at)).to_vec();
    assert_eq!(view.check(&records, Some(&other.inclusion(&[3, 4, 19], 20))), Err(Fault::NotLogged), "in another log");
}

#[test]
fn what_is_remembered_is_bounded_and_survives_as_it_was() {
    let server = honest();
    let mut view = device(40);
    for size in 1..40 {
        let path = server.path(size, 40);
        view.hear(ANN, server.head(size), Some(Explained { to: 40, path: &path })).unwrap();
    }
    view.known.resize(MAX_KNOWN, Head { size: 99, root: [9; 32] });
    view.remember(Head { size: 98, root: [8; 32] });
    assert_eq!(view.known.len(), MAX_KNOWN);
    for user in 0..100 {
        view.hear((UserId([user; 16]), ANN.1), Server::new(3, 1).head(40), None).unwrap();
    }
    assert_eq!(view.alarms().len(), MAX_ALARMS);
    let bytes = view.to_bytes();
    let again = LogView::from_bytes(&bytes).unwrap();
    assert_eq!((again.head(), again.alarms()), (view.head(), view.alarms()));
    assert_eq!(again.known, view.known);
    let later = [&[VERSION + 1], &bytes[1..]].concat();
    assert_eq!(LogView::from_bytes(&later).unwrap_err(), Fault::UnknownVersion);
    assert_eq!(LogView::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err(), Fault::DamagedState);
}

#[test]
fn t4_behind_so_many_strangers_that_no_more_is_written_down_anybody_may_contradict() {
    let mut view = device(20);
    let here = |view: &LogView, user: u8| view.is_contradicted_among(|of| of == UserId([user; 16]));
    let other = Server::new(0, 1);
    let say = |view: &mut LogView, user: u8| {
        let way = Explained { to: 20, path: &[] };
        view.hear((UserId([user; 16]), DeviceId([user; 16])), other.head(9), Some(way)).unwrap()
    };
    for stranger in 1..MAX_ALARMS as u8 {
        assert_eq!(say(&mut view, stranger), Heard::Split);
    }
    assert!(!here(&view, 200));
    say(&mut view, 100);
    say(&mut view, 200);
    assert!(here(&view, 200) && here(&view, 201));
    view.accept();
    assert!(!here(&view, 200));
    say(&mut view, 200);
    assert!(here(&view, 200) && !here(&view, 201), "what the person went on with gives way");
}
