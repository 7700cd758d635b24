/** What a call needs in an encrypted room: the keys of this device, and a media worker of its own. Wired once, in `main.js`. */

/** @import { KeysAccount } from './keys/account.js' */
/** @import { KeysStore } from './keys/store.js' */
/** @import { Shielding } from './call.js' */

import { MediaShield, isSupported, startMediaWorker } from '../e2ee/media/page.js';
import { ShieldedStay } from './shielded-stay.js';

/** The first log-in of a browser makes keys; a wait beyond that is tried again. */
const PATIENCE_MS = 15_000;

/** Why a call cannot be joined yet, or at all. */
class NotReady extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/**
 * @param {KeysStore} keys
 * @returns {Shielding}
 */
export function shielding(keys) {
  return {
    isSupported,
    ready: async (room) => {
      if (!isSupported()) throw new NotReady('encryption_unsupported');
      const account = await accountOf(keys);
      if ((await account.sync(room)) === null) throw new NotReady('not_let_in');
      return account;
    },
    open: () => {
      const { port1, port2 } = new MessageChannel();
      return new ShieldedStay(new MediaShield(startMediaWorker(), port1), port2);
    },
  };
}

/** @param {KeysStore} keys @returns {Promise<KeysAccount>} */
function accountOf(keys) {
  return new Promise((resolve, reject) => {
    /** @type {Partial<Record<typeof keys.status, string>>} */
    const refusals = { unvouched: 'device_unconfirmed', out: 'device_unconfirmed', failed: 'keys_failed' };
    const end = () => {
      clearTimeout(timer);
      keys.removeEventListener('change', look);
    };
    const look = () => {
      const refusal = refusals[keys.status];
      if (keys.account === null && refusal === undefined) return;
      end();
      if (keys.account !== null) resolve(keys.account);
      else reject(new NotReady(refusal ?? 'keys_failed'));
    };
    const timer = setTimeout(() => {
      end();
      reject(new NotReady('keys_starting'));
    }, PATIENCE_MS);
    keys.addEventListener('change', look);
    look();
  });
}
