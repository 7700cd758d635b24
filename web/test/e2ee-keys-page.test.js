// The page's end of the keys' worker: answers find who asked, and whoever waits learns of an end.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Keys, KeysRefused } from '../e2ee/keys/page.js';

class FakeWorker {
  sent = [];
  terminated = false;
  postMessage(message, transfer = []) {
    this.sent.push([message, transfer]);
  }
  terminate() {
    this.terminated = true;
  }
}

const isCode = (code) => (error) => error instanceof KeysRefused && error.code === code;
const LOOK = { op: 'look', group: { kind: 'room', id: 'r' } };

test('answers find who asked, in whatever order they come', async () => {
  const worker = new FakeWorker();
  const keys = new Keys(worker);
  const [first, second] = [keys.ask(LOOK, 'group'), keys.ask(LOOK, 'group')];
  const [one, two] = worker.sent.map(([{ id }]) => id);
  assert.notEqual(one, two);
  worker.onmessage({ data: { id: two, answer: { type: 'group', epoch: 2 } } });
  worker.onmessage({ data: { id: one, answer: { type: 'group', epoch: 1 } } });
  worker.onmessage({ data: { id: 99, answer: { type: 'group', epoch: 3 } } });
  assert.deepEqual([(await first).epoch, (await second).epoch], [1, 2]);
});

test('a refusal has its code, and an answer of another kind is one', async () => {
  const worker = new FakeWorker();
  const keys = new Keys(worker);
  const refused = keys.ask(LOOK, 'group');
  worker.onmessage({ data: { id: worker.sent[0][0].id, error: 'not_open' } });
  await assert.rejects(refused, isCode('not_open'));
  const odd = keys.ask(LOOK, 'group');
  worker.onmessage({ data: { id: worker.sent[1][0].id, answer: { type: 'done' } } });
  await assert.rejects(odd, isCode('unexpected'));
});

test('a port goes over, and is not the page\'s any more', () => {
  const worker = new FakeWorker();
  const { port1 } = new MessageChannel();
  new Keys(worker).connect('c', port1);
  assert.deepEqual(worker.sent, [[{ type: 'port', call: 'c' }, [port1]]]);
  port1.close();
});

for (const [how, code] of [['onerror', 'worker'], ['onmessageerror', 'worker'], ['close', 'closed']]) {
  test(`whoever waits is told of the end, and who comes later too (${how})`, async () => {
    const worker = new FakeWorker();
    const keys = new Keys(worker);
    const waiting = [keys.begin('u'), keys.ask(LOOK, 'group'), keys.passMediaKeys('c', 'join')];
    if (how === 'close') keys.close();
    else worker[how]({});
    for (const each of waiting) await assert.rejects(each, isCode(code));
    assert.ok(worker.terminated);
    await assert.rejects(keys.begin('u'), isCode(code));
  });
}
