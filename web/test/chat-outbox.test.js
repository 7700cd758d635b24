import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { forceCloseDatabase } from 'fake-indexeddb';

import { ApiError } from '../net/api.js';
import { MAX_WAITING, Outbox } from '../state/chat/outbox.js';
import { openSealer } from '../state/chat/seal.js';
import { MemoryStorage } from '../state/chat/storage-memory.js';
import { ANNA, FakeBrowser, ME, ROOM, offline, online, opened, quiet, textBody, until, uuid } from './chat-server.js';

const written = (server, room = ROOM) => server.rooms.get(room).entries.filter(({ sender }) => sender === ME).map(({ body }) => JSON.parse(Buffer.from(body, 'base64url')).text);

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

test('what is written offline waits, and is sent once and in order on return', async (context) => {
  const window = await opened(context);
  const { server, room } = window;
  offline(window);
  for (const text of ['one', 'two', 'three']) await room.send({ text });
  assert.deepEqual(room.slice(1, 4).map(({ state, text }) => [state, text]), [['waiting', 'one'], ['waiting', 'two'], ['waiting', 'three']]);
  online(window);
  await until(() => room.slice(1, 4).every(({ state }) => state === 'sent'));
  assert.deepEqual(written(server), ['one', 'two', 'three']);
  assert.deepEqual(room.slice(0, 9).map(({ text }) => text), ['hello', 'one', 'two', 'three']);
});

test('what waits survives a reload', async (context) => {
  const window = await opened(context);
  offline(window);
  await window.room.send({ text: 'before the reload' });
  const edited = window.room.at(0).id;
  await window.room.react(edited, '👍', true);
  window.close();
  const again = await opened(context, { browser: window.browser, server: window.server, connect: false });
  assert.deepEqual([again.room.at(1).state, again.room.at(1).text], ['waiting', 'before the reload']);
  assert.deepEqual(again.room.at(0).reactions, [{ emoji: '👍', users: [ME], own: true }]);
  online(again);
  await until(() => again.room.at(1).state === 'sent');
  assert.deepEqual(written(window.server)[0], 'before the reload');
});

test('a message that arrived without the answer is not there twice', async (context) => {
  const window = await opened(context);
  const { server, room } = window;
  server.hook = async (method) => {
    if (method === 'POST') server.online = false;
  };
  await room.send({ text: 'only once' });
  await until(() => written(server).length === 1);
  await quiet();
  server.hook = async () => {};
  window.socket.down();
  online(window);
  await until(() => room.length === 2 && room.at(1).state === 'sent');
  await quiet();
  assert.deepEqual(written(server), ['only once']);
  assert.equal(room.length, 2);
});

test('a row keeps its id from waiting to sent and never disappears between', async (context) => {
  const { room } = await opened(context);
  const seen = [];
  let id = '';
  room.addEventListener('change', () => id && seen.push(room.find(id)?.state ?? 'gone'));
  id = await room.send({ text: 'watched' });
  await until(() => room.find(id)?.state === 'sent');
  await quiet();
  assert.ok(!seen.includes('gone'), seen.join());
  assert.equal(room.indexOf(id), 1);
});

test('of several windows one sends, and all show it', async (context) => {
  const first = await opened(context);
  const second = await opened(context, { browser: first.browser, server: first.server });
  offline(first);
  offline(second);
  await first.room.send({ text: 'from the first' });
  await second.room.send({ text: 'from the second' });
  await until(() => first.room.length === 3 && second.room.length === 3, 'both windows showing both');
  online(first);
  online(second);
  await until(() => [first, second].every(({ room }) => room.length === 3 && room.at(2).state === 'sent'));
  assert.deepEqual(written(first.server), ['from the first', 'from the second']);
  assert.equal(first.server.asked.filter((each) => each.startsWith('POST')).length, 2);
});

test('a refused message fails with its code, and the later ones go on', async (context) => {
  const { server, room } = await opened(context);
  server.hook = async (method, _path, body) => {
    if (method === 'POST' && Buffer.from(body.body, 'base64url').includes('bad')) throw new ApiError('room_locked', 403);
  };
  const bad = await room.send({ text: 'bad' });
  const good = await room.send({ text: 'good' });
  await until(() => room.find(good)?.state === 'sent');
  assert.deepEqual([room.find(bad).state, room.find(bad).code, room.row.failed], ['failed', 'room_locked', 1]);
  server.hook = async () => {};
  await room.retry(bad);
  await until(() => room.find(bad)?.state === 'sent');
  assert.deepEqual(written(server), ['good', 'bad']);
});

