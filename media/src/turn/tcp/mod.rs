//! Bookkeeping for whoever accepts TCP and TLS connections of clients: how many, how long each may take, and how much waits for a slow
//! reader. Pure; the connections themselves, TLS and their tasks are the host's.

mod admission;
mod queue;
mod times;

pub use admission::{Admission, AdmissionLimits, Refused};
pub use queue::SendQueue;
pub use times::{TcpPhase, TcpTimes};
