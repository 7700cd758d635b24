import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { countOf, newestGap, rangeWith, topOf, withRange, withoutBelow } from '../state/chat/ranges.js';
import { MemoryStorage } from '../state/chat/storage-memory.js';
import { IndexedStorage, forgetStorages } from '../state/chat/storage.js';
import { ANNA, ME, ROOM, uuid } from './chat-server.js';

const OTHER = uuid(101);
const record = (seq, fields = {}) => ({ room: ROOM, seq, id: uuid(1_000 + seq), kind: 'message', sender: ANNA, at: seq, content: `text ${seq}`, about: null, ...fields });
const item = (number) => ({ id: uuid(number), room: ROOM, content: '{}', files: [], at: 1, state: 'waiting', code: null });
const seqs = (records) => records.map(({ seq }) => seq);

const KINDS = {
  IndexedStorage: () => IndexedStorage.open(ME, new IDBFactory()),
  MemoryStorage: async () => new MemoryStorage(),
};

for (const [kind, open] of Object.entries(KINDS)) {
  test(`${kind}: entries come back in order, and which are held is known`, async () => {
    const storage = await open();
    await storage.putEntries(ROOM, [record(5), record(6)]);
    assert.deepEqual(await storage.putEntries(ROOM, [record(1), record(2)]), [[1, 2], [5, 6]]);
    await storage.putEntries(OTHER, [record(3, { room: OTHER })]);
    assert.deepEqual(await storage.putEntries(ROOM, [record(3), record(4)]), [[1, 6]]);
    assert.deepEqual(seqs(await storage.entries(ROOM, 2, 4)), [2, 3, 4]);
    assert.deepEqual(await storage.ranges(ROOM), [[1, 6]]);
    assert.equal((await storage.find(ROOM, uuid(1_004))).seq, 4);
    assert.equal(await storage.find(OTHER, uuid(1_004)), undefined);
    assert.deepEqual(seqs(await storage.pick([[ROOM, 6], [ROOM, 9], [OTHER, 3]])), [6, 3]);
  });

  test(`${kind}: the text of a deleted message and of its edits is not kept`, async () => {
    const storage = await open();
    await storage.putEntries(ROOM, [record(1), record(2, { about: uuid(1_001), content: 'edited' }), record(3)]);
    await storage.putEntries(ROOM, [record(4, { kind: 'deletion', content: null, about: uuid(1_001) })]);
    assert.deepEqual((await storage.entries(ROOM, 1, 4)).map(({ content }) => content), [null, null, 'text 3', null]);
    await storage.putEntries(ROOM, [record(5), record(6, { kind: 'deletion', content: null, about: uuid(1_005) })]);
    assert.deepEqual((await storage.entries(ROOM, 5, 6)).map(({ content }) => content), [null, null]);
  });

  test(`${kind}: what was known of a deleted message stays known when it comes again with nothing in it`, async () => {
    const storage = await open();
    await storage.putEntries(ROOM, [record(1), record(2, { about: uuid(1_001), content: 'edited' }), record(3, { content: null })]);
    await storage.putEntries(ROOM, [1, 2].map((target, index) => record(4 + index, { kind: 'deletion', content: null, about: uuid(1_000 + target) })));
    await storage.putEntries(ROOM, [1, 2, 3].map((seq) => record(seq, { content: null })));
    const kept = (await storage.entries(ROOM, 1, 3)).map(({ content, about, had }) => [content, about, had ?? false]);
    assert.deepEqual(kept, [[null, null, true], [null, uuid(1_001), true], [null, null, false]]);
  });

  test(`${kind}: that all that was held was dropped stays known until a message was opened`, async () => {
    const storage = await open();
    const hash = { hash: 'AAAA' };
    assert.equal(await storage.wasHeld(ROOM), false);
    await storage.putEntries(ROOM, [record(1, hash), record(2, hash)]);
    await storage.dropBelow(ROOM, 2);
    assert.equal(await storage.wasHeld(ROOM), false, 'one is left');
    for (const drop of [() => storage.dropBelow(ROOM, 9), () => storage.dropEntries(ROOM)]) {
      await drop();
      assert.equal(await storage.wasHeld(ROOM), true);
      await storage.putEntries(ROOM, [record(9), record(10, { about: uuid(1), ...hash })]);
      assert.equal(await storage.wasHeld(ROOM), true, 'nothing that is shown as a message was opened');
      await storage.putEntries(ROOM, [record(11, hash)]);
      assert.equal(await storage.wasHeld(ROOM), false);
      await storage.dropEntries(ROOM);
      await storage.putEntries(ROOM, [record(1, hash)]);
    }
    await storage.dropEntries(ROOM);
    await storage.dropRoom(ROOM);
    assert.equal(await storage.wasHeld(ROOM), false, 'nothing stays of a room that is gone');
  });

  test(`${kind}: all under one id are found`, async () => {
    const storage = await open();
    await storage.putEntries(ROOM, [record(1), record(2, { kind: 'unpin', id: uuid(1_001), content: null }), record(3)]);
    await storage.putEntries(OTHER, [record(1, { room: OTHER })]);
    assert.deepEqual(seqs(await storage.findAll(ROOM, uuid(1_001))).sort(), [1, 2]);
    assert.deepEqual(await storage.findAll(ROOM, uuid(1_009)), []);
  });

  test(`${kind}: all entries can be read in pieces`, async () => {
    const storage = await open();
    for (let seq = 1; seq <= 5; seq += 1) await storage.putEntries(ROOM, [record(seq)]);
    await storage.putEntries(OTHER, [record(1, { room: OTHER })]);
    const read = [];
    for (let after = ['', 0]; ; ) {
      const piece = await storage.scan(after, 2);
      if (piece.length === 0) break;
      read.push(...piece.map(({ room, seq }) => `${room === ROOM ? 'room' : 'other'} ${seq}`));
      after = [piece.at(-1).room, piece.at(-1).seq];
    }
    assert.deepEqual(read, ['room 1', 'room 2', 'room 3', 'room 4', 'room 5', 'other 1']);
  });

  test(`${kind}: what retention took away and rooms that are left are forgotten`, async () => {
    const storage = await open();
    await storage.putEntries(ROOM, [record(1), record(2), record(3)]);
    await storage.putEntries(OTHER, [record(1, { room: OTHER })]);
    await storage.dropBelow(ROOM, 3);
    assert.deepEqual([seqs(await storage.entries(ROOM, 1, 9)), await storage.ranges(ROOM)], [[3], [[3, 3]]]);
    await storage.put('rooms', { id: ROOM });
    await storage.put('drafts', { room: ROOM, text: 'x', replyTo: null });
    await storage.queue(item(1));
    await storage.dropRoom(ROOM);
    const { rooms, drafts, ranges } = await storage.load();
    assert.deepEqual([rooms, drafts, ranges.map(({ room }) => room), await storage.outbox()], [[], [], [OTHER], []]);
  });

  test(`${kind}: the outbox keeps the order of writing, and what the log has leaves it`, async () => {
    const storage = await open();
    for (const number of [3, 1, 2]) await storage.queue(item(number));
    assert.deepEqual((await storage.outbox()).map(({ id }) => id), [uuid(3), uuid(1), uuid(2)]);
    await storage.putEntries(ROOM, [record(1, { id: uuid(1), sender: ME })]);
    const [first, second] = await storage.outbox();
    assert.deepEqual([first.id, second.id], [uuid(3), uuid(2)]);
    await storage.requeue({ ...first, state: 'failed', code: 'room_locked' });
    await storage.unqueue(second.id);
    await storage.requeue({ ...second, state: 'failed' });
    assert.deepEqual((await storage.outbox()).map(({ id, state }) => [id, state]), [[uuid(3), 'failed']]);
  });
}

