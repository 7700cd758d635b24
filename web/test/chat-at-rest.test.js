import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { AtRest } from '../e2ee/at-rest.js';
import { Search } from '../state/chat/search.js';
import { IndexedStorage, forgetStorages } from '../state/chat/storage.js';
import { ANNA, ME, ROOM, uuid } from './chat-server.js';

const NAME = `webcall-chat-${ME}`;
/** Of everything that a person writes or reads, and of every name. */
const CANARIES = { text: 'zanzibar', edited: 'timbuktu', waiting: 'samarkand', draft: 'valparaiso', room: 'Kathmandu', topic: 'Ouagadougou', person: 'antananarivo', file: 'reykjavik.pdf' };

const text = (words) => JSON.stringify({ v: 1, type: 'text', text: words });
const record = (seq, content, fields = {}) => ({ room: ROOM, seq, id: uuid(1_000 + seq), kind: 'message', sender: ANNA, at: seq, content, about: null, ...fields });
const ITEM = { id: uuid(1), room: ROOM, content: text(CANARIES.waiting), files: [], at: 1, state: 'failed', code: 'file_too_large', failedFile: CANARIES.file };
const DRAFT = { room: ROOM, text: CANARIES.draft, replyTo: null };
const RECORDS = [record(1, text(CANARIES.text)), record(2, JSON.stringify({ v: 1, type: 'edit', of: uuid(1_001), text: CANARIES.edited }), { about: uuid(1_001) })];
const ROOM_ROW = { id: ROOM, name: CANARIES.room, topic: CANARIES.topic };
const MEMBERS = { room: ROOM, members: [{ user: ANNA, username: CANARIES.person }] };

async function fill(storage) {
  await storage.putEntries(ROOM, RECORDS);
  await storage.put('rooms', ROOM_ROW);
  await storage.put('members', MEMBERS);
  await storage.put('drafts', DRAFT);
  await storage.put('reads', { room: ROOM, seq: 1 });
  await storage.queue(ITEM);
}

const done = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));

/** All that the databases hold, as text and as bytes. */
async function dump(factory) {
  const all = [];
  for (const { name } of await factory.databases()) {
    const database = await done(factory.open(name));
    for (const store of database.objectStoreNames) {
      const objects = database.transaction(store).objectStore(store);
      const [keys, rows] = [await done(objects.getAllKeys()), await done(objects.getAll())];
      all.push(JSON.stringify({ name, store, keys }), ...rows.flatMap((row) => [JSON.stringify(row), ...bytesIn(row)]));
    }
    database.close();
  }
  return all.join('\n');
}

function bytesIn(value) {
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1')];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(bytesIn) : [];
}

const found = (dumped) => Object.entries(CANARIES).filter(([, canary]) => dumped.includes(canary)).map(([what]) => what);

/** A copy as version 2 had it: everything in the clear. */
async function clearCopy(factory) {
  const request = factory.open(NAME, 2);
  request.onupgradeneeded = () => {
    const { result } = request;
    const entries = result.createObjectStore('entries', { keyPath: ['room', 'seq'] });
    entries.createIndex('by_id', ['room', 'id']);
    entries.createIndex('by_about', ['room', 'about']);
    result.createObjectStore('rooms', { keyPath: 'id' });
    for (const name of ['ranges', 'members', 'drafts', 'reads']) result.createObjectStore(name, { keyPath: 'room' });
    const outbox = result.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true });
    outbox.createIndex('by_id', 'id', { unique: true });
    outbox.createIndex('by_room', 'room');
    const blobs = result.createObjectStore('blobs', { keyPath: 'id' });
    blobs.createIndex('by_message', 'message');
    blobs.createIndex('by_room', 'room');
    for (const each of RECORDS) entries.put(each);
    request.transaction.objectStore('ranges').put({ room: ROOM, ranges: [[1, 2]] });
    request.transaction.objectStore('rooms').put(ROOM_ROW);
    request.transaction.objectStore('members').put(MEMBERS);
    request.transaction.objectStore('drafts').put(DRAFT);
    outbox.put(ITEM);
  };
  (await done(request)).close();
}

test('no text and no name stands in the clear in what is kept, and all of it comes back', async () => {
  const factory = new IDBFactory();
  const storage = await IndexedStorage.open(ME, factory);
  await fill(storage);
  assert.deepEqual(found(await dump(factory)), []);
  storage.close();
  const again = await IndexedStorage.open(ME, factory);
  const { rooms, members, drafts, reads } = await again.load();
  assert.deepEqual([rooms, members, drafts, reads], [[ROOM_ROW], [MEMBERS], [DRAFT], [{ room: ROOM, seq: 1 }]]);
  assert.deepEqual(await again.entries(ROOM, 1, 2), RECORDS);
  assert.deepEqual(await again.outbox(), [{ ...ITEM, order: 1 }]);
});

test('the scan of what is kept finds everything in a copy of an earlier version, and nothing once it is taken over', async () => {
  const factory = new IDBFactory();
  await clearCopy(factory);
  assert.deepEqual(found(await dump(factory)), Object.keys(CANARIES));
  const storage = await IndexedStorage.open(ME, factory);
  assert.deepEqual(found(await dump(factory)), []);
  assert.deepEqual((await storage.outbox()).map(({ content }) => content), [ITEM.content]);
  const { drafts, rooms, ranges } = await storage.load();
  assert.deepEqual([drafts, rooms, ranges.map((row) => row.ranges)], [[DRAFT], [], [[]]]);
  assert.equal(await storage.wasHeld(ROOM), true, 'that there were entries stays known');
});

