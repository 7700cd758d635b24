/**
 * What is kept for notices, in a database of its own, of the user who is signed in: for each encrypted room the key of its newest epoch, which the
 * browser does not give out, and, sealed (`at-rest.js`), the devices in it and the names that people go by. The worker of the keys writes it; the
 * service worker reads it; at log-out all of it goes, its key first.
 */

/** @import { NoticeDevice, NoticeNames, NoticeOwner, Opening } from './interface.js' */

import { AtRest, deleteSealed, makeKeyStore } from '../at-rest.js';
import { done, finished } from '../indexed.js';

const NAME = 'webcall-notices';
const VERSION = 1;
/** Far more rooms than anybody is told of. Of more those go whose keys changed longest ago: there a notice says only that there is a message. */
export const MAX_ROOMS = 500;

/**
 * `turn`: how many were written before it, so that the oldest is found; rows of an earlier version have none, and are older than those that do.
 * @typedef {{ room: string, epoch: number, key: CryptoKey, sealed: import('../at-rest.js').Sealed, turn?: number }} Row
 */

export class NoticeKeep {
  #database;
  #rest;

  /** @param {IDBDatabase} database @param {AtRest} rest */
  constructor(database, rest) {
    this.#database = database;
    this.#rest = rest;
    database.onversionchange = () => database.close();
  }

  /** @param {IDBFactory} factory @returns {Promise<NoticeKeep>} */
  static async open(factory) {
    const request = factory.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      makeKeyStore(request.result);
      request.result.createObjectStore('rooms', { keyPath: 'room' });
      request.result.createObjectStore('owner');
    };
    /** @type {IDBDatabase} */
    const database = await done(request);
    return new NoticeKeep(database, await AtRest.of(database));
  }

  /** Of a room whose keys are new, or whose names. What is there of another user goes. @param {NoticeOwner} owner @param {Opening} opening @param {NoticeNames} names */
  async put({ user, language }, { room, epoch, key, members }, names) {
    const sealed = await this.#rest.seal({ members: members.map(written), names }, placeOf(room, epoch));
    const transaction = this.#database.transaction(['rooms', 'owner'], 'readwrite');
    const [rooms, owners] = [transaction.objectStore('rooms'), transaction.objectStore('owner')];
    owners.get('user').onsuccess = (event) => {
      const before = /** @type {IDBRequest} */ (event.target).result;
      if (before !== undefined && before !== user) rooms.clear();
      owners.put(user, 'user');
      owners.put(language, 'language');
    };
    owners.get('turn').onsuccess = (event) => {
      const turn = (/** @type {IDBRequest<number | undefined>} */ (event.target).result ?? 0) + 1;
      owners.put(turn, 'turn');
      rooms.put({ room, epoch, key, sealed, turn });
      rooms.count().onsuccess = (counted) => {
        if (/** @type {IDBRequest<number>} */ (counted.target).result > MAX_ROOMS) dropOldest(rooms);
      };
    };
    await finished(transaction);
  }

  /** This device is no longer in it. @param {string} room */
  async drop(room) {
    const transaction = this.#database.transaction('rooms', 'readwrite');
    transaction.objectStore('rooms').delete(room);
    await finished(transaction);
  }

  /** Of rooms that the person left meanwhile nothing stays. @param {ReadonlySet<string>} rooms those that there are */
  async retain(rooms) {
    const transaction = this.#database.transaction('rooms', 'readwrite');
    const store = transaction.objectStore('rooms');
    store.getAllKeys().onsuccess = (event) => {
      for (const room of /** @type {IDBRequest<string[]>} */ (event.target).result) if (!rooms.has(room)) store.delete(room);
    };
    await finished(transaction);
  }

  /** @param {string} room @returns {Promise<{ opening: Opening, names: NoticeNames } | null>} */
  async find(room) {
    /** @type {Row | undefined} */
    const row = await done(this.#database.transaction('rooms').objectStore('rooms').get(room));
    const opened = row && (await this.#rest.open(row.sealed, placeOf(room, row.epoch)));
    return row && opened ? { opening: { room, epoch: row.epoch, key: row.key, members: opened.members.map(read) }, names: opened.names } : null;
  }

  /** @returns {Promise<string | null>} */
  async language() {
    return (await done(this.#database.transaction('owner').objectStore('owner').get('language'))) ?? null;
  }

  /** What is there of another goes. @param {string} user */
  async forgetAllBut(user) {
    const transaction = this.#database.transaction(['rooms', 'owner'], 'readwrite', { durability: 'strict' });
    const [rooms, owners] = [transaction.objectStore('rooms'), transaction.objectStore('owner')];
    owners.get('user').onsuccess = (event) => {
      if (/** @type {IDBRequest} */ (event.target).result === user) return;
      rooms.clear();
      owners.clear();
    };
    await finished(transaction);
  }

  close() {
    this.#database.close();
  }
}

/**
 * At log-out.
 * @param {IDBFactory} factory
 * @param {() => string | null} user who has signed in since in another window: only what is not theirs goes
 */
export async function forgetNotices(factory, user) {
  const there = await factory.databases();
  if (!there.some(({ name }) => name === NAME)) return;
  const staying = user();
  if (staying === null) return deleteSealed(NAME, factory);
  const keep = await NoticeKeep.open(factory);
  await keep.forgetAllBut(staying).finally(() => keep.close());
}

/** @param {IDBObjectStore} rooms */
function dropOldest(rooms) {
  rooms.getAll().onsuccess = (event) => {
    /** @type {Row[]} */
    const rows = /** @type {IDBRequest} */ (event.target).result;
    const [oldest] = rows.sort((one, other) => (one.turn ?? 0) - (other.turn ?? 0));
    if (oldest !== undefined) rooms.delete(oldest.room);
  };
}

/** @param {NoticeDevice} device */
function written({ leaf, user, device, deviceKey }) {
  return { leaf, user, device: [...device], deviceKey: [...deviceKey] };
}

/** @param {{ leaf: number, user: string, device: number[], deviceKey: number[] }} kept @returns {NoticeDevice} */
function read({ leaf, user, device, deviceKey }) {
  return { leaf, user, device: Uint8Array.from(device), deviceKey: Uint8Array.from(deviceKey) };
}

/** @param {string} room @param {number} epoch */
function placeOf(room, epoch) {
  return `notices ${room} ${epoch}`;
}
