import assert from 'node:assert/strict';
import { test } from 'node:test';

import { concat } from '../e2ee/media/bytes.js';
import { codecOf } from '../e2ee/media/codecs/index.js';
import { readPpsId, sliceHead } from '../e2ee/media/codecs/golomb.js';
import { escape, splitUnits, unescape } from '../e2ee/media/codecs/nal.js';
import { splitObus } from '../e2ee/media/codecs/obu.js';
import { CODECS, MIME, annaAndBoris, firstBits, frameOf, kindOf, plainFrame, randomBytes, received, seeded, shares, sourceOf } from './e2ee-world.js';

/** A lane that seals for Anna and one that opens at Boris. */
async function lanes(codec) {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const sealing = anna.lane({ side: 'send', track: 'own', source: sourceOf(codec) });
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: kindOf(codec) });
  return { anna, boris, sealing, opening };
}

for (const codec of CODECS) {
  test(`${codec}: what is sealed opens to the same bytes, and shows nothing of them on the way`, async () => {
    const { boris, sealing, opening } = await lanes(codec);
    const random = seeded(11);
    const plain = Array.from({ length: 60 }, (_, index) => plainFrame(codec, { random, key: index % 10 === 0, length: 30 + index * 40 }));
    const sealed = await sealing.run(received(codec, plain));
    assert.equal(sealed.length, plain.length);
    sealed.forEach((each, index) => assert.ok(!shares(plain[index].subarray(25), each), `frame ${index}`));
    assert.ok(shares(plain[1].subarray(25), concat([[0], plain[1]])), 'and would be found');
    assert.deepEqual(await opening.run(received(codec, sealed)), plain);
    assert.equal(boris.of('seat').counters.opened, plain.length);
  });

  test(`${codec}: a changed bit anywhere opens nothing and harms nothing (T14)`, async () => {
    const { boris, sealing, opening } = await lanes(codec);
    const plain = plainFrame(codec, { random: seeded(3), key: true, length: 24 });
    const [sealed] = await sealing.run(received(codec, [plain], 'key'));
    const changed = Array.from({ length: sealed.length * 8 }, (_, bit) => {
      const copy = sealed.slice();
      copy[bit >> 3] ^= 1 << (bit & 7);
      return copy;
    });
    assert.deepEqual(await opening.run(received(codec, changed)), []);
    assert.equal(boris.of('seat').counters.failed, 0);
    assert.deepEqual(await opening.run(received(codec, [sealed])), [plain], 'the frame itself opens');
  });

  test(`${codec}: an encoder's frame that is not understood is not sent`, async () => {
    const { anna, sealing } = await lanes(codec);
    const bad = { opus: [[]], VP9: [[]], VP8: [[], [0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9], [0x10]], H264: [[], [1, 2, 3, 4], [0, 0, 0, 1, 0x67, 1, 2], [0, 0, 1, 0x65], [0, 0, 1, 0x65, 0, 0, 0, 0]], AV1: [[], [0x12, 0], [0x32, 0xff, 0xff], [0x80, 1], [0x36]] }[codec];
    assert.deepEqual(await sealing.run(received(codec, bad.map((each) => Uint8Array.from(each)))), []);
    assert.equal(anna.of('own').counters.malformed, bad.length);
  });
}

test('VP8 shows whether it is a keyframe and its size, and no other bit of its header', async () => {
  const { sealing } = await lanes('VP8');
  const random = seeded(5);
  const key = plainFrame('VP8', { random, key: true });
  const [first] = await sealing.run(received('VP8', [key]));
  assert.deepEqual([...first.subarray(0, 10)], [0x10, 0, 0, 0x9d, 1, 0x2a, ...key.subarray(6, 10)]);
  const shown = await sealing.run(received('VP8', [0x11, 0x31, 0xd1, 0x07].map((head) => concat([[head], randomBytes(random, 50)]))));
  assert.deepEqual(shown.map((each) => each[0]), [0x11, 0x11, 0x11, 0x11]);
});

test('a sealed H.264 frame is a stream of its parameter sets and one slice', async () => {
  const { sealing, opening } = await lanes('H264');
  const random = seeded(9);
  const plain = Array.from({ length: 20 }, (_, index) => plainFrame('H264', { random, key: index % 2 === 0, length: 3_000 }));
  const sealed = await sealing.run(received('H264', plain));
  for (const [index, each] of sealed.entries()) {
    const units = splitUnits(each) ?? [];
    assert.deepEqual(units.map((unit) => unit[0] & 0x1f), index % 2 === 0 ? [7, 8, 5] : [1]);
    assert.equal(concat(units.flatMap((unit) => [[0, 0, 0, 1], unit])).length, each.length);
  }
  // Packetising leaves the start codes out; depacketising writes others.
  const shortened = sealed.map((each) => concat((splitUnits(each) ?? []).flatMap((unit) => [[0, 0, 1], unit])));
  assert.deepEqual(await opening.run(received('H264', shortened)), plain);
});

test('whatever the ciphertext, an H.264 frame has no start code in it', () => {
  const random = seeded(10);
  const h264 = codecOf(MIME.H264);
  for (let round = 0; round < 500; round += 1) {
    const packed = h264.pack(plainFrame('H264', { random, key: round % 2 === 0, length: 20 }));
    const header = Uint8Array.of(0x88, 0, 0);
    const ciphertext = randomBytes(random, 60).map((byte) => byte % 4);
    const wrapped = packed.wrap(header, ciphertext);
    assert.equal(splitUnits(wrapped)?.length, round % 2 === 0 ? 3 : 1);
    const unpacked = h264.unpack(wrapped);
    assert.deepEqual(unpacked.sealed, concat([header, ciphertext]));
    assert.deepEqual(unpacked.clear, packed.clear);
  }
});

