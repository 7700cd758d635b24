//! The only I/O of the crate: sockets, threads, the clock, the mailboxes. Everything it drives is sans-IO.

mod interfaces;
mod mailbox;
mod meter;
#[cfg(target_os = "linux")]
mod mmsg;
mod neighbours;
mod plain;
mod port;
mod relays;
mod sender;
mod turn;
mod udp;
mod worker;

pub(crate) use interfaces::advertised_addresses;
pub(crate) use mailbox::{Command, Mailbox};
pub(crate) use neighbours::Neighbours;
pub(crate) use plain::{PlainBuffers, PlainSocket};
pub(crate) use port::{Buffers, Sharing, UdpPort, has_more};
pub(crate) use sender::{MAX_RUNS, Run, Sender};
pub(crate) use turn::{Owners, TurnFigures, TurnListener, TurnParts};
pub(crate) use udp::MediaSocket;
pub(crate) use worker::{MAILBOX, SOCKET, TURN, Worker, WorkerParts};
