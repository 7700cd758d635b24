//! Bookkeeping for whoever accepts TCP and TLS connections of clients: how many, and how long each may take. Pure; the connections
//! themselves, TLS, their tasks and what waits for a slow reader are the host's.

mod admission;
mod times;

pub use admission::{Admission, AdmissionLimits, Refused};
pub use times::{TcpPhase, TcpTimes};
