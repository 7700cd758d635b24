/** The stays of this device in calls, one a call at a time: the next one in the same call begins after the one before has ended. */

/** @import { Look, Stay, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { GroupParts } from './parts.js' */

import { CallGroup } from './call-group.js';

export class Stays {
  #parts;
  #syncRoom;
  /** @type {Map<Uuid, CallGroup>} */
  #groups = new Map();
  /** Those that nobody has ended. @type {Set<CallGroup>} */
  #lasting = new Set();
  /** Those that are ending. @type {Map<Uuid, Promise<void>>} */
  #leaving = new Map();
  #hasRehearsed = false;

  /**
   * @param {GroupParts} parts
   * @param {(room: Uuid) => Promise<Look | null>} syncRoom brings the room's group up to date
   */
  constructor(parts, syncRoom) {
    this.#parts = parts;
    this.#syncRoom = syncRoom;
  }

  /** Has the worker run once what joining a call of this room runs. Once a page is enough. @param {Uuid} room */
  async rehearse(room) {
    if (this.#hasRehearsed) return;
    this.#hasRehearsed = true;
    await this.#parts.keys.ask({ op: 'rehearse', room }, 'done').catch(() => (this.#hasRehearsed = false));
  }

  /** @param {Uuid} call @param {Stay} stay @param {{ over: () => void, epoch: () => void }} told as `CallGroup` tells it */
  begin(call, stay, told) {
    const parts = { ...this.#parts, syncRoom: this.#syncRoom, before: this.#leaving.get(call) ?? Promise.resolve() };
    const group = new CallGroup(call, stay, parts, told);
    this.#groups.set(call, group);
    this.#lasting.add(group);
    return group;
  }

  /** @param {Uuid} call @param {CallGroup} group */
  async end(call, group) {
    this.#lasting.delete(group);
    // The next stay in the same call may have begun: what is kept under the call's name is its, then.
    if (this.#groups.get(call) !== group) return group.end(false);
    this.#groups.delete(call);
    const left = group.end(true);
    this.#leaving.set(call, left);
    await left;
    if (this.#leaving.get(call) === left) this.#leaving.delete(call);
  }

  /** @param {Uuid} call @param {number} epoch */
  committed(call, epoch) {
    this.#groups.get(call)?.committed(epoch);
  }

  /** In these rooms nothing more is said before the person has decided about something, and the next stays wait for that. @param {(room: Uuid) => boolean} isThere */
  endWhere(isThere) {
    for (const group of this.#groups.values()) if (isThere(group.room)) group.giveUp();
  }

  followAll() {
    for (const group of this.#groups.values()) void group.follow();
  }

  /** Nothing is followed any more. What is kept of the stays goes with the worker. */
  close() {
    for (const group of this.#lasting) void group.end(false);
    this.#lasting.clear();
    this.#groups.clear();
  }
}
