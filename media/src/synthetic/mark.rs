//! What every synthetic payload carries, so that the receiver knows the truth: whose frame it is, which, and what it refers to.
//!
//! The mark stands behind the codec's clear bytes, where a real payload would have coded picture or sound.

/// Bytes of a mark.
pub(super) const MARK_BYTES: usize = 23;
const MAGIC: [u8; 2] = [0x57, 0xca];

/// One packet's truth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// Whose it is.
    pub(super) source: u32,
    /// The simulcast layer; 0 for sound.
    pub(super) layer: u8,
    pub(super) is_keyframe: bool,
    /// Counts frames of this source and layer.
    pub(super) frame: u32,
    /// How many frames before this one the one lies that it refers to; 0 for keyframes and sound.
    pub(super) reference: u8,
    /// The packet's place in the frame.
    pub(super) index: u8,
    /// Packets of the frame.
    pub(super) count: u8,
    /// When it was captured, and sent: Unix microseconds.
    pub(super) captured_us: u64,
}

impl Mark {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.source.to_be_bytes());
        out.extend_from_slice(&[self.layer, u8::from(self.is_keyframe)]);
        out.extend_from_slice(&self.frame.to_be_bytes());
        out.extend_from_slice(&[self.reference, self.index, self.count]);
        out.extend_from_slice(&self.captured_us.to_be_bytes());
    }

    /// `None` for bytes that no synthetic participant wrote.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (head, captured_us) = bytes.first_chunk::<MARK_BYTES>()?.split_last_chunk::<8>()?;
        let &[m0, m1, s0, s1, s2, s3, layer, key, f0, f1, f2, f3, reference, index, count] = head.first_chunk()?;
        ([m0, m1] == MAGIC && key <= 1).then_some(Self {
            source: u32::from_be_bytes([s0, s1, s2, s3]),
            layer,
            is_keyframe: key == 1,
            frame: u32::from_be_bytes([f0, f1, f2, f3]),
            reference,
            index,
            count,
            captured_us: u64::from_be_bytes(*captured_us),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_being_written_and_read_and_noise_is_none() {
        let mark =
            Mark { source: 7, layer: 2, is_keyframe: true, frame: 99, reference: 1, index: 3, count: 9, captured_us: u64::MAX };
        let mut bytes = Vec::new();
        mark.write(&mut bytes);
        assert_eq!(bytes.len(), MARK_BYTES);
        assert_eq!(Mark::read(&bytes), Some(mark));
        assert_eq!(Mark::read(&bytes[1..]), None);
        bytes[0] ^= 1;
        assert_eq!(Mark::read(&bytes), None);
    }
}
