// Prints what sealing and opening cost: node test/sframe-figures.mjs. No test: figures are looked at, not asserted.
//
// For each size the whole step (codec, header, AES-GCM) beside AES-GCM of WebCrypto alone on as many bytes, which no client in a browser
// can go below. The three take turns, so that whatever else the machine does falls on all. Times are of the wall clock (the wait for a
// thread of WebCrypto included) and of the processor (user and system, all threads).

import { MIME, annaAndBoris, epochOf, frameOf, kindOf, plainFrame, seeded, sourceOf } from './e2ee-world.js';
import { KeyRing } from '../e2ee/media/keys.js';
import { openFrame } from '../e2ee/media/opening.js';
import { sealFrame } from '../e2ee/media/sealing.js';
import { Seat } from '../e2ee/media/seat.js';

const SIZES = { opus: [120], VP8: [4_096, 60_000], VP9: [4_096, 60_000], H264: [4_096, 60_000], AV1: [4_096, 16_000] };
const TURNS = 20;
const ROUNDS = 100;
const FRAMES = 2_000;

const percentile = (all, share) => all.toSorted((one, other) => one - other)[Math.floor(share * (all.length - 1))];
const processor = (since) => {
  const { user, system } = process.cpuUsage(since);
  return user + system;
};

/** Lets all works take turns and tells the times of each, in µs. The first turn warms up. */
async function inTurns(works) {
  const taken = Object.fromEntries(Object.keys(works).map((name) => [name, { times: [], cpu: 0 }]));
  for (let turn = -1; turn < TURNS; turn += 1) {
    for (const [name, work] of Object.entries(works)) {
      const since = process.cpuUsage();
      const times = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const start = performance.now();
        await work();
        times.push((performance.now() - start) * 1_000);
      }
      if (turn < 0) continue;
      taken[name].times.push(...times);
      taken[name].cpu += processor(since) / ROUNDS / TURNS;
    }
  }
  return taken;
}

async function ofSize(codec, size) {
  const [sealing, opening] = [new KeyRing(), new KeyRing()];
  sealing.begin(await epochOf(1, 1, [2]), 0);
  opening.begin(await epochOf(1, 2, [1]), 0);
  const seat = new Seat();
  seat.take({ owner: 'p1', kind: 'person' }, kindOf(codec), 0);
  const plain = plainFrame(codec, { random: seeded(1), length: size });
  const frame = frameOf(codec, plain);
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
  const additionalData = new Uint8Array(23);
  const sealed = [];
  const taken = await inTurns({
    seal: async () => void sealed.push(await sealFrame(sealing, sourceOf(codec), frame, 0)),
    open: async () => {
      const opened = await openFrame(opening, seat, frameOf(codec, new Uint8Array(sealed.shift())), 0, () => {});
      if (typeof opened === 'string') throw new Error(opened);
    },
    'AES-GCM alone': () => crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12), additionalData }, key, plain),
  });
  const longer = (await sealFrame(sealing, sourceOf(codec), frame, 0)).byteLength - plain.length;
  const told = Object.entries(taken).map(([name, { times, cpu }]) => `${name} p50 ${percentile(times, 0.5).toFixed(0).padStart(4)} p95 ${percentile(times, 0.95).toFixed(0).padStart(5)} cpu ${cpu.toFixed(0).padStart(4)}`);
  const ratio = (name) => (taken[name].cpu / taken['AES-GCM alone'].cpu).toFixed(2);
  console.log(`${codec.padEnd(4)} ${String(size).padStart(6)} B (+${longer}), µs: ${told.join('   ')}   ratio ${ratio('seal')} and ${ratio('open')}`);
}

/** Frames through both transforms, with node's streams where the browser has its own. */
async function throughTransforms(codec, size) {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const plain = plainFrame(codec, { random: seeded(1), length: size });
  const through = async (desk, options, frames) => {
    const out = [];
    const readable = new ReadableStream({ pull: (controller) => (frames.length > 0 ? controller.enqueue(frames.shift()) : controller.close()) });
    await desk.transform({ readable, writable: new WritableStream({ write: (frame) => void out.push(frame) }), options, sendKeyFrameRequest: async () => {}, generateKeyFrame: async () => {} });
    if (out.length !== FRAMES) throw new Error(`${out.length} of ${FRAMES} came through`);
    return out;
  };
  const since = process.cpuUsage();
  const sealed = await through(anna.desk, { side: 'send', track: 'own', source: sourceOf(codec) }, Array.from({ length: FRAMES }, () => frameOf(codec, plain)));
  const sending = processor(since);
  await through(boris.desk, { side: 'receive', track: 'seat', kind: kindOf(codec) }, sealed);
  console.log(`${MIME[codec]} ${size} B, processor a frame: sending transform ${(sending / FRAMES).toFixed(0)} µs, receiving ${((processor(since) - sending) / FRAMES).toFixed(0)} µs`);
}

for (const [codec, sizes] of Object.entries(SIZES)) for (const size of sizes) await ofSize(codec, size);
for (const [codec, size] of [['opus', 120], ['VP8', 4_096], ['H264', 4_096], ['VP8', 60_000]]) await throughTransforms(codec, size);
