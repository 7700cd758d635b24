// When the worker of the keys is told to keep what opens messages, and when that goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { NoticeKeep, forgetNotices } from '../e2ee/push/kept.js';
import { NoticesStore } from '../state/notices.js';
import { until } from './chat-server.js';
import { makeDevice, makeRoom } from './push-world.js';

const [ANN, BEN] = ['a', 'b'].map((digit) => `0000000${digit}-0000-4000-8000-000000000000`);
const MEMBERS = [{ user: ANN, username: 'ann' }, { user: BEN, username: 'ben' }];

function world(details) {
  const factory = new IDBFactory();
  const kept = [];
  const keys = Object.assign(new EventTarget(), { account: { keepNotices: async (...what) => void kept.push(what) } });
  const rooms = Object.assign(new EventTarget(), { rooms: null, details: async (id) => ({ id, ...details[id] }) });
  const session = Object.assign(new EventTarget(), { status: 'signed-in', signedInSince: null });
  new NoticesStore(keys, rooms, session, { language: () => 'ru', databases: () => factory });
  const epoch = (room) => keys.dispatchEvent(new CustomEvent('room', { detail: { room } }));
  const told = (list) => {
    rooms.rooms = list.map((id) => ({ id }));
    rooms.dispatchEvent(new Event('change'));
  };
  return { factory, kept, session, epoch, told };
}

/** Turns of the event loop until it holds; a bound instead of a time. */
async function comes(holds) {
  for (let turn = 0; turn < 2_000; turn += 1) {
    if (await holds()) return true;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return false;
}

test('with each epoch of a room the names of the people in it are kept', async () => {
  const { kept, epoch } = world({ boats: { kind: 'room', name: 'Boats', members: MEMBERS }, two: { kind: 'direct', name: '', members: MEMBERS }, gone: { kind: 'room' } });
  for (const room of ['gone', 'boats', 'two']) epoch(room);
  await until(() => kept.length === 2, 'both are kept, though one failed');
  const people = { [ANN]: 'ann', [BEN]: 'ben' };
  assert.deepEqual(kept, [['boats', 'ru', { title: 'Boats', people }], ['two', 'ru', { title: null, people }]]);
  epoch('boats');
  await until(() => kept.length === 3, 'the next epoch is kept too');
});

test('what is kept of a room goes with the room, and all of it at log-out', async () => {
  const { factory, session, told } = world({});
  const [staying, leaving] = [await makeRoom([makeDevice(0, ANN)]), await makeRoom([makeDevice(0, ANN)])];
  const keep = await NoticeKeep.open(factory);
  for (const { opening } of [staying, leaving]) await keep.put({ user: ANN, language: 'en' }, opening, { title: 'x', people: {} });
  told([staying.opening.room, leaving.opening.room]);
  assert.notEqual(await keep.find(leaving.opening.room), null);
  told([staying.opening.room]);
  assert.ok(await comes(async () => (await keep.find(leaving.opening.room)) === null));
  assert.notEqual(await keep.find(staying.opening.room), null);
  session.status = 'signed-out';
  session.dispatchEvent(new Event('change'));
  assert.ok(await comes(async () => (await factory.databases()).length === 0));
});

test('a window that wakes after a log-out leaves what opens the messages of who has signed in since', async () => {
  const { factory, session } = world({});
  const [staying, going] = [await makeRoom([makeDevice(0, BEN)]), await makeRoom([makeDevice(0, ANN)])];
  const leave = () => {
    Object.assign(session, { status: 'signed-out', signedInSince: BEN });
    session.dispatchEvent(new Event('change'));
  };
  const keep = await NoticeKeep.open(factory);
  await keep.put({ user: ANN, language: 'en' }, going.opening, { title: 'x', people: {} });
  leave();
  assert.ok(await comes(async () => (await keep.language()) === null), 'what is of who left goes');
  assert.equal(await keep.find(going.opening.room), null);
  await keep.put({ user: BEN, language: 'en' }, staying.opening, { title: 'x', people: {} });
  await forgetNotices(factory, () => session.signedInSince);
  assert.notEqual(await keep.find(staying.opening.room), null);
  assert.equal(await keep.language(), 'en');
});