test('a refused message can be discarded, and stays away', async (context) => {
  const window = await opened(context);
  window.server.hook = async (method) => {
    if (method === 'POST') throw new ApiError('chat_muted', 403);
  };
  const id = await window.room.send({ text: 'no' });
  await until(() => window.room.find(id)?.state === 'failed');
  await window.room.discard(id);
  assert.equal(window.room.find(id), undefined);
  window.close();
  const again = await opened(context, { browser: window.browser, server: window.server });
  assert.equal(again.room.length, 1);
});

test('slow mode and a busy server are waited for, and hold up their own room only', async (context) => {
  const { server, room, other } = await opened(context);
  let slow = true;
  server.hook = async (method, path) => {
    if (slow && method === 'POST' && path.includes(ROOM)) throw new ApiError('slow_mode', 429, 20);
  };
  const first = await room.send({ text: 'first' });
  const second = await room.send({ text: 'second' });
  const elsewhere = await other.send({ text: 'elsewhere' });
  await until(() => other.find(elsewhere)?.state === 'sent');
  await quiet();
  slow = false;
  mock.timers.tick(19_000);
  await quiet();
  assert.deepEqual([room.find(first).state, room.find(second).state], ['waiting', 'waiting']);
  mock.timers.tick(1_000);
  await until(() => room.find(second)?.state === 'sent');
  assert.deepEqual(written(server), ['first', 'second']);
});

test('an edit and a reaction are messages like others: offline, they wait', async (context) => {
  const window = await opened(context);
  const { room } = window;
  const id = await room.send({ text: 'draught' });
  await until(() => room.find(id)?.state === 'sent');
  offline(window);
  await room.edit(id, 'draft');
  await room.react(id, '👍', true);
  assert.deepEqual([room.find(id).text, room.find(id).editState, room.find(id).reactions[0].own], ['draft', 'waiting', true]);
  online(window);
  await until(() => room.find(id).editState === 'sent');
  assert.deepEqual(room.find(id).edited.map(({ text }) => text), ['draught']);
});

test('a refused edit leaves the message as it was, until it is tried again', async (context) => {
  const { server, room } = await opened(context);
  const id = await room.send({ text: 'as it was' });
  await until(() => room.find(id)?.state === 'sent');
  server.hook = async (method) => {
    if (method === 'POST') throw new ApiError('room_locked', 403);
  };
  await room.edit(id, 'changed');
  await room.react(id, '👍', true);
  await until(() => room.find(id).editState === 'failed' && room.find(id).reactions.length === 0);
  assert.deepEqual([room.find(id).text, room.find(id).code], ['as it was', 'room_locked']);
  server.hook = async () => {};
  await room.retry(id);
  await until(() => room.find(id).text === 'changed' && room.find(id).editState === 'sent');
});

test('a server that is busy when the connection comes is asked again', async (context) => {
  const window = await opened(context);
  const { server, room, socket } = window;
  socket.down();
  server.post(ANNA, textBody('meanwhile'), { quietly: true });
  let refused = 0;
  server.hook = async (_method, path) => {
    if (refused < 2 && (path === 'rooms' || path.includes('/messages'))) {
      refused += 1;
      throw new ApiError('busy', 503, 1);
    }
  };
  socket.up();
  await until(() => refused === 1);
  await quiet();
  mock.timers.tick(30_000);
  await until(() => refused === 2);
  await quiet();
  assert.equal(room.length, 1);
  mock.timers.tick(30_000);
  await until(() => room.length === 2);
});

test('an empty and a too long message are refused at once', async (context) => {
  const { room } = await opened(context);
  await assert.rejects(room.send({ text: ' \n' }), { code: 'invalid_body' });
  await assert.rejects(room.send({ text: 'x'.repeat(32_001) }), { code: 'invalid_body' });
  await assert.rejects(room.edit(room.at(0).id, ' '), { code: 'invalid_body' });
  assert.equal(room.length, 1);
});

