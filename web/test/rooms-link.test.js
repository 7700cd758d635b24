// What a link promises of its room, in the part of the address that no server sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EncryptedOnce } from '../state/encrypted-once.js';
import { RoomsStore, promiseOf, promisedIn } from '../state/rooms.js';

const OPEN = { id: 'r', name: 'Stammtisch', encryption: 'open', strict: false };

test('t8 whoever comes by a link that says encrypted believes no server that says open, though they never saw the room', async () => {
  const api = { call: async () => ({ ...OPEN }) };
  for (const [hash, encryption, strict] of [['', 'open', false], ['#encrypted', 'mls', false], ['#strict', 'mls', true], ['#open', 'open', false]]) {
    if (hash !== '#open') assert.equal(promiseOf({ encryption, strict }), hash);
    const encrypted = new EncryptedOnce(null);
    const rooms = new RoomsStore(api, encrypted);
    const shown = await rooms.behind('code', promisedIn(hash));
    assert.deepEqual([shown.encryption, shown.strict], [encryption, strict], hash);
    const joined = await rooms.join('code');
    assert.deepEqual([joined.encryption, joined.strict, encrypted.isStrict('r')], [encryption, strict, strict]);
    assert.equal(encrypted.seen({ ...OPEN }).encryption, encryption, 'nor later');
  }
});
