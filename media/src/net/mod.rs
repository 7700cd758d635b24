//! The only I/O of the crate: sockets, threads, the clock, the mailboxes. Everything it drives is sans-IO.

mod mailbox;
mod mapped;
mod meter;
#[cfg(target_os = "linux")]
mod mmsg;
mod neighbours;
mod pipe;
mod plain;
mod port;
mod relays;
mod sender;
mod surroundings;
mod tcp;
mod turn;
mod udp;
mod worker;

pub(crate) use mailbox::{Command, Mailbox};
pub(crate) use mapped::ask_stun;
pub(crate) use neighbours::Neighbours;
pub(crate) use pipe::pipe;
pub use pipe::{Grouping, TcpInlet, TcpOutlet};
pub(crate) use plain::{PlainBuffers, PlainSocket};
pub(crate) use port::{Buffers, Sharing, UdpPort, granted_buffers, has_more};
pub(crate) use sender::{MAX_RUNS, Run, Sender};
pub(crate) use surroundings::{own_interfaces, own_place};
pub(crate) use tcp::{Speaks, TcpConnection};
pub(crate) use turn::{Owners, TurnFigures, TurnListener, TurnParts};
pub(crate) use udp::MediaSocket;
pub(crate) use worker::{MAILBOX, SOCKET, TURN, Worker, WorkerParts};
