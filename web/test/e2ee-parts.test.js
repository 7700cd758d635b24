import assert from 'node:assert/strict';
import { test } from 'node:test';

import { People } from '../state/keys/people.js';
import { oneAtATime, turnMs } from '../state/keys/parts.js';

test('what runs one at a time never runs twice, also for whoever asks as one run ends, and nobody is forgotten', async () => {
  let running = 0;
  let most = 0;
  let runs = 0;
  const act = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    runs += 1;
    return runs;
  };
  const ask = oneAtATime(act);
  const first = ask();
  const second = ask();
  assert.equal(ask(), second, 'who asks while one runs gets the run after it');
  // Whoever goes on as the first run ends asks again before the second has begun.
  const again = first.then(() => ask());
  assert.deepEqual(await Promise.all([first, second, again]), [1, 2, 2]);
  assert.equal(most, 1);
  assert.equal(await ask(), 3);
});

test('what is published while it is asked for is asked for again, and who asked gets what was found', async () => {
  let answers = [];
  const log = { learn: () => new Promise((resolve) => answers.push(resolve)) };
  const people = new People({}, log);
  const first = people.know(['u']);
  people.forget('u');
  answers[0](null);
  assert.deepEqual([...(await first)], [['u', 'none']]);
  const second = people.know(['u']);
  answers[1]({ records: ['a record'], answer: { changed: false, verified: 'no', name: null } });
  assert.deepEqual([...(await second)], [['u', 'trusted']], 'the answer from before the hint does not stay');
  assert.deepEqual([...(await people.know(['u']))], [['u', 'trusted']]);
  assert.equal(answers.length, 2, 'nothing has changed since');
});

test('members take turns by their place in the tree, and those far behind by chance', () => {
  const turnOf = (at, random, count = 40) => turnMs({ leaf: at * 2, members: Array.from({ length: count }, (_, leaf) => ({ leaf: leaf * 2 })) }, [], () => random, 6);
  assert.deepEqual([0, 1, 5].map((at) => turnOf(at, 0.5)), [0, 250, 1_250]);
  assert.deepEqual([6, 39].flatMap((at) => [turnOf(at, 0), turnOf(at, 1)]), [1_500, 3_540, 1_500, 3_540]);
  assert.deepEqual([turnOf(8, 1, 9), turnOf(6, 1, 500)], [1_680, 4_500], 'a few come soon, a crowd not at once');
  assert.equal(turnMs({ leaf: 4, members: [{ leaf: 0 }, { leaf: 2 }, { leaf: 4 }] }, [0], () => 1), 250, 'for who is to go nobody waits');
});
