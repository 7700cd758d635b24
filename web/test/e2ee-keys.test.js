import assert from 'node:assert/strict';
import { test } from 'node:test';

import { epochMessage } from '../e2ee/keys/media-keys.js';
import { MediaPorts } from '../e2ee/keys/media-ports.js';
import { JOIN_DELAY_MS, KEEP_MS, KeyRing } from '../e2ee/media/keys.js';
import { kidOf, readKid } from '../e2ee/media/kid.js';
import { CALL, annaAndBoris, base, epochOf, makeDesk, member, plainFrame, received, seeded } from './e2ee-world.js';

const ring = async (me, others, epoch = 1) => {
  const made = new KeyRing();
  assert.ok(made.begin(await epochOf(epoch, me, others), 0));
  return made;
};
const sealsIn = (keys, now) => readKid(keys.next('microphone', now)?.header.kid ?? -1)?.epoch;
const opens = (keys, epoch, leaf, now) => typeof keys.find(kidOf('microphone', leaf, epoch), now) !== 'string';

test('without keys nothing is sealed and nothing found', () => {
  const keys = new KeyRing();
  assert.equal(keys.next('microphone', 0), null);
  assert.equal(keys.find(5, 0), 'missing');
});

test('after somebody joined, the new key is used a little later; after a removal at once', async () => {
  const keys = await ring(1, [2]);
  assert.equal(sealsIn(keys, 0), 1, 'the first at once');
  assert.ok(keys.begin(await epochOf(2, 1, [2, 3], { because: 'join' }), 1_000));
  assert.equal(sealsIn(keys, 1_000 + JOIN_DELAY_MS - 1), 1);
  assert.equal(sealsIn(keys, 1_000 + JOIN_DELAY_MS), 2);
  assert.ok(keys.begin(await epochOf(3, 1, [2], { because: 'removal', removed: [3] }), 5_000));
  assert.equal(sealsIn(keys, 5_000), 3);
});

test('where nobody else was, the new key is used at once: who joined has it already', async () => {
  const keys = await ring(1, []);
  assert.equal(sealsIn(keys, 0), 1);
  assert.ok(keys.begin(await epochOf(2, 1, [2], { because: 'join' }), 1_000));
  assert.equal(sealsIn(keys, 1_000), 2);
  assert.ok(keys.begin(await epochOf(3, 1, [2, 3], { because: 'join' }), 2_000));
  assert.equal(sealsIn(keys, 2_000), 2, 'now somebody else is there');
});

test('one join after the other does not put the new keys off for ever', async () => {
  const keys = await ring(1, [2]);
  for (let epoch = 2; epoch < 12; epoch += 1) assert.ok(keys.begin(await epochOf(epoch, 1, [2], { because: 'join' }), epoch * 20));
  assert.equal(sealsIn(keys, 220), 6, 'that of a while ago, not later');
  assert.equal(sealsIn(keys, 220 + JOIN_DELAY_MS), 11);
});

test('a removal overtakes the joins that wait', async () => {
  const keys = await ring(1, [2, 3]);
  keys.begin(await epochOf(2, 1, [2, 3, 4], { because: 'join' }), 100);
  keys.begin(await epochOf(3, 1, [2, 4], { because: 'removal', removed: [3] }), 200);
  assert.equal(sealsIn(keys, 200), 3);
  assert.equal(sealsIn(keys, 700), 3, 'and no older one comes back');
});

test('old keys open for ten seconds, those of who was removed not at all', async () => {
  const keys = await ring(1, [2, 3]);
  keys.begin(await epochOf(2, 1, [2], { because: 'removal', removed: [3] }), 1_000);
  assert.ok(opens(keys, 1, 2, 1_000 + KEEP_MS - 1) && opens(keys, 2, 2, 1_000));
  assert.ok(!opens(keys, 1, 3, 1_000), 'removed');
  assert.ok(!opens(keys, 1, 2, 1_000 + KEEP_MS) && opens(keys, 2, 2, 1_000 + KEEP_MS));
});

test('an epoch of the past, of another call or told twice changes nothing', async () => {
  const keys = await ring(1, [2], 5);
  assert.equal(keys.begin(await epochOf(5, 1, [2]), 0), null);
  assert.equal(keys.begin(await epochOf(4, 1, [2]), 0), null);
  assert.equal(keys.begin(await epochOf(6, 1, [2], { call: CALL.map((byte) => byte ^ 1) }), 0), null);
  assert.equal(keys.epoch, 5);
  assert.ok(keys.begin(await epochOf(6, 1, [2]), 0));
});

test('a key that may yet come is missing, one that nobody can have is not', async () => {
  const keys = await ring(1, [2], 300);
  const found = (leaf, epoch) => keys.find(kidOf('camera', leaf, epoch), 0);
  assert.equal(typeof found(2, 300), 'object');
  assert.equal(found(9, 300), 'missing', 'somebody whose hello has not come');
  assert.equal(found(2, 301), 'missing', 'an epoch that has not come');
  assert.equal(found(2, 299), 'missing', 'one from before this client joined');
  assert.equal(found(2, 300 + 100), 'impossible');
  assert.equal(keys.find(2 ** 23, 0), 'impossible');
});

