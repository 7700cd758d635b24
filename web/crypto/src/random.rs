//! Randomness from the system; in a browser, `crypto.getRandomValues`.

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // A key that can be guessed is worse than no answer, and no caller could go on without one.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
