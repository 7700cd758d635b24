// What waits for a device: when a welcome is taken in, tried again, and thrown away.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { Inbox } from '../state/keys/inbox.js';

/** One welcome in an inbox. @param refusals what the worker says to it, in turn; then it takes it. @param insides whether the device is in the group after each look */
function inboxWith({ refusals = [], insides = [] } = {}) {
  const did = [];
  const parts = {
    membersOf: async () => [],
    isStrict: () => false,
    people: { forget() {}, know: async () => new Map() },
    keys: {
      ask: async ({ op }) => {
        did.push(op);
        const code = refusals.shift();
        if (code !== undefined) throw new KeysRefused(code);
      },
    },
    delivery: {
      inbox: async () => ({ items: [{ id: 'w', group: { kind: 'room', id: 'r' }, welcome: 'welcome' }], more: false }),
      taken: async () => void did.push('taken'),
    },
  };
  const entered = async () => (did.push('looked'), insides.shift() ? {} : null);
  return { inbox: new Inbox(parts, entered), did };
}

test('a welcome is taken in, and thrown away then', async () => {
  const { inbox, did } = inboxWith({ insides: [true] });
  await inbox.empty('device');
  assert.deepEqual(did, ['join', 'taken', 'looked']);
});

test('a welcome that is refused while this device’s own try at the group is on its way is tried again once that has failed', async () => {
  const { inbox, did } = inboxWith({ refusals: ['known_group'], insides: [false, true] });
  await inbox.empty('device');
  assert.deepEqual(did, ['join', 'looked', 'join', 'taken', 'looked']);
});

test('a welcome is not tried again by who came in another way, nor more than once', async () => {
  const inside = inboxWith({ refusals: ['known_group'], insides: [true, true] });
  await inside.inbox.empty('device');
  assert.deepEqual(inside.did, ['join', 'looked', 'taken', 'looked']);
  const outside = inboxWith({ refusals: ['bad_welcome', 'bad_welcome'] });
  await outside.inbox.empty('device');
  assert.deepEqual(outside.did, ['join', 'looked', 'join', 'taken', 'looked']);
});

test('a welcome stays where it is when the worker fails for the moment', async () => {
  const { inbox, did } = inboxWith({ refusals: ['storage'] });
  await assert.rejects(inbox.empty('device'), { code: 'storage' });
  assert.deepEqual(did, ['join']);
});
