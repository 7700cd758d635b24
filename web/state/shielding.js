/** What a call needs in an encrypted room: the keys of this device, and a media worker of its own. Wired once, in `main.js`. */

/** @import { KeysAccount } from './keys/account.js' */
/** @import { KeysStore } from './keys/store.js' */
/** @import { Shielding } from './call.js' */

import { MediaShield, isSupported, startMediaWorker } from '../e2ee/media/page.js';
import { ApiError } from '../net/api.js';
import { ShieldedStay } from './shielded-stay.js';

/** The first log-in of a browser makes keys; a wait beyond that is tried again. */
const PATIENCE_MS = 15_000;
/** How often it is tried to be the only window in a call, and how long after one another. */
const MAX_HOLDS = 5;
const HOLD_AGAIN_MS = 200;

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
  let release = () => {};
  const mediaWorker = spareWorker();
  return {
    isSupported,
    prepare: (room) => {
      mediaWorker.start();
      // What fails now is tried again by whoever joins.
      if (isSupported()) void makeReady(keys, room).catch(() => {});
    },
    ready: async (room, isWanted) => {
      if (!isSupported()) throw new NotReady('encryption_unsupported');
      const account = await accountOf(keys);
      if ((await upToDate(account, room)) === null) throw new NotReady('not_let_in');
      // Whoever left meanwhile takes nothing up, and nothing that a later join holds is theirs to let go of.
      if (!isWanted()) return account;
      release();
      const held = await alone(`webcall-call-${account.user}-${room}`);
      if (isWanted()) release = held;
      else held();
      return account;
    },
    open: () => {
      const { port1, port2 } = new MessageChannel();
      const held = release;
      release = () => {};
      return new ShieldedStay(new MediaShield(mediaWorker.take(), port1), port2, held);
    },
  };
}

/** @param {KeysStore} keys @param {string} room */
async function makeReady(keys, room) {
  const account = await accountOf(keys);
  if ((await account.sync(room)) !== null) await account.rehearse(room);
}

/**
 * A media worker that loads its modules while the person still looks at themselves; each stay takes one of its own. One that did not load is
 * no spare: the stay's own try says what is wrong.
 */
function spareWorker() {
  /** @type {Worker | null} */
  let spare = null;
  return {
    start: () => {
      if (spare !== null || !isSupported()) return;
      const worker = startMediaWorker();
      worker.onerror = () => {
        if (spare === worker) spare = null;
      };
      spare = worker;
    },
    take: () => {
      const worker = spare ?? startMediaWorker();
      spare = null;
      return worker;
    },
  };
}

/** What fails for the moment is tried again. @param {KeysAccount} account @param {string} room */
async function upToDate(account, room) {
  try {
    return await account.syncedLately(room);
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 401) throw error;
    throw new NotReady('keys_starting');
  }
}

/**
 * A device is in a call once: two windows of one browser would put each other out.
 * @param {string} name
 * @returns {Promise<() => void>} lets go
 */
async function alone(name) {
  const { locks } = /** @type {{ locks?: LockManager }} */ (globalThis.navigator);
  if (!locks) return () => {};
  for (let tries = 0; tries < MAX_HOLDS; tries += 1) {
    const held = await holdOf(locks, name);
    if (held !== null) return held;
    // This window's own stay before may be letting go of it.
    await new Promise((resolve) => setTimeout(resolve, HOLD_AGAIN_MS));
  }
  throw new NotReady('in_call_elsewhere');
}

/** @param {LockManager} locks @param {string} name @returns {Promise<(() => void) | null>} null: another holds it */
function holdOf(locks, name) {
  return new Promise((resolve) => {
    /** @param {Lock | null} lock */
    const hold = (lock) => {
      if (lock === null) return resolve(null);
      return new Promise((release) => resolve(() => release(undefined)));
    };
    void locks.request(name, { ifAvailable: true }, hold);
  });
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