test('the local copies of other accounts are deleted, also while another window has one open', async () => {
  const factory = new IDBFactory();
  const others = await IndexedStorage.open(ANNA, factory);
  await others.put('rooms', { id: ROOM });
  const own = await IndexedStorage.open(ME, factory);
  await own.put('rooms', { id: OTHER });
  await forgetStorages(() => ME, factory);
  assert.deepEqual((await factory.databases()).map(({ name }) => name), [`webcall-chat-${ME}`]);
  await assert.rejects(others.load());
  assert.equal((await own.load()).rooms.length, 1);
});

test('ranges join when nothing is missing between them', () => {
  assert.deepEqual(withRange([], [3, 5]), [[3, 5]]);
  assert.deepEqual(withRange([[1, 2]], [3, 5]), [[1, 5]]);
  assert.deepEqual(withRange([[1, 2], [7, 9]], [4, 5]), [[1, 2], [4, 5], [7, 9]]);
  assert.deepEqual(withRange([[1, 2], [5, 6], [9, 9]], [2, 8]), [[1, 9]]);
  assert.deepEqual(withRange([[1, 2]], [3, 2]), [[1, 2]]);
  assert.deepEqual(withoutBelow([[1, 2], [5, 9]], 6), [[6, 9]]);
  assert.deepEqual(rangeWith([[1, 2], [5, 9]], 5), [5, 9]);
  assert.equal(rangeWith([[1, 2], [5, 9]], 4), null);
  assert.deepEqual([topOf([]), topOf([[1, 2], [5, 9]]), countOf([[1, 2], [5, 9]])], [0, 9, 7]);
});

test('the newest gap is what lies below the newest range', () => {
  assert.deepEqual(newestGap([[1, 2], [5, 9]], 1), [3, 4]);
  assert.deepEqual(newestGap([[5, 9]], 1), [1, 4]);
  assert.deepEqual(newestGap([[1, 2], [5, 9]], 4), [4, 4]);
  assert.equal(newestGap([[5, 9]], 5), null);
  assert.equal(newestGap([], 1), null);
});

test('a database from before files could wait keeps what waits in it', async () => {
  const factory = new IDBFactory();
  const request = factory.open(`webcall-chat-${ME}`, 1);
  request.onupgradeneeded = () => {
    const { result } = request;
    for (const name of ['entries', 'rooms', 'ranges', 'members', 'drafts', 'reads']) result.createObjectStore(name, { keyPath: 'room' });
    const outbox = result.createObjectStore('outbox', { keyPath: 'order', autoIncrement: true });
    outbox.createIndex('by_id', 'id', { unique: true });
    outbox.add(item(7));
  };
  await new Promise((resolve) => (request.onsuccess = resolve));
  request.result.close();
  const storage = await IndexedStorage.open(ME, factory);
  assert.deepEqual((await storage.outbox()).map(({ id }) => id), [uuid(7)]);
  await storage.queue(item(8), [{ id: uuid(9), blob: new Blob(['x']) }]);
  assert.equal((await storage.blob(uuid(9))).size, 1);
  await storage.unqueue(uuid(8));
  assert.equal(await storage.blob(uuid(9)), null);
});
