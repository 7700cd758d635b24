// What a link promises of its room, in the part of the address that no server sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EncryptedOnce } from '../state/encrypted-once.js';
import { RoomsStore, promiseOf, promisedIn } from '../state/rooms.js';

test('t8 whoever comes by a link that says encrypted joins no room of which the server says that it is not, though they never saw it', async () => {
  const rooms = [['open', false], ['mls', false], ['mls', true]].map(([encryption, strict]) => ({ id: 'r', name: 'Stammtisch', encryption, strict }));
  for (const [hash, good] of [['', [0, 1, 2]], ['#encrypted', [1, 2]], ['#strict', [2]], ['#open', [0, 1, 2]]]) {
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
