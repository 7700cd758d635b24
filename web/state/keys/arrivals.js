/**
 * Members of a room who are not in its group yet. What is written without them they can never read, and who has just signed in for the first time
 * is there within a second: so whoever writes waits for them a little. Once for each of them: who does not come holds up nobody a second time.
 */

/** @import { Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Parts } from './parts.js' */

import { usersIn } from './group.js';

/** Longer than a browser takes for its first keys, shorter than somebody waits for their message to go. */
const PATIENCE_MS = 5_000;
/** Who was waited for; beyond it all may be waited for once more. */
const MAX_AWAITED = 1_000;

export class Arrivals {
  #parts;
  #lookOf;
  #doorOf;
  /** By room and user. @type {Set<string>} */
  #awaited = new Set();
  /** By room: what is to be looked at when its group is in another epoch. @type {Map<Uuid, Set<() => void>>} */
  #waiting = new Map();

  /**
   * @param {Pick<Parts, 'membersOf' | 'pause'>} parts
   * @param {(room: Uuid) => Look | null} lookOf
   * @param {(room: Uuid) => readonly Uuid[]} doorOf who comes in by a person's word alone: for them nobody waits
   */
  constructor(parts, lookOf, doorOf) {
    this.#parts = parts;
    this.#lookOf = lookOf;
    this.#doorOf = doorOf;
  }

  /** The group of a room is in another epoch. @param {Uuid} room */
  changed(room) {
    for (const look of this.#waiting.get(room) ?? []) look();
  }

  /** @param {Uuid} room @param {Look} look @returns {Promise<boolean>} whether anybody was waited for */
  async wait(room, look) {
    const inside = usersIn(look);
    const absent = (await this.#parts.membersOf(room)).filter((user) => !inside.has(user) && !this.#doorOf(room).includes(user));
    const isAnew = absent.some((user) => !this.#awaited.has(`${room}/${user}`));
    if (!isAnew) return false;
    if (this.#awaited.size > MAX_AWAITED) this.#awaited.clear();
    for (const user of absent) this.#awaited.add(`${room}/${user}`);
    await this.#until(room, () => {
      const now = this.#lookOf(room);
      return now !== null && absent.every((user) => usersIn(now).has(user));
    });
    return true;
  }

  /** Until it holds, or for as long as anybody is waited for. @param {Uuid} room @param {() => boolean} holds */
  async #until(room, holds) {
    const waiting = this.#waiting.get(room) ?? new Set();
    this.#waiting.set(room, waiting);
    let look = () => {};
    const arrived = /** @type {Promise<void>} */ (new Promise((resolve) => (look = () => void (holds() && resolve()))));
    waiting.add(look);
    look();
    await Promise.race([arrived, this.#parts.pause(PATIENCE_MS)]);
    waiting.delete(look);
    if (waiting.size === 0) this.#waiting.delete(room);
  }
}
