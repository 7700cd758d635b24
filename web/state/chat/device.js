/** What the chat needs of the browser: its database, its other windows, its clock. Replaced in tests. */

/** @import { ChatStorage } from './storage.js' */

import { browserSurroundings } from '../../net/api.js';
import { MemoryStorage } from './storage-memory.js';
import { IndexedStorage, forgetStorages } from './storage.js';

/** A database that does not open by then (another window holds it in an old version) is done without. */
const OPEN_TIMEOUT_MS = 3_000;

/**
 * @typedef {object} Channel
 * @property {(message: any) => void} postMessage
 * @property {((event: MessageEvent) => void) | null} onmessage
 * @property {() => void} close
 */

/**
 * @typedef {object} Device
 * @property {(user: string) => Promise<ChatStorage>} open the local copy of an account
 * @property {(user: () => string | null) => Promise<void>} forgetAllBut delete the local copies of all other accounts
 * @property {(user: string) => Channel | null} channel to the other windows of the account
 * @property {<T>(name: string, act: () => Promise<T>) => Promise<T>} exclusively runs `act` while no other window runs its own
 * @property {(ms: number) => Promise<void>} pause
 * @property {() => number} now
 * @property {() => number} random
 * @property {() => boolean} tellsRead whether the person lets others see what they have read
 */

/** @param {import('../preferences.js').Preferences} preferences @returns {Device} */
export function browserDevice(preferences) {
  const factory = databases();
  return {
    open: async (user) => (factory === null ? new MemoryStorage() : openOrDoWithout(user, factory)),
    forgetAllBut: async (user) => {
      if (factory !== null) await forgetStorages(user, factory).catch(() => {});
    },
    channel: (user) => ('BroadcastChannel' in globalThis ? new BroadcastChannel(`webcall-chat-${user}`) : null),
    exclusively: browserSurroundings().exclusively,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    now: () => Date.now(),
    random: () => Math.random(),
    tellsRead: () => preferences.get('receipts') === 'on',
  };
}

/** Some browsers throw at the mention of it. @returns {IDBFactory | null} */
export function databases() {
  try {
    return globalThis.indexedDB ?? null;
  } catch {
    return null;
  }
}

/** @param {string} user @param {IDBFactory} factory @returns {Promise<ChatStorage>} */
async function openOrDoWithout(user, factory) {
  const late = new Promise((_, reject) => setTimeout(reject, OPEN_TIMEOUT_MS));
  try {
    return await /** @type {Promise<IndexedStorage>} */ (Promise.race([IndexedStorage.open(user, factory), late]));
  } catch {
    return new MemoryStorage();
  }
}
