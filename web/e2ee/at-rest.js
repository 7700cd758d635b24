/**
 * What a browser keeps to be read later stands there sealed: AES-256-GCM, under a key of its database which the browser does not give out
 * (`extractable: false`). What it is ordered and found by stays clear: ids and
 * numbers, which the server knows too.
 *
 * It keeps texts and names out of what reads or copies the database: tools, backups of a database, an export by a script. Who has the
 * browser's whole profile has the key with it. When the key is deleted, at log-out, nothing can be read any more, whatever is left of the rest.
 *
 * Each value is bound to its place, so that one that was moved is not opened. Random nonces: fine for 2³² values a key.
 */

import { done, finished } from './indexed.js';

const KEYS = 'keys';
const KEY = 'copy';
const NONCE_BYTES = 12;
const ENCODER = new TextEncoder();

/** @typedef {Uint8Array<ArrayBuffer>} Sealed the nonce, then the ciphertext with its tag */

export class AtRest {
  #key;

  /** @param {CryptoKey} key */
  constructor(key) {
    this.#key = key;
  }

  /**
   * With the key that is kept in the store `keys`, or a new one. Rejects where there is no cryptography (no secure context) or the browser keeps no keys.
   * @param {IDBDatabase} database
   * @returns {Promise<AtRest>}
   */
  static async of(database) {
    const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(KEYS, 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore(KEYS);
      const request = store.get(KEY);
      // Looked up and put in one transaction: of two windows that open a new copy both use the key of the first.
      request.onsuccess = () => {
        if (request.result === undefined) store.put(fresh, KEY);
      };
      transaction.oncomplete = () => resolve(new AtRest(request.result ?? fresh));
      transaction.onabort = () => reject(transaction.error);
    });
  }

  /**
   * @param {unknown} value JSON
   * @param {string} place where it is kept
   * @returns {Promise<Sealed>}
   */
  async seal(value, place) {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const text = bytesOf(JSON.stringify(value));
    const ciphertext = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: bytesOf(place) }, this.#key, text);
    const sealed = new Uint8Array(NONCE_BYTES + ciphertext.byteLength);
    sealed.set(nonce);
    sealed.set(new Uint8Array(ciphertext), NONCE_BYTES);
    return sealed;
  }

  /**
   * @param {Sealed | undefined} sealed
   * @param {string} place
   * @returns {Promise<any>} undefined: it is not what was sealed for this place
   */
  async open(sealed, place) {
    if (!(sealed instanceof Uint8Array)) return undefined;
    const [nonce, ciphertext] = [sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES)];
    try {
      const text = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce, additionalData: bytesOf(place) }, this.#key, ciphertext);
      return JSON.parse(new TextDecoder().decode(text));
    } catch {
      return undefined;
    }
  }
}

/** @param {IDBDatabase} database being upgraded */
export function makeKeyStore(database) {
  database.createObjectStore(KEYS);
}

/**
 * Delete a database: first its key, durably, then everything, which waits until other windows let go of it.
 * @param {string} name
 * @param {IDBFactory} factory
 */
export async function deleteSealed(name, factory) {
  const opening = factory.open(name);
  // Another window has deleted it meanwhile: it is not to be made anew, with nothing in it.
  opening.onupgradeneeded = () => opening.transaction?.abort();
  const keyless = done(opening).then((database) => forgetKey(database).finally(() => database.close()));
  // What has no key that could be deleted is deleted all the same.
  await keyless.catch(() => {});
  await done(factory.deleteDatabase(name));
}

/** @param {IDBDatabase} database */
async function forgetKey(database) {
  if (!database.objectStoreNames.contains(KEYS)) return;
  const transaction = database.transaction(KEYS, 'readwrite', { durability: 'strict' });
  transaction.objectStore(KEYS).clear();
  await finished(transaction);
}

/** @param {string} text */
function bytesOf(text) {
  return ENCODER.encode(text);
}
