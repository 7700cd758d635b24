/**
 * The ways back to a person's keys when no other device can vouch for a new one: a recovery code on paper, a passphrase, passkeys. The server keeps
 * what they open, sealed; of the secrets themselves nothing is kept anywhere.
 *
 * What is added or taken away is kept by the worker first and brought to the server after. Where that fails, or the page dies in between, the next
 * look makes up for it; where another device changed something at the same time, both changes stand.
 */

/** @import { Base64, UnlockerLook, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */
/** @import { Passkeys } from './passkey.js' */
/** @import { Shown, Way } from './ways.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { normalized } from './passphrase.js';
import { ENOUGH, idsOf, secretOf, waysOf } from './ways.js';

/** Where the server keeps by what the user's master key is opened. */
export const UNLOCKERS_SLOT = 'unlockers';
/** Another device may change the backup at the same time, this often in a row. */
const MAX_TRIES = 4;

/**
 * `none`: there is no way; `made`: there are some, and this device can change them; `locked`: some were made elsewhere, and none was shown on this
 * device.
 * @typedef {'none' | 'made' | 'locked'} RecoveryStanding
 * @typedef {{ standing: RecoveryStanding, ways: Way[], isBackedUp: boolean }} RecoveryLook `isBackedUp`: one way may be lost
 */

export class Recovery {
  #user;
  #parts;
  #opened;
  /** Whether there were enough ways when it was looked last: who has them is not reminded. */
  #hasEnough = false;

  /**
   * @param {Uuid} user
   * @param {{ keys: Keys, delivery: Delivery, passkeys: Passkeys }} parts
   * @param {() => void} opened called when this device has the master key, by whatever way; perhaps more than once
   */
  constructor(user, parts, opened = () => {}) {
    this.#user = user;
    this.#parts = parts;
    this.#opened = opened;
  }

