//! Load for measuring: synthetic participants on real sockets ([`Generator`]), the raw loop that a server's cost is compared with
//! ([`Floor`]), a call without sockets ([`Rehearsal`]), and the load of a TURN server ([`turn`]). For `webcall bench`; the server itself
//! uses none of it.

mod floor;
mod generator;
mod rehearsal;
pub mod turn;

pub use floor::{Floor, FloorPlan, FloorRoute, FloorSubscriber};
pub use generator::{Generator, GeneratorError};
pub use rehearsal::{Rehearsal, RehearsalError};
