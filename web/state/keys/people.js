/** Whose keys the worker knows: what users published, fetched when it is needed and again when the server says that it grew. */

/** @import { Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { KeyLog } from './log.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { fromServer, toServer } from './bytes.js';
import { isRefusal } from './passing.js';

/** Requests at once. */
const AT_ONCE = 6;
/** How the text of a person's QR code begins; then what is compared, as the server writes bytes. */
const QR_TEXT = 'webcall-safety:';
const QR_PATTERN = /^webcall-safety:([\w-]{130})$/;

/**
 * `trusted`: by the identity that was accepted; `changed`: published another one, and counts no more until that is accepted; `none`: has
 * published nothing; `refused`: what the server shows does not verify, is not in the log of keys, or goes back behind what it showed before.
 * @typedef {'trusted' | 'changed' | 'none' | 'refused'} Trust
 */
/**
 * Whether this device's person compared keys with somebody, and under which name; `lost`: and other keys were published since.
 * @typedef {{ verified: 'no' | 'yes' | 'lost', name: string }} Mark
 */

/** @type {Mark} */
const UNMARKED = { verified: 'no', name: '' };

/**
 * Says `trust` {user} when somebody is trusted or verified otherwise than before, or was found with other keys than those that were accepted, and
 * `greeted` {room} when the person was told who came into a room.
 */
export class People extends EventTarget {
  #keys;
  #log;
  /** @type {Map<Uuid, Trust>} */
  #known = new Map();
  /** What was found last of whom, while it is asked for anew. @type {Map<Uuid, Trust>} */
  #found = new Map();
  /** @type {Map<Uuid, Mark>} */
  #marks = new Map();
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

  /** As it was found last. Nobody is verified whose keys do not fit. @param {Uuid} user */
  markOf(user) {
    const mark = this.#marks.get(user) ?? UNMARKED;
    return mark.verified === 'yes' && this.trustIn(user) !== 'trusted' ? UNMARKED : mark;
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

  /** The same, asked for anew. @param {readonly Uuid[]} users */
  async knowAnew(users) {
    for (const user of users) this.forget(user);
    return this.know(users);
  }

  /** Asks for them until one is nobody: whoever names many strangers may have invented them. @param {readonly Uuid[]} users @returns {Promise<boolean>} whether all are somebody */
  async knowAll(users) {
    for (let from = 0; from < users.length; from += AT_ONCE) {
      const found = await this.knowAnew(users.slice(from, from + AT_ONCE));
      if ([...found.values()].includes('none')) return false;
    }
    return true;
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

  /** The person has compared it with the user, whom they know by this name. @param {Uuid} user @param {string} identity @param {string} name */
  async verify(user, identity, name) {
    await this.#keys.ask({ op: 'verify', user, identity, name }, 'done');
    this.forget(user);
  }

  /**
   * Sixty digits that are the same on both sides if nobody stands between, the same in words, and the identity that is then the user's.
   * `squares`: of the code for the user's camera.
   * @param {Uuid} user
   */
  async safetyNumber(user) {
    await this.#learn(user);
    const { digits, words, qr, identity } = await this.#keys.ask({ op: 'safety_number', user }, 'safety_number');
    return { digits, words, identity, squares: await this.squares(QR_TEXT + toServer(qr)) };
  }

  /** A text as a QR code: rows of `1` for dark and `0` for light. @param {string} text */
  async squares(text) {
    return (await this.#keys.ask({ op: 'qr', text }, 'qr')).rows;
  }

  /**
   * What this camera read from the user's screen.
   * @param {Uuid} user
   * @param {string} text
   * @returns {Promise<string>} the identity that both see; rejects with KeysRefused `other_keys`, `other_people`, `no_safety_code`
   */
  async checkScanned(user, text) {
    const [, written] = QR_PATTERN.exec(text) ?? [];
    if (written === undefined) throw new KeysRefused('no_safety_code');
    return (await this.#keys.ask({ op: 'check_qr', user, bytes: fromServer(written) }, 'checked')).identity;
  }

  /** Who came into the group of a room of whom the person does not know. @param {Uuid} room @returns {Promise<Uuid[]>} */
  async newcomersIn(room) {
    try {
      return (await this.#keys.ask({ op: 'newcomers', room }, 'newcomers')).users;
    } catch (error) {
      // Of a group that this device is not in it knows nothing.
      if (error instanceof KeysRefused && ['not_open', 'not_member'].includes(error.code)) return [];
      throw error;
    }
  }

  /** This device is about to come into the group of a room in which the person is shown these. @param {Uuid} room @param {readonly Uuid[]} users */
  async meets(room, users) {
    await this.#keys.ask({ op: 'meets', room, users: [...users] }, 'done');
  }

  /** The person knows that these users are in the room's group. @param {Uuid} room @param {Uuid[]} users */
  async greeted(room, users) {
    await this.#keys.ask({ op: 'greeted', room, users }, 'done');
    this.dispatchEvent(new CustomEvent('greeted', { detail: { room } }));
  }

  /** @param {Uuid} user @returns {Promise<Trust>} */
  async #learn(user) {
    const changes = this.#changes;
    const { trust, mark } = await this.#find(user);
    const [before, markBefore] = [this.#found.get(user), this.markOf(user)];
    if (changes === this.#changes) this.#known.set(user, trust);
    this.#found.set(user, trust);
    if (mark !== null) this.#marks.set(user, mark);
    const isOtherwise = before === undefined ? trust === 'changed' || trust === 'refused' : trust !== before;
    if (isOtherwise || this.markOf(user).verified !== markBefore.verified) this.dispatchEvent(new CustomEvent('trust', { detail: { user } }));
    return trust;
  }

  /** `mark`: null where nothing new was learned. @param {Uuid} user @returns {Promise<{ trust: Trust, mark: Mark | null }>} */
  async #find(user) {
    try {
      const learned = await this.#log.learn(user);
      if (learned === null) return { trust: 'none', mark: null };
      const { changed, verified, name } = learned.answer;
      return { trust: changed ? 'changed' : 'trusted', mark: { verified, name: name ?? '' } };
    } catch (error) {
      // Whoever shares no room with one any more is nobody here.
      if (error instanceof ApiError && error.status === 404) return { trust: 'none', mark: null };
      if (isRefusal(error)) return { trust: 'refused', mark: null };
      throw error;
    }
  }
}
