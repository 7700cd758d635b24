// Receipts of encrypted direct conversations: what is told, to whom it is shown, and where nothing is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TELL_INTERVAL_MS } from '../state/chat/read-marker.js';
import { unsealed } from './chat-keys.js';
import { ANNA, BORIS, FakeServer, ME, NAMES, ROOM, quiet, until, uuid } from './chat-server.js';
import { sealedBy } from './chat-keys.js';
import { kept, opened, texts, writer } from './chat-sealed-world.js';

const people = (...users) => users.map((user) => ({ user, username: NAMES[user] }));
const receiptsOf = (server, user) => kept(server).filter(({ sender, body }) => sender === user && body && unsealed(body).type === 'read').map(({ body }) => unsealed(body).of);

/** A direct conversation, or a room, with somebody who looks at it. */
async function looking(context, { kind = 'direct', encryption = 'mls', with: others = [ANNA], ...options } = {}) {
  const server = new FakeServer();
  server.addRoom(ROOM, { kind, encryption, ...(kind === 'direct' ? { name: '', people: people(ME, ...others) } : {}) });
  const window = await opened(context, { server, ...options });
  window.chat.watch(ROOM);
  return window;
}

test('who wrote is told once that all up to the newest message was read, and nothing the server could read', async (context) => {
  const { server, room } = await looking(context);
  const anna = writer(server, ANNA);
  const [first, second] = [anna('one'), anna('two')];
  await until(() => room.length === 2);
  room.markRead();
  await until(() => receiptsOf(server, ME).length === 1);
  assert.deepEqual(receiptsOf(server, ME), [second.id]);
  assert.notEqual(first.id, second.id);
  await quiet();
  room.markRead();
  await quiet();
  assert.deepEqual(receiptsOf(server, ME), [second.id], 'not twice');
  assert.deepEqual(texts(room), ['one', 'two'], 'a receipt is no message');
  assert.equal(room.row.unread, 0);
});

test('a busy conversation is answered with one receipt in a while, for the newest', async (context) => {
  let now = 1_000_000;
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { server, room } = await looking(context, { device: { now: () => now } });
  const anna = writer(server, ANNA);
  const ids = [];
  for (let count = 0; count < 5; count += 1) {
    ids.push(anna(`line ${count}`).id);
    await until(() => room.length === count + 1);
    room.markRead();
    await quiet();
  }
  assert.deepEqual(receiptsOf(server, ME), [ids[0]]);
  now += TELL_INTERVAL_MS;
  context.mock.timers.tick(TELL_INTERVAL_MS);
  await until(() => receiptsOf(server, ME).length === 2);
  assert.deepEqual(receiptsOf(server, ME), [ids[0], ids[4]]);
});

test('nothing is told in rooms, in open conversations, by who does not want it, and before it was looked at', async (context) => {
  for (const options of [{ kind: 'room' }, { encryption: 'open' }, { device: { tellsRead: () => false } }]) {
    const { server, room } = await looking(context, options);
    if (options.encryption === 'open') server.post(ANNA, Buffer.from(JSON.stringify({ v: 1, type: 'text', text: 'one' })).toString('base64url'), { id: uuid(9_001) });
    else writer(server, ANNA)('one');
    await until(() => room.length === 1);
    room.markRead();
    await quiet();
    assert.equal(kept(server).length, 1, JSON.stringify(options));
  }
  const { server, room } = await looking(context);
  writer(server, ANNA)('one');
  await until(() => room.length === 1);
  await quiet();
  assert.deepEqual(receiptsOf(server, ME), []);
});

test('under one’s own last message stands who has read it, and under anything else nobody', async (context) => {
  const { server, room } = await looking(context, { with: [ANNA, BORIS] });
  const id = await room.send({ text: 'hello' });
  await until(() => room.find(id)?.state === 'sent');
  assert.deepEqual(room.seenBy, []);
  const says = (user, of, previous) => {
    const receipt = sealedBy(user, uuid(9_100 + kept(server).length), { v: 1, type: 'read', of }, { previous });
    server.post(user, receipt.body, { id: uuid(9_100 + kept(server).length) });
    return receipt.hash;
  };
  const annas = says(ANNA, id, null);
  await until(() => room.seenBy.length === 1);
  assert.deepEqual(room.seenBy, [ANNA]);
  says(BORIS, id, null);
  await until(() => room.seenBy.length === 2);
  assert.deepEqual(texts(room), ['hello']);
  const next = await room.send({ text: 'and this' });
  await until(() => room.find(next)?.state === 'sent');
  assert.deepEqual(room.seenBy, [], 'that is of the one before');
  says(ANNA, next, annas);
  await until(() => room.seenBy.length === 1);
  writer(server, BORIS)('an answer');
  await until(() => room.length === 3);
  assert.deepEqual(room.seenBy, [], 'whoever answered has read');
});
