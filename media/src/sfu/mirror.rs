//! What comes from other workers: words about rooms, and the packets of mirrored publications.

use std::time::Instant;

use super::Sfu;
use crate::counters::Counter;
use crate::handover::{Batch, Letter, Place, Word, WorkerId, WorkerSet};
use crate::id::RoomId;
use crate::outbox::Outbox;

impl Sfu {
    /// Takes in what another worker says about a room. A room that has nobody here is no concern of ours.
    pub(crate) fn read(&mut self, now: Instant, letter: Letter, out: &mut Outbox) {
        let Some(&key) = self.room_keys.get(&letter.room) else { return };
        self.rooms[key].read(now, key, letter.from, letter.word, out);
        self.attend_room(now, key);
        self.count_gauges();
    }

    /// Takes packets that another worker received for a publication mirrored here.
    pub(crate) fn take_over(&mut self, now: Instant, from: WorkerId, batch: &Batch) {
        let Place { room: key, publication: at } = batch.at;
        let mirrored = self.rooms.get_mut(key).filter(|room| {
            room.publications
                .get(at)
                .is_some_and(|publication| publication.mirrors(from, batch.serial) && !publication.is_forbidden)
        });
        let Some(room) = mirrored else { return self.counters.count(Counter::DropNoMirror) };
        for (packet, body) in batch.packets.iter() {
            let Some(layer) = room.publications[at].layers.get_mut(packet.layer) else { continue };
            layer.begin(packet.ssrc);
            let begins = layer.touch(now);
            if !packet.codec.is_audio() {
                layer.repair.get_or_insert_with(Box::default);
            }
            if room.take(at, *packet, body.payload, begins) {
                self.staged.push(key);
            }
        }
        self.attend_if_restless(now, key);
    }

    /// Says goodbye to the other workers, because everything here is lost.
    pub(crate) fn part(&self, out: &mut Outbox) {
        for (_, room) in &self.rooms {
            room.part(out);
        }
    }

    /// Tells the workers that have a part of a room already that there is one here now.
    pub(super) fn greet(&self, room: RoomId, others: WorkerSet, out: &mut Outbox) {
        for other in others.iter() {
            out.say(other, self.config.worker, room, Word::Hello);
        }
    }
}
