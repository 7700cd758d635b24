/** Who made changes of a room's keys that nobody could follow, since the person was told last: the device came in anew, and goes on. As long as the page. */

/** @import { Uuid } from '../../e2ee/keys/interface.js' */

/** Rooms of which it is remembered. */
const MAX_ROOMS = 256;

export class Harms {
  /** @type {Map<Uuid, Set<Uuid>>} */
  #users = new Map();

  /** @param {Uuid} room @param {Uuid} user @returns {boolean} whether that is news */
  add(room, user) {
    const users = this.#users.get(room) ?? new Set();
    if (users.has(user) || (!this.#users.has(room) && this.#users.size >= MAX_ROOMS)) return false;
    this.#users.set(room, users.add(user));
    return true;
  }

  /** @param {Uuid} room @returns {readonly Uuid[]} */
  in(room) {
    return [...(this.#users.get(room) ?? [])];
  }

  /** The person has seen it. @param {Uuid} room */
  seen(room) {
    this.#users.delete(room);
  }
}
