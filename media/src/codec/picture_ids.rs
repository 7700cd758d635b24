//! The counters in VP8 and VP9 descriptors that must run on without a jump: picture id, TL0PICIDX and VP8's KEYIDX.
//!
//! Only values, widths and their places in a payload; which value goes out is decided by `sfu::rewrite`.

/// How wide a picture id is on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PictureIdWidth {
    /// One byte.
    Bits7,
    /// Two bytes.
    Bits15,
}

impl PictureIdWidth {
    /// The bits that are kept.
    pub(crate) fn mask(self) -> u16 {
        match self {
            Self::Bits7 => 0x7f,
            Self::Bits15 => 0x7fff,
        }
    }
}

/// A picture id and its width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PictureId {
    /// The value, within the width.
    pub(crate) value: u16,
    /// The width.
    pub(crate) width: PictureIdWidth,
}

impl PictureId {
    /// The id with the low bits of `value`.
    pub(crate) fn new(value: u16, width: PictureIdWidth) -> Self {
        Self { value: value & width.mask(), width }
    }
}

/// The counters of one payload; those that it does not carry are `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PictureIds {
    /// Counts pictures.
    pub(crate) picture_id: Option<PictureId>,
    /// Counts pictures of the lowest temporal layer.
    pub(crate) tl0: Option<u8>,
    /// Counts keyframes, in 5 bits (VP8 only).
    pub(crate) key_index: Option<u8>,
}

/// Where the counters lie in a payload, as far as a descriptor's parser found them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Places {
    pub(super) picture_id: Option<(usize, PictureIdWidth)>,
    pub(super) tl0: Option<usize>,
    pub(super) key_index: Option<usize>,
}

impl Places {
    /// Writes the counters that have both a place and a value.
    pub(super) fn write(self, payload: &mut [u8], ids: PictureIds) {
        if let (Some((at, width)), Some(id)) = (self.picture_id, ids.picture_id) {
            write_picture_id(payload, at, PictureId::new(id.value, width));
        }
        if let Some((slot, tl0)) = self.tl0.and_then(|at| payload.get_mut(at)).zip(ids.tl0) {
            *slot = tl0;
        }
        if let Some((slot, key_index)) = self.key_index.and_then(|at| payload.get_mut(at)).zip(ids.key_index) {
            *slot = (*slot & 0xe0) | (key_index & 0x1f);
        }
    }
}

/// The first bit says whether the id has two bytes (RFC 7741 §4.2, RFC 9628 §4.2).
fn write_picture_id(payload: &mut [u8], at: usize, id: PictureId) {
    let [high, low] = id.value.to_be_bytes();
    match (id.width, payload.get_mut(at..)) {
        (PictureIdWidth::Bits7, Some([slot, ..])) => *slot = low & 0x7f,
        (PictureIdWidth::Bits15, Some([first, second, ..])) => (*first, *second) = (0x80 | high, low),
        _ => {}
    }
}

/// Reads a picture id, and says where what follows it lies.
pub(super) fn read_picture_id(payload: &[u8], at: usize) -> Option<(PictureId, usize)> {
    let &first = payload.get(at)?;
    if first & 0x80 == 0 {
        return Some((PictureId::new(u16::from(first), PictureIdWidth::Bits7), at + 1));
    }
    let &second = payload.get(at + 1)?;
    Some((PictureId::new(u16::from_be_bytes([first, second]), PictureIdWidth::Bits15), at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picture_ids_of_both_widths_round_trip() {
        for (id, bytes) in [
            (PictureId::new(0x55, PictureIdWidth::Bits7), vec![0x55]),
            (PictureId::new(0x1234, PictureIdWidth::Bits15), vec![0x92, 0x34]),
        ] {
            assert_eq!(read_picture_id(&bytes, 0), Some((id, bytes.len())));
            let mut written = vec![0; bytes.len()];
            write_picture_id(&mut written, 0, id);
            assert_eq!(written, bytes);
        }
    }

    #[test]
    fn a_cut_picture_id_is_not_read_and_not_written() {
        assert_eq!(read_picture_id(&[0x92], 0), None);
        assert_eq!(read_picture_id(&[], 0), None);
        let mut cut = [0x92];
        write_picture_id(&mut cut, 0, PictureId::new(1, PictureIdWidth::Bits15));
        write_picture_id(&mut cut, 7, PictureId::new(1, PictureIdWidth::Bits7));
        assert_eq!(cut, [0x92]);
    }

    #[test]
    fn a_value_is_cut_to_its_width() {
        assert_eq!(PictureId::new(0xffff, PictureIdWidth::Bits15).value, 0x7fff);
        assert_eq!(PictureId::new(128, PictureIdWidth::Bits7).value, 0);
    }

    #[test]
    fn a_counter_without_place_or_value_is_left_alone() {
        let mut payload = [1, 2, 3];
        Places { tl0: Some(0), ..Places::default() }.write(&mut payload, PictureIds::default());
        Places::default().write(&mut payload, PictureIds { tl0: Some(9), ..PictureIds::default() });
        Places { tl0: Some(77), key_index: Some(78), ..Places::default() }
            .write(&mut payload, PictureIds { tl0: Some(9), key_index: Some(9), ..PictureIds::default() });
        assert_eq!(payload, [1, 2, 3]);
    }

    #[test]
    fn the_key_index_leaves_its_neighbours_in_the_byte() {
        let mut payload = [0b1010_0001];
        Places { key_index: Some(0), ..Places::default() }
            .write(&mut payload, PictureIds { key_index: Some(0xff), ..PictureIds::default() });
        assert_eq!(payload, [0b1011_1111]);
    }
}
