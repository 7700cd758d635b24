/**
 * The recovery code: what is written on paper, and opens the user's keys on a device that no other can vouch for. The server keeps what it
 * opens, sealed; the code itself is shown once and is nowhere else.
 */

/** @import { Base64 } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';

/** Where the server keeps by what the user's master key is opened. */
export const UNLOCKERS_SLOT = 'unlockers';
/** Another device may change the backup at the same time, this often in a row. */
const MAX_TRIES = 4;

/** `none`: no code was made; `made`; `locked`: one was made elsewhere, and has not been entered on this device. @typedef {'none' | 'made' | 'locked'} RecoveryStanding */

export class Recovery {
  #parts;
  #opened;

  /**
   * @param {{ keys: Keys, delivery: Delivery }} parts
   * @param {() => void} opened called when this device has the master key, by whatever way; perhaps more than once
   */
  constructor(parts, opened = () => {}) {
    this.#parts = parts;
    this.#opened = opened;
  }

  /** @returns {Promise<RecoveryStanding>} */
  async standing() {
    const { keys, delivery } = this.#parts;
    const backup = await delivery.backup(UNLOCKERS_SLOT);
    if (backup === null) return 'none';
    const { unlockers } = await keys.ask({ op: 'ways', blob: backup.blob }, 'ways');
    if (!unlockers.some(isCode)) return 'none';
    return (await this.#hasMasterKey()) ? 'made' : 'locked';
  }

  /**
   * A new one, which opens the keys from now on; one that was kept before does too, until this one is.
   * @returns {Promise<{ id: Base64, code: string }>} `code`: to be shown once, and kept nowhere; rejects with KeysRefused `no_identity`
   */
  async make() {
    const { keys } = this.#parts;
    await keys.ask({ op: 'backup_begin' }, 'done').catch((error) => {
      if (!(error instanceof KeysRefused) || error.code !== 'already_there') throw error;
    });
    const { unlockers } = await this.#takeIn();
    // Of those before, the first was kept; later ones were shown, and nobody said so.
    for (const { id } of unlockers.filter(isCode).slice(1)) await keys.ask({ op: 'remove_unlocker', unlocker: id }, 'done');
    const { id, code } = await keys.ask({ op: 'add_recovery_code' }, 'unlocker');
    if (code === null) throw new KeysRefused('unexpected');
    await this.#upload();
    this.#opened();
    return { id, code };
  }

  /** The person has written it down: those before open nothing any more. @param {Base64} id */
  async kept(id) {
    const { unlockers } = await this.#takeIn();
    for (const older of unlockers.filter(isCode)) if (older.id !== id) await this.#parts.keys.ask({ op: 'remove_unlocker', unlocker: older.id }, 'done');
    await this.#upload();
  }

  /** On a device that another vouched for: it has the identity afterwards, and can vouch for others. @param {string} code */
  async enter(code) {
    const backup = await this.#parts.delivery.backup(UNLOCKERS_SLOT);
    if (backup === null) throw new KeysRefused('no_backup');
    await this.#parts.keys.ask({ op: 'unlock', blob: backup.blob, secret: { kind: 'recovery_code', secret: code } }, 'done');
    this.#opened();
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
    return { version: there?.version ?? 0, ...backup };
  }

  async #upload() {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const { version, blob } = await this.#takeIn();
      if (await this.#parts.delivery.keepBackup(UNLOCKERS_SLOT, version, blob)) return;
    }
    throw new KeysRefused('backup_changed');
  }
}

/** @param {{ kind: string }} unlocker */
function isCode({ kind }) {
  return kind === 'recovery_code';
}
