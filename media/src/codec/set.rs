//! A set of codecs, and the choice of one for a publisher.

use super::Codec;

/// A small set of codecs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CodecSet(u8);

impl CodecSet {
    /// Every codec known.
    pub(crate) const ALL: Self = Self(u8::MAX);

    pub(crate) fn contains(self, codec: Codec) -> bool {
        self.0 & Self::bit(codec) != 0
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    fn bit(codec: Codec) -> u8 {
        1 << codec as u8
    }
}

impl FromIterator<Codec> for CodecSet {
    fn from_iter<I: IntoIterator<Item = Codec>>(codecs: I) -> Self {
        Self(codecs.into_iter().fold(0, |bits, codec| bits | Self::bit(codec)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set: CodecSet = [Codec::Vp8, Codec::Av1].into_iter().collect();
        assert!(set.contains(Codec::Vp8) && set.contains(Codec::Av1));
        assert!(!set.contains(Codec::H264) && !set.contains(Codec::Opus));
        assert!(CodecSet::ALL.contains(Codec::H264));
        assert_eq!(set.intersection([Codec::Av1].into_iter().collect()), [Codec::Av1].into_iter().collect());
    }
}
