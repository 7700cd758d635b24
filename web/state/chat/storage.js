/**
 * The local copy of an account's conversations in IndexedDB: entries, which of them are held, the outbox, drafts, read markers, names.
 *
 * One database an account; deleted at log-out. Several windows use it at once: whatever must hold together is one transaction here. Decides
 * nothing. `MemoryStorage` has the same methods, for browsers that refuse a database.
 */

/** @import { Room } from '../../api.js' */
/** @import { Draft, Person } from './interface.js' */
/** @import { OutboxItem } from './outbox.js' */
/** @import { Range } from './ranges.js' */
/** @import { LogRecord } from './records.js' */

import { withRange, withoutBelow } from './ranges.js';
import { emptied, isOpenedMessage, remembered } from './records.js';

const PREFIX = 'webcall-chat-';
/** Rises when the stores change. An older database gets what it lacks: the outbox and drafts are nowhere else. */
const VERSION = 2;
const STORES = ['entries', 'ranges', 'rooms', 'members', 'drafts', 'reads', 'outbox', 'blobs'];

/** @typedef {'rooms' | 'members' | 'drafts' | 'reads'} SmallStore kept by room */
/** @typedef {{ rooms: Room[], members: { room: string, members: Person[] }[], drafts: (Draft & { room: string })[], reads: { room: string, seq: number }[], ranges: { room: string, ranges: Range[] }[] }} Kept */
/** @typedef {import('./storage-memory.js').MemoryStorage | IndexedStorage} ChatStorage */

