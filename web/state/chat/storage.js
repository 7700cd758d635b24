/**
 * The local copy of an account's conversations in IndexedDB: entries, which of them are held, the outbox, drafts, read markers, names.
 *
 * One database an account; deleted at log-out, its key first. Several windows use it at once: whatever must hold together is one transaction
 * here. Decides nothing. What people wrote and are called stands in it sealed (`at-rest.js`), of all rooms alike; clear is what it is found by:
 * numbers, ids, senders, times. Files that wait are as the server gets them, so those of encrypted rooms are sealed already. `MemoryStorage` has
 * the same methods, for browsers that refuse a database or a key.
 *
 * A transaction ends while something is being sealed. So everything is sealed before its transaction begins, and these begin in the order of the
 * calls: a deletion never comes before the text that it takes away.
 */

/** @import { Room } from '../../api.js' */
/** @import { Draft, Person } from './interface.js' */
/** @import { OutboxItem } from './outbox.js' */
/** @import { Range } from './ranges.js' */
/** @import { LogRecord } from './records.js' */

import { AtRest, deleteSealed, makeKeyStore } from '../../e2ee/at-rest.js';
import { done, finished } from '../../e2ee/indexed.js';
import { withRange, withoutBelow } from './ranges.js';
import { emptied, isOpenedMessage, remembered } from './records.js';

const PREFIX = 'webcall-chat-';
/** Rises when the stores change. Of an older database the outbox and drafts are taken over, which are nowhere else; the rest is fetched anew. */
const VERSION = 3;
const STORES = ['entries', 'ranges', 'rooms', 'members', 'drafts', 'reads', 'outbox', 'blobs'];

/** @typedef {'rooms' | 'members' | 'drafts' | 'reads'} SmallStore kept by room */
/** @typedef {{ rooms: Room[], members: { room: string, members: Person[] }[], drafts: (Draft & { room: string })[], reads: { room: string, seq: number }[], ranges: { room: string, ranges: Range[] }[] }} Kept */
/** @typedef {import('./storage-memory.js').MemoryStorage | IndexedStorage} ChatStorage */
/** @typedef {import('../../e2ee/at-rest.js').Sealed} Sealed */
/** @typedef {Pick<AtRest, 'seal' | 'open'>} Rest */
/** @typedef {Omit<LogRecord, 'content'> & { content: Sealed | null }} EntryRow */
/** @typedef {{ order?: number, id: string, room: string, sealed: Sealed }} OutboxRow */

export class IndexedStorage {
  #database;
  #rest;
  /** The end of what was asked to be written so far. @type {Promise<unknown>} */
  #written = Promise.resolve();
  /** The newest draft of each room, sealed while it is being typed: where a page ends there is no time for it. @type {Map<string, { text: string, row: object | null }>} */
  #ready = new Map();

  /**
   * @param {IDBDatabase} database
   * @param {Rest} rest
   */
  constructor(database, rest) {
    this.#database = database;
    this.#rest = rest;
    // Another window deletes or renews it: let it, at once.
    database.onversionchange = () => database.close();
  }

