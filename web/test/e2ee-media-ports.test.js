// Which media worker gets the keys of a stay in a call.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysError } from '../e2ee/keys/door.js';
import { MediaPorts } from '../e2ee/keys/media-ports.js';

const call = (number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const isCode = (code) => (error) => error instanceof KeysError && error.code === code;
const message = (id, because = 'start') => ({ type: 'media', id: 1, call: id, because, removed: [] });
const keys = (session, epoch = 0) => ({
  type: 'media',
  epoch,
  leaf: 0,
  members: [{ leaf: 0, user: 'u', participant: '0000000000000001', session, base: btoa('0123456789abcdef') }],
});

/** A port that takes notes. */
class Port {
  epochs = [];
  closed = false;
  postMessage({ epoch }) {
    this.epochs.push(epoch);
  }
  close() {
    this.closed = true;
  }
}

test('the keys of a stay go to one media worker, however often it asks, and to no second one (T12)', async () => {
  const ports = new MediaPorts();
  const [first, second] = [new Port(), new Port()];
  ports.connect(call(1), first);
  await ports.pass(keys('a', 0), message(call(1)));
  await ports.pass(keys('a', 1), message(call(1), 'join'));
  assert.deepEqual(first.epochs, [0, 1]);
  ports.connect(call(1), second);
  assert.ok(first.closed);
  for (const epoch of [1, 2]) await assert.rejects(ports.pass(keys('a', epoch), message(call(1))), isCode('used_elsewhere'));
  assert.deepEqual(second.epochs, []);
  await ports.pass(keys('b', 3), message(call(1)));
  assert.deepEqual(second.epochs, [3], 'who joined the call anew has a nonce of its own');
});

test('a call without a port, or in which one has no stay, gets nothing', async () => {
  const ports = new MediaPorts();
  await assert.rejects(ports.pass(keys('a'), message(call(1))), isCode('unknown_call'));
  const port = new Port();
  ports.connect(call(1), port);
  await assert.rejects(ports.pass({ ...keys('a'), leaf: 7 }, message(call(1))), isCode('unknown_call'));
  assert.deepEqual(port.epochs, []);
});

test('of many calls the one connected first is let go', async () => {
  const ports = new MediaPorts();
  const all = Array.from({ length: 5 }, () => new Port());
  for (const [number, port] of all.entries()) ports.connect(call(number), port);
  assert.deepEqual(all.map(({ closed }) => closed), [true, false, false, false, false]);
});
