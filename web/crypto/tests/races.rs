//! Many commit at once, and a client dies between any two steps: in the end all agree.

mod support;

use support::*;
use webcall_crypto::{Changes, Device, Directory, Fault, Group, Standing, StateKey, state};

#[test]
fn t18_of_20_commits_at_once_one_wins_each_epoch_and_all_converge() {
    let (people, mut devices) = users(20);
    let mut party = party(room(), &people, &mut devices);
    let first = party.server.epoch();
    let mut waiting: Vec<usize> = (0..20).collect();
    while !waiting.is_empty() {
        let epoch = party.server.epoch();
        for index in &waiting {
            party.groups[*index].change(&devices[*index], Changes::default(), &party.directory).expect("a member");
        }
        // Each round begins with another one, so that the order is not the order of the leaves.
        let turn = usize::try_from(epoch * 7).expect("small") % waiting.len();
        waiting.rotate_left(turn);
        let mut won = 0;
        for index in waiting.clone() {
            let group = &mut party.groups[index];
            match party.server.post(&group.outgoing().expect("it waits").clone(), &party.tables).expect("a sound commit") {
                Answer::Taken => {
                    group.accepted().expect("it was sent");
                    waiting.retain(|other| *other != index);
                    won += 1;
                }
                Answer::Late(winner) => {
                    group.lost().expect("it was sent");
                    group.process(&winner, &party.directory).expect("the server took it");
                }
            }
        }
        assert_eq!((won, party.server.epoch()), (1, epoch + 1), "one commit an epoch");
        party.catch_up();
        party.assert_agreed();
    }
    assert_eq!(party.server.epoch(), first + 20, "all came to it");
}

#[test]
fn t18_control_who_takes_a_commit_of_their_own_that_lost_for_the_one_that_won_agrees_with_nobody() {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    for index in [0, 1] {
        party.groups[index].change(&devices[index], Changes::default(), &party.directory).expect("a member");
        let answer = party.server.post(&party.groups[index].outgoing().expect("it waits").clone(), &party.tables);
        assert_eq!(matches!(answer.expect("a sound commit"), Answer::Taken), index == 0);
        // The second one does not hear that it was late.
        party.groups[index].accepted().expect("it was sent");
    }
    let [winner, forked] =
        [0, 1].map(|index| (party.groups[index].epoch(), party.groups[index].epoch_authenticator().expect("a member")));
    assert_eq!(winner.0, forked.0, "both are in an epoch of the same number");
    assert_ne!(winner.1, forked.1);
    party.groups[0].change(&devices[0], Changes::default(), &party.directory).expect("a member");
    let next = party.groups[0].outgoing().expect("it waits").clone();
    assert!(matches!(party.server.post(&next, &party.tables), Ok(Answer::Taken)));
    assert!(
        party.groups[1].process(next.commit.as_ref().expect("a commit").as_slice(), &party.directory).is_err(),
        "and follows nobody"
    );
}

/// What a client has kept, and nothing else, after it died.
struct Disk {
    key: StateKey,
    device: Vec<u8>,
    group: Option<Vec<u8>>,
}

impl Disk {
    fn new(device: &mut Device) -> Self {
        let key = StateKey::new([1; 32]);
        let device = device.save(&key).expect("it can be kept");
        Self { key, device, group: None }
    }

    fn keep(&mut self, group: &mut Group) {
        self.group = Some(group.save(&self.key).expect("it can be kept"));
    }

    fn device(&self, like: &Device) -> Device {
        Device::load(&self.key, like.id(), &self.device, state::counter(&self.device).expect("sealed")).expect("whole")
    }

    fn group(&self, device: &Device, id: webcall_trust::mls::GroupId) -> Option<Group> {
        let sealed = self.group.as_ref()?;
        Some(Group::load(&self.key, device, id, sealed, state::counter(sealed).expect("sealed")).expect("whole"))
    }
}

/// What a client does when it comes up: the log first, then what still waits. Whether it is in the group now.
fn heal(group: &mut Group, server: &mut Server, tables: &Tables, directory: &Directory) -> bool {
    for commit in server.since(group.next_in_log()).to_vec() {
        match group.process(&commit, directory) {
            Ok(_) => {}
            Err(Fault::JoinAgain) => return false,
            Err(fault) => panic!("{fault:?}"),
        }
    }
    if let Some(sent) = group.outgoing().cloned() {
        assert!(matches!(server.post(&sent, tables), Ok(Answer::Taken)), "nobody else commits meanwhile");
        group.accepted().expect("it was sent");
    }
    true
}

#[derive(Clone, Copy, PartialEq)]
enum Rival {
    None,
    Wins,
}

