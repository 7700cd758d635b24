// What a link promises of its room, in the part of the address that no server sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EncryptedOnce } from '../state/encrypted-once.js';
import { RoomsStore, promiseOf, promisedIn, secretIn } from '../state/rooms.js';

const SECRET = 'Ab_-'.repeat(32);

test('t8 whoever comes by a link that says encrypted joins no room of which the server says that it is not, though they never saw it', async () => {
  const rooms = [['open', false], ['mls', false], ['mls', true]].map(([encryption, strict]) => ({ id: 'r', name: 'Stammtisch', encryption, strict }));
  for (const [hash, good] of [['', [0, 1, 2]], ['#encrypted', [1, 2]], ['#strict', [2]], ['#open', [0, 1, 2]], [`#encrypted.${SECRET}`, [1, 2]], ['#encrypted.cut', [1, 2]], ['#encrypted.', [1, 2]]]) {
    for (const [at, room] of rooms.entries()) {
      const asked = [];
      const api = { call: async (method, path) => (asked.push(path), { ...room }) };
      const encrypted = new EncryptedOnce(null);
      const store = new RoomsStore(api, encrypted);
      const behind = store.behind('code', promisedIn(hash));
      if (good.includes(at)) {
        assert.deepEqual(await behind, room);
        assert.deepEqual(promisedIn(promiseOf(room)), [null, 'encrypted', 'strict'][at]);
      } else {
        await assert.rejects(behind, { code: 'link_contradicted' });
        // Whoever wrote that into a link takes no room away from anybody.
        assert.deepEqual(encrypted.seen({ ...room }), room);
      }
    }
  }
});

test('what the person was shown of a room before they joined holds, whatever is answered then', async () => {
  const answers = [{ id: 'r', name: 'Stammtisch', encryption: 'mls', strict: true }, { id: 'r', name: 'Stammtisch', encryption: 'open', strict: false }];
  const store = new RoomsStore({ call: async () => ({ ...answers.shift() }) }, new EncryptedOnce(null));
  await store.behind('code', 'strict');
  const { encryption, strict } = await store.join('code');
  assert.deepEqual([encryption, strict], ['mls', true]);
});

test('what stands in a link for those inside is read whole or not at all, and of a strict room there is nothing', () => {
  const [open, encrypted, strict] = [['open', false], ['mls', false], ['mls', true]].map(([encryption, strict]) => ({ encryption, strict }));
  assert.equal(promiseOf(encrypted, SECRET), `#encrypted.${SECRET}`);
  assert.deepEqual([promiseOf(open, SECRET), promiseOf(strict, SECRET)], ['', '#strict']);
  assert.equal(secretIn(promiseOf(encrypted, SECRET)), SECRET);
  for (const none of ['', '#encrypted', '#encrypted.', '#strict', `#strict.${SECRET}`, `#encrypted.${SECRET}x`, `#encrypted.${SECRET.slice(1)}`, `#encrypted.${SECRET.slice(1)}+`, `#encrypted.${SECRET.slice(1)}\n`]) assert.equal(secretIn(none), null, none);
});

test('what stood in the link is shown as one joins or kept until one is inside, over a reload, the newest alone', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const id = '01890000-0000-8000-8000-00000000000a';
  const asked = [];
  const api = { call: async (method, path, body) => (asked.push(body), { id, name: 'Stammtisch', in_call: 0, encryption: 'mls', strict: false }) };
  const store = () => new RoomsStore(api, new EncryptedOnce(storage));
  const given = [];
  const rooms = store();
  rooms.addEventListener('given', ({ detail }) => given.push(detail.room));
  await rooms.join('code');
  assert.deepEqual([rooms.givenFor(id), given], [null, []]);
  await rooms.join('code', { secret: 'other'.padEnd(128, '-'), invitation: null });
  await rooms.join('code', { secret: SECRET, invitation: 'a+/=' });
  assert.deepEqual(asked, [{ code: 'code' }, { code: 'code' }, { code: 'code', invitation: 'a-_' }], 'as the server writes bytes');
  const bytes = 'Ab/+'.repeat(32);
  assert.deepEqual([rooms.givenFor(id), store().givenFor(id), given], [bytes, bytes, [id, id]], 'and as the worker does');
  rooms.inside(id);
  assert.deepEqual([rooms.givenFor(id), store().givenFor(id)], [null, null]);
});