test('who is mentioned is told by id, so that a changed name changes nothing', async (context) => {
  const { server, room, chat } = await opened(context);
  chat.watch(ROOM);
  await until(() => room.members.length === 3);
  await room.send({ text: 'look, @Anna' });
  await until(() => written(server).length === 1);
  assert.deepEqual(JSON.parse(Buffer.from(server.rooms.get(ROOM).entries.at(-1).body, 'base64url')).mentions, [ANNA]);
});

test('a disk that refuses is told, and the queue has an end', async () => {
  const storage = new MemoryStorage();
  const api = { call: () => Promise.reject(new ApiError('network', 0)) };
  const outbox = new Outbox(api, storage, () => openSealer, { exclusively: (_name, act) => act(), channel: null, now: () => 1, random: () => 0, arrived: async () => {} }, ME);
  for (let number = 0; number < MAX_WAITING; number += 1) await outbox.add({ id: uuid(number), room: ROOM, content: '{}', files: [] });
  await assert.rejects(outbox.add({ id: uuid(5_000), room: ROOM, content: '{}', files: [] }), { code: 'outbox_full' });
  await outbox.discard(uuid(0));
  storage.queue = () => Promise.reject(new Error('quota'));
  await assert.rejects(outbox.add({ id: uuid(5_001), room: ROOM, content: '{}', files: [] }), { code: 'storage_failed' });
  outbox.stop();
});

test('a network that comes and goes at random moments loses and doubles nothing', async (context) => {
  const window = await opened(context);
  const { server, room } = window;
  let random = 7;
  const chance = () => (random = (random * 48_271) % 2_147_483_647) / 2_147_483_647;
  server.hook = async (method) => {
    if (method === 'POST' && chance() < 0.4) server.online = false;
  };
  const sent = [];
  for (let number = 0; number < 60; number += 1) {
    await room.send({ text: `message ${number}` });
    sent.push(`message ${number}`);
    if (chance() < 0.4) await quiet(5);
    if (!server.online) {
      window.socket.down();
      online(window);
    }
  }
  await until(() => {
    if (!server.online) online(window);
    return room.length === 61 && room.at(60).state === 'sent';
  });
  assert.deepEqual(written(server), sent);
  assert.deepEqual(room.slice(1, 61).map(({ text }) => text), sent);
});

/** A browser that closes its databases when it likes. */
function closingBrowser() {
  const browser = new FakeBrowser();
  const { factory } = browser;
  const { open } = factory;
  const connections = new Set();
  factory.open = (...what) => {
    const request = open.apply(factory, what);
    request.addEventListener('success', () => connections.add(request.result));
    return request;
  };
  const closeAll = () => {
    connections.forEach(forceCloseDatabase);
    connections.clear();
  };
  return { browser, closeAll };
}

test('what waits is sent after the browser closed the local copy, and what is written then too', async (context) => {
  const { browser, closeAll } = closingBrowser();
  const window = await opened(context, { browser });
  const { server, room } = window;
  offline(window);
  await room.send({ text: 'before' });
  await quiet();
  closeAll();
  await room.send({ text: 'between' });
  await quiet();
  closeAll();
  online(window);
  await until(() => written(server).length === 2, 'sending what waited');
  await until(() => room.at(2).state === 'sent');
  closeAll();
  await room.send({ text: 'after' });
  await until(() => room.length === 4 && room.at(3).state === 'sent');
  assert.deepEqual(written(server), ['before', 'between', 'after']);
  window.close();
  const again = await opened(context, { browser, server });
  assert.deepEqual(again.room.slice(1, 9).map(({ text, state }) => [text, state]), [['before', 'sent'], ['between', 'sent'], ['after', 'sent']]);
});

test('what waits is sent by itself once the browser opens the local copy again', async (context) => {
  const { browser, closeAll } = closingBrowser();
  const window = await opened(context, { browser });
  const { server, room } = window;
  offline(window);
  await room.send({ text: 'patient' });
  await quiet();
  closeAll();
  const { open } = browser.factory;
  let refused = 0;
  browser.factory.open = () => {
    refused += 1;
    const request = { error: new Error('the disk refuses') };
    queueMicrotask(() => request.onerror());
    return request;
  };
  online(window);
  await until(() => refused > 0);
  await quiet();
  assert.deepEqual(written(server), []);
  browser.factory.open = open;
  mock.timers.tick(30_000);
  await until(() => written(server).length === 1, 'sending what waited');
  assert.deepEqual(written(server), ['patient']);
});
