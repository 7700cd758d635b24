/** Whose keys the worker knows: what users published, fetched when it is needed and again when the server says that it grew. */

/** @import { Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { KeyLog } from './log.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';

/** Requests at once. */
const AT_ONCE = 6;

/**
 * `trusted`: by the identity that was accepted; `changed`: published another one, and counts no more until that is accepted; `none`: has
 * published nothing; `refused`: what the server shows does not verify, is not in the log of keys, or goes back behind what it showed before.
 * @typedef {'trusted' | 'changed' | 'none' | 'refused'} Trust
 */

/** Says `trust` {user} when somebody is trusted otherwise than before, or was found with other keys than those that were accepted. */
export class People extends EventTarget {
  #keys;
  #log;
  /** @type {Map<Uuid, Trust>} */
  #known = new Map();
  /** What was found last of whom, while it is asked for anew. @type {Map<Uuid, Trust>} */
  #found = new Map();
  /** How often something was published: an answer to what was asked before may not have it. */
  #changes = 0;

  /**
   * @param {Keys} keys
   * @param {Pick<KeyLog, 'learn'>} log
   */
  constructor(keys, log) {
    super();
    this.#keys = keys;
    this.#log = log;
  }

  /** As it was found last; undefined: not asked yet. @param {Uuid} user */
  trustIn(user) {
    return this.#found.get(user);
  }

  /** What is known of these users is the newest then. @param {readonly Uuid[]} users @returns {Promise<Map<Uuid, Trust>>} */
  async know(users) {
    /** @type {Map<Uuid, Trust>} */
    const trust = new Map();
    for (let from = 0; from < users.length; from += AT_ONCE) {
      const some = users.slice(from, from + AT_ONCE).map(async (user) => trust.set(user, this.#known.get(user) ?? (await this.#learn(user))));
      await Promise.all(some);
    }
    return trust;
  }

  /** They published something, or may have. @param {Uuid} [user] without: anybody */
  forget(user) {
    this.#changes += 1;
    if (user === undefined) this.#known.clear();
    else this.#known.delete(user);
  }

  /** The person says that this is the user's identity. @param {Uuid} user @param {string} identity */
  async accept(user, identity) {
    await this.#keys.ask({ op: 'accept', user, identity }, 'done');
    this.forget(user);
  }

  /**
   * Sixty digits that are the same on both sides if nobody stands between, and the identity that is then the user's.
   * @param {Uuid} user
   */
  async safetyNumber(user) {
    await this.#learn(user);
    return this.#keys.ask({ op: 'safety_number', user }, 'safety_number');
  }

  /** @param {Uuid} user @returns {Promise<Trust>} */
  async #learn(user) {
    const changes = this.#changes;
    const trust = await this.#find(user);
    const before = this.#found.get(user);
    if (changes === this.#changes) this.#known.set(user, trust);
    this.#found.set(user, trust);
    const isOtherwise = before === undefined ? trust === 'changed' : trust !== before;
    if (isOtherwise) this.dispatchEvent(new CustomEvent('trust', { detail: { user } }));
    return trust;
  }

  /** @param {Uuid} user @returns {Promise<Trust>} */
  async #find(user) {
    try {
      const learned = await this.#log.learn(user);
      if (learned === null) return 'none';
      return learned.changed ? 'changed' : 'trusted';
    } catch (error) {
      // Whoever shares no room with one any more is nobody here.
      if (error instanceof ApiError && error.status === 404) return 'none';
      if (error instanceof KeysRefused && !['closed', 'storage', 'worker'].includes(error.code)) return 'refused';
      throw error;
    }
  }
}
