// What the tests of the media worker share: frames as encoders make them, keys as the key agreement hands them over, a desk with a clock
// that the test moves, and lanes through which frames run as they do through a browser's transform.

import { Desk } from '../e2ee/media/desk.js';
import { HOLD_MS } from '../e2ee/media/hold.js';
import { NO_BYTES, concat } from '../e2ee/media/bytes.js';

export const CALL = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
export const MIME = { opus: 'audio/opus', VP8: 'video/VP8', VP9: 'video/VP9', H264: 'video/H264', AV1: 'video/AV1' };
export const CODECS = Object.keys(MIME);

/** Other numbers than in every run, by `WEBCALL_SEED`. */
const OTHERS = Number(globalThis.process?.env.WEBCALL_SEED ?? 0);

/** A generator of numbers below `n`, the same for the same seed (xorshift). */
export function seeded(seed) {
  let state = (seed ^ OTHERS) * 2_654_435_761 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

export const randomBytes = (random, length) => Uint8Array.from({ length }, () => random(256));

/** A base key for a leaf in an epoch, as an exporter would give it: another for every nonce. */
export async function base(leaf, epoch, nonce = 'nonce') {
  const text = new TextEncoder().encode(`${leaf} ${epoch} ${nonce}`);
  const secret = new Uint8Array(await crypto.subtle.digest('SHA-256', text)).slice(0, 16);
  return crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey', 'deriveBits']);
}

export const member = async (leaf, epoch, owner = `p${leaf}`, session = 'nonce') => ({ leaf, owner, session, base: await base(leaf, epoch, session) });

/** The message that begins an epoch for `me`, with these leaves as the others. */
export async function epochOf(epoch, me, others, { because = 'start', removed = [], call = CALL, nonce = 'nonce' } = {}) {
  const members = await Promise.all(others.map((leaf) => member(leaf, epoch)));
  return { type: 'epoch', call, epoch, because, own: { leaf: me, base: await base(me, epoch, nonce) }, members, removed };
}

export const frameOf = (codec, data, type = 'delta') => ({ data: data.slice().buffer, type: codec === 'opus' ? undefined : type, getMetadata: () => ({ mimeType: MIME[codec] }) });

const safe = (random, length) => randomBytes(random, length).map((byte) => byte | 1); // holds no zeros: nothing to escape, nothing like a start code

/** One plain frame of a codec, key or delta, with `length` bytes of content. */
export function plainFrame(codec, { random, key = false, length = 200, ppsId = 0 }) {
  const content = randomBytes(random, length);
  switch (codec) {
    case 'opus':
      return concat([[0x78], content]);
    case 'VP9':
      return concat([[key ? 0x82 : 0x86], content]);
    case 'VP8':
      return key ? concat([[0x50, 0x42, 0x01, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00], content]) : concat([[0x31, 0x02, 0x00], content]);
    case 'H264': {
      const slice = concat([[0, 0, 0, 1, key ? 0x65 : 0x41], firstBits(ppsId), safe(random, length), [0x80]]);
      return key ? concat([[0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c], [0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80], slice]) : slice;
    }
    case 'AV1': {
      const delimiter = [0x12, 0x00];
      const sequence = key ? [0x0a, 0x05, 1, 2, 3, 4, 5] : [];
      return concat([delimiter, sequence, [0x32, (length & 0x7f) | 0x80, length >> 7], content]);
    }
    default:
      throw new Error(codec);
  }
}

/** first_mb_in_slice 0, slice_type 7, then this identifier, then ones. */
export function firstBits(ppsId) {
  const golomb = (value) => (value + 1).toString(2).padStart(2 * (value + 1).toString(2).length - 1, '0');
  const bits = `${golomb(0)}${golomb(7)}${golomb(ppsId)}`;
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

/**
 * A desk with its page, its port of keys, and a clock of the test. What it does later is done by `pass`; unless `isPatient`, at once: no frame waits
 * for a key then.
 */
export function makeDesk() {
  const world = { now: 0, said: [], asked: [], later: [], isPatient: false };
  const later = (act, delay_ms) => {
    world.later.push({ act, delay_ms, at: world.now + delay_ms });
    if (!world.isPatient && delay_ms <= HOLD_MS) setImmediate(act);
  };
  const desk = new Desk({ now: () => world.now, post: (message) => world.said.push(message), later });
  const port = { postMessage: (message) => world.asked.push(message), onmessage: null };
  desk.page({ type: 'keys' }, [port]);
  return Object.assign(world, {
    desk,
    keys: (message) => port.onmessage({ data: message }),
    pass: (ms) => {
      world.now += ms;
      const due = world.later.filter(({ at }) => at <= world.now);
      world.later = world.later.filter(({ at }) => at > world.now);
      for (const { act } of due) act();
    },
    seat: (track, owner, kind = 'person') => desk.page({ type: 'seat', track, feed: owner === null ? null : { owner, kind } }, []),
    lane: (options, browser) => new Lane(desk, options, browser),
    of: (track) => desk.report().tracks.find((each) => each.track === track),
  });
}

/** Frames go in, and what the transform lets through comes out. */
class Lane {
  out = [];
  /** Asked for by whoever receives. */
  keyframes = 0;
  /** Made by whoever sends. */
  made = 0;
  #pushed = 0;

  constructor(desk, options, { isChromium = false } = {}) {
    this.desk = desk;
    this.options = options;
    const readable = new ReadableStream({ start: (controller) => (this.controller = controller) }, { highWaterMark: 1e6 });
    const writable = new WritableStream({ write: (frame) => void this.out.push(frame) }, { highWaterMark: 1e6 });
    const sendKeyFrameRequest = async () => (this.keyframes += 1);
    const generateKeyFrame = isChromium ? undefined : async () => (this.made += 1);
    this.ended = desk.transform({ readable, writable, options, sendKeyFrameRequest, generateKeyFrame });
  }

  /** Puts frames in and waits until something has become of each. */
  async run(frames) {
    for (const frame of frames) this.controller.enqueue(frame);
    this.#pushed += frames.length;
    const counted = () => Object.values(this.desk.report().tracks.find((each) => each.track === this.options.track).counters).reduce((sum, count) => sum + count, 0);
    while (counted() < this.#pushed) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    return this.out.splice(0).map((frame) => new Uint8Array(frame.data));
  }

  end() {
    this.controller.close();
    return this.ended;
  }
}

/** Anna (leaf 1) sends and Boris (leaf 2) receives, both in epoch 1; Clara (leaf 3) is there too. */
export async function annaAndBoris() {
  const [anna, boris, clara] = [makeDesk(), makeDesk(), makeDesk()];
  anna.keys(await epochOf(1, 1, [2, 3]));
  boris.keys(await epochOf(1, 2, [1, 3]));
  clara.keys(await epochOf(1, 3, [1, 2]));
  return { anna, boris, clara };
}

export const sourceOf = (codec) => (codec === 'opus' ? 'microphone' : 'camera');
export const kindOf = (codec) => (codec === 'opus' ? 'audio' : 'video');
export const NOTHING = NO_BYTES;

/** Frames with these bytes, as they come out of the network. */
export const received = (codec, all, type) => all.map((data) => frameOf(codec, data, type));

/** Whether eight bytes of one stand in the other anywhere. */
export function shares(one, other) {
  const text = (bytes) => Buffer.from(bytes).toString('latin1');
  const hay = text(other);
  for (let at = 0; at + 8 <= one.length; at += 1) if (hay.includes(text(one.subarray(at, at + 8)))) return true;
  return false;
}