  /** Which way back is to be set up on this device; null: there are enough, or it has not what they open. Asked of the server until then. @returns {Promise<'first' | 'second' | null>} */
  async wanting() {
    if (this.#hasEnough) return null;
    const { standing, isBackedUp } = await this.look();
    if (standing === 'none') return 'first';
    this.#hasEnough = isBackedUp || standing === 'locked';
    return this.#hasEnough ? null : 'second';
  }

  /** How it stands; what did not reach the server before does now. @returns {Promise<RecoveryLook>} */
  async look() {
    const { keys, delivery } = this.#parts;
    if (await this.#hasMasterKey()) return madeLook(await this.#inStep());
    const there = await delivery.backup(UNLOCKERS_SLOT);
    const { unlockers } = there === null ? { unlockers: [] } : await keys.ask({ op: 'ways', blob: there.blob }, 'ways');
    const ways = waysOf(unlockers);
    return { standing: ways.length > 0 ? 'locked' : 'none', ways, isBackedUp: false };
  }

  /** Whether passkeys can be tried in this browser. */
  canUsePasskeys() {
    return this.#parts.passkeys.isAvailable();
  }

  /**
   * A new code, which opens the keys from now on; one that was kept before does too, until this one is.
   * @returns {Promise<{ id: Base64, code: string }>} `code`: to be shown once, and kept nowhere; rejects with KeysRefused `no_identity`
   */
  async make() {
    const { keys } = this.#parts;
    const { unlockers } = await this.#begun();
    // Of those before, the first was kept; later ones were shown, and nobody said so.
    await this.#takeAway(idsOf(unlockers, 'recovery_code').slice(1));
    const { id, code } = await keys.ask({ op: 'add_recovery_code' }, 'unlocker');
    if (code === null) throw new KeysRefused('unexpected');
    await this.#bringNew(id);
    return { id, code };
  }

  /** The person has written it down: those before open nothing any more. @param {Base64} id */
  async kept(id) {
    const { unlockers } = await this.#takeIn();
    await this.#replace(idsOf(unlockers, 'recovery_code').filter((older) => older !== id));
  }

  /** The person did not write it down: it opens nothing any more. @param {Base64} id */
  async dropped(id) {
    await this.remove([id]);
  }

  /**
   * In place of the one before. Whether it is good enough, `weaknessOf` says.
   * @param {string} text
   * @returns {Promise<void>} after some seconds of work; rejects with KeysRefused `no_identity`, `no_memory`
   */
  async addPassphrase(text) {
    const older = idsOf((await this.#begun()).unlockers, 'passphrase');
    // Each one costs a try, so there may be few; the first is in force until the new one is.
    await this.#takeAway(older.slice(1));
    const { id } = await this.#parts.keys.ask({ op: 'add_passphrase', passphrase: normalized(text) }, 'unlocker');
    await this.#bringNew(id);
    await this.#replace(older.slice(0, 1));
  }

  /**
   * The person is asked twice: for a new passkey, and for what it gives.
   * @param {string} username
   * @returns {Promise<void>} rejects with KeysRefused `passkey_…`, `no_identity`
   */
  async addPasskey(username) {
    const { keys, passkeys } = this.#parts;
    const { unlockers } = await this.#begun();
    const known = unlockers.flatMap(({ credential }) => (credential === null ? [] : [credential]));
    const credential = await passkeys.create(this.#user, username, known);
    const { salt } = await keys.ask({ op: 'begin_passkey', credential }, 'salt');
    const output = await passkeys.evaluate([{ id: '', kind: 'passkey', credential, salt }]);
    const { id } = await keys.ask({ op: 'add_passkey', output }, 'unlocker');
    await this.#bringNew(id);
  }

  /** Opens nothing any more, for whoever asks the server. @param {readonly Base64[]} ids */
  async remove(ids) {
    // Remembered here first: where the server cannot be asked now, the next look brings it there.
    await this.#takeAway(ids);
    await this.#takeIn();
    await this.#replace(ids);
  }

  /** On a device that has not the master key yet: it can vouch for others afterwards, and change the ways. @param {Shown} shown */
  async enter(shown) {
    const { keys, delivery, passkeys } = this.#parts;
    const backup = await delivery.backup(UNLOCKERS_SLOT);
    if (backup === null) throw new KeysRefused('no_backup');
    const { unlockers } = await keys.ask({ op: 'ways', blob: backup.blob }, 'ways');
    await keys.ask({ op: 'unlock', blob: backup.blob, secret: await secretOf(shown, unlockers, passkeys) }, 'done');
    this.#opened();
  }

  /** The master key is made with the first way. */
  async #begun() {
    await beginBackup(this.#parts.keys);
    return this.#takeIn();
  }

  async #hasMasterKey() {
    try {
      await this.#parts.keys.ask({ op: 'unlockers' }, 'backup');
      return true;
    } catch (error) {
      if (error instanceof KeysRefused && ['no_master_key', 'no_identity'].includes(error.code)) return false;
      throw error;
    }
  }

  /** What other devices changed, and what is to be with the server now. */
  async #takeIn() {
    const { keys, delivery } = this.#parts;
    const there = await delivery.backup(UNLOCKERS_SLOT);
    const backup = await keys.ask(there === null ? { op: 'unlockers' } : { op: 'take_unlockers', blob: there.blob }, 'backup');
    return { version: there?.version ?? 0, there, ...backup };
  }

  /** The same, after what the server lacks was brought to it. */
  async #inStep() {
    const found = await this.#takeIn();
    const { unlockers } = found.there === null ? { unlockers: [] } : await this.#parts.keys.ask({ op: 'ways', blob: found.there.blob }, 'ways');
    // Another device was faster: the next look sees what it did.
    if (!areSame(unlockers, found.unlockers)) await this.#parts.delivery.keepBackup(UNLOCKERS_SLOT, found.version, found.blob);
    return found;
  }

  /** A new unlocker that did not reach the server was never in force. @param {Base64} id */
  async #bringNew(id) {
    try {
      await this.#upload();
    } catch (error) {
      await this.#takeAway([id]);
      throw error;
    }
    this.#opened();
  }

  /** @param {readonly Base64[]} ids that open nothing any more */
  async #replace(ids) {
    await this.#takeAway(ids);
    await this.#upload();
  }

  /** @param {readonly Base64[]} ids */
  async #takeAway(ids) {
    for (const id of ids) {
      try {
        await this.#parts.keys.ask({ op: 'remove_unlocker', unlocker: id }, 'done');
      } catch (error) {
        // Another device, or another window, did it.
        if (!(error instanceof KeysRefused) || error.code !== 'not_there') throw error;
      }
    }
  }

  async #upload() {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { version, blob } = await this.#takeIn();
      if (await this.#parts.delivery.keepBackup(UNLOCKERS_SLOT, version, blob)) return;
    }
    throw new KeysRefused('backup_changed');
  }
}

/** There is a master key afterwards. @param {Keys} keys @returns {Promise<void>} rejects with KeysRefused `no_identity` */
export async function beginBackup(keys) {
  await keys.ask({ op: 'backup_begin' }, 'done').catch((error) => {
    if (!(error instanceof KeysRefused) || error.code !== 'already_there') throw error;
  });
}

/** @param {{ unlockers: UnlockerLook[], backed_up: boolean }} found @returns {RecoveryLook} */
function madeLook({ unlockers, backed_up }) {
  const ways = waysOf(unlockers);
  return { standing: ways.length > 0 ? 'made' : 'none', ways, isBackedUp: backed_up && ways.length >= ENOUGH };
}

/** @param {readonly UnlockerLook[]} one @param {readonly UnlockerLook[]} other */
function areSame(one, other) {
  const ids = new Set(one.map(({ id }) => id));
  return one.length === other.length && other.every(({ id }) => ids.has(id));
}
