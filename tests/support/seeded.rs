//! Hostile bytes, made from honest ones: the same for the same seed.

/// Numbers by a seed (xorshift64*).
pub(crate) struct Seeded(u64);

/// Of all of them: `WEBCALL_SEED`, so that other inputs are tried than in every run.
pub(crate) fn seed() -> u64 {
    std::env::var("WEBCALL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0)
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    /// Cut, lengthened, spliced, with a length that cannot be, or with some bits flipped; never the same.
    pub(crate) fn mutated(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        let (one, other) = (self.below(whole.len()), self.below(whole.len()));
        match self.below(6) {
            0 => bytes.truncate(one),
            1 => bytes.resize(whole.len() + 1 + other, 0xff),
            2 => bytes = [&whole[..one], &whole[other..]].concat(),
            3 => bytes[one] = 0xff,
            _ => (0..=self.below(5)).for_each(|_| bytes[self.below(whole.len())] ^= 1 << self.below(8)),
        }
        if bytes == whole {
            bytes[one] ^= 0x41;
        }
        bytes
    }
}