test('the sealed slice names the parameter set that the frame uses', async () => {
  for (const ppsId of [0, 1, 2, 6, 7, 30, 31, 254, 255]) {
    const { sealing, opening } = await lanes('H264');
    const plain = plainFrame('H264', { random: seeded(2), key: true, ppsId });
    const [sealed] = await sealing.run(received('H264', [plain]));
    const slice = (splitUnits(sealed) ?? []).at(-1);
    assert.equal(readPpsId(unescape(slice.subarray(1))), ppsId);
    assert.deepEqual(await opening.run(received('H264', [sealed])), [plain]);
  }
  assert.deepEqual([...sliceHead(0)], [0x88, 0xc0]);
  assert.equal(readPpsId(firstBits(256)), null, 'none has such an identifier');
  assert.equal(readPpsId(new Uint8Array(16)), null);
  assert.equal(readPpsId(Uint8Array.of(0x88)), null, 'cut');
});

test('what is escaped holds no start code and comes back', () => {
  const random = seeded(4);
  for (let round = 0; round < 3_000; round += 1) {
    const raw = concat([randomBytes(random, random(40)).map((byte) => byte % 5), [0x80]]);
    const escaped = escape(raw);
    for (let at = 0; at + 2 < escaped.length; at += 1) assert.ok(escaped[at] !== 0 || escaped[at + 1] !== 0 || escaped[at + 2] > 2, `${raw}`);
    assert.deepEqual(unescape(escaped), raw);
  }
  assert.deepEqual([...escape(Uint8Array.of(0, 0, 0, 0, 1, 0x80))], [0, 0, 3, 0, 0, 3, 1, 0x80]);
  assert.deepEqual([...escape(Uint8Array.of(0, 0, 3, 0x80))], [0, 0, 3, 3, 0x80]);
  assert.deepEqual([...escape(Uint8Array.of(0, 0, 4, 0x80))], [0, 0, 4, 0x80]);
});

test('a sealed AV1 unit is its sequence header and one frame, also after a browser took the sizes out and put others in', async () => {
  const { sealing, opening } = await lanes('AV1');
  const plain = plainFrame('AV1', { random: seeded(8), key: true });
  const [sealed] = await sealing.run(received('AV1', [plain]));
  assert.deepEqual((splitObus(sealed) ?? []).map(({ type }) => type), [1, 6]);
  const [sequence, frame] = splitObus(sealed) ?? [];
  const longSize = (length) => [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, 0];
  const rewritten = concat([[0x0a], longSize(sequence.payload.length), sequence.payload, [0x30], frame.payload]);
  assert.deepEqual(await opening.run(received('AV1', [rewritten])), [plain]);
});

test('AV1 keeps the layer of the frame, and another layer does not open', async () => {
  const { boris, sealing, opening } = await lanes('AV1');
  const layered = concat([[0x36, 0x28, 10], randomBytes(seeded(1), 10)]);
  const [sealed] = await sealing.run(received('AV1', [layered]));
  assert.deepEqual((splitObus(sealed) ?? []).map(({ type, extension }) => [type, extension]), [[6, 0x28]]);
  const moved = sealed.slice();
  moved[1] = 0x48;
  assert.deepEqual(await opening.run(received('AV1', [moved])), []);
  assert.equal(boris.of('seat').counters.auth_failed, 1);
  assert.deepEqual(await opening.run(received('AV1', [sealed])), [layered]);
});

test('a frame in another codec than it was sealed as does not open', async () => {
  const random = seeded(6);
  for (const codec of CODECS.filter((each) => each !== 'opus')) {
    const { boris, sealing, opening } = await lanes(codec);
    const plain = plainFrame(codec, { random, key: true });
    const [sealed] = await sealing.run(received(codec, [plain]));
    const others = CODECS.filter((each) => each !== codec && each !== 'opus');
    for (const other of others) assert.deepEqual(await opening.run([frameOf(other, sealed)]), [], `${codec} as ${other}`);
    assert.equal(boris.of('seat').counters.opened, 0);
    assert.deepEqual(await opening.run(received(codec, [sealed])), [plain]);
  }
});

test('a codec that is not known is neither sealed nor opened', async () => {
  const { anna, boris, sealing, opening } = await lanes('VP9');
  for (const mimeType of [undefined, '', 'video/H265', 'audio/red', 'video/rtx', 'VP8', '__proto__']) {
    const frame = () => ({ ...frameOf('VP9', Uint8Array.of(1, 2, 3)), getMetadata: () => (mimeType === undefined ? {} : { mimeType }) });
    assert.equal(codecOf(mimeType), null);
    assert.deepEqual(await sealing.run([frame()]), []);
    assert.deepEqual(await opening.run([frame()]), []);
  }
  assert.equal(anna.of('own').counters.unknown_codec, 7);
  assert.equal(boris.of('seat').counters.unknown_codec, 7);
  for (const mimeType of Object.values(MIME)) assert.ok(codecOf(mimeType) && codecOf(mimeType.toLowerCase()));
});
