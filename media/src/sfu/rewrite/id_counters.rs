//! Keeps the counters of VP8 and VP9 descriptors running on over a change of source: the first picture of the new source gets the
//! number after the newest one sent.
//!
//! Owned by `rewrite::Rewriter`. A counter that the source does not carry is not invented; width is the source's.

use crate::codec::{PictureId, PictureIds};

const TL0_MASK: u16 = 0xff;
const KEY_INDEX_MASK: u16 = 0x1f;

/// One counter: what to add to the source's, and the newest value sent.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    offset: Option<u16>,
    newest: Option<u16>,
}

impl Counter {
    /// The outgoing value. The first one after a change of source fixes the offset.
    fn map(&mut self, value: u16, mask: u16) -> u16 {
        let newest = self.newest;
        let offset = *self.offset.get_or_insert_with(|| newest.map_or(0, |newest| newest.wrapping_add(1).wrapping_sub(value)));
        let out = value.wrapping_add(offset) & mask;
        let ahead = newest.map_or(1, |newest| out.wrapping_sub(newest) & mask);
        if (1..=mask / 2).contains(&ahead) {
            self.newest = Some(out);
        }
        out
    }
}

/// The counters of one outgoing SSRC.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdCounters {
    picture_id: Counter,
    tl0: Counter,
    key_index: Counter,
}

impl IdCounters {
    /// The next picture is of another source.
    pub(super) fn change_source(&mut self) {
        for counter in [&mut self.picture_id, &mut self.tl0, &mut self.key_index] {
            counter.offset = None;
        }
    }

    /// The outgoing counters of a packet.
    pub(super) fn map(&mut self, ids: PictureIds) -> PictureIds {
        let byte = |counter: &mut Counter, value: u8, mask| (counter.map(u16::from(value), mask) & 0xff) as u8;
        PictureIds {
            picture_id: ids.picture_id.map(|id| PictureId::new(self.picture_id.map(id.value, id.width.mask()), id.width)),
            tl0: ids.tl0.map(|value| byte(&mut self.tl0, value, TL0_MASK)),
            key_index: ids.key_index.map(|value| byte(&mut self.key_index, value, KEY_INDEX_MASK)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::PictureIdWidth;

    fn ids(picture_id: u16, width: PictureIdWidth, tl0: u8, key_index: u8) -> PictureIds {
        PictureIds { picture_id: Some(PictureId::new(picture_id, width)), tl0: Some(tl0), key_index: Some(key_index) }
    }

    #[test]
    fn the_first_source_keeps_its_numbers() {
        let mut counters = IdCounters::default();
        let first = ids(77, PictureIdWidth::Bits15, 5, 3);
        assert_eq!(counters.map(first), first);
    }

    #[test]
    fn the_next_source_goes_on_after_the_newest_number_whatever_came_late() {
        let mut counters = IdCounters::default();
        counters.map(ids(0x7ffe, PictureIdWidth::Bits15, 254, 30));
        counters.map(ids(0, PictureIdWidth::Bits15, 0, 31));
        counters.map(ids(0x7fff, PictureIdWidth::Bits15, 255, 30));
        counters.change_source();
        assert_eq!(counters.map(ids(9_000, PictureIdWidth::Bits15, 100, 7)), ids(1, PictureIdWidth::Bits15, 1, 0));
        assert_eq!(counters.map(ids(9_001, PictureIdWidth::Bits15, 101, 7)), ids(2, PictureIdWidth::Bits15, 2, 0));
    }

    #[test]
    fn widths_may_change_with_the_source() {
        let mut counters = IdCounters::default();
        counters.map(ids(300, PictureIdWidth::Bits15, 0, 0));
        counters.change_source();
        assert_eq!(
            counters.map(ids(7, PictureIdWidth::Bits7, 0, 0)).picture_id,
            Some(PictureId::new(301, PictureIdWidth::Bits7))
        );
        counters.change_source();
        let next = (301 & 0x7f) + 1;
        assert_eq!(
            counters.map(ids(7, PictureIdWidth::Bits15, 0, 0)).picture_id,
            Some(PictureId::new(next, PictureIdWidth::Bits15))
        );
    }

    #[test]
    fn a_source_without_counters_gets_none_and_the_next_one_goes_on() {
        let mut counters = IdCounters::default();
        counters.map(ids(10, PictureIdWidth::Bits15, 20, 5));
        counters.change_source();
        assert_eq!(counters.map(PictureIds::default()), PictureIds::default());
        counters.change_source();
        assert_eq!(counters.map(ids(900, PictureIdWidth::Bits15, 90, 9)), ids(11, PictureIdWidth::Bits15, 21, 6));
    }

    #[test]
    fn a_counter_that_appears_later_goes_on_too() {
        let mut counters = IdCounters::default();
        counters.map(ids(10, PictureIdWidth::Bits15, 20, 5));
        counters.change_source();
        counters.map(PictureIds { tl0: None, ..ids(50, PictureIdWidth::Bits15, 0, 0) });
        assert_eq!(counters.map(ids(51, PictureIdWidth::Bits15, 200, 0)).tl0, Some(21));
    }

    #[test]
    fn numbers_wrap_within_their_width() {
        let mut counters = IdCounters::default();
        counters.map(ids(126, PictureIdWidth::Bits7, 0, 0));
        counters.change_source();
        for step in 0..300_u16 {
            let expected = (127 + step) & 0x7f;
            let out = counters.map(ids((5 + step) & 0x7f, PictureIdWidth::Bits7, 0, 0));
            assert_eq!(out.picture_id, Some(PictureId::new(expected, PictureIdWidth::Bits7)));
        }
    }
}
