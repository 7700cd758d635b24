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
 *
 * The browser may close the database under an open page (WebKit in the background, a disk that failed): the next use opens it again.
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
/** Whoever waits for it holds up all that is written after, and the outbox of every window. Less refuses what a slow disk could still take. */
const REOPEN_TIMEOUT_MS = 3_000;
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
  #again;
  /** By this page or for another window: for good. */
  #closed = false;
  /** While it is opened again. @type {Promise<IDBDatabase> | null} */
  #opening = null;
  /** The end of what was asked to be written so far. @type {Promise<unknown>} */
  #written = Promise.resolve();
  /** The newest draft of each room, sealed while it is being typed: where a page ends there is no time for it. @type {Map<string, { text: string, row: object | null }>} */
  #ready = new Map();

  /**
   * @param {IDBDatabase} database
   * @param {Rest} rest
   * @param {{ open: () => Promise<IDBDatabase>, restOf: (database: IDBDatabase) => Promise<Rest> }} again the same database, when this one was closed
   */
  constructor(database, rest, again) {
    this.#database = database;
    this.#rest = rest;
    this.#again = again;
    this.#makeWay(database);
  }

  /**
   * @param {string} user
   * @param {IDBFactory} factory
   * @param {(database: IDBDatabase) => Promise<Rest>} [restOf] what seals in this database
   * @returns {Promise<IndexedStorage>}
   */
  static async open(user, factory, restOf = (database) => AtRest.of(database)) {
    const name = PREFIX + user;
    const request = factory.open(name, VERSION);
    request.onupgradeneeded = ({ oldVersion }) => makeStores(request, oldVersion);
    /** @type {IDBDatabase} */
    const database = await done(request);
    try {
      const storage = new IndexedStorage(database, await restOf(database), { open: () => openAgain(name, factory), restOf });
      await storage.#sealOld();
      return storage;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Everything that is small. @returns {Promise<Kept>} */
  async load() {
    const [rooms = [], members = [], drafts = [], reads = [], ranges = []] = await this.#readAll(['rooms', 'members', 'drafts', 'reads', 'ranges']);
    /** @param {'rooms' | 'members' | 'drafts'} store @param {any[]} rows */
    const opened = async (store, rows) => (await Promise.all(rows.map((row) => this.#rest.open(row.sealed, smallPlace(store, row))))).filter(Boolean);
    const [openRooms, openMembers, openDrafts] = await Promise.all([opened('rooms', rooms), opened('members', members), opened('drafts', drafts)]);
    return { rooms: openRooms, members: openMembers, drafts: openDrafts, reads, ranges };
  }

  /** @param {string} room @returns {Promise<Range[]>} */
  async ranges(room) {
    return (await this.#read('ranges', (ranges) => ranges.get(room)))?.ranges ?? [];
  }

  /** Whether entries were dropped, all that were here, and no message was opened since. @param {string} room @returns {Promise<boolean>} */
  async wasHeld(room) {
    return (await this.#read('ranges', (ranges) => ranges.get(room)))?.wasHeld === true;
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
    /** @type {Range[]} */
    let held = [];
    await this.#write(['entries', 'ranges', 'outbox', 'blobs'], (transaction) => {
      const entries = transaction.objectStore('entries');
      for (const row of rows) {
        keep(entries, row);
        if (row.kind === 'message') unqueue(transaction, row.id);
      }
      for (const id of gone) if (id !== null) wipe(entries, room, id);
      const ranges = transaction.objectStore('ranges');
      ranges.get(room).onsuccess = (event) => {
        const before = /** @type {IDBRequest} */ (event.target).result;
        held = withRange(before?.ranges ?? [], [records[0]?.seq ?? 1, records.at(-1)?.seq ?? 0]);
        ranges.put({ room, ranges: held, wasHeld: before?.wasHeld === true && !records.some(isOpenedMessage) });
      };
    });
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
    return first > last ? [] : this.#openAll(await this.#read('entries', (entries) => entries.getAll(between([room, first], [room, last]))));
  }

  /** @param {string} room @param {string} id @returns {Promise<LogRecord | undefined>} */
  async find(room, id) {
    const row = await this.#read('entries', (entries) => entries.index('by_id').get([room, id]));
    return row && this.#recordOf(row);
  }

  /** All under this id: only the server says that ids are unique. @param {string} room @param {string} id @returns {Promise<LogRecord[]>} */
  async findAll(room, id) {
    return this.#openAll(await this.#read('entries', (entries) => entries.index('by_id').getAll([room, id])));
  }

  /** The next entries of all rooms after this key, for building an index. @param {[string, number]} after @param {number} limit @returns {Promise<LogRecord[]>} */
  async scan(after, limit) {
    return this.#openAll(await this.#read('entries', (entries) => entries.getAll(globalThis.IDBKeyRange.lowerBound(after, true), limit)));
  }

  /** @param {readonly [string, number][]} keys @returns {Promise<LogRecord[]>} those that are there */
  async pick(keys) {
    const rows = await this.#transact('entries', 'readonly', (transaction) => Promise.all(keys.map((key) => done(transaction.objectStore('entries').get([...key])))));
    return this.#openAll(rows.filter(Boolean));
  }

  /** @param {string} room @param {number} first the first that the server still has */
  dropBelow(room, first) {
    return this.#writeInOrder(['entries', 'ranges'], (transaction) => {
      transaction.objectStore('entries').delete(between([room, 0], [room, first - 1]));
      const ranges = transaction.objectStore('ranges');
      ranges.get(room).onsuccess = (event) => {
        const before = /** @type {IDBRequest} */ (event.target).result;
        const rest = withoutBelow(before?.ranges ?? [], first);
        if (before) ranges.put({ room, ranges: rest, wasHeld: before.wasHeld === true || (before.ranges.length > 0 && rest.length === 0) });
      };
    });
  }

  /** The entries alone: they are fetched anew. That there were some stays known. @param {string} room */
  dropEntries(room) {
    return this.#writeInOrder(['entries', 'ranges'], (transaction) => {
      transaction.objectStore('entries').delete(between([room, 0], [room, Infinity]));
      transaction.objectStore('ranges').put({ room, ranges: [], wasHeld: true });
    });
  }

  /** Everything of a room. @param {string} room */
  dropRoom(room) {
    this.#ready.delete(room);
    return this.#writeInOrder(STORES, (transaction) => {
      transaction.objectStore('entries').delete(between([room, 0], [room, Infinity]));
      for (const name of ['ranges', 'rooms', 'members', 'drafts', 'reads']) transaction.objectStore(name).delete(room);
      const outbox = transaction.objectStore('outbox');
      outbox.index('by_room').getAllKeys(room).onsuccess = (event) => {
        for (const key of /** @type {IDBRequest} */ (event.target).result) outbox.delete(key);
      };
      deleteBlobs(transaction, 'by_room', room);
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
    const rows = await this.#read('outbox', (outbox) => outbox.getAll());
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
      /** @param {IDBTransaction} transaction */
      const add = (transaction) => {
        for (const { id, blob } of blobs) transaction.objectStore('blobs').add({ id, room: item.room, message: item.id, blob });
        return transaction.objectStore('outbox').add(row);
      };
      const request = await this.#write(['outbox', 'blobs'], add, { durability: 'strict' });
      return { ...item, order: /** @type {number} */ (request.result) };
    });
  }

  /** A file of a waiting message. @param {string} id @returns {Promise<Blob | null>} */
  async blob(id) {
    return (await this.#read('blobs', (blobs) => blobs.get(id)))?.blob ?? null;
  }

  /** Only if it is still there. @param {OutboxItem} item @returns {Promise<void>} */
  requeue({ order, ...item }) {
    return this.#inOrder(this.#outboxRow(item), (row) =>
      this.#write('outbox', (transaction) => {
        const outbox = transaction.objectStore('outbox');
        outbox.getKey(order).onsuccess = (event) => {
          if (/** @type {IDBRequest} */ (event.target).result !== undefined) outbox.put({ order, ...row });
        };
      }),
    );
  }

  /** @param {string} id */
  unqueue(id) {
    return this.#writeInOrder(['outbox', 'blobs'], (transaction) => unqueue(transaction, id));
  }

  close() {
    this.#closed = true;
    this.#database.close();
  }

  /** @template T @param {string} store @param {(objects: IDBObjectStore) => IDBRequest<T>} ask @returns {Promise<T>} */
  #read(store, ask) {
    return this.#transact(store, 'readonly', (transaction) => done(ask(transaction.objectStore(store))));
  }

  /** @param {string[]} stores @returns {Promise<any[][]>} */
  #readAll(stores) {
    return this.#transact(stores, 'readonly', (transaction) => Promise.all(stores.map((store) => done(transaction.objectStore(store).getAll()))));
  }

  /**
   * @template T
   * @param {string | string[]} stores
   * @param {(transaction: IDBTransaction) => T} act
   * @param {IDBTransactionOptions} [options]
   * @returns {Promise<T>} what `act` gave, when it is written
   */
  #write(stores, act, options) {
    return this.#transact(stores, 'readwrite', (transaction) => {
      const given = act(transaction);
      return finished(transaction).then(() => given);
    }, options);
  }

  /** After all that was asked for before. @param {string[]} stores @param {(transaction: IDBTransaction) => void} act @returns {Promise<void>} */
  #writeInOrder(stores, act) {
    return this.#inOrder(null, () => this.#write(stores, act));
  }

  /**
   * The only place that uses the database: begins a transaction, in this turn when the connection is there, since a draft has to outlive its page.
   * One that the browser has closed begins none from then on, whether its event has come or not. What was under way in it has failed, and what
   * comes next finds the database opened again. Should that be closed at once too, this has failed.
   * @template T
   * @param {string | string[]} stores
   * @param {IDBTransactionMode} mode
   * @param {(transaction: IDBTransaction) => T | Promise<T>} act
   * @param {IDBTransactionOptions} [options]
   * @returns {Promise<T>}
   */
  async #transact(stores, mode, act, options) {
    let transaction;
    try {
      transaction = this.#database.transaction(stores, mode, options);
    } catch (error) {
      if (this.#closed || !(error instanceof DOMException) || error.name !== 'InvalidStateError') throw error;
      this.#opening ??= this.#reopen().finally(() => (this.#opening = null));
      transaction = (await this.#opening).transaction(stores, mode, options);
    }
    return act(transaction);
  }

  /** Once for all who wait for it; where that fails, the next use tries again. */
  async #reopen() {
    const database = await this.#again.open();
    this.#makeWay(database);
    try {
      // A log-out may have deleted the copy while nobody here could be told, and a log-in made another: nothing of this one belongs into it.
      const isSame = await opensWhat(this.#rest, await this.#again.restOf(database));
      if (!isSame || this.#closed) throw new DOMException('the local copy is closed', 'InvalidStateError');
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  /** Another window deletes or renews it: let it, at once and for good. @param {IDBDatabase} database */
  #makeWay(database) {
    database.onversionchange = () => {
      this.#closed = true;
      database.close();
    };
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
  #putRow(store, row) {
    return this.#write(store, (transaction) => {
      transaction.objectStore(store).put(row);
      // Without it the transaction of a draft ends with the page that is left, since nobody is there to learn of its request.
      transaction.commit();
    });
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
    const [items = [], drafts = []] = await this.#readAll(['outbox', 'drafts']);
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
 * A database that was open here.
 * @param {string} name
 * @param {IDBFactory} factory
 * @returns {Promise<IDBDatabase>} rejects when it is deleted, and when it does not come in time
 */
function openAgain(name, factory) {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, VERSION);
    // Deleted meanwhile, by a log-out in another window: it is not to be made anew.
    request.onupgradeneeded = () => request.transaction?.abort();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new DOMException('the local copy does not open', 'TimeoutError'));
    }, REOPEN_TIMEOUT_MS);
    done(request)
      // Nobody would close one that comes late: it would hold up its deletion at log-out.
      .then((database) => (isLate ? database.close() : resolve(database)), reject)
      .finally(() => clearTimeout(timer));
  });
}

/** Whether `other` has the key of `rest`. @param {Rest} rest @param {Rest} other */
async function opensWhat(rest, other) {
  return (await other.open(await rest.seal('', 'probe'), 'probe')) !== undefined;
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
