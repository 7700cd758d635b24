/**
 * Sealed states in IndexedDB, one database a user. The key that seals them is itself wrapped by one that the browser does not give out
 * (`extractable: false`): who copies the database alone cannot open it.
 */

/** @import { Base64, Kept, StateStorage } from './interface.js' */

import { done, finished } from '../indexed.js';

const STATES = 'states';
const KEYS = 'keys';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

/** @typedef {{ wrapper: CryptoKey, nonce: Uint8Array<ArrayBuffer>, wrapped: ArrayBuffer }} WrappedKey */

/** @implements {StateStorage} */
export class IndexedStates {
  #database;
  #lock;
  #isClosed = false;

  /**
   * @param {IDBDatabase} database
   * @param {string} lock its name among all pages of this origin
   */
  constructor(database, lock) {
    this.#database = database;
    this.#lock = lock;
    database.onclose = () => (this.#isClosed = true);
  }

  /** By the browser, as under a page in the background: nothing is read or written here any more, and it is to be opened anew. */
  get isClosed() {
    return this.#isClosed;
  }

  /** @param {string} user */
  static async of(user) {
    const name = `webcall-keys-${user}`;
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(STATES);
      opening.result.createObjectStore(KEYS);
    };
    return new IndexedStates(await done(opening), name);
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} */
  async stateKey() {
    return this.alone(async () => {
      /** @type {WrappedKey | undefined} */
      const found = await done(this.#store(KEYS, 'readonly').get('state'));
      return found ? unwrap(found) : this.#makeKey();
    });
  }

  async #makeKey() {
    const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    const wrapper = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, wrapper, key);
    const transaction = this.#begin(KEYS, 'readwrite');
    transaction.objectStore(KEYS).put({ wrapper, nonce, wrapped }, 'state');
    await finished(transaction);
    return key;
  }

  /** @returns {Promise<number>} */
  async version() {
    return (await done(this.#store(STATES, 'readonly').get('version'))) ?? 0;
  }

  /** @param {string} name @returns {Promise<Base64 | null>} */
  async read(name) {
    return (await done(this.#store(STATES, 'readonly').get(`state/${name}`))) ?? null;
  }

  /** @param {Kept[]} kept */
  async write(kept) {
    const version = (await this.version()) + 1;
    const transaction = this.#begin(STATES, 'readwrite');
    const store = transaction.objectStore(STATES);
    for (const { name, sealed } of kept) {
      if (sealed === null) store.delete(`state/${name}`);
      else store.put(sealed, `state/${name}`);
    }
    store.put(version, 'version');
    await finished(transaction);
    return version;
  }

  /**
   * @template T
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  async alone(act) {
    return navigator.locks.request(this.#lock, act);
  }

  /**
   * @param {string} name
   * @param {IDBTransactionMode} mode
   */
  #store(name, mode) {
    return this.#begin(name, mode).objectStore(name);
  }

  /**
   * @param {string} name
   * @param {IDBTransactionMode} mode
   */
  #begin(name, mode) {
    try {
      return this.#database.transaction(name, mode, mode === 'readwrite' ? { durability: 'strict' } : {});
    } catch (error) {
      // It may be closed before the event says so.
      this.#isClosed ||= error instanceof DOMException && error.name === 'InvalidStateError';
      throw error;
    }
  }
}

/** @param {WrappedKey} key */
async function unwrap({ wrapper, nonce, wrapped }) {
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce }, wrapper, wrapped));
}