fn dies_while_it_commits(after_steps: usize, rival: Rival) {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people, &mut devices);
    let mut disk = Disk::new(&mut devices[1]);
    let Party { server, tables, directory, groups } = &mut party;
    disk.keep(&mut groups[1]);
    for step in 0..after_steps {
        match step {
            0 => groups[1].change(&devices[1], Changes::default(), directory).expect("a member"),
            1 => disk.keep(&mut groups[1]),
            2 => {
                if rival == Rival::Wins {
                    commit(&mut groups[2], &devices[2], server, tables, directory, Changes::default());
                }
                let sent = groups[1].outgoing().expect("it waits").clone();
                let taken = matches!(server.post(&sent, tables).expect("sound"), Answer::Taken);
                assert_eq!(taken, rival == Rival::None);
            }
            3 if rival == Rival::None => groups[1].accepted().expect("it was sent"),
            3 => {
                groups[1].lost().expect("it was sent");
                groups[1].process(&server.log[1], directory).expect("the winner");
            }
            _ => disk.keep(&mut groups[1]),
        }
    }
    let device = disk.device(&devices[1]);
    groups[1] = disk.group(&device, room()).expect("it was kept");
    assert!(heal(&mut groups[1], server, tables, directory), "a member stays one");
    commit(&mut groups[1], &device, server, tables, directory, Changes::default());
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn a_client_that_dies_between_any_two_steps_of_a_commit_heals() {
    for after_steps in 0..=5 {
        dies_while_it_commits(after_steps, Rival::None);
        dies_while_it_commits(after_steps, Rival::Wins);
    }
}

fn dies_while_it_joins_by_welcome(after_steps: usize) {
    let (people, mut devices) = users(3);
    let mut party = party(room(), &people[..2], &mut devices[..2]);
    (party.directory, party.tables) = (directory(&people), Tables::of(&people));
    let package = devices[2].make_key_packages(1).expect("room");
    let mut disk = Disk::new(&mut devices[2]);
    let Party { server, tables, directory, groups } = &mut party;
    let welcome = commit(&mut groups[0], &devices[0], server, tables, directory, Changes { add: &package, remove: &[] })
        .expect("a welcome");
    let mut joined = None;
    for step in 0..after_steps {
        match step {
            0 => joined = Some(Group::join(&devices[2], &welcome, directory).expect("a welcome for it")),
            1 => disk.keep(&mut joined.as_mut().expect("joined").group),
            _ => {
                devices[2].used(joined.as_ref().expect("joined").package);
                disk.device = devices[2].save(&disk.key).expect("it can be kept");
            }
        }
    }
    let mut device = disk.device(&devices[2]);
    let group =
        disk.group(&device, room()).unwrap_or_else(|| Group::join(&device, &welcome, directory).expect("once more").group);
    if let Ok(package) = device.package_of(&welcome) {
        device.used(package);
    }
    assert_eq!(device.key_packages().count(), 0, "used is used");
    assert_eq!(Group::join(&device, &welcome, directory).err(), Some(Fault::BadWelcome));
    groups.push(group);
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn a_client_that_dies_between_any_two_steps_of_a_welcome_heals() {
    for after_steps in 0..=3 {
        dies_while_it_joins_by_welcome(after_steps);
    }
}

fn dies_while_it_joins_from_outside(after_steps: usize, rival: Rival) {
    let (mut people, mut devices) = users(2);
    let mut phone = people[1].further_device();
    let mut party = party(room(), &people, &mut devices);
    (party.directory, party.tables) = (directory(&people), Tables::of(&people));
    let mut disk = Disk::new(&mut phone);
    let Party { server, tables, directory, groups } = &mut party;
    let join =
        |server: &Server| Group::join_external(&phone, external(server, &server.tree(), room()), directory).expect("one's own");
    let mut joining = None;
    for step in 0..after_steps {
        match step {
            0 => joining = Some(join(server)),
            1 => disk.keep(joining.as_mut().expect("made")),
            2 => {
                if rival == Rival::Wins {
                    commit(&mut groups[0], &devices[0], server, tables, directory, Changes::default());
                }
                drop(server.post(joining.as_ref().and_then(Group::outgoing).expect("it waits"), tables).expect("sound"));
            }
            3 if rival == Rival::Wins => assert_eq!(joining.as_mut().expect("made").lost(), Err(Fault::JoinAgain)),
            3 => joining.as_mut().expect("made").accepted().expect("it was sent"),
            _ if rival == Rival::Wins => disk.group = None,
            _ => disk.keep(joining.as_mut().expect("made")),
        }
    }
    let kept = disk.group(&phone, room());
    let mut group = kept.unwrap_or_else(|| join(server));
    if !heal(&mut group, server, tables, directory) {
        group = join(server);
        assert!(heal(&mut group, server, tables, directory), "the second time nobody is faster");
    }
    assert_eq!(group.standing(), Standing::Member);
    groups.push(group);
    party.catch_up();
    party.assert_agreed();
}

#[test]
fn a_client_that_dies_between_any_two_steps_of_an_external_join_heals() {
    for after_steps in 0..=5 {
        dies_while_it_joins_from_outside(after_steps, Rival::None);
        dies_while_it_joins_from_outside(after_steps, Rival::Wins);
    }
}

#[test]
fn a_group_that_two_make_at_once_is_made_once() {
    let (people, devices) = users(2);
    let (directory, tables) = (directory(&people), Tables::of(&people));
    let mut first = Group::create(&devices[0], room()).expect("a group");
    let mut second = Group::create(&devices[1], room()).expect("a group");
    let mut server = Server::create(first.outgoing().expect("to be told"));
    first.accepted().expect("the server has it");
    assert_eq!(second.lost(), Err(Fault::JoinAgain));
    assert_eq!(second.change(&devices[1], Changes::default(), &directory), Err(Fault::NotMember));
    // Whoever does not know whether its own was taken comes in by itself, in place of the leaf that it may have.
    let mut again = Group::join_external(&devices[0], external(&server, &server.tree(), room()), &directory).expect("a resync");
    assert!(heal(&mut again, &mut server, &tables, &directory));
    assert_eq!(again.roster().len(), 1);
}
