//! What time asks for, and when: a wheel of timers instead of a look at everybody.
//!
//! A participant is visited once a second for reports and consent, sooner while DTLS has something to repeat. A room is visited
//! several times a second while anybody sends, and at the next tick when something in it cannot wait: a packet or keyframe to be asked
//! for, a sender report that follows a switch.

use std::time::{Duration, Instant};

use super::shedding::Step;
use super::{Key, Sfu};
use crate::outbox::Outbox;
use crate::transport::Transport;

/// Reports and consent.
const PARTICIPANT_INTERVAL: Duration = Duration::from_secs(1);
/// Transport-wide feedback, layers and speakers of a room in which somebody sends.
const ROOM_INTERVAL: Duration = Duration::from_millis(50);
/// The same in a room in which nobody does.
const QUIET_ROOM_INTERVAL: Duration = Duration::from_millis(500);
/// Between two visits of a room that cannot wait. Shorter asks sooner for what was lost, longer joins more requests into one packet.
const RESTLESS_INTERVAL: Duration = Duration::from_millis(10);
/// The gauges of the metrics page.
const GAUGE_INTERVAL: Duration = Duration::from_secs(1);

/// What a timer of the wheel is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    Room(usize),
    Participant(Key),
    Gauges,
}

impl Sfu {
    /// When [`Sfu::handle_timeout`] wants to be called; `None` while there is nobody.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.wheel.next()
    }

    /// Does what time asks for.
    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) {
        while let Some(timer) = self.wheel.take_due(now) {
            match timer {
                Timer::Room(room) => self.visit_room(now, room, out),
                Timer::Participant(key) => self.visit(now, key, out),
                Timer::Gauges => {
                    self.count_gauges();
                    self.has_gauge_timer = false;
                    self.watch_gauges(now);
                }
            }
        }
    }

    /// Sees to it that a participant is visited when their transport wants it, and once a second.
    pub(super) fn attend(&mut self, now: Instant, key: Key) {
        let participant = &mut self.rooms[key.room].participants[key.participant];
        let latest = now + PARTICIPANT_INTERVAL;
        let wanted = participant.transport.as_ref().and_then(Transport::poll_timeout).map_or(latest, |at| at.min(latest));
        if participant.due.is_none_or(|due| wanted < due) {
            participant.due = Some(wanted);
            self.wheel.set(wanted, Timer::Participant(key));
        }
    }

    /// Sees to it that a room is visited, at the next tick if something in it cannot wait.
    pub(super) fn attend_room(&mut self, now: Instant, key: usize) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let interval = match room.publications.is_empty() {
            _ if room.is_restless => Duration::ZERO,
            true => QUIET_ROOM_INTERVAL,
            false => ROOM_INTERVAL,
        };
        // Not sooner after a visit than another look makes sense.
        let earliest = room.visited.map_or(now, |at| at + RESTLESS_INTERVAL);
        let wanted = (now + interval).max(earliest);
        if room.due.is_none_or(|due| wanted < due) {
            room.due = Some(wanted);
            self.wheel.set(wanted, Timer::Room(key));
        }
        self.watch_gauges(now);
    }

    /// As [`Sfu::attend_room`], for each packet.
    pub(super) fn attend_if_restless(&mut self, now: Instant, key: usize) {
        if self.rooms.get(key).is_some_and(|room| room.is_restless) {
            self.attend_room(now, key);
        }
    }

    pub(super) fn watch_gauges(&mut self, now: Instant) {
        // A worker that sheds load has to look up now and then even when everybody has left, or it would never take anybody again.
        let is_needed = !self.participants.is_empty() || self.shedding.step() > Step::Nothing;
        if !self.has_gauge_timer && is_needed {
            self.has_gauge_timer = true;
            self.wheel.set(now + GAUGE_INTERVAL, Timer::Gauges);
        }
    }

    fn visit_room(&mut self, now: Instant, key: usize, out: &mut Outbox) {
        let Some(room) = self.rooms.get_mut(key).filter(|room| room.due.is_some_and(|due| due <= now)) else { return };
        (room.due, room.visited, room.is_restless) = (None, Some(now), false);
        room.handle_timeout(now, out);
        let ntp = self.clock.at(now);
        room.look_after_publishers(now, &self.counters, &mut self.scratch, out);
        room.look_after_mirrors(now, out);
        room.report_switches(now, ntp, &mut self.scratch, out);
        self.attend_room(now, key);
    }

    fn visit(&mut self, now: Instant, key: Key, out: &mut Outbox) {
        let ntp = self.clock.at(now);
        let Some(room) = self.rooms.get_mut(key.room) else { return };
        let due = room.participants.get(key.participant).and_then(|participant| participant.due);
        if due.is_none_or(|due| due > now) {
            return;
        }
        room.participants[key.participant].due = None;
        room.participants[key.participant].drive_transport(now, &self.counters, out);
        room.report(key.participant, now, ntp, &mut self.scratch, out);
        self.attend(now, key);
    }
}