test('an index of search leaves nothing in what is kept', async () => {
  const factory = new IDBFactory();
  const storage = await IndexedStorage.open(ME, factory);
  await fill(storage);
  const { results } = await new Search(storage).find(CANARIES.edited.slice(0, 4), null);
  assert.deepEqual(results.map(({ text: shown }) => shown), [CANARIES.edited]);
  assert.deepEqual(found(await dump(factory)), []);
});

test('without its key a copy opens nothing, and the key goes at log-out also when the rest cannot be deleted', async () => {
  const factory = new IDBFactory();
  const storage = await IndexedStorage.open(ME, factory);
  await fill(storage);
  storage.close();
  // A disk that refuses to delete.
  await assert.rejects(forgetStorages(() => null, { databases: () => factory.databases(), open: (...what) => factory.open(...what), deleteDatabase: () => failing() }));
  const after = await IndexedStorage.open(ME, factory);
  const { rooms, members, drafts } = await after.load();
  assert.deepEqual([rooms, members, drafts, await after.outbox()], [[], [], [], []]);
  assert.deepEqual((await after.entries(ROOM, 1, 2)).map(({ content }) => content), ['', '']);
});

function failing() {
  const request = { error: new Error('the disk refuses') };
  queueMicrotask(() => request.onerror());
  return request;
}

test('what another window has deleted meanwhile is not made anew by a log-out', async () => {
  const factory = new IDBFactory();
  // It was there when the log-out looked.
  await forgetStorages(() => null, { databases: async () => [{ name: NAME, version: 3 }], open: (...what) => factory.open(...what), deleteDatabase: (name) => factory.deleteDatabase(name) });
  assert.deepEqual(await factory.databases(), []);
  const storage = await IndexedStorage.open(ME, factory);
  await fill(storage);
  assert.deepEqual(await storage.entries(ROOM, 1, 2), RECORDS);
});

test('the copy of who has signed in since in another window outlives a log-out that is noticed late', async () => {
  const factory = new IDBFactory();
  const storage = await IndexedStorage.open(ME, factory);
  await fill(storage);
  (await IndexedStorage.open(ANNA, factory)).close();
  let since = null;
  // They sign in while it is looked which copies there are.
  const databases = () => factory.databases().finally(() => (since = ME));
  await forgetStorages(() => since, { databases, open: (...what) => factory.open(...what), deleteDatabase: (name) => factory.deleteDatabase(name) });
  assert.deepEqual((await factory.databases()).map(({ name }) => name), [NAME]);
  const again = await IndexedStorage.open(ME, factory);
  assert.deepEqual(await again.entries(ROOM, 1, 2), RECORDS);
});

test('the key of a copy cannot be taken out, and two windows that open a new copy have the same one', async () => {
  const factory = new IDBFactory();
  const [one, other] = await Promise.all([IndexedStorage.open(ME, factory), IndexedStorage.open(ME, factory)]);
  await one.putEntries(ROOM, RECORDS);
  assert.deepEqual(await other.entries(ROOM, 1, 2), RECORDS);
  const database = await done(factory.open(NAME));
  const key = await done(database.transaction('keys').objectStore('keys').get('copy'));
  await assert.rejects(crypto.subtle.exportKey('raw', key));
});

test('what was moved to another place, or changed, is not opened', async () => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const rest = new AtRest(key);
  const sealed = await rest.seal('text', 'entries a 1 b');
  assert.equal(await rest.open(sealed, 'entries a 1 b'), 'text');
  assert.equal(await rest.open(sealed, 'entries a 2 b'), undefined);
  assert.equal(await rest.open(sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte)), 'entries a 1 b'), undefined);
  assert.equal(await rest.open('text', 'entries a 1 b'), undefined);
});

test('a deletion that is asked for right after its message leaves no text, and a room that is left no entry', async () => {
  const storage = await IndexedStorage.open(ME, new IDBFactory());
  const long = record(1, text('x'.repeat(30_000)));
  await Promise.all([storage.putEntries(ROOM, [long]), storage.putEntries(ROOM, [record(2, null, { kind: 'deletion', about: long.id })])]);
  assert.deepEqual((await storage.entries(ROOM, 1, 2)).map(({ content }) => content), [null, null]);
  await Promise.all([storage.putEntries(ROOM, [record(3, text('x'.repeat(30_000)))]), storage.dropRoom(ROOM)]);
  assert.deepEqual(await storage.entries(ROOM, 1, 9), []);
});

test('a draft that was made ready while it was typed is written before the page ends, and an older one never over it', async () => {
  const storage = await IndexedStorage.open(ME, new IDBFactory());
  const older = storage.put('drafts', { ...DRAFT, text: 'half' });
  await storage.ready(DRAFT);
  // What a page that ends still does: nothing after this turn.
  const newest = storage.put('drafts', DRAFT);
  await Promise.all([older, newest]);
  assert.deepEqual((await storage.load()).drafts, [DRAFT]);
});

test('a browser that keeps no keys opens no copy, and leaves none half made', async () => {
  const factory = new IDBFactory();
  const { subtle } = globalThis.crypto;
  const generateKey = subtle.generateKey;
  subtle.generateKey = () => Promise.reject(new DOMException('no keys here', 'NotSupportedError'));
  try {
    await assert.rejects(IndexedStorage.open(ME, factory));
  } finally {
    subtle.generateKey = generateKey;
  }
  assert.deepEqual(await (await IndexedStorage.open(ME, factory)).outbox(), []);
});
