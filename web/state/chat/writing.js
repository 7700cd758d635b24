/**
 * Whether this user may write in a conversation now, as far as can be known beforehand: what the server will say to a message (its policy
 * decides in the same order). Every message counts for slow mode, an edit and a reaction too: the server cannot tell them apart. Pure.
 *
 * Slow mode is counted by this device's clock from when a message was taken, so that a clock that is wrong does no harm; what the server
 * says itself (`refusedUntil`) goes before. What was written before slow mode began counts here and not there: the wait is too long then, once.
 */

/** @import { Room } from '../../api.js' */
/** @import { Writing } from './interface.js' */

/**
 * @typedef {object} Pace
 * @property {number} wroteAt when this user's last message was taken; -Infinity when none is known
 * @property {number} refusedUntil the server said to come back then; -Infinity when it did not
 */

/**
 * @param {Room | null} room null: no longer a member
 * @param {Pace} pace
 * @param {number} now
 * @returns {Writing}
 */
export function writingOf(room, { wroteAt, refusedUntil }, now) {
  if (room === null) return { state: 'no_member', untilMs: null, everyS: 0 };
  if (room.chat_muted) return { state: 'chat_muted', untilMs: null, everyS: 0 };
  // Who keeps order in a room writes in a locked one, and need not wait.
  if (room.role !== 'member' || room.kind === 'direct') return { state: 'open', untilMs: null, everyS: 0 };
  if (room.locked) return { state: 'room_locked', untilMs: null, everyS: 0 };
  const everyS = room.slow_mode_s;
  if (everyS === 0) return { state: 'open', untilMs: null, everyS };
  // Of both, no more than one whole pause from now: the pause may have been shortened since.
  const untilMs = Math.min(Math.max(wroteAt + everyS * 1000, refusedUntil), now + everyS * 1000);
  return untilMs > now ? { state: 'slow', untilMs, everyS } : { state: 'open', untilMs: null, everyS };
}
