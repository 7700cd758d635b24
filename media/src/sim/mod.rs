//! A call in virtual time: one [`crate::sfu::Sfu`], synthetic participants, and a network that delays, loses and repeats datagrams.
//!
//! For tests only. The same seed gives the same run: every random number comes from it, time passes from event to event, and what
//! real cryptography draws (keys, the length of a signature) decides nothing.

mod network;
mod scenarios;
mod trace;
mod world;

pub(crate) use network::{Bottleneck, Loss, Network};
pub(crate) use world::World;