test('a hello that comes later is taken, and told again does not begin the replay window afresh', async () => {
  const keys = await ring(1, []);
  assert.equal(keys.find(kidOf('camera', 2, 1), 0), 'missing');
  assert.equal(keys.add(7, await member(2, 7)), false, 'no such epoch');
  assert.ok(keys.add(1, await member(2, 1)));
  const first = keys.find(kidOf('camera', 2, 1), 0);
  assert.ok(first.replays.take(5));
  keys.add(1, await member(2, 1));
  assert.equal(keys.find(kidOf('camera', 2, 1), 0), first);
  keys.add(1, await member(2, 1, 'p2', 'another nonce'));
  const second = keys.find(kidOf('camera', 2, 1), 0);
  assert.notEqual(second, first);
  assert.ok(second.replays.isFresh(5), 'a new join, with keys and counters of its own');
});

test('a counter goes on through epochs and is used up by asking', async () => {
  const keys = await ring(1, [2]);
  const counters = [];
  for (let epoch = 2; epoch < 300; epoch += 1) {
    counters.push(keys.next('camera', epoch).header.counter, keys.next('camera', epoch).header.counter);
    keys.begin(await epochOf(epoch, 1, [2], { because: 'removal' }), epoch);
  }
  assert.deepEqual(counters, counters.map((_, index) => index));
  assert.equal(keys.next('screen', 300).header.counter, 0, 'each source has its own');
});

test('old epochs are few, however fast they come', async () => {
  const keys = await ring(1, [2]);
  for (let epoch = 2; epoch < 100; epoch += 1) keys.begin(await epochOf(epoch, 1, [2], { because: 'join' }), 0);
  const open = Array.from({ length: 99 }, (_, index) => index + 1).filter((epoch) => opens(keys, epoch, 2, 0));
  assert.equal(open.length, 50);
  assert.equal(open.at(-1), 99);
});

const CALL_ID = '01020304-0506-0708-090a-0b0c0d0e0f10';

/** The keys of a stay as the desk gives them: the base key is of its nonce, whose name is the session. */
async function keysOfStay(session) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(session)));
  const own = { leaf: 1, user: 'u', participant: 'p1', session, base: btoa(String.fromCharCode(...digest.slice(0, 16))) };
  return { type: 'media', epoch: 1, leaf: 1, members: [own] };
}

/** What a new media worker seals, known by what it makes of equal bytes: header (KID and counter) and ciphertext of the same frame. */
async function sealedBy(passKeys) {
  const { desk, keys, lane } = makeDesk();
  const refused = await passKeys({ postMessage: keys, close() {} }).then(() => null, ({ code }) => code);
  const plain = Array.from({ length: 30 }, () => plainFrame('VP9', { random: seeded(1), length: 20 }));
  const sent = await lane({ side: 'send', track: 'own', source: 'camera' }).run(received('VP9', plain));
  assert.equal(desk.report().tracks[0].counters.sealed, sent.length);
  return { refused, used: sent.map((each) => Buffer.from(each.subarray(0, -16)).toString('hex')) };
}

const MEDIA = { type: 'media', id: 1, call: CALL_ID, because: 'start', removed: [], epoch: null };

// That a device which comes into a call anew has another nonce, is tried where nonces are made: `t12_…` of web/crypto/tests.
test('no key is used twice with one counter, however many media workers a page starts in a stay, or in the next (T12)', async () => {
  const ports = new MediaPorts();
  const all = [];
  for (const [session, expected] of [['first', null], ['first', 'used_elsewhere'], ['second', null], ['first', 'used_elsewhere'], ['third', null]]) {
    const { refused, used } = await sealedBy(async (port) => {
      ports.connect(CALL_ID, port);
      await ports.pass(await keysOfStay(session), MEDIA);
    });
    assert.deepEqual([refused, used.length], [expected, expected === null ? 30 : 0]);
    all.push(...used);
  }
  assert.equal(new Set(all).size, 90);
  // Past the ports the second worker would begin to count anew, and this test sees it.
  const past = async (port) => port.postMessage(await epochMessage(await keysOfStay('first'), MEDIA));
  const [one, other] = [await sealedBy(past), await sealedBy(past)];
  assert.deepEqual([one.used.length, other.used], [30, one.used]);
});

test('after a reload the others open what comes under the new session, and not the old one again', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const plain = plainFrame('VP9', { random: seeded(1) });
  const [before] = await anna.lane({ side: 'send', track: 'own', source: 'camera' }).run(received('VP9', [plain]));
  const reloaded = makeDesk();
  reloaded.keys(await epochOf(1, 1, [2, 3], { nonce: 'second' }));
  const [after] = await reloaded.lane({ side: 'send', track: 'own', source: 'camera' }).run(received('VP9', [plain]));
  assert.deepEqual(await opening.run(received('VP9', [before])), [plain]);
  assert.deepEqual(await opening.run(received('VP9', [after])), [], 'its hello has not come');
  boris.keys({ type: 'member', epoch: 1, member: { leaf: 1, owner: 'p1', session: 'second', base: await base(1, 1, 'second') } });
  assert.deepEqual(await opening.run(received('VP9', [before])), []);
  assert.deepEqual(await opening.run(received('VP9', [after])), [plain]);
});
