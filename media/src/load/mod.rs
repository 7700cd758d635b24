//! Load for measuring: synthetic participants on real sockets ([`Generator`]), and the raw loop that a server's cost is compared with
//! ([`Floor`]). For `webcall bench`; the server itself uses none of it.

mod floor;
mod generator;

pub use floor::{Floor, FloorPlan, FloorRoute, FloorSubscriber};
pub use generator::{Generator, GeneratorError};
