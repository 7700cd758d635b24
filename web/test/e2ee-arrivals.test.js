import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Arrivals } from '../state/keys/arrivals.js';

const lookOf = (users) => ({ members: users.map((user, leaf) => ({ leaf, user })) });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A room of these members, in whose group the first is. */
function roomOf(...members) {
  const world = { inside: [members[0]], door: [], pauses: [], late: () => {} };
  const pause = (ms) => new Promise((resolve) => (world.pauses.push(ms), (world.late = resolve)));
  const arrivals = new Arrivals({ membersOf: async () => members, pause }, () => lookOf(world.inside), () => world.door);
  const wait = () => arrivals.wait('r', lookOf(world.inside));
  const come = (user) => (world.inside.push(user), arrivals.changed('r'));
  return { world, wait, come };
}

test('whoever writes waits until all who are in the room are in its group, and no longer', async () => {
  const { world, wait, come } = roomOf('me', 'ann', 'ben');
  let waited = null;
  void wait().then((is) => (waited = is));
  await turn();
  come('ann');
  await turn();
  assert.equal(waited, null, 'one is missing still');
  come('ben');
  await turn();
  assert.deepEqual([waited, world.pauses.length], [true, 1]);
  assert.equal(await wait(), false, 'everybody is there');
});

test('who does not come is waited for once, and a message after that goes at once', async () => {
  const { world, wait } = roomOf('me', 'ann');
  const first = wait();
  await turn();
  world.late();
  assert.equal(await first, true);
  assert.deepEqual([await wait(), world.pauses.length], [false, 1]);
});

test('for whoever waits to be let into a strict room nobody waits', async () => {
  const { world, wait } = roomOf('me', 'ann');
  world.door = ['ann'];
  assert.deepEqual([await wait(), world.pauses.length], [false, 0]);
  world.door = [];
  void wait();
  await turn();
  assert.equal(world.pauses.length, 1, 'the control');
});
