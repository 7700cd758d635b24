//! Packets in the order of their numbers, and the frames that they make, as a jitter buffer sees them.

use std::collections::VecDeque;

use super::mark::Mark;
use super::payload::Ids;
use crate::codec::Codec;

/// Packets waiting for one before them; when there are more, all are dropped and a keyframe is waited for.
const MAX_WAITING: usize = 2_048;

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) codec: Codec,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) starts_frame: bool,
    pub(super) starts_keyframe: bool,
    pub(super) ids: Ids,
    pub(super) mark: Mark,
}

/// A frame whose packets are all there, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assembled {
    /// Its first packet.
    pub(super) head: Piece,
    /// Whether its packets are those of one frame, all of them, each in its place.
    pub(super) is_pure: bool,
}

/// What lies at the front.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Nothing that could be taken yet.
    Wait,
    /// A frame.
    Frame(Assembled),
    /// The beginning of a frame, behind which another begins at once. Holds its first packet.
    Cut(Piece),
    /// A frame that was taken although something before it is missing, because it is a keyframe.
    AfterGap(Assembled),
}

enum Scan {
    Incomplete,
    Cut(usize),
    Whole(usize),
}

#[derive(Default)]
pub(super) struct Pieces {
    /// The number of the piece at the front.
    front: Option<u64>,
    queue: VecDeque<Option<Piece>>,
}

impl Pieces {
    /// Adds a packet. False when too much was waiting and was dropped.
    pub(super) fn insert(&mut self, index: u64, piece: Piece) -> bool {
        let front = *self.front.get_or_insert(index);
        let Some(place) = index.checked_sub(front).map(|place| place as usize) else { return true };
        if place >= MAX_WAITING {
            self.queue.clear();
            self.queue.push_back(Some(piece));
            self.front = Some(index);
            return false;
        }
        if place >= self.queue.len() {
            self.queue.resize(place + 1, None);
        }
        self.queue[place] = Some(piece);
        true
    }

    /// The number of the packet that is waited for.
    pub(super) fn front(&self) -> u64 {
        self.front.unwrap_or_default()
    }

    /// Takes what can be taken.
    pub(super) fn step(&mut self) -> Step {
        match self.scan(0) {
            Scan::Whole(count) => self.take(count).map_or(Step::Wait, Step::Frame),
            Scan::Cut(count) => {
                let head = self.queue.front().copied().flatten();
                self.drop_front(count);
                head.map_or(Step::Wait, Step::Cut)
            }
            Scan::Incomplete => self.skip_to_keyframe(),
        }
    }

    fn skip_to_keyframe(&mut self) -> Step {
        let is_keyframe = |place: &usize| {
            let starts = self.queue[*place].is_some_and(|piece| piece.starts_keyframe);
            starts && matches!(self.scan(*place), Scan::Whole(_))
        };
        let Some(place) = (1..self.queue.len()).find(is_keyframe) else { return Step::Wait };
        self.drop_front(place);
        match self.scan(0) {
            Scan::Whole(count) => self.take(count).map_or(Step::Wait, Step::AfterGap),
            _ => Step::Wait,
        }
    }

    fn scan(&self, place: usize) -> Scan {
        let Some(Some(head)) = self.queue.get(place) else { return Scan::Incomplete };
        for (count, piece) in self.queue.range(place..).enumerate() {
            match piece {
                None => return Scan::Incomplete,
                Some(piece) if piece.timestamp != head.timestamp => return Scan::Cut(count),
                Some(piece) if piece.marker => return Scan::Whole(count + 1),
                Some(_) => {}
            }
        }
        Scan::Incomplete
    }

    fn take(&mut self, count: usize) -> Option<Assembled> {
        let head = self.queue.front().copied().flatten()?;
        let belongs = |(place, piece): (usize, &Option<Piece>)| {
            piece.is_some_and(|piece| {
                let expected = Mark { index: (place & 0xff) as u8, ..head.mark };
                piece.mark == expected && piece.codec == head.codec && piece.ids == head.ids
            })
        };
        let is_pure = usize::from(head.mark.count) == count && self.queue.range(..count).enumerate().all(belongs);
        self.drop_front(count);
        Some(Assembled { head, is_pure })
    }

    fn drop_front(&mut self, count: usize) {
        self.queue.drain(..count);
        self.front = self.front.map(|front| front + count as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packet `index` of `count` of a frame.
    fn piece(frame: u32, index: u8, count: u8, is_keyframe: bool) -> Piece {
        let mark =
            Mark { source: 1, layer: 0, is_keyframe, frame, reference: u8::from(!is_keyframe), index, count, captured_us: 0 };
        Piece {
            codec: Codec::Vp8,
            timestamp: frame * 3_600,
            marker: index + 1 == count,
            starts_frame: index == 0,
            starts_keyframe: is_keyframe && index == 0,
            ids: Ids::default(),
            mark,
        }
    }

    #[test]
    fn a_frame_is_taken_once_all_its_packets_are_there_in_whatever_order_they_came() {
        let mut pieces = Pieces::default();
        pieces.insert(10, piece(1, 0, 3, true));
        pieces.insert(12, piece(1, 2, 3, true));
        assert!(matches!(pieces.step(), Step::Wait));
        pieces.insert(11, piece(1, 1, 3, true));
        assert!(matches!(pieces.step(), Step::Frame(Assembled { is_pure: true, .. })));
        assert_eq!(pieces.front(), 13);
    }

    #[test]
    fn a_frame_made_of_two_is_not_pure() {
        let mut pieces = Pieces::default();
        pieces.insert(1, piece(1, 0, 2, false));
        pieces.insert(2, Piece { timestamp: 3_600, ..piece(2, 1, 2, false) });
        assert!(matches!(pieces.step(), Step::Frame(Assembled { is_pure: false, .. })));
    }

    #[test]
    fn a_frame_that_another_interrupts_is_cut() {
        let mut pieces = Pieces::default();
        pieces.insert(1, piece(1, 0, 3, false));
        pieces.insert(2, piece(2, 0, 1, true));
        assert!(matches!(pieces.step(), Step::Cut(_)));
        assert!(matches!(pieces.step(), Step::Frame(Assembled { is_pure: true, .. })));
    }

    #[test]
    fn a_gap_is_skipped_for_a_whole_keyframe_only() {
        let mut pieces = Pieces::default();
        pieces.insert(1, piece(1, 0, 1, false));
        assert!(matches!(pieces.step(), Step::Frame(_)));
        pieces.insert(3, piece(3, 0, 1, false));
        assert!(matches!(pieces.step(), Step::Wait));
        pieces.insert(4, piece(4, 0, 2, true));
        assert!(matches!(pieces.step(), Step::Wait));
        pieces.insert(5, piece(4, 1, 2, true));
        assert!(matches!(pieces.step(), Step::AfterGap(_)));
    }
}
