// The page's end of the keys' worker: answers find who asked, whoever waits learns of an end, and one that stopped is followed by another.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { Keys, KeysRefused } from '../e2ee/keys/page.js';
import { openKeys } from '../state/keys/open.js';

Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });

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
  const keys = new Keys(() => worker);
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
  const keys = new Keys(() => worker);
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
  new Keys(() => worker).connect('c', port1);
  assert.deepEqual(worker.sent, [[{ type: 'port', call: 'c' }, [port1]]]);
  port1.close();
});

for (const [how, code] of [['onerror', 'worker'], ['onmessageerror', 'worker'], ['close', 'closed']]) {
  test(`whoever waits is told of the end, and who comes later too (${how})`, async () => {
    const worker = new FakeWorker();
    const keys = new Keys(() => worker);
    const waiting = [keys.begin('u'), keys.ask(LOOK, 'group'), keys.passMediaKeys('c', 'join')];
    if (how === 'close') keys.close();
    else worker[how]({});
    for (const each of waiting) await assert.rejects(each, isCode(code));
    assert.ok(worker.terminated);
    for (const later of [keys.ask(LOOK, 'group'), keys.passMediaKeys('c', 'join')]) await assert.rejects(later, isCode(code));
  });
}

/** Keys whose workers the test has, one after the other. */
function startedKeys() {
  const workers = [];
  const keys = new Keys(() => workers[workers.push(new FakeWorker()) - 1]);
  const begins = async () => {
    const begun = keys.begin('u');
    const worker = workers.at(-1);
    worker.onmessage?.({ data: { id: worker.sent.at(-1)?.[0].id, device: 'd' } });
    return begun;
  };
  return { keys, workers, begins };
}

test('after a worker has stopped the next to begin reaches another, which answers whatever is asked from then on', async () => {
  const { keys, workers, begins } = startedKeys();
  let told = 0;
  keys.addEventListener('stopped', () => (told += 1));
  assert.equal(await begins(), 'd');
  for (const how of ['onerror', 'onmessageerror']) {
    const before = workers.at(-1);
    before[how]({});
    await assert.rejects(keys.ask(LOOK, 'group'), isCode('worker'), 'only who begins starts one');
    assert.equal(await begins(), 'd');
    const now = workers.at(-1);
    assert.ok(now !== before && before.terminated && !now.terminated);
    const asked = keys.ask(LOOK, 'group');
    before.onerror({});
    now.onmessage({ data: { id: now.sent.at(-1)[0].id, answer: { type: 'group', epoch: 7 } } });
    assert.equal((await asked).epoch, 7, 'whatever is heard of the one before');
  }
  assert.deepEqual([workers.length, told], [3, 2]);
});

test('t19 what a worker breaks down over is asked once more of another, and refused where that one does, too', async () => {
  for (const isBad of [false, true]) {
    const { keys, workers, begins } = startedKeys();
    let told = 0;
    keys.addEventListener('stopped', () => (told += 1));
    await begins();
    const answers = async (data) => {
      const worker = workers.at(-1);
      worker.onmessage({ data: { id: worker.sent.at(-1)[0].id, ...data } });
      await new Promise(setImmediate);
    };
    const other = keys.ask(LOOK, 'group');
    const asked = keys.ask(LOOK, 'group');
    const end = isBad ? assert.rejects(asked, isCode('crashed')) : asked;
    const refused = assert.rejects(other, isCode('worker'), 'what else it was asked says nothing');
    await answers({ error: 'crashed', isOver: true });
    await refused;
    assert.deepEqual([workers.length, workers[0].terminated, workers[1].sent.at(-1)[0].type, told], [2, true, 'begin', 1]);
    await answers({ device: 'd' });
    await answers(isBad ? { error: 'crashed', isOver: true } : { answer: { type: 'group', epoch: 4 } });
    if (isBad) await answers({ device: 'd' });
    assert.equal((await end)?.epoch, isBad ? undefined : 4);
    assert.deepEqual([workers.length, told], isBad ? [3, 2] : [2, 1]);
    // What follows from the refusal, as that a group is forgotten, finds a worker.
    const next = keys.ask(LOOK, 'group');
    await answers({ answer: { type: 'group', epoch: 5 } });
    assert.equal((await next).epoch, 5);
  }
});

test('a worker that stops before it has begun is told to who waits for it, and to nobody else', async () => {
  const { keys, workers } = startedKeys();
  let told = 0;
  keys.addEventListener('stopped', () => (told += 1));
  for (let tries = 1; tries <= 3; tries += 1) {
    const begun = keys.begin('u');
    workers.at(-1).onerror({});
    await assert.rejects(begun, isCode('worker'));
    assert.deepEqual([workers.length, told], [tries, 0]);
  }
});

test('what was closed begins no more, whether its worker had stopped or not', async () => {
  for (const hadStopped of [true, false]) {
    const { keys, workers } = startedKeys();
    if (hadStopped) workers[0].onerror({});
    keys.close();
    workers[0].onerror({});
    await assert.rejects(keys.begin('u'), isCode('closed'));
    assert.deepEqual([workers.length, workers[0].terminated], [1, true]);
  }
});

/** A user whose new device nobody vouches for, in a browser whose workers do as the test says, and whose waits are as short as chance may have them. */
function openedKeys(over, fate) {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(Math, 'random', () => 0);
  const workers = [];
  globalThis.Worker = class extends FakeWorker {
    begun = 0;
    constructor() {
      super();
      workers.push(this);
    }
    postMessage({ type, id }) {
      if (type === 'begin') this.begun += 1;
      if (fate === 'never loads') return queueMicrotask(() => this.onerror({}));
      const data = type === 'begin' ? { id, device: null } : { id, error: 'no_device' };
      queueMicrotask(() => (this.terminated ? undefined : this.onmessage({ data })));
      if (fate === 'stops at once' && type === 'begin') queueMicrotask(() => this.onerror({}));
    }
  };
  const api = { call: async () => ({ records: [{ record: 'AAAA' }] }) };
  const standings = [];
  const account = openKeys(api, { rooms: [] }, 'host')('me', { standing: (standing) => standings.push(standing), log() {}, archive() {} });
  account.up();
  const passes = async (ms) => {
    for (let passed = 0; passed < ms; passed += 100) {
      mock.timers.tick(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  over.after(() => {
    account.close();
    mock.reset();
    delete globalThis.Worker;
  });
  return { workers, standings, passes };
}

test('an account whose worker stopped while nothing was asked begins with another by itself', async (over) => {
  const { workers, standings, passes } = openedKeys(over, 'lasts');
  await passes(60_000);
  assert.deepEqual([workers.map(({ begun }) => begun), standings], [[1], ['unvouched']]);
  workers[0].onerror({});
  await passes(1_000);
  assert.deepEqual([workers.map(({ begun }) => begun), standings], [[1, 1], ['unvouched', 'unvouched']]);
});

// The account tries again by itself what failed as it began, and one that had begun is begun again besides: every 15 seconds each, in the end.
for (const [fate, everyMinute] of [['never loads', 4], ['stops at once', 8]]) {
  test(`a worker that ${fate} is started anew, less and less often`, async (over) => {
    const { workers, passes } = openedKeys(over, fate);
    await passes(60_000);
    const { length: before } = workers;
    await passes(300_000);
    const after = workers.length - before;
    assert.ok(before >= 3 && before <= 20, `${before} in the first minute`);
    assert.ok(after > 0 && after <= 5 * everyMinute, `${after} in the five after it`);
  });
}
