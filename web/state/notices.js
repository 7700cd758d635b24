/**
 * Keeps up what the service worker needs to open messages of encrypted rooms: whenever a room's group is in another epoch, the worker of the keys is told the
 * names that people go by there, and keeps them with the epoch's key. At log-out all of it goes, but what is of somebody who has signed in since in another window.
 *
 * What cannot be kept costs a notice its text, and nothing else: nobody is told, and the next epoch is another try.
 */

/** @import { RoomWithMembers } from '../api.js' */
/** @import { NoticeNames } from '../e2ee/push/interface.js' */
/** @import { KeysStore } from './keys/store.js' */
/** @import { RoomsStore } from './rooms.js' */
/** @import { SessionStore } from './session.js' */

import { NoticeKeep, forgetNotices } from '../e2ee/push/kept.js';

/** One room after the other, and each once however often its group changed meanwhile. */
export class NoticesStore {
  #keys;
  #rooms;
  #session;
  #around;
  /** Rooms that there were when it was looked last. @type {ReadonlySet<string> | null} */
  #there = null;
  /** @type {Set<string>} */
  #waiting = new Set();
  #busy = false;

  /**
   * @param {KeysStore} keys
   * @param {RoomsStore} rooms
   * @param {SessionStore} session
   * @param {{ language: () => string, databases: () => IDBFactory | null }} around
   */
  constructor(keys, rooms, session, around) {
    this.#keys = keys;
    this.#rooms = rooms;
    this.#session = session;
    this.#around = around;
    rooms.addEventListener('change', () => void this.#follow().catch(() => {}));
    keys.addEventListener('room', (event) => this.#roomChanged(/** @type {CustomEvent} */ (event).detail.room));
    session.addEventListener('change', () => {
      if (session.status !== 'signed-out') return;
      this.#waiting.clear();
      this.#there = null;
      const factory = around.databases();
      if (factory !== null) void forgetNotices(factory, () => session.signedInSince).catch(() => {});
    });
  }

  /** When the page starts, and when a room is no longer there. */
  async #follow() {
    const factory = this.#around.databases();
    const { rooms } = this.#rooms;
    if (rooms === null || factory === null || this.#session.status !== 'signed-in') return;
    const [before, there] = [this.#there, new Set(rooms.map(({ id }) => id))];
    this.#there = there;
    if (before !== null && [...before].every((room) => there.has(room))) return;
    const keep = await NoticeKeep.open(factory);
    await keep.retain(there).finally(() => keep.close());
  }

  /** @param {string} room */
  #roomChanged(room) {
    this.#waiting.add(room);
    if (!this.#busy) void this.#run();
  }

  async #run() {
    this.#busy = true;
    for (const room of this.#waiting) {
      this.#waiting.delete(room);
      await this.#keep(room).catch(() => {});
    }
    this.#busy = false;
  }

  /** @param {string} room */
  async #keep(room) {
    const names = namesIn(await this.#rooms.details(room));
    if (this.#session.status === 'signed-in') await this.#keys.account?.keepNotices(room, this.#around.language(), names);
  }
}

/** @param {RoomWithMembers} room @returns {NoticeNames} */
function namesIn({ kind, name, members }) {
  const isOfTwo = kind === 'direct' && members.length <= 2;
  const people = Object.fromEntries(members.map(({ user, username }) => [user, username]));
  return { title: isOfTwo ? null : name || members.map(({ username }) => username).join(', '), people };
}
