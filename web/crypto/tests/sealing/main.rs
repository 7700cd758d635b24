//! Sealed messages, files, archive, unlockers and verification, as their callers use them. Names begin with the attack of the threat model
//! that they play, where there is one.

mod archive;
mod chat;
mod files;
mod kinds;
mod people;
mod safety;
mod thread;
mod unlock;
mod vectors;
