//! One proof that several records are in the log: what a user published is shown at once, and the paths of records that stand near each other
//! have most hashes in common. The tree is that of [`crate::log`]; a subtree without any of the records is one hash of the path, left before
//! right, and all else follows from the records themselves.

use std::slice::Iter;

use crate::log::{node_hash, split, subtree};
use crate::{Hash, Node, Refusal};

/// For records at these places, ascending, of a log of `size`. `None`: no places, in another order, or behind the end.
pub fn inclusion_of_all(leaves: &[u64], size: u64, node: &mut impl FnMut(Node) -> Hash) -> Option<Vec<Hash>> {
    if !are_places(leaves.iter().copied(), size) {
        return None;
    }
    let mut path = Vec::new();
    collect(leaves, (0, size), node, &mut path);
    Some(path)
}

/// `leaves`: place and hash of each record, ascending.
pub fn verify_inclusion_of_all(leaves: &[(u64, Hash)], size: u64, path: &[Hash], root: Hash) -> Result<(), Refusal> {
    if !are_places(leaves.iter().map(|(place, _)| *place), size) {
        return Err(Refusal::BadProof);
    }
    let mut rest = path.iter();
    let made = rebuilt(leaves, (0, size), &mut rest);
    if made == Some(root) && rest.next().is_none() { Ok(()) } else { Err(Refusal::BadProof) }
}

fn are_places(leaves: impl Iterator<Item = u64> + Clone, size: u64) -> bool {
    let ascends = leaves.clone().zip(leaves.clone().skip(1)).all(|(one, next)| one < next);
    ascends && leaves.last().is_some_and(|last| last < size)
}

/// Descends only where records are: 64 steps each at most, whatever the size is said to be.
fn collect(leaves: &[u64], (first, end): (u64, u64), node: &mut impl FnMut(Node) -> Hash, path: &mut Vec<Hash>) {
    if leaves.is_empty() {
        return path.push(subtree(first, end, node));
    }
    if end - first == 1 {
        return;
    }
    let middle = first + split(end - first);
    let (left, right) = leaves.split_at(leaves.partition_point(|leaf| *leaf < middle));
    collect(left, (first, middle), node, path);
    collect(right, (middle, end), node, path);
}

/// `None`: the path is too short.
fn rebuilt(leaves: &[(u64, Hash)], (first, end): (u64, u64), path: &mut Iter<'_, Hash>) -> Option<Hash> {
    match leaves {
        [] => path.next().copied(),
        [(_, leaf)] if end - first == 1 => Some(*leaf),
        _ => {
            let middle = first + split(end - first);
            let (left, right) = leaves.split_at(leaves.partition_point(|(place, _)| *place < middle));
            Some(node_hash(&rebuilt(left, (first, middle), path)?, &rebuilt(right, (middle, end), path)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{leaf_hash, nodes_of_append, root};

    fn leaf(at: u64) -> Hash {
        leaf_hash(&at.to_be_bytes())
    }

    fn log(size: u64) -> BTreeMap<Node, Hash> {
        let mut nodes = BTreeMap::new();
        for at in 0..size {
            let complete = nodes_of_append(at, leaf(at), |node| nodes[&node]);
            nodes.extend(complete);
        }
        nodes
    }

    /// The members of a set that is written as bits.
    fn places(bits: u64) -> Vec<u64> {
        (0..64).filter(|at| bits >> at & 1 == 1).collect()
    }

    #[test]
    fn every_choice_of_records_is_proven_at_every_size_and_nothing_else_is() {
        for size in 1..=11 {
            let nodes = log(size);
            let root = root(size, &mut |node| nodes[&node]);
            for bits in 1..(1 << size) {
                let places = places(bits);
                let path = inclusion_of_all(&places, size, &mut |node| nodes[&node]).unwrap();
                let leaves: Vec<_> = places.iter().map(|at| (*at, leaf(*at))).collect();
                let verify = |leaves: &[(u64, Hash)], path: &[Hash]| verify_inclusion_of_all(leaves, size, path, root);
                assert_eq!(verify(&leaves, &path), Ok(()), "{places:?} of {size}");
                for wrong in 0..leaves.len() {
                    let mut other = leaves.clone();
                    other[wrong].1[0] ^= 1;
                    assert!(verify(&other, &path).is_err(), "{wrong} of {places:?} is not in the log");
                }
                assert!(verify(&leaves, &[&path[..], &[[0; 32]]].concat()).is_err());
                assert!(path.is_empty() || verify(&leaves, &path[1..]).is_err());
            }
        }
    }

    #[test]
    fn records_side_by_side_share_their_path() {
        let nodes = log(1_000);
        let length = |places: &[u64]| inclusion_of_all(places, 1_000, &mut |node| nodes[&node]).unwrap().len();
        assert_eq!((length(&[500]), length(&[500, 501]), length(&[500, 501, 502, 503])), (10, 9, 8));
    }

    #[test]
    fn places_in_another_order_twice_or_behind_the_end_are_none() {
        let (size, root) = (2, node_hash(&leaf(0), &leaf(1)));
        assert_eq!(verify_inclusion_of_all(&[(0, leaf(0)), (1, leaf(1))], size, &[], root), Ok(()), "the control");
        for places in [&[][..], &[1, 0], &[0, 0], &[0, 1, 2], &[2]] {
            let leaves: Vec<_> = places.iter().map(|at| (*at, leaf(*at))).collect();
            assert!(verify_inclusion_of_all(&leaves, size, &[], root).is_err(), "{places:?}");
            assert_eq!(inclusion_of_all(places, size, &mut |_| [0; 32]), None, "{places:?}");
        }
        for size in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(
                verify_inclusion_of_all(&[(u64::MAX - 2, [1; 32]), (u64::MAX - 1, [1; 32])], size, &[[0; 32]; 70], root).is_err()
            );
        }
    }
}
