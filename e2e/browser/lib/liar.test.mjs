// Lies by chance: the same seed tells the same ones, another seed others, and without a plan nothing is told but the truth.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { everyName, Liar } from './liar.mjs';

const JOINED = { seq: 2, type: 'joined', id: 1, room: 'r', encryption: 'mls', strict: true, participants: [{ participant: 'a1', user: 'aa', sources: [] }], group: null };

/** What two hundred frames become. */
function told(seed, plan) {
  const liar = new Liar(seed);
  liar.begin('0', plan);
  const { frame } = liar.changeFor('anna');
  return Array.from({ length: 200 }, () => frame(JOINED));
}

test('the_same_seed_tells_the_same_lies_and_another_tells_others', () => {
  const lies = told('one', { rate: 0.5 });
  assert.deepEqual(told('one', { rate: 0.5 }), lies);
  assert.notDeepEqual(told('two', { rate: 0.5 }), lies);
  const changed = lies.filter((frames) => JSON.stringify(frames) !== JSON.stringify([JOINED])).length;
  assert.ok(changed > 60 && changed < 140, `${changed} of 200 at a half`);
  assert.ok(lies.flat().some(({ encryption }) => encryption === 'open'));
});

test('at_a_rate_of_nothing_the_truth_is_told_and_what_is_always_said_is', () => {
  assert.ok(told('one', { rate: 0 }).every((frames) => JSON.stringify(frames) === JSON.stringify([JOINED])));
  const opened = told('one', { rate: 0, always: everyName('encryption', () => 'open') });
  assert.deepEqual(opened[0], [{ ...JOINED, encryption: 'open' }]);
  const silent = told('one', { rate: 0, always: everyName('user', () => undefined) });
  assert.deepEqual(silent[0][0].participants, [{ participant: 'a1', sources: [] }]);
});
