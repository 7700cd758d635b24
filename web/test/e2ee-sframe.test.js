import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { CONTEXTS, contextOf, kidOf, readKid } from '../e2ee/media/kid.js';
import { ReplayWindow, WINDOW } from '../e2ee/media/replay.js';
import { MAX_COUNTER, deriveCipher, open, readHeader, seal, writeHeader } from '../e2ee/media/sframe.js';
import { concat } from '../e2ee/media/bytes.js';

const vectors = JSON.parse(readFileSync(new URL('vectors/sframe-rfc9605.json', import.meta.url), 'utf8'));
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (from) => Buffer.from(from).toString('hex');
const importBase = (secret, extractable = false) => crypto.subtle.importKey('raw', secret, 'HKDF', extractable, ['deriveKey', 'deriveBits']);
const TAG = new Uint8Array(16);

test('headers are those of RFC 9605 appendix C.1, and longer numbers than JavaScript counts are refused', () => {
  let refused = 0;
  for (const [kid, counter, encoded] of vectors.headers) {
    const read = readHeader(concat([bytes(encoded), TAG]));
    if ([kid, counter].every((number) => Number.isSafeInteger(Number(number)))) {
      assert.equal(hex(writeHeader(Number(kid), Number(counter)).bytes), encoded);
      assert.deepEqual({ kid: read?.kid, counter: read?.counter, bytes: hex(read?.bytes ?? []) }, { kid: Number(kid), counter: Number(counter), bytes: encoded });
    } else {
      assert.equal(read, null, encoded);
      refused += 1;
    }
  }
  assert.equal(vectors.headers.length, 289);
  assert.ok(refused > 0 && refused < 150, `${refused} refused`);
});

test('keys, nonce and ciphertext are those of RFC 9605 appendix C.3', async () => {
  const vector = vectors.sframe;
  const cipher = await deriveCipher(await importBase(bytes(vector.base_key)), vector.kid);
  assert.equal(hex(cipher.salt), vector.sframe_salt);
  const reference = await crypto.subtle.importKey('raw', bytes(vector.sframe_key), 'AES-GCM', false, ['decrypt']);
  const header = writeHeader(vector.kid, vector.ctr);
  const sealed = concat([header.bytes, await seal(cipher, header, bytes(vector.metadata), bytes(vector.pt))]);
  assert.equal(hex(sealed), vector.ct);
  const parameters = { name: 'AES-GCM', iv: bytes(vector.nonce), additionalData: bytes(vector.aad) };
  assert.equal(hex(await crypto.subtle.decrypt(parameters, reference, sealed.slice(header.bytes.length))), vector.pt);
  const read = readHeader(bytes(vector.ct));
  assert.ok(read);
  assert.equal(hex(await open(cipher, read, bytes(vector.metadata), bytes(vector.ct))), vector.pt);
});

test('a frame with any bit changed, other metadata or another key opens to nothing', async () => {
  const cipher = await deriveCipher(await importBase(new Uint8Array(16)), 5);
  const other = await deriveCipher(await importBase(new Uint8Array(16)), 6);
  const header = writeHeader(5, 77);
  const sealed = concat([header.bytes, await seal(cipher, header, TAG, bytes('00112233'))]);
  for (let bit = header.bytes.length * 8; bit < sealed.length * 8; bit += 1) {
    const changed = sealed.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(await open(cipher, header, TAG, changed), null);
  }
  assert.equal(await open(cipher, writeHeader(5, 78), TAG, sealed), null, 'another counter');
  assert.equal(await open(cipher, header, TAG.slice(1), sealed), null, 'other metadata');
  assert.equal(await open(other, header, TAG, sealed), null, 'another KID');
  assert.notEqual(await open(cipher, header, TAG, sealed), null, 'the frame itself opens');
});

test('derived keys cannot be read out', async () => {
  const { key } = await deriveCipher(await importBase(new Uint8Array(16)), 5);
  assert.equal(key.extractable, false);
  await assert.rejects(crypto.subtle.exportKey('raw', key));
});

test('a header is refused when it is cut, written too long, or has no room for a tag behind it', () => {
  const whole = concat([writeHeader(300, 70_000).bytes, TAG]);
  for (let length = 0; length < whole.length; length += 1) assert.equal(readHeader(whole.subarray(0, length)), null, `${length} bytes`);
  assert.ok(readHeader(whole));
  for (const encoded of ['8007', '900012', '0803', '090012', 'f8', '8f0100000000000000ff']) assert.equal(readHeader(concat([bytes(encoded), encoded === 'f8' ? [] : TAG])), null, encoded);
});

test('a KID names source, leaf and epoch, and nothing else is one', () => {
  const seen = new Set();
  for (const context of CONTEXTS) {
    for (const [leaf, epoch] of [[0, 0], [0, 255], [1, 256], [4095, 511], [77, 3]]) {
      const kid = kidOf(context, leaf, epoch);
      assert.deepEqual(readKid(kid), { context, leaf, epoch: epoch % 256 });
      seen.add(kid);
    }
  }
  assert.equal(seen.size, 4 * 5);
  for (const kid of [4 << 20, 2 ** 23, 2 ** 40]) assert.equal(readKid(kid), null, `${kid}`);
  assert.deepEqual([contextOf('person', 'audio'), contextOf('person', 'video'), contextOf('screen', 'video'), contextOf('screen', 'audio')], CONTEXTS);
});

test('each counter is taken once, in any order within the window, and none from before it', () => {
  const window = new ReplayWindow();
  const order = [0, 2, 1, 900, 5, 1_023, 3];
  for (const counter of order) assert.ok(window.take(counter), `${counter}`);
  for (const counter of order) assert.ok(!window.isFresh(counter) && !window.take(counter), `${counter} again`);
  assert.ok(window.take(WINDOW + 500));
  assert.ok(!window.isFresh(500), 'a window old');
  assert.ok(window.take(501));
  assert.ok(window.take(MAX_COUNTER));
  assert.ok(!window.isFresh(WINDOW + 499) && window.isFresh(MAX_COUNTER - 1));
});

test('the window agrees with a list of all that was taken', () => {
  const window = new ReplayWindow();
  const taken = new Set();
  let highest = -1;
  let state = 7;
  for (let round = 0; round < 20_000; round += 1) {
    state = (state * 48_271) % 2_147_483_647;
    const counter = Math.max(0, highest + (state % 2_400) - (state % 7 === 0 ? 100 : 2_200));
    const expected = !taken.has(counter) && counter > highest - WINDOW;
    assert.equal(window.take(counter), expected, `${counter} at ${highest}`);
    taken.add(counter);
    if (expected) highest = Math.max(highest, counter);
  }
});
