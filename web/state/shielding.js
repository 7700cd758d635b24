/** What a call needs in an encrypted room: the keys of this device, and a media worker of its own. Wired once, in `main.js`. */

/** @import { KeysAccount } from './keys/account.js' */
/** @import { KeysStore } from './keys/store.js' */
/** @import { Shielding } from './call.js' */

import { MediaShield, isSupported, startMediaWorker } from '../e2ee/media/page.js';
import { ApiError } from '../net/api.js';
import { OnlyWindow, isFree } from './browser-lock.js';
import { ShieldedStay } from './shielded-stay.js';

/** The first log-in of a browser makes keys; a wait beyond that is tried again. */
const PATIENCE_MS = 15_000;
/** What failed is tried again by itself, as where the browser closed the storage of a page in the background. */
const MENDING_MS = 3_000;

/** Why this device is not in the room's group. */
const WRONG = { none: 'not_let_in', not_strict: 'keys_not_strict', not_ours: 'keys_not_ours', rolled_back: 'keys_rolled_back' };

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
  /** Of the join that was begun last: it keeps the other windows of this browser out. @type {OnlyWindow | null} */
  let hold = null;
  /** Of the same: rejects where the person has to decide something first. @type {Promise<void>} */
  let sound = Promise.resolve();
  /** Rooms in whose call no other window was as the person looked at themselves: who joins goes ahead, and leaves again should it be otherwise by then. @type {Set<string>} */
  const free = new Set();
  const mediaWorker = spareWorker();
  return {
    isSupported,
    prepare: (room) => {
      mediaWorker.start();
      // What fails now is tried again by whoever joins.
      if (isSupported()) void makeReady(keys, room, free).catch(() => {});
    },
    ready: async (room, isWanted) => {
      if (!isSupported()) throw new NotReady('encryption_unsupported');
      const account = await accountOf(keys);
      const { look, newcomers } = await passing(() => upToDate(account, room));
      if (look === null) throw new NotReady(WRONG[account.wrongIn(room) ?? 'none']);
      notContradicted(account, room);
      // Another window may have found a contradiction. Who joins goes ahead meanwhile, and leaves again, having said nothing, should it be so.
      const looked = passing(() => account.lookAtLog()).then(() => notContradicted(account, room));
      looked.catch(() => {});
      // Nothing is said before the person has seen who came.
      if (look.strict && newcomers.length > 0) throw new NotReady('newcomers');
      // Whoever left meanwhile takes nothing up, and nothing that a later join holds is theirs to let go of.
      if (!isWanted()) return account;
      hold?.release();
      const own = new OnlyWindow(callName(account, room));
      [hold, sound] = [own, looked];
      if (!free.delete(room)) await own.held;
      if (!isWanted()) own.release();
      return account;
    },
    open: () => {
      const { port1, port2 } = new MessageChannel();
      const held = hold;
      hold = null;
      return new ShieldedStay(new MediaShield(mediaWorker.take(), port1), port2, held, sound);
    },
  };
}

/** @param {KeysStore} keys @param {string} room @param {Set<string>} free */
async function makeReady(keys, room, free) {
  const account = await accountOf(keys);
  if (await isFree(callName(account, room))) free.add(room);
  else free.delete(room);
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

/** @param {KeysAccount} account @param {string} room */
async function upToDate(account, room) {
  const look = await account.syncedLately(room);
  return { look, newcomers: look?.strict ? await account.people.newcomersIn(room) : [] };
}

/** As with what is written: first the person decides. @param {KeysAccount} account @param {string} room */
function notContradicted(account, room) {
  if (account.isContradictedIn(room)) throw new NotReady('split_view');
}

/** What fails for the moment is tried again. @template T @param {() => Promise<T>} act @returns {Promise<T>} */
async function passing(act) {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 401) throw error;
    throw new NotReady('keys_starting');
  }
}

/** A device is in a call once: two windows of one browser would put each other out. @param {KeysAccount} account @param {string} room */
const callName = ({ user }, room) => `webcall-call-${user}-${room}`;

/** @param {KeysStore} keys @returns {Promise<KeysAccount>} */
function accountOf(keys) {
  return new Promise((resolve, reject) => {
    /** @type {Partial<Record<typeof keys.status, string>>} */
    const refusals = { unvouched: 'device_unconfirmed', out: 'device_unconfirmed' };
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let mending;
    const end = () => {
      for (const timer of [patience, mending]) clearTimeout(timer);
      keys.removeEventListener('change', look);
    };
    /** @param {string} code */
    const refuse = (code) => {
      end();
      reject(new NotReady(code));
    };
    const look = () => {
      const { account, status } = keys;
      const refusal = refusals[status];
      if (account !== null) {
        end();
        resolve(account);
      } else if (refusal !== undefined) refuse(refusal);
      else if (status === 'failed') mending ??= setTimeout(() => refuse('keys_failed'), MENDING_MS);
    };
    const patience = setTimeout(() => refuse('keys_starting'), PATIENCE_MS);
    keys.addEventListener('change', look);
    look();
  });
}
