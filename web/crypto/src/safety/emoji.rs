//! Emoji to read out in a call: six from the group's `epoch_authenticator` (RFC 9420 §8.7), equal for all who are in one group. Whoever stands between two
//! groups can search for authenticators that look alike, a birthday's search of about 2^18 commits; for certainty there is the safety number of two
//! people.

use crate::derive::{Purpose, derive};

/// How many emoji there are; indices are below.
pub const EMOJI: u8 = 64;
pub const CALL_EMOJI: usize = 6;

/// What all in a call see, if they are in one group.
pub fn call_emoji(epoch_authenticator: &[u8]) -> [u8; CALL_EMOJI] {
    // 64 is a power of two: each index is equally likely.
    derive::<CALL_EMOJI>(Purpose::CallEmoji, &[], epoch_authenticator, &[]).map(|byte| byte % EMOJI)
}
