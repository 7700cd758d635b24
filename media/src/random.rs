//! Numbers that need not be secret: SSRCs, first sequence numbers, first timestamps. Seeded by the caller, so that a simulation
//! repeats (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as u32
    }

    /// An SSRC that is neither 0 nor 1: Chromium reports with 1 when it sends nothing itself.
    pub(crate) fn fresh_ssrc(&mut self) -> u32 {
        self.next_u32().max(2)
    }
}
