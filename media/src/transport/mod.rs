//! x
pub(crate) mod srtp;
