//! A media port and the TURN port tell whoever asks from which address they were asked, and tell nobody who names a user.

#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use webcall_media::turn::probe::{AllocateProbe, AllocateStep, BindingProbe};
use webcall_media::turn::{Scope, Secret, TurnConfig, issue_credential};
use webcall_media::{Media, MediaConfig, TurnSettings};

/// Far beyond any honest answer on one machine.
const BOUND: Duration = Duration::from_secs(20);
/// 2100-01-01.
const FAR_UNIX_S: u64 = 4_102_444_800;

fn started() -> Media {
    let mut common = TurnConfig::default();
    common.auth.shared_secrets = vec![Secret::new("north")];
    common.relay.ports = 61_000..=61_100;
    common.relay.all_ports = 61_000..=61_100;
    let turn = Some(TurnSettings { udp_port: 0, common, own_tcp_ports: Vec::new() });
    let advertised = vec![Ipv4Addr::LOCALHOST.into()];
    let config = MediaConfig { workers: 2, udp_port: 0, advertised, turn, ..MediaConfig::default() };
    Media::start(&config).unwrap().0
}

fn asker(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    socket
}

fn ask(socket: &UdpSocket, request: &[u8]) -> Vec<u8> {
    socket.send(request).unwrap();
    let mut answer = [0; 1_500];
    let len = socket.recv(&mut answer).unwrap();
    answer[..len].to_vec()
}

#[test]
fn every_media_port_and_the_turn_port_answer_who_asks_whether_they_are_there() {
    let media = started();
    let turn_port = media.turn_addresses()[0].port();
    for port in media.ports().into_iter().chain([turn_port]) {
        let (socket, probe) = (asker(port), BindingProbe::new().unwrap());
        let answer = ask(&socket, &probe.request());
        assert_eq!(probe.read(&answer), Some(socket.local_addr().unwrap()));
        // With its IP and UDP headers less than twice the question with its own.
        assert!(28 + answer.len() < 2 * (28 + probe.request().len()), "{} bytes", answer.len());
    }
}

#[test]
fn a_request_that_names_a_user_of_no_call_is_not_answered() {
    let media = started();
    let socket = asker(media.ports()[0]);
    let (named, plain) = (BindingProbe::new().unwrap(), BindingProbe::new().unwrap());
    let mut request = named.request();
    request[3] = 8;
    request.extend([0, 6, 0, 3, b'a', b':', b'b', 0]);
    socket.send(&request).unwrap();
    // One port answers in order: the answer to the second shows that there was none to the first.
    assert_eq!(plain.read(&ask(&socket, &plain.request())), Some(socket.local_addr().unwrap()));
}

#[test]
fn an_allocation_with_the_secret_is_granted_over_real_sockets_and_one_with_another_is_not() {
    let media = started();
    let socket = asker(media.turn_addresses()[0].port());
    for (secret, is_right) in [("south", false), ("north", true)] {
        let credential = issue_credential(&Secret::new(secret), "doctor", Scope::Sfu, FAR_UNIX_S).unwrap();
        let (mut probe, mut request) = AllocateProbe::begin(&credential.username, &credential.password).unwrap();
        let end = loop {
            match probe.read(&ask(&socket, &request)).unwrap() {
                AllocateStep::Send(next) => request = next,
                end => break end,
            }
        };
        match end {
            AllocateStep::Granted { relayed, release } => {
                assert!(is_right && SocketAddr::from((Ipv4Addr::LOCALHOST, relayed.port())) == relayed);
                ask(&socket, &release);
            }
            refused => assert_eq!((refused, is_right), (AllocateStep::Refused(401), false)),
        }
    }
}
