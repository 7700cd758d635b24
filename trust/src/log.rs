//! An append-only log: a Merkle tree over records, as RFC 9162 §2.1 has it (SHA-256, leaves and nodes hashed apart). Who knows a head can
//! check that a record is in the log and that a later log only added to it.
//!
//! The tree is kept as the hashes of its complete subtrees, named by [`Node`]; the ragged right edge is computed. A function that needs
//! nodes says by calling `node` which: called once with a closure that only takes notes, then with one that knows.

use sha2::{Digest, Sha256};
use tls_codec::{TlsDeserialize, TlsSerialize, TlsSize};

use crate::{PublicKey, Refusal, Statement};

pub type Hash = [u8; 32];

/// A complete subtree: `2^level` leaves, from leaf `index * 2^level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    pub level: u8,
    pub index: u64,
}

/// "So long was the log, and this was its root", signed by the server that keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserialize)]
pub struct TreeHead {
    pub log: PublicKey,
    pub size: u64,
    pub root: Hash,
    pub at_ms: u64,
}

impl Statement for TreeHead {
    const LABEL: &'static str = "tree head";
    fn signer(&self) -> PublicKey {
        self.log
    }
}

pub fn leaf_hash(record: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(record).finalize().into()
}

pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The nodes that become complete when `leaf` is put at the end of a log of `size`, lowest first.
pub fn nodes_of_append(size: u64, leaf: Hash, mut node: impl FnMut(Node) -> Hash) -> Vec<(Node, Hash)> {
    let mut complete = vec![(Node { level: 0, index: size }, leaf)];
    let (mut index, mut level, mut hash) = (size, 0, leaf);
    while index % 2 == 1 {
        hash = node_hash(&node(Node { level, index: index - 1 }), &hash);
        (index, level) = (index / 2, level + 1);
        complete.push((Node { level, index }, hash));
    }
    complete
}

/// The root of the first `size` leaves; of none, the hash of nothing.
pub fn root(size: u64, node: &mut impl FnMut(Node) -> Hash) -> Hash {
    if size == 0 { Sha256::digest([]).into() } else { subtree(0, size, node) }
}

/// MTH(D[first:end]) of RFC 9162 §2.1.1; not empty.
pub(crate) fn subtree(first: u64, end: u64, node: &mut impl FnMut(Node) -> Hash) -> Hash {
    let leaves = end - first;
    if leaves.is_power_of_two() && first.is_multiple_of(leaves) {
        let level = u8::try_from(leaves.trailing_zeros()).expect("at most 63");
        return node(Node { level, index: first >> level });
    }
    let middle = first + split(leaves);
    node_hash(&subtree(first, middle, node), &subtree(middle, end, node))
}

/// The largest power of two below `leaves`, which is at least 2.
pub(crate) fn split(leaves: u64) -> u64 {
    1 << (63 - (leaves - 1).leading_zeros())
}

