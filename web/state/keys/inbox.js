/** What waits for this device: welcomes into groups of rooms. Each is removed from the server once it was taken in, or can never be. */

/** @import { Base64, Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Waiting } from './delivery.js' */
/** @import { Parts } from './parts.js' */

import { ApiError } from '../../net/api.js';
import { isRefusal } from './passing.js';

/** Pages of the inbox in one go: it holds a few hundred items. */
const MAX_PAGES = 50;

export class Inbox {
  #parts;
  #entered;

  /**
   * @param {Parts} parts
   * @param {(room: Uuid) => Promise<Look | null>} entered brings the room's group up to date
   */
  constructor(parts, entered) {
    this.#parts = parts;
    this.#entered = entered;
  }

  /** @param {Base64} device */
  async empty(device) {
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { items, more } = await this.#parts.delivery.inbox(device);
      for (const item of items) await this.#take(item);
      if (!more) return;
    }
  }

  /** @param {Waiting} item */
  async #take({ id, group, welcome }) {
    if (welcome !== null && group?.kind === 'room') await this.#enter(group.id, welcome);
    await this.#parts.delivery.taken(id);
    if (group?.kind === 'room') await this.#entered(group.id);
  }

  /**
   * While this device's own try at a group waits for the server's answer, a good welcome is refused: it is tried again once that is settled. Thrown
   * away, it would be missed by a device that the server does not let in by itself.
   * @param {Uuid} room
   * @param {Base64} welcome
   */
  async #enter(room, welcome) {
    if (await this.#join(room, welcome)) return;
    if ((await this.#entered(room)) === null) await this.#join(room, welcome);
  }

  /** @param {Uuid} room @param {Base64} welcome @returns {Promise<boolean>} false: refused */
  async #join(room, welcome) {
    try {
      const users = await this.#parts.membersOf(room);
      for (const user of users) this.#parts.people.forget(user);
      await this.#parts.people.know(users);
      await this.#parts.keys.ask({ op: 'join', welcome, strict: this.#parts.isStrict(room) }, 'group');
      return true;
    } catch (error) {
      // Into a room that one has left, or by a welcome that is no good: the group is come into another way, or not at all.
      if (!(error instanceof ApiError && error.status === 404) && !isRefusal(error)) throw error;
      return false;
    }
  }
}
