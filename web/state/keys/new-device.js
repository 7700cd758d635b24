/**
 * A device of a user who has others already: it asks to be vouched for by one of them, or vouches for itself by one of the user's ways back.
 * The request is carried by hand, and both devices show its code: what a server put in its place has another one.
 */

/** @import { Base64, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Parts } from './parts.js' */
/** @import { Shown, WayKind } from './ways.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { PUBLISHING } from './parts.js';
import { UNLOCKERS_SLOT } from './recovery.js';
import { secretOf, waysOf } from './ways.js';

export class NewDevice {
  #user;
  #parts;
  #again;

  /**
   * @param {Uuid} user
   * @param {Pick<Parts, 'keys' | 'delivery' | 'passkeys' | 'exclusively'> & { now: () => number }} parts
   * @param {() => Promise<void>} again looks at how this device stands now
   */
  constructor(user, parts, again) {
    this.#user = user;
    this.#parts = parts;
    this.#again = again;
  }

  /** The same until another device vouched for it, also after a reload. @returns {Promise<{ request: Base64, code: string }>} */
  async request() {
    const { keys } = this.#parts;
    return (await askingHere(keys)) ?? keys.ask({ op: 'ask', user: this.#user }, 'asking');
  }

  /** The link as a QR code, for the camera of one's other device. @param {string} link @returns {Promise<string[] | null>} null: too long for one */
  async squares(link) {
    try {
      return (await this.#parts.keys.ask({ op: 'qr', text: link }, 'qr')).rows;
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'malformed') return null;
      throw error;
    }
  }

  /** What may be shown here instead: of each kind of way that there is, passkeys only where this browser has them. @returns {Promise<WayKind[]>} */
  async ways() {
    const { keys, delivery, passkeys } = this.#parts;
    const backup = await delivery.backup(UNLOCKERS_SLOT);
    if (backup === null) return [];
    const { unlockers } = await keys.ask({ op: 'ways', blob: backup.blob }, 'ways');
    const kinds = [...new Set(waysOf(unlockers).map(({ kind }) => kind))];
    return (await passkeys.isAvailable()) ? kinds : kinds.filter((kind) => kind !== 'passkey');
  }

  /** @param {Shown} shown @returns {Promise<void>} rejects with KeysRefused `wrong_secret`, `code_…`, `passkey_…`, or `no_backup` */
  async recover(shown) {
    const { keys, delivery, passkeys, now } = this.#parts;
    const backup = await delivery.backup(UNLOCKERS_SLOT);
    if (backup === null) throw new KeysRefused('no_backup');
    const { unlockers } = await keys.ask({ op: 'ways', blob: backup.blob }, 'ways');
    const secret = await secretOf(shown, unlockers, passkeys);
    const records = await delivery.chain(this.#user);
    await keys.ask({ op: 'restore', user: this.#user, blob: backup.blob, secret, records, now_ms: now() }, 'device');
    await this.#again();
  }

  /**
   * With new keys, where neither a device nor a way back is left. What was kept for the old ones opens nothing any more, and the server forgets it.
   * @param {string} password of the account
   */
  async beginAnew(password) {
    try {
      await this.#parts.exclusively(PUBLISHING, () => this.#publishAnew(password));
    } finally {
      // What was not taken is published, or forgotten.
      await this.#again();
    }
  }

  /** @param {string} password */
  async #publishAnew(password) {
    const { keys, delivery, now } = this.#parts;
    const records = await delivery.chain(this.#user);
    const own = await keys.ask({ op: 'begin_anew', user: this.#user, records, now_ms: now() }, 'device');
    for (const [at, record] of own.records.entries()) await delivery.publish(record, at === 0 ? password : undefined);
  }
}

/** The device that asks in this browser, if one does. @param {Keys} keys */
export async function askingHere(keys) {
  try {
    return await keys.ask({ op: 'who' }, 'asking');
  } catch (error) {
    if (error instanceof KeysRefused && error.code === 'no_device') return null;
    throw error;
  }
}
