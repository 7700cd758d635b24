import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { ReadMarker, TELL_INTERVAL_MS } from '../state/chat/read-marker.js';

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
});

function marker({ fails = () => false } = {}) {
  const told = [];
  const tell = async (seq) => {
    told.push([seq, Date.now()]);
    if (fails()) throw new Error('no connection');
  };
  return { told, marker: new ReadMarker(tell, () => Date.now()) };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('of a hundred messages read in ten seconds the server hears six times, and of the last one', () => {
  const { told, marker: one } = marker();
  for (let seq = 1; seq <= 100; seq += 1) {
    one.set(seq);
    mock.timers.tick(100);
  }
  mock.timers.tick(TELL_INTERVAL_MS);
  assert.equal(told.at(-1)[0], 100);
  assert.equal(told.length, 6);
  for (let index = 1; index < told.length; index += 1) assert.ok(told[index][1] - told[index - 1][1] >= TELL_INTERVAL_MS);
});

test('the marker never goes back, and what the server has is not told again', () => {
  const { told, marker: one } = marker();
  one.serverHas(5);
  one.set(5);
  one.set(9);
  one.set(7);
  mock.timers.tick(10_000);
  one.serverHas(20);
  one.set(12);
  mock.timers.tick(10_000);
  assert.deepEqual(told.map(([seq]) => seq), [9]);
});

test('what waits for its time is told when the page goes', () => {
  const { told, marker: one } = marker();
  one.set(1);
  one.set(2);
  one.set(3);
  one.flush();
  one.flush();
  mock.timers.tick(10_000);
  assert.deepEqual(told.map(([seq]) => seq), [1, 3]);
});

test('what the server did not hear is told again with the next chance', async () => {
  let down = true;
  const { told, marker: one } = marker({ fails: () => down });
  one.set(4);
  await settled();
  down = false;
  mock.timers.tick(TELL_INTERVAL_MS);
  one.set(4);
  assert.deepEqual(told.map(([seq]) => seq), [4, 4]);
});

test('after the end nothing is told', () => {
  const { told, marker: one } = marker();
  one.set(1);
  one.set(2);
  one.stop();
  mock.timers.tick(10_000);
  assert.deepEqual(told.map(([seq]) => seq), [1]);
});
