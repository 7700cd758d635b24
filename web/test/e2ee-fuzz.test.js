// T15: hostile frames. Nothing is thrown, nothing stalls, nothing comes out, and each is counted under a name.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CODECS, MIME, annaAndBoris, frameOf, kindOf, plainFrame, received, seeded, sourceOf } from './e2ee-world.js';
import { hostile } from './hostile-frames.js';

const ROUNDS = 10_000;

for (const codec of CODECS) {
  test(`${codec}: ${ROUNDS} hostile frames are counted and dropped, and a good one after them opens (T15)`, async () => {
    const { anna, boris } = await annaAndBoris();
    boris.seat('seat', 'p1');
    const sealing = anna.lane({ side: 'send', track: 'own', source: sourceOf(codec) });
    const opening = boris.lane({ side: 'receive', track: 'seat', kind: kindOf(codec) });
    const random = seeded(codec.length * 31 + codec.charCodeAt(0));
    const plain = Array.from({ length: 20 }, (_, index) => plainFrame(codec, { random, key: index % 3 === 0, length: 40 + index * 9 }));
    const sealed = await sealing.run(received(codec, plain));
    // Opened once, so that whatever a change leaves whole is a replay.
    assert.equal((await opening.run(received(codec, sealed))).length, plain.length);

    const frames = Array.from({ length: ROUNDS }, () => frameOf(codec, hostile(random, sealed, plain), random(2) ? 'key' : 'delta'));
    assert.deepEqual(await opening.run(frames), []);
    const { counters } = boris.of('seat');
    assert.equal(counters.failed, 0, 'no fault of ours');
    const refused = Object.entries(counters).filter(([name]) => name !== 'opened').reduce((sum, [, count]) => sum + count, 0);
    assert.equal(refused, ROUNDS, JSON.stringify(counters));
    assert.ok(counters.auth_failed > 0 && counters.malformed > 0 && counters.replayed > 0, JSON.stringify(counters));

    const last = plainFrame(codec, { random, key: true });
    assert.deepEqual(await opening.run(received(codec, await sealing.run(received(codec, [last])))), [last]);
  });

  test(`${codec}: whatever an encoder gives is sealed or dropped, never sent as it is`, async () => {
    const { anna } = await annaAndBoris();
    const sealing = anna.lane({ side: 'send', track: 'own', source: sourceOf(codec) });
    const random = seeded(99);
    const plain = Array.from({ length: 20 }, (_, index) => plainFrame(codec, { random, key: index % 3 === 0, length: 40 + index * 9 }));
    const given = Array.from({ length: ROUNDS / 5 }, () => hostile(random, plain, plain));
    const sent = await sealing.run(given.map((data) => frameOf(codec, data)));
    const known = new Set(given.map((data) => Buffer.from(data).toString('hex')));
    for (const each of sent) assert.ok(!known.has(Buffer.from(each).toString('hex')));
    const { counters } = anna.of('own');
    assert.equal(counters.sealed + counters.malformed, given.length, JSON.stringify(counters));
    assert.ok(counters.sealed > 0);
  });
}

test('frames that are huge, without data or without metadata are dropped', async () => {
  const { boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const metadata = () => ({ mimeType: MIME.VP9 });
  const odd = [
    { data: new ArrayBuffer(5 * 2 ** 20), getMetadata: metadata },
    { data: new ArrayBuffer(0), getMetadata: metadata },
    { data: undefined, getMetadata: metadata },
    { data: new ArrayBuffer(9), getMetadata: () => undefined },
    { data: new ArrayBuffer(9), getMetadata: () => ({ mimeType: 7 }) },
    { data: new ArrayBuffer(9) },
  ];
  assert.deepEqual(await opening.run(odd), []);
});