  /**
   * @param {string} user
   * @param {IDBFactory} factory
   * @param {(database: IDBDatabase) => Promise<Rest>} [restOf] what seals in this database
   * @returns {Promise<IndexedStorage>}
   */
  static async open(user, factory, restOf = (database) => AtRest.of(database)) {
    const request = factory.open(PREFIX + user, VERSION);
    request.onupgradeneeded = ({ oldVersion }) => makeStores(request, oldVersion);
    /** @type {IDBDatabase} */
    const database = await done(request);
    try {
      const storage = new IndexedStorage(database, await restOf(database));
      await storage.#sealOld();
      return storage;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Everything that is small. @returns {Promise<Kept>} */
  async load() {
    const names = /** @type {const} */ (['rooms', 'members', 'drafts', 'reads', 'ranges']);
    const transaction = this.#database.transaction(names);
    const [rooms = [], members = [], drafts = [], reads = [], ranges = []] = await Promise.all(names.map((name) => done(transaction.objectStore(name).getAll())));
    /** @param {'rooms' | 'members' | 'drafts'} store @param {any[]} rows */
    const opened = async (store, rows) => (await Promise.all(rows.map((row) => this.#rest.open(row.sealed, smallPlace(store, row))))).filter(Boolean);
    const [openRooms, openMembers, openDrafts] = await Promise.all([opened('rooms', rooms), opened('members', members), opened('drafts', drafts)]);
    return { rooms: openRooms, members: openMembers, drafts: openDrafts, reads, ranges };
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
  putEntries(room, records) {
    const gone = new Set(records.filter(({ kind }) => kind === 'deletion').map(({ about }) => about));
    const rows = Promise.all(records.map((record) => this.#rowOf(gone.has(record.id) ? emptied(record) : record)));
    return this.#inOrder(rows, (sealed) => this.#putRows(room, records, sealed, gone));
  }

  /** @param {string} room @param {readonly LogRecord[]} records @param {EntryRow[]} rows @param {Set<string | null>} gone */
  async #putRows(room, records, rows, gone) {
    const transaction = this.#database.transaction(['entries', 'ranges', 'outbox', 'blobs'], 'readwrite');
    const entries = transaction.objectStore('entries');
    for (const row of rows) {
      keep(entries, row);
      if (row.kind === 'message') unqueue(transaction, row.id);
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
  async entries(room, first, last) {
    return first > last ? [] : this.#openAll(await done(this.#read('entries').getAll(between([room, first], [room, last]))));
  }

  /** @param {string} room @param {string} id @returns {Promise<LogRecord | undefined>} */
  async find(room, id) {
    const row = await done(this.#read('entries').index('by_id').get([room, id]));
    return row && this.#recordOf(row);
  }

  /** All under this id: only the server says that ids are unique. @param {string} room @param {string} id @returns {Promise<LogRecord[]>} */
  async findAll(room, id) {
    return this.#openAll(await done(this.#read('entries').index('by_id').getAll([room, id])));
  }

  /** The next entries of all rooms after this key, for building an index. @param {[string, number]} after @param {number} limit @returns {Promise<LogRecord[]>} */
  async scan(after, limit) {
    return this.#openAll(await done(this.#read('entries').getAll(globalThis.IDBKeyRange.lowerBound(after, true), limit)));
  }

  /** @param {readonly [string, number][]} keys @returns {Promise<LogRecord[]>} those that are there */
  async pick(keys) {
    const entries = this.#read('entries');
    return this.#openAll((await Promise.all(keys.map((key) => done(entries.get([...key]))))).filter(Boolean));
  }

  /** @param {string} room @param {number} first the first that the server still has */
  dropBelow(room, first) {
    return this.#inOrder(null, async () => {
      const transaction = this.#database.transaction(['entries', 'ranges'], 'readwrite');
      transaction.objectStore('entries').delete(between([room, 0], [room, first - 1]));
      const ranges = transaction.objectStore('ranges');
      ranges.get(room).onsuccess = (event) => {
        const before = /** @type {IDBRequest} */ (event.target).result;
        const rest = withoutBelow(before?.ranges ?? [], first);
        if (before) ranges.put({ room, ranges: rest, wasHeld: before.wasHeld === true || (before.ranges.length > 0 && rest.length === 0) });
      };
      await finished(transaction);
    });
  }

  /** The entries alone: they are fetched anew. That there were some stays known. @param {string} room */
  dropEntries(room) {
    return this.#inOrder(null, async () => {
      const transaction = this.#database.transaction(['entries', 'ranges'], 'readwrite');
      transaction.objectStore('entries').delete(between([room, 0], [room, Infinity]));
      transaction.objectStore('ranges').put({ room, ranges: [], wasHeld: true });
      await finished(transaction);
    });
  }

  /** Everything of a room. @param {string} room */
  dropRoom(room) {
    this.#ready.delete(room);
    return this.#inOrder(null, async () => {
      const transaction = this.#database.transaction(STORES, 'readwrite');
      transaction.objectStore('entries').delete(between([room, 0], [room, Infinity]));
      for (const name of ['ranges', 'rooms', 'members', 'drafts', 'reads']) transaction.objectStore(name).delete(room);
      const outbox = transaction.objectStore('outbox');
      outbox.index('by_room').getAllKeys(room).onsuccess = (event) => {
        for (const key of /** @type {IDBRequest} */ (event.target).result) outbox.delete(key);
      };
      deleteBlobs(transaction, 'by_room', room);
      await finished(transaction);
    });
  }

  /**
   * A draft that was made ready is on its way when this returns, so that it outlives the page.
   * @param {SmallStore} store
   * @param {any} value its key is its `room` (of rooms: `id`)
   * @returns {Promise<void>}
   */
  put(store, value) {
    if (store === 'drafts') {
      const ready = this.#ready.get(value.room);
      if (ready?.row && ready.text === JSON.stringify(value)) return this.#putRow(store, ready.row);
      return this.#inOrder(this.ready(value), () => {
        const row = this.#ready.get(value.room)?.row;
        return row ? this.#putRow(store, row) : undefined;
      });
    }
    return this.#inOrder(store === 'reads' ? value : this.#smallRow(store, value), (row) => this.#putRow(store, row));
  }

  /** Seals a draft, which is kept when `put` is called with it. @param {Draft & { room: string }} draft */
  async ready(draft) {
    const text = JSON.stringify(draft);
    const known = this.#ready.get(draft.room);
    if (known?.text === text && known.row) return;
    this.#ready.set(draft.room, { text, row: null });
    const row = await this.#smallRow('drafts', draft);
    // A newer one may have come meanwhile.
    if (this.#ready.get(draft.room)?.text === text) this.#ready.set(draft.room, { text, row });
  }

  /** In the order of writing. @returns {Promise<OutboxItem[]>} */
  async outbox() {
    /** @type {(OutboxRow & { order: number })[]} */
    const rows = await done(this.#read('outbox').getAll());
    const items = await Promise.all(rows.map(async ({ order, id, sealed }) => ({ order, item: await this.#rest.open(sealed, `outbox ${id}`) })));
    return items.flatMap(({ order, item }) => (item ? [{ ...item, order }] : []));
  }

  /**
   * Durable when it resolves.
   * @param {Omit<OutboxItem, 'order'>} item
   * @param {readonly { id: string, blob: Blob }[]} [blobs] files that are sent with it
   * @returns {Promise<OutboxItem>} with its place in the queue
   */
  queue(item, blobs = []) {
    return this.#inOrder(this.#outboxRow(item), async (row) => {
      const transaction = this.#database.transaction(['outbox', 'blobs'], 'readwrite', { durability: 'strict' });
      const request = transaction.objectStore('outbox').add(row);
      for (const { id, blob } of blobs) transaction.objectStore('blobs').add({ id, room: item.room, message: item.id, blob });
      await finished(transaction);
      return { ...item, order: /** @type {number} */ (request.result) };
    });
  }

  /** A file of a waiting message. @param {string} id @returns {Promise<Blob | null>} */
  async blob(id) {
    return (await done(this.#read('blobs').get(id)))?.blob ?? null;
  }

  /** Only if it is still there. @param {OutboxItem} item @returns {Promise<void>} */
  requeue({ order, ...item }) {
    return this.#inOrder(this.#outboxRow(item), async (row) => {
      const transaction = this.#database.transaction('outbox', 'readwrite');
      const outbox = transaction.objectStore('outbox');
      outbox.getKey(order).onsuccess = (event) => {
        if (/** @type {IDBRequest} */ (event.target).result !== undefined) outbox.put({ order, ...row });
      };
      await finished(transaction);
    });
  }

  /** @param {string} id */
  unqueue(id) {
    return this.#inOrder(null, async () => {
      const transaction = this.#database.transaction(['outbox', 'blobs'], 'readwrite');
      unqueue(transaction, id);
      await finished(transaction);
    });
  }

  close() {
    this.#database.close();
  }

  /** @param {string} store */
  #read(store) {
    return this.#database.transaction(store).objectStore(store);
  }

  /**
   * Runs `write` with what `prepared` gives, after all that was asked for before.
   * @template P, T
   * @param {Promise<P> | P} prepared
   * @param {(value: P) => T | Promise<T>} write
   * @returns {Promise<T>}
   */
  #inOrder(prepared, write) {
    const turn = Promise.all([prepared, this.#written]).then(([value]) => write(value));
    this.#written = turn.catch(() => {});
    return turn;
  }

  /** @param {SmallStore} store @param {object} row */
  async #putRow(store, row) {
    const transaction = this.#database.transaction(store, 'readwrite');
    transaction.objectStore(store).put(row);
    // Without it the transaction of a draft ends with the page that is left, since nobody is there to learn of its request.
    transaction.commit();
    await finished(transaction);
  }

  /** @param {'rooms' | 'members' | 'drafts'} store @param {any} value */
  async #smallRow(store, value) {
    return { [keyOf(store)]: value[keyOf(store)], sealed: await this.#rest.seal(value, smallPlace(store, value)) };
  }

  /** @param {Omit<OutboxItem, 'order'>} item @returns {Promise<OutboxRow>} */
  async #outboxRow(item) {
    return { id: item.id, room: item.room, sealed: await this.#rest.seal(item, `outbox ${item.id}`) };
  }

  /** @param {LogRecord} record @returns {Promise<EntryRow>} */
  async #rowOf({ content, ...clear }) {
    return { ...clear, content: content === null ? null : await this.#rest.seal(content, entryPlace(clear)) };
  }

  /** What cannot be opened reads like a message that could not be read. @param {EntryRow} row @returns {Promise<LogRecord>} */
  async #recordOf({ content, ...clear }) {
    return { ...clear, content: content === null ? null : ((await this.#rest.open(content, entryPlace(clear))) ?? '') };
  }

  /** @param {EntryRow[]} rows */
  #openAll(rows) {
    return Promise.all(rows.map((row) => this.#recordOf(row)));
  }

  /** What an earlier version kept in the clear and is nowhere else. Begun again at the next opening, should the page end meanwhile. */
  async #sealOld() {
    const transaction = this.#database.transaction(['outbox', 'drafts']);
    const [items = [], drafts = []] = await Promise.all(['outbox', 'drafts'].map((store) => done(transaction.objectStore(store).getAll())));
    for (const { sealed, ...item } of items) if (sealed === undefined) await this.requeue(item);
    for (const { sealed, ...draft } of drafts) if (sealed === undefined) await this.put('drafts', draft);
  }
}

/**
 * Delete the local copies of all accounts but one (null: of all): first their keys, then everything, which waits until other windows let go of it.
 * @param {() => string | null} user asked when it is known which copies there are: somebody may have signed in meanwhile
 * @param {IDBFactory} factory
 */
export async function forgetStorages(user, factory) {
  const there = await factory.databases();
  const staying = PREFIX + user();
  const others = there.flatMap(({ name }) => (name?.startsWith(PREFIX) && name !== staying ? [name] : []));
  await Promise.all(others.map((name) => deleteSealed(name, factory)));
}

/**
 * @param {IDBOpenDBRequest} request whose upgrade this is
 * @param {number} oldVersion 0: it is new
 */
function makeStores({ result: database, transaction }, oldVersion) {
  if (oldVersion < 1) makeFirstStores(database);
  if (oldVersion < 2) {
    const blobs = database.createObjectStore('blobs', { keyPath: 'id' });
    blobs.createIndex('by_message', 'message');
    blobs.createIndex('by_room', 'room');
  }
  makeKeyStore(database);
  if (oldVersion > 0 && transaction) dropClear(transaction);
}

/** Up to version 2 everything stood in the clear. That there were entries stays known. @param {IDBTransaction} transaction */
function dropClear(transaction) {
  for (const name of ['entries', 'rooms', 'members']) transaction.objectStore(name).clear();
  const ranges = transaction.objectStore('ranges');
  ranges.getAll().onsuccess = (event) => {
    /** @type {{ room: string, ranges: Range[], wasHeld?: boolean }[]} */
    const rows = /** @type {IDBRequest} */ (event.target).result;
    for (const row of rows) ranges.put({ room: row.room, ranges: [], wasHeld: row.wasHeld === true || row.ranges.length > 0 });
  };
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
 * @param {EntryRow} record
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
    for (const record of /** @type {IDBRequest<EntryRow[]>} */ (event.target).result) {
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

/** @param {SmallStore} store */
function keyOf(store) {
  return store === 'rooms' ? 'id' : 'room';
}

/** @param {'rooms' | 'members' | 'drafts'} store @param {any} value */
function smallPlace(store, value) {
  return `${store} ${value[keyOf(store)]}`;
}

/** @param {{ room: string, seq: number, id: string }} entry */
function entryPlace({ room, seq, id }) {
  return `entries ${room} ${seq} ${id}`;
}

/** @param {[string, number]} first @param {[string, number]} last */
function between(first, last) {
  return globalThis.IDBKeyRange.bound(first, last);
}
