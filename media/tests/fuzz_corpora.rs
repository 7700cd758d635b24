//! The fuzz targets without a fuzzer: every file of their corpora, and seeded mutations of each, in a second or so.
//!
//! A crash that fuzzing finds is added to `media/fuzz/corpus/<target>` and is tested here from then on.

use std::fs;
use std::path::PathBuf;

use webcall_media::fuzzing::TARGETS;

/// Mutations for each target, whatever the number of its seeds.
const MUTATIONS: usize = 4_000;
/// Changes in one mutation.
const MAX_CHANGES: u64 = 6;
/// Values at which lengths and counts go wrong.
const EDGES: [u8; 10] = [0, 1, 2, 3, 4, 0x7f, 0x80, 0xbe, 0xde, 0xff];

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).expect("below a usize")
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("the file can be read")).collect()
}

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(MAX_CHANGES as usize) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, EDGES[random.below(EDGES.len())]),
            2 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            3 if !bytes.is_empty() => bytes[at] = EDGES[random.below(EDGES.len())],
            4 if !bytes.is_empty() => drop(bytes.remove(at)),
            5 => {
                let other = &seeds[random.below(seeds.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len()).min(other.len())..]);
            }
            _ => {
                let end = (at + random.below(16)).min(bytes.len());
                bytes.extend_from_within(at.min(end)..end);
            }
        }
    }
    bytes
}

#[test]
fn every_seed_and_its_mutations_are_survived_by_every_parser() {
    for (count, (name, run)) in TARGETS.into_iter().enumerate() {
        let seeds = seeds(name);
        assert!(seeds.len() >= 3, "{name} has too few seeds");
        seeds.iter().for_each(|seed| run(seed));
        run(&[]);
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ count as u64);
        for _ in 0..MUTATIONS {
            let bytes = mutate(&mut random, &seeds);
            let outcome = std::panic::catch_unwind(|| run(&bytes));
            assert!(outcome.is_ok(), "{name} fails on {bytes:02x?}");
        }
    }
}

#[test]
fn every_parser_survives_the_seeds_of_all_others() {
    let all: Vec<_> = TARGETS.iter().flat_map(|(name, _)| seeds(name)).collect();
    for (_, run) in TARGETS {
        all.iter().for_each(|seed| run(seed));
    }
}
