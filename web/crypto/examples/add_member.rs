//! What it costs to add one member to a group of 50 and of 500, and to process and keep that: `cargo run --release -p webcall-crypto --example
//! add_member`. The groups are fresh: their first member has added all others, so that no path but its own has keys yet, which is the worst
//! case for a commit (RFC 9420 §7.7).

use std::time::{Duration, Instant};

use webcall_crypto::{Changes, Device, Directory, Fault, Group, StateKey};
use webcall_trust::mls::{GroupId, MAX_ADDED};
use webcall_trust::{Record, UserId};

const RUNS: usize = 10;

fn main() -> Result<(), Fault> {
    for size in [50, 500] {
        let mut bench = Bench::of(size)?;
        let mut times = (Vec::new(), Vec::new());
        let mut bytes = (0, 0);
        for run in 0..RUNS {
            let (add, process, commit, welcome) = bench.add_one(size + run)?;
            times.0.push(add);
            times.1.push(process);
            bytes = (commit, welcome);
        }
        let (add, process) = (median(times.0), median(times.1));
        println!(
            "group of {size}: add {add:.1} ms, process {process:.1} ms (median of {RUNS}); commit {} B, welcome {} B",
            bytes.0, bytes.1
        );
        let (seal, sealed) = bench.seal()?;
        println!("group of {size}: state sealed in {seal:.1} ms (median of {RUNS}); {sealed} B");
    }
    Ok(())
}

struct Bench {
    directory: Directory,
    founder: (Device, Group),
    other: Group,
}

impl Bench {
    fn of(size: usize) -> Result<Self, Fault> {
        let mut directory = Directory::default();
        let first = person(0, &mut directory)?;
        let mut group = Group::create(&first, GroupId::room([1; 16]))?;
        group.accepted()?;
        let mut second = person(1, &mut directory)?;
        group.change(&first, Changes { add: &second.make_key_packages(1)?, remove: &[] }, &directory)?;
        let welcome = group.outgoing().and_then(|sent| sent.welcome.clone()).ok_or(Fault::NothingPending)?;
        group.accepted()?;
        let mut other = Group::join(&second, welcome.as_slice(), &directory)?.group;
        let numbers: Vec<usize> = (2..size).collect();
        for some in numbers.chunks(MAX_ADDED) {
            let packages = some.iter().map(|number| package(*number, &mut directory)).collect::<Result<Vec<_>, _>>()?;
            group.change(&first, Changes { add: &packages, remove: &[] }, &directory)?;
            let commit = group.outgoing().and_then(|sent| sent.commit.clone()).ok_or(Fault::NothingPending)?;
            group.accepted()?;
            other.process(commit.as_slice(), &directory)?;
        }
        Ok(Self { directory, founder: (first, group), other })
    }

    /// What it costs to keep the group after a change: median time in ms, bytes.
    fn seal(&mut self) -> Result<(f64, usize), Fault> {
        let key = StateKey::generate();
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..RUNS {
            let began = Instant::now();
            bytes = self.other.save(&key)?.len();
            times.push(began.elapsed());
        }
        Ok((median(times), bytes))
    }

    /// How long adding and processing took, and the sizes of commit and welcome.
    fn add_one(&mut self, number: usize) -> Result<(Duration, Duration, usize, usize), Fault> {
        let packages = vec![package(number, &mut self.directory)?];
        let (device, group) = &mut self.founder;
        let began = Instant::now();
        group.change(device, Changes { add: &packages, remove: &[] }, &self.directory)?;
        let sent = group.outgoing().cloned().ok_or(Fault::NothingPending)?;
        group.accepted()?;
        let add = began.elapsed();
        let commit = sent.commit.ok_or(Fault::NothingPending)?;
        let began = Instant::now();
        self.other.process(commit.as_slice(), &self.directory)?;
        Ok((add, began.elapsed(), commit.as_slice().len(), sent.welcome.map_or(0, |welcome| welcome.as_slice().len())))
    }
}

fn person(number: usize, directory: &mut Directory) -> Result<Device, Fault> {
    let user = UserId(u128::try_from(number).map_err(|_| Fault::Full)?.to_be_bytes());
    let (_, device, records) = Device::first(user, 0)?;
    directory.learn(user, &records.iter().map(Record::to_bytes).collect::<Vec<_>>())?;
    Ok(device)
}

fn package(number: usize, directory: &mut Directory) -> Result<Vec<u8>, Fault> {
    Ok(person(number, directory)?.make_key_packages(1)?.remove(0))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}
