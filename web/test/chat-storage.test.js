import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory, forceCloseDatabase } from 'fake-indexeddb';

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

/** A factory, and the connections that it gave so far. */
function watched(factory = new IDBFactory()) {
  const connections = [];
  const { open } = factory;
  factory.open = (...what) => {
    const request = open.apply(factory, what);
    request.addEventListener('success', () => connections.push(request.result));
    return request;
  };
  return { factory, connections };
}

/** Closes it as a browser does that does not ask; when the event has come. */
const lost = (connection) =>
  new Promise((resolve) => {
    connection.addEventListener('close', resolve);
    forceCloseDatabase(connection);
  });

const WAYS = {
  'with the event': lost,
  'before its event has come': async (connection) => connection.close(),
};

for (const [way, loseIt] of Object.entries(WAYS)) {
  test(`a copy that the browser closed, ${way}, is there again for the next use, each time`, async () => {
    const { factory, connections } = watched();
    const storage = await IndexedStorage.open(ME, factory);
    await storage.putEntries(ROOM, [record(1)]);
    const uses = [
      async () => assert.deepEqual((await storage.entries(ROOM, 1, 9)).map(({ content }) => content), ['text 1']),
      async () => assert.deepEqual(await storage.putEntries(ROOM, [record(2)]), [[1, 2]]),
      () => storage.put('drafts', { room: ROOM, text: 'half', replyTo: null }),
      () => storage.queue(item(1), [{ id: uuid(9), blob: new Blob(['x']) }]),
      async () => assert.deepEqual((await storage.outbox()).map(({ id }) => id), [uuid(1)]),
      async () => assert.equal((await storage.blob(uuid(9))).size, 1),
      async () => assert.deepEqual((await storage.load()).drafts, [{ room: ROOM, text: 'half', replyTo: null }]),
      () => storage.dropRoom(ROOM),
    ];
    for (const use of uses) {
      await loseIt(connections.at(-1));
      await use();
    }
    assert.equal(connections.length, 1 + uses.length);
    assert.deepEqual([await storage.outbox(), await storage.ranges(ROOM)], [[], []]);
  });
}

test('a copy that the browser closed is opened once for all who want it, and what they write keeps its order', async () => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  const draft = { room: ROOM, text: 'made ready', replyTo: null };
  await storage.ready(draft);
  await lost(connections[0]);
  const long = record(1, { content: 'x'.repeat(30_000) });
  const deletion = record(2, { kind: 'deletion', content: null, about: long.id });
  await Promise.all([storage.outbox(), storage.putEntries(ROOM, [long]), storage.putEntries(ROOM, [deletion]), storage.put('drafts', draft), storage.wasHeld(ROOM)]);
  assert.deepEqual((await storage.entries(ROOM, 1, 2)).map(({ content }) => content), [null, null]);
  assert.deepEqual((await storage.load()).drafts, [draft]);
  assert.equal(connections.length, 2);
});

test('a copy that the browser closed and does not open again refuses this use, and is opened by a later one', async () => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  await storage.queue(item(1));
  await lost(connections[0]);
  const { open } = factory;
  let asked = 0;
  factory.open = () => {
    asked += 1;
    const request = { error: new Error('the disk refuses') };
    queueMicrotask(() => request.onerror());
    return request;
  };
  await assert.rejects(storage.outbox(), /the disk refuses/);
  await assert.rejects(storage.queue(item(2)), /the disk refuses/);
  assert.equal(asked, 2, 'once each');
  factory.open = open;
  await storage.queue(item(3));
  assert.deepEqual((await storage.outbox()).map(({ id }) => id), [uuid(1), uuid(3)]);
});

test('a copy that does not open again in time holds nobody up, and is let go of when it comes late', async (context) => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  await lost(connections[0]);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { open } = factory;
  let late = {};
  factory.open = () => late;
  const refused = assert.rejects(storage.outbox(), { name: 'TimeoutError' });
  context.mock.timers.tick(3_000);
  await refused;
  await new Promise((resolve) => {
    late.result = { close: resolve };
    late.onsuccess();
  });
  factory.open = open;
  assert.deepEqual(await storage.outbox(), []);
});

test('a copy that was closed on purpose or for another window stays closed', async () => {
  for (const close of [(storage) => storage.close(), (_storage, factory) => forgetStorages(() => null, factory)]) {
    const { factory, connections } = watched();
    const storage = await IndexedStorage.open(ME, factory);
    await close(storage, factory);
    const before = connections.length;
    await assert.rejects(storage.load(), { name: 'InvalidStateError' });
    await assert.rejects(storage.queue(item(1)), { name: 'InvalidStateError' });
    assert.equal(connections.length, before);
  }
});

test('a copy that is closed on purpose while it is opened again stays closed', async () => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  await lost(connections[0]);
  const refused = assert.rejects(storage.outbox(), { name: 'InvalidStateError' });
  storage.close();
  await refused;
  // Nothing is held open that a log-out would have to wait for.
  await forgetStorages(() => null, factory);
  assert.deepEqual(await factory.databases(), []);
});

test('a copy that was opened again makes way for another window, as the first connection did', async () => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  await lost(connections[0]);
  await storage.queue(item(1));
  await forgetStorages(() => null, factory);
  assert.deepEqual(await factory.databases(), []);
  await assert.rejects(storage.outbox(), { name: 'InvalidStateError' });
  assert.deepEqual(await factory.databases(), []);
});

test('a copy that a log-out deleted while the browser had it closed is not made anew, and one made since gets nothing of the old', async () => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  await lost(connections[0]);
  await forgetStorages(() => null, factory);
  await assert.rejects(storage.queue(item(1)));
  assert.deepEqual(await factory.databases(), []);
  const since = await IndexedStorage.open(ME, factory);
  await assert.rejects(storage.queue(item(2)), { name: 'InvalidStateError' });
  await assert.rejects(storage.putEntries(ROOM, [record(1)]), { name: 'InvalidStateError' });
  assert.deepEqual([await since.outbox(), await since.ranges(ROOM)], [[], []]);
});

test('a draft that was made ready is on its way when the call returns', async () => {
  const { factory, connections } = watched();
  const storage = await IndexedStorage.open(ME, factory);
  const draft = { room: ROOM, text: 'made ready', replyTo: null };
  await storage.ready(draft);
  const [connection] = connections;
  const { transaction } = connection;
  let begun = 0;
  connection.transaction = (...what) => {
    begun += 1;
    return transaction.apply(connection, what);
  };
  const written = storage.put('drafts', draft);
  assert.equal(begun, 1);
  await written;
});
