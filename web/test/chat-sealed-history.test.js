/** What is closed in an encrypted room when it comes, and opens once its keys are here: out of the local copy, and with the archive. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MAX_LATER } from '../state/chat/sealed-log.js';
import { FakeDesk } from './chat-keys.js';
import { long, opened, texts, writer } from './chat-sealed-world.js';
import { ANNA, FakeServer, ME, ROOM, quiet, until } from './chat-server.js';
test('what was written before this device came is shown once its keys are there, with everything that is older, and the server is not asked without end', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  const old = Array.from({ length: 450 }, (_, number) => `old ${number}`);
  for (const text of old) anna(text, { epoch: text < 'old 2' ? 2 : 3, quietly: true });
  anna('new', { epoch: 5, quietly: true });
  const desk = new FakeDesk(ME);
  [desk.epoch, desk.firstEpoch] = [5, 5];
  const { keys, room } = await opened(context, { server, desk });
  await until(() => texts(room).includes('new'));
  while (room.hasMoreBefore) await room.loadBefore();
  await quiet();
  assert.deepEqual(new Set(texts(room)), new Set(['before', 'new']));
  const fetched = () => server.asked.filter((call) => call.includes('/messages')).length;
  const before = fetched();
  desk.firstEpoch = 1;
  keys.remembered(ROOM);
  await until(() => !texts(room).includes('before'));
  assert.deepEqual(texts(room), [...old, 'new']);
  assert.ok(fetched() - before <= 4, `${fetched() - before} pages`);
  const after = fetched();
  keys.remembered(ROOM);
  await quiet();
  assert.equal(fetched(), after, 'nothing is closed any more');
});

test('however much came before anybody vouched for this device opens once somebody does, in this window or by the archive in another', async (context) => {
  const old = Array.from({ length: 800 }, (_, number) => `old ${number}`);
  for (const isSameWindow of [true, false]) {
    const server = new FakeServer();
    server.addRoom(ROOM, { encryption: 'mls' });
    const anna = writer(server, ANNA);
    for (const text of old) anna(text, { epoch: 1, quietly: true });
    const desk = new FakeDesk(ME);
    const first = await opened(context, { server, desk, status: 'unvouched' });
    while (first.room.hasMoreBefore) await first.room.loadBefore();
    await quiet();
    assert.deepEqual(new Set(texts(first.room)), new Set(['later']));
    if (!isSameWindow) first.close();
    const last = isSameWindow ? first : await opened(context, { server, desk, browser: first.browser });
    while (last.room.hasMoreBefore) await last.room.loadBefore();
    last.chat.watch(ROOM);
    if (isSameWindow) last.keys.become('ready');
    else last.keys.unlocked();
    await long(() => !texts(last.room).includes('later'));
    assert.deepEqual(texts(last.room), old, String(isSameWindow));
    last.close();
  }
});

test('what is loaded from the local copy opens at once where its keys came meanwhile, and is not judged out of its order', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  const old = Array.from({ length: 200 + MAX_LATER + 150 }, (_, number) => `old ${number}`);
  for (const text of old) anna(text, { epoch: 1, quietly: true });
  const desk = new FakeDesk(ME);
  const first = await opened(context, { server, desk, status: 'unvouched' });
  while (first.room.hasMoreBefore) await first.room.loadBefore();
  await quiet();
  first.close();
  const { room } = await opened(context, { server, desk, browser: first.browser });
  await long(() => room.length > 0 && !texts(room).includes('later'));
  assert.deepEqual(texts(room), old.slice(-room.length), 'the newest');
  while (room.hasMoreBefore) await room.loadBefore();
  await long(() => !texts(room).includes('later'));
  assert.deepEqual(texts(room), old);
  const marked = room.slice(0, room.length).filter(({ mark }) => mark !== null).map(({ text }) => text);
  assert.deepEqual(marked, [], 'no mark on any of them');
});

test('what waits in a row is judged in its order, also where its older part was loaded while it waited', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  const desk = new FakeDesk(ME);
  const first = await opened(context, { server, desk });
  anna('zero');
  await until(() => texts(first.room).join() === 'zero');
  const next = Array.from({ length: 300 }, (_, number) => `next ${number}`);
  for (const text of next) anna(text, { epoch: 2 });
  await long(() => first.room.length === 301);
  first.close();
  const { keys, room } = await opened(context, { server, desk, browser: first.browser });
  while (room.hasMoreBefore) await room.loadBefore();
  await quiet();
  assert.equal(texts(room).filter((text) => text === 'later').length, 300);
  desk.epoch = 2;
  keys.moved(ROOM);
  await long(() => !texts(room).includes('later'));
  assert.deepEqual(texts(room), ['zero', ...next]);
  assert.deepEqual(room.slice(0, room.length).flatMap(({ mark }) => mark ?? []), []);
});

test('what opens while its page is read from the local copy is shown opened', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  const old = Array.from({ length: 300 }, (_, number) => `old ${number}`);
  for (const text of old) anna(text, { epoch: 1, quietly: true });
  const desk = new FakeDesk(ME);
  const first = await opened(context, { server, desk, status: 'unvouched' });
  while (first.room.hasMoreBefore) await first.room.loadBefore();
  await quiet();
  first.close();
  let storage = null;
  const open = async (user) => (storage = await first.browser.device().open(user));
  const { chat, keys, room } = await opened(context, { server, desk, browser: first.browser, device: { open } });
  await long(() => room.length > 0 && !texts(room).includes('later'));
  assert.ok(room.length < old.length);
  const read = storage.entries.bind(storage);
  storage.entries = async (...what) => {
    const before = await read(...what);
    storage.entries = read;
    chat.watch(ROOM);
    keys.unlocked();
    await quiet(20_000);
    return before;
  };
  await room.loadBefore();
  assert.deepEqual(texts(room), old);
});

test('what nobody here can open hides nothing that lies behind it, whenever somebody looks', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  const [old, closed] = [['one', 'two'], Array.from({ length: 700 }, () => 'not for me')];
  for (const text of old) anna(text, { epoch: 3, quietly: true });
  for (const text of closed) anna(text, { epoch: 1, quietly: true });
  const desk = Object.assign(new FakeDesk(ME), { epoch: 5, firstEpoch: 5 });
  const { keys, room } = await opened(context, { server, desk });
  while (room.hasMoreBefore) await room.loadBefore();
  await quiet(5_000);
  desk.firstEpoch = 3;
  keys.remembered(ROOM);
  await quiet(5_000);
  assert.equal(texts(room)[0], 'before', 'not at once: every page costs the server one');
  keys.remembered(ROOM);
  await long(() => texts(room)[0] === 'one');
  assert.deepEqual(texts(room).slice(0, 3), ['one', 'two', 'before']);
});

test('what a reload kept from being shown by the archive is shown when somebody looks, and without it the server is not asked', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  anna('old', { epoch: 2, quietly: true });
  anna('new', { epoch: 5, quietly: true });
  const desk = Object.assign(new FakeDesk(ME), { epoch: 5, firstEpoch: 5 });
  const { chat, keys, room } = await opened(context, { server, desk });
  await until(() => room.length === 2);
  desk.firstEpoch = 1;
  const asked = server.asked.length;
  chat.watch(ROOM);
  await quiet();
  assert.deepEqual([texts(room), server.asked.slice(asked).filter((call) => call.includes('messages'))], [['before', 'new'], []]);
  keys.unlocked();
  await until(() => texts(room).join() === 'old,new');
});

test('what another device archived later is shown when somebody looks again after some minutes, and the server is not asked more often', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  anna('old', { epoch: 2, quietly: true });
  anna('new', { epoch: 5, quietly: true });
  const desk = Object.assign(new FakeDesk(ME), { epoch: 5, firstEpoch: 5 });
  let now = 5_000_000;
  const { chat, keys, room } = await opened(context, { server, desk, device: { now: () => now } });
  await until(() => room.length === 2);
  keys.unlocked();
  const look = async () => {
    chat.watch(null);
    chat.watch(ROOM);
    await quiet();
  };
  await look();
  desk.firstEpoch = 1;
  const asked = server.asked.length;
  await look();
  assert.deepEqual([texts(room), server.asked.slice(asked).filter((call) => call.includes('messages'))], [['before', 'new'], []]);
  now += 330_000;
  await look();
  await until(() => texts(room).join() === 'old,new');
  // Who only stays there: with the next epoch.
  desk.firstEpoch = 5;
  anna('older', { epoch: 4 });
  await until(() => texts(room).join() === 'old,new,before');
  desk.firstEpoch = 1;
  keys.moved(ROOM);
  await quiet();
  assert.equal(texts(room).at(-1), 'before');
  now += 330_000;
  keys.moved(ROOM);
  await until(() => texts(room).join() === 'old,new,older');
});
