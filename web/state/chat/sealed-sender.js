/**
 * What the outbox sends into encrypted rooms: sealed by the keys once this device is in the room's group, until then it waits. What was sealed
 * before a crash is sent as it was; what was sealed and is no longer to be sent is settled before the next is sealed, because each message says
 * which one it follows.
 */

/** @import { ChatKeys } from './sealed-log.js' */
/** @import { ChatStorage } from './storage.js' */
/** @import { Sealer } from './seal.js' */

import { toBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { toServer } from '../keys/bytes.js';
import { topOf } from './ranges.js';
import { wasOpened } from './records.js';
import { randomUuid } from './uuid.js';

/** Among so many of the newest entries the one is looked for that the next message names as seen. */
const LOOK_BACK = 50;
/** Refusals of the worker that stay, and what the outbox says of them. @type {Record<string, string>} */
const FINAL = { too_long: 'invalid_body', already_sealed: 'already_sealed', bad_request: 'invalid_body' };

/** @implements {Sealer} */
export class SealedSender {
  #keys;
  #storage;

  /**
   * @param {ChatKeys} keys
   * @param {ChatStorage} storage
   */
  constructor(keys, storage) {
    this.#keys = keys;
    this.#storage = storage;
  }

  /** One message of a room after the other. @param {string} room @param {string} id @param {string} text @returns {Promise<string>} */
  seal(room, id, text) {
    return this.#ask(async (messages) => {
      await this.#settleOthers(room, id);
      return toServer(await messages.seal(room, id, { content: toBase64(new TextEncoder().encode(text)), seen: await this.#seen(room) }));
    });
  }

  /** @param {string} room @param {string} id */
  async sent(room, id) {
    await this.#ask((messages) => messages.settle(room, id, 'sent'));
  }

  /** @param {string} room @param {string} id */
  async unsent(room, id) {
    await this.#ask((messages) => messages.settle(room, id, 'unsent'));
  }

  /** An id that was sealed is not sealed again. @param {string} _id */
  idAgain(_id) {
    return randomUuid();
  }

  /**
   * What was sealed before and is in the log was sent. What the outbox still has waiting is left: it is sent as it was sealed, and may be with
   * the server already. All else was given up.
   * @param {string} room
   * @param {string} id
   */
  #settleOthers(room, id) {
    return this.#ask(async (messages) => {
      const others = (await messages.waiting(room)).filter((each) => each.id !== id);
      if (others.length === 0) return;
      const queued = await this.#queued(room);
      for (const other of others) {
        const there = await this.#storage.findAll(room, other.id).catch(() => []);
        if (there.some(wasOpened)) await messages.settle(room, other.id, 'sent');
        else if (queued !== null && !queued.has(other.id)) await messages.settle(room, other.id, 'unsent');
      }
    });
  }

  /** @param {string} room @returns {Promise<Set<string> | null>} what waits to be sent; null: that is not known */
  async #queued(room) {
    const items = await this.#storage.outbox().catch(() => null);
    return items && new Set(items.filter((item) => item.room === room && item.state === 'waiting').map((item) => item.id));
  }

  /** The hash of the newest message that is known of the room. @param {string} room */
  async #seen(room) {
    try {
      const top = topOf(await this.#storage.ranges(room));
      const records = await this.#storage.entries(room, Math.max(1, top - LOOK_BACK + 1), top);
      return records.findLast(({ hash }) => hash !== undefined)?.hash ?? null;
    } catch {
      return null;
    }
  }

  /** @template T @param {(messages: import('../keys/room-messages.js').RoomMessages) => Promise<T>} act @returns {Promise<T>} rejects with `keys_waiting` for what is another time's */
  async #ask(act) {
    const { account } = this.#keys;
    if (account === null) throw new ApiError('keys_waiting', 0);
    try {
      return await act(account.messages);
    } catch (error) {
      const final = error instanceof KeysRefused ? FINAL[error.code] : undefined;
      if (final !== undefined) throw new ApiError(final, 400);
      // What the server refuses here is about the group, not about the message: others may have changed it.
      if (error instanceof KeysRefused || (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429)) throw new ApiError('keys_waiting', 0);
      throw error;
    }
  }
}
