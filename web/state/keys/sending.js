/**
 * What holds before something is sent into an encrypted room: nothing is, while a member shows other keys than those that were accepted, or the log of keys is
 * contradicted by the server or a member; and who has just come is waited for a little.
 */

/** @import { Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Parts } from './parts.js' */
/** @import { RoomGroups } from './room-groups.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { Arrivals } from './arrivals.js';
import { usersIn } from './group.js';

export class Sending {
  #parts;
  #rooms;
  #arrivals;

  /**
   * @param {Pick<Parts, 'log' | 'people' | 'membersOf' | 'pause'>} parts
   * @param {Pick<RoomGroups, 'sync' | 'lookOf' | 'atTheDoorOf'>} rooms
   */
  constructor(parts, rooms) {
    this.#parts = parts;
    this.#rooms = rooms;
    this.#arrivals = new Arrivals(parts, (room) => rooms.lookOf(room), (room) => rooms.atTheDoorOf(room));
  }

  /** The group of a room is in another epoch. @param {Uuid} room */
  changed(room) {
    this.#arrivals.changed(room);
  }

  /**
   * The group of a room in which something is to be sent.
   * @param {Uuid} room
   * @returns {Promise<Look | null>} null: this device is not in it yet; rejects with KeysRefused `identity_changed`, `split_view`
   */
  async groupOf(room) {
    const known = this.#rooms.lookOf(room);
    await this.#parts.log.beforeSending(known === null ? new Set() : usersIn(known));
    await this.#unchanged(room);
    let look = await this.#rooms.sync(room);
    if (look !== null && (await this.#arrivals.wait(room, look))) look = await this.#rooms.sync(room);
    // Bringing it up to date may have shown more of who is in it.
    await this.#unchanged(room);
    if (look !== null && this.#parts.log.concerns(usersIn(look))) throw new KeysRefused('split_view');
    return look;
  }

  /**
   * Members whose keys are not as they should be.
   * @param {Uuid} room
   * @returns {Promise<Map<Uuid, 'changed' | 'refused'>>}
   */
  async concernsIn(room) {
    /** @type {Map<Uuid, 'changed' | 'refused'>} */
    const concerns = new Map();
    for (const [user, trust] of await this.#parts.people.know(await this.#parts.membersOf(room))) {
      if (trust === 'changed' || trust === 'refused') concerns.set(user, trust);
    }
    return concerns;
  }

  /** Members who show other keys than those that were accepted. @param {Uuid} room @returns {Promise<Uuid[]>} */
  async changedIn(room) {
    return [...(await this.concernsIn(room))].filter(([, each]) => each === 'changed').map(([user]) => user);
  }

  /** @param {Uuid} room */
  async #unchanged(room) {
    if ((await this.changedIn(room)).length > 0) throw new KeysRefused('identity_changed');
  }
}
