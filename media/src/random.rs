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

    /// The first sequence number of an SSRC, in the lower half: a receiver that misses the first packets would take one from behind
    /// the wrap for one of the first cycle, and nothing would ever authenticate for it (RFC 3711 §3.3.1).
    pub(crate) fn first_seq(&mut self) -> u16 {
        (self.next_u32() & 0x7fff) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_flow_is_far_from_the_wrap() {
        let mut random = Random::new(1);
        assert!((0..10_000).all(|_| random.first_seq() < 0x8000));
    }
}