export class IndexedStorage {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
    // Another window deletes or renews it: let it, at once.
    database.onversionchange = () => database.close();
  }

  /**
   * @param {string} user
   * @param {IDBFactory} factory
   * @returns {Promise<IndexedStorage>}
   */
  static async open(user, factory) {
    const request = factory.open(PREFIX + user, VERSION);
    request.onupgradeneeded = ({ oldVersion }) => makeStores(request.result, oldVersion);
    return new IndexedStorage(await done(request));
  }

  /** Everything that is small. @returns {Promise<Kept>} */
  async load() {
    const names = /** @type {const} */ (['rooms', 'members', 'drafts', 'reads', 'ranges']);
    const transaction = this.#database.transaction(names);
    const [rooms, members, drafts, reads, ranges] = await Promise.all(names.map((name) => done(transaction.objectStore(name).getAll())));
    return { rooms: rooms ?? [], members: members ?? [], drafts: drafts ?? [], reads: reads ?? [], ranges: ranges ?? [] };
  }

  /** @param {string} room @returns {Promise<Range[]>} */
  async ranges(room) {
    return (await done(this.#read('ranges').get(room)))?.ranges ?? [];
  }

  /** Whether entries were dropped, all that were here, and no message was opened since. @param {string} room @returns {Promise<boolean>} */
  async wasHeld(room) {
    return (await done(this.#read('ranges').get(room)))?.wasHeld === true;
  }

  /**
   * Keep entries that follow one another without a gap. What a deletion among them takes away is wiped, and what the outbox had of them removed.
   * @param {string} room
   * @param {readonly LogRecord[]} records
   * @returns {Promise<Range[]>} all that is held of the room now
   */
  async putEntries(room, records) {
    const transaction = this.#database.transaction(['entries', 'ranges', 'outbox', 'blobs'], 'readwrite');
    const entries = transaction.objectStore('entries');
    const gone = new Set(records.filter(({ kind }) => kind === 'deletion').map(({ about }) => about));
    for (const record of records) {
      keep(entries, gone.has(record.id) ? emptied(record) : record);
      if (record.kind === 'message') unqueue(transaction, record.id);
    }
    for (const id of gone) if (id !== null) wipe(entries, room, id);
    const ranges = transaction.objectStore('ranges');
    /** @type {Range[]} */
    let held = [];
    ranges.get(room).onsuccess = (event) => {
      const before = /** @type {IDBRequest} */ (event.target).result;
      held = withRange(before?.ranges ?? [], [records[0]?.seq ?? 1, records.at(-1)?.seq ?? 0]);
      ranges.put({ room, ranges: held, wasHeld: before?.wasHeld === true && !records.some(isOpenedMessage) });
    };
    await finished(transaction);
    return held;
  }

  /**
   * The newest entries up to `last`, ascending.
   * @param {string} room
   * @param {number} first
   * @param {number} last
   * @returns {Promise<LogRecord[]>}
   */
  entries(room, first, last) {
    return first > last ? Promise.resolve([]) : done(this.#read('entries').getAll(between([room, first], [room, last])));
  }

  /** @param {string} room @param {string} id @returns {Promise<LogRecord | undefined>} */
  find(room, id) {
    return done(this.#read('entries').index('by_id').get([room, id]));
  }

  /** All under this id: only the server says that ids are unique. @param {string} room @param {string} id @returns {Promise<LogRecord[]>} */
  findAll(room, id) {
    return done(this.#read('entries').index('by_id').getAll([room, id]));
  }

  /** The next entries of all rooms after this key, for building an index. @param {[string, number]} after @param {number} limit @returns {Promise<LogRecord[]>} */
  scan(after, limit) {
    return done(this.#read('entries').getAll(globalThis.IDBKeyRange.lowerBound(after, true), limit));
  }

  /** @param {readonly [string, number][]} keys @returns {Promise<LogRecord[]>} those that are there */
  async pick(keys) {
    const entries = this.#read('entries');
    return (await Promise.all(keys.map((key) => done(entries.get([...key]))))).filter(Boolean);
  }

  /** @param {string} room @param {number} first the first that the server still has */
  async dropBelow(room, first) {
    const transaction = this.#database.transaction(['entries', 'ranges'], 'readwrite');
    transaction.objectStore('entries').delete(between([room, 0], [room, first - 1]));
    const ranges = transaction.objectStore('ranges');
    ranges.get(room).onsuccess = (event) => {
      const before = /** @type {IDBRequest} */ (event.target).result;
      const rest = withoutBelow(before?.ranges ?? [], first);
      if (before) ranges.put({ room, ranges: rest, wasHeld: before.wasHeld === true || (before.ranges.length > 0 && rest.length === 0) });
    };
    await finished(transaction);
  }

  /** The entries alone: they are fetched anew. That there were some stays known. @param {string} room */
  async dropEntries(room) {
    const transaction = this.#database.transaction(['entries', 'ranges'], 'readwrite');
    transaction.objectStore('entries').delete(between([room, 0], [room, Infinity]));
    transaction.objectStore('ranges').put({ room, ranges: [], wasHeld: true });
    await finished(transaction);
  }

  /** Everything of a room. @param {string} room */
  async dropRoom(room) {
    const transaction = this.#database.transaction(STORES, 'readwrite');
    transaction.objectStore('entries').delete(between([room, 0], [room, Infinity]));
    for (const name of ['ranges', 'rooms', 'members', 'drafts', 'reads']) transaction.objectStore(name).delete(room);
    const outbox = transaction.objectStore('outbox');
    outbox.index('by_room').getAllKeys(room).onsuccess = (event) => {
      for (const key of /** @type {IDBRequest} */ (event.target).result) outbox.delete(key);
    };
    deleteBlobs(transaction, 'by_room', room);
    await finished(transaction);
  }

  /** @param {SmallStore} store @param {object} value its key is its `room` (of rooms: `id`) */
  async put(store, value) {
    const transaction = this.#database.transaction(store, 'readwrite');
    transaction.objectStore(store).put(value);
    // Without it the transaction of a draft ends with the page that is left, since nobody is there to learn of its request.
    transaction.commit();
    await finished(transaction);
  }

  /** In the order of writing. @returns {Promise<OutboxItem[]>} */
  outbox() {
    return done(this.#read('outbox').getAll());
  }

  /**
   * Durable when it resolves.
   * @param {Omit<OutboxItem, 'order'>} item
   * @param {readonly { id: string, blob: Blob }[]} [blobs] files that are sent with it
   * @returns {Promise<OutboxItem>} with its place in the queue
   */
  async queue(item, blobs = []) {
    const transaction = this.#database.transaction(['outbox', 'blobs'], 'readwrite', { durability: 'strict' });
    const request = transaction.objectStore('outbox').add(item);
    for (const { id, blob } of blobs) transaction.objectStore('blobs').add({ id, room: item.room, message: item.id, blob });
    await finished(transaction);
    return { ...item, order: /** @type {number} */ (request.result) };
  }

  /** A file of a waiting message. @param {string} id @returns {Promise<Blob | null>} */
  async blob(id) {
    return (await done(this.#read('blobs').get(id)))?.blob ?? null;
  }

  /** Only if it is still there. @param {OutboxItem} item */
  async requeue(item) {
    const transaction = this.#database.transaction('outbox', 'readwrite');
    const outbox = transaction.objectStore('outbox');
    outbox.getKey(item.order).onsuccess = (event) => {
      if (/** @type {IDBRequest} */ (event.target).result !== undefined) outbox.put(item);
    };
    await finished(transaction);
  }

  /** @param {string} id */
  async unqueue(id) {
    const transaction = this.#database.transaction(['outbox', 'blobs'], 'readwrite');
    unqueue(transaction, id);
    await finished(transaction);
  }

  close() {
    this.#database.close();
  }

  /** @param {string} store */
  #read(store) {
    return this.#database.transaction(store).objectStore(store);
  }
}

/**
 * Delete the local copies of all accounts but one (null: of all). Waits until other windows let go of them.
 * @param {string | null} user
 * @param {IDBFactory} factory
 */
export async function forgetStorages(user, factory) {
  const there = await factory.databases();
  const others = there.flatMap(({ name }) => (name?.startsWith(PREFIX) && name !== PREFIX + user ? [name] : []));
  await Promise.all(others.map((name) => done(factory.deleteDatabase(name))));
}

/**
 * @param {IDBDatabase} database
 * @param {number} oldVersion 0: it is new
 */
function makeStores(database, oldVersion) {
  if (oldVersion < 1) makeFirstStores(database);
  const blobs = database.createObjectStore('blobs', { keyPath: 'id' });
  blobs.createIndex('by_message', 'message');
  blobs.createIndex('by_room', 'room');
}

/** @param {IDBDatabase} database */
function makeFirstStores(database) {
  const entries = database.createObjectStore('entries', { keyPath: ['room', 'seq'] });
  entries.createIndex('by_id', ['room', 'id']);
  // Entries that are about nothing have null there, which is no key: they are not in this index.
  entries.createIndex('by_about', ['room', 'about']);
  database.createObjectStore('rooms', { keyPath: 'id' });
  for (const name of ['ranges', 'members', 'drafts', 'reads']) database.createObjectStore(name, { keyPath: 'room' });
  const outbox = database.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true });
  outbox.createIndex('by_id', 'id', { unique: true });
  outbox.createIndex('by_room', 'room');
}

/**
 * What is known of a deleted message stays known when it comes once more.
 * @param {IDBObjectStore} entries
 * @param {LogRecord} record
 */
function keep(entries, record) {
  if (record.kind !== 'message' || record.content !== null) return void entries.put(record);
  entries.get([record.room, record.seq]).onsuccess = (event) => {
    entries.put(remembered(record, /** @type {IDBRequest} */ (event.target).result));
  };
}

/**
 * The text of a deleted message, and of its edits by whomever, is not kept.
 * @param {IDBObjectStore} entries
 * @param {string} room
 * @param {string} id
 */
function wipe(entries, room, id) {
  /** @param {Event} event */
  const empty = (event) => {
    for (const record of /** @type {IDBRequest<LogRecord[]>} */ (event.target).result) {
      if (record.kind === 'message' && record.content !== null) entries.put(emptied(record));
    }
  };
  entries.index('by_id').getAll([room, id]).onsuccess = empty;
  entries.index('by_about').getAll([room, id]).onsuccess = empty;
}

/** @param {IDBTransaction} transaction @param {string} id */
function unqueue(transaction, id) {
  const outbox = transaction.objectStore('outbox');
  outbox.index('by_id').getKey(id).onsuccess = (event) => {
    const key = /** @type {IDBRequest} */ (event.target).result;
    if (key !== undefined) outbox.delete(key);
  };
  deleteBlobs(transaction, 'by_message', id);
}

/** @param {IDBTransaction} transaction @param {'by_message' | 'by_room'} index @param {string} key */
function deleteBlobs(transaction, index, key) {
  const blobs = transaction.objectStore('blobs');
  blobs.index(index).getAllKeys(key).onsuccess = (event) => {
    for (const id of /** @type {IDBRequest} */ (event.target).result) blobs.delete(id);
  };
}

/** @param {[string, number]} first @param {[string, number]} last */
function between(first, last) {
  return globalThis.IDBKeyRange.bound(first, last);
}

/**
 * @param {IDBRequest<any>} request
 * @returns {Promise<any>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
