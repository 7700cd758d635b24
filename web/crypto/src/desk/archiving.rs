//! Requests about the archive: the epoch keys of a room that the user's devices keep for each other with the server.

use super::Desk;
use super::backup::Seen;
use super::shelves::Shelf;
use super::wire::{Answer, Block, Bytes, Kept};
use crate::Fault;
use crate::archive::{Segment, Slot};
use crate::chat::RoomId;

impl Desk {
    /// The keys of a block that this device has, as the segment's next version; nothing where the newest that was seen has them all.
    /// [`Desk::take_segment`] with the same bytes once the server took them, or with what the server has instead.
    pub(super) fn seal_segment(&mut self, of: Block, now_ms: u64) -> Result<Answer, Fault> {
        let backup = self.backup()?;
        let (user, room) = (self.device()?.user(), RoomId(of.room.into_bytes()));
        let seen = backup.seen(room, of.block);
        let epochs = self.epochs(room, of.block)?;
        // All keys of the segment that was seen are among those that are here.
        if seen.map_or(0, |seen| seen.keys as usize) >= epochs.len() {
            return Ok(Answer::Segment { sealed: None });
        }
        let mut segment = Segment::new(of.block);
        for (epoch, key) in epochs.iter() {
            segment.insert(epoch, key.clone())?;
        }
        let (sealed, _) = segment.seal(&backup.master, (user, room), seen.map(|seen| &seen.mark), now_ms);
        Ok(Answer::Segment { sealed: Some(sealed.into()) })
    }

    /// Answers how many keys came new. What is refused changes nothing.
    pub(super) fn take_segment(&mut self, of: Block, sealed: &Bytes, keep: &mut Vec<Kept>) -> Result<Answer, Fault> {
        let mut backup = self.backup()?;
        let room = RoomId(of.room.into_bytes());
        let mut epochs = self.epochs(room, of.block)?;
        let slot = Slot { user: self.device()?.user(), room, block: of.block };
        let seen = backup.seen(room, of.block);
        let (segment, mark) = Segment::open(&backup.master, slot, seen.map(|seen| &seen.mark), &sealed.0)?;
        let before = epochs.len();
        for (epoch, key) in segment.iter() {
            epochs.insert(epoch, key.clone())?;
        }
        let fresh = epochs.len() - before;
        let keys = u32::try_from(segment.len()).expect("as many as a block has epochs");
        backup.set_seen(room, of.block, Seen { mark, keys })?;
        if fresh > 0 {
            self.put(Shelf::Epochs(room, of.block), epochs.to_bytes(), keep)?;
        }
        self.keep_backup(&backup, keep)?;
        Ok(Answer::Taken { fresh })
    }
}