/// PATH(index, D[size]) of RFC 9162 §2.1.3.1, from the leaf up. `None`: there is no such leaf.
pub fn inclusion_path(index: u64, size: u64, node: &mut impl FnMut(Node) -> Hash) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    let (mut first, mut end, mut path) = (0, size, Vec::new());
    while end - first > 1 {
        let middle = first + split(end - first);
        if index < middle {
            path.push(subtree(middle, end, node));
            end = middle;
        } else {
            path.push(subtree(first, middle, node));
            first = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// PROOF(earlier, D[size]) of RFC 9162 §2.1.4.1. `None`: the earlier log is empty or the longer one.
pub fn consistency_path(earlier: u64, size: u64, node: &mut impl FnMut(Node) -> Hash) -> Option<Vec<Hash>> {
    if earlier == 0 || earlier > size {
        return None;
    }
    let (mut first, mut end, mut path) = (0, size, Vec::new());
    // Descends to the subtree that ends where the earlier log did; `whole` while that subtree is all of it.
    let mut whole = true;
    while earlier != end {
        let middle = first + split(end - first);
        if earlier <= middle {
            path.push(subtree(middle, end, node));
            end = middle;
        } else {
            path.push(subtree(first, middle, node));
            (first, whole) = (middle, false);
        }
    }
    if !whole {
        path.push(subtree(first, end, node));
    }
    path.reverse();
    Some(path)
}

/// RFC 9162 §2.1.3.2.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> Result<(), Refusal> {
    if index >= size {
        return Err(Refusal::BadProof);
    }
    let (mut fnode, mut snode, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if snode == 0 {
            return Err(Refusal::BadProof);
        }
        if fnode % 2 == 1 || fnode == snode {
            hash = node_hash(sibling, &hash);
            while fnode % 2 == 0 && fnode != 0 {
                (fnode, snode) = (fnode / 2, snode / 2);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (fnode, snode) = (fnode / 2, snode / 2);
    }
    if snode == 0 && hash == root { Ok(()) } else { Err(Refusal::BadProof) }
}

/// RFC 9162 §2.1.4.2. Nothing is consistent with everything: an earlier size of 0 needs an empty path.
pub fn verify_consistency(earlier: u64, earlier_root: Hash, size: u64, size_root: Hash, path: &[Hash]) -> Result<(), Refusal> {
    let sound = match (earlier, path) {
        (0, []) => true,
        (0, _) => false,
        _ if earlier == size => path.is_empty() && earlier_root == size_root,
        _ if earlier > size => false,
        _ => leads_to_both(earlier, earlier_root, size, size_root, path),
    };
    if sound { Ok(()) } else { Err(Refusal::BadProof) }
}

fn leads_to_both(earlier: u64, earlier_root: Hash, size: u64, size_root: Hash, path: &[Hash]) -> bool {
    let complete = earlier.is_power_of_two().then_some(earlier_root);
    let mut path = complete.iter().chain(path);
    let Some(seed) = path.next() else { return false };
    let (mut fnode, mut snode) = (earlier - 1, size - 1);
    while fnode % 2 == 1 {
        (fnode, snode) = (fnode / 2, snode / 2);
    }
    let (mut old, mut new) = (*seed, *seed);
    for sibling in path {
        if snode == 0 {
            return false;
        }
        if fnode % 2 == 1 || fnode == snode {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while fnode % 2 == 0 && fnode != 0 {
                (fnode, snode) = (fnode / 2, snode / 2);
            }
        } else {
            new = node_hash(&new, sibling);
        }
        (fnode, snode) = (fnode / 2, snode / 2);
    }
    snode == 0 && old == earlier_root && new == size_root
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A log in memory, and the roots it had at every size.
    fn log(size: u64) -> (BTreeMap<Node, Hash>, Vec<Hash>) {
        let (mut nodes, mut roots) = (BTreeMap::new(), vec![root(0, &mut |_| unreachable!("nothing is in it"))]);
        for at in 0..size {
            let complete = nodes_of_append(at, leaf_hash(&at.to_be_bytes()), |node| nodes[&node]);
            nodes.extend(complete);
            roots.push(root(at + 1, &mut |node| nodes[&node]));
        }
        (nodes, roots)
    }

    /// MTH of RFC 9162 §2.1.1, word for word.
    fn by_the_book(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => leaf_hash(leaf),
            _ => {
                let mut k = 1;
                while k * 2 < leaves.len() {
                    k *= 2;
                }
                node_hash(&by_the_book(&leaves[..k]), &by_the_book(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_standard_at_every_size() {
        let leaves: Vec<_> = (0..70u64).map(|at| at.to_be_bytes().to_vec()).collect();
        for (size, root) in log(70).1.into_iter().enumerate() {
            assert_eq!(root, by_the_book(&leaves[..size]), "{size}");
        }
    }

    #[test]
    fn every_leaf_is_proven_at_every_size_and_nothing_else_is() {
        let (nodes, roots) = log(40);
        for size in 1..=40 {
            for index in 0..size {
                let path = inclusion_path(index, size, &mut |node| nodes[&node]).unwrap();
                let leaf = leaf_hash(&index.to_be_bytes());
                let verify = |leaf, index, size, path: &[Hash]| {
                    verify_inclusion(leaf, index, size, path, roots[usize::try_from(size).unwrap()])
                };
                assert_eq!(verify(leaf, index, size, &path), Ok(()), "{index} of {size}");
                assert!(verify(leaf_hash(b"other"), index, size, &path).is_err());
                assert!(index + 1 == size || verify(leaf, index + 1, size, &path).is_err());
                let longer = [&path[..], &[[0; 32]]].concat();
                assert!(verify(leaf, index, size, &longer).is_err());
                assert!(path.is_empty() || verify(leaf, index, size, &path[1..]).is_err());
            }
            assert_eq!(inclusion_path(size, size, &mut |node| nodes[&node]), None);
        }
    }

    #[test]
    fn every_log_is_proven_to_go_on_from_every_earlier_one_and_from_no_other() {
        let (nodes, roots) = log(40);
        let root_at = |size: u64| roots[usize::try_from(size).unwrap()];
        for size in 1..=40 {
            for earlier in 1..=size {
                let path = consistency_path(earlier, size, &mut |node| nodes[&node]).unwrap();
                assert_eq!(
                    verify_consistency(earlier, root_at(earlier), size, root_at(size), &path),
                    Ok(()),
                    "{earlier} to {size}"
                );
                assert!(verify_consistency(earlier, [1; 32], size, root_at(size), &path).is_err());
                assert!(verify_consistency(earlier, root_at(earlier), size, [1; 32], &path).is_err());
                for at in 0..path.len() {
                    let mut other = path.clone();
                    other[at][0] ^= 1;
                    assert!(verify_consistency(earlier, root_at(earlier), size, root_at(size), &other).is_err());
                }
            }
        }
        assert_eq!(consistency_path(3, 2, &mut |node| nodes[&node]), None);
        assert_eq!(verify_consistency(0, root_at(0), 5, root_at(5), &[]), Ok(()));
        assert!(verify_consistency(5, root_at(5), 3, root_at(3), &[]).is_err(), "shorter than before");
    }

    #[test]
    fn no_number_that_a_server_may_say_makes_a_check_panic() {
        for size in [0, 1, 2, 3, u64::MAX - 1, u64::MAX] {
            for index in [0, 1, 2, u64::MAX - 1, u64::MAX] {
                for length in [0, 1, 63, 64, 65, 130] {
                    let path = vec![[0; 32]; length];
                    assert!(verify_inclusion([0; 32], index, size, &path, [9; 32]).is_err());
                    if index != 0 {
                        assert!(verify_consistency(index, [1; 32], size, [2; 32], &path).is_err());
                    }
                }
            }
        }
    }
}
