/**
 * What waits for this device: welcomes into groups of rooms. A group takes its own in before this device comes in by itself, for by a welcome it has
 * the keys of all that was written since it was added. Each is removed from the server once this device is inside, or when it can never be of use.
 */

/** @import { Base64, GroupName, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Waiting } from './delivery.js' */
/** @import { Parts } from './parts.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { isRefusal } from './passing.js';

/** Pages of the inbox in one go: it holds a few hundred items. */
const MAX_PAGES = 50;
/** Of one welcome: first whoever sent it is asked for, then all others whom it names. */
const MAX_TRIES = 3;
/** Refusals of a welcome that can never be of use. */
const NEVER = new Set(['bad_welcome', 'past_epoch', 'wrong_kind', 'known_group', 'not_strict', 'crashed']);

/** @typedef {'inside' | 'later' | 'never'} Outcome `later`: whom it names may be known another time */

export class Inbox {
  #parts;
  #device;
  #entered;
  #isHeld;
  /** What could not be asked for the moment: everything else is settled first. @type {ApiError | null} */
  #limited = null;
  /** What stays for another time. @type {Set<Uuid>} */
  #later = new Set();

  /**
   * @param {Parts} parts
   * @param {() => Base64 | null} device this one, as far as it is known
   * @param {(room: Uuid) => Promise<unknown>} entered brings the room's group up to date, which takes its welcome in; null: this device is not in it
   * @param {(room: Uuid) => boolean} isHeld whether nothing is taken in there before the person has decided something
   */
  constructor(parts, device, entered, isHeld = () => false) {
    this.#parts = parts;
    this.#device = device;
    this.#entered = entered;
    this.#isHeld = isHeld;
  }

  /** All that waits. Rejects at its end where something is to be tried again. @param {Base64} device */
  async empty(device) {
    this.#later.clear();
    this.#limited = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { items, more } = await this.#parts.delivery.inbox(device);
      let gone = 0;
      for (const item of items) gone += Number(await this.#settle(item));
      // The next page comes once these are gone.
      if (!more || gone === 0) break;
    }
    if (this.#limited !== null) throw this.#limited;
  }

  /** @param {Waiting} item @returns {Promise<boolean>} false: it stays, for another time */
  async #settle({ id, group }) {
    try {
      const isInside = group?.kind === 'room' && (await this.#entered(group.id)) !== null;
      if (!isInside && (this.#later.has(id) || (group?.kind === 'room' && this.#isHeld(group.id)))) return false;
    } catch (error) {
      // One room keeps the others from nothing, nor what cannot be asked for the moment.
      if (isTooMuch(error)) this.#limited = error;
      else if (!isRefusal(error)) throw error;
      return false;
    }
    await this.#parts.delivery.taken(id);
    return true;
  }

  /** By a welcome, if a good one waits. @param {Uuid} room @returns {Promise<boolean>} whether this device is in its group now */
  async enter(room) {
    const group = { kind: /** @type {const} */ ('room'), id: room };
    for (const { id, epoch, welcome, commit } of await this.#into(group)) {
      const outcome = welcome === null || epoch === null ? 'never' : await this.#join(group, { epoch, welcome, commit });
      if (outcome === 'later') this.#later.add(id);
      else await this.#parts.delivery.taken(id);
      if (outcome === 'inside') return true;
    }
    return false;
  }

  /** @param {GroupName} group */
  async #into(group) {
    const device = this.#device();
    return device === null ? [] : (await this.#parts.delivery.inbox(device, group)).items;
  }

  /** @param {GroupName} group @param {{ epoch: number, welcome: Base64, commit: Base64 | null }} waiting @returns {Promise<Outcome>} */
  async #join(group, { epoch, welcome, commit }) {
    const { keys, people, isStrict } = this.#parts;
    const ask = () => keys.ask({ op: 'join', welcome, group, epoch: epoch + 1, commit, strict: isStrict(group.id) }, 'group');
    try {
      for (let tries = 1; ; tries += 1) {
        try {
          await ask();
          return 'inside';
        } catch (error) {
          if (!(error instanceof KeysRefused) || error.code !== 'not_vouched' || tries === MAX_TRIES) throw error;
          // Who was there then may have left since: only the welcome names them, once whoever sent it is known.
          const { users } = await keys.ask({ op: 'strangers', group, welcome }, 'strangers');
          if (!(await people.knowAll(users))) return 'later';
        }
      }
    } catch (error) {
      // Nor does this device come in by itself meanwhile: the keys since the welcome would be lost.
      if (!isRefusal(error)) throw error;
      return NEVER.has(error.code) ? 'never' : 'later';
    }
  }
}

/** @param {unknown} error @returns {error is ApiError} */
function isTooMuch(error) {
  return error instanceof ApiError && error.status === 429;
}
