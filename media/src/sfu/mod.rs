//! The selective forwarding unit: pure decisions and state, no socket, no clock. Time is an argument everywhere.

mod nack;
mod rewrite;
