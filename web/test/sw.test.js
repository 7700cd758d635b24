// The service worker itself, with the world of a service worker played: what it does when it is woken, and what it never does.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { NoticeKeep } from '../e2ee/push/kept.js';
import { makeDevice, makeRoom, pushed, seal } from './push-world.js';

const BEN = '0000000b-0000-4000-8000-000000000000';
const listeners = new Map();
const shown = [];
const world = { windows: [], opened: [] };
Object.assign(globalThis, {
  indexedDB: new IDBFactory(),
  addEventListener: (type, listener) => listeners.set(type, listener),
  skipWaiting: async () => {},
  registration: { showNotification: async (title, options) => void shown.push({ title, ...options }) },
  clients: { claim: async () => {}, matchAll: async () => world.windows, openWindow: async (path) => void world.opened.push(path) },
});
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['ru-RU'] }, configurable: true });
await import('../sw.js');

async function happens(type, event) {
  const acts = [];
  listeners.get(type)({ ...event, waitUntil: (act) => acts.push(act) });
  await Promise.all(acts);
}

const push = async (text) => {
  await happens('push', { data: text === null ? null : { text: () => text } });
  return shown.at(-1);
};

test('every push shows a notice, with the text only where it opens, in the language of the person', async () => {
  const ben = makeDevice(1, BEN);
  const room = await makeRoom([ben]);
  const sealed = pushed(room, seal(room, ben, { v: 1, type: 'text', text: 'aye' }));
  for (const bad of [null, '', 'nonsense', pushed(room), sealed]) assert.deepEqual([(await push(bad)).title, shown.at(-1).body], ['WebCall', 'Новое сообщение'], 'nothing is kept yet');
  const keep = await NoticeKeep.open(globalThis.indexedDB);
  await keep.put({ user: BEN, language: 'en' }, room.opening, { title: 'Boats', people: { [BEN]: 'ben' } });
  const { title, body, tag, data } = await push(sealed);
  assert.deepEqual([title, body, tag, data], ['Boats', 'ben: aye', room.opening.room, { room: room.opening.room }]);
  assert.equal((await push(pushed(room))).body, 'New message');
  assert.equal(shown.length, 7);
});

test('a notice leads to its room: in the window that is there, or in a new one', async () => {
  const [room, closed] = ['00000000-0000-4000-8000-0000000000aa', []];
  const click = (data) => happens('notificationclick', { notification: { data, close: () => closed.push(data) } });
  await click({ room });
  assert.deepEqual(world.opened, [`/rooms/${room}?chat`]);
  const told = [];
  world.windows = [{ focus: async () => told.push('focus'), postMessage: (message) => told.push(message) }];
  await click({ room });
  assert.deepEqual(told, ['focus', { type: 'open', path: `/rooms/${room}?chat` }]);
  await click(null);
  assert.deepEqual([told.at(-1), closed.length, world.opened.length], [{ type: 'open', path: '/' }, 3, 1]);
});
